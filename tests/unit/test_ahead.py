"""Reading one piece ahead changes neither order nor errors, and stops when the reader does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from huilian.ahead import ahead

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
