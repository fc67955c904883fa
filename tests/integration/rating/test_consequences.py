"""Reward and punishment: what follows for borrowers is kept once, shown, posted, told, and published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.county.rebuild import rebuild
from services.registry.marks import barred
from tests.support.ratings import COUNTY, VILLAGE, claim, deed, household, loan, policy

if TYPE_CHECKING:
    from tests.support.ratings import RatingCounty

POSTING = {
    "posting_no": "G1", "region": VILLAGE, "first_day": "2024-03-01", "last_day": "2024-03-07",
    "complaint_line": "0564-1234567",
}  # fmt: skip


def shown(county: RatingCounty, *names: str, **given: str) -> list[tuple[Any, ...]]:
    """Return fields of what follows for borrowers."""
    return [tuple(row[name] for name in names) for row in county.ask("feed/consequences", **given)]


def test_what_follows_is_kept_once_with_its_clause_and_its_loan(county: RatingCounty):
    """Under this plan a wrong use weakens grade, line, subsidy and card; two findings of one loan are one."""
    county.use("yanchi")
    county.tell("households_changed", 2, [household("H1", "ordinary")])
    for member, reference in ((COUNTY, "2024-1"), ("TOWN1", "2024-2")):
        found = deed(reference, "wrong_use", institution="RCB01", loan_no="L1")
        assert county.send("borrower_deed", member, **found) is None
    assert shown(county, "change", "how", "loan_no", "in_force", "region") == [
        (change, "weaker", "L1", "yes", VILLAGE) for change in ("grade", "line", "subsidy", "card")
    ]
    assert shown(county, "clause") == [("篇二 三（贷款用途规范使用情况）",)] * 4
    assert shown(county, "change", institution="PSB01") == []
    kept = county.rows("SELECT borrower_no, reference, change, region FROM registry.consequence ORDER BY reference")
    assert [row["change"] for row in kept] == ["grade", "line", "subsidy", "card"]
    with county.transaction() as transaction:
        assert rebuild(transaction, county.office, "registry", actor="test")["consequences_changed"] == 1
    assert county.rows("SELECT borrower_no, reference, change, region FROM registry.consequence ORDER BY 2") == kept


def test_malicious_default_bars_until_its_entry_is_taken_back(county: RatingCounty):
    """No new loans, no support, no subsidy, no compensation; an entry that ends where it began was a mistake."""
    county.use("anhui")
    entry = {
        "entry_no": "B1", "borrower": "household", "borrower_no": "H1", "malicious": "yes",
        "from_date": "2024-03-01", "until_date": None, "reason": "逃废债务",
    }  # fmt: skip
    assert county.send("blacklist_entry", COUNTY, **entry) is None
    found = shown(county, "change", "how", "after")
    assert found == [
        (change, "barred_for_good", "malicious_default")
        for change in ("blacklist", "support", "new_loans", "subsidy", "compensation")
    ]
    assert county.send("blacklist_entry", COUNTY, **entry | {"until_date": "2024-03-01"}) is None
    assert set(shown(county, "in_force", "ended")) == {("no", "2024-03-01")}
    assert county.rows("SELECT * FROM registry.consequence") == []


def test_a_default_that_force_majeure_excuses_is_taken_back(county: RatingCounty):
    """It is known from an insurer's claim, after the default was."""
    county.use("anhui")
    county.collect([{
        "source": "village", "borrower": "household", "borrower_no": "H1", "village": VILLAGE, "kind": "ordinary",
        "applicant_age": 40, "indicators": "credit=80;income=70;labour=90", "exclusions": "none",
        "collected_on": "2024-03-01", "person": "P1",
    }])  # fmt: skip
    county.tell("loans_changed", 3, [loan("H1", "L1", {}, {"five_tier_class": "loss"})])
    assert shown(county, "change", "how", "in_force") == [
        ("new_loans", "barred_for_good", "yes"), ("rating", "weaker", "yes"),
    ]  # fmt: skip
    county.tell("policies_changed", 1, [policy("C1")], service="insurance_claim")
    county.tell("claims_changed", 1, [claim("C1", "L1")], service="insurance_claim")
    assert set(shown(county, "in_force")) == {("no",)}


def test_what_follows_is_posted_in_the_village_as_many_as_were_seen(county: RatingCounty):
    """The same posting again changes nothing; the registry knows when it was."""
    county.use("yanchi")
    county.tell("households_changed", 2, [household("H1", "ordinary")])
    assert county.send("borrower_deed", COUNTY, **deed("1", "right_use", institution="RCB01", loan_no="L1")) is None
    assert county.send("consequence_posting", "VILL1", **POSTING, count=3) == "HL1187"
    assert county.send("consequence_posting", "VILL2", **POSTING, count=4) == "HL1052"
    assert county.send("consequence_posting", "RCB01", **POSTING, count=4) == "HL1004"
    for _ in range(2):
        assert county.send("consequence_posting", "VILL1", **POSTING, count=4) is None
    assert set(shown(county, "posting", "posted_until")) == {("G1", "2024-03-07")}
    rows = county.rows("SELECT posted_from, posted_until FROM registry.consequence")
    assert [tuple(row.values()) for row in rows] == [("2024-03-01", "2024-03-07")] * 4


def test_who_is_barred_from_new_loans_by_another_consequence_is_known(county: RatingCounty):
    """Support that is barred bars from loans, too; default is judged by the registry itself."""
    state = {
        "after": "false_claim", "change": "support", "how": "barred", "institution": None, "loan_no": None,
        "region": VILLAGE, "from_date": "2024-03-01", "until_date": "2024-06-01", "clause": "某条",
        "posted_from": None, "posted_until": None,
    }  # fmt: skip
    change = {"borrower": "household", "borrower_no": "H1", "as_of": "2024-03-01", "until": None, "before": None}
    told = [
        change | {"reference": "K1", "after": state},
        change | {"reference": "K2", "borrower_no": "H2", "after": state | {"after": "default"}},
    ]
    county.tell("consequences_changed", 1, told, service="rating")
    both = [("household", "H1"), ("household", "H2")]
    day = county.clock.today()
    with county.transaction() as transaction:
        assert barred(transaction, both, day) == {("household", "H1"): "某条"}
        assert barred(transaction, both, day.replace(month=6)) == {}
