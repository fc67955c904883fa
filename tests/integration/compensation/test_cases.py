"""Cases of compensation: asked for, reviewed, paid after insurance, recovered and handed back, by the policy."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from services.risk_fund.compensation.form import FORM
from tests.support.carried_county import CLERK, COUNTY, VILLAGE
from tests.support.funds import BANK, FINANCE, OTHER_BANK, TODAY
from tests.support.losses import GUARANTOR, INSURER, REGUARANTOR, TOWNSHIP_STATION, VILLAGE_STATION

if TYPE_CHECKING:
    from tests.support.losses import LossCounty

DAY = dt.timedelta(days=1)
UNSAID = dict.fromkeys(("claim_no", "filed_by", "signed", "date", "person"))
"""What a bank's list leaves to the list."""


def balances(county: LossCounty, **asked: str) -> dict[tuple[str, str], str]:
    """Return the balances by account and party; they add up to nought."""
    found = {(row["account"], row["party"]): row["balance"] for row in county.ask("fund", **asked)}
    assert sum(map(Decimal, found.values())) == 0
    return found


def approved(county: LossCounty, policy: str, **fields: str) -> None:
    """Have a case of the loan L1 approved under a policy."""
    county.run_by(policy)
    county.deposit("D1", "100000.00")
    county.lend()
    assert county.claim(**fields) is None, county.texts
    county.approve_case()


def test_what_a_bank_holds_already_is_not_made_good_and_no_interest_that_cannot_be(county: LossCounty):
    """The bank's own word of 30,000.00 counts before the insurer's; so does what it recovers on the day it asks."""
    county.run_by("xingan")
    county.deposit("D1", "100000.00")
    county.lend()
    assert county.claim(interest="500000.00") == "HL1175"
    assert county.claim(insurance_paid="30000.00") is None
    county.approve_case()
    assert county.case()["shares"] == {"fund": "22175.00"}
    assert county.recover("T1", "5000.00") is None
    assert county.case()["shares"] == {"fund": "17175.00"}
    # What the insurer tells later is the same money.
    county.tell_insured("K1", "settled", "30000.00")
    assert county.case()["shares"] == {"fund": "17175.00"}


def test_a_loss_is_made_good_after_insurance_and_comes_back_to_the_fund(county: LossCounty):
    """Worked example 6: a loss of 52,175.00, 30,000.00 by the insurer, 22,175.00 by the fund, 5,000.00 back."""
    county.run_by("anhui")
    county.deposit("D1", "100000.00")
    county.lend()
    assert county.claim(member=VILLAGE_STATION, filed_by="household", signed="no") == "HL1074"
    assert county.claim(member=VILLAGE_STATION, filed_by="household") is None
    county.tell_insured("K1", "surveying", "0.00")
    assert county.review("village_review") is None
    assert county.review("township_review") is None
    assert county.review("county_approval") == "HL1167"
    county.tell_insured("K1", "settled", "30000.00", before=("surveying", "0.00"))
    assert county.review("county_approval") is None
    case = county.case()
    assert (case["state"], case["shares"], case["insurance_paid"]) == ("approved", {"fund": "22175.00"}, 30000)
    assert county.pay("Z1", "22175.01") == "HL1172"
    assert county.pay("Z1", "22175.00") is None
    assert county.pay("Z2", "0.01") == "HL1172"
    assert county.case()["state"] == "approved"
    assert county.approve("Z1") is None
    assert (county.case()["state"], county.case()["stage"]) == ("paid", "collect")
    assert balances(county)["compensation", BANK] == "22175.00"
    assert balances(county)["deposit", BANK] == "77825.00"
    county.clock.advance(3 * DAY)
    assert county.recover("T1", "5000.00") is None
    assert balances(county)["recovery_due", BANK] == "5000.00"
    assert balances(county)["recovered", BANK] == "-5000.00"
    assert county.hand_back("R1", "5000.01") == "HL1172"
    assert county.hand_back("R1", "5000.00") is None
    assert county.approve("R1") is None
    assert balances(county)["recovery_due", BANK] == "0.00"
    assert balances(county)["deposit", BANK] == "82825.00"
    assert county.case()["returned"] == {"fund": "5000.00"}
    [row] = county.ask("feed/compensations")
    assert {name: row[name] for name in ("state", "fund_share", "fund_paid", "recovered", "returned", "fund_due")} == {
        "state": "paid", "fund_share": "22175.00", "fund_paid": "22175.00", "recovered": "5000.00",
        "returned": "fund=5000.00", "fund_due": None,
    }  # fmt: skip
    [held] = county.ask("feed/loss_reconciliation")
    assert (held["fund_booked"], held["fund_booked_recovered"], held["insurer_paid"], held["twice"]) == (
        "22175.00", "5000.00", "30000.00", "0.00",
    )  # fmt: skip
    assert held["findings"] == "insurer_differs_from_bank"
    told = [
        row["state"] for row in county.ask("household_story", household="HL1") if row["what"].startswith("风险补偿")
    ]
    assert [each.split("（")[0] for each in told] == [
        "提出申请",
        "同意",
        "同意",
        "核定，同意补偿",
        "拨付完毕",
        "追回",
        "归还追回款",
    ]
    assert [change["after"]["state"] for change in county.told][-1] == "paid"


def test_a_bank_or_the_policy_says_who_asks_and_with_what(county: LossCounty):
    """Each thing that is wrong with a claim has its code; all of them are told at once."""
    county.lend()
    county.lend("L2", status="normal")
    county.lend("L3", household_no=None)
    assert county.claim(loan_no="L9") == "HL1160"
    assert county.claim(member=OTHER_BANK) == "HL1052"
    assert county.claim(member=VILLAGE_STATION, filed_by="household") == "HL1171"
    assert county.claim(loan_no="L2") == "HL1161"
    assert county.claim(principal="50000.01") == "HL1162"
    assert county.claim(evidence="催收记录") == "HL1164"
    assert county.claim(borrower_no="H9") == "HL1170"
    assert county.claim(loan_no="L3") == "HL1168"
    assert county.claim(overdue_since="2026-03-03") == "HL1062"
    assert county.claim(principal="50000.01", evidence=None, borrower_no="H9") == "HL1035"
    assert sorted(county.reasons) == ["HL1162", "HL1164", "HL1170"]
    for _ in range(2):
        assert county.claim() is None
    assert county.claim(principal="49999.99") == "HL1059"
    assert county.claim("C2") == "HL1163"
    assert len(county.ask("feed/compensations")) == 1


def test_what_the_policy_does_not_cover_is_refused_with_all_reasons_and_may_be_asked_for_anew(county: LossCounty):
    """A malicious default under its buffer has two reasons; the bank is told."""
    county.run_by("huangping")
    county.lend(due_date="2026-02-20")
    assert county.claim(cause="malicious", overdue_since="2026-02-20") is None
    [row] = county.ask("feed/compensations")
    assert (row["state"], row["covered"]) == ("refused", None)
    assert [each["code"] for each in county.case()["refusals"]] == ["malicious", "too_early"]
    [result] = county.results(BANK)
    assert (result["status"], result["share_bank"], result["share_fund"]) == ("refused", "52175.00", "0.00")
    county.clock.advance(20 * DAY)
    assert county.claim("C2", overdue_since="2026-02-20") is None
    assert county.case("C2")["state"] == "in_review"


def test_steps_are_taken_by_whom_the_policy_names_and_go_back_where_it_lets(county: LossCounty):
    """A case that was returned is asked for again under its number."""
    county.lend()
    assert county.claim() is None
    assert county.review("township_review") == "HL1166"
    assert county.review("village_review", "C9") == "HL1165"
    assert county.review("village_review", member=TOWNSHIP_STATION) == "HL1052"
    assert county.review("village_review", decision="refuse") == "HL1064"
    for _ in range(2):
        assert county.review("village_review") is None
    back = {"decision": "send_back", "reason": "材料不全"}
    assert county.review("township_review", **back, back_to="county_approval") == "HL1060"
    assert county.review("township_review", **back, back_to="apply") is None
    assert county.case()["state"] == "returned"
    assert county.claim(principal="40000.00") is None
    county.approve_case()
    assert county.case()["covered"] == Decimal("42175.00")
    assert county.pay("Z1", "1.00", party="bank") == "HL1172"
    assert county.pay("Z1", "1.00", member=COUNTY, effective_date="2026-03-01") == "HL1062"


def test_shares_of_guarantors_are_stated_by_them_and_recoveries_go_back_by_share(county: LossCounty):
    """Worked example 5: a household's loss of 48,765.43; what is recovered goes back in proportion."""
    county.run_by("lushi")
    county.deposit("D1", "100000.00")
    county.guarantee()
    county.lend()
    assert county.claim(principal="48000.00", interest="765.43") is None
    county.approve_case()
    assert county.case()["shares"] == {
        "fund": "9753.09", "bank": "4876.54", "guarantor": "24382.71", "reguarantor": "9753.09",
    }  # fmt: skip
    assert county.pay("Z1", "24382.71", "guarantor", member=REGUARANTOR) == "HL1052"
    assert county.pay("Z1", "24382.71", "guarantor", member=GUARANTOR) is None
    assert county.pay("Z2", "9753.09", "reguarantor", member=REGUARANTOR) is None
    assert county.pay("Z3", "9753.09", member=FINANCE) is None
    assert county.approve("Z3") is None
    assert county.case()["state"] == "paid"
    county.clock.advance(DAY)
    assert county.recover("T1", "48765.43") is None
    case = county.case()
    assert (case["state"], case["recovery_shares"]) == ("recovered", case["shares"])
    assert county.recover("T1", "1000.00") is None
    case = county.case()
    assert (case["state"], case["recovery_shares"]) == (
        "paid", {"fund": "200.00", "bank": "100.00", "guarantor": "500.00", "reguarantor": "200.00"},
    )  # fmt: skip
    assert balances(county)["recovery_due", BANK] == "200.00"
    assert county.hand_back("R1", "500.00", "guarantor") is None
    assert county.case()["returned"] == {"guarantor": "500.00"}
    [held] = county.ask("feed/loss_reconciliation", institution=GUARANTOR)
    assert "guarantor_differs_from_book" in held["findings"]
    assert {row["kind"] for row in county.ask("differences")} >= {"guarantor_differs_from_book"}


def test_what_a_guarantors_book_says_that_it_paid_is_its_share(county: LossCounty):
    """What it stated besides is the same money; a book that takes it back leaves the share unpaid."""
    county.run_by("lushi")
    county.guarantee()
    county.lend()
    assert county.claim(principal="10000.00", interest="0.00") is None
    county.approve_case()
    assert county.case()["shares"] == {
        "fund": "2000.00", "bank": "1000.00", "guarantor": "5000.00", "reguarantor": "2000.00",
    }  # fmt: skip
    assert county.pay("Z1", "3000.00", "guarantor", member=GUARANTOR) is None
    county.clock.advance(DAY)
    county.guarantee(paid="5000.00", as_of="2026-03-03")
    assert county.case()["paid"] == {"guarantor": "5000.00"}
    assert county.pay("Z2", "0.01", "guarantor", member=GUARANTOR) == "HL1172"
    [held] = county.ask("feed/loss_reconciliation")
    assert (held["guarantor_paid"], held["guarantor_book"], held["findings"]) == ("5000.00", "5000.00", "")
    county.clock.advance(DAY)
    county.guarantee(paid="1000.00", as_of="2026-03-04")
    assert county.case()["paid"] == {"guarantor": "3000.00"}
    [held] = county.ask("feed/loss_reconciliation")
    assert held["findings"] == "guarantor_differs_from_book"


def test_what_an_insurer_pays_late_comes_back_and_is_no_second_compensation(county: LossCounty):
    """Before the payment less is shared; after it what the insurer pays is handed back."""
    approved(county, "xingan")
    assert county.case()["shares"] == {"fund": "52175.00"}
    county.tell_insured("K1", "settled", "2175.00")
    assert county.case()["shares"] == {"fund": "50000.00"}
    assert county.pay("Z1", "50000.00") is None
    assert county.approve("Z1") is None
    county.tell_insured("K1", "settled", "12175.00", before=("settled", "2175.00"))
    case = county.case()
    assert (case["recovered"], case["recovery_shares"]) == (10000, {"fund": "10000.00"})
    assert balances(county)["recovery_due", BANK] == "10000.00"
    [held] = county.ask("feed/loss_reconciliation", institution=INSURER)
    assert (held["twice"], held["findings"]) == ("0.00", "insurer_differs_from_bank;insurer_paid_late")


def test_what_is_lost_for_good_is_written_off_and_falls_to_the_second_tier(county: LossCounty):
    """黄平: of the fund's 70 % half falls to the county, 30 % to the township, 20 % to the village."""
    county.run_by("huangping")
    county.deposit("D1", "100000.00")
    county.lend()
    assert county.claim(principal="10000.00", interest="0.00") is None
    county.approve_case()
    assert county.case()["shares"] == {"fund": "7000.00", "bank": "3000.00"}
    off = {"claim_no": "C1", "reason": "借款人死亡"}
    assert county.send("write_off", FINANCE, write_off_no="W1", **off) == "HL1166"
    assert county.pay("Z1", "7000.00") is None
    assert county.approve("Z1") is None
    county.clock.advance(DAY)
    assert county.recover("T1", "1000.00") is None
    assert county.send("write_off", FINANCE, write_off_no="W1", **off) is None
    assert county.recover("T2", "1000.00") is None
    assert county.approve("W1") == "HL1174"
    assert county.send("write_off", FINANCE, write_off_no="W2", **off) is None
    assert county.approve("W2") is None
    assert county.case()["state"] == "written_off"
    found = balances(county)
    assert found["compensation", BANK] == "1400.00"
    assert {party: found["second_tier_due", party] for party in ("county", "township", "village")} == {
        "county": "2800.00", "township": "1680.00", "village": "1120.00",
    }  # fmt: skip
    assert county.send("fund_reversal", reversal_no="X1", reference="W2", reason="误核销") is None
    assert county.approve("X1") is None
    assert (county.case()["state"], balances(county)["compensation", BANK]) == ("paid", "7000.00")


def test_a_payment_is_reversed_once_and_the_share_is_due_again(county: LossCounty):
    """What rests on it keeps it from being reversed."""
    approved(county, "xingan")
    assert county.pay("Z1", "52175.00") is None
    assert county.approve("Z1", "refuse", reason="账户有误") is None
    assert county.pay("Z2", "52175.00") is None
    assert county.approve("Z2") is None
    assert county.send("fund_reversal", reversal_no="X1", reference="Z2", reason="误拨") is None
    assert county.approve("X1") is None
    case = county.case()
    assert (case["state"], case["stage"], case["paid"]) == ("approved", "pay", {"fund": "0.00"})
    assert case["fund_due"] is not None
    assert county.pay("Z3", "52175.00") is None
    assert county.approve("Z3") is None
    county.clock.advance(DAY)
    assert county.recover("T1", "1.00") is None
    assert county.send("fund_reversal", reversal_no="X2", reference="Z3", reason="误拨") is None
    assert county.approve("X2") == "HL1166"


def test_a_list_is_taken_line_by_line_and_its_results_go_back(county: LossCounty):
    """A line that is wrong is answered by itself; the same list again says nothing new."""
    county.lend()
    county.lend("L2", status="normal")
    row = {
        "institution": BANK, "borrower_no": None, "overdue_since": "2026-01-02", "overdue_days": 59,
        "principal": "50000.00", "interest": "2175.00", "cause": "force_majeure", "insurance_paid": "0.00",
        "collections": 3, "evidence": "催收通知书;理赔决定书", **UNSAID,
    }  # fmt: skip
    rows = [row | {"loan_no": f"L{line}", "line": line} for line in (1, 2)]
    totals = {"principal": "100000.00", "interest": "4350.00"}
    receipt = county.submit(
        county.seal_submission(
            BANK, "compensation_claims", {"compensation_claims": rows}, file_name="K.csv", totals=totals
        )
    )
    assert (receipt["status"], receipt["changed"]) == ("accepted", 1)
    [case] = county.ask("feed/compensations")
    assert (case["loan_no"], case["filed_by"], case["state"]) == ("L1", "bank", "in_review")
    county.approve_case(case["claim_no"])
    [result] = county.results(BANK)
    assert (result["status"], result["share_fund"], result["application_no"]) == (
        "approved", "52175.00", case["claim_no"],
    )  # fmt: skip
    county.clock.advance(DAY)
    back = {
        "institution": BANK, "loan_no": "L1", "recovered_date": "2026-03-03", "principal": "100.00", "interest": "0.00",
    }  # fmt: skip
    recoveries = [back | {"transaction_no": f"T{line}", "line": line} for line in (1, 2)]
    sealed = county.seal_submission(
        BANK, "recoveries", {"recoveries": recoveries}, file_name="R.csv", totals={},
    )  # fmt: skip
    assert county.submit(sealed)["changed"] == 2
    # Nobody had paid yet: less is left to share.
    assert county.case(case["claim_no"])["shares"] == {"fund": "51975.00"}


def test_papers_that_a_list_cannot_name_are_named_by_the_last_review(county: LossCounty):
    """Its document says where they are."""
    county.lend()
    row = {
        "line": 1, "institution": BANK, "loan_no": "L1", "borrower_no": None, "overdue_since": "2026-01-02",
        "overdue_days": None, "principal": "50000.00", "interest": "0.00", "cause": "other", "insurance_paid": "0.00",
        "collections": None, "evidence": None, **UNSAID,
    }  # fmt: skip
    sealed = county.seal_submission(
        BANK, "compensation_claims", {"compensation_claims": [row]}, file_name="K.txt",
        totals={"principal": "50000.00", "interest": "0.00"},
    )  # fmt: skip
    assert county.submit(sealed)["changed"] == 1
    [case] = county.ask("feed/compensations")
    for step in ("village_review", "township_review"):
        assert county.review(step, case["claim_no"]) is None
    assert county.review("county_approval", case["claim_no"]) == "HL1164"
    assert county.review("county_approval", case["claim_no"], document="卷宗2026-3") is None


def test_a_station_enters_what_borrowers_asked_for_as_a_list(county: LossCounty):
    """Each line names who took it in; who may not is answered by itself."""
    county.run_by("anhui")
    for loan_no in ("L1", "L2"):
        county.lend(loan_no)
    row = {
        "institution": BANK, "overdue_since": "2026-01-02", "overdue_days": None, "principal": "50000.00",
        "interest": "0.00", "cause": "other", "insurance_paid": "0.00", "collections": None,
        "evidence": "丧失还款能力的证明材料", "filed_by": "household", "signed": "yes", "date": TODAY,
    }  # fmt: skip
    rows = [
        row | {"line": line, "claim_no": f"C{line}", "loan_no": f"L{line}", "borrower_no": f"HL{line}", "person": who}
        for line, who in ((1, CLERK), (2, "P9"))
    ]
    sealed = county.seal_submission(
        VILLAGE_STATION, "compensation_claims", {"compensation_claims": rows}, file_name="F2.xlsx",
        totals={"principal": "100000.00", "interest": "0.00"},
    )  # fmt: skip
    receipt = county.submit(sealed)
    assert (receipt["status"], receipt["changed"], receipt["rejected"]) == ("accepted", 1, 1)
    [case] = county.ask("feed/compensations")
    assert (case["claim_no"], case["filed_by"], case["loan_no"]) == ("C1", "household", "L1")


def test_what_is_late_is_chased_once(county: LossCounty):
    """The station that has to review, who has to pay, and the bank that has to hand back."""
    approved(county, "xingan")
    county.lend("L2")
    assert county.claim("C2", "L2") is None
    county.run_jobs("risk_fund", days=60)
    county.run_jobs("risk_fund", days=1)
    told = county.rows(
        "SELECT claim_no, count(*) AS n FROM risk_fund.compensation_step WHERE move = 'chase' GROUP BY 1 ORDER BY 1"
    )
    assert [(row["claim_no"], row["n"]) for row in told] == [("C1", 1), ("C2", 1)]
    assert county.ask("feed/compensations", late="yes", state="approved")[0]["claim_no"] == "C1"
    assert county.pay("Z1", "52175.00") is None
    assert county.approve("Z1") is None
    assert county.recover("T1", "100.00") is None
    county.run_jobs("risk_fund", days=20)
    assert len(county.rows("SELECT 1 AS n FROM risk_fund.compensation_step WHERE move = 'chase'")) == 3


def test_collections_are_recorded_and_the_form_is_printed(county: LossCounty):
    """Each step of collection stands in the story; form 附件2 shows who decided what."""
    approved(county, "xingan")
    step = {
        "collection_no": "K1", "institution": BANK, "loan_no": "L1", "kind": "lawsuit", "result": "已立案",
        "document": None,
    }  # fmt: skip
    assert county.deliver(county.record("collection", BANK, **step)) is None
    assert county.deliver(county.record("collection", OTHER_BANK, **step | {"collection_no": "K2"})) == "HL1052"
    assert county.deliver(county.record("collection", BANK, **step | {"result": "已判决"})) == "HL1059"
    [row] = county.ask("feed/collections")
    assert (row["kind"], row["household_no"], row["region"]) == ("lawsuit", "HL1", VILLAGE)
    told = county.ask("compensation_story", claim="C1")
    assert {each["what"] for each in told} == {"风险补偿", "催收"}
    form = county.document("compensation_form", number="C1")
    assert [(each["title"], each["decision"]) for each in form["reviews"]] == [
        ("嘎查村审查", "同意"), ("乡镇审查", "同意"), ("旗扶贫开发办公室核定", "同意"),
    ]  # fmt: skip
    assert form["shares"] == [{"party": "风险补偿金", "amount": "52175.00", "paid": "0.00"}]
    assert county.printed(FORM, form).startswith(b"%PDF")


@pytest.mark.parametrize(("member", "code"), [(BANK, "HL1052"), (GUARANTOR, "HL1052"), (COUNTY, None), (FINANCE, None)])
def test_only_county_and_finance_enter_what_the_fund_pays(county: LossCounty, member: str, code: str | None):
    """Whoever may enter it, somebody else approves it."""
    approved(county, "xingan")
    assert county.pay("Z1", "52175.00", member=member) == code
    assert county.case()["state"] == "approved"
