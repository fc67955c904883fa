"""What applications make of consents in the same list, of lead banks, and of the agreements that secure them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.county.members.directory import Member
from huilian.county.procedure.acts import Taken
from huilian.county.service import kinds, query
from services.registry.applications.book import Book
from services.registry.applications.facts import Facts
from tests.support.applications import form, identity_number
from tests.support.ratings import CLERK, COUNTY, HEAD, OTHER_VILLAGE, VILLAGE

if TYPE_CHECKING:
    from tests.support.applications import ApplicationCounty


def consent(number: str, household: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the consent of a household's head to credit inquiry by the rural bank."""
    return {
        "consent_no": number, "household_no": household, "identity_number": identity_number(int(household[1:])),
        "scope": "credit_inquiry;share_with_bank", "institution": "RCB01", "from_date": "2024-03-01",
        "until_date": None, "document": None,
    } | fields  # fmt: skip


def test_a_list_brings_the_consents_of_its_applications(county: ApplicationCounty):
    """They are entered first; one that cannot be taken is answered by itself, and its application with it."""
    county.rows("DELETE FROM registry.consent RETURNING 1")
    county.list_household("H3", region=OTHER_VILLAGE)
    county.rows("DELETE FROM registry.consent RETURNING 1")
    forms = [form("A1", "H1"), form("A2", "H2")]
    assert refusals(county.send_list(forms)) == [
        ("applications", 2, "HL1070", "A1"),
        ("applications", 3, "HL1070", "A2"),
    ]
    several = [consent("C1", "H1"), consent("C2", "H2", scope="publish"), consent("C3", "H3"), consent("C4", "H2")]
    receipt = county.send_list(forms, consents=several, number=1)
    assert (receipt["status"], receipt["changed"], receipt["unchanged"], receipt["rejected"]) == ("accepted", 4, 0, 2)
    assert refusals(receipt) == [("consents", 3, "HL1092", "C2"), ("consents", 4, "HL1052", "C3")]
    assert [county.stands(each) for each in ("A1", "A2")] == [("in_review", "village_recommendation")] * 2
    brought = "SELECT m.type FROM registry.consent c JOIN huilian.message m ON m.id = c.message ORDER BY consent_no"
    assert [row["type"] for row in county.rows(brought)] == ["consents", "consents"]


def refusals(receipt: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return which records a receipt refuses, and by which code."""
    return [tuple(each[name] for name in ("type", "line", "code", "reference")) for each in receipt["refusals"]]


def test_an_application_tells_the_agreements_that_secure_it(county: ApplicationCounty):
    """With the message that says so, and with its end."""
    assert county.apply("A1") is None
    agreement = {
        "agreement_no": "LB1", "kind": "joint_guarantee", "region": VILLAGE, "members": "RCB01", "households": "H1;H2",
        "enterprises": None, "application_no": "A1", "institution": None, "loan_no": None, "reports": None,
        "document": "联保2024-1", "from_date": "2024-03-01", "until_date": None,
    }  # fmt: skip
    assert county.deliver(county.record("agreement", "VILL1", person=CLERK, **agreement)) is None
    agreement["until_date"] = "2025-03-01"
    assert county.deliver(county.record("agreement", "RCB01", person=HEAD, **agreement)) is None
    with county.transaction() as transaction:
        answer = query("application_story").ask(
            transaction, {"application": "A1"}, today=county.clock.today(), kinds=kinds(),
            context=lambda: county.office.context,
        )  # fmt: skip
        rows = [row for row in answer.content if row["what"].startswith("协议")]
    found = [tuple(row[name] for name in ("on", "what", "number", "state", "institution", "person")) for row in rows]
    assert found == [
        ("2024-03-01", "协议", "LB1", "联保", "VILL1", CLERK),
        ("2025-03-01", "协议终止", "LB1", "联保", "RCB01", HEAD),
    ]
    assert len({row["message"] for row in rows} - {None}) == 2


def test_the_lead_bank_of_the_area_shows_whether_the_lender_leads_there(county: ApplicationCounty):
    """Where the area has none, people have to show it."""
    assert county.apply("A1") is None
    assert leads(county) is None
    area = {
        "institution": "RCB01", "region": VILLAGE, "branch": None, "responsible": HEAD, "from_date": "2024-03-01",
        "until_date": None,
    }  # fmt: skip
    assert county.send("service_area", COUNTY, **area) is None
    assert leads(county) is True
    assert county.send("service_area", COUNTY, **area | {"until_date": "2024-03-01"}) is None
    assert county.send("service_area", COUNTY, **area | {"institution": "PSB01"}) is None
    assert leads(county) is False


def leads(county: ApplicationCounty) -> bool | None:
    """Return what is shown today of the lead bank in the case of the application A1."""
    day = county.clock.today()
    with county.transaction() as transaction:
        book, facts = Book(transaction, county.office.context), Facts(transaction, county.office.context)
        book.read({"A1"}, {("household", "H1")})
        facts.read({("household", "H1")})
        application = book.get("A1")
        assert application is not None
        county_itself = Member(COUNTY, "county", COUNTY, None, None, suspended=False)
        taken = Taken({"date": day}, county_itself, "m1", day)
        facts.ask([(application, taken)], book)
        return facts.case(application, taken, book).shown.get("lead_bank")
