"""How the sample county's loans live: lent, repaid in parts, settled, overdue, written off.

A loan is its terms and the payments made on it; what it is on any day follows from
those alone (`Loan.at`), so ledgers and journals of all months agree by construction.
All amounts are whole fen.
"""

from __future__ import annotations

import calendar
import datetime as dt
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.sample_county.population import Household, Person

__all__ = [
    "MONTH_ENDS",
    "POSTAL_SAVINGS_BANK",
    "RURAL_COMMERCIAL_BANK",
    "Lender",
    "Loan",
    "Payment",
    "State",
    "journal",
    "ledger",
    "make_loans",
]

MONTH_ENDS: Final = tuple(dt.date(2024, month, calendar.monthrange(2024, month)[1]) for month in range(1, 13))
"""The dates of the ledgers."""
FIRST_LOANS: Final = dt.date(2022, 1, 1)
"""Early enough for loans of 12 and 24 months to fall due in every month of 2024."""

_TERMS: Final = {12: 40, 24: 25, 36: 35}
"""Months to weight."""
_PURPOSES: Final = ("养羊", "种植药材", "购买化肥农机", "大棚蔬菜", "养殖肉牛", "光伏电站", "农家乐经营", "茶园改造")
_METHODS: Final = ("按季付息到期还本", "分期还本按季付息")
_CHANNELS: Final = ("柜面", "手机银行", "自动扣款", "村级服务点")
_ONE_SECOND_LOAN_IN: Final = 25
"""Among so many households one may borrow again before it has repaid."""
_BORROWER_AGES: Final = range(18, 60)

_INTEREST_DAY: Final = 21
"""Interest is collected on the 21st of the last month of a quarter."""
_SIGNED_BEFORE: Final = 6
"""Days within which money follows the contract."""
_RENEWED_WITHIN: Final = dt.timedelta(days=45)
"""From the last repayment to the loan that renews the one repaid."""
_ONE_EXTENDED_IN: Final = 25
_ONE_DEFERRED_IN: Final = 20
_BASIS: Final = 360 * 10_000
"""Days of an interest year times the basis points in one."""
_CLASS_FROM_DAYS: Final = ((360, 5), (270, 4), (90, 3), (0, 2))
"""Overdue days beyond which a loan is loss, doubtful, substandard, special mention (商业银行金融资产风险分类办法)."""

NORMAL, OVERDUE, SETTLED, WRITTEN_OFF = "0", "1", "2", "3"


@dataclass(frozen=True)
class Payment:
    """Money that came in on a loan; either part may be nothing."""

    day: dt.date
    principal: int
    interest: int
    channel: str


@dataclass(frozen=True)
class State:
    """What a ledger says of a loan that changes from month to month."""

    balance: int
    overdue_days: int
    overdue_principal: int
    overdue_interest: int
    five_tier_class: int
    status: str
    settled: dt.date | None


@dataclass(frozen=True)
class Loan:
    """One loan and all that ever happens to it.

    Args:
        arrears_from: the first day on which interest was due before maturity and not paid.
        written_off: when the bank gave it up; nothing is paid after that.
        original: the number of the loan that it renews.
    """

    number: str
    contract: str
    household: Household
    borrower: Person
    product: str
    principal: int
    rate: int
    start: dt.date
    due: dt.date
    method: str
    purpose: str
    payments: tuple[Payment, ...]
    arrears_from: dt.date | None
    written_off: dt.date | None
    original: str | None = None

    @property
    def signed(self) -> dt.date:
        """Return the day of its contract."""
        return self.start - dt.timedelta(days=self._serial % _SIGNED_BEFORE)

    @property
    def _serial(self) -> int:
        return int(self.number[-5:])

    def continuation(self, as_of: dt.date) -> str:
        """Return how the ledger of `as_of` says that it goes on beyond its first terms."""
        if self.original:
            return "续贷"
        if self._serial % _ONE_EXTENDED_IN == 0:
            return "展期"
        is_deferred = self._serial % _ONE_DEFERRED_IN == 1 and self.at(as_of).status == NORMAL
        return "延期还本付息" if is_deferred else "无"

    def unpaid(self, day: dt.date) -> int:
        """Return the principal not repaid by the end of `day`, written off or not."""
        return self.principal - sum(payment.principal for payment in self.payments if payment.day <= day)

    def settled(self, day: dt.date) -> dt.date | None:
        """Return when the last principal came in, if that was by the end of `day`."""
        return None if self.unpaid(day) else self.payments[-1].day

    def reported(self, as_of: dt.date) -> bool:
        """Return whether the ledger of `as_of` has it: from its start to the end of the year it is settled in."""
        settled = self.settled(as_of)
        return self.start <= as_of and (settled is None or settled.year == as_of.year)

    def at(self, as_of: dt.date) -> State:
        """Return what the ledger of `as_of` says of it."""
        unpaid = self.unpaid(as_of)
        if not unpaid:
            return State(0, 0, 0, 0, 1, SETTLED, self.settled(as_of))
        gone = self.written_off is not None and self.written_off <= as_of
        since = self._overdue_since(as_of)
        days = (as_of - since).days if since else 0
        if gone:
            return State(0, days, unpaid, self._arrears(as_of), 5, WRITTEN_OFF, None)
        if not days:
            return State(unpaid, 0, 0, 0, 1, NORMAL, None)
        worst = next(grade for beyond, grade in _CLASS_FROM_DAYS if days > beyond)
        return State(unpaid, days, unpaid if as_of > self.due else 0, self._arrears(as_of), worst, OVERDUE, None)

    def _overdue_since(self, as_of: dt.date) -> dt.date | None:
        if self.arrears_from and self.arrears_from < as_of:
            return self.arrears_from
        return self.due if self.due < as_of else None

    def _arrears(self, as_of: dt.date) -> int:
        """Return the interest since the last payment; the bank goes on reckoning it after it wrote off."""
        last = max((payment.day for payment in self.payments if payment.day <= as_of), default=self.start)
        return _interest(self.unpaid(as_of), self.rate, (as_of - last).days)


@dataclass(frozen=True)
class Lender:
    """A bank and how it lends.

    Args:
        prefixes: of its loan and contract numbers.
        rates: yearly, in basis points.
        products: its codes for them.
        households_per_monthly_loan: it lends once a month to one in so many.
    """

    prefixes: tuple[str, str]
    rates: tuple[int, ...]
    products: tuple[str, ...]
    households_per_monthly_loan: int


RURAL_COMMERCIAL_BANK: Final = Lender(("RCB", "HT"), (435, 475, 385), ("XEXD01", "XEXD02"), 50)
POSTAL_SAVINGS_BANK: Final = Lender(("PJ", "PHT"), (600, 480), ("YZXE01",), 400)
"""Its rates come out even by the month, since that is how it states them."""


def make_loans(
    seed: int, households: tuple[Household, ...], lender: Lender = RURAL_COMMERCIAL_BANK
) -> tuple[Loan, ...]:
    """Return every loan of a bank from 2022 to the end of 2024, in the order they were lent.

    A household mostly has one loan at a time; one that is not going to repay gets no other.
    """
    maker = _Maker(seed, lender)
    busy: dict[str, dt.date] = {}
    loans: list[Loan] = []
    last: dict[str, Loan] = {}
    for month in range(36):
        first = _add_months(FIRST_LOANS, month)
        free = [household for household in households if busy.get(household.number, dt.date.min) < first]
        season = 1.3 if first.month in range(2, 6) else 0.9
        wanted = max(1, round(len(households) * season / lender.households_per_monthly_loan))
        days = calendar.monthrange(first.year, first.month)[1]
        lent_on = sorted(maker.draw.randrange(days) for _ in range(min(wanted, len(free))))
        for place, household in enumerate(maker.draw.sample(free, len(lent_on))):
            start = first + dt.timedelta(days=lent_on[place])
            borrower = _borrower(household, start)
            if borrower is None:
                continue
            loan = _renewing(maker.loan(household, borrower, start, place + 1), last.get(household.number))
            last[household.number] = loan
            settled = loan.settled(dt.date.max) or dt.date.max
            if settled == dt.date.max or maker.draw.randrange(_ONE_SECOND_LOAN_IN):
                busy[household.number] = settled
            loans.append(loan)
    return tuple(loans)


def _renewing(loan: Loan, before: Loan | None) -> Loan:
    """Return a loan with the number of the one it renews, if the household has repaid that one just before."""
    settled = before.settled(loan.start) if before else None
    is_renewal = settled is not None and loan.start - settled <= _RENEWED_WITHIN
    return replace(loan, original=before.number) if before and is_renewal else loan


def ledger(loans: Sequence[Loan], as_of: dt.date) -> list[tuple[Loan, State]]:
    """Return the loans the ledger of `as_of` holds and what it says of each."""
    return [(loan, loan.at(as_of)) for loan in loans if loan.reported(as_of)]


def journal(loans: Sequence[Loan], month_end: dt.date) -> list[tuple[Loan, Payment]]:
    """Return the payments of the month that ends with `month_end`, by day."""
    month = (month_end.year, month_end.month)
    found = [(loan, paid) for loan in loans for paid in loan.payments if (paid.day.year, paid.day.month) == month]
    return sorted(found, key=lambda entry: (entry[1].day, entry[0].number))


def _borrower(household: Household, start: dt.date) -> Person | None:
    """Return the head, or the first member of the right age in the head's stead."""
    return next((person for person in household.members if person.age_on(start) in _BORROWER_AGES), None)


class _Maker:
    """Draws loans and decides what becomes of each."""

    def __init__(self, seed: int, lender: Lender) -> None:
        self._lender = lender
        # The first bank's draws are those of the seed; any other has its own.
        other = "" if lender is RURAL_COMMERCIAL_BANK else f" {lender.prefixes[0]}"
        self.draw = random.Random(f"{seed} lending{other}")  # noqa: S311  # reproducible sample data, nothing secret

    def loan(self, household: Household, borrower: Person, start: dt.date, serial: int) -> Loan:
        draw = self.draw
        term = draw.choices(list(_TERMS), list(_TERMS.values()))[0]
        due = _add_months(start, term)
        principal = draw.choice([50_000_00, 30_000_00, draw.randrange(5_000_00, 50_000_01, 1_000_00)])
        rate = draw.choice(self._lender.rates)
        repaid, end, written_off = self._fate(start, due, principal)
        payments = self._payments(start, end, principal, rate, repaid)
        missed = _interest_days(end, due) if sum(repaid.values()) < principal else []
        return Loan(
            number=f"{self._lender.prefixes[0]}{start:%Y%m}{serial:05}",
            contract=f"{self._lender.prefixes[1]}{start:%Y%m}-{serial:05}",
            household=household,
            borrower=borrower,
            product=draw.choice(self._lender.products),
            principal=principal,
            rate=rate,
            start=start,
            due=due,
            method=draw.choice(_METHODS),
            purpose=draw.choice(_PURPOSES),
            payments=payments,
            arrears_from=missed[0] if missed else None,
            written_off=written_off,
        )

    def _fate(self, start: dt.date, due: dt.date, principal: int) -> tuple[dict[dt.date, int], dt.date, dt.date | None]:
        """Return principal repaid by day, the day after which nothing is paid, and the write-off."""
        draw = self.draw
        repaid: dict[dt.date, int] = {}
        fate = draw.choices(["punctual", "early", "late", "lost"], [76, 9, 8, 7])[0]
        ends = {
            "punctual": due - dt.timedelta(days=draw.randint(0, 5)),
            "early": due - dt.timedelta(days=draw.randint(30, 240)),
            "late": due + dt.timedelta(days=draw.randint(5, 110)),
            "lost": due - dt.timedelta(days=draw.choice([1, 1, 45, 100])),
        }
        end = ends[fate]
        for _ in range(draw.choice([0, 0, 0, 1, 2, 3])):
            day = start + dt.timedelta(days=draw.randrange(30, (min(end, due) - start).days - 1))
            repaid[day] = repaid.get(day, 0) + principal * draw.randint(3, 25) // 100 + draw.randrange(100)
        if fate == "lost":
            given_up = due + dt.timedelta(days=draw.randint(365, 450))
            return repaid, end, draw.choice([given_up, given_up, None])
        repaid[end] = principal - sum(repaid.values())
        return repaid, end, None

    def _payments(
        self, start: dt.date, end: dt.date, principal: int, rate: int, repaid: dict[dt.date, int]
    ) -> tuple[Payment, ...]:
        """Return what came in: the principal of `repaid`, and interest to date with it and every quarter."""
        payments = []
        last, balance = start, principal
        for day in sorted({*repaid, *_interest_days(start, end)}):
            part = repaid.get(day, 0)
            interest = _interest(balance, rate, (day - last).days)
            payments.append(Payment(day, part, interest, self.draw.choice(_CHANNELS)))
            last, balance = day, balance - part
        return tuple(payments)


def _interest(balance: int, rate: int, days: int) -> int:
    """Return the interest in fen, half-up; the first day counts and the last does not."""
    return (2 * balance * rate * days + _BASIS) // (2 * _BASIS)


def _interest_days(after: dt.date, until: dt.date) -> list[dt.date]:
    """Return the quarterly interest days after `after`, up to and including `until`."""
    days = [
        dt.date(year, month, _INTEREST_DAY) for year in range(after.year, until.year + 1) for month in (3, 6, 9, 12)
    ]
    return [day for day in days if after < day <= until]


def _add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day `months` later, or that month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
