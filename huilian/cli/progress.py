"""The progress bar of a long file, on standard error, where somebody watches."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from huilian.cli import screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.institution.push import Progress

__all__ = ["watching"]

WORTH_BYTES: Final = 1024 * 1024
"""Smaller files are done before a bar can be read."""
_STEPS: Final = {"translate": "读取翻译 (translate)", "send": "发送 (send)", "receipt": "等待回执 (receipt)"}


@contextlib.contextmanager
def watching(size: int) -> Iterator[Progress]:
    """Give the function to report progress to; it draws a bar a step when the file has enough bytes."""
    console = screen.err()
    if not console.is_terminal or size < WORTH_BYTES:
        yield lambda _step, _done, _whole: None
        return
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, whole: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(_STEPS[step], total=None)
            # A wait has no length: the bar only shows that it goes on.
            total = whole if step != "receipt" or done else None
            bars.update(tasks[step], completed=done, total=total)

        yield report
