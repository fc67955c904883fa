"""Premiums, payouts, covers and results of periods, by the plan that a county runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from services.insurance_claim import covers
from services.insurance_claim.states import CLAIM
from tests.support.builders.statements import claim, period_result
from tests.support.carried_county import COUNTY, VILLAGE
from tests.support.insurance import BANK, FINANCE, INSURER, policy

if TYPE_CHECKING:
    from tests.support.insurance import InsuranceCounty


def notices(county: InsuranceCounty) -> list[tuple[str, str, str]]:
    """Return whom notices were for, and what they are about."""
    rows = county.rows(
        "SELECT subject, payload FROM huilian.message WHERE type = 'notices' AND source = 'service.insurance_claim'"
        " ORDER BY subject"
    )
    records = [(row["subject"], json.loads(line)) for row in rows for line in bytes(row["payload"]).splitlines()]
    return [(subject, each["kind"], each["reference"]) for subject, each in records]


def test_an_insurers_loss_is_shared_with_the_fund_once_another_approves_it(county: InsuranceCounty):
    """The plan's example: premiums 1,000,000.00, claims 1,300,000.00: fund 180,000.00, insurer 120,000.00."""
    county.package(period_result("2021"))
    [row] = county.ask("feed/insurance_results")
    assert (row["state"], row["result"], row["fund_share"]) == ("stated", "-300000.00", None)
    for _ in range(2):
        assert county.settle() is None
    [row] = county.ask("feed/insurance_results")
    shown = ("state", "fund_share", "insurer_share", "returned", "approved_by")
    assert [row[name] for name in shown] == ["settled", "180000.00", "120000.00", "0.00", FINANCE]
    [told] = county.told
    assert (told["insurer"], told["period"], told["as_of"], told["before"]) == (INSURER, "2021", "2021-12-31", None)
    assert told["after"]["fund_share"] == "180000.00"


def test_a_profit_goes_back_in_part_and_a_correction_is_told_as_a_change(county: InsuranceCounty):
    """40 % of it; what the insurer corrects is approved anew, and its books get both states."""
    county.package(period_result("2021Q4", claims="900000.00"))
    assert county.settle("2021-Q4", claims="900000.00") is None
    assert county.told[0]["after"]["returned"] == "40000.00"
    county.run_jobs("insurance_claim", 1)
    county.package(period_result("2021-Q4", claims="950000.00"), number=1)
    [row] = county.ask("feed/insurance_results")
    assert (row["state"], row["returned"]) == ("corrected", "40000.00")
    assert county.settle("2021-Q4", claims="950000.00") is None
    former, newer = county.told[0]["after"], county.told[1]
    assert (newer["before"], newer["after"]["returned"]) == (former, "20000.00")
    with county.transaction() as transaction:
        results = county.office.services["insurance_claim"].tells["insurance_results_changed"]
        [draft] = list(results(transaction))
    assert json.loads(draft.body)["after"] == newer["after"]


def test_a_result_that_cannot_be_settled_is_refused(county: InsuranceCounty):
    """What was not seen, is not over, overlaps, or is of nobody; a refusal has its reason; no insurer settles."""
    county.package(period_result("2021"), period_result("2021Q1"), period_result("2022-01"))
    assert county.settle("2020") == "HL1181"
    assert county.settle(claims="1.00") == "HL1182"
    assert county.settle("2022-01") == "HL1184"
    assert county.settle(member=INSURER) == "HL1004"
    assert county.settle(person="P1") == "HL1033"
    assert county.settle(decision="refuse") == "HL1064"
    assert county.settle(decision="refuse", reason="口径不符") is None
    assert county.told == []
    assert county.settle() is None
    assert county.settle("2021-Q1") == "HL1183"


def test_premiums_are_held_to_the_plans_shares_and_to_what_was_paid(county: InsuranceCounty):
    """Finance 80, household 20; what is paid more than once is taken back once."""
    wrong = {"premium_finance": "70.00", "premium_household": "30.00"}
    county.package(policy("P1"), policy("P2", **wrong))
    assert county.pay("Z1", "100.00") is None
    assert county.pay("Z2", "30.00", member=INSURER, payer="household", policy_no="P2") is None
    assert county.pay("Z3", "100.00") is None
    for _ in range(2):
        assert county.pay("Z4", "100.00", reverses="Z3") is None
    assert county.pay("Z5", "100.00", reverses="Z3") == "HL1186"
    assert county.pay("Z6", "100.00", policy_no="P9") == "HL1185"
    assert county.pay("Z7", "1.00", institution=BANK) == "HL1099"
    assert county.pay("Z8", "1.00", member=BANK) == "HL1004"
    assert county.pay("Z9", "1.00", member="INS02") == "HL1052"
    rows = {
        row["payer"]: [row[name] for name in ("stated", "by_plan", "paid", "owed")]
        for row in county.ask("feed/premiums")
    }
    assert rows == {
        "finance": ["150.00", "160.00", "100.00", "50.00"],
        "household": ["50.00", "40.00", "30.00", "20.00"],
        "insurer": ["0.00", "0.00", "0.00", "0.00"],
    }
    [row] = county.ask("feed/premium_differences")
    assert (row["policy_no"], row["premium_finance"], row["plan_finance"]) == ("P2", "70.00", "80.00")


def test_a_claim_that_goes_back_is_a_difference_and_no_refusal(county: InsuranceCounty):
    """So are one outside its cover, above its sum, and one that is settled without a day."""
    county.package(
        policy("P1", sum_insured="1000.00"),
        claim("C1", "P1", status="settled", amount="1000.01", event_date="2022-01-05"),
    )
    county.run_jobs("insurance_claim", 1)
    county.package(claim("C1", "P1", status="surveying", event_date="2021-01-05"))
    found = {row["kind"]: (row["reference"], row["detail"]) for row in county.ask("differences")}
    assert found == {
        "claim_went_back": ("C1", "已赔付 → 查勘中"),
        "claim_outside_cover": ("C1", "出险 2021-01-05，保险期间 2021-12-01 至 2022-11-30"),
    }
    county.run_jobs("insurance_claim", 1)
    county.package(claim("C1", "P1", status="settled", amount="1000.01", event_date="2022-01-05"))
    found = {row["kind"]: (row["reference"], row["detail"]) for row in county.ask("differences")}
    assert found["claims_above_sum_insured"] == ("P1", "赔付合计 1000.01，保险金额 1000.00")
    assert found["claim_paid_without_date"] == ("C1", None)


def test_an_insurer_is_told_once_of_a_claim_that_it_did_not_pay_in_time(county: InsuranceCounty):
    """Ten working days under this plan, from the first word of the claim; the days that it took are shown."""
    county.use("lushi")
    county.package(policy("P1"), claim("C1", "P1", event_date="2022-01-05"))
    county.run_jobs("insurance_claim", 14)
    [row] = county.ask("feed/claims")
    assert (row["filed_date"], row["due_date"], row["late"], row["days"]) == ("2022-01-10", "2022-01-24", "no", None)
    assert notices(county) == []
    for _ in range(2):
        county.run_jobs("insurance_claim", 1)
    assert notices(county) == [(COUNTY, "step_overdue", "C1"), (INSURER, "step_overdue", "C1")]
    county.package(claim("C1", "P1", status="settled", amount="9.00", event_date="2022-01-05", paid_date="2022-01-26"))
    [row] = county.ask("feed/claims")
    assert (row["late"], row["days"]) == ("yes", 16)
    # Of one that is told only when it was paid nobody knows when it was filed.
    county.package(claim("C2", "P1", status="settled", amount="9.00", event_date="2022-01-05", paid_date="2022-01-07"))
    row = next(row for row in county.ask("feed/claims") if row["claim_no"] == "C2")
    assert (row["filed_date"], row["due_date"], row["late"], row["days"]) == (None, None, "no", None)


def test_loans_without_a_basic_cover_are_listed_and_measured(county: InsuranceCounty):
    """A policy of the loan or of its household covers it while it lasts; what a product is, its entry says."""
    county.lend("L1", "H1")
    county.lend("L2", "H2")
    county.lend("L3", "H3", status="settled")
    assert [row["loan_no"] for row in county.ask("feed/uncovered_loans")] == ["L1", "L2"]
    county.package(policy("P1", "L1"), policy("P2", household_no="H2", product="MIX", kind="yield"))
    [row] = county.ask("feed/uncovered_loans")
    assert (row["loan_no"], row["cover"], row["title"]) == ("L2", "accident", "家庭综合意外伤害保险")
    with county.transaction() as transaction:
        [gauge] = covers.gauges(transaction, county.office.context)
    assert list(gauge.values) == [((BANK, "accident"), 1)]
    assert county.offer("MIX", "accident", kind="yield") is None
    assert county.ask("feed/uncovered_loans") == []
    assert county.offer("MIX", None, member=INSURER, kind="yield") is None
    assert [row["loan_no"] for row in county.ask("feed/uncovered_loans")] == ["L2"]
    assert county.offer("MIX", None, member=BANK) == "HL1004"
    assert [row["cover"] for row in county.ask("feed/insurance_products")] == [None]


def test_a_fund_that_pays_before_the_insurer_is_a_difference(county: InsuranceCounty):
    """Until the insurer has decided."""
    county.lend("L1")
    county.package(policy("P1", "L1"), claim("C1", "P1", event_date="2022-01-05"))
    state = {
        "borrower": "household", "household_no": "H1", "region": VILLAGE, "institution": BANK, "loan_no": "L1",
        "policy": "yanchi", "product": "household", "state": "paid", "cause": "force_majeure",
        "principal": "100.00", "interest": "0.00", "insurance_paid": "0.00", "covered": "100.00",
        "fund_share": "70.00", "fund_paid": "70.00", "fund_due": None, "recovered": "0.00",
    }  # fmt: skip
    change = {"claim_no": "B1", "as_of": "2022-01-10", "until": None, "before": None, "after": state}
    county.tell("compensations_changed", 1, [change], service="risk_fund")
    [row] = county.ask("differences")
    assert (row["kind"], row["reference"], row["detail"]) == (
        "fund_paid_before_insurer",
        "C1",
        "风险补偿 B1 已付 70.00",
    )
    county.package(claim("C1", "P1", event_date="2022-01-05", status="declined"), number=1)
    assert county.ask("differences") == []


def test_the_way_of_a_claim_is_drawn_as_it_is():
    """If this fails, put what `CLAIM.mermaid()` returns into docs/architecture.md."""
    text = (Path(__file__).parents[3] / "docs" / "architecture.md").read_text("utf-8")
    assert f"```mermaid\n{CLAIM.mermaid()}\n```" in text
