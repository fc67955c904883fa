"""Agreements, joint guarantees and collateral, by reference alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.parties import ENTERPRISE, OTHER_ENTERPRISE
from tests.support.ratings import CLERK, COUNTY, TOWNSHIP, VILLAGE

if TYPE_CHECKING:
    from tests.support.parties import PartiesCounty


def test_an_agreement_names_its_parties_and_who_reports_what(county: PartiesCounty):
    """Each by number; parties in another order are the same agreement, others another; it ends by its number."""
    assert county.agree() is None
    assert county.agree(households="H1;H2;H1") is None
    assert county.agree(households="H1;H3") == "HL1059"
    [row] = county.ask("feed/agreements")
    message = row["message"]
    assert row == {
        "agreement_no": "A1", "kind": "joint_guarantee", "region": VILLAGE, "members": "RCB01", "households": "H1;H2",
        "enterprises": None, "application_no": "SQ1", "lender": None, "loan_no": None,
        "reports": "村服务部每季度报告经营情况", "document": "联保2024-1", "from_date": "2024-03-01",
        "until_date": None,
        "member": "TOWN1", "person": CLERK, "message": message, "ended_message": None,
    }  # fmt: skip
    assert county.agree(member="RCB01", until_date="2024-09-01") is None
    [row] = county.ask("feed/agreements")
    assert (row["until_date"], row["message"], row["ended_message"] is None) == ("2024-09-01", message, False)


def test_a_member_sees_the_agreements_that_it_is_party_of(county: PartiesCounty):
    """The feed narrows to it."""
    assert county.agree() is None
    cooperation = {"kind": "cooperation", "households": None, "application_no": None}
    assert county.agree("A2", member=COUNTY, members="PSB01;341599", region=COUNTY, **cooperation) is None
    assert [row["agreement_no"] for row in county.ask("feed/agreements")] == ["A1", "A2"]
    assert [row["agreement_no"] for row in county.ask("feed/agreements", institution="PSB01")] == ["A2"]
    assert [row["agreement_no"] for row in county.ask("feed/agreements", region=TOWNSHIP)] == ["A1"]


@pytest.mark.parametrize(
    ("member", "fields", "codes"),
    [
        ("VILL1", {}, []),
        ("RCB01", {}, []),
        ("GUA01", {"members": "RCB01;GUA01"}, []),
        ("VILL2", {}, ["HL1052"]),
        ("VILL1", {"region": TOWNSHIP}, ["HL1052"]),
        ("VILL1", {"households": "H1;K1"}, ["HL1052"]),
        ("PSB01", {}, ["HL1052"]),
        ("CRB01", {}, ["HL1004"]),
        ("TOWN1", {"households": "H1"}, ["HL1096"]),
        ("TOWN1", {"households": "H1;H8;H9"}, ["HL1090", "HL1090"]),
        ("TOWN1", {"members": None}, ["HL1096"]),
        ("TOWN1", {"members": "RCB01;XXX01"}, ["HL1099"]),
        ("TOWN1", {"kind": "enterprise_guarantee"}, ["HL1096"]),
        ("TOWN1", {"kind": "enterprise_guarantee", "enterprises": ENTERPRISE}, []),
        ("TOWN1", {"kind": "enterprise_guarantee", "enterprises": OTHER_ENTERPRISE}, ["HL1093"]),
        ("TOWN1", {"kind": "rights_collateral", "households": None}, ["HL1096"]),
        ("TOWN1", {"kind": "rights_collateral", "households": "H1", "loan_no": "J1"}, ["HL2001"]),
        ("TOWN1", {"kind": "rights_collateral", "households": "H1", "institution": "RCB01", "loan_no": "J1"}, []),
        ("TOWN1", {"person": "P9", "households": "H1", "members": "XXX01", "loan_no": "J1"},
         ["HL1031", "HL2001", "HL1096", "HL1099"]),
    ],
)  # fmt: skip
def test_who_may_enter_which_agreement_and_what_it_takes(
    county: PartiesCounty, member: str, fields: dict[str, str | None], codes: list[str]
):
    """A station in its region, and a party; its parties must be known, and as many as its kind takes."""
    assert county.enterprise() is None
    found = county.agree(member=member, **fields)
    assert (found is None) == (not codes)
    assert not codes or county.reasons == codes
    assert len(county.ask("feed/agreements")) == (not codes)
