"""Working one step ahead: while one piece is used, the next is already being made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ahead"]

Item = TypeVar("Item")

_END: Final = object()


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield `items` in their order, the next one being made in a thread while the caller has the last.

    Decoding and signing hold the interpreter while polars and PostgreSQL work without it,
    so that neither waits for the other. At most one item is waiting. An error of `items` is raised
    here, in its place; when the caller stops early, the item in the making is finished and dropped.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = thread.submit(next, items, _END)
            yield item  # type: ignore[misc]  # `next` gives an item or _END, and _END is no item
