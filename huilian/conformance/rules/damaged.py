"""Rules on files that are damaged: no crash, no silent loss, no altered sum, every error told."""

from __future__ import annotations

import itertools
import random
import zlib
from typing import TYPE_CHECKING, Final

from huilian.conformance import damage
from huilian.conformance.rule import DoesNotApplyError, Finding, Note, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.damage import Cuts, Document, Spot
    from huilian.conformance.rule import Subject
    from huilian.conformance.samples import Sample
    from huilian.conformance.worker import Outcome

__all__ = ["CONTROL_TOTALS", "CUT_SHORT", "EVERY_ERROR", "HOSTILE"]


def _examine_hostile(subject: Subject) -> Iterator[Finding]:
    for sample, _ in subject.damaged():
        # The same sample is always damaged in the same ways: what is found can be found again.
        chance = random.Random(zlib.crc32(sample.data))  # noqa: S311  # a choice of places, nothing secret
        for how, data in damage.hostile(sample.data, chance):
            wrong = subject.bench.translate(sample, data, records=False).wrong()
            if wrong:
                yield Finding(f"{sample.name}，{how}", wrong)


HOSTILE = Rule(
    "hostile",
    "恶意内容",
    "Random bytes, swapped columns and bytes, huge fields: refused or rejected, in time.",
    _examine_hostile,
)

_SMALL: Final = 4_096
"""Bytes up to which every file is cut at every byte, not only the smallest of its kind."""
_TOO_LARGE: Final = (
    "最小的 {kind} 样例也超过 {size} 字节，未能逐字节截断：请加一份更小的 "
    "(no sample of this kind is small enough to be cut at every byte: add a smaller one)"
)
_NO_TOTALS: Final = "无合计，格式看不出缺行，只看留下的行是否逐行判定 (no totals: the rows that are left are judged)"


def _examine_cut_short(subject: Subject) -> Iterator[Finding | Note]:
    smallest: dict[str, Sample] = {}
    for sample, kind in subject.damaged():
        if kind not in smallest or len(sample.data) < len(smallest[kind].data):
            smallest[kind] = sample
    for sample, kind in subject.damaged():
        is_smallest = sample is smallest[kind]
        if is_smallest and len(sample.data) > damage.EVERY_BYTE_AT_MOST:
            yield Finding(sample.name, _TOO_LARGE.format(kind=kind, size=damage.EVERY_BYTE_AT_MOST))
        whole = len(sample.data) <= (damage.EVERY_BYTE_AT_MOST if is_smallest else _SMALL)
        chosen = damage.at_every_byte(sample.data) if whole else damage.at_many_places(sample.data)
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


CUT_SHORT = Rule(
    "cut_short",
    "截断",
    "A file cut off at any byte is refused, or its rows are judged; nothing crashes or hangs.",
    _examine_cut_short,
)

_NONE: Final = "文件没有合计 (its files have no control totals)"
_SPOTS: Final = 60
"""Digits of a sample that are altered one at a time."""


def _examine_control_totals(subject: Subject) -> Iterator[Finding]:
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


CONTROL_TOTALS = Rule(
    "control_totals",
    "合计核对",
    "Amounts that disagree with a file's control totals refuse it; they never pass.",
    _examine_control_totals,
)

_SPOTS_SPOILT: Final = 48
"""Places of a sample that are spoilt one at a time."""
_PAIRS: Final = 15
"""Pairs of them that are spoilt together."""
_SPOILT: Final = b"#"
"""Stands in no number, no date, no code and no amount."""


def _examine_every_error(subject: Subject) -> Iterator[Finding]:
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
    for spot in damage.chosen(document.digits(), _SPOTS_SPOILT, sample.data):
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


EVERY_ERROR = Rule(
    "every_error",
    "错误一次报全",
    "A row with several errors is rejected with all of them at once.",
    _examine_every_error,
)
