"""Every parameter a policy may set: its key, its unit and the kind of its value.

The one list. A key that is not here is refused in a policy file, so that a misspelt
parameter never silently leaves its default in force. A new county is a new file; only
a rule no county had before is a new line here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from huilian.core import money

__all__ = ["PARAMETERS", "Parameter", "Value"]


Value = Decimal | int | str | tuple[str, ...] | Mapping[str, Decimal] | Mapping[str, int]
"""What a parameter is read as; mappings are read-only and keep the file's order."""

_NUMBER: Final = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]{1,6})?", re.ASCII)
_WHOLE_PERCENT: Final = 100


class WrongValueError(ValueError):
    """A value that does not have the kind of its parameter; says what it should be."""


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Args:
        unit: what its figures count, as the file must state it.
        read: turns the TOML value into the Python one, or raises `WrongValueError`.
    """

    unit: str
    read: Callable[[object], Value]


def _amount(raw: object) -> Decimal:
    if not isinstance(raw, str) or not re.fullmatch(money.MONEY_PATTERN, raw) or raw.startswith("-"):
        message = f'must be an amount as a text with two decimals, like "50000.00", not {raw!r}'
        raise WrongValueError(message)
    return money.parse(raw)


def _decimal(raw: object) -> Decimal:
    if not isinstance(raw, str) or not _NUMBER.fullmatch(raw):
        message = f'must be a number as a text, like "4.35", not {raw!r}'
        raise WrongValueError(message)
    return Decimal(raw)


def _whole(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 0:
        message = f"must be a whole number, not {raw!r}"
        raise WrongValueError(message)
    return raw


def _code(*known: str) -> Callable[[object], str]:
    def read(raw: object) -> str:
        if not isinstance(raw, str) or raw not in known:
            message = f"must be one of {', '.join(known)}, not {raw!r}"
            raise WrongValueError(message)
        return raw

    return read


def _codes(*known: str) -> Callable[[object], tuple[str, ...]]:
    one = _code(*known)

    def read(raw: object) -> tuple[str, ...]:
        if not isinstance(raw, list) or not raw:
            message = f"must be a list of {', '.join(known)}, not {raw!r}"
            raise WrongValueError(message)
        codes = tuple(one(code) for code in raw)
        if len(set(codes)) < len(codes):
            message = "names a code twice"
            raise WrongValueError(message)
        return codes

    return read


def _table(raw: object, known: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(raw, dict) or not raw:
        message = f"must be a table of {', '.join(known)}, not {raw!r}"
        raise WrongValueError(message)
    for key in raw:
        if key not in known:
            message = f"has the unknown key {key}; known: {', '.join(known)}"
            raise WrongValueError(message)
    return raw


def _shares(*known: str) -> Callable[[object], Mapping[str, int]]:
    def read(raw: object) -> Mapping[str, int]:
        shares = {party: _whole(share) for party, share in _table(raw, known).items()}
        if sum(shares.values()) != _WHOLE_PERCENT:
            message = f"adds up to {sum(shares.values())} per cent, not 100"
            raise WrongValueError(message)
        return MappingProxyType(shares)

    return read


def _amounts(*known: str) -> Callable[[object], Mapping[str, Decimal]]:
    def read(raw: object) -> Mapping[str, Decimal]:
        return MappingProxyType({key: _amount(amount) for key, amount in _table(raw, known).items()})

    return read


_LOSS_SHARES: Final = Parameter("per cent", _shares("fund", "government", "bank", "guarantor", "reguarantor"))

PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {
        "lending.amount_minimum": Parameter("yuan", _amount),
        "lending.amount_maximum": Parameter("yuan", _amount),
        # By grade where the plan grades amounts; a household without a grade gets nothing.
        "lending.amount_maximum_by_grade": Parameter("yuan", _amounts("A", "AA", "AAA", "AAA+")),
        "lending.term_maximum": Parameter("months", _whole),
        "lending.line_validity": Parameter("months", _whole),
        "lending.rate_kind": Parameter("code", _code("at_most_benchmark", "benchmark", "loan_prime_rate", "fixed")),
        "lending.rate": Parameter("per cent a year", _decimal),
        "lending.enterprise_rate_multiple_maximum": Parameter("times the benchmark", _decimal),
        "lending.age_minimum": Parameter("years", _whole),
        "lending.age_limit": Parameter("years", _whole),
        "lending.age_limit_out_of_poverty": Parameter("years", _whole),
        # "under" leaves the limit itself out (60周岁以下), "up_to" takes it in (18-60周岁).
        "lending.age_limit_kind": Parameter("code", _code("under", "up_to")),
        "lending.purposes_refused": Parameter(
            "codes",
            _codes("schooling", "medical_treatment", "debt_repayment", "gambling", "usury", "other_unproductive"),
        ),
        "subsidy.rate_kind": Parameter("code", _code("at_most_benchmark", "contract_rate", "fixed")),
        "subsidy.rate": Parameter("per cent a year", _decimal),
        "subsidy.amount_maximum": Parameter("yuan", _amount),
        "subsidy.cap_per_household": Parameter("yuan", _amount),
        "subsidy.settlement": Parameter("code", _code("after_full_repayment", "quarterly")),
        "subsidy.overdue_rule": Parameter("code", _code("stops_at_due_date", "forfeits_period")),
        "subsidy.enterprise_rate": Parameter("per cent a year", _decimal),
        "subsidy.enterprise_amount_per_household": Parameter("yuan", _amount),
        "interest.day_basis": Parameter("days", _whole),
        "loss.cause_covered": Parameter("code", _code("any", "force_majeure")),
        "loss.household_shares": _LOSS_SHARES,
        "loss.enterprise_shares": _LOSS_SHARES,
        "loss.recovery_rule": Parameter("code", _code("to_fund", "in_proportion_to_payments")),
        "fund.total": Parameter("yuan", _amount),
        "fund.amount_minimum": Parameter("yuan", _amount),
        "fund.lending_multiple_minimum": Parameter("times the fund", _decimal),
        "fund.lending_multiple_maximum": Parameter("times the fund", _decimal),
        "breaker.kind": Parameter(
            "code", _code("recovery_rate_below", "bad_loan_ratio_rising", "bad_loan_ratio_above")
        ),
        "breaker.levels": Parameter("codes", _codes("village", "township")),
        "breaker.months": Parameter("months", _whole),
        "breaker.recovery_rate_minimum": Parameter("per cent", _decimal),
        "breaker.bad_loan_ratio_maximum_township": Parameter("per cent", _decimal),
        "breaker.bad_loan_ratio_maximum_village": Parameter("per cent", _decimal),
        "breaker.observation": Parameter("months", _whole),
        "classification.bad_classes": Parameter(
            "codes", _codes("normal", "special_mention", "substandard", "doubtful", "loss")
        ),
    }
)
