"""The figures as arithmetic on changes: exact values, and sums that do not depend on order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huilian.records import columnar
from schemas.records import LoanChange, LoanState
from services.statistics import domain

TYPES = columnar.wire_types(LoanChange)
STATE = {
    "household_no": "H1",
    "region": "341599001001",
    "product": "POOR",
    "principal": "50000.00",
    "balance": "50000.00",
    "annual_rate_percent": "4.35",
    "start_date": "2024-01-10",
    "due_date": "2026-01-10",
    "settled_date": None,
    "five_tier_class": "normal",
    "overdue_days": 0,
    "overdue_principal": "0.00",
    "overdue_interest": "0.00",
    "status": "normal",
    "signed": "2024-01-08",
    "confirmation_no": None,
    "continuation": "none",
    "original_loan_no": None,
}
WRITTEN_OFF = {"status": "written_off", "overdue_principal": "30000.00"}
JANUARY, FEBRUARY, MARCH = dt.date(2025, 1, 1), dt.date(2025, 2, 1), dt.date(2025, 3, 1)
DUE = dt.date(2026, 1, 1)


def change(
    after: dict[str, Any], before: dict[str, Any] | None = None, as_of: str = "2025-01-31", until: str | None = None
) -> dict[str, Any]:
    """Return one change."""
    return {
        "institution": "RCB01",
        "loan_no": "L1",
        "as_of": as_of,
        "until": until,
        "before": before,
        "after": after,
        "line": 2,
    }


def frame(*changes: dict[str, Any]) -> pl.DataFrame:
    """Return changes as a frame in wire types."""
    return pl.DataFrame(list(changes), schema=TYPES)


def cells(deltas: domain.Deltas) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Return measures by month, due month and region."""
    rows = deltas.cells.iter_rows(named=True)
    return {
        (row["month"], row["due_month"], row["region"]): tuple(row[name] for name in domain.MEASURES) for row in rows
    }


def households(deltas: domain.Deltas) -> dict[tuple[Any, ...], int]:
    """Return loans by month, region and household."""
    rows = deltas.households.iter_rows(named=True)
    return {(row["month"], row["region"], row["household_no"]): row["loans"] for row in rows}


def test_the_schema_shares_what_the_figures_need():
    """The state in these tests is the state that changes carry."""
    assert tuple(STATE) == columnar.columns(LoanState)


@pytest.mark.parametrize(
    ("changes", "measures"),
    [
        ({}, (1, 5_000_000, 5_000_000, 0, 0, 0)),
        ({"balance": "0.01"}, (1, 5_000_000, 1, 0, 0, 4_999_999)),
        ({"balance": "0.00", "status": "settled"}, (0, 5_000_000, 0, 0, 0, 5_000_000)),
        ({"overdue_days": 1}, (1, 5_000_000, 5_000_000, 5_000_000, 0, 0)),
        ({"status": "overdue"}, (1, 5_000_000, 5_000_000, 5_000_000, 0, 0)),
        ({"overdue_interest": "3.00"}, (1, 5_000_000, 5_000_000, 0, 0, 0)),
        ({"five_tier_class": "special_mention"}, (1, 5_000_000, 5_000_000, 0, 0, 0)),
        ({"five_tier_class": "substandard"}, (1, 5_000_000, 5_000_000, 0, 5_000_000, 0)),
        ({"five_tier_class": "doubtful"}, (1, 5_000_000, 5_000_000, 0, 5_000_000, 0)),
        ({"five_tier_class": "loss", "overdue_days": 400}, (1, 5_000_000, 5_000_000, 5_000_000, 5_000_000, 0)),
        (WRITTEN_OFF | {"balance": "0.00"}, (0, 5_000_000, 0, 0, 0, 2_000_000)),
        (WRITTEN_OFF | {"balance": "40000.00"}, (1, 5_000_000, 4_000_000, 0, 0, 1_000_000)),
        (WRITTEN_OFF | {"balance": "0.00", "status": "overdue"}, (0, 5_000_000, 0, 0, 0, 5_000_000)),
    ],
)
def test_a_loan_counts_by_its_state(changes: dict[str, Any], measures: tuple[int, ...]):
    """A new loan in fen: whether it has a balance, lent, owed, overdue, bad and repaid."""
    deltas = domain.fold(frame(change(STATE | changes)))
    assert cells(deltas) == {(JANUARY, DUE, "341599001001"): measures}
    assert households(deltas) == ({(JANUARY, "341599001001", "H1"): 1} if measures[0] else {})


def test_a_loan_of_no_household_is_a_loan_of_no_household():
    """It counts among the loans only."""
    deltas = domain.fold(frame(change(STATE | {"household_no": None})))
    assert list(cells(deltas).values()) == [(1, 5_000_000, 5_000_000, 0, 0, 0)]
    assert households(deltas) == {}


def test_a_change_adds_what_is_and_takes_off_what_was():
    """A repayment leaves the loan where it is and moves its balance to repaid."""
    deltas = domain.fold(frame(change(STATE | {"balance": "20000.00"}, STATE, "2025-02-15")))
    assert cells(deltas) == {(FEBRUARY, DUE, "341599001001"): (0, 0, -3_000_000, 0, 0, 3_000_000)}
    assert households(deltas) == {}


def test_a_change_that_ends_is_taken_off_in_the_month_it_ends():
    """A late ledger's change holds from its month until that of the ledger which knew better."""
    deltas = domain.fold(frame(change(STATE | {"balance": "20000.00"}, STATE, "2025-01-31", "2025-03-31")))
    assert cells(deltas) == {
        (JANUARY, DUE, "341599001001"): (0, 0, -3_000_000, 0, 0, 3_000_000),
        (MARCH, DUE, "341599001001"): (0, 0, 3_000_000, 0, 0, -3_000_000),
    }


def test_a_change_that_begins_and_ends_within_a_month_is_none():
    """Figures are of the end of a month."""
    deltas = domain.fold(frame(change(STATE | {"balance": "1.00"}, STATE, "2025-01-05", "2025-01-31")))
    assert cells(deltas) == {}


def test_a_loan_that_moves_leaves_one_cell_for_another():
    """Region and due month are where a loan is counted, before and after."""
    moved = STATE | {"region": "341599002001", "due_date": "2027-05-01", "household_no": "H2"}
    deltas = domain.fold(frame(change(moved, STATE, "2025-02-28")))
    assert cells(deltas) == {
        (FEBRUARY, DUE, "341599001001"): (-1, -5_000_000, -5_000_000, 0, 0, 0),
        (FEBRUARY, dt.date(2027, 5, 1), "341599002001"): (1, 5_000_000, 5_000_000, 0, 0, 0),
    }
    assert households(deltas) == {
        (FEBRUARY, "341599001001", "H1"): -1,
        (FEBRUARY, "341599002001", "H2"): 1,
    }


def test_the_largest_amounts_stay_exact():
    """A quadrillion yuan and a fen is not rounded."""
    large = STATE | {"principal": "9999999999999999.99", "balance": "9999999999999999.98"}
    [measures] = cells(domain.fold(frame(change(large)))).values()
    assert measures == (1, 999_999_999_999_999_999, 999_999_999_999_999_998, 0, 0, 1)


STATES = st.builds(
    lambda **changes: STATE | changes,
    household_no=st.sampled_from(["H1", "H2", None]),
    region=st.sampled_from(["341599001001", "341599001002"]),
    balance=st.sampled_from(["50000.00", "0.01", "0.00"]),
    due_date=st.sampled_from(["2025-01-10", "2026-01-10"]),
    overdue_days=st.sampled_from([0, 1]),
    status=st.sampled_from(["normal", "written_off"]),
)
DATES = st.sampled_from(["2025-01-10", "2025-01-31", "2025-02-28", "2025-03-31"])
CHANGES = st.lists(st.builds(change, STATES, st.none() | STATES, DATES, st.none() | DATES), max_size=8)


@given(CHANGES, st.data())
def test_changes_add_up_however_they_are_ordered_and_grouped(changes: list[dict[str, Any]], data: st.DataObject):
    """Folding is commutative, merging associative: any grouping of any order gives one result."""
    whole = domain.fold(frame(*changes))
    shuffled = data.draw(st.permutations(changes))
    cut = sorted(data.draw(st.lists(st.integers(0, len(changes)), min_size=2, max_size=2)))
    first, second, third = (
        domain.fold(frame(*part)) for part in (shuffled[: cut[0]], shuffled[cut[0] : cut[1]], shuffled[cut[1] :])
    )
    left = domain.merge([domain.merge([first, second]), third])
    right = domain.merge([third, domain.merge([second, first])])
    assert cells(left) == cells(right) == cells(whole)
    assert households(left) == households(right) == households(whole)


@given(CHANGES)
def test_a_change_and_its_opposite_leave_nothing(changes: list[dict[str, Any]]):
    """What is undone is as if it had never been."""
    both = [change for change in changes if change["before"] is not None]
    opposite = [change | {"before": change["after"], "after": change["before"]} for change in both]
    deltas = domain.merge([domain.fold(frame(*both)), domain.fold(frame(*opposite))])
    assert deltas.cells.height == 0
    assert deltas.households.height == 0


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, None),
        (5, 0, None),
        (0, 5, "0.000000"),
        (1, 3, "0.333333"),
        (2, 3, "0.666667"),
        (1, 2_000_000, "0.000001"),
        (3, 2_000_000, "0.000002"),
        (1, 2_000_001, "0.000000"),
        (5, 5, "1.000000"),
        (6, 5, "1.200000"),
        (999_999_999_999_999_999, 1_000_000_000_000_000_000, "1.000000"),
        (1, 1_000_000_000_000, "0.000000"),
    ],
)
def test_a_ratio_has_six_places_rounded_half_up(part: int, whole: int, expected: str | None):
    """Never a float, never in powers of ten, and none without a denominator."""
    assert domain.ratio(part, whole) == expected


def test_a_month_is_named_by_its_first_day():
    """Whatever the day."""
    assert domain.month_of(dt.date(2025, 2, 28)) == FEBRUARY


def test_sums_are_shown_in_yuan():
    """Fen become decimal strings with two places, ratios strings with six."""
    row = {
        "loans": 3,
        "households": 2,
        "lent": 15_000_000,
        "balance": 9_000_001,
        "overdue_balance": 1,
        "bad_balance": 3_000_000,
        "due_principal": 5_000_000,
        "due_repaid": 4_900_000,
    }
    assert domain.shown(row) == {
        "loans": 3,
        "households": 2,
        "lent": "150000.00",
        "balance": "90000.01",
        "overdue_balance": "0.01",
        "bad_balance": "30000.00",
        "bad_loan_ratio": "0.333333",
        "due_loan_recovery_rate": "0.980000",
    }
