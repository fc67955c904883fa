"""From the decision on: posting, objections, approval, payment orders, their results, cards that bounce."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.carried_county import CLERK, COUNTY, DAY, DEPUTY, HEAD, OTHER_VILLAGE, VILLAGE
from tests.support.payouts import ACCOUNT
from tests.support.subsidy_county import BANK, FINANCE, OTHER_BANK, loan

if TYPE_CHECKING:
    from tests.support.payouts import PayoutCounty


def test_a_subsidy_is_posted_approved_ordered_and_paid(paying: PayoutCounty):
    """Each step is its own message; the bank that asked is told of each."""
    paying.compute("L1", "L2")
    assert paying.post(2) is None
    assert paying.states() == {"L1": "posted", "L2": "posted"}
    paying.clock.advance(7 * DAY)
    assert paying.approve(2, "200.00") is None
    assert paying.pay(2, "200.00") is None
    assert paying.states() == {"L1": "ordered", "L2": "ordered"}
    assert paying.sent["payment_orders"][0] == (
        BANK,
        {
            "line": 1, "batch_no": "PAY1", "payee_name": "户主甲", "payee_account": f"{ACCOUNT}0L1",
            "payee_bank": None, "amount": "100.00", "purpose": "2021-Q2 贴息", "loan_no": "L1",
        },
    )  # fmt: skip
    receipt = paying.results("PAY1", "paid", "paid")
    assert (receipt["status"], receipt["changed"]) == ("accepted", 2)
    assert (paying.states(), paying.paid()) == ({"L1": "paid", "L2": "paid"}, "200.00")
    assert paying.told_of("L1") == ["posted", "approved", "paid"]
    to, result = paying.sent["subsidy_results"][-1]
    assert (to, result["granted_amount"], result["paid_date"]) == (BANK, "100.00", paying.clock.today().isoformat())
    assert result["segments"] == "2021-04-01 至 2021-07-01 前 91 天 × 本金 50000.00 × 3.85%"
    moves = paying.rows("SELECT move FROM subsidy.item_step ORDER BY item, number")
    assert [row["move"] for row in moves[:5]] == ["compute", "post", "approve", "order", "pay"]
    assert [each["after"]["state"] for each in paying.told][-2:] == ["paid", "paid"]


def test_a_posting_lasts_as_long_as_the_policy_asks(paying: PayoutCounty):
    """One day less is refused, and so is another count, a day that was, and a region in which nothing waits."""
    paying.compute("L1")
    paying.compute("L2", region=OTHER_VILLAGE)
    assert paying.post(2, days=6) == "HL1055"
    assert paying.post(1) == "HL1142"
    assert paying.post(2, first_day="2021-07-04", last_day="2021-07-31") == "HL1062"
    assert paying.post(1, run_no="R2") == "HL1140"
    assert paying.post(1, region=VILLAGE) is None
    assert paying.post(1, region=VILLAGE) is None
    assert paying.post(1, "P2", region=VILLAGE) == "HL1141"
    assert paying.post(2) == "HL1059"
    assert paying.states() == {"L1": "posted", "L2": "computed"}


def test_what_is_posted_is_approved_when_the_window_is_over(paying: PayoutCounty):
    """Not on its last day; by somebody else than who ran it, who saw count and sum."""
    paying.compute("L1", person=HEAD)
    assert paying.approve(1, "100.00", person=DEPUTY) == "HL1144"
    assert paying.post(1) is None
    paying.clock.advance(6 * DAY)
    assert paying.approve(1, "100.00", person=DEPUTY) == "HL1144"
    paying.clock.advance(DAY)
    assert paying.approve(1, "100.00", person=HEAD) == "HL1034"
    assert paying.approve(1, "100.00", person=CLERK) == "HL1033"
    assert paying.approve(1, "100.01", person=DEPUTY) == "HL1145"
    assert paying.approve(1, "100.00", member=FINANCE) == "HL1052"
    assert paying.approve(1, "100.00", "refuse", person=DEPUTY) == "HL1064"
    for _ in range(2):
        assert paying.approve(1, "100.00", person=DEPUTY) is None
    assert paying.states() == {"L1": "approved"}


def test_a_refusal_of_the_approval_ends_it(paying: PayoutCounty):
    """The bank hears the reason."""
    paying.compute("L1")
    assert paying.post(1) is None
    paying.clock.advance(7 * DAY)
    assert paying.approve(1, "100.00", "refuse", reason="资金用途不实") is None
    assert paying.states() == {"L1": "refused"}
    assert [each["reason"] for _, each in paying.sent["subsidy_results"]] == [None, "资金用途不实"]


def test_a_policy_without_posting_lets_approve_at_once(paying: PayoutCounty):
    """Hubei's says nothing of posting: nothing is posted."""
    paying.compute("L1", policy="hubei")
    assert paying.post(1) == "HL1141"
    assert paying.approve(1, "100.00") is None


def test_an_objection_stops_a_subsidy_until_it_is_answered(paying: PayoutCounty):
    """Dismissed it goes on; upheld the claim goes back. Who entered it does not answer it."""
    paying.compute("L1", "L2", "L3")
    assert paying.object_to("L1") == "HL1143"
    assert paying.post(3) is None
    for _ in range(2):
        assert paying.object_to("L1") is None
    assert paying.object_to("L1", reason="别的") == "HL1059"
    assert paying.object_to("L1", "O2") is None
    assert paying.object_to("L2", "O3") is None
    assert paying.object_to("L3", "O4", date="2021-07-04") == "HL1143"
    assert paying.states() == {"L1": "objected", "L2": "objected", "L3": "posted"}
    paying.clock.advance(7 * DAY)
    assert paying.object_to("L3", "O4") == "HL1143"
    assert paying.answer("O1", "no") is None
    assert paying.states()["L1"] == "objected"
    assert paying.answer("O2", "no") is None
    assert paying.answer("O3", "yes") is None
    assert paying.answer("O3", "no") == "HL1059"
    assert paying.answer("O9", "no") == "HL1057"
    assert paying.states() == {"L1": "posted", "L2": "differing", "L3": "posted"}
    assert paying.told_of("L2") == ["posted", "returned"]
    assert paying.approve(2, "200.00") is None


def test_who_entered_an_objection_does_not_answer_it(paying: PayoutCounty):
    """Four eyes."""
    paying.compute("L1")
    assert paying.post(1) is None
    assert paying.object_to("L1", person=HEAD) is None
    record = {"objection_no": "O1", "upheld": "no", "answer": "经核实"}
    assert paying.send("subsidy_answer", "VILL1", **record) == "HL1034"
    assert paying.send("subsidy_answer", "VILL2", **record) == "HL1052"


def test_only_what_is_approved_and_has_a_card_is_paid(paying: PayoutCounty):
    """The lending bank pays its own customer without one; a bank of this county pays, told so by the finance bureau."""
    paying.approved("L1", "L2", card=False)
    assert paying.new_card("L2") is None
    assert paying.pay(1, "100.00", institution="GUA01") == "HL1078"
    assert paying.pay(2, "200.00", member=COUNTY) == "HL1052"
    assert paying.pay(2, "200.00", institution=OTHER_BANK) == "HL1145"
    assert paying.pay(2, "200.00", run_no="R7") == "HL1140"
    assert paying.pay(1, "100.00", institution=OTHER_BANK) is None
    assert paying.ordered()[0]["payee_account"] == "6228480009999"
    assert paying.pay(1, "100.00", "PAY2") is None
    assert paying.ordered("PAY2")[0]["payee_account"] is None
    assert paying.pay(1, "100.00", "PAY3") == "HL1146"
    assert paying.pay(1, "100.00", "PAY2") is None
    assert paying.pay(1, "100.01", "PAY2") == "HL1059"


def test_a_card_that_bounced_is_paid_again_once_with_a_new_card(paying: PayoutCounty):
    """Not to the old one; and what bounced once more needs another."""
    paying.approved("L1", "L2")
    assert paying.pay(2, "200.00") is None
    paying.results("PAY1", "paid", "bounced", reason="账号不存在")
    assert (paying.states(), paying.paid()) == ({"L1": "paid", "L2": "bounced"}, "100.00")
    assert paying.sent["subsidy_results"][-1][1]["reason"] == "账号不存在"
    assert paying.pay(1, "100.00", "PAY2") == "HL1146"
    assert paying.new_card("L2", member=OTHER_BANK) == "HL1052"
    assert paying.new_card("L9") == "HL1151"
    for _ in range(2):
        assert paying.new_card("L2") is None
    assert paying.pay(1, "100.00", "PAY2") is None
    assert paying.pay(1, "100.00", "PAY3") == "HL1146"
    paying.results("PAY2", "bounced", reason="户名不符")
    assert paying.pay(1, "100.00", "PAY3") == "HL1146"
    assert paying.new_card("L2", "6228480001111") is None
    assert paying.pay(1, "100.00", "PAY3") is None
    paying.results("PAY3", "paid")
    assert (paying.states(), paying.paid()) == ({"L1": "paid", "L2": "paid"}, "200.00")
    assert paying.told_of("L2") == ["posted", "approved", "bounced", "bounced", "paid"]
    [row] = paying.rows("SELECT count(*) AS n FROM subsidy.payment_item WHERE NOT bounced")
    assert row["n"] == 2


def test_a_result_that_does_not_fit_its_order_is_answered_by_itself(paying: PayoutCounty):
    """Another amount, another card, another bank's payment, one that was never ordered; the others are taken."""
    paying.approved("L1", "L2")
    assert paying.pay(2, "200.00") is None

    def codes(**fields: str) -> list[str]:
        receipt = paying.results("PAY1", "paid", "paid", number=len(fields) + len(str(fields)), **fields)
        return [each["code"] for each in receipt.get("refusals", ())]

    assert codes(amount="99.99") == ["HL1148", "HL1148"]
    assert codes(payee_account="1234567") == ["HL1148", "HL1148"]
    assert codes(batch_no="PAY7") == ["HL1147", "HL1147"]
    assert codes(member=OTHER_BANK) == ["HL1147", "HL1147"]
    assert paying.states() == {"L1": "ordered", "L2": "ordered"}
    assert codes(loan_no="L1") == ["HL1148"]
    assert paying.states() == {"L1": "paid", "L2": "ordered"}
    assert codes(member=COUNTY) == []
    assert paying.states() == {"L1": "paid", "L2": "paid"}


def test_a_bank_corrects_what_it_said_until_another_order_is_made(paying: PayoutCounty):
    """Paid, no: bounced; bounced, no: paid. After the new order the old one stays bounced."""
    paying.approved("L1")
    assert paying.pay(1, "100.00") is None
    for number, result in enumerate(("paid", "bounced", "paid", "bounced", "bounced")):
        paying.results("PAY1", result, number=number)
        assert (paying.states()["L1"], paying.paid()) == (result, "100.00" if result == "paid" else "0.00")
    assert paying.new_card("L1") is None
    assert paying.pay(1, "100.00", "PAY2") is None
    receipt = paying.results("PAY1", "paid", number=9)
    assert [each["code"] for each in receipt["refusals"]] == ["HL1149"]
    paying.results("PAY2", "paid")
    assert paying.paid() == "100.00"


def test_what_an_earlier_period_got_too_much_is_kept_back(paying: PayoutCounty):
    """One payment a loan; what adds up to nought needs none, and less waits."""
    numbers = paying.approved("L1", "L2", "L3")
    for loan_no, former, own in zip(("L1", "L2", "L3"), numbers, ("-40.00", "-100.00", "-100.01"), strict=True):
        paying.compute(loan_no, run_no="R0", own=own, adjusts=former)
    paying.rows("UPDATE subsidy.item SET state = 'approved', approved = own WHERE run_no = 'R0' RETURNING number")
    assert paying.pay(1, "60.00") is None
    assert paying.states() == {"L1": "ordered", "L2": "paid", "L3": "approved"}
    # What bounces is kept back when it is paid again, too.
    paying.results("PAY1", "bounced", reason="账号不存在")
    assert paying.new_card("L1") is None
    assert paying.pay(1, "100.00", "PAY2") == "HL1145"
    assert paying.pay(1, "60.00", "PAY2") is None
    paying.results("PAY2", "paid")
    assert paying.paid() == "60.00"


def test_a_case_of_a_false_claim_holds_what_is_not_paid_until_it_is_decided(paying: PayoutCounty):
    """Dismissed the subsidy goes on; somebody else than who opened the case decides it."""
    paying.compute("L1", "L2")
    assert paying.post(2) is None
    case = {"case_no": "F1", "kind": "false_report", "institution": BANK, "loan_no": "L1", "reason": "重复申报"}
    assert paying.send("false_claim", OTHER_BANK, **case) == "HL1052"
    assert paying.send("false_claim", "VILL2", **case) == "HL1052"
    assert paying.send("false_claim", "TOWN1", **case | {"loan_no": "L9"}) == "HL1151"
    for _ in range(2):
        assert paying.send("false_claim", COUNTY, person=HEAD, **case) is None
    paying.clock.advance(7 * DAY)
    assert paying.approve(2, "200.00") == "HL1145"
    assert paying.approve(1, "100.00") is None
    decision = {"case_no": "F1", "decision": "refuse", "amount": None, "reason": "不属实"}
    assert paying.send("false_claim_decision", COUNTY, **decision) == "HL1034"
    assert paying.send("false_claim_decision", COUNTY, person=DEPUTY, **decision | {"amount": "1.00"}) == "HL1154"
    assert paying.send("false_claim_decision", COUNTY, person=DEPUTY, **decision) is None
    assert paying.approve(1, "100.00", person=DEPUTY) is None
    assert paying.states() == {"L1": "approved", "L2": "approved"}


def test_a_false_claim_forfeits_what_is_not_paid_and_claws_back_what_is(paying: PayoutCounty):
    """No more than was paid, and no more than must come back."""
    paying.approved("L1")
    assert paying.pay(1, "100.00") is None
    paying.results("PAY1", "paid")
    paying.compute("L1", run_no="R2", adjusts=paying.rows("SELECT max(number) AS n FROM subsidy.item")[0]["n"])
    case = {"case_no": "F1", "kind": "fraud", "institution": BANK, "loan_no": "L1", "reason": "套取"}
    assert paying.send("false_claim", "TOWN1", person=CLERK, **case) is None
    decision = {"case_no": "F1", "decision": "approve", "reason": "属实"}
    assert paying.send("false_claim_decision", COUNTY, amount="100.01", **decision) == "HL1155"
    for _ in range(2):
        assert paying.send("false_claim_decision", COUNTY, amount="100.00", **decision) is None
    assert paying.send("false_claim_decision", COUNTY, amount="99.00", **decision) == "HL1153"
    assert paying.states() == {"L1": "refused"}
    today = paying.clock.today()

    def claw(number: str, amount: str) -> str | None:
        record = {"clawback_no": number, "case_no": "F1", "amount": amount, "effective_date": today}
        return paying.send("clawback", FINANCE, person=CLERK, **record)

    assert claw("C1", "0.00") == "HL1155"
    assert claw("C1", "60.00") is None
    assert claw("C1", "60.00") is None
    assert claw("C2", "40.01") == "HL1155"
    assert claw("C2", "40.00") is None
    assert claw("C3", "0.01") == "HL1153"


@pytest.mark.parametrize(("kind", "member"), [("subsidy_payment", BANK), ("subsidy_approval", "TOWN1")])
def test_no_one_else_approves_or_pays(paying: PayoutCounty, kind: str, member: str):
    """The access rules say so before anything is looked at."""
    assert paying.send(kind, member, run_no="R1") == "HL1004"


def test_what_is_asked_of_postings_payments_and_cases(paying: PayoutCounty):
    """Names and accounts are masked; what has no result, or bounced and was not paid anew, is open."""
    paying.compute("L1", "L2")
    assert paying.post(2) is None
    assert paying.object_to("L1") is None
    [posting] = paying.ask("subsidy_postings")
    assert (posting["posting_no"], posting["loans"], posting["objections"], posting["open"]) == ("P1", 2, 1, 1)
    posted = paying.ask("posted_subsidies", region=VILLAGE, posting="P1")
    assert [(row["name"], row["loan_no"], row["amount"]) for row in posted] == [
        ("户**", "L1", "100.00"),
        ("户**", "L2", "100.00"),
    ]
    [objection] = paying.ask("subsidy_objections", run_no="R1")
    assert (objection["loan_no"], objection["upheld"]) == ("L1", None)
    assert paying.answer("O1", "no") is None
    paying.clock.advance(7 * DAY)
    assert paying.approve(2, "200.00") is None
    assert paying.pay(2, "200.00") is None

    def still_open() -> list[tuple[str, int, str | None]]:
        rows = paying.ask("subsidy_payments", open="yes")
        return [(row["payment_no"], row["line"], row["result"]) for row in rows]

    assert still_open() == [("PAY1", 1, None), ("PAY1", 2, None)]
    paying.results("PAY1", "paid", "bounced", reason="账号不存在")
    assert still_open() == [("PAY1", 2, "bounced")]
    assert paying.ask("subsidy_payments", payment="PAY1")[0]["account"] == f"622848{'*' * 9}00L1"
    assert paying.new_card("L2") is None
    assert paying.pay(1, "100.00", "PAY2") is None
    assert still_open() == [("PAY2", 1, None)]
    case = {"case_no": "F1", "kind": "fraud", "institution": BANK, "loan_no": "L1", "reason": "套取"}
    assert paying.send("false_claim", "TOWN1", person=CLERK, **case) is None
    [found] = paying.ask("false_claims")
    assert (found["state"], found["amount"], found["recovered"]) == ("open", None, "0.00")


def test_who_is_late_is_told_once_and_the_county_with_it(paying: PayoutCounty):
    """Ten working days for the approval, twenty for the payment; then the bank that was told to pay."""
    paying.compute("L1")
    assert paying.post(1) is None

    def chased(days: int) -> list[tuple[str, str]]:
        paying.sent.pop("notices", None)
        paying.run_jobs("subsidy", days)
        told = paying.sent.get("notices", ())
        return [(to, each["text"].partition("，")[0]) for to, each in told if each["kind"] == "step_overdue"]

    assert chased(14) == []
    assert chased(1) == [(COUNTY, "核算 R1 的贴息应于 2021-07-19 前审批")]
    assert chased(1) == []
    assert paying.approve(1, "100.00") is None
    assert chased(28) == []
    late = "核算 R1 的贴息应于 2021-08-18 前拨付"
    assert chased(3) == [(COUNTY, late), (FINANCE, late)]
    assert paying.pay(1, "100.00") is None
    assert chased(1) == [(BANK, late)]
    assert chased(1) == []


def test_a_bank_that_does_not_file_is_told(paying: PayoutCounty):
    """Of a loan that earned in the quarter that is over: ten working days after its end."""
    columns = (
        "institution, loan_no, day, region, product, principal, annual_rate_percent, start_date, due_date, status, n"
    )
    paying.rows(
        f"INSERT INTO subsidy.loan_step ({columns}) VALUES"
        " (%s, 'L1', '2021-04-05', %s, 'A', 50000, 3.85, '2021-04-05', '2022-04-05', 'normal', 1) RETURNING number",
        [BANK, VILLAGE],
    )
    paying.run_jobs("subsidy", 9)
    assert "notices" not in paying.sent
    paying.run_jobs("subsidy", 1)
    text = "截至 2021-06-30 的结算期应于 2021-07-14 前申报贴息，尚有 1 笔借据未申报"
    assert {to: each["text"] for to, each in paying.sent["notices"]} == {COUNTY: text, BANK: text}


def test_what_differs_goes_back_with_both_figures_and_the_days(paying: PayoutCounty):
    """And what agrees is paid: from the ledger to the card, by the county's own computation."""
    paying.tell_loans(loan("A1"), loan("A1", "30000.00", "2021-05-31", before="50000.00"), loan("A2"))
    card = {"payee_name": "户主甲", "payee_account": ACCOUNT}
    assert paying.claim("A1", "388.21", **card) is None
    assert paying.claim("A2", "486.60", **card) is None
    assert paying.run("R1") is None
    [(to, result)] = paying.sent["subsidy_results"]
    assert (to, result["status"]) == (BANK, "returned")
    amounts = [result[f"{name}_amount"] for name in ("claimed", "computed", "granted")]
    assert amounts == ["388.21", "420.29", "0.00"]
    assert result["segments"] == (
        "2021-04-01 至 2021-05-31 前 60 天 × 本金 50000.00 × 3.85%；"
        "2021-05-31 至 2021-07-01 前 31 天 × 本金 30000.00 × 3.85%（还款自台账首次反映之日起算）"
    )
    assert paying.post(1) is None
    paying.clock.advance(7 * DAY)
    assert paying.approve(1, "486.60") is None
    assert paying.pay(1, "486.60", institution=OTHER_BANK) is None
    paying.results("PAY1", "paid", member=OTHER_BANK)
    assert paying.states() == {"A1": "differing", "A2": "paid"}
    [row] = [row for row in paying.ask("feed/subsidies") if row["loan_no"] == "A2"]
    assert (row["approved"], row["paid"], row["status"]) == ("486.60", "486.60", "paid")
