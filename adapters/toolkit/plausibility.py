"""What no record can say at its date, beyond the published contract: dates to come, rates that cannot be.

Such a value keeps the form that the contract asks for, so the schema lets it pass: 435 is a number like 4.35.
Every adapter holds its rows to these rules; a row that breaks one is rejected. The county does not refuse a
whole message for them, since an institution's own machine may be older than the rule.
"""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit.certificates import (
    CREDIT_CODE,
    RESIDENT,
    is_no_certificate,
    is_no_credit_code,
    is_no_resident,
)
from huilian.records.fields import IDENTITY_PATTERN
from schemas.applications import ApplicationRow, ApplicationStepRow
from schemas.compensations import CompensationClaimRow, RecoveryRow
from schemas.guarantees import GuaranteeCompensationRecord, GuaranteeRecord, GuaranteeReleaseRecord
from schemas.insurance import ClaimRecord, PeriodResultRecord, PolicyRecord
from schemas.ratings import RatingIndicatorsRecord
from schemas.records import LoanLedgerRecord, RepaymentRecord, RosterRecord
from schemas.subsidies import PaymentResultRecord, SubsidyClaimRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from huilian.records.record import Record

__all__ = ["Check", "checks"]

Check = tuple[str, str, pl.Expr]
"""(field, error code, expression true where wrong), as `huilian.records.columnar.split` takes it."""

HIGHEST_RATE: Final = Decimal(36)
"""Per cent a year. Above it interest was void between any two parties (法释〔2015〕18号 第二十六条)."""
LOWEST_RATE: Final = Decimal("0.5")
"""Per cent a year; `assumed`. No bank lends below it; a rate written as a fraction (0.0435) does not reach it."""
HIGHEST_FEE: Final = Decimal(10)
"""Per cent a year; `assumed`: three times what guarantee companies charge at most."""
LOWEST_FEE: Final = Decimal("0.05")
"""Per cent a year, if there is a fee at all; `assumed`. A fee of 1 % written as a fraction (0.01) does not reach it."""
LONGEST_TERM: Final = 50
"""Years between the file's date and the beginning or the end of a loan or guarantee; `assumed`."""
LONGEST_COVER: Final = 106
"""Years until the end of a policy: whole life cover ends at the age of 105; `assumed`."""
EARLIEST_BIRTH: Final = "19000101"
"""As `huilian.records.fields.Date`; `assumed` for persons: nobody on a roster is older."""

_PER_CENT: Final = pl.Decimal(9, 6)
_DIGITS_LOST: Final = r"^[0-9]{15}0{3,}$"
"""An account that a spreadsheet took for a number: of its digits it keeps fifteen."""
_BORN_AT, _BORN_LENGTH = 6, 8
"""Where the day of birth stands in a resident identity number."""


def checks(record: type[Record], as_of: dt.date | None) -> list[Check]:
    """Return what records of one kind are held to, beside their schema.

    Args:
        record: the kind.
        as_of: the day that the file states; None for what states no day, whose dates are not looked at.
    """
    return list(_checks(record, as_of))


@functools.lru_cache(maxsize=256)
def _checks(record: type[Record], as_of: dt.date | None) -> tuple[Check, ...]:
    dated = _DATED[record](as_of) if as_of is not None and record in _DATED else []
    return (*_UNDATED.get(record, list)(), *dated)


def _after(field: str, day: dt.date, code: str) -> Check:
    return field, code, pl.col(field) > day.isoformat()


def _happened(field: str, as_of: dt.date) -> list[Check]:
    """Return the checks of a day on which something happened: not after `as_of`, and not ages before."""
    return [_after(field, as_of, "HL2025"), _too_early(field, as_of)]


def _too_early(field: str, as_of: dt.date) -> Check:
    return field, "HL2074", pl.col(field) < _years_from(as_of, -LONGEST_TERM).isoformat()


def _too_late(field: str, as_of: dt.date, years: int = LONGEST_TERM) -> Check:
    return _after(field, _years_from(as_of, years), "HL2074")


def _years_from(day: dt.date, years: int) -> dt.date:
    # The 28th is in every month of every year; a day more or less says nothing of fifty years.
    return day.replace(year=min(max(day.year + years, dt.MINYEAR), dt.MAXYEAR), day=min(day.day, 28))


def _born(field: str, as_of: dt.date, is_resident: pl.Expr) -> Check:
    """Return the check of the day of birth in a resident identity number; other numbers have none there."""
    born = pl.col(field).str.slice(_BORN_AT, _BORN_LENGTH)
    lived = born.is_between(pl.lit(EARLIEST_BIRTH), pl.lit(f"{as_of:%Y%m%d}"))
    return field, "HL2071", is_resident & pl.col(field).str.contains(IDENTITY_PATTERN) & ~lived


def _loans() -> list[Check]:
    rate = pl.col("annual_rate_percent").cast(_PER_CENT, strict=False)
    number = pl.when(pl.col("identity_type") == CREDIT_CODE).then("identity_number")
    return [
        ("identity_number", "HL2007", is_no_credit_code(number)),
        ("annual_rate_percent", "HL2072", ~rate.is_between(LOWEST_RATE, HIGHEST_RATE)),
        ("settled_date", "HL2070", pl.col("settled_date") < pl.col("start_date")),
    ]


def _dated_loans(as_of: dt.date) -> list[Check]:
    return [
        _after("start_date", as_of, "HL2018"),
        _too_early("start_date", as_of),
        _too_late("due_date", as_of),
        _after("settled_date", as_of, "HL2025"),
        *_happened("signed", as_of),
        _born("identity_number", as_of, pl.col("identity_type") == RESIDENT),
    ]


def _dated_persons(as_of: dt.date) -> list[Check]:
    return [
        _born("identity_number", as_of, pl.lit(value=True)),
        ("out_of_poverty_year", "HL2025", pl.col("out_of_poverty_year") > f"{as_of:%Y}"),
    ]


def _guarantees() -> list[Check]:
    fee = pl.col("fee_rate_percent").cast(_PER_CENT, strict=False)
    is_enterprise = pl.col("subject") == "enterprise"
    return [
        ("guaranteed_number", "HL2007", is_no_certificate("guaranteed_number", of_institution=is_enterprise)),
        ("fee_rate_percent", "HL2073", (fee != 0) & ~fee.is_between(LOWEST_FEE, HIGHEST_FEE)),
    ]


def _dated_guarantees(as_of: dt.date) -> list[Check]:
    return [
        _after("start_date", as_of, "HL2018"),
        _too_early("start_date", as_of),
        _too_late("due_date", as_of),
        _born("guaranteed_number", as_of, ~is_no_resident("guaranteed_number")),
    ]


def _policies() -> list[Check]:
    unknown = pl.lit(value=False)
    return [("insured_number", "HL2007", is_no_certificate("insured_number", of_institution=unknown))]


def _dated_policies(as_of: dt.date) -> list[Check]:
    # Policies are sold ahead, so one may begin after the package's day.
    return [
        _too_early("start_date", as_of),
        _too_late("start_date", as_of),
        _too_late("end_date", as_of, LONGEST_COVER),
        _born("insured_number", as_of, ~is_no_resident("insured_number")),
    ]


def _dated_results(as_of: dt.date) -> list[Check]:
    period = pl.col("period")
    part = period.str.extract(r"^[0-9]{4}-?([QH]?[0-9]{1,2})$").fill_null("01")
    first_month = part.replace_strict(_FIRST_MONTHS, default=part, return_dtype=pl.String())
    return [("period", "HL2025", pl.concat_str(period.str.slice(0, 4), first_month) > f"{as_of:%Y%m}")]


_FIRST_MONTHS: Final = {"Q1": "01", "Q2": "04", "Q3": "07", "Q4": "10", "H1": "01", "H2": "07"}


def _asked() -> list[Check]:
    rate = pl.col("annual_rate_percent").cast(_PER_CENT, strict=False)
    return [("annual_rate_percent", "HL2072", ~rate.is_between(LOWEST_RATE, HIGHEST_RATE))]


def _dated_applications(as_of: dt.date) -> list[Check]:
    return [*_happened("date", as_of), _born("applicant", as_of, pl.lit(value=True))]


def _claimed_subsidies() -> list[Check]:
    return [*_asked(), ("payee_account", "HL2038", pl.col("payee_account").str.contains(_DIGITS_LOST))]


def _claimed_losses(as_of: dt.date) -> list[Check]:
    days = pl.lit(as_of) - pl.col("overdue_since").str.to_date("%Y-%m-%d", strict=False)
    # Some count the first day, some do not.
    wrong = (days.dt.total_days() - pl.col("overdue_days").cast(pl.Int64, strict=False)).abs() > 1
    return [*_happened("overdue_since", as_of), ("overdue_days", "HL2090", wrong)]


_UNDATED: Final[Mapping[type[Record], Callable[[], list[Check]]]] = {
    LoanLedgerRecord: _loans,
    GuaranteeRecord: _guarantees,
    PolicyRecord: _policies,
    ApplicationRow: _asked,
    ApplicationStepRow: _asked,
    SubsidyClaimRow: _claimed_subsidies,
}
_DATED: Final[Mapping[type[Record], Callable[[dt.date], list[Check]]]] = {
    LoanLedgerRecord: _dated_loans,
    RepaymentRecord: lambda as_of: _happened("transaction_date", as_of),
    RosterRecord: _dated_persons,
    RatingIndicatorsRecord: lambda as_of: _happened("collected_on", as_of),
    GuaranteeRecord: _dated_guarantees,
    GuaranteeCompensationRecord: lambda as_of: _happened("compensated_date", as_of),
    GuaranteeReleaseRecord: lambda as_of: _happened("released_date", as_of),
    PolicyRecord: _dated_policies,
    ClaimRecord: lambda as_of: [*_happened("event_date", as_of), *_happened("paid_date", as_of)],
    PeriodResultRecord: _dated_results,
    ApplicationRow: _dated_applications,
    ApplicationStepRow: lambda as_of: _happened("date", as_of),
    SubsidyClaimRow: lambda as_of: [_too_early("period_start", as_of), _too_late("period_end", as_of)],
    CompensationClaimRow: _claimed_losses,
    RecoveryRow: lambda as_of: _happened("recovered_date", as_of),
    PaymentResultRecord: lambda as_of: [_too_early("paid_date", as_of)],
}
