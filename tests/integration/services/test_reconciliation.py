"""What figures rest on: how much of what files state of themselves was taken, and how much was not."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.support.builders.loans import state
from tests.support.builders.statements import guarantee, policy
from tests.support.reporting import GUARANTOR, INSURER, ReportingCounty, Submission, again

if TYPE_CHECKING:
    from collections.abc import Iterable


JANUARY, FEBRUARY = dt.date(2025, 1, 31), dt.date(2025, 2, 28)
BANK = "RCB01"


def ledger(
    numbers: Iterable[int],
    balance: str | None,
    *,
    rejected: Iterable[int] = (),
    as_of: dt.date = JANUARY,
    **extra: Any,  # noqa: ANN401  # whatever it has
) -> Submission:
    """Return a ledger of loans with a balance of 1,000.00 each, whose trailer states a balance."""
    rows = [{"loan_no": f"L{number}"} | state(balance="1000.00") for number in numbers]
    left = [f"L{number}" for number in rejected]
    control = None
    if balance is not None:
        control = {"rows": len(rows) + len(left), "amounts": {"principal": "0.00", "balance": balance}}
    return Submission(BANK, as_of, rows, left, control_totals=control, allow_missing=0, **extra)


def rests_on(county: ReportingCounty, month: str = "2025-01", **scope: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401  # any
    """Return, of each institution and kind: stated, taken and not taken rows, then amounts."""
    names = ("stated_rows", "taken_rows", "untaken_rows", "stated_amount", "taken_amount", "untaken_amount")
    with county.transaction() as transaction:
        found = county.registry["reconciliation"](transaction, month=month, **scope)
    return [tuple(row[name] for name in names) for row in found]


def test_what_was_rejected_is_what_the_file_states_and_the_county_has_not(county: ReportingCounty):
    """Ten rows, three of them not taken."""
    county.push(ledger(range(7), "10500.00", rejected=[7, 8, 9]))
    assert rests_on(county) == [(10, 7, 3, "10500.00", "7000.00", "3500.00")]


def test_mended_rows_are_added_to_what_they_complete(county: ReportingCounty):
    """Two of three come mended; a file that says all anew takes the place of everything."""
    county.push(ledger(range(7), "10500.00", rejected=[7, 8, 9]))
    county.push(ledger([7, 8], "2000.00"))
    assert rests_on(county) == [(10, 9, 1, "10500.00", "9000.00", "1500.00")]
    county.push(ledger(range(10), "10000.00"))
    assert rests_on(county) == [(10, 10, 0, "10000.00", "10000.00", "0.00")]


def test_the_numbered_files_of_a_day_are_added_up_and_the_last_of_a_number_counts(county: ReportingCounty):
    """Number 1 twice, number 2 once."""
    county.push(ledger(range(5), "5000.00", file_sequence=1))
    county.push(ledger(range(4), "5000.00", rejected=[4], file_sequence=1))
    county.push(ledger(range(10, 12), "2000.00", file_sequence=2))
    assert rests_on(county) == [(7, 6, 1, "7000.00", "6000.00", "1000.00")]


def test_the_newest_ledger_up_to_the_month_counts(county: ReportingCounty):
    """What February states says nothing of January; March rests on February's, unless only the month is asked for."""
    county.push(ledger(range(3), "3000.00"))
    county.push(ledger(range(2), "3000.00", rejected=[2], as_of=FEBRUARY))
    assert rests_on(county) == [(3, 3, 0, "3000.00", "3000.00", "0.00")]
    assert rests_on(county, "2025-03") == [(3, 2, 1, "3000.00", "2000.00", "1000.00")]
    assert rests_on(county, "2025-03", within=True) == []
    assert rests_on(county, "2024-12") == []


def test_a_file_without_totals_of_its_own_is_compared_by_rows_alone(county: ReportingCounty):
    """As one is that an older version sent, or one whose trailer could not be read."""
    file = ledger(range(2), None, rejected=[2])
    county.push(file)
    assert rests_on(county) == [(3, 2, 1, None, "2000.00", None)]
    county.push(again(file, allow_missing=None, as_of=FEBRUARY))
    assert rests_on(county, "2025-02") == [(3, 2, 1, None, "2000.00", None)]


def test_a_refused_file_is_nothing_that_figures_rest_on(county: ReportingCounty):
    """The ledger before it is."""
    county.push(ledger(range(2), "2000.00"))
    county.push(ledger(range(9), "9000.00", stated={"totals": {"principal": "1.00", "balance": "1.00"}}))
    assert rests_on(county) == [(2, 2, 0, "2000.00", "2000.00", "0.00")]


def test_guarantors_and_insurers_are_compared_by_what_their_files_add_up(county: ReportingCounty):
    """A book by what is outstanding, a package by premiums and claims in one sum; a scope asks for one of them."""
    stated = {"rows": None, "amounts": {"guarantees.outstanding_amount": "60000.00"}}
    county.push(
        Submission(GUARANTOR, JANUARY, [guarantee("G1", "L1")], ["G2"], kind="guarantee_book", control_totals=stated)
    )
    stated = {"rows": 2, "amounts": {"policies.premium+claims.amount": "150.00"}}
    county.push(Submission(INSURER, JANUARY, [policy("P1")], ["P2"], kind="insurance_package", control_totals=stated))
    book, package = (2, 1, 1, "60000.00", "50000.00", "10000.00"), (2, 1, 1, "150.00", "100.00", "50.00")
    assert rests_on(county) == [book, package]
    assert rests_on(county, institution=INSURER) == [package]
    assert rests_on(county, kind="guarantee_book") == [book]
