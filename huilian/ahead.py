"""Working ahead: the next piece is made while the last one is used."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ahead"]

Item = TypeVar("Item")

DEPTH: Final = 1
"""Pieces waiting to be used: memory holds one being made, these, and one being used."""


class _End:
    """What the maker hands over last: that it is done, or what went wrong."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(items: Iterable[Item], *, depth: int = DEPTH) -> Iterator[Item]:
    """Yield the items, made in a thread of their own, at most `depth` of them ahead.

    What making them raises is raised here, at its place in the order. When the caller
    stops early, the maker stops at the next item.
    """
    ready: queue.Queue[Item | _End] = queue.Queue(depth)
    stopped = threading.Event()

    def make() -> None:
        end = _End()
        try:
            for item in items:
                if not _hand_over(item):
                    return
        except BaseException as error:  # noqa: BLE001  # raised again where the items are used
            end = _End(error)
        _hand_over(end)

    def _hand_over(item: Item | _End) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    maker = threading.Thread(target=make, name="ahead", daemon=True)
    maker.start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        maker.join()
