"""Memory does not grow with the file.

Files in lines can be enlarged without knowing their format: the lines between the first
and the last are repeated. Their totals then disagree and their numbers repeat, but every
line has been read by the time the file is refused for it; where it has not, the rule
does not apply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.conformance import damage
from huilian.conformance.results import Finding
from huilian.conformance.rule import DoesNotApplyError, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.conformance.samples import Sample
    from huilian.conformance.subject import Subject

__all__ = ["RULE"]

_NONE: Final = "样例不能按行放大 (its samples cannot be enlarged by lines)"
_SMALL: Final = 24_000_000
_LARGE: Final = 60_000_000
"""Bytes of the two files that are compared; the small one fills every buffer that has a bound."""
_GROWTH: Final = 108_000_000
"""Bytes by which memory may differ: three times the difference in size; what holds all rows takes more than six."""
_MEGABYTE: Final = 1_000_000


def _examine(subject: Subject) -> Iterator[Finding]:
    tried = 0
    for sample, _ in subject.damaged():
        peaks = [_peak(subject, sample, size) for size in (_SMALL, _LARGE)]
        small, large = peaks
        if small is None or large is None:
            continue
        tried += 1
        if large - small > _GROWTH:
            what = (
                f"文件从 {_SMALL // _MEGABYTE} MB 到 {_LARGE // _MEGABYTE} MB，内存从 {small // _MEGABYTE} MB 增到 "
                f"{large // _MEGABYTE} MB (memory grows with the file)"
            )
            yield Finding(sample.name, what)
    if not tried:
        raise DoesNotApplyError(_NONE)


def _peak(subject: Subject, sample: Sample, size: int) -> int | None:
    """Return the memory at its highest while an enlarged sample is read, or None where it is not read through."""
    subject.bench.renew()
    file: Path = subject.folder / "cases" / sample.name
    lines = damage.enlarge(sample.data, size, file)
    if lines is None:
        return None
    try:
        outcome = subject.bench.translate_file(file, lightly=True)
    finally:
        file.unlink()
        subject.bench.renew()
    # Half of them allows for records that span two lines.
    return outcome.peak if outcome.rows >= lines // 2 else None


RULE = Rule(
    "memory",
    "内存占用",
    "Memory does not grow with the file.",
    _examine,
)
