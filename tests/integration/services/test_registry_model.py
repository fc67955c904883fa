"""The registry and the statistics against a model that is nothing but their definitions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.assertions.ledgers import check_changes, check_figures, check_registry, check_scopes, push
from tests.support.builders.loans import OVERDUE, PRODUCTS, SETTLED, VILLAGES, WRITTEN_OFF, state
from tests.support.model import Ledger, Model
from tests.support.reporting import BANKS, ReportingCounty, open_county

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode

DATES = tuple(
    dt.date(*day)
    for day in ((2024, 12, 10), (2024, 12, 31), (2025, 1, 20), (2025, 1, 31), (2025, 2, 28), (2025, 3, 31))
)
MONTHS = ("2024-12", "2025-01", "2025-02", "2025-03")
LOANS = tuple(f"L{number}" for number in range(1, 9))
SENDERS = (*(BANKS[:1] * 5), BANKS[1])

STATES = st.one_of(
    st.sampled_from([SETTLED, OVERDUE, WRITTEN_OFF]),
    st.builds(
        state,
        household_no=st.sampled_from(["H1", "H2", None]),
        region=st.sampled_from(VILLAGES),
        product=st.sampled_from(PRODUCTS),
        balance=st.sampled_from(["50000.00", "33333.33", "0.01", "0.00"]),
        due_date=st.sampled_from(["2024-12-20", "2025-01-20", "2025-02-28", "2026-01-10"]),
        five_tier_class=st.sampled_from(["normal", "loss"]),
        overdue_days=st.sampled_from([0, 1]),
        borrower_name=st.sampled_from(["张三", "李四"]),
        signed=st.sampled_from([None, "2024-01-08"]),
        continuation=st.sampled_from([None, "none", "moratorium", "renewal"]),
        original_loan_no=st.sampled_from([None, "L1", "L2"]),
        start_date=st.sampled_from(["2024-01-10", "2024-11-20"]),
    ),
)


ABSENT, REJECTED, *_ = WORDS = range(5)
"""What a ledger may say of a loan: nothing, a row that was not taken, or one of three states."""


@st.composite
def histories(draw: st.DrawFn) -> list[Ledger]:
    """Return ledgers in the order in which they arrive.

    Three states only, so that many a ledger confirms another, or goes back to what held before; and many
    loans, since what befalls one of them does not depend on the others.
    """
    states = draw(st.lists(STATES, min_size=3, max_size=3))
    said = st.lists(st.sampled_from(WORDS), min_size=len(LOANS), max_size=len(LOANS))
    pushed = draw(st.lists(st.tuples(st.sampled_from(SENDERS), st.sampled_from(DATES), said), min_size=4, max_size=8))
    return [
        Ledger(
            institution,
            as_of,
            {loan: states[word - 2] for loan, word in zip(LOANS, words, strict=True) if word > REJECTED},
            frozenset(loan for loan, word in zip(LOANS, words, strict=True) if word == REJECTED),
        )
        for institution, as_of, words in pushed
    ]


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportingCounty]:
    """A county on a database of this module's own."""
    url = postgresql_node.create_database("registry_model")
    with open_county(url, tmp_path_factory.mktemp("home")) as opened:
        yield opened


def replay(county: ReportingCounty, ledgers: list[Ledger]) -> Model:
    """Push the ledgers in their order, and hold all there is against the model after each."""
    county.empty()
    model = Model()
    for ledger in ledgers:
        push(county, model, ledger, part_rows=4)
        check_registry(county, model)
        check_changes(county, model)
        check_figures(county, model, MONTHS)
    return model


@settings(max_examples=18, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_whatever_arrives_in_whatever_order_the_services_know_what_the_definitions_say(
    county: ReportingCounty, ledgers: list[Ledger]
):
    """Receipts, states at every date, absences, published changes and figures equal the model after every ledger."""
    model = replay(county, ledgers)
    check_scopes(county, model, (*MONTHS, "2024-11", "2026-01"))


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_figures_rebuilt_from_the_registry_are_those_that_were_folded(county: ReportingCounty, ledgers: list[Ledger]):
    """A rebuild in the midst of it changes no figure, and what is folded afterwards builds on it."""
    county.empty()
    model = Model()
    half = len(ledgers) // 2
    for ledger in ledgers[:half]:
        push(county, model, ledger)
    assert county.rebuild()["receipt"] == half
    check_figures(county, model, MONTHS)
    for ledger in ledgers[half:]:
        push(county, model, ledger)
    folded = county.everything()
    county.rebuild()
    assert county.everything() == folded
    check_figures(county, model, MONTHS)


def test_a_loan_that_is_taken_back_is_missing_since_the_first_of_several_late_ledgers(county: ReportingCounty):
    """Each late ledger left a span of its own; together they are one, up to the ledger that was replaced."""
    days = ("2024-12-31", "2025-03-31", "2025-01-31", "2025-01-20", "2025-03-31")
    both, one = {"L1": state(), "L2": state()}, {"L1": state()}
    ledgers = [
        Ledger("PSB01", dt.date.fromisoformat(day), dict(rows))
        for day, rows in zip(days, (both, both, one, one, one), strict=True)
    ]
    replay(county, ledgers)
    [row] = county.rows("SELECT missing_since FROM registry.loan WHERE loan_no = 'L2'")
    assert row["missing_since"] == dt.date(2025, 1, 20)
    assert county.rows("SELECT FROM registry.loan_absence") == []
