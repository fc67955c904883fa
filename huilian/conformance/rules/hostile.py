"""Whatever a file holds, reading it ends with records, rejections or a refusal: no crash, no hang."""

from __future__ import annotations

import random
import zlib
from typing import TYPE_CHECKING

from huilian.conformance import damage
from huilian.conformance.results import Finding
from huilian.conformance.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.subject import Subject

__all__ = ["RULE"]


def _examine(subject: Subject) -> Iterator[Finding]:
    for sample, _ in subject.damaged():
        # The same sample is always damaged in the same ways: what is found can be found again.
        chance = random.Random(zlib.crc32(sample.data))  # noqa: S311  # a choice of places, nothing secret
        for how, data in damage.hostile(sample.data, chance):
            wrong = subject.bench.translate(sample, data, records=False).wrong()
            if wrong:
                yield Finding(f"{sample.name}，{how}", wrong)


RULE = Rule(
    "hostile",
    "恶意内容",
    "Random bytes, swapped columns and bytes, huge fields: refused or rejected, in time.",
    _examine,
)
