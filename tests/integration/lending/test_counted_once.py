"""Extensions, renewals and moratoria: what is one loan is counted once, and who was granted time is not overdue."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.support.lending import BANK, OTHER_BANK, loan, push

if TYPE_CHECKING:
    from tests.support.reporting import ReportingCounty

JUNE, JULY = dt.date(2024, 6, 30), dt.date(2024, 7, 31)
ORIGINAL = loan("L0", start_date="2023-06-10", due_date="2024-06-10")
SETTLED = ORIGINAL | {"balance": "0.00", "status": "settled", "settled_date": "2024-06-10"}
RENEWAL = loan("L1", start_date="2024-06-10", due_date="2025-06-10", continuation="renewal", original_loan_no="L0")


def figures(county: ReportingCounty, month: str = "2024-06", **scope: str) -> tuple[Any, ...]:
    """Return loans, households, what was lent, balance, overdue balance and recovery rate of a month."""
    found = county.figures_of(month, **scope)
    names = ("loans", "households", "lent", "balance", "overdue_balance", "due_loan_recovery_rate")
    return tuple(found[name] for name in names)


def test_a_renewal_is_one_loan_with_the_original_that_it_settled(county: ReportingCounty):
    """What was lent stays what was lent; what falls due next year is the renewal's."""
    push(county, ORIGINAL)
    push(county, SETTLED, RENEWAL, as_of=JUNE)
    assert figures(county, "2024-05") == (1, 1, "50000.00", "50000.00", "0.00", None)
    assert figures(county) == (1, 1, "50000.00", "50000.00", "0.00", "1.000000")
    assert figures(county, "2025-06") == (1, 1, "50000.00", "50000.00", "0.00", "0.000000")


def test_both_standing_in_one_ledger_are_one_loan(county: ReportingCounty):
    """Balances are what the ledgers say; a renewal of what is not known is a loan of its own."""
    push(county, ORIGINAL, RENEWAL | {"principal": "60000.00", "balance": "60000.00"}, as_of=JUNE)
    assert figures(county)[:4] == (1, 1, "50000.00", "110000.00")
    push(county, RENEWAL, bank=OTHER_BANK, as_of=JUNE)
    assert figures(county, institution=OTHER_BANK)[:4] == (1, 1, "50000.00", "50000.00")
    assert figures(county)[:4] == (2, 1, "100000.00", "160000.00")


def test_an_original_that_comes_late_is_counted_from_its_month_on(county: ReportingCounty):
    """As if it had come first; a ledger that lacks the original changes nothing."""
    push(county, RENEWAL, as_of=JULY)
    assert figures(county, "2024-07")[:3] == (1, 1, "50000.00")
    push(county, ORIGINAL, RENEWAL, as_of=JUNE)
    expected = {"2024-06": (1, 1, "50000.00"), "2024-07": (1, 1, "50000.00")}
    assert {month: figures(county, month)[:3] for month in expected} == expected
    county.rebuild()
    assert {month: figures(county, month)[:3] for month in expected} == expected


def test_a_correction_that_tells_of_a_renewal_later_takes_its_amount_off(county: ReportingCounty):
    """And one that denies it, puts it back: in the month of the correction."""
    push(county, ORIGINAL, RENEWAL | {"continuation": None, "original_loan_no": None}, as_of=JUNE)
    push(county, ORIGINAL, RENEWAL, as_of=JULY)
    push(county, ORIGINAL, RENEWAL | {"continuation": "none"}, as_of=dt.date(2024, 8, 31))
    assert [figures(county, month)[:3] for month in ("2024-06", "2024-07", "2024-08")] == [
        (2, 1, "100000.00"),
        (1, 1, "50000.00"),
        (2, 1, "100000.00"),
    ]


def test_a_ledger_that_takes_the_place_of_another_takes_back_what_was_counted_once(county: ReportingCounty):
    """The renewal never was."""
    push(county, ORIGINAL, RENEWAL, as_of=JUNE)
    push(county, ORIGINAL, as_of=JUNE)
    assert figures(county)[:4] == (1, 1, "50000.00", "50000.00")
    assert county.rows("SELECT * FROM registry.continuation_told") == []


def test_a_product_in_which_only_a_renewal_stands_is_listed(county: ReportingCounty):
    """The parts add up to the whole."""
    push(county, SETTLED, RENEWAL | {"product": "RURAL"}, as_of=JUNE)
    rows = county.figures_of("2024-06", by="product")["rows"]
    shown = [(row["product"], row["loans"], row["lent"], row["balance"]) for row in rows]
    assert shown == [("POOR", 0, "50000.00", "0.00"), ("RURAL", 1, "0.00", "50000.00")]


def test_a_loan_extended_under_its_own_number_is_one_loan(county: ReportingCounty):
    """Its due date moves as the bank says; nothing else is told."""
    push(county, ORIGINAL)
    push(county, ORIGINAL | {"continuation": "extension", "due_date": "2025-06-10"}, as_of=JUNE)
    assert figures(county) == (1, 1, "50000.00", "50000.00", "0.00", None)


def test_a_moratorium_is_not_overdue_whatever_the_file_calls_it(county: ReportingCounty):
    """Until it ends; nor is it a new loan, even under a number of its own."""
    late = ORIGINAL | {"status": "overdue", "overdue_days": 20, "overdue_principal": "50000.00"}
    push(county, late, as_of=JUNE)
    assert figures(county) == (1, 1, "50000.00", "50000.00", "50000.00", "0.000000")
    push(county, late | {"continuation": "moratorium", "due_date": "2024-12-10"}, as_of=JULY)
    assert figures(county, "2024-07") == (1, 1, "50000.00", "50000.00", "0.00", None)
    august = dt.date(2024, 8, 31)
    granted = {"continuation": "moratorium", "original_loan_no": "L0", "due_date": "2025-06-10"}
    push(county, SETTLED, late | {"loan_no": "L1"} | granted, as_of=august)
    assert figures(county, "2024-08") == (1, 1, "50000.00", "50000.00", "0.00", "1.000000")


def test_eligibility_sees_one_loan(county: ReportingCounty):
    """The larger balance of both, the longer delay of both, none in a moratorium."""
    late = {"status": "overdue", "overdue_days": 3, "overdue_principal": "1.00"}
    push(
        county,
        ORIGINAL | late,
        RENEWAL | {"balance": "20000.00"},
        loan("L2", household_no="H2", continuation="moratorium", **late),
        as_of=JUNE,
    )
    rows = county.rows("SELECT loan_no, balance, overdue_days FROM registry.loan_once ORDER BY loan_no")
    assert [(row["loan_no"], str(row["balance"]), row["overdue_days"]) for row in rows] == [
        ("L1", "50000.00", 3),
        ("L2", "50000.00", 0),
    ]


def test_a_bank_without_continuations_is_asked_nothing_of_them(county: ReportingCounty):
    """Nothing is told either."""
    push(county, ORIGINAL, bank=BANK)
    assert county.rows("SELECT * FROM huilian.message WHERE type = 'continuations_changed'") == []
