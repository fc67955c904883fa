"""The same file gives the same result: again, in another process, in another time zone and language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.conformance.results import Finding
from huilian.conformance.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.subject import Subject

__all__ = ["RULE"]

_ELSEWHERE: Final = {"TZ": "America/New_York", "PYTHONHASHSEED": "4711", "LC_ALL": "C", "POLARS_MAX_THREADS": "4"}
"""A machine that is set up otherwise; hashes of texts differ in every process anyway."""


def _examine(subject: Subject) -> Iterator[Finding]:
    samples = [*subject.incoming(), *(sample for sample, _ in subject.samples.with_errors)]
    here = [subject.bench.translate(sample, records=False).digest for sample in samples]
    again = [subject.bench.translate(sample, records=False).digest for sample in samples]
    subject.bench.renew(**_ELSEWHERE)
    elsewhere = [subject.bench.translate(sample, records=False).digest for sample in samples]
    subject.bench.renew()
    for sample, first, second, third in zip(samples, here, again, elsewhere, strict=True):
        if first != second:
            yield Finding(sample.name, "同一进程内两次结果不同 (two results in one process)")
        elif first != third:
            yield Finding(sample.name, "换一台设置不同的机器结果不同 (another result on another machine)")


RULE = Rule(
    "repeatable",
    "结果可重复",
    "The same file gives the same records, rejections and returned bytes, wherever it is read.",
    _examine,
)
