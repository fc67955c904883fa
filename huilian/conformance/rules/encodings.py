"""The same text in another encoding is read the same, or not at all; never as other characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.conformance import damage
from huilian.conformance.results import Finding
from huilian.conformance.rule import DoesNotApplyError, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.subject import Subject

__all__ = ["RULE"]

_NONE: Final = "文件自带编码 (its files carry their encoding)"
_ENCODINGS: Final = ("utf-8", "utf-8-sig", "gb18030", "gbk", "big5", "utf-16", "utf-16-be")
"""What files are saved in on their way, by mistake or on purpose."""


def _examine(subject: Subject) -> Iterator[Finding]:
    texts = [(sample, text) for sample, _ in subject.damaged() if (text := damage.text_of(sample.data)) is not None]
    if not texts:
        raise DoesNotApplyError(_NONE)
    for sample, text in texts:
        before = subject.bench.translate(sample)
        for encoding in _ENCODINGS:
            try:
                data = text.encode(encoding)
            except UnicodeEncodeError:
                continue
            after = subject.bench.translate(sample, data)
            where = f"{sample.name} ({encoding})"
            wrong = after.wrong()
            if wrong:
                yield Finding(where, wrong)
            for place in before.records.keys() & after.records.keys():
                differs = [name for name, value in before.records[place].items() if after.records[place][name] != value]
                if differs:
                    what = f"第 {place[1]} 行 {'、'.join(differs)} 读成了别的字 (read as other characters)"
                    yield Finding(where, what)


RULE = Rule(
    "encodings",
    "字符编码",
    "A file saved in another encoding is read the same or refused.",
    _examine,
)
