"""What a product's policy says of subsidies, looked up once for each situation.

Real counties have some hundreds of situations in a hundred thousand loans: a loan that differs from an earlier one only
in what no table asks costs no second look.
"""

from __future__ import annotations

import bisect
import calendar
import datetime as dt
import functools
import itertools
import math
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.clock import months_later
from huilian.core.errors import ConfigurationError
from huilian.policy.facts import FACTS, Cut, Interval
from huilian.policy.reading import Reading
from huilian.policy.subsidy.case import NOT_TOLD, Reason, SubsidyCase, plain_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.policy.policies import Entry, Policy, Product
    from huilian.policy.reference_rates import ReferenceRates
    from huilian.policy.tables import Row
    from huilian.policy.values import Rate

__all__ = [
    "DAY", "MONTHS_A_YEAR", "ContractTerms", "DayTerms", "DaysOfYear", "ProductRules", "period_end", "period_start",
    "whole_weights",
]  # fmt: skip


DAY: Final = dt.timedelta(days=1)
MONTHS_A_YEAR: Final = 12
_HUNDRED: Final = Decimal(100)
_QUARTERS: Final = ((3, 31), (6, 30), (9, 30), (12, 31))
_YEAR_ENDS: Final = ((12, 31),)
_DAY_BASIS: Final = 360
_MOST_KEPT: Final = 20_000
"""Situations kept of a product, so that odd ones do not fill the memory."""
_LEAP_DAY: Final = (2, 29)
_NOT_OF_CONTRACT: Final = ("loan_year", "event", "amount_slice", "rate_slice", "county_kind")

DaysOfYear = tuple[tuple[int, int], ...]
"""Months and days, in order."""


@dataclass(frozen=True, eq=False, slots=True)
class DayTerms:
    """What holds for a contract on some days.

    Args:
        reading: what was read.
        refused: why nothing is earned on these days, whoever asks.
        rate: per cent a year, times the share that is subsidised.
        lowered: because of the share.
        slices: of the balance that are not wholly subsidised: low, high, part, row.
        per_household_led: principal, and its row.
        principal_caps: in order.
        subsidy_caps: in order.
        exclusions: by ground.
        payers: weights, in order.
        steps: of the calculation.
    """

    reading: Reading
    refused: Reason | None
    rate: Decimal
    lowered: Reason | None
    slices: tuple[tuple[Decimal, Decimal | None, Decimal, Row], ...]
    per_household_led: tuple[Decimal, Row] | None
    principal_caps: tuple[Entry, ...]
    subsidy_caps: tuple[Entry, ...]
    exclusions: Mapping[str, Entry]
    payers: Mapping[str, int]
    steps: tuple[dict[str, Any], ...]

    def same_as(self, other: DayTerms) -> bool:
        """Return whether other days have the same terms by the same rows."""
        return (self.reading.used, self.reading.known_until, self.steps) == (
            other.reading.used,
            other.reading.known_until,
            other.steps,
        )


@dataclass(frozen=True, eq=False, slots=True)
class ContractTerms:
    """What holds for a contract on all days; `on_repayment` is the row by which it is settled when repaid."""

    reading: Reading
    overdue: Row
    on_repayment: Row | None
    day_count: str
    basis: int
    period_ends: DaysOfYear
    year_ends: DaysOfYear
    malicious: Reason | None
    lead_bank: Reason | None
    moratorium: Entry | None
    terms: dict[tuple[int, int], DayTerms] = field(default_factory=dict)


class ProductRules:
    """The rules of one product, with what was looked up before."""

    def __init__(self, policy: Policy, product: Product, rates: ReferenceRates) -> None:
        self.policy, self.product, self.rates = policy, product, rates
        self.pays = product.has("subsidy")
        tables = {name: table for name, table in product.rules.items() if name.startswith("subsidy.")}
        entries = [entry for name, each in product.lists.items() if name.startswith("subsidy.") for entry in each]
        moratoria = policy.general.lists.get("moratoria", ())
        caps = product.lists.get("subsidy.caps", ())
        self.by_older_loans = any(cap["of"] == "principal" for cap in caps)
        self.estimated = tables.get("subsidy.estimated")
        cuts: dict[str, set[Cut]] = {"signed": set(), "accrued": set(), "term": set()}
        for when in (row.when for table in tables.values() for row in table.rows):
            _collect(cuts, when)
        for entry in (*entries, *moratoria):
            _collect(cuts, entry.when)
        _collect(cuts, {}, due=[entry["due"] for entry in moratoria])
        self.by_loan_year = "loan_year" in cuts
        self.by_accrual = self.pays and "accrued" in tables["subsidy.rate"].facts
        exact = self._collect_rates(cuts, tables["subsidy.rate"].rows) if self.pays else set()
        self.days = sorted(cuts.pop("accrued"))
        self._key = [
            (fact, None if fact in exact or FACTS[fact].kind == "words" else sorted(found))
            for fact, found in cuts.items()
            if fact not in _NOT_OF_CONTRACT
        ]
        self._contracts: dict[tuple[object, ...], ContractTerms] = {}

    def _collect_rates(self, cuts: dict[str, set[Cut]], rows: Sequence[Row]) -> set[str]:
        """Add the days on which published rates change; return the facts whose very value enters the subsidy."""
        rates: list[Rate] = [row.value for row in rows if row.value is not None]
        bases = {each.base for rate in rates for each in (rate, *rate.among)}
        on = cuts["accrued" if self.by_accrual else "signed"]
        for series in bases & set(self.rates.known_until):
            on.add((self.rates.known_until[series] + DAY, 0))
            for rate in self.rates.rates[series]:
                on.add((rate.since, 0))
                _collect(cuts, {}, term=[rate.term])
        if "contract" not in bases:
            return set()
        cuts.setdefault("rate", set())
        return {"rate"}

    def situation(self, case: SubsidyCase, signed: dt.date) -> dict[str, Any]:
        """Return the facts of a contract that are known."""
        found = {
            "signed": signed,
            "due": case.due,
            "borrower": case.kind,
            "term": _term(case.start, case.due_at_signing or case.due),
            "amount": case.principal,
            "rate": case.annual_rate_percent,
            "bank": case.institution,
            "household_kind": case.household_kind,
            "households_led": case.households_led,
        }
        if case.grade != NOT_TOLD:
            found["grade"] = case.grade
        if case.region is not None:
            found["region_list"] = self.policy.vocabulary.region_list_of(case.region)
        return found

    def contract(self, situation: Mapping[str, Any]) -> ContractTerms:
        """Return what holds for a contract."""
        key = tuple([_piece(situation.get(fact, NOT_TOLD), cuts) for fact, cuts in self._key])
        contract = self._contracts.get(key)
        if contract is None:
            if len(self._contracts) >= _MOST_KEPT:
                self._contracts.clear()
            contract = self._contracts[key] = self._read_contract(situation)
        return contract

    def _read_contract(self, known: Mapping[str, Any]) -> ContractTerms:
        reading = Reading(self.policy, self.product, self.rates)
        reading.required("subsidy.overdue", known)
        overdue = reading.row("subsidy.overdue", known)
        malicious = reading.row("subsidy.malicious", known)
        lead = reading.row("subsidy.lead_bank_only", known)
        moratorium = None
        for entry in self.policy.general.lists.get("moratoria", ()):
            if entry["due"].has(known["due"]) and entry.holds(known):
                moratorium = entry
                reading.use(entry)
                break
        assert overdue is not None  # noqa: S101  # the line above required it
        settled = reading.row("subsidy.settled", known)
        if settled is None or settled.value != "on_repayment":
            settled = overdue if overdue.value == "only_repaid_on_time" else None
        return ContractTerms(
            reading,
            overdue,
            settled,
            reading.value("subsidy.day_count", known) or "days",
            reading.value("subsidy.day_basis", known) or _DAY_BASIS,
            reading.value("subsidy.period_ends", known) or _QUARTERS,
            reading.value("subsidy.year_ends", known) or _YEAR_ENDS,
            None if malicious is not None and malicious.value else Reason("malicious", _source(malicious)),
            Reason("not_lead_bank", _source(lead)) if lead is not None and lead.value else None,
            moratorium,
        )

    def terms(self, contract: ContractTerms, situation: Mapping[str, Any], day: dt.date, start: dt.date) -> DayTerms:
        """Return what holds for a contract on a day."""
        year = _loan_year(start, day) if self.by_loan_year else 1
        key = (bisect.bisect_right(self.days, (day, 0)), year)
        terms = contract.terms.get(key)
        if terms is None:
            known = {**situation, "accrued": day, "loan_year": year}
            terms = self._read_terms(known, day if self.by_accrual else situation["signed"])
            # Days that read the same rows at the same rate are one segment.
            terms = next((each for each in contract.terms.values() if each.same_as(terms)), terms)
            contract.terms[key] = terms
        return terms

    def _read_terms(self, known: Mapping[str, Any], on: dt.date) -> DayTerms:
        reading = Reading(self.policy, self.product, self.rates)
        row = reading.row("subsidy.rate", known)
        share = reading.row("subsidy.share", known)
        part = _HUNDRED if share is None else share.value
        if row is None or row.value is None or part is None:
            silent = Reason("not_said", _source(share if row is not None and row.value is not None else row))
            return DayTerms(reading, silent, money.ZERO, None, (), None, (), (), {}, {}, ())
        rate = max(reading.percent(row.value, on=on, term=known["term"], contract=known["rate"]), money.ZERO)
        slices = [
            (low, high, (each.value or money.ZERO) / _HUNDRED, each)
            for low, high, each in reading.slices("subsidy.principal", "amount_slice", known)
        ]
        led = reading.row("subsidy.principal_per_household_led", known) if known["borrower"] == "enterprise" else None
        caps = reading.entries("subsidy.caps", known)
        return DayTerms(
            reading,
            None,
            rate * part / _HUNDRED,
            Reason("share", _source(share)) if part < _HUNDRED else None,
            tuple(slices) if any(each != 1 for _, _, each, _ in slices) else (),
            None if led is None or led.value is None else (led.value, led),
            tuple(cap for cap in caps if cap["of"] == "principal"),
            tuple(cap for cap in caps if cap["of"] == "subsidy"),
            {entry["ground"]: entry for entry in reading.entries("subsidy.exclusions", known)},
            self._payers(reading, rate, known),
            (
                {
                    "step": "rate",
                    "rule": str(row.value),
                    "percent": plain_number(rate),
                    "share": f"{plain_number(part)}%",
                },
            ),
        )

    def _payers(self, reading: Reading, rate: Decimal, known: Mapping[str, Any]) -> Mapping[str, int]:
        """Return who pays how much of the rate; the slices of the rate are cut before the share is taken."""
        weights: dict[str, Fraction] = {}
        for low, high, row in reading.slices("subsidy.payers", "rate_slice", known):
            width = min(rate, rate if high is None else high) - low
            if width <= 0:
                continue
            if row.value is None:
                raise ConfigurationError(
                    "HL6007", policy=self.policy.name, date=known["accrued"], parameter="subsidy.payers"
                )
            for payer, share in row.value.items():
                part = Fraction(width) * share / sum(row.value.values())
                weights[payer] = weights.get(payer, Fraction(0)) + part
        return whole_weights(weights) if weights else {"county": 1}


def _piece(value: Any, cuts: list[Cut] | None) -> object:  # noqa: ANN401  # of the fact's type
    """Return the piece between two cuts that a value lies in; without cuts, the value."""
    return value if cuts is None or value is None else bisect.bisect_right(cuts, (value, 0))


def _collect(cuts: dict[str, set[Cut]], when: Mapping[str, Any], **more: Sequence[Interval]) -> None:
    """Add the cuts of conditions to those of their facts; a fact of words has none."""
    others = ((fact, each) for fact, many in more.items() for each in many)
    for fact, condition in itertools.chain(when.items(), others):
        found = cuts.setdefault(fact, set())
        if isinstance(condition, Interval):
            found.update(cut for cut in (condition.low, condition.high) if cut is not None)


def _source(row: Row | None) -> str:
    return "" if row is None else row.source


def whole_weights(weights: Mapping[str, Fraction]) -> dict[str, int]:
    """Return weights in whole numbers, in the same ratio."""
    scale = math.lcm(*(weight.denominator for weight in weights.values()))
    return {payer: int(weight * scale) for payer, weight in weights.items()}


def _term(start: dt.date, due: dt.date) -> int:
    """Return a term in months, a started one counted whole; at least 1."""
    months = (due.year - start.year) * MONTHS_A_YEAR + due.month - start.month
    return max(months + (due.day > start.day and months_later(start, months) < due), 1)


def _loan_year(start: dt.date, day: dt.date) -> int:
    return day.year - start.year + (months_later(start, (day.year - start.year) * MONTHS_A_YEAR) <= day)


@functools.lru_cache(maxsize=200_000)
def period_end(ends: DaysOfYear, day: dt.date) -> dt.date:
    """Return the last day of the period that holds a day."""
    for year in (day.year, day.year + 1):
        for month, number in ends:
            short = (month, number) == _LEAP_DAY and not calendar.isleap(year)
            if (end := dt.date(year, month, number - short)) >= day:
                return end
    raise AssertionError


@functools.lru_cache(maxsize=200_000)
def period_start(ends: DaysOfYear, last: dt.date) -> dt.date:
    """Return the first day of the period that ends on a day."""
    day = dt.date(last.year - 2, 12, 31)
    while (end := period_end(ends, day + DAY)) < last:
        day = end
    return day + DAY
