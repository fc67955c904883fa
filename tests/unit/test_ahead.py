"""Working ahead changes neither order nor errors, and stops when the reader does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from huilian.core.concurrency import ahead, side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_items_come_in_their_order():
    """Nothing is lost, repeated or overtaken."""
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead(iter([]))) == []


def test_an_error_comes_in_its_place():
    """What was made before it is delivered first."""

    def items() -> Iterator[int]:
        yield 1
        message = "broken"
        raise ValueError(message)

    made = ahead(items())
    assert next(made) == 1
    with pytest.raises(ValueError, match="broken"):
        next(made)


def test_a_reader_that_stops_leaves_no_thread_behind():
    """Closing ends the thread that worked ahead."""
    made = ahead(iter(range(100)))
    assert next(made) == 0
    made.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reading-ahead")]


def test_what_is_made_side_by_side_comes_in_order():
    """However long each takes."""
    gate = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert gate.wait(10)
        if item == 1:
            gate.set()
        return item * item

    assert list(side_by_side(work, range(50))) == [item * item for item in range(50)]


def test_an_error_made_side_by_side_comes_in_its_place():
    """What was made before it is delivered first, and nothing after it."""

    def work(item: int) -> int:
        if item == 1:
            message = "broken"
            raise ValueError(message)
        return item

    made = side_by_side(work, range(10))
    assert next(made) == 0
    with pytest.raises(ValueError, match="broken"):
        next(made)


def test_no_more_is_taken_than_can_be_made():
    """A long input does not pile up in memory."""
    taken = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    made = side_by_side(lambda item: item, items(), workers=2)
    assert next(made) == 0
    assert taken == [0, 1, 2]
