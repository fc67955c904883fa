"""A row with several errors is given back with all of them at once.

Two ways lead there. Samples in `samples/with_errors/` have exactly the errors stated
beside them. Where bytes can be changed without the whole file being refused, two cells
of one row are spoilt, first each by itself and then both: both must be reported.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from huilian.conformance import damage
from huilian.conformance.results import Finding
from huilian.conformance.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.damage import Document, Spot
    from huilian.conformance.samples import Sample
    from huilian.conformance.subject import Subject

__all__ = ["RULE"]

_SPOTS: Final = 90
"""Places of a sample that are spoilt one at a time."""
_PAIRS: Final = 15
"""Pairs of them that are spoilt together."""
_SPOILT: Final = b"#"
"""Stands in no number, no date, no code and no amount."""


def _examine(subject: Subject) -> Iterator[Finding]:
    shown = set()
    for sample, errors in subject.samples.with_errors:
        yield from _stated(subject, sample, errors)
        identity = subject.adapter.recognise(sample.name)
        shown |= {identity.kind} if identity else set()
    for sample, kind in subject.damaged():
        found = _pairs(subject, sample)
        if found is None and kind not in shown:
            what = (
                "改动任一字节整份即退，或一行中找不到两处可改：请加 samples/with_errors/，其中一行至少两处错误 "
                "(no two cells of a row can be spoilt: add a sample with two errors in a row)"
            )
            yield Finding(sample.name, what)
        elif found:
            yield Finding(sample.name, found)


def _stated(subject: Subject, sample: Sample, errors: frozenset[tuple[int, str, str]]) -> Iterator[Finding]:
    where = f"with_errors/{sample.name}"
    outcome = subject.bench.translate(sample)
    wrong = outcome.wrong() or (f"{outcome.refused} {outcome.refusal}" if outcome.refused else None)
    if wrong or not outcome.recognised:
        yield Finding(where, wrong or "文件名不被识别 (its name is not recognised)")
        return
    for line, field, code in sorted(errors - outcome.errors):
        yield Finding(where, f"第 {line} 行 {field} 应报 {code} 而未报 (not reported)")
    for line, field, code in sorted(outcome.errors - errors):
        yield Finding(where, f"第 {line} 行 {field} 报了 {code}，{sample.name}.errors.csv 中没有 (not stated)")
    if max((sum(1 for each in errors if each[0] == line) for line, _, _ in errors), default=0) < 2:  # noqa: PLR2004  # more than one
        yield Finding(where, "没有一行有两处错误 (no row has two errors)")


def _pairs(subject: Subject, sample: Sample) -> str | None:
    """Return what is wrong, "" when nothing is, None when it cannot be found out."""
    document = damage.document(sample.data)
    alone, among_others = _singles(subject, sample, document)
    # Where a row's error rejects other rows as well, which row was spoilt is not known: one pair must show it.
    for singles, all_of_them in ((alone, True), (among_others, False)):
        pairs = [
            (line, first, second)
            for line, spots in singles.items()
            for first, second in itertools.combinations(spots.items(), 2)
        ]
        if not pairs:
            continue
        # Spread over rows and fields instead of the first row's first ones only.
        verdicts = [_both(subject, sample, document, pair) for pair in pairs[:: max(1, len(pairs) // _PAIRS)]]
        missing = [verdict for verdict in verdicts if verdict]
        failed = missing if all_of_them or len(missing) == len(verdicts) else []
        return failed[0] if failed else ""
    return None


_Singles = dict[int, dict[str, "Spot"]]
"""Line to the fields that were spoilt in it one at a time, and where."""


def _singles(subject: Subject, sample: Sample, document: Document) -> tuple[_Singles, _Singles]:
    alone: _Singles = {}
    among_others: _Singles = {}
    for spot in damage.chosen(document.digits(), _SPOTS, sample.data):
        outcome = subject.bench.translate(sample, document.changed({spot: _SPOILT}), records=False)
        if outcome.refused is None and outcome.wrong() is None and outcome.recognised:
            singles = alone if len(outcome.errors) == 1 else among_others
            for line in outcome.lines():
                fields = [field for at, field, _ in outcome.errors if at == line]
                if len(fields) == 1:
                    singles.setdefault(line, {}).setdefault(fields[0], spot)
    return alone, among_others


def _both(
    subject: Subject,
    sample: Sample,
    document: Document,
    pair: tuple[int, tuple[str, Spot], tuple[str, Spot]],
) -> str:
    line, (first, one), (second, other) = pair
    data = document.changed({one: _SPOILT, other: _SPOILT})
    outcome = subject.bench.translate(sample, data, records=False)
    reported = {field for at, field, _ in outcome.errors if at == line}
    missing = "、".join(sorted({first, second} - reported))
    if not missing:
        return ""
    return f"第 {line} 行 {first} 与 {second} 同时有错，未报 {missing} (both are wrong, not both are reported)"


RULE = Rule(
    "every_error",
    "错误一次报全",
    "A row with several errors is rejected with all of them at once.",
    _examine,
)
