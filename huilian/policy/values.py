"""The kinds of value that a policy's rules have, and how a file writes each of them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from huilian.core import money
from huilian.policy.facts import FACTS, Interval, Vocabulary, read_date, read_range
from huilian.policy.faults import WrongValueError

__all__ = ["KINDS", "PARTIES", "Duration", "Rate", "ValueKind", "Window", "codes", "text_of"]


PARTIES: Final = (
    "fund", "government", "bank", "guarantor", "reguarantor", "insurer", "investor",
    "centre", "province", "city", "county", "township", "village", "household", "enterprise",
)  # fmt: skip
"""Who may bear a share, or pay."""

_NUMBER: Final = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?", re.ASCII)
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_DURATION: Final = re.compile(r"([0-9]{1,4}) (working days|days|months)", re.ASCII)
_DAY: Final = re.compile(r"(0[1-9]|1[0-2])-([0-9]{2})", re.ASCII)
_HUNDRED: Final = Decimal(100)
_LEAP_YEAR: Final = 2000


@dataclass(frozen=True)
class Duration:
    """A time that a plan gives.

    Args:
        amount: how many.
        unit: "working days", "days" or "months".
    """

    amount: int
    unit: str

    def __str__(self) -> str:
        """Return it as the file has it."""
        return f"{self.amount} {self.unit}"


@dataclass(frozen=True)
class Window:
    """Days of every year, from one to another, both included; it may cross the new year.

    Args:
        first: month and day.
        last: month and day.
    """

    first: tuple[int, int]
    last: tuple[int, int]

    def __str__(self) -> str:
        """Return it as the file has it."""
        return "..".join(f"{month:02}-{day:02}" for month, day in (self.first, self.last))


@dataclass(frozen=True)
class Rate:
    """A rate of interest, per cent a year, or how it is found.

    Args:
        base: "benchmark" (of the loan's term), "lpr_1y", "lpr_5y", "contract", "lowest", "highest", or "" for a number.
        factor: times.
        plus: per cent added.
        among: of "lowest" and "highest".
    """

    base: str
    factor: Decimal = Decimal(1)
    plus: Decimal = Decimal(0)
    among: tuple[Rate, ...] = ()

    def __str__(self) -> str:
        """Return it as the file has it."""
        if self.among:
            return f"{self.base}({', '.join(map(str, self.among))})"
        if not self.base:
            return f"{self.plus}%"
        times = f" x {self.factor}" if self.factor != 1 else ""
        plus = f" {'-' if self.plus < 0 else '+'} {abs(self.plus)}%" if self.plus else ""
        return f"{self.base}{times}{plus}"


@dataclass(frozen=True)
class ValueKind:
    """A kind of value.

    Args:
        name: of the kind.
        title: what people call it, with the unit.
        example: as a file writes it.
        read: turns what TOML has into the value, or raises `WrongValueError`.
        schema: the JSON schema of what TOML has.
    """

    name: str
    title: str
    example: str
    read: Callable[[object, Vocabulary], Any]
    schema: Mapping[str, Any]


def _text(pattern: re.Pattern[str], raw: object, fault: str) -> str:
    if not isinstance(raw, str) or not pattern.fullmatch(raw):
        raise WrongValueError(fault, found=repr(raw))
    return raw


def _amount(raw: object, _: Vocabulary) -> Decimal:
    if not isinstance(raw, str) or not re.fullmatch(money.MONEY_PATTERN, raw) or raw.startswith("-"):
        raise WrongValueError("amount", found=repr(raw))
    return money.parse(raw)


def _percent(raw: object, _: Vocabulary) -> Decimal:
    if not isinstance(raw, str) or not raw.endswith("%") or not _NUMBER.fullmatch(raw[:-1]):
        raise WrongValueError("percent", found=repr(raw))
    return Decimal(raw[:-1])


def _number(raw: object, _: Vocabulary) -> Decimal:
    return Decimal(_text(_NUMBER, raw, "number"))


def _whole(least: int) -> Callable[[object, Vocabulary], int]:
    def read(raw: object, _: Vocabulary) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or raw < least:
            raise WrongValueError("whole", least=least, found=repr(raw))
        return raw

    return read


def _months(raw: object, vocabulary: Vocabulary) -> int:
    try:
        return _whole(1)(raw, vocabulary)
    except WrongValueError:
        raise WrongValueError("months", found=repr(raw)) from None


def _flag(raw: object, _: Vocabulary) -> bool:
    if not isinstance(raw, bool):
        raise WrongValueError("flag", found=repr(raw))
    return raw


def _plain(raw: object, _: Vocabulary) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise WrongValueError("text", found=repr(raw))
    return raw


def _code(raw: object, _: Vocabulary) -> str:
    if not isinstance(raw, str) or not _CODE.fullmatch(raw):
        raise WrongValueError("code")
    return raw


def _date(raw: object, _: Vocabulary) -> dt.date:
    return read_date(raw)


def _duration(raw: object, _: Vocabulary) -> Duration:
    _text(_DURATION, raw, "duration")
    amount, unit = str(raw).split(" ", 1)
    return Duration(int(amount), unit)


def _day_of_year(raw: object) -> tuple[int, int]:
    found = _DAY.fullmatch(raw) if isinstance(raw, str) else None
    try:
        # 02-29 is a day: in other years it means the 28th.
        day = dt.date(_LEAP_YEAR, int(found[1]), int(found[2])) if found else None
    except ValueError:
        day = None
    if day is None:
        raise WrongValueError("day_of_year", found=repr(raw))
    return day.month, day.day


def _days_of_year(raw: object, _: Vocabulary) -> tuple[tuple[int, int], ...]:
    days = [_day_of_year(each) for each in _list(raw)]
    if days != sorted(set(days)):
        raise WrongValueError("days_in_order")
    return tuple(days)


def _window(raw: object, _: Vocabulary) -> Window:
    first, dots, last = raw.partition("..") if isinstance(raw, str) else ("", "", "")
    if not dots:
        raise WrongValueError("window", found=repr(raw))
    return Window(_day_of_year(first), _day_of_year(last))


def _range(fact: str) -> Callable[[object, Vocabulary], Interval]:
    def read(raw: object, _: Vocabulary) -> Interval:
        return read_range(FACTS[fact], raw)

    return read


def _list(raw: object) -> list[Any]:
    if not isinstance(raw, list):
        raise WrongValueError("list")
    if not raw:
        raise WrongValueError("empty")
    return raw


def _rate(raw: object, _: Vocabulary) -> Rate:
    if not isinstance(raw, str):
        raise WrongValueError("rate", found=repr(raw))
    found = re.fullmatch(r"(lowest|highest)\((.+)\)", raw)
    if found is None:
        return _term(raw)
    among = tuple(_term(each.strip()) for each in found[2].split(","))
    return Rate(found[1], among=among)


_TERM: Final = re.compile(
    r"(benchmark|lpr_1y|lpr_5y|contract)(?: x ([0-9]+(?:\.[0-9]{1,6})?))?(?: ([+-]) ([0-9]+(?:\.[0-9]{1,6})?)%)?",
    re.ASCII,
)


def _term(raw: str) -> Rate:
    if found := _TERM.fullmatch(raw):
        base, factor, sign, plus = found.groups()
        return Rate(base, Decimal(factor or 1), Decimal(f"{sign or '+'}{plus or 0}"))
    if raw.endswith("%") and _NUMBER.fullmatch(raw[:-1]):
        return Rate("", plus=Decimal(raw[:-1]))
    raise WrongValueError("rate", found=repr(raw))


def _word(known: tuple[str, ...]) -> Callable[[object, Vocabulary], str]:
    def read(raw: object, _: Vocabulary) -> str:
        if not isinstance(raw, str) or raw not in known:
            raise WrongValueError("unknown_word", word=raw, known=", ".join(known))
        return raw

    return read


def _several(one: Callable[[object, Vocabulary], Any]) -> Callable[[object, Vocabulary], tuple[Any, ...]]:
    def read(raw: object, vocabulary: Vocabulary) -> tuple[Any, ...]:
        found: list[Any] = []
        for each in _list(raw):
            value = one(each, vocabulary)
            if value in found:
                raise WrongValueError("twice", word=value)
            found.append(value)
        return tuple(found)

    return read


def _grade(raw: object, vocabulary: Vocabulary) -> str:
    if not vocabulary.grades:
        raise WrongValueError("no_grades")
    return _word(vocabulary.grades)(raw, vocabulary)


def _region_list(raw: object, vocabulary: Vocabulary) -> str:
    return _word(tuple(vocabulary.region_lists))(raw, vocabulary)


def _mapping(raw: object, known: str) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise WrongValueError("table", known=known)
    if not raw:
        raise WrongValueError("empty")
    return raw


def _shares(raw: object, vocabulary: Vocabulary) -> Mapping[str, int]:
    """Read parties in order; their weights are hundredths of a per cent, or the ratio as it stands."""
    found = _mapping(raw, ", ".join(PARTIES))
    for party in found:
        if party not in PARTIES:
            raise WrongValueError("unknown_word", word=party, known=", ".join(PARTIES))
    if all(isinstance(share, int) and not isinstance(share, bool) for share in found.values()):
        return MappingProxyType({party: _whole(1)(share, vocabulary) for party, share in found.items()})
    if not all(isinstance(share, str) for share in found.values()):
        raise WrongValueError("shares_mixed")
    return MappingProxyType({party: int(share * _HUNDRED) for party, share in _hundred(found, vocabulary).items()})


def _weights(raw: object, vocabulary: Vocabulary) -> Mapping[str, Decimal]:
    """Read the weight of each indicator, in points of a hundred."""
    found = _mapping(raw, 'integrity = "60%"')
    for indicator in found:
        _code(indicator, vocabulary)
    return MappingProxyType(_hundred(found, vocabulary))


def _hundred(found: Mapping[str, object], vocabulary: Vocabulary) -> dict[str, Decimal]:
    percents = {key: _percent(share, vocabulary) for key, share in found.items()}
    total = sum(percents.values())
    if total != _HUNDRED:
        raise WrongValueError("shares_total", total=total)
    return percents


_STRING: Final[Mapping[str, Any]] = {"type": "string"}
_LIST: Final[Mapping[str, Any]] = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
_OBJECT: Final[Mapping[str, Any]] = {"type": "object", "minProperties": 1}
_PERCENT_SCHEMA: Final = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,6})?%$"}

_ALL: Final = (
    ValueKind("amount", "金额（元）", '"50000.00"', _amount, {"type": "string", "pattern": r"^[0-9]+\.[0-9]{2}$"}),
    ValueKind("percent", "百分数", '"70%"', _percent, _PERCENT_SCHEMA),
    ValueKind("number", "数", '"10"', _number, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,6})?$"}),
    ValueKind("whole", "整数", "3", _whole(0), {"type": "integer", "minimum": 0}),
    ValueKind("count", "正整数", "3", _whole(1), {"type": "integer", "minimum": 1}),
    ValueKind("months", "月数", "36", _months, {"type": "integer", "minimum": 1}),
    ValueKind("flag", "是否", "true", _flag, {"type": "boolean"}),
    ValueKind("text", "文字", '"…"', _plain, _STRING),
    ValueKind("texts", "若干文字", '["…"]', _several(_plain), _LIST),
    ValueKind("code", "代码", '"willing"', _code, {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}),
    ValueKind("own_codes", "若干代码", '["planting"]', _several(_code), _LIST),
    ValueKind("date", "日期", '"2024-01-01"', _date, {"type": "string", "format": "date"}),
    ValueKind("dates", "日期区间", '"2021-01-01..2025-12-31"', _range("signed"), _STRING),
    ValueKind("ages", "年龄区间（岁）", '"18..60"', _range("age"), _STRING),
    ValueKind("duration", "时限", '"5 working days"', _duration, _STRING),
    ValueKind("days_of_year", "每年的日期", '["03-31", "06-30", "09-30", "12-31"]', _days_of_year, _LIST),
    ValueKind("windows", "每年的起止日，可跨年", '["06-10..06-20"]', _several(_window), _LIST),
    ValueKind("rate", "年利率", '"lowest(5%, benchmark, contract)"', _rate, _STRING),
    ValueKind("shares", "份额，合计 100%", '{ fund = "70%", bank = "30%" }', _shares, _OBJECT),
    ValueKind("weights", "权重，合计 100%", '{ integrity = "60%", income = "40%" }', _weights, _OBJECT),
    ValueKind("grade", "信用等级", '"AA"', _grade, _STRING),
    ValueKind("grades", "信用等级，由低到高", '["A", "AA"]', _several(_plain), _LIST),
    ValueKind("region_list", "本文件的一个区域名单", '"key_villages"', _region_list, _STRING),
    ValueKind("party", "一方", '"fund"', _word(PARTIES), {"enum": list(PARTIES)}),
    ValueKind("parties", "若干方", '["fund", "bank"]', _several(_word(PARTIES)), _LIST),
)

KINDS: Final[Mapping[str, ValueKind]] = MappingProxyType({kind.name: kind for kind in _ALL})
"""Every kind of value but codes from a list, by name."""


def codes(*known: str, several: bool = False) -> ValueKind:
    """Return the kind that takes one of the words in `known`, or several of them."""
    one = _word(known)
    title = f"{'若干' if several else ''}{' | '.join(known)}"
    if several:
        schema = {**_LIST, "items": {"enum": list(known)}}
        return ValueKind("codes", title, f'["{known[0]}"]', _several(one), schema)
    return ValueKind("code", title, f'"{known[0]}"', one, {"enum": list(known)})


def text_of(value: object) -> Any:  # noqa: ANN401  # what JSON has
    """Return a value as answers show it: amounts with two decimals, shares per cent."""
    if isinstance(value, Mapping):
        total = sum(value.values())
        return {key: f"{(Decimal(share) * _HUNDRED / total).normalize():f}%" for key, share in value.items()}
    if isinstance(value, tuple):
        return [text_of(each) for each in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if value is None or isinstance(value, bool | int | str) else str(value)
