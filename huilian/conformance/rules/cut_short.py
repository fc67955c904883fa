"""A file that was cut off, at whatever byte, is refused or its rows are judged; one with totals is never taken.

Of each kind the smallest file is cut at every byte, and so is every other that is small; larger ones are
cut at the boundaries of their fields and lines and at many places besides. Where the kind has control totals, a
file with rows missing must not be taken. Where it has none, the format cannot tell that rows are missing:
then each row that is there is accepted or rejected, and nothing crashes or hangs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.conformance import cuts
from huilian.conformance.results import Finding, Note
from huilian.conformance.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.cuts import Cuts
    from huilian.conformance.samples import Sample
    from huilian.conformance.subject import Subject

__all__ = ["RULE"]

_SMALL: Final = 4_096
"""Bytes up to which every file is cut at every byte, not only the smallest of its kind."""
_TOO_LARGE: Final = (
    "最小的 {kind} 样例也超过 {size} 字节，未能逐字节截断：请加一份更小的 "
    "(no sample of this kind is small enough to be cut at every byte: add a smaller one)"
)
_NO_TOTALS: Final = "无合计，格式看不出缺行，只看留下的行是否逐行判定 (no totals: the rows that are left are judged)"


def _examine(subject: Subject) -> Iterator[Finding | Note]:
    smallest: dict[str, Sample] = {}
    for sample, kind in subject.damaged():
        if kind not in smallest or len(sample.data) < len(smallest[kind].data):
            smallest[kind] = sample
    for sample, kind in subject.damaged():
        is_smallest = sample is smallest[kind]
        if is_smallest and len(sample.data) > cuts.EVERY_BYTE_AT_MOST:
            yield Finding(sample.name, _TOO_LARGE.format(kind=kind, size=cuts.EVERY_BYTE_AT_MOST))
        whole = len(sample.data) <= (cuts.EVERY_BYTE_AT_MOST if is_smallest else _SMALL)
        chosen = cuts.at_every_byte(sample.data) if whole else cuts.at_many_places(sample.data)
        has_totals = bool(subject.adapter.totals.get(kind))
        yield from _cut(subject, sample, chosen, has_totals=has_totals)
        yield Note(sample.name, f"{chosen}" if has_totals else f"{chosen}；{_NO_TOTALS}")


def _cut(subject: Subject, sample: Sample, chosen: Cuts, *, has_totals: bool) -> Iterator[Finding]:
    whole = subject.bench.translate(sample, records=False)
    for size, outcome in subject.bench.translate_shortened(sample, chosen.sizes):
        wrong = outcome.wrong()
        if not wrong and not outcome.refused and outcome.rows < whole.rows and has_totals:
            wrong = f"只剩 {outcome.rows} 行却照收，完整为 {whole.rows} 行 (taken although rows are missing)"
        if wrong:
            yield Finding(f"{sample.name}，前 {size} 字节 (the first bytes)", wrong)


RULE = Rule(
    "cut_short",
    "截断",
    "A file cut off at any byte is refused, or its rows are judged; nothing crashes or hangs.",
    _examine,
)
