"""Marks of borrowers: what the rating service tells of the blacklist and of force majeure, and the registry keeps."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from huilian.county.rebuild import rebuild
from services.registry.marks import STRUCK, blacklisted
from tests.support.ratings import COUNTY, claim, deed, policy

if TYPE_CHECKING:
    from tests.support.ratings import RatingCounty

MARCH = dt.date(2024, 3, 1)
H1, H2 = ("household", "H1"), ("household", "H2")


def _entry(number: str, borrower_no: str, malicious: str, until: str | None = None) -> dict[str, Any]:
    entry = {"entry_no": number, "borrower": "household", "borrower_no": borrower_no, "malicious": malicious}
    return entry | {"from_date": "2024-03-01", "until_date": until, "reason": "逃废债务"}


def _kept(county: RatingCounty) -> list[tuple[Any, ...]]:
    rows = county.rows(
        "SELECT borrower_no, source, reference, mark, institution, loan_no, from_date::text, until_date::text"
        " FROM registry.borrower_mark ORDER BY borrower_no, source, reference"
    )
    return [tuple(row.values()) for row in rows]


def _listed(county: RatingCounty, day: dt.date) -> dict[tuple[str, str], bool]:
    with county.transaction() as transaction:
        return blacklisted(transaction, [H1, H2], day, county.office.context.policy)


def test_the_registry_knows_who_is_on_the_blacklist_and_until_when(county: RatingCounty):
    """Told once; an entry that ended on the day it began was taken back."""
    for entry in (_entry("B1", "H1", "no"), _entry("B2", "H2", "yes")):
        assert county.send("blacklist_entry", "RCB01", **entry) is None
        assert county.send("blacklist_entry", "RCB01", **entry) is None
    assert _kept(county) == [
        ("H1", "RCB01", "B1", "blacklisted", None, None, "2024-03-01", None),
        ("H2", "RCB01", "B2", "blacklisted_maliciously", None, None, "2024-03-01", None),
    ]
    assert county.rows("SELECT count(*) AS n FROM huilian.message WHERE type = 'borrower_marks_changed'") == [{"n": 2}]
    assert (_listed(county, MARCH), _listed(county, dt.date(2024, 2, 29))) == ({H1: False, H2: True}, {})
    assert county.send("blacklist_entry", "RCB01", **_entry("B1", "H1", "no", "2024-03-01")) is None
    assert [mark[0] for mark in _kept(county)] == ["H2"]


def test_a_malicious_entry_that_ended_counts_where_the_policy_bars_for_good(county: RatingCounty):
    """One that is not malicious counts until its end."""
    for entry in (_entry("B1", "H1", "no", "2024-03-05"), _entry("B2", "H2", "yes", "2024-03-05")):
        assert county.send("blacklist_entry", "RCB01", **entry) is None
    assert _listed(county, dt.date(2024, 3, 4)) == {H1: False, H2: True}
    county.use("anhui")
    assert _listed(county, dt.date(2024, 3, 5)) == {H2: True}
    county.use("national_2021")
    assert _listed(county, dt.date(2024, 3, 5)) == {}


def test_the_registry_knows_which_loans_force_majeure_struck(county: RatingCounty):
    """By a finding, or by an insurer's claim, whichever of claim and policy is told first."""
    found = deed("2024-1", "force_majeure", institution="RCB01", loan_no="L1")
    assert county.send("borrower_deed", COUNTY, **found) is None
    county.tell("policies_changed", 1, [policy("C2"), policy("C3"), policy("C4")], service="insurance_claim")
    claims = [claim("C2", "L2"), claim("C3", "L3", status="declined"), claim("C4", "L4", force_majeure="no")]
    county.tell("claims_changed", 1, [*claims, claim("C5", "L5")], service="insurance_claim")
    finding = ("H1", COUNTY, "2024-1", "force_majeure", "RCB01", "L1", "2024-03-01", None)
    claimed = ("H1", "INS01", "C2", "force_majeure", None, "L2", None, None)
    assert _kept(county) == [finding, claimed]
    county.tell("policies_changed", 1, [policy("C5", "H2")], service="insurance_claim")
    assert _kept(county) == [finding, claimed, ("H2", "INS01", "C5", "force_majeure", None, "L5", None, None)]
    withdrawn = {"before": claim("C2", "L2")["after"], "after": None}
    county.tell("claims_changed", 1, [claim("C2", "L2") | withdrawn], service="insurance_claim")
    assert [mark[2] for mark in _kept(county)] == ["2024-1", "C5"]
    loans = "(VALUES ('RCB01', 'H1', 'L1'), ('PSB01', 'H1', 'L1'), ('PSB01', 'H2', 'L5')) AS l (institution,"
    is_struck = STRUCK.format(borrower="household", number="household_no")
    struck = f"SELECT l.* FROM {loans} household_no, loan_no) WHERE {is_struck}"
    assert [tuple(row.values()) for row in county.rows(struck)] == [("RCB01", "H1", "L1"), ("PSB01", "H2", "L5")]


def test_a_registry_that_is_made_anew_knows_the_marks_again(county: RatingCounty):
    """All that stand, and none twice."""
    assert county.send("blacklist_entry", "RCB01", **_entry("B1", "H1", "yes")) is None
    assert county.send("blacklist_entry", "RCB01", **_entry("B2", "H2", "no")) is None
    assert county.send("blacklist_entry", "RCB01", **_entry("B2", "H2", "no", "2024-03-01")) is None
    kept = _kept(county)
    with county.transaction() as transaction:
        told = rebuild(transaction, county.office, "registry", actor="test")
    assert told["borrower_marks_changed"] == 1
    assert (_kept(county), [mark[0] for mark in kept]) == (kept, ["H1"])
