"""A file that was cut off, at whatever byte, is refused or its rows are judged; one with totals is never taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.conformance.results import Finding
from huilian.conformance.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.subject import Subject

__all__ = ["RULE"]

_CUTS: Final = 200
"""Cuts of one sample; a smaller file is cut at every byte."""
_EVERY_BYTE: Final = 48
"""Bytes at the end that are cut off one by one, whatever the size."""


def _examine(subject: Subject) -> Iterator[Finding]:
    for sample, kind in subject.damaged():
        whole = subject.bench.translate(sample, records=False)
        length = len(sample.data)
        sizes = {*range(0, length, max(1, length // _CUTS)), *range(max(0, length - _EVERY_BYTE), length)}
        for size in sorted(sizes):
            outcome = subject.bench.translate(sample, sample.data[:size], records=False)
            wrong = outcome.wrong()
            if not wrong and not outcome.refused and outcome.rows < whole.rows and subject.adapter.totals.get(kind):
                wrong = f"只剩 {outcome.rows} 行却照收，完整为 {whole.rows} 行 (taken although rows are missing)"
            if wrong:
                yield Finding(f"{sample.name}，前 {size} 字节 (the first bytes)", wrong)


RULE = Rule(
    "cut_short",
    "截断",
    "A file cut off at any byte is refused, or its rows are judged; nothing crashes or hangs.",
    _examine,
)
