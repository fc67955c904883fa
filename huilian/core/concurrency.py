"""Working ahead: while one piece is used, the next ones are already being made."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["ahead", "side_by_side"]


Item = TypeVar("Item")
Made = TypeVar("Made")

_END: Final = object()


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield `items` in their order, the next one being made in a thread while the caller has the last.

    Decoding and signing hold the interpreter while polars and PostgreSQL work without it,
    so that neither waits for the other. At most one item is waiting. An error of `items` is raised
    here, in its place; when the caller stops early, the item in the making is finished and dropped.
    """
    # The first one has to be waited for in any case. Made by another thread it takes a third longer where it
    # is small, and most files are a single small piece.
    item = next(items, _END)
    if item is _END:
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as thread:
        while item is not _END:
            coming = thread.submit(next, items, _END)
            yield item  # type: ignore[misc]  # `next` gives an item or _END, and _END is no item
            item = coming.result()


def side_by_side(work: Callable[[Item], Made], items: Iterable[Item], *, workers: int = 2) -> Iterator[Made]:
    """Yield what `work` makes of each item, in the items' order, made by so many threads at once.

    `items` are taken in the caller's thread, and no more of them than there are workers are in
    the making or waiting. Errors come in their place; when the caller stops early, what is in
    the making is finished and dropped.
    """
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="side-by-side") as threads:
        coming: deque[Future[Made]] = deque()
        for item in items:
            coming.append(threads.submit(work, item))
            if len(coming) > workers:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
