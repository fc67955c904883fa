"""Memory does not grow with the file.

Files in lines, XML and workbooks are enlarged without knowing what is in them (`enlarging`). Their totals then
disagree and their numbers repeat, but every row has been read by the time the file is refused for it;
where it has not, the rule does not apply.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from huilian.conformance import enlarging
from huilian.conformance.results import Finding, Note
from huilian.conformance.rule import DoesNotApplyError, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.conformance.samples import Sample
    from huilian.conformance.subject import Subject

__all__ = ["RULE"]

_NONE: Final = (
    "样例无法放大，或放大后读完之前即被退回 (its samples cannot be enlarged, or are then refused before they are read)"
)
_LINES: Final = 24_000_000, 60_000_000
_MARKED_UP: Final = 4_000_000, 12_000_000
"""Bytes of the two files that are compared; the small one fills every buffer that has a bound. XML and the parts of
a workbook are read much slower."""
_GROWTH: Final = 3
"""Times the difference in size by which memory may differ; what holds all lines, or all elements, takes more than
six. What holds nothing but translated records of XML may take less than one, and is not found."""
_MEGABYTE: Final = 1_000_000
_AS_IT_RUNS: Final = {"POLARS_MAX_THREADS": str(os.cpu_count() or 1)}
"""Each thread holds something of its own."""


def _examine(subject: Subject) -> Iterator[Finding | Note]:
    tried = 0
    for sample, _ in subject.damaged():
        sizes = _MARKED_UP if enlarging.is_marked_up(sample.data) else _LINES
        small, large = (_peak(subject, sample, size) for size in sizes)
        if small is None or large is None:
            continue
        tried += 1
        told = (
            f"文件从 {sizes[0] // _MEGABYTE} MB 到 {sizes[1] // _MEGABYTE} MB，"
            f"内存从 {small // _MEGABYTE} MB 到 {large // _MEGABYTE} MB"
        )
        if large - small > _GROWTH * (sizes[1] - sizes[0]):
            yield Finding(sample.name, f"{told} (memory grows with the file)")
        else:
            yield Note(sample.name, f"{told} (sizes of the file, and of memory)")
    if not tried:
        raise DoesNotApplyError(_NONE)


def _peak(subject: Subject, sample: Sample, size: int) -> int | None:
    """Return the memory at its highest while an enlarged sample is read, or None where it is not read through."""
    subject.bench.renew(**_AS_IT_RUNS)
    file: Path = subject.folder / "cases" / sample.name
    rows = enlarging.enlarge(sample.data, size, file)
    if rows is None:
        return None
    try:
        outcome = subject.bench.translate_file(file, lightly=True)
    finally:
        file.unlink()
        subject.bench.renew()
    # Half of them allows for records that span two lines.
    return outcome.peak if outcome.rows >= rows // 2 else None


RULE = Rule(
    "memory",
    "内存占用",
    "Memory does not grow with the file.",
    _examine,
)
