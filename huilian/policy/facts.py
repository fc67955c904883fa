"""The facts that a table of a policy may depend on: a closed list, each with its type.

A row of a table names for each fact a range (`"2021-01-01.."`, `"60..<70"`) or words (`"A"`, `["A", "AA"]`,
`"*"` for any). Ranges take both ends in; `..<` and `<..` leave an end out. A *slice* is a part of one loan:
`amount_slice = "..50000.00"` speaks of its first 50,000 yuan, whatever its whole amount is.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from huilian.core.regions import LEVELS
from huilian.policy.faults import WrongValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "ANY",
    "FACTS",
    "NO_GRADE",
    "OTHER",
    "RANGE_PATTERNS",
    "Cut",
    "Fact",
    "Interval",
    "Vocabulary",
    "Words",
    "boundaries",
    "describe",
    "read_condition",
    "read_date",
]


ANY: Final = "*"
OTHER: Final = "other"
"""Every word that no row of the table names, where the words are not known beforehand (banks, region lists)."""
NO_GRADE: Final = "none"

Cut = tuple[Any, int]
"""A point between values: before one (0) or after it (1)."""


@dataclass(frozen=True)
class Fact:
    """One fact.

    Args:
        name: as files write it.
        kind: "date", "whole", "number", "slice" or "words".
        title: what people call it.
        unit: of numbers.
        example: of a range, or a word.
        least: the smallest value there is.
        most: the largest.
        words: all there are; None: the policy or the county names them.
    """

    name: str
    kind: str
    title: str
    unit: str = ""
    example: str = ""
    least: Any = None
    most: Any = None
    words: tuple[str, ...] | None = None


_ALL: Final = (
    Fact("signed", "date", "合同签订日", example='"2021-01-01.."'),
    Fact("accrued", "date", "计息日", example='"..2023-12-31"'),
    Fact("event", "date", "事项发生日", example='"2024-01-01.."'),
    Fact("due", "date", "到期日", example='"2022-08-01..2022-12-31"'),
    Fact("term", "whole", "贷款期限", "months", '"..12"', 1),
    Fact("age", "whole", "年龄", "years", '"18..60"', 0),
    Fact("loan_year", "whole", "放款后第几年", "years", '"1..1"', 1),
    Fact("households_led", "whole", "带动户数", "households", '"10.."', 0),
    Fact("overdue_days", "whole", "逾期天数", "days", '"90.."', 0),
    Fact("amount", "number", "贷款金额", "yuan", '"..50000.00"', Decimal(0)),
    Fact("amount_slice", "slice", "贷款金额中的一段", "yuan", '"..50000.00"', Decimal(0)),
    Fact("rate", "number", "合同年利率", "per cent", '"..4.35%"', Decimal(0)),
    Fact("rate_slice", "slice", "年利率中的一段", "per cent", '"..5%"', Decimal(0)),
    Fact("score", "number", "评分", "points", '"60..<70"', Decimal(0), Decimal(100)),
    Fact("debt_ratio", "number", "资产负债率", "per cent", '"..60%"', Decimal(0)),
    Fact("borrower", "words", "借款人", words=("household", "enterprise")),
    Fact(
        "household_kind",
        "words",
        "农户类别",
        words=("poor", "out_of_poverty", "monitored", "marginal", "ordinary"),
    ),
    Fact("grade", "words", "信用等级"),
    Fact("level", "words", "区域层级", words=tuple(reversed(LEVELS.values()))),
    Fact("cause", "words", "损失原因", words=("force_majeure", "other", "malicious")),
    Fact("guaranteed", "words", "是否有担保", words=("yes", "no")),
    Fact("bank", "words", "银行（机构代码）", example='"RCB01"'),
    Fact("county_kind", "words", "县的类别", words=("poor", "other")),
    Fact("region_list", "words", "区域名单", example='"key_villages"'),
)

FACTS: Final[Mapping[str, Fact]] = MappingProxyType({fact.name: fact for fact in _ALL})
"""Every fact by name; no file can name another."""


@dataclass(frozen=True)
class Vocabulary:
    """The words that only the policy itself knows.

    Args:
        grades: from the weakest to the best.
        region_lists: codes of regions by the name of the list.
    """

    grades: tuple[str, ...] = ()
    region_lists: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def words(self, fact: Fact) -> tuple[str, ...] | None:
        """Return all words of a fact; None where there is no end of them."""
        if fact.name == "grade":
            return (*self.grades, NO_GRADE)
        if fact.name == "region_list":
            return (*self.region_lists, OTHER)
        return fact.words

    def region_list_of(self, region: str | None) -> str | None:
        """Return the first list that names a region or one around it, or "other"; None where nobody can tell.

        Nobody can where there is no region, or where it is a wide one of which a list names a part.
        """
        if region is None:
            return None
        for name, regions in self.region_lists.items():
            if region.startswith(regions):
                return name
        parts = (code for regions in self.region_lists.values() for code in regions)
        return None if any(code.startswith(region) for code in parts) else OTHER


@dataclass(frozen=True)
class Interval:
    """A range of dates, numbers or whole numbers; None is no bound."""

    text: str
    low: Cut | None
    high: Cut | None

    @property
    def anything(self) -> bool:
        """Whether every value lies in it."""
        return self.low is None and self.high is None

    def has(self, value: Any) -> bool:  # noqa: ANN401  # of the fact's own type
        """Return whether a value lies in it."""
        return (self.low is None or self.low <= (value, 0)) and (self.high is None or (value, 0) < self.high)

    def covers(self, low: Cut | None, high: Cut | None) -> bool:
        """Return whether all between two cuts lies in it."""
        return (self.low is None or (low is not None and self.low <= low)) and (
            self.high is None or (high is not None and high <= self.high)
        )

    def __str__(self) -> str:
        """Return it as the file has it."""
        return self.text


@dataclass(frozen=True)
class Words:
    """Some words; empty: any."""

    words: tuple[str, ...]

    @property
    def anything(self) -> bool:
        """Whether every word is among them."""
        return not self.words

    def has(self, value: str) -> bool:
        """Return whether a word is among them."""
        return not self.words or value in self.words

    def __str__(self) -> str:
        """Return them as the file has them."""
        return "/".join(self.words) or ANY


_BOUND: Final = {
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "whole": r"[0-9]{1,6}",
    "number": r"[0-9]{1,15}(?:\.[0-9]{1,6})?%?",
}
RANGE_PATTERNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        kind: rf"(?:({bound})(<?))?\.\.(?:(<?)({bound}))?"
        for kind, bound in (*_BOUND.items(), ("slice", _BOUND["number"]))
    }
)
"""How a range of a kind of fact is written."""
_RANGES: Final = {kind: re.compile(pattern, re.ASCII) for kind, pattern in RANGE_PATTERNS.items()}


def read_condition(fact: Fact, raw: object, vocabulary: Vocabulary) -> Interval | Words:
    """Return what a row of a table asks of a fact.

    Raises:
        WrongValueError: it is no range of this fact, or a word that nobody has.
    """
    return _words(fact, raw, vocabulary) if fact.kind == "words" else read_range(fact, raw)


def read_range(fact: Fact, raw: object) -> Interval:
    """Return a range of a fact that is no word.

    Raises:
        WrongValueError: it is none.
    """
    found = _RANGES[fact.kind].fullmatch(raw) if isinstance(raw, str) else None
    if found is None or (fact.unit != "per cent" and "%" in str(raw)):
        raise WrongValueError("range", found=repr(raw), example=fact.example)
    low_text, low_open, high_open, high_text = found.groups()
    low = None if low_text is None else _cut(fact, low_text, after=bool(low_open))
    high = None if high_text is None else _cut(fact, high_text, after=not high_open)
    if low is not None and high is not None and low >= high:
        raise WrongValueError("range_order", found=repr(raw))
    return Interval(str(raw), low, high)


def _cut(fact: Fact, text: str, *, after: bool) -> Cut:
    """Return the cut before or after a bound; of what is counted, after one is before the next."""
    if fact.kind == "date":
        date = read_date(text)
        return (date + dt.timedelta(days=1), 0) if after and date < dt.date.max else (date, int(after))
    if fact.kind == "whole":
        return int(text) + after, 0
    value = Decimal(text.removesuffix("%"))
    # A slice has no ends: what touches does not overlap.
    return value, int(after) if fact.kind == "number" else 0


def read_date(text: object) -> dt.date:
    """Return the date a text like "2019-01-01" stands for.

    Raises:
        WrongValueError: it is none.
    """
    try:
        if isinstance(text, str) and re.fullmatch(_BOUND["date"], text, re.ASCII):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise WrongValueError("date", found=repr(text))


def _words(fact: Fact, raw: object, vocabulary: Vocabulary) -> Words:
    if raw == ANY:
        return Words(())
    found: list[Any] = raw if isinstance(raw, list) else [raw]
    if not found:
        raise WrongValueError("empty")
    known = vocabulary.words(fact)
    for word in found:
        if not isinstance(word, str) or not word:
            raise WrongValueError("text", found=repr(word))
        if known is not None and word not in known:
            if fact.name == "grade" and not vocabulary.grades:
                raise WrongValueError("no_grades")
            raise WrongValueError("unknown_word", word=word, known=", ".join((*known, ANY)))
        if found.count(word) > 1:
            raise WrongValueError("twice", word=word)
    return Words(tuple(found))


def boundaries(fact: Fact, conditions: Iterable[Interval]) -> list[tuple[Cut | None, Cut | None]]:
    """Return the smallest pieces that ranges of a fact cut all its values into, in order."""
    # Before 0 there is nothing, nor after 100 points.
    least = None if fact.least is None else (fact.least, 0)
    most = None if fact.most is None else (fact.most, 1)
    cuts = {cut for each in conditions for cut in (each.low, each.high) if cut is not None}
    inner = sorted(cut for cut in cuts if (least is None or cut > least) and (most is None or cut < most))
    edges: Sequence[Cut | None] = [least, *inner, most]
    return list(itertools.pairwise(edges))


def describe(fact: Fact, low: Cut | None, high: Cut | None) -> str:
    """Return a piece as a file would write it."""
    if fact.kind == "date":
        last = None if high is None else high[0] - dt.timedelta(days=1)
        return f"{low[0] if low else ''}..{last or ''}"
    if fact.kind == "whole":
        return f"{low[0] if low else ''}..{high[0] - 1 if high else ''}"
    sign = "%" if fact.unit == "per cent" else ""
    if fact.kind == "slice":
        return f"{f'{low[0]}{sign}' if low else ''}..{f'{high[0]}{sign}' if high else ''}"
    left = f"{low[0]}{sign}{'<' if low[1] else ''}" if low else ""
    right = f"{'' if high[1] else '<'}{high[0]}{sign}" if high else ""
    return f"{left}..{right}"
