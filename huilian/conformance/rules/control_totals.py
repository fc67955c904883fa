"""A file whose amounts were altered is refused, or the row rejected; the sums are never silently others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.conformance import damage
from huilian.conformance.results import Finding
from huilian.conformance.rule import DoesNotApplyError, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.outcomes import Outcome
    from huilian.conformance.samples import Sample
    from huilian.conformance.subject import Subject

__all__ = ["RULE"]

_NONE: Final = "文件没有合计 (its files have no control totals)"
_SPOTS: Final = 120
"""Digits of a sample that are altered one at a time."""


def _examine(subject: Subject) -> Iterator[Finding]:
    totals = subject.adapter.totals
    held = [(sample, kind) for sample, kind in subject.damaged() if totals.get(kind)]
    if not held:
        raise DoesNotApplyError(_NONE)
    for sample, kind in held:
        yield from _altered(subject, sample, _by_type(kind, totals[kind]))


def _by_type(kind: str, totals: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for amount in totals:
        message_type, _, field = amount.rpartition(".")
        found.setdefault(message_type or kind, []).append(field)
    return found


def _altered(subject: Subject, sample: Sample, amounts: dict[str, list[str]]) -> Iterator[Finding]:
    before = subject.bench.translate(sample)
    document = damage.document(sample.data)
    refused = 0
    for spot in damage.chosen(document.digits(), _SPOTS, sample.data):
        digit = document.at(spot)
        after = subject.bench.translate(sample, document.changed({spot: damage.other_digit(digit)}))
        wrong = after.wrong()
        if wrong:
            yield Finding(f"{sample.name} {spot}", wrong)
        refused += after.refused is not None
        for place, field in _differences(before, after, amounts):
            what = (
                f"改动一个数字后，第 {place[1]} 行 {field} 变了而文件照收 (an amount changed, and the file was taken)"
            )
            yield Finding(f"{sample.name} {spot}", what)
    if not refused:
        yield Finding(sample.name, "改动任何数字都不退整份：合计没有核对 (no change was refused: totals are not held)")


def _differences(
    before: Outcome, after: Outcome, amounts: dict[str, list[str]]
) -> Iterator[tuple[tuple[str, int], str]]:
    for place in before.records.keys() & after.records.keys():
        for field in amounts.get(place[0], ()):
            if before.records[place][field] != after.records[place][field]:
                yield place, field


RULE = Rule(
    "control_totals",
    "合计核对",
    "Amounts that disagree with a file's control totals refuse it; they never pass.",
    _examine,
)
