"""The commands by which people take the steps from a computation to its payment."""

from __future__ import annotations

from typing import Final

from huilian.county.service import Act

__all__ = ["ACTS"]

_LOAN: Final = "--institution RCB01 --loan-no L0001"

ACTS: Final = (
    Act(
        "subsidy run",
        "subsidy_run",
        "核算一个结算期的贴息，并与申报逐笔比对；--dry-run 只试算。",
        "Compute the subsidies of a settlement period and hold them against what is asked.",
        "huilian subsidy run --run-no 2021-Q2-1 --period 2021-Q2",
        "subsidy_preview",
    ),
    Act(
        "subsidy post",
        "subsidy_posting",
        "公示核算相符的贴息。",
        "Post what a run found to agree.",
        "huilian subsidy post --posting-no P1 --run-no 2021-Q2-1 --region 341599 --first-day 2021-07-12"
        " --last-day 2021-07-18 --complaint-line 12317 --count 120",
    ),
    Act(
        "subsidy object",
        "subsidy_objection",
        "登记对公示贴息的异议。",
        "Enter an objection to a posted subsidy.",
        f"huilian subsidy object --objection-no O1 --run-no 2021-Q2-1 {_LOAN} --reason 已搬走",
    ),
    Act(
        "subsidy answer",
        "subsidy_answer",
        "答复异议：成立的退回申报人。",
        "Answer an objection; one that is upheld sends the claim back.",
        "huilian subsidy answer --objection-no O1 --upheld no --answer 经核实",
    ),
    Act(
        "subsidy approve",
        "subsidy_approval",
        "审批公示期满的贴息，由核算人以外的人办理。",
        "Approve what was posted long enough; another person than who ran it does.",
        "huilian subsidy approve --run-no 2021-Q2-1 --count 120 --amount 58392.00 --decision approve",
    ),
    Act(
        "subsidy pay",
        "subsidy_payment",
        "向付款银行下达拨付指令；换了卡的失败款一并重付。",
        "Tell a bank to pay what was approved, and what bounced and has a new card.",
        "huilian subsidy pay --payment-no 2021-Q2-1 --run-no 2021-Q2-1 --institution RCB01 --count 120"
        " --amount 58392.00",
    ),
    Act(
        "subsidy reconcile",
        "payment_results",
        "用银行的拨付结果文件对账：与指令不符的逐笔退回；未办结的见 huilian subsidy payments --open yes。",
        "Hold a bank's file of results against what was ordered, and enter it.",
        "huilian subsidy reconcile PAYRESULT_341599_20210712_001.csv --adapter county_forms",
    ),
    Act(
        "subsidy card",
        "payee",
        "变更一笔借据的收款卡。",
        "State the card to which a loan's subsidy is paid from now on.",
        f"huilian subsidy card {_LOAN} --payee-name 张三 --payee-account 6228480000000000001",
    ),
    Act(
        "false-claim open",
        "false_claim",
        "立案：虚报、冒领、套取、挪用；查清前停止审批和拨付。",
        "Open a case of a false claim: nothing is paid on the loan until it is decided.",
        f"huilian false-claim open --case-no F1 --kind false_report {_LOAN} --reason 重复申报",
    ),
    Act(
        "false-claim decide",
        "false_claim_decision",
        "认定案件，由立案人以外的人办理；属实的写明应追回金额。",
        "Decide a case; another person than who opened it does.",
        "huilian false-claim decide --case-no F1 --decision approve --amount 388.21 --reason 属实",
    ),
    Act(
        "false-claim claw",
        "clawback",
        "登记追回的款项。",
        "Note what came back of a case.",
        "huilian false-claim claw --clawback-no C1 --case-no F1 --amount 388.21 --effective-date 2021-09-01",
    ),
)
"""The records of this package, one a command."""
