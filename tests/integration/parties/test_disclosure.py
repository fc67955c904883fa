"""What a member sees of households: the roster of the villages a bank serves, its customers, and who consented."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from huilian.county.jobs import run_due
from huilian.wire import envelope
from services.registry.deliveries import households
from tests.support.parties import HEADS
from tests.support.ratings import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE

if TYPE_CHECKING:
    from tests.support.parties import PartiesCounty

BEYOND: Final = {
    *("has_subsistence_allowance", "has_disabled_member", "is_destitute_at_home", "poverty_cause", "needs"),
    *("household_size", "annual_income", "annual_outlay", "assets"),
}
"""What a bank does not see of whom it only serves."""
LOAN: Final = {
    "household_no": "K1", "borrower_name": "某人", "identity_type": "resident_identity_card", "identity_number": "0",
    "region": OTHER_VILLAGE, "product": "A", "principal": "1.00", "balance": "1.00", "annual_rate_percent": "4.35",
    "start_date": "2024-01-01", "due_date": "2025-01-01", "five_tier_class": "normal", "overdue_days": 0,
    "overdue_principal": "0.00", "overdue_interest": "0.00", "status": "normal", "as_of": "2024-01-31",
    "submission": 0, "sequence": 0, "line": 2, "application": 1,
}  # fmt: skip
SCOPES: Final = {"RCB01": "share_with_bank", "GUA01": "share_with_guarantor", "INS01": "share_with_insurer"}
MEMBERS: Final = ("RCB01", "PSB01", "GUA01", "INS01", "CRB01", "TOWN1", "VILL1", COUNTY)


def lend(county: PartiesCounty, bank: str, household: str = "K1") -> None:
    """Let the registry know a loan of a bank."""
    row = LOAN | {"institution": bank, "loan_no": f"L-{household}", "household_no": household}
    with county.transaction() as transaction:
        values = ", ".join(f"%({name})s" for name in row)
        transaction.execute(f"INSERT INTO registry.loan ({', '.join(row)}) VALUES ({values})", row)


def change(county: PartiesCounty, statement: str, *parameters: object) -> None:
    """Change what the roster says."""
    with county.transaction() as transaction:
        assert transaction.execute(statement, parameters) > 0


@pytest.fixture
def county(county: PartiesCounty) -> PartiesCounty:
    """The county, where the roster says something of each household."""
    said = {
        **dict.fromkeys(("has_subsistence_allowance", "has_disabled_member", "is_destitute_at_home"), "yes"),
        "poverty_cause": "因病",
        "household_size": 3,
        "labour_skill": "普通劳动力",
        "village_group": "一组",
        "annual_income": 9000,
        "annual_outlay": 8000,
        "assets": 7000,
    }
    change(county, f"UPDATE registry.person SET {', '.join(f'{name} = %s' for name in said)}", *said.values())
    return county


def seen(county: PartiesCounty, institution: str) -> dict[str, str]:
    """Return which households a member sees: "whole", or only that they are on the "roster"."""
    found = {}
    for row in county.ask("feed/households", institution=institution):
        hidden = {name for name in BEYOND if row[name] is None}
        assert hidden in (set(), BEYOND)
        assert (row["head_name"], row["category"]) == (f"户主{row['household_no']}", "out_of_poverty")
        found[row["household_no"]] = "roster" if hidden else "whole"
    return found


def test_without_a_service_area_a_loan_or_a_consent_no_member_sees_anybody(county: PartiesCounty):
    """The county sees all of all."""
    assert {member: seen(county, member) for member in MEMBERS} == {key: {} for key in MEMBERS}
    assert [(row["household_no"], row["annual_income"], row["needs"]) for row in county.ask("feed/households")] == [
        *((number, "9000.00", f"养殖{number}") for number in ("H1", "H2", "H3", "K1")),
    ]


def test_a_bank_sees_who_is_on_the_roster_of_the_villages_whose_lead_bank_it_is(county: PartiesCounty):
    """Not what the roster says besides; of a township another bank may lead in one village; each on its days."""
    assert county.area(TOWNSHIP) is None
    assert county.area(OTHER_VILLAGE, "PSB01", from_date="2024-03-05") is None
    everybody = dict.fromkeys(("H1", "H2", "H3", "K1"), "roster")
    assert {member: seen(county, member) for member in MEMBERS} == {key: {} for key in MEMBERS} | {"RCB01": everybody}
    county.clock.advance(dt.timedelta(days=4))
    assert (seen(county, "RCB01"), seen(county, "PSB01")) == (
        {"H1": "roster", "H2": "roster", "H3": "roster"},
        {"K1": "roster"},
    )
    assert county.area(TOWNSHIP, until_date="2024-03-06") is None
    county.clock.advance(dt.timedelta(days=1))
    assert (seen(county, "RCB01"), seen(county, "PSB01")) == ({}, {"K1": "roster"})


def test_a_bank_sees_its_customers_whole_wherever_they_live(county: PartiesCounty):
    """Also one of a village that another bank serves, which sees that one's roster entry still."""
    assert county.area(VILLAGE) is None
    lend(county, "PSB01", "H2")
    lend(county, "RCB01", "K1")
    assert seen(county, "RCB01") == {"H1": "roster", "H2": "roster", "H3": "roster", "K1": "whole"}
    assert seen(county, "PSB01") == {"H2": "whole"}


@pytest.mark.parametrize(("member", "scope"), SCOPES.items())
def test_a_member_sees_whole_who_consented_to_it_and_as_long_as_that_holds(
    county: PartiesCounty, member: str, scope: str
):
    """To it or to all of its kind, to that and nothing else, until the day on which it is withdrawn."""
    assert county.consent("C1", scope=scope, institution=member, until_date="2024-03-03") is None
    assert county.consent("C2", household_no="H2", scope=scope, institution=None, from_date="2024-03-02") is None
    others = ";".join(sorted({*SCOPES.values(), "credit_inquiry", "publish"} - {scope}))
    assert county.consent("C3", household_no="H3", scope=others, institution=None) is None
    assert seen(county, member) == {"H1": "whole"}
    county.clock.advance(dt.timedelta(days=1))
    assert seen(county, member) == {"H1": "whole", "H2": "whole"}
    county.clock.advance(dt.timedelta(days=1))
    assert seen(county, member) == {"H2": "whole"}
    assert (
        county.consent(
            "C2", household_no="H2", scope=scope, institution=None, from_date="2024-03-02", until_date="2024-03-03"
        )
        is None
    )
    assert seen(county, member) == {}


def test_who_consented_to_one_bank_is_seen_by_no_other(county: PartiesCounty):
    """Nor by a member of another kind that the same paper does not name; credit bureau and stations see nobody."""
    assert county.consent("C1", scope="share_with_bank", institution="PSB01") is None
    assert {member: seen(county, member) for member in MEMBERS} == {key: {} for key in MEMBERS} | {
        "PSB01": {"H1": "whole"}
    }
    assert county.consent("C2", household_no="H2", scope=";".join(SCOPES.values()), institution=None) is None
    assert {member: set(seen(county, member)) for member in MEMBERS} == {key: set() for key in MEMBERS} | {
        "PSB01": {"H1", "H2"}, "RCB01": {"H2"}, "GUA01": {"H2"}, "INS01": {"H2"},
    }  # fmt: skip


@pytest.mark.parametrize("institution", ["", "%", "RCB0%", "' OR true --", "HUILIAN", "NOBODY"])
def test_whoever_is_no_member_with_a_right_sees_nobody(county: PartiesCounty, institution: str):
    """Whatever stands for its code."""
    assert county.area(TOWNSHIP) is None
    assert seen(county, institution) == {}


def test_a_household_that_left_the_roster_is_seen_by_nobody(county: PartiesCounty):
    """Whether served, a customer, or with a consent."""
    assert county.area(VILLAGE) is None
    lend(county, "RCB01", "H1")
    assert county.consent("C1", scope="share_with_bank", institution="PSB01") is None
    change(county, "UPDATE registry.person SET missing_since = '2024-02-01' WHERE household_no = 'H1'")
    assert (set(seen(county, "RCB01")), seen(county, "PSB01")) == ({"H2", "H3"}, {})


def test_a_bank_is_told_of_a_household_what_it_stated_itself_and_that_it_is_on_the_roster_it_may_see(
    county: PartiesCounty,
):
    """Not what others stated: another bank's loan, a consent to another."""
    lend(county, "RCB01", "H1")
    assert county.consent("C1", scope="share_with_bank", institution="PSB01") is None

    def told(member: str) -> list[str]:
        return [row["what"] for row in county.ask("household_story", household="H1", institution=member)]

    assert told("RCB01") == ["花名册", "放款", "台账余额"]
    assert told("PSB01") == ["花名册"]
    assert told("INS01") == []
    assert county.area(VILLAGE, "PSB01") is None
    for household, expected in (("H2", ["花名册"]), ("K1", [])):
        rows = county.ask("household_story", household=household, institution="PSB01")
        assert [row["what"] for row in rows] == expected


# What banks are sent


def sent(county: PartiesCounty) -> dict[str, list[dict[str, Any]]]:
    """Let the registry send what is due on another day; return the records by receiver, held to their contract."""
    with county.transaction() as transaction:
        transaction.execute("DELETE FROM huilian.job_run WHERE job = 'registry.households'")
        before = transaction.value("SELECT coalesce(max(position), 0) FROM huilian.outbox")
    run_due(county.office, [households.JOB])
    rows = county.rows(
        "SELECT m.type, m.subject, m.seal, m.payload FROM huilian.outbox o"
        " JOIN huilian.message m ON m.source = o.source AND m.id = o.message WHERE o.position > %s ORDER BY o.position",
        [before],
    )
    schema = county.office.context.catalogue.latest(households.SERVED).schema()
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        assert row["type"] == households.SERVED
        body = envelope.read(row["seal"], bytes(row["payload"])).body()
        records = [json.loads(line) for line in body.splitlines()]
        assert [schema.validate(record) for record in records] == [{}] * len(records)
        found.setdefault(row["subject"], []).extend(records)
    return found


def listed(line: int, number: str, **fields: object) -> dict[str, Any]:
    """Return how a bank is told that a household is on the roster."""
    return {
        "line": line, "household_no": number, "status": "listed", "region": VILLAGE, "head_name": f"户主{number}",
        "identity_number": HEADS[number], "category": "out_of_poverty", "village_group": "一组",
        "labour_skill": "普通劳动力", "as_of": "2024-01-01",
    } | fields  # fmt: skip


def ended(line: int, number: str, as_of: str, region: str = VILLAGE) -> dict[str, Any]:
    """Return how it is told that there is no more to be said of one."""
    nothing = dict.fromkeys(("head_name", "identity_number", "category", "village_group", "labour_skill"))
    return listed(line, number, status="ended", region=region, as_of=as_of) | nothing


def test_each_bank_is_sent_the_roster_of_its_villages_and_no_other(county: PartiesCounty):
    """With no service area nobody is sent anything; nothing is sent twice; the log has how much went to whom."""
    assert sent(county) == {}
    assert county.area(VILLAGE) is None
    assert county.area(OTHER_VILLAGE, "PSB01") is None
    other = listed(1, "K1", region=OTHER_VILLAGE)
    assert sent(county) == {"PSB01": [other], "RCB01": [listed(1, "H1"), listed(2, "H2"), listed(3, "H3")]}
    assert sent(county) == {}
    records = county.rows("SELECT actor, subject, detail FROM huilian.audit WHERE action = 'records.issued' ORDER BY 2")
    assert records[-2:] == [
        {
            "actor": "service:registry",
            "subject": bank,
            "detail": {"dataschema": "households_served/v1", "records": count, "messages": 1},
        }
        for bank, count in (("PSB01", 1), ("RCB01", 3))
    ]


def test_a_bank_is_sent_what_has_changed_of_what_it_is_told(county: PartiesCounty):
    """Another head, kind or group; not an income, of which it is told nothing."""
    assert county.area(VILLAGE) is None
    assert len(sent(county)["RCB01"]) == 3
    change(county, "UPDATE registry.person SET annual_income = 1, needs = '贷款' WHERE household_no = 'H1'")
    assert sent(county) == {}
    change(county, "UPDATE registry.person SET category = 'monitored' WHERE household_no = 'H2'")
    change(county, "UPDATE registry.person SET village_group = NULL WHERE household_no = 'H3'")
    assert sent(county) == {"RCB01": [listed(1, "H2", category="monitored"), listed(2, "H3", village_group=None)]}


def test_a_household_that_left_or_moved_is_ended_at_one_bank_and_listed_at_the_other(county: PartiesCounty):
    """Of who is ended neither name nor number is sent again; one who comes back is listed anew."""
    assert county.area(VILLAGE) is None
    assert county.area(OTHER_VILLAGE, "PSB01") is None
    sent(county)
    change(county, "UPDATE registry.person SET missing_since = '2024-02-01' WHERE household_no = 'H1'")
    change(county, "UPDATE registry.person SET region = %s WHERE household_no = 'H2'", OTHER_VILLAGE)
    assert sent(county) == {
        "PSB01": [listed(1, "H2", region=OTHER_VILLAGE)],
        "RCB01": [ended(1, "H1", "2024-03-01"), ended(2, "H2", "2024-03-01")],
    }
    change(county, "UPDATE registry.person SET missing_since = NULL WHERE household_no = 'H1'")
    assert sent(county) == {"RCB01": [listed(1, "H1")]}


def test_a_village_that_gets_another_lead_bank_is_ended_at_the_first(county: PartiesCounty):
    """On the day on which it does, by the calendar; a bank that is suspended is told when it takes part again."""
    assert county.area(VILLAGE, until_date="2024-03-04") is None
    assert county.area(VILLAGE, "PSB01", from_date="2024-03-04") is None
    assert list(sent(county)) == ["RCB01"]
    county.clock.advance(dt.timedelta(days=3))
    change(county, "UPDATE huilian.member SET suspended_at = now() WHERE code = 'RCB01'")
    assert sent(county) == {"PSB01": [listed(1, "H1"), listed(2, "H2"), listed(3, "H3")]}
    change(county, "UPDATE huilian.member SET suspended_at = NULL WHERE code = 'RCB01'")
    assert sent(county) == {"RCB01": [ended(line, f"H{line}", "2024-03-04") for line in (1, 2, 3)]}


def test_what_was_sent_is_kept_without_names_and_numbers(county: PartiesCounty):
    """A digest says whether it changed."""
    assert county.area(VILLAGE) is None
    sent(county)
    kept = str(county.rows("SELECT * FROM registry.household_sent"))
    assert "户主" not in kept
    assert not [number for number in HEADS.values() if number in kept]
