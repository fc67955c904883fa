"""The end of an application's way: the loan in the ledger, the fund that lets go, the insurer's policy."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from huilian.wire.envelope import Draft
from huilian.wire.names import SubmissionName
from tests.support.applications import changed, identity_number
from tests.support.builders.loans import state
from tests.support.builders.statements import policy
from tests.support.ratings import COUNTY, DAY, HEAD, VILLAGE

if TYPE_CHECKING:
    from tests.support.applications import ApplicationCounty

MARCH = dt.date(2024, 3, 31)


def confirm(county: ApplicationCounty) -> None:
    """Bring the application A1 of H1 to its confirmation, and let a month pass."""
    assert county.apply("A1", met="consent") is None
    for name in ("village_recommendation", "township_review", "bank_verification", "county_confirmation"):
        assert county.decide("A1", name) is None
    county.clock.advance(31 * DAY)


def loan(number: str = "L1", **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever a loan has
    """Return the loan that was confirmed, as the bank's ledger has it."""
    same = {
        "identity_type": "resident_identity_card", "identity_number": identity_number(1), "region": VILLAGE,
        "principal": "30000.00", "balance": "30000.00", "start_date": "2024-03-10", "due_date": "2025-03-10",
    }  # fmt: skip
    return {"loan_no": number} | state(**same | changes)


def send_file(county: ApplicationCounty, member: str, kind: str, part: str, rows: list[dict[str, Any]]) -> None:
    """Send a file of one part, dated the end of March, which is accepted."""
    records = [{"line": line} | row for line, row in enumerate(rows, 2)]
    body = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in records).encode()
    sha256 = hashlib.sha256(body + str(county.clock.now()).encode()).hexdigest()
    name = str(SubmissionName.of(member, kind, MARCH, sha256))
    version = "v3" if kind == "loan_ledger" else "v1"
    sealed = county.seal(member, Draft(part, f"{part}/{version}", member, body, bulk=True, submission=name, sequence=0))
    amounts = {"loan_ledger": ("principal", "balance"), "policies": ("sum_insured", "premium")}[part]
    sums = {each: f"{sum((Decimal(row[each]) for row in rows), Decimal()):.2f}" for each in amounts}
    stated = {"sequence": 0, "type": part, "records": len(rows), "sha256": sealed.payload_sha256}
    manifest: dict[str, Any] = {
        "submission": name, "member": member, "kind": kind, "as_of": MARCH.isoformat(), "adapter": "test",
        "adapter_version": "1", "file_name": "f.csv", "file_sha256": sha256, "rows": len(rows), "accepted": len(rows),
        "rejected": 0, "totals": {each if kind == part else f"{part}.{each}": total for each, total in sums.items()},
        "parts": [stated], "file_sequence": None, "control_totals": None, "allow_missing": 0, "base": None,
        "base_sha256": None,
    }  # fmt: skip
    if kind != "loan_ledger":
        nothing = {"claims.amount": "0.00"}
        manifest["totals"] = manifest["totals"] | nothing
    content = json.dumps(manifest, ensure_ascii=False).encode()
    for message in (
        county.seal(member, Draft("submission_manifest", "submission_manifest/v4", member, content, submission=name)),
        sealed,
    ):
        assert county.deliver(message) is None
    [row] = county.rows("SELECT receipt FROM huilian.submission WHERE submission = %s", [name])
    assert row["receipt"]["status"] == "accepted"


def send_ledger(county: ApplicationCounty, *loans: dict[str, Any]) -> None:
    """Send a ledger of the rural bank."""
    send_file(county, "RCB01", "loan_ledger", "loan_ledger", list(loans))


def test_the_loan_in_the_ledger_ends_the_reservation_and_the_policy_ends_the_application(county: ApplicationCounty):
    """Until the fund knows the loan it holds; the policy's own sealed message stands behind the cover."""
    confirm(county)
    assert county.stands("A1") == ("confirmed", "lend")
    assert county.reserved() == {"A1/1": "reserved"}
    send_ledger(county, loan())
    assert county.stands("A1") == ("lent", "insure")
    assert county.reserved() == {"A1/1": "released"}
    stated = policy("P1", "L1", household_no="H1", start_date="2024-03-15", end_date="2025-03-15")
    send_file(county, "INS01", "insurance_package", "policies", [{k: v for k, v in stated.items() if k != "type"}])
    assert county.stands("A1") == ("completed", None)
    assert county.moves("A1")[-2:] == ["lend", "cover_last"]
    assert county.reserved() == {"A1/1": "released"}
    names = ("on", "entered", "state", "institution", "file_name", "line", "message")
    story = [[line[name] for name in names] for line in county.ask("application_story", application="A1")]
    types = {row["id"]: row["type"] for row in county.rows("SELECT id, type FROM huilian.message")}
    told = [(*line, types.get(message)) for *line, message in story if line[2] != "同意"]
    assert told[1:] == [
        ("2024-03-01", "2024-03-01", "同意，申请备付", COUNTY, None, None, "application_step"),
        ("2024-03-01", "2024-03-01", "已备付，确认", None, None, None, "reservations_changed"),
        ("2024-03-01", "2024-03-01", "已备付", None, None, None, "applications_changed"),
        ("2024-03-10", "2024-04-01", "已放款", "RCB01", "f.csv", 2, "loan_ledger"),
        ("2024-03-10", "2024-04-01", "已解除，借据 L1", None, None, None, "applications_changed"),
        ("2024-03-15", "2024-04-01", "已承保，办结", "INS01", None, None, "policies_changed"),
    ]


def test_a_correction_without_the_loan_has_the_fund_hold_again(county: ApplicationCounty):
    """Nothing was lent; the next loan releases it for good."""
    confirm(county)
    other = loan("L9", household_no="H9")
    send_ledger(county, loan(), other)
    assert county.reserved() == {"A1/1": "released"}
    county.clock.advance(DAY)
    send_ledger(county, other)
    assert county.stands("A1") == ("confirmed", "lend")
    assert county.reserved() == {"A1/1": "reserved"}
    county.clock.advance(DAY)
    send_ledger(county, loan("L2"), other)
    assert county.stands("A1") == ("lent", "insure")
    assert county.reserved() == {"A1/1": "released"}
    assert len(county.sent("confirmations", "RCB01")) == 1, "the bank has it already"


def test_a_confirmation_after_the_ledger_is_lent_on_at_once(county: ApplicationCounty):
    """What was lent on the application does not stand against it."""
    county.clock.advance(31 * DAY)
    send_ledger(county, loan(confirmation_no="A1"))
    county.clock.advance(-31 * DAY)
    confirm(county)
    assert county.stands("A1") == ("lent", "insure")
    assert county.reserved() == {"A1/1": "released"}
    assert len(county.sent("confirmations", "RCB01")) == 1


def test_from_the_start_of_applications_on_a_loan_without_one_is_told(county: ApplicationCounty):
    """To county and bank, and in the household's story."""
    start = {"region": COUNTY, "from_date": "2024-03-01"}
    assert county.send("application_start", COUNTY, person=HEAD, **start) is None
    county.clock.advance(31 * DAY)
    send_ledger(county, loan())
    [told] = [row for row in county.ask("differences", region=COUNTY) if row["kind"].startswith("loan_")]
    assert (told["kind"], told["institution"], told["loan_no"]) == ("loan_without_confirmation", "RCB01", "L1")
    assert [row["kind"] for row in county.ask("differences", region=COUNTY, institution="PSB01")] == []
    county.follow_calendar()
    [notice] = county.sent("notices", "RCB01")
    assert (notice["kind"], notice["reference"]) == ("does_not_match", "L1")
    story = [(row["what"], row["number"], row["state"]) for row in county.ask("household_story", household="H1")]
    assert ("数据不符", "L1", "未经确认放款：放款 2024-03-10，没有可以对应的确认") in story


def test_a_loan_of_a_product_that_the_policy_lacks_stops_no_ledger(county: ApplicationCounty):
    """It was lent on its confirmation; nothing else that the policy would ask for is known."""
    confirm(county)
    with changed(county, "xingan", "products.household", "products.farmers"):
        send_ledger(county, loan())
    assert county.stands("A1") == ("completed", None)
    assert county.reserved() == {"A1/1": "released"}
