"""Needs: which households state one that nobody has taken up; and what the story of a household says of its parties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.parties import ENTERPRISE, SPOUSE
from tests.support.ratings import DAY, OTHER_VILLAGE, TOWNSHIP, VILLAGE

if TYPE_CHECKING:
    from tests.support.parties import PartiesCounty


def apply_for(county: PartiesCounty, household: str, state: str) -> None:
    """Enter an application as it stands."""
    enter(
        county, "application", application_no=f"SQ-{household}", borrower="household", borrower_no=household,
        region=VILLAGE, institution="RCB01", policy="anhui", product="household", amount=10_000, term=12,
        purpose="sheep", other_loans=0, signed="yes", family_adults=1, family_signed=1, entered_by="VILL1",
        entered_person="P1", message="m", applied="2024-03-01", entered="2024-03-01", state=state,
        stage_since="2024-03-01", revision=1,
    )  # fmt: skip


def lend_to(county: PartiesCounty, household: str, balance: str) -> None:
    """Enter a loan as it stands."""
    enter(
        county, "loan", institution="RCB01", loan_no=f"J-{household}", household_no=household, borrower_name="某人",
        identity_type="other", identity_number="A1", region=VILLAGE, product="XE1", principal=50_000, balance=balance,
        annual_rate_percent="4.35", start_date="2023-01-01", due_date="2026-01-01", five_tier_class="normal",
        overdue_days=0, overdue_principal=0, overdue_interest=0, status="normal", as_of="2024-01-31", submission=0,
        sequence=0, line=2, application=1,
    )  # fmt: skip


def enter(county: PartiesCounty, table: str, **row: object) -> None:
    """Write a row of the registry."""
    marks = ", ".join(["%s"] * len(row))
    county.rows(f"INSERT INTO registry.{table} ({', '.join(row)}) VALUES ({marks}) RETURNING 1", list(row.values()))


def test_a_need_stands_until_it_is_applied_for_or_lent_for(county: PartiesCounty):
    """By village; an application that came to nothing by itself, and a loan that is repaid, do not settle it."""
    apply_for(county, "H1", "withdrawn")
    lend_to(county, "H2", "0.00")
    county.rows("UPDATE registry.person SET needs = NULL WHERE household_no = 'H3' RETURNING 1")
    rows = county.ask("needs")
    assert [(row["region"], row["household_no"], row["needs"]) for row in rows] == [
        (VILLAGE, "H1", "养殖H1"), (VILLAGE, "H2", "养殖H2"), (OTHER_VILLAGE, "K1", "养殖K1"),
    ]  # fmt: skip
    assert [row["household_no"] for row in county.ask("needs", region=OTHER_VILLAGE)] == ["K1"]
    county.rows("UPDATE registry.person SET missing_since = '2024-02-01' WHERE household_no = 'K1' RETURNING 1")
    lend_to(county, "H1", "0.01")
    assert [row["household_no"] for row in county.ask("needs", region=TOWNSHIP)] == ["H2"]


@pytest.mark.parametrize("state", ["in_review", "returned", "pending", "confirmed", "lent", "completed", "refused"])
def test_a_need_that_was_applied_for_is_not_listed(county: PartiesCounty, state: str):
    """Also where the application was refused."""
    apply_for(county, "H1", state)
    assert [row["household_no"] for row in county.ask("needs", region=VILLAGE)] == ["H2", "H3"]


def test_the_list_of_needs_says_who_consents_to_inquiry_today(county: PartiesCounty):
    """To whomever, as long as it holds."""
    assert county.consent(institution="RCB01") is None
    assert county.consent("C2", household_no="H2", scope="publish") is None
    assert county.consent("C3", household_no="H3", until_date="2024-03-02") is None
    assert [row["consents"] for row in county.ask("needs", region=VILLAGE)] == ["yes", "no", "yes"]
    county.clock.advance(DAY)
    [row, *_] = county.ask("needs", region=VILLAGE)
    assert row == {
        "region": VILLAGE, "village_group": None, "household_no": "H1", "head_name": "户主H1",
        "category": "out_of_poverty", "household_size": None, "needs": "养殖H1", "annual_income": None, "grade": None,
        "credit_line": None, "consents": "yes",
    }  # fmt: skip
    assert [row["consents"] for row in county.ask("needs", region=VILLAGE)] == ["yes", "no", "no"]


def test_a_households_story_tells_of_its_consents_who_leads_it_and_its_agreements(county: PartiesCounty):
    """Each line with the message that says so; beginning and end have their own."""
    assert county.consent(scope="share_with_bank;credit_inquiry", institution="RCB01", identity_number=SPOUSE) is None
    assert county.enterprise() is None
    assert county.lead("H1") is None
    assert county.benefit("F1") is None
    assert county.agree() is None
    county.clock.advance(5 * DAY)
    withdrawn = {"institution": "RCB01", "identity_number": SPOUSE, "until_date": "2024-03-06"}
    assert county.consent(scope="credit_inquiry;share_with_bank", member="TOWN1", **withdrawn) is None
    assert county.lead("H1", until_date="2024-03-06", member="VILL1") is None
    rows = [row for row in county.ask("household_story", household="H1") if row["what"] != "花名册"]
    lines = ("on", "what", "institution", "number", "amount", "state")
    consents, led = "征信查询、向银行提供：RCB01", "入股分红：示例养殖专业合作社"
    assert [tuple(row[name] for name in lines) for row in rows] == [
        ("2024-03-01", "授权", "VILL1", "C1", None, consents),
        ("2024-03-01", "带动", "TOWN1", ENTERPRISE, "5000.00", led),
        ("2024-03-01", "带动收益", "TOWN1", "F1", "600.00", "分红：示例养殖专业合作社"),
        ("2024-03-01", "协议", "TOWN1", "A1", None, "联保：SQ1"),
        ("2024-03-06", "授权终止", "TOWN1", "C1", None, consents),
        ("2024-03-06", "带动终止", "VILL1", ENTERPRISE, "5000.00", led),
    ]
    messages = [row["message"] for row in rows]
    assert len({*messages, None}) == len(rows) + 1
    assert {row["id"] for row in county.rows("SELECT id FROM huilian.message")} >= set(messages)
    assert county.ask("household_story", household="H1", region=OTHER_VILLAGE) == []
    assert [row["what"] for row in county.ask("household_story", household="H2")][1:] == ["协议"]
