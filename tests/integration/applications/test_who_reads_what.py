"""Every kind of member asks every query of personal data: what it sees, and the record of each read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from structlog.testing import capture_logs

from huilian.core import identity
from huilian.county import service
from huilian.county.members import tokens
from huilian.http import create_app
from tests.support.applications import ALL_MEMBERS, identity_number
from tests.support.ratings import CLERK, COUNTY, HEAD, VILLAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.applications import ApplicationCounty

PERSONAL: Final = sorted(address for address, query in service.queries().items() if query.personal)
KEYS: Final = ("household_no", "consent_no", "agreement_no", "application_no", "what", "kind", "number", "loan_no")
"""Fields by which a row is called here, the first that it has."""


@pytest.fixture
def county(county: ApplicationCounty) -> ApplicationCounty:
    """The county where each bank has a part: the rural bank's village, customer, application and agreement.

    H1 applies to it, H4 has its loan, H3 consents to the postal bank; H1 and H2 have consented to any insurer.
    """
    for household in ("H3", "H4"):
        county.list_household(household)
    county.rows("DELETE FROM registry.consent WHERE household_no IN ('H3', 'H4') RETURNING 1")
    county.lend("H4", "L4")
    area = {"institution": "RCB01", "region": VILLAGE, "branch": "支行", "responsible": HEAD}
    assert county.send("service_area", COUNTY, **area, from_date="2024-03-01", until_date=None) is None
    county.consent("H3", identity_number(3), scope="share_with_bank", institution="PSB01", consent_no="CH3")
    assert county.apply("A1", "H1") is None
    agreement = {
        "agreement_no": "LB1", "kind": "joint_guarantee", "region": VILLAGE, "members": "RCB01", "households": "H1;H2",
        "enterprises": None, "application_no": "A1", "institution": None, "loan_no": None, "reports": None,
        "document": "联保2024-1", "from_date": "2024-03-01", "until_date": None,
    }  # fmt: skip
    assert county.send("agreement", "VILL1", person=CLERK, **agreement) is None
    return county


@pytest.fixture
def client(county: ApplicationCounty) -> Iterator[FlaskClient]:
    """The county's server."""
    with capture_logs():
        yield create_app(county.office).test_client()


def secret_of(county: ApplicationCounty, label: str, **scope: str) -> str:
    """Return a token for one test; its label is free again afterwards."""
    with county.transaction() as transaction:
        transaction.execute("DELETE FROM huilian.token WHERE label = %s", [label])
        return tokens.add(transaction, label, now=county.clock.now(), actor="test", purpose="核对", **scope)


def answers(county: ApplicationCounty, client: FlaskClient, secret: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield address, answer and the record of each read, one query after the other."""
    for address in PERSONAL:
        query = service.query(address)
        values = {"household": "H1", "application": "A1", "number": "H1", "step": "village_recommendation"}
        values |= {"claim": "C1", "loan": "L4"}
        given = {each.name: values[each.name] for each in query.parameters if each.required}
        before = county.rows("SELECT max(number) AS number FROM huilian.audit")[0]["number"]
        reply = client.get(f"/api/v1/{address}", query_string=given, headers={"Authorization": f"Bearer {secret}"})
        text = reply.get_data(as_text=True)
        reply.close()
        found = county.rows("SELECT actor, action, subject, detail FROM huilian.audit WHERE number > %s", [before])
        if reply.status_code != 200:
            assert found == []
            yield address, json.loads(text)["code"], {}
        else:
            [record] = found
            assert record["action"] == f"read.{address}"
            assert record["detail"]["rows"] == len(text.splitlines())
            yield address, text, record


def called(text: str) -> list[str]:
    """Return how the rows of an answer are called."""
    rows = [json.loads(line) for line in text.splitlines()]
    return [str(row[next(key for key in KEYS if key in row)]) for row in rows]


OF_NO_MEMBER: Final = {
    *("application_form", "compensation_form", "feed/enterprises", "feed/led_households", "needs"),
    *("posted_subsidies", "subsidy_objections"),
    *("rating_form", "rating_objections", "rating_steps"),
}
"""What is not narrowed to a member: the county and its stations read it with a token of their region."""
OF_NOTHING: Final = {"compensation_story": "HL7028", "subsidy_preview": "HL7011"}
"""What is asked for without a claim, or a period, that there is."""
TO_ALL: Final = {"feed/consents": ["H1", "H2"]}
"""H1 and H2 consent to inquiry by any bank or guarantor, and to any insurer."""
SEEN: Final[dict[str, dict[str, list[str]]]] = {
    "VILL1": {
        "application_story": ["贷款申请：农牧户主动申请", "协议"],
        "household_story": ["授权", "贷款申请：农牧户主动申请", "协议"],
    },
    "RCB01": TO_ALL
    | {
        "applications": ["A1"],
        "feed/agreements": ["LB1"],
        "feed/applications": ["A1"],
        "feed/due_applications": ["A1"],
        "feed/households": ["H1", "H2", "H3", "H4"],
        "household_story": ["花名册"],
    },
    "PSB01": {"feed/consents": ["H1", "H2", "H3"], "feed/households": ["H3"]},
    "INS01": TO_ALL | {"feed/households": ["H1", "H2"], "household_story": ["花名册"]},
    "GUA01": TO_ALL,
}
"""By member: what it sees, and of nothing else a row."""


@pytest.mark.parametrize("member", [*ALL_MEMBERS, COUNTY])
def test_what_each_member_reads(county: ApplicationCounty, client: FlaskClient, member: str):
    """Row by row; each read has its record, with who and why; a query that is not for members refuses them."""
    for address, text, record in answers(county, client, secret_of(county, member, member=member)):
        if address in OF_NO_MEMBER:
            assert text == "HL4008"
            continue
        if address in OF_NOTHING:
            assert (address, text) == (address, OF_NOTHING[address])
            continue
        if address == "subsidy":
            assert json.loads(text) == {"loan_no": "L4", "items": [], "claims": []}
            continue
        assert (address, called(text)) == (address, SEEN.get(member, {}).get(address, []))
        assert (record["actor"], record["detail"]["why"], record["detail"]["said"]) == (
            f"member:{member}:{member}",
            "核对",
            "token",
        )
        assert record["detail"]["parameters"]["institution"] == member


@pytest.mark.parametrize("region", [COUNTY, VILLAGE, "341599102"])
def test_what_a_region_reads_lies_within_it(county: ApplicationCounty, client: FlaskClient, region: str):
    """All of it, or nothing; of households, persons and applications no number is whole."""
    numbers = [
        identity_number(int(each["household_no"][1:]))
        for each in county.rows("SELECT DISTINCT household_no FROM registry.person")
    ]
    seen = {}
    for address, text, record in answers(county, client, secret_of(county, "区划", region=region)):
        if record:
            seen[address] = len(text.splitlines())
            assert record["subject"] in {region, "H1", "A1", "L4"}
            assert record["detail"]["parameters"]["region"] == region
        assert not [number for number in numbers if number in text]
        assert identity.mask_within(text) == text
    everything = {"applications": 1, "feed/applications": 1, "feed/households": 4, "feed/consents": 3}
    expected = everything if VILLAGE.startswith(region) else dict.fromkeys(everything, 0)
    assert {address: seen[address] for address in everything} == expected


def test_an_application_to_another_bank_is_not_seen(county: ApplicationCounty, client: FlaskClient):
    """Whatever is asked for besides."""
    secret = secret_of(county, "PSB01", member="PSB01")
    for given, code in (({"institution": "RCB01"}, "HL4008"), ({"region": "110101"}, None)):
        reply = client.get(
            "/api/v1/feed/applications", query_string=given, headers={"Authorization": f"Bearer {secret}"}
        )
        text = reply.get_data(as_text=True)
        assert (json.loads(text)["code"] if code else text) == (code or "")
        reply.close()
