"""Insurance packages: policies, claims at the stage they have reached, results of periods."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.county.messages.processor import Result
from tests.support.builders.loans import VILLAGES, state
from tests.support.builders.statements import claim, period_result, policy
from tests.support.reporting import COUNTY, INSURER, ReportingCounty, Submission

JANUARY, FEBRUARY, MARCH = dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31)
SETTLED = {"status": "settled", "amount": "30000.00", "paid_date": "2025-01-20", "payee_account_last_four": "0042"}


def package(as_of: dt.date, rows: list[dict[str, Any]], **extra: Any) -> Submission:  # noqa: ANN401  # whatever it has
    """Return an insurance package."""
    return Submission(INSURER, as_of, rows, kind="insurance_package", **extra)


def counts(receipt: dict[str, Any]) -> tuple[int, int, int]:
    """Return changed, unchanged and missing."""
    assert receipt["status"] == "accepted"
    return receipt["changed"], receipt["unchanged"], receipt["missing"]


def claims(county: ReportingCounty, view: str = "newest_claim") -> list[tuple[str, str, str, str]]:
    """Return number, status, amount and date of claims."""
    rows = county.rows(
        f"SELECT claim_no, status, amount::text, as_of::text FROM insurance_claim.{view} ORDER BY claim_no, as_of"
    )
    return [tuple(row.values()) for row in rows]


def test_a_package_is_no_full_list_so_nothing_is_missing(county: ReportingCounty):
    """What a later package does not repeat stands; what it states anew counts."""
    first = [policy("P1", "L1"), policy("P2"), claim("C1", "P1"), period_result("2025-01")]
    assert counts(county.push(package(JANUARY, first))) == (4, 0, 0)
    second = [claim("C1", "P1", **SETTLED), period_result("2025-01", claims="1300000.01"), policy("P2")]
    assert counts(county.push(package(FEBRUARY, second))) == (2, 1, 0)
    assert claims(county) == [("C1", "settled", "30000.00", "2025-02-28")]
    assert claims(county, "claim") == [
        ("C1", "filed", "0.00", "2025-01-31"),
        ("C1", "settled", "30000.00", "2025-02-28"),
    ]
    assert county.rows(
        "SELECT policy_no, loan_no, premium_finance::text FROM insurance_claim.newest_policy ORDER BY 1"
    ) == [
        {"policy_no": "P1", "loan_no": "L1", "premium_finance": "60.00"},
        {"policy_no": "P2", "loan_no": None, "premium_finance": "60.00"},
    ]
    assert county.rows("SELECT period, claims::text FROM insurance_claim.newest_period_result") == [
        {"period": "2025-01", "claims": "1300000.01"}
    ]


def test_a_late_package_does_not_take_a_claim_back(county: ReportingCounty):
    """That a claim was being surveyed is history once it was settled."""
    county.push(package(MARCH, [claim("C1", "P1", **SETTLED)]))
    assert counts(county.push(package(FEBRUARY, [claim("C1", "P1", status="surveying")]))) == (1, 0, 0)
    assert claims(county) == [("C1", "settled", "30000.00", "2025-03-31")]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_two_packages_of_one_date_the_higher_number_counts(county: ReportingCounty, order: tuple[int, int]):
    """In whatever order they come; the lower one that comes second has nothing new to say."""
    rows = {1: claim("C1", "P1"), 2: claim("C1", "P1", **SETTLED)}
    received = [counts(county.push(package(JANUARY, [rows[place]], file_sequence=place))) for place in order]
    assert received == ([(1, 0, 0), (1, 0, 0)] if order == (1, 2) else [(1, 0, 0), (0, 1, 0)])
    assert claims(county, "claim") == [("C1", "settled", "30000.00", "2025-01-31")]


def test_a_policy_may_begin_after_its_package(county: ReportingCounty):
    """Policies are sold ahead."""
    assert counts(county.push(package(JANUARY, [policy("P1", start_date="2025-03-01")]))) == (1, 0, 0)


@pytest.mark.parametrize("dates", [{"event_date": "2025-02-01"}, {"paid_date": "2025-02-01"}])
def test_nothing_has_happened_after_the_packages_day(county: ReportingCounty, dates: dict[str, str]):
    """A claim of what is to come refuses the package, whatever program sealed it."""
    receipt = county.push(package(JANUARY, [claim("C1", "P1", **dates)]))
    assert (receipt["status"], receipt["code"]) == ("refused", "HL2025")


def test_a_claim_stated_twice_refuses_the_whole_package(county: ReportingCounty):
    """Which of the two counts nobody could tell."""
    receipt = county.push(package(JANUARY, [policy("P1"), claim("C1", "P1"), claim("C1", "P1", **SETTLED)]))
    assert (receipt["status"], receipt["code"]) == ("refused", "HL3013")
    assert "claims.claim_no 重复" in receipt["message"]
    assert county.rows("SELECT * FROM insurance_claim.policy") == []


def test_totals_are_held_to_premiums_and_claims(county: ReportingCounty):
    """A premium that does not add up refuses the whole package, its claims too."""
    rows = [policy("P1"), claim("C1", "P1", **SETTLED)]
    totals = package(JANUARY, rows).totals()
    assert totals == {"policies.sum_insured": "50000.00", "policies.premium": "100.00", "claims.amount": "30000.00"}
    file = package(JANUARY, rows, stated={"totals": totals | {"policies.premium": "99.00"}})
    receipt = county.push(file)
    assert (receipt["code"], "policies.premium 清单为 99.00，明细为 100.00" in receipt["message"]) == ("HL3012", True)
    assert claims(county) == []


def test_one_claim_alone_may_be_submitted(county: ReportingCounty):
    """As an insurer does that reports each as it happens."""
    assert counts(county.push(package(JANUARY, [claim("C1", "P1")]))) == (1, 0, 0)


@pytest.mark.parametrize("member", ["RCB01", "GUA01", COUNTY])
def test_only_an_insurer_submits_a_package(county: ReportingCounty, member: str):
    """Not even an empty one."""
    file = Submission(member, JANUARY, [], kind="insurance_package")
    assert county.deliver(county.messages(file)[0]).result is Result.REFUSED
    assert county.dead_letters() == [("HL1004", f"member {member} may not send policies")]


def found(county: ReportingCounty, **scope: str) -> list[tuple[Any, ...]]:
    """Return what does not match of what the insurer stated."""
    with county.transaction() as transaction:
        rows = county.registry["differences"](transaction, **({"region": COUNTY, "institution": INSURER} | scope))
        return [tuple(row.values()) for row in rows]


def test_policies_without_loan_and_claims_without_policy_are_named(county: ReportingCounty):
    """A policy of no loan is none of them; a claim is found by its own number where it names no loan."""
    county.push(Submission("PSB01", JANUARY, [{"loan_no": "L1"} | state()]))
    rows = [
        policy("P1", "L1", start_date="2025-01-01"),
        policy("P2"),
        policy("P3", "L3", region=VILLAGES[2], household_no="H3"),
        claim("C1", "P1"),
        claim("C2", "P9"),
        claim("C3", "P9", loan_no="L1"),
    ]
    county.push(package(FEBRUARY, rows))
    expected = [
        ("claim_without_policy", INSURER, "L1", None, None, "2025-02-28", "C3", None),
        ("claim_without_policy", INSURER, None, None, None, "2025-02-28", "C2", None),
        ("policy_without_loan", INSURER, "L3", "H3", VILLAGES[2], "2025-02-28", "P3", None),
    ]
    assert found(county) == expected
    assert found(county, region=VILLAGES[2]) == expected[2:]
    county.push(package(MARCH, [policy("P9", start_date="2025-01-01"), policy("P3", "L1")]))
    assert found(county) == []


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_same_packages_in_any_order_come_to_the_same(opened: ReportingCounty, data: st.DataObject):
    """Each claim and policy is what the newest package with it said."""
    days = data.draw(
        st.lists(
            st.tuples(st.sampled_from([JANUARY, FEBRUARY, MARCH]), st.integers(1, 2)),
            min_size=2,
            max_size=4,
            unique=True,
        )
    )
    stages = st.sampled_from([{}, {"status": "surveying"}, SETTLED])
    said = [data.draw(st.dictionaries(st.sampled_from(["C1", "C2"]), stages)) for _ in days]
    packages = [
        package(
            day,
            [claim(name, "P1", **changes) for name, changes in stated.items()] + [policy("P1", f"L{number}")],
            file_sequence=number,
            number=-place,
        )
        for place, ((day, number), stated) in enumerate(zip(days, said, strict=True))
    ]
    opened.empty()
    for file in data.draw(st.permutations(packages)):
        opened.push(file)
    expected: dict[str, tuple[str, str, str, str]] = {}
    for file in sorted(packages, key=lambda file: (file.as_of, file.file_sequence)):
        for row in file.of_type("claims"):
            expected[row["claim_no"]] = (row["claim_no"], row["status"], row["amount"], file.as_of.isoformat())
    assert claims(opened) == sorted(expected.values())
    newest = max(days)
    assert opened.rows("SELECT loan_no, as_of FROM insurance_claim.newest_policy") == [
        {"loan_no": f"L{newest[1]}", "as_of": newest[0]}
    ]
