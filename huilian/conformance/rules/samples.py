"""Samples and files named are recognised, and every row of them is accepted or rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.conformance.results import Finding
from huilian.conformance.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.subject import Subject

__all__ = ["RULE"]


def _examine(subject: Subject) -> Iterator[Finding]:
    seen = set()
    carried = {id(sample) for sample in subject.samples.good}
    for sample in subject.incoming():
        outcome = subject.bench.translate(sample, records=False)
        what = outcome.wrong()
        if what:
            yield Finding(sample.name, what)
        elif not outcome.recognised:
            yield Finding(sample.name, "文件名不被识别 (its name is not recognised)")
        elif outcome.refused:
            yield Finding(sample.name, f"{outcome.refused} {outcome.refusal}")
        elif not outcome.accepted:
            yield Finding(sample.name, f"{outcome.rows} 行中没有一行入账 (no row is accepted)")
        elif id(sample) in carried and outcome.errors:
            line, field, code = min(outcome.errors)
            yield Finding(sample.name, f"样例不应有错，第 {line} 行 {field} {code} (samples beside are without errors)")
        identity = subject.adapter.recognise(sample.name)
        seen |= {identity.kind} if identity else set()
    for kind in subject.adapter.reads.keys() - seen:
        yield Finding(f"samples/{subject.adapter.reads[kind]}", f"缺少 {kind} 的样例 (no sample of this kind)")


RULE = Rule(
    "samples",
    "样例与文件",
    "Every sample and file is recognised, every row of it accepted or rejected, every accepted record keeps its "
    "contract row by row as it did column by column.",
    _examine,
    always=True,
)
