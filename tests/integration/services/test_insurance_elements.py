"""One claim at a time: the insurer's own element, sealed and posted over HTTP, is in the registry with its receipt."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.hosts.embedded import EmbeddedHost
from huilian.http.server import HttpServer
from huilian.wire import envelope
from huilian.wire.envelope import Draft, Message
from tests.support.builders import statements
from tests.support.builders.insurer_packages import alone, claim, policy
from tests.support.reporting import BANKS, INSURER, NOW, ReportingCounty, Submission, open_county

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode


@pytest.fixture(scope="module")
def opened(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportingCounty]:
    """A county on a database of this module's own."""
    url = postgresql_node.create_database("insurance_elements")
    with open_county(url, tmp_path_factory.mktemp("home")) as county:
        with county.transaction() as transaction:
            transaction.execute("UPDATE huilian.member SET adapter = 'insurer' WHERE code = %s", [INSURER])
        yield county


def element(county: ReportingCounty, xml: str, *, member: str = INSURER, time: dt.datetime = NOW) -> Message:
    """Seal an element with its sender's key."""
    draft = Draft("insurance_element", "insurance_element/v1", member, alone(xml).encode(), xml=True)
    return envelope.seal(draft, county.keys[member], source=member, time=time)


def counts(county: ReportingCounty, message: Message) -> tuple[str, int, int]:
    """Carry a message and return status, changed and unchanged of the receipt that goes back to its sender."""
    known = {row["id"] for row in county.rows("SELECT id FROM huilian.message")}
    county.carry([message])
    sent = county.rows("SELECT id, seal, payload FROM huilian.message WHERE type = 'receipt' AND source = 'HUILIAN'")
    [receipt] = [envelope.read(row["seal"], bytes(row["payload"])) for row in sent if row["id"] not in known]
    assert (receipt.subject, receipt.dataschema) == (message.source, "receipt/v2")
    answer = receipt.json()
    assert (answer["rows"], answer["kind"], answer["as_of"]) == (1, "insurance_package", "2026-01-05")
    return answer["status"], answer["changed"], answer["unchanged"]


def test_a_claim_is_applied_and_answered(county: ReportingCounty):
    """Its record is what the same element in a file would be, and its provenance is the message."""
    message = element(county, claim())
    assert counts(county, message) == ("accepted", 1, 0)
    [kept] = county.rows(
        "SELECT c.claim_no, c.amount::text, c.force_majeure, c.paid_date::text, c.line, p.message"
        " FROM insurance_claim.newest_claim c JOIN huilian.submission s ON s.number = c.submission"
        " JOIN huilian.submission_part p ON p.submission = s.submission"
    )
    assert kept == {
        "claim_no": "C2024000001",
        "amount": "30000.00",
        "force_majeure": "yes",
        "paid_date": "2024-05-31",
        "line": 1,
        "message": message.id,
    }


def test_a_claim_sealed_again_counts_once(county: ReportingCounty):
    """The same element under a new seal is answered with the same receipt; one with a new state changes it."""
    assert counts(county, element(county, claim({"Status": "surveying"}))) == ("accepted", 1, 0)
    later = NOW + dt.timedelta(minutes=1)
    assert counts(county, element(county, claim({"Status": "surveying"}), time=later)) == ("accepted", 1, 0)
    assert county.rows("SELECT count(*) AS n FROM huilian.submission") == [{"n": 1}]
    assert counts(county, element(county, claim(), time=later)) == ("accepted", 1, 0)
    assert county.rows("SELECT status FROM insurance_claim.newest_claim") == [{"status": "settled"}]


STAGES = {
    "surveying": {"Status": "surveying"},
    "settled": {"Status": "settled"},
    "settled for less": {"Status": "settled", "Amount": "20000.00"},
}
SURVEYING, SETTLED, LESS = STAGES.values()


def stage(county: ReportingCounty) -> str:
    """Return what is known of the one claim, as `STAGES` calls it."""
    [row] = county.rows("SELECT status, amount FROM insurance_claim.newest_claim")
    return "settled for less" if row["amount"] == 20_000 else str(row["status"])


def minutes(number: int) -> dt.datetime:
    """Return a moment of the same day."""
    return NOW + dt.timedelta(minutes=number)


def test_of_two_elements_that_overtake_each_other_the_later_sealed_counts(county: ReportingCounty):
    """Two of one day may be handled at a time: the older one, handled last, changes nothing."""
    assert counts(county, element(county, claim(SETTLED), time=minutes(2))) == ("accepted", 1, 0)
    assert counts(county, element(county, claim(SURVEYING), time=minutes(1))) == ("accepted", 0, 1)
    assert stage(county) == "settled"


def test_a_state_that_is_taken_back_holds_again(county: ReportingCounty):
    """First one state, then another, then the first again in the same bytes: that counts, and is answered."""
    assert counts(county, element(county, claim(SURVEYING), time=minutes(0))) == ("accepted", 1, 0)
    assert counts(county, element(county, claim(SETTLED), time=minutes(1))) == ("accepted", 1, 0)
    assert counts(county, element(county, claim(SURVEYING), time=minutes(2))) == ("accepted", 1, 0)
    assert stage(county) == "surveying"
    # Handled late, what was sealed before it does not come back.
    assert counts(county, element(county, claim(LESS), time=minutes(1))) == ("accepted", 0, 1)
    assert stage(county) == "surveying"
    assert county.rows("SELECT count(*) AS n FROM huilian.submission") == [{"n": 3}]


def test_an_element_sealed_again_holds_from_then_on(county: ReportingCounty):
    """It is answered with its receipt; what was sealed before it and comes after it changes nothing."""
    first = counts(county, element(county, claim(SURVEYING), time=minutes(0)))
    assert counts(county, element(county, claim(SURVEYING), time=minutes(3))) == first == ("accepted", 1, 0)
    assert counts(county, element(county, claim(SETTLED), time=minutes(2))) == ("accepted", 0, 1)
    assert stage(county) == "surveying"


@pytest.mark.parametrize(("minute", "expected"), [(3, "settled"), (1, "surveying")])
@pytest.mark.parametrize("file_first", [True, False])
def test_an_element_and_a_numbered_package_of_its_day_count_by_when_they_were_sealed(
    county: ReportingCounty, monkeypatch: pytest.MonkeyPatch, minute: int, expected: str, *, file_first: bool
):
    """A claim that is settled after the morning's package is settled, though the package has a number."""
    monkeypatch.setattr("tests.support.reporting.NOW", minutes(2))
    row = statements.claim("C2024000001", "P1", status="surveying")
    package = Submission(INSURER, dt.date(2026, 1, 5), [row], kind="insurance_package", file_sequence=1)
    posted = element(county, claim(SETTLED), time=minutes(minute))
    if file_first:
        assert county.push(package)["status"] == "accepted"
    county.carry([posted])
    if not file_first:
        assert county.push(package)["status"] == "accepted"
    assert stage(county) == expected


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(st.sampled_from(list(STAGES)), min_size=2, max_size=5),
    data=st.data(),
)
def test_whatever_order_elements_come_in_the_last_to_be_sealed_counts(
    opened: ReportingCounty, said: list[str], data: st.DataObject
):
    """Each of them once or twice, in any order."""
    sealed = [element(opened, claim(STAGES[state]), time=minutes(number)) for number, state in enumerate(said)]
    opened.empty()
    opened.carry(data.draw(st.permutations([*sealed, *data.draw(st.lists(st.sampled_from(sealed), max_size=3))])))
    assert stage(opened) == said[-1]


def test_a_policy_may_be_posted_alone_too(county: ReportingCounty):
    """Its manifest states the sums of what it holds."""
    assert counts(county, element(county, policy())) == ("accepted", 1, 0)
    assert county.rows("SELECT manifest #>> '{totals,policies.premium}' AS premium FROM huilian.submission") == [
        {"premium": "120.00"}
    ]


@pytest.mark.parametrize(
    ("xml", "code", "named"),
    [
        (claim({"Amount": "1000元"}), "HL1020", "Claim/Amount HL2002"),
        (claim({"Status": "lost", "Event/@date": "2024-02-30"}), "HL1020", "HL2005"),
        ("<Claim><ClaimNo>C1</Claim>", "HL1020", "HL3031"),
        ("<Refund></Refund>", "HL1020", "HL3032"),
    ],
)
def test_a_wrong_element_is_refused_with_everything_that_is_wrong(
    county: ReportingCounty, xml: str, code: str, named: str
):
    """It is kept as a dead letter, the queue goes on, and nothing was applied."""
    outcome = county.deliver(element(county, xml))
    assert outcome.refusal is not None
    assert outcome.refusal.code == code
    assert named in outcome.refusal.chinese
    assert county.rows("SELECT count(*) AS n FROM huilian.submission") == [{"n": 0}]
    assert counts(county, element(county, claim())) == ("accepted", 1, 0)


@pytest.mark.parametrize("dates", [{"Event/@date": "2026-01-06", "PaidOn": None}, {"PaidOn": "2026-01-06"}])
def test_an_element_of_what_is_to_come_is_refused(county: ReportingCounty, dates: dict[str, str | None]):
    """It is held to the day it was posted."""
    assert counts(county, element(county, claim(dates))) == ("refused", 0, 0)
    assert county.rows("SELECT claim_no FROM insurance_claim.newest_claim") == []


def test_only_an_insurer_with_its_adapter_is_read(county: ReportingCounty):
    """A bank may not send one; an insurer whose adapter cannot read it is told so."""
    refusal = county.deliver(element(county, claim(), member=BANKS[0])).refusal
    assert refusal is not None
    assert refusal.code == "HL1004"
    with county.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET adapter = NULL WHERE code = %s", [INSURER])
    refusal = county.deliver(element(county, claim())).refusal
    with county.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET adapter = 'insurer' WHERE code = %s", [INSURER])
    assert refusal is not None
    assert refusal.code == "HL1019"


FOLDER_ADAPTER = """
from adapters.insurer.exchange import Insurer


class HillInsurer(Insurer):
    name = "hill_insurer"


adapter = HillInsurer()
"""


def test_the_county_reads_with_an_adapter_from_a_folder(county: ReportingCounty):
    """Which is installed nowhere: the member's adapter is found in the data directory's `adapters/`."""
    folder = county.office.home.adapters / "hill_insurer"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(FOLDER_ADAPTER, "utf-8")
    with county.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET adapter = 'hill_insurer' WHERE code = %s", [INSURER])
    assert counts(county, element(county, claim())) == ("accepted", 1, 0)
    with county.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET adapter = 'insurer' WHERE code = %s", [INSURER])


def test_json_under_the_elements_contract_is_refused(county: ReportingCounty):
    """The media type is part of the contract."""
    draft = Draft("insurance_element", "insurance_element/v1", INSURER, b"{}")
    message = envelope.seal(draft, county.keys[INSURER], source=INSURER, time=NOW)
    refusal = county.deliver(message).refusal
    assert refusal is not None
    assert refusal.code == "HL1009"


def test_over_http_the_element_is_the_body(county: ReportingCounty):
    """The bytes that were signed are the request's body; the receipt is there to be asked for."""
    office, message = county.office, element(county, claim())
    with EmbeddedHost(office) as host, HttpServer(office, "127.0.0.1:0") as server:
        answer = httpx.post(
            f"{server.url}/api/v1/messages", content=message.payload, headers={"Huilian-Seal": message.seal}
        )
        assert (answer.status_code, answer.json()["status"]) == (202, "taken")
        host.drain()
    assert message.payload == alone(claim()).encode()
    assert county.rows("SELECT claim_no FROM insurance_claim.newest_claim") == [{"claim_no": "C2024000001"}]
