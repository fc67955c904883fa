"""Nothing of one institution's file is in what comes of another's: an adapter keeps nothing between calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.conformance import damage
from huilian.conformance.results import Finding
from huilian.conformance.rule import Rule
from huilian.conformance.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.subject import Subject

__all__ = ["RULE"]

_SPOTS: Final = 40
"""Places of a sample that are spoilt, one at a time, until one refuses the file and one rejects a row."""


def _examine(subject: Subject) -> Iterator[Finding]:
    files = [sample for sample, _ in subject.damaged()]
    files += [sample for sample, _ in subject.samples.with_errors]
    # Beside each file the same one spoilt: what it leaves behind must not be in the next.
    files += [spoilt for sample, _ in subject.damaged() for spoilt in _spoilt(subject, sample)]
    subject.bench.renew()
    alone = [subject.bench.translate(file, records=False, apart=True).digest for file in files]
    subject.bench.renew()
    # Every file comes after every other, and after itself.
    for number in range(len(files)):
        order = [*range(number, len(files)), *range(number), number]
        for place in order:
            if subject.bench.translate(files[place], records=False).digest != alone[place]:
                what = "读过别的文件后结果不同：适配器留有状态 (another result after other files: it keeps state)"
                yield Finding(files[place].name, what)


def _spoilt(subject: Subject, sample: Sample) -> Iterator[Sample]:
    """Yield a form of `sample` that is refused, and one in which a row is rejected, as far as they can be found."""
    wanted = {True, False}
    document = damage.document(sample.data)
    for spot in damage.chosen(document.digits(), _SPOTS, sample.data):
        spoilt = Sample(sample.name, document.changed({spot: b"#"}))
        outcome = subject.bench.translate(spoilt, records=False)
        if (outcome.refused or outcome.errors) and bool(outcome.refused) in wanted:
            wanted.remove(bool(outcome.refused))
            yield spoilt
        if not wanted:
            return


RULE = Rule(
    "isolation",
    "互不影响",
    "What comes of a file does not depend on what was read before it.",
    _examine,
)
