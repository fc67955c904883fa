"""The roster, the repayment journal, and what does not match between them and the loans."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from stdnum.cn import ric

from huilian.records import columnar
from schemas.records import HouseholdState
from tests.integration.services.test_statement_changes import published, summed, told
from tests.support.builders.loans import VILLAGES, state
from tests.support.reporting import COUNTY, ReportingCounty, Submission

JANUARY, FEBRUARY, MARCH = dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31)
APRIL = dt.date(2025, 4, 30)


def identity(number: int) -> str:
    """Return a valid identity number."""
    first = f"34159919700101{number:03}"
    return first + ric.calc_check_digit(first + "0")


def person(household: str, number: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever a person has
    """Return a person of the roster; number 1 is the head."""
    return {
        "household_no": household,
        "head_name": "张三",
        "person_name": f"成员{number}",
        "identity_number": identity(int(household[1:]) * 10 + number),
        "relation_to_head": "户主" if number == 1 else "子女",
        "region": VILLAGES[0],
        "category": "out_of_poverty",
        "is_head": "yes" if number == 1 else "no",
        "health": None,
        "labour_skill": None,
        "household_size": 2,
        "annual_income": "12000.00",
        "phone": None,
        "account_last_four": "0042",
    } | changes


FIRST = [person("H1", 1), person("H1", 2), person("H2", 1, region=VILLAGES[1])]


def roster(county: ReportingCounty, as_of: dt.date, rows: list[dict[str, Any]]) -> tuple[int, int, int]:
    """Push a roster and return what its receipt counts: changed, unchanged, missing."""
    return counts(county.push(Submission(COUNTY, as_of, rows, kind="roster", part_rows=2)))


def counts(receipt: dict[str, Any]) -> tuple[int, int, int]:
    """Return changed, unchanged and missing."""
    assert receipt["status"] == "accepted"
    return receipt["changed"], receipt["unchanged"], receipt["missing"]


def names(county: ReportingCounty, table: str = "person") -> list[tuple[str, str, str]]:
    """Return household, name and date of every person."""
    rows = county.rows(f"SELECT household_no, person_name, as_of::text FROM registry.{table} ORDER BY 1, 3, 2")
    return [tuple(row.values()) for row in rows]


def test_a_roster_counts_what_changed_what_did_not_and_who_is_missing(county: ReportingCounty):
    """A first roster is all new; the next changes one person, adds one and misses one."""
    assert roster(county, JANUARY, FIRST) == (3, 0, 0)
    second = [FIRST[0], FIRST[1] | {"person_name": "张小三"}, person("H3", 1)]
    assert roster(county, FEBRUARY, second) == (2, 1, 1)
    assert names(county) == [
        ("H1", "成员1", "2025-01-31"),
        ("H1", "张小三", "2025-02-28"),
        ("H2", "成员1", "2025-01-31"),
        ("H3", "成员1", "2025-02-28"),
    ]
    assert names(county, "person_history") == [("H1", "成员2", "2025-01-31")]
    households = county.rows("SELECT household_no, region, annual_income::text FROM registry.household ORDER BY 1")
    assert households == [
        {"household_no": "H1", "region": VILLAGES[0], "annual_income": "12000.00"},
        {"household_no": "H3", "region": VILLAGES[0], "annual_income": "12000.00"},
    ]
    assert county.rows(
        "SELECT household_no, missing_since::text FROM registry.person WHERE missing_since > '0001-1-1'"
    ) == [{"household_no": "H2", "missing_since": "2025-02-28"}]


def test_a_household_that_is_back_is_changed_and_one_still_missing_is_not_counted_again(county: ReportingCounty):
    """Missing is counted when it happens; to be there again is a change."""
    roster(county, JANUARY, FIRST)
    assert roster(county, FEBRUARY, FIRST[:1]) == (0, 1, 2)
    assert roster(county, MARCH, FIRST[:2]) == (1, 1, 0)
    assert county.rows("SELECT count(*) FROM registry.person WHERE missing_since IS NULL") == [{"count": 2}]
    assert names(county, "person_history") == [("H1", "成员2", "2025-01-31")]


def test_a_roster_of_the_same_date_takes_the_place_of_the_first(county: ReportingCounty):
    """A corrected file of one date leaves no history of what never held."""
    roster(county, JANUARY, FIRST)
    assert roster(county, JANUARY, [FIRST[0] | {"person_name": "张三丰"}, FIRST[1]]) == (1, 1, 1)
    assert names(county)[0] == ("H1", "张三丰", "2025-01-31")
    assert names(county, "person_history") == []


def test_an_older_roster_leaves_newer_facts_alone(county: ReportingCounty):
    """It is kept in history where it says something else of its date; nobody new appears, nobody is missing."""
    roster(county, JANUARY, FIRST)
    roster(county, MARCH, FIRST)
    households = "SELECT household_no, head_name, region, category FROM registry.household ORDER BY 1"
    before = county.rows(households)
    late = [FIRST[0] | {"person_name": "张大"}, FIRST[1], person("H9", 1)]
    assert roster(county, FEBRUARY, late) == (2, 1, 0)
    assert names(county, "person_history") == [
        ("H1", "成员1", "2025-01-31"),
        ("H1", "张大", "2025-02-28"),
        ("H9", "成员1", "2025-02-28"),
    ]
    # The roster of March, which was first known to say what that of January said, begins again at its date.
    assert names(county) == [
        ("H1", "成员2", "2025-01-31"),
        ("H1", "成员1", "2025-03-31"),
        ("H2", "成员1", "2025-01-31"),
    ]
    assert county.rows(households) == before
    assert roster(county, FEBRUARY, late) == (0, 3, 0)
    assert roster(county, FEBRUARY, [late[0] | {"person_name": "张二"}]) == (1, 0, 0)
    assert names(county, "person_history")[1] == ("H1", "张二", "2025-02-28")


def repayment(number: str, loan: str = "L1", **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever it has
    """Return a repayment."""
    return {
        "loan_no": loan,
        "transaction_no": number,
        "transaction_date": "2025-01-15",
        "principal": "100.00",
        "interest": "1.50",
        "channel": None,
    } | changes


def journal(county: ReportingCounty, as_of: dt.date, rows: list[dict[str, Any]]) -> tuple[int, int, int]:
    """Push a repayment journal and return what its receipt counts."""
    return counts(county.push(Submission("RCB01", as_of, rows, kind="repayment_journal")))


def amounts(county: ReportingCounty) -> dict[str, str]:
    """Return the principal of each transaction."""
    rows = county.rows("SELECT transaction_no, principal::text FROM registry.repayment ORDER BY 1")
    return {row["transaction_no"]: row["principal"] for row in rows}


def test_a_repayment_stated_again_is_corrected_and_never_missing(county: ReportingCounty):
    """A journal need not repeat what former ones had; what it states anew counts."""
    assert journal(county, JANUARY, [repayment("T1"), repayment("T2")]) == (2, 0, 0)
    assert journal(county, FEBRUARY, [repayment("T2", principal="-20.00"), repayment("T3")]) == (2, 0, 0)
    assert amounts(county) == {"T1": "100.00", "T2": "-20.00", "T3": "100.00"}


def test_an_older_journal_never_overwrites_what_a_newer_one_said_or_confirmed(county: ReportingCounty):
    """What January said and March repeated is not undone by February's file that comes late."""
    journal(county, JANUARY, [repayment("T1")])
    assert journal(county, MARCH, [repayment("T1"), repayment("T2")]) == (1, 1, 0)
    late = [repayment("T1", principal="7.00"), repayment("T2", principal="7.00"), repayment("T3", principal="7.00")]
    assert journal(county, FEBRUARY, late) == (1, 2, 0)
    assert amounts(county) == {"T1": "100.00", "T2": "100.00", "T3": "7.00"}
    assert journal(county, MARCH, [repayment("T1", principal="8.00")]) == (1, 0, 0)
    assert amounts(county)["T1"] == "8.00"


def loan(number: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever a loan has
    """Return a loan of the head of household H1."""
    of_head = {"identity_type": "resident_identity_card", "identity_number": identity(11)}
    return {"loan_no": number} | state(**of_head) | changes


def found(county: ReportingCounty, region: str = COUNTY, **scope: str) -> list[tuple[str, str]]:
    """Return kind and loan of what does not match."""
    with county.transaction() as transaction:
        rows = county.registry["differences"](transaction, region=region, **scope)
        return [(row["kind"], row["loan_no"]) for row in rows]


def test_what_does_not_match_is_named_by_kind(county: ReportingCounty):
    """Each kind of difference is found, and a loan that matches is not."""
    roster(county, JANUARY, FIRST)
    loans = [
        loan("L1"),
        loan("L2", household_no="H9"),
        loan("L3", household_no=None),
        loan("L4", identity_number=identity(21)),
        loan("L5", region=VILLAGES[2]),
        loan("L6", balance="0.00"),
        loan("L7", region="341599001"),
        loan("L8", identity_type="other", identity_number="A1"),
    ]
    county.push(Submission("RCB01", JANUARY, [*loans, loan("M1"), loan("M2", balance="0.00", status="settled")]))
    county.push(Submission("RCB01", FEBRUARY, loans))
    journal(county, FEBRUARY, [repayment("T1", "L1"), repayment("T2", "L0"), repayment("T3", "L0")])
    assert found(county) == [
        ("borrower_not_in_household", "L4"),
        ("household_not_on_roster", "L2"),
        ("household_not_on_roster", "L3"),
        ("missing_with_balance", "M1"),
        ("region_not_the_households", "L5"),
        ("repayment_without_loan", "L0"),
    ]
    assert found(county, VILLAGES[2]) == [("region_not_the_households", "L5")]
    assert found(county, institution="PSB01") == []


def test_a_household_that_left_the_roster_leaves_its_loans_behind(county: ReportingCounty):
    """A loan of a household that is missing is one of no household on the roster."""
    roster(county, JANUARY, FIRST)
    county.push(Submission("RCB01", JANUARY, [loan("L1")]))
    assert found(county) == []
    roster(county, FEBRUARY, FIRST[2:])
    assert found(county) == [("household_not_on_roster", "L1")]


def test_a_loan_whose_row_was_rejected_is_not_missing(county: ReportingCounty):
    """The ledger had it; that it could not be taken is told by the rejection."""
    roster(county, JANUARY, FIRST)
    county.push(Submission("RCB01", JANUARY, [loan("L1"), loan("L2")]))
    county.push(Submission("RCB01", FEBRUARY, [loan("L1")], rejected=["L2"]))
    assert found(county) == []
    county.push(Submission("RCB01", MARCH, [loan("L1")]))
    assert found(county) == [("missing_with_balance", "L2")]


def households(county: ReportingCounty, day: dt.date) -> dict[str, str]:
    """Return category and region of each household at a day, as its changes add up; told anew they say the same."""
    published_sum = summed(published(county, "households_changed"), ("household_no",), day)
    assert summed(told(county, "households_changed"), ("household_no",), day) == published_sum
    assert set(published_sum.values()) <= {1}
    return {number: f"{json.loads(shown)['category']} {json.loads(shown)['region']}" for number, shown in published_sum}


def test_what_is_published_of_households_adds_up_to_the_roster_of_every_day(county: ReportingCounty):
    """New, changed, gone and back; nothing of a person is in it, and what only a person's row changes is not told."""
    roster(county, JANUARY, FIRST)
    before = len(published(county, "households_changed"))
    phone = [person("H1", 1, phone="13800000000"), *FIRST[1:]]
    roster(county, FEBRUARY, phone)
    assert len(published(county, "households_changed")) == before == 2
    changed = [person("H1", 1, category="monitored"), person("H1", 2, category="monitored"), person("H3", 1)]
    roster(county, MARCH, changed)
    one, two = f"out_of_poverty {VILLAGES[0]}", f"out_of_poverty {VILLAGES[1]}"
    assert households(county, FEBRUARY) == {"H1": one, "H2": two}
    assert households(county, MARCH) == {"H1": f"monitored {VILLAGES[0]}", "H3": one}
    roster(county, APRIL, FIRST)
    assert households(county, MARCH) == {"H1": f"monitored {VILLAGES[0]}", "H3": one}
    assert households(county, APRIL) == {"H1": one, "H2": two}
    [change, *_] = published(county, "households_changed")
    assert set(change["after"]) == set(columnar.columns(HouseholdState))


def test_a_late_roster_changes_households_until_the_next_one(county: ReportingCounty):
    """What it says held from its day on; the next roster's word stands."""
    roster(county, JANUARY, [person("H1", 1)])
    roster(county, MARCH, [person("H1", 1, category="monitored"), person("H2", 1)])
    roster(county, FEBRUARY, [person("H1", 1, region=VILLAGES[1]), person("H2", 1, category="ordinary")])
    first, later = f"out_of_poverty {VILLAGES[0]}", f"monitored {VILLAGES[0]}"
    assert households(county, JANUARY) == {"H1": first}
    assert households(county, FEBRUARY) == {"H1": f"out_of_poverty {VILLAGES[1]}", "H2": f"ordinary {VILLAGES[0]}"}
    assert households(county, MARCH) == {"H1": later, "H2": first}


MORE = {
    "village_group": "3组",
    "has_subsistence_allowance": "yes",
    "has_disabled_member": "no",
    "is_destitute_at_home": None,
    "out_of_poverty_year": "2019",
    "poverty_cause": "因病",
    "needs": "贷款养羊",
    "assets": "120000.00",
    "annual_outlay": "18000.00",
}


def test_what_a_roster_says_of_households_by_its_second_version_is_kept_told_and_answered(county: ReportingCounty):
    """What only that version has is a change like any other; a roster by the first says nothing of it."""
    poor = person("H2", 1) | MORE | {"category": "poor", "assets": None}
    roster(county, JANUARY, [person("H1", 1) | MORE, poor])
    county.push(
        Submission(
            COUNTY,
            FEBRUARY,
            [person("H1", 1) | MORE | {"needs": "技术培训"}, person("H2", 1)],
            kind="roster",
            part_rows=1,
        )
    )
    first, second, *later = (change["after"] for change in published(county, "households_changed"))
    usual = {"region": VILLAGES[0], "category": "out_of_poverty", "household_size": 2, "annual_income": "12000.00"}
    nothing = dict.fromkeys(MORE)
    assert (first, second) == (usual | MORE, usual | MORE | {"category": "poor", "assets": None})
    assert later == [usual | MORE | {"needs": "技术培训"}, usual | nothing]
    assert set(households(county, FEBRUARY)) == {"H1", "H2"}
    with county.transaction() as transaction:
        rows = list(county.registry["household_feed"](transaction, region=COUNTY, policy=None, today=FEBRUARY))
    unrated = dict.fromkeys(("score", "grade", "credit_line", "rated_until"))
    shown = {"head_name": "张三", "as_of": "2025-02-28"} | usual | unrated
    assert rows == [
        {"household_no": "H1"} | shown | MORE | {"needs": "技术培训"},
        {"household_no": "H2"} | shown | nothing,
    ]
    history = county.rows("SELECT household_no, needs, assets FROM registry.person_history ORDER BY 1")
    assert [tuple(row.values()) for row in history] == [
        ("H1", "贷款养羊", Decimal("120000.00")),
        ("H2", "贷款养羊", None),
    ]


def test_a_bank_is_shown_the_households_that_have_a_loan_with_it(county: ReportingCounty):
    """Others are none of its business; a household that the newest roster lacks is nobody's any more."""
    roster(county, JANUARY, [person("H1", 1), person("H2", 1, region=VILLAGES[1]), person("H3", 1)])
    roster(county, FEBRUARY, [person("H1", 1), person("H2", 1, region=VILLAGES[1])])
    county.push(Submission("RCB01", JANUARY, [loan("L1", household_no="H2"), loan("L2", household_no="H3")]))
    with county.transaction() as transaction:
        for asked, found in (
            ({"region": COUNTY}, ["H1", "H2"]),
            ({"region": COUNTY, "institution": "RCB01"}, ["H2"]),
            ({"region": VILLAGES[0]}, ["H1"]),
            ({"region": VILLAGES[0], "institution": "RCB01"}, []),
        ):
            rows = county.registry["household_feed"](transaction, policy=None, today=FEBRUARY, **asked)
            assert [row["household_no"] for row in rows] == found


def test_what_is_published_of_repayments_adds_up_to_the_newest_word(county: ReportingCounty):
    """Entered, corrected by a newer journal, not by an older one; told anew it is the same."""
    for day, rows in (
        (FEBRUARY, [repayment("T1", principal="100.00"), repayment("T2", principal="50.00")]),
        (MARCH, [repayment("T1", principal="120.00")]),
        (JANUARY, [repayment("T1", principal="90.00"), repayment("T3", principal="10.00")]),
    ):
        county.push(Submission("RCB01", day, rows, kind="repayment_journal"))
    for changes in (published(county, "repayments_changed"), told(county, "repayments_changed")):
        found = summed(changes, ("transaction_no",), MARCH)
        assert {number: json.loads(shown)["principal"] for number, shown in found} == {
            "T1": "120.00",
            "T2": "50.00",
            "T3": "10.00",
        }
        assert set(found.values()) == {1}
    assert len(published(county, "repayments_changed")) == 4
