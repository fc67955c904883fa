"""What the registry and the statistics must know, in plain Python, by the definitions alone.

A loan's state at a date is what the newest ledger up to that date said that had it; of
several ledgers of one date, what the one with the highest number said, and of equals the
last to arrive. A ledger without a number that has loans of another of its date takes its
place, while no newer one is known. Everything else follows.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

LEVELS = {"township": 9, "village": 12}
BAD = ("substandard", "doubtful", "loss")

State = dict[str, Any]


@dataclass
class Ledger:
    """An accepted ledger: what it says of each loan, the loans it has that were not taken, its file's number."""

    institution: str
    as_of: dt.date
    rows: dict[str, State]
    rejected: frozenset[str] = frozenset()
    file_sequence: int | None = None
    lines: list[str] = field(default_factory=list)
    """The loans in the order of the file's rows, whatever was withdrawn of them since."""

    def __post_init__(self) -> None:
        """Remember the order of the rows."""
        self.lines = list(self.rows)

    @property
    def rank(self) -> tuple[dt.date, int]:
        """Return what makes it newer than others; of equals the later to arrive is."""
        return self.as_of, self.file_sequence or 0


@dataclass
class Model:
    """All accepted ledgers, in the order in which they arrived."""

    ledgers: list[Ledger] = field(default_factory=list)

    def enter(self, ledger: Ledger) -> None:
        """Enter a ledger that was accepted; where it takes the place of those of its day, what they alone had goes."""
        dates = self.dates(ledger.institution)
        day = [each for each in self.ledgers if (each.institution, each.as_of) == (ledger.institution, ledger.as_of)]
        is_newest = dates[-1:] == [ledger.as_of]
        if is_newest and all(each.file_sequence is None for each in (*day, ledger)):
            had = {loan for each in day for loan in each.rows}
            rejected = {loan for each in day for loan in each.rejected}
            if any(loan in had - rejected for loan in ledger.rows):
                for each in day:
                    each.rows = {
                        loan: state
                        for loan, state in each.rows.items()
                        if loan in ledger.rows or loan in ledger.rejected
                    }
        self.ledgers.append(ledger)

    def dates(self, institution: str) -> list[dt.date]:
        """Return the dates an institution has reported for."""
        return sorted({ledger.as_of for ledger in self.ledgers if ledger.institution == institution})

    def institutions(self) -> list[str]:
        """Return who has reported."""
        return sorted({ledger.institution for ledger in self.ledgers})

    def had(self, institution: str, date: dt.date) -> set[str]:
        """Return the loans that any ledger of this date had."""
        return {
            loan
            for ledger in self.ledgers
            if (ledger.institution, ledger.as_of) == (institution, date)
            for loan in ledger.rows
        }

    def at(self, institution: str, date: dt.date) -> dict[str, State]:
        """Return each loan's state at a date."""
        states: dict[str, State] = {}
        for ledger in sorted(self.ledgers, key=lambda ledger: ledger.rank):  # stable: arrival among equals
            if ledger.institution == institution and ledger.as_of <= date:
                states |= ledger.rows
        return states

    def counts(self, ledger: Ledger) -> dict[str, int]:
        """Return what the receipt of a ledger that arrives now must count."""
        known = self.at(ledger.institution, ledger.as_of)
        then = Model([*self.ledgers, ledger]).at(ledger.institution, ledger.as_of)
        changed = sum(known.get(loan) != then[loan] for loan in ledger.rows)
        before = [date for date in self.dates(ledger.institution) if date <= ledger.as_of]
        completes = ledger.file_sequence is not None and before[-1:] == [ledger.as_of]
        last = self.had(ledger.institution, before[-1]) if before and not completes else set()
        return {
            "changed": changed,
            "unchanged": len(ledger.rows) - changed,
            "missing": len(last - set(ledger.rows) - ledger.rejected),
        }

    def missing_since(self, institution: str, loan: str) -> dt.date | None:
        """Return the first ledger date after the last that had the loan."""
        dates = self.dates(institution)
        last = max(date for date in dates if loan in self.had(institution, date))
        return next((date for date in dates if date > last), None)

    def figures(self, region: str, month: str, institution: str | None = None, product: str | None = None) -> State:
        """Return the figures at the end of a month."""
        return _figures(self._loans(region, month, institution, product), month)

    def rows(self, region: str, month: str, by: str) -> list[State]:
        """Return the figures broken down, keys without anything lent left out."""
        groups: dict[str, list[tuple[str, State]]] = {}
        for institution, state in self._loans(region, month):
            key = {"institution": institution, "product": state["product"]}.get(by) or state["region"][: LEVELS.get(by)]
            groups.setdefault(key, []).append((institution, state))
        name = "region" if by in LEVELS else by
        return [{name: key} | _figures(loans, month) for key, loans in sorted(groups.items())]

    def stale(self, month: str, banks: tuple[str, ...]) -> list[str]:
        """Return the banks without a ledger dated within the month."""
        return [bank for bank in sorted(banks) if not any(date.isoformat()[:7] == month for date in self.dates(bank))]

    def _loans(
        self, region: str, month: str, institution: str | None = None, product: str | None = None
    ) -> list[tuple[str, State]]:
        return [
            (bank, state)
            for bank in self.institutions()
            if institution in (None, bank)
            for state in counted_once(self.at(bank, month_end(month)))
            if state["region"].startswith(region) and product in (None, state["product"])
        ]


def counted_once(loans: dict[str, State]) -> list[State]:
    """Return the loans of a bank, each with what of it was counted with the one from which it goes on."""
    found = []
    for number, loan in loans.items():
        original = loans.get(loan["original_loan_no"] or "")
        goes_on = (
            original is not None
            and loan["original_loan_no"] != number
            and loan["continuation"] in ("extension", "renewal", "moratorium")
            and (
                (loan["household_no"] is not None and original["household_no"] == loan["household_no"])
                or original["identity_number"] == loan["identity_number"]
            )
            and original["start_date"] <= loan["start_date"]
            and original["original_loan_no"] != number
        )
        both = goes_on and Decimal(loan["balance"]) > 0 and Decimal((original or {})["balance"]) > 0
        found.append(loan | {"lent_before": loan["principal"] if goes_on else "0", "is_counted": not both})
    return found


def month_end(month: str) -> dt.date:
    """Return the last day of a month."""
    year, number = map(int, month.split("-"))
    return dt.date(year, number, calendar.monthrange(year, number)[1])


def _figures(loans: list[tuple[str, State]], month: str) -> State:
    states = [state for _, state in loans]
    balance = _sum(states, "balance")
    bad = _sum([state for state in states if state["five_tier_class"] in BAD], "balance")
    overdue = [
        state
        for state in states
        if (state["overdue_days"] > 0 or state["status"] == "overdue") and state["continuation"] != "moratorium"
    ]
    due = [s for s in states if dt.date(int(month[:4]), 1, 1).isoformat() <= s["due_date"] <= str(month_end(month))]
    return {
        "loans": sum(Decimal(state["balance"]) > 0 and state["is_counted"] for state in states),
        "households": len({s["household_no"] for s in states if Decimal(s["balance"]) > 0} - {None}),
        "lent": f"{_sum(states, 'principal') - _sum(states, 'lent_before'):.2f}",
        "balance": f"{balance:.2f}",
        "overdue_balance": f"{_sum(overdue, 'balance'):.2f}",
        "bad_balance": f"{bad:.2f}",
        "bad_loan_ratio": _ratio(bad, balance),
        "due_loan_recovery_rate": _ratio(sum(map(_repaid, due), Decimal()), _sum(due, "principal")),
    }


def _repaid(state: State) -> Decimal:
    owed = Decimal(state["balance"])
    if state["status"] == "written_off":
        owed = max(owed, Decimal(state["overdue_principal"]))
    return Decimal(state["principal"]) - owed


def _sum(states: list[State], name: str) -> Decimal:
    return sum((Decimal(state[name]) for state in states), Decimal())


def _ratio(part: Decimal, whole: Decimal) -> str | None:
    return f"{(part / whole).quantize(Decimal('0.000001'), ROUND_HALF_UP):f}" if whole else None
