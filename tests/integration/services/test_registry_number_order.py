"""Numbered files of one day: the highest number counts, in whatever order they come."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.assertions.ledgers import check_changes, check_figures, check_registry, push, submission
from tests.support.builders.loans import OVERDUE, VILLAGES, state
from tests.support.model import Ledger, Model
from tests.support.reporting import COUNTY, ReportingCounty

if TYPE_CHECKING:
    from typing import Any

    from tests.support.model import State

BANK = "RCB01"
MONTHS = ("2025-01", "2025-02", "2025-03")
DATES = (dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31))
JANUARY, FEBRUARY, MARCH = DATES
LOANS = ("L1", "L2", "L3", "L4", "L5", "L6")
A, B, C = state(balance="30000.00"), state(balance="20000.00"), state(balance="10000.00")
STATES = (A, B, OVERDUE | {"household_no": "H2", "region": VILLAGES[2]})
ABSENT, REJECTED, *_ = WORDS = range(5)


def replay(county: ReportingCounty, ledgers: list[Ledger], **extra: Any) -> Model:  # noqa: ANN401  # whatever a submission has
    """Push the ledgers in their order, and hold all there is against the model after each."""
    model = Model()
    for ledger in ledgers:
        push(county, model, ledger, **extra)
        check_registry(county, model)
        check_changes(county, model)
        check_figures(county, model, MONTHS)
    return model


def numbered(as_of: dt.date, number: int | None, **rows: State) -> Ledger:
    """Return a file of the bank's ledger."""
    return Ledger(BANK, as_of, rows, file_sequence=number)


def balances(county: ReportingCounty) -> dict[str, str]:
    """Return the newest balance of each loan."""
    rows = county.rows("SELECT loan_no, balance::text FROM registry.loan ORDER BY loan_no")
    return {row["loan_no"]: row["balance"] for row in rows}


@st.composite
def files_out_of_order(draw: st.DrawFn) -> list[Ledger]:
    """Return files of one to three days, each number once at most, in any order; some days have one without."""
    said = st.lists(st.sampled_from(WORDS), min_size=len(LOANS), max_size=len(LOANS))
    plain = {day for day in DATES if draw(st.integers(0, 3)) == 0}
    possible = [(day, number) for day in DATES for number in ([None] if day in plain else [1, 2, 3])]
    names = st.sampled_from(possible)
    count = len(possible)
    pushed = draw(
        st.lists(st.tuples(names, said), min_size=min(3, count), max_size=min(7, count), unique_by=lambda file: file[0])
    )
    return [
        Ledger(
            BANK,
            as_of,
            {loan: STATES[word - 2] for loan, word in zip(LOANS, words, strict=True) if word > REJECTED},
            frozenset(loan for loan, word in zip(LOANS, words, strict=True) if word == REJECTED),
            number,
        )
        for (as_of, number), words in pushed
    ]


def known(county: ReportingCounty) -> dict[str, object]:
    """Return what does not depend on the order: states at every date, what is missing, figures and differences."""
    states = county.rows(
        "SELECT d.as_of AS day, e.* FROM registry.ledger d CROSS JOIN LATERAL ("
        " SELECT DISTINCT ON (loan_no) loan_no, region, balance, status FROM ("
        "  SELECT loan_no, as_of, region, balance, status FROM registry.loan UNION ALL"
        "  SELECT loan_no, as_of, region, balance, status FROM registry.loan_history) s"
        " WHERE s.as_of <= d.as_of ORDER BY loan_no, s.as_of DESC) e ORDER BY 1, 2"
    )
    with county.transaction() as transaction:
        differences = list(county.registry["differences"](transaction, region=COUNTY))
    return {
        "states": states,
        "missing": county.rows("SELECT loan_no, missing_since FROM registry.loan ORDER BY 1"),
        "figures": [county.figures_of(month) for month in MONTHS],
        "missing_with_balance": [row["loan_no"] for row in differences if row["kind"] == "missing_with_balance"],
    }


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(files_out_of_order(), st.integers(2, 4))
def test_in_whatever_order_numbered_files_come_the_same_is_known(
    opened: ReportingCounty, files: list[Ledger], part_rows: int
):
    """Each step equals the model; the end equals that of the files in their order, and the figures rebuilt."""
    opened.empty()
    replay(opened, files, part_rows=part_rows)
    out_of_order = known(opened)
    opened.rebuild()
    assert known(opened) == out_of_order
    opened.empty()
    replay(opened, sorted(files, key=lambda file: file.rank))
    assert known(opened) == out_of_order


def test_a_lower_number_that_comes_later_adds_its_own_loans_and_changes_no_other(county: ReportingCounty):
    """What the second file has stated stands; the receipt counts the row as unchanged, and misses nothing."""
    replay(county, [numbered(MARCH, 2, L1=A)])
    receipt = county.push(submission(numbered(MARCH, 1, L1=B, L2=C)))
    assert (receipt["status"], receipt["accepted"]) == ("accepted", 2)
    assert (receipt["changed"], receipt["unchanged"], receipt["missing"]) == (1, 1, 0)
    assert balances(county) == {"L1": "30000.00", "L2": "10000.00"}


def test_what_a_higher_number_merely_confirmed_is_not_overwritten_either(county: ReportingCounty):
    """The second file says what February's said and writes nothing; the first comes after it all the same."""
    replay(county, [numbered(FEBRUARY, 1, L1=A), numbered(MARCH, 2, L1=A), numbered(MARCH, 1, L1=B)])
    assert balances(county) == {"L1": "30000.00"}


def test_a_number_that_comes_again_replaces_what_it_stated_but_nothing_of_a_higher_one(county: ReportingCounty):
    """L1 is the second file's; L2 is the first's, and its correction counts."""
    files = [numbered(MARCH, 1, L1=B, L2=B), numbered(MARCH, 2, L1=A), numbered(MARCH, 1, L1=C, L2=C)]
    replay(county, files)
    assert balances(county) == {"L1": "30000.00", "L2": "10000.00"}


def test_a_file_of_a_late_day_counts_by_its_number_too(county: ReportingCounty):
    """March was there before either of February's, whose first file comes after its second and completes it."""
    replay(county, [numbered(MARCH, 1, L1=A, L2=A), numbered(FEBRUARY, 2, L1=B)])
    receipt = county.push(submission(numbered(FEBRUARY, 1, L2=C)))
    assert (receipt["changed"], receipt["unchanged"], receipt["missing"]) == (1, 0, 0)
    receipt = county.push(submission(numbered(FEBRUARY, 1, L1=C)))
    assert (receipt["changed"], receipt["unchanged"], receipt["missing"]) == (0, 1, 0)
    assert [county.figures_of(month)["balance"] for month in MONTHS] == ["0.00", "30000.00", "60000.00"]


def test_of_files_without_a_number_the_later_still_counts(county: ReportingCounty):
    """And they stand below every number, as in guarantee books."""
    replay(county, [numbered(MARCH, None, L1=A, L2=A), numbered(MARCH, None, L1=B), numbered(MARCH, 1, L1=C)])
    assert balances(county) == {"L1": "10000.00"}
    replay_more = numbered(MARCH, None, L1=A, L2=C)
    assert county.push(submission(replay_more))["changed"] == 1
    assert balances(county) == {"L1": "10000.00", "L2": "10000.00"}


@pytest.mark.parametrize("last", [1, 2])
def test_what_any_file_of_the_day_rejected_is_not_missing_from_it(county: ReportingCounty, last: int):
    """Its row was told of as rejected, whichever file came last."""
    replay(county, [numbered(FEBRUARY, 1, L1=A, L2=A, L3=A)])
    files = {1: Ledger(BANK, MARCH, {}, frozenset({"L1"}), 1), 2: numbered(MARCH, 2, L2=A)}
    for number in (3 - last, last):
        county.push(submission(files[number]))
    assert known(county)["missing_with_balance"] == ["L3"]
