"""What a county office should see, reckoned loan by loan in plain Python.

Nothing here reads a file or knows how the project turns files into figures: that is
what makes it worth comparing with.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from adapters.sample_county.county import HOUSEHOLDS, SEED, County, county
from adapters.sample_county.files import BANK
from adapters.sample_county.lending import MONTH_ENDS, OVERDUE, WRITTEN_OFF, Loan, State
from adapters.sample_county.postal import POSTAL_BANK

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

__all__ = ["expected_figures"]

_FIRST_BAD_CLASS: Final = 3
"""Substandard (次级), doubtful (可疑) and loss (损失) are bad."""


def expected_figures(
    month: str,
    region: str | None = None,
    *,
    seed: int = SEED,
    households: int = HOUSEHOLDS,
    banks: Collection[str] = (BANK, POSTAL_BANK),
) -> dict[str, int | str | None]:
    """Return the figures of `month` ("2024-05") for `region` and all that lies in it, or for the county.

    Every loan counts as its newest good row says, in the ledgers up to the end of the
    month: a row with a fault leaves the state before it standing. With `banks`, only
    loans of these count.

    Returns:
        `loans` and `households` with a balance; `lent`, `balance`, `overdue_balance` and
        `bad_balance` in yuan with two places; `bad_loan_ratio` and
        `due_loan_recovery_rate` with six, half-up, None where there is nothing to divide by.
    """
    year, number = (int(part) for part in month.split("-"))
    sample = county(seed, households)
    lent = [loan for bank, loans in _loans(sample).items() if bank in banks for loan in loans]
    known = _known(sample, lent, (year, number), region or "")
    numbers = {loan.number for loan, _ in known}
    open_loans = [(loan, state) for loan, state in known if state.balance]
    balance = sum(state.balance for _, state in open_loans)
    overdue = sum(state.balance for _, state in open_loans if state.overdue_days or state.status == OVERDUE)
    bad = sum(state.balance for _, state in open_loans if state.five_tier_class >= _FIRST_BAD_CLASS)
    due = [(loan, state) for loan, state in known if loan.due.year == year and loan.due.month <= number]
    return {
        "loans": len(open_loans),
        "households": len({loan.household.number for loan, _ in open_loans}),
        # What renews a loan that is known was counted with that one.
        "lent": _yuan(sum(loan.principal for loan, _ in known if loan.original not in numbers)),
        "balance": _yuan(balance),
        "overdue_balance": _yuan(overdue),
        "bad_balance": _yuan(bad),
        "bad_loan_ratio": _ratio(bad, balance),
        "due_loan_recovery_rate": _ratio(
            sum(_repaid(loan, state) for loan, state in due), sum(loan.principal for loan, _ in due)
        ),
    }


def _loans(sample: County) -> dict[str, tuple[Loan, ...]]:
    return {BANK: sample.loans, POSTAL_BANK: sample.postal_loans}


def _known(sample: County, loans: list[Loan], month: tuple[int, int], region: str) -> list[tuple[Loan, State]]:
    """Return each loan that a good row has told of by the end of `month`, with the newest such state."""
    as_ofs = [as_of for as_of in MONTH_ENDS if (as_of.year, as_of.month) <= month]
    known = []
    for loan in loans:
        if not loan.household.region.startswith(region):
            continue
        newest = _newest_good_row(sample, loan, as_ofs)
        if newest is not None:
            known.append((loan, loan.at(newest)))
    return known


def _newest_good_row(sample: County, loan: Loan, as_ofs: list[dt.date]) -> dt.date | None:
    good = (
        as_of for as_of in reversed(as_ofs) if loan.reported(as_of) and (as_of, loan.number) not in sample.plan.faults
    )
    return next(good, None)


def _repaid(loan: Loan, state: State) -> int:
    """Return the principal repaid; writing off empties the balance but repays nothing."""
    missing = max(state.balance, state.overdue_principal) if state.status == WRITTEN_OFF else state.balance
    return loan.principal - missing


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


def _ratio(part: int, whole: int) -> str | None:
    if not whole:
        return None
    return str((Decimal(part) / Decimal(whole)).quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP))
