"""Ledgers and confirmations in any order: the same loans are lent on the same confirmations, the same is told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.registry.applications import lending
from services.registry.applications.lending import Confirmed, Lent
from tests.support.builders.statements import policy
from tests.support.lending import CONFIRMED, application, confirm, differences, loan, push, standing, start
from tests.support.reporting import INSURER, Submission

if TYPE_CHECKING:
    from tests.support.reporting import ReportingCounty

MONTHS = (dt.date(2024, 5, 31), dt.date(2024, 6, 30), dt.date(2024, 7, 31))
HOUSEHOLDS = ("H1", "H2")
LOANS = ("L1", "L2", "L3", "L4")
APPLICATIONS = ("A1", "A2", "A3")

LOAN = st.builds(
    lambda start_date, **changes: loan(start_date=start_date, due_date=f"2025{start_date[4:]}", **changes),
    start_date=st.sampled_from(["2024-05-09", "2024-05-10", "2024-05-20"]),
    household_no=st.sampled_from(HOUSEHOLDS),
    product=st.sampled_from(["POOR", "POOR", "RURAL"]),
    principal=st.sampled_from(["20000.00", "50000.00"]),
    balance=st.sampled_from(["20000.00", "0.00"]),
    annual_rate_percent=st.sampled_from(["4.350000", "4.750000"]),
    confirmation_no=st.sampled_from([None, None, "A1", "A2", "Z9"]),
    continuation=st.sampled_from([None, None, "renewal"]),
    original_loan_no=st.sampled_from([None, "L1", "L4"]),
)
LEDGER = st.dictionaries(st.sampled_from(LOANS), LOAN, min_size=1)
MONTHLY = st.tuples(*(st.none() | LEDGER for _ in MONTHS))
HOUSEHOLD_OF = st.tuples(*(st.sampled_from(HOUSEHOLDS) for _ in APPLICATIONS))
POLICY = st.none() | st.sampled_from(LOANS)


def arrivals(
    ledgers: tuple[dict[str, Any] | None, ...], households: tuple[str, ...], insured: str | None
) -> list[tuple[Any, ...]]:
    """Return what arrives, in the order of the calendar."""
    found: list[tuple[Any, ...]] = [
        ("confirmation", number, household) for number, household in zip(APPLICATIONS, households, strict=True)
    ]
    found += [("ledger", month, rows) for month, rows in zip(MONTHS, ledgers, strict=True) if rows]
    return [*found, ("policy", insured)] if insured else found


def deliver(county: ReportingCounty, arrival: tuple[Any, ...]) -> None:
    """Let it arrive."""
    match arrival:
        case "confirmation", number, household:
            confirm(county, application(number, borrower_no=household, policy="xingan", product="household"))
        case "ledger", month, rows:
            push(county, *(row | {"loan_no": number} for number, row in rows.items()), as_of=month)
        case "policy", number:
            stated = policy("P1", number, household_no="H1", start_date="2024-05-25", end_date="2025-05-25")
            county.push(Submission(INSURER, MONTHS[0], [stated], kind="insurance_package"))


def outcome(county: ReportingCounty, order: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Return what comes of arrivals in an order: applications, differences, loans that go on, and figures."""
    county.empty()
    start(county, "341599", "2024-05-01")
    for arrival in order:
        deliver(county, arrival)
    return {
        "applications": standing(county),
        "days": county.rows("SELECT application_no, stage_since, due FROM registry.application ORDER BY 1"),
        "differences": differences(county),
        "once": county.rows("SELECT * FROM registry.continuation_told ORDER BY 1, 2, 3, 4"),
        "figures": county.figures(*({"region": "341599", "month": f"{month:%Y-%m}"} for month in MONTHS)),
    }


@settings(max_examples=4, suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])
@given(MONTHLY, HOUSEHOLD_OF, POLICY, st.data())
def test_any_order_of_ledgers_and_confirmations_comes_to_the_same(
    county: ReportingCounty,
    ledgers: tuple[dict[str, Any] | None, ...],
    households: tuple[str, ...],
    insured: str | None,
    data: st.DataObject,
):
    """Which loan is whose, what differs, what is counted once, and every figure."""
    in_order = arrivals(ledgers, households, insured)
    shuffled = data.draw(st.permutations(in_order))
    expected, found = outcome(county, in_order), outcome(county, shuffled)
    stale = ("stale", "rests_on")
    for each in (expected, found):
        each["figures"] = [
            {name: value for name, value in answer.items() if name not in stale} for answer in each["figures"]
        ]
    assert found == expected


DAYS = st.sampled_from([dt.date(2024, 5, day) for day in range(8, 13)])
FITTING = st.builds(
    Lent,
    application_no=st.sampled_from(APPLICATIONS),
    is_stated=st.booleans(),
    institution=st.sampled_from(["RCB01", "PSB01"]),
    loan_no=st.sampled_from(LOANS),
    product=st.sampled_from(["POOR", "RURAL"]),
    start_date=DAYS,
)


@given(st.lists(FITTING, max_size=8, unique_by=lambda each: (each.application_no, each.loan_no)), st.data())
def test_a_matching_gives_each_loan_once_whatever_the_order(loans: list[Lent], data: st.DataObject):
    """And never one of another bank, product or time, unless it states the number."""
    known = {number: Confirmed(number, "RCB01", "POOR".__eq__, CONFIRMED, None) for number in APPLICATIONS}
    # A loan is one thing, whichever applications it may be of.
    first = {each.loan_no: each for each in reversed(loans)}
    loans = [
        Lent(each.application_no, one.is_stated, one.institution, one.loan_no, one.product, one.start_date)
        for each in loans
        for one in [first[each.loan_no]]
        if not one.is_stated or one.application_no == each.application_no
    ]
    found = lending.match(known.values(), loans)
    assert lending.match(known.values(), data.draw(st.permutations(loans))) == found
    assert len({each.loan_no for each in found.values()}) == len(found)
    for number, each in found.items():
        assert (each.application_no, each.institution) == (number, "RCB01")
        assert each.is_stated or (each.product == "POOR" and each.start_date >= CONFIRMED)
