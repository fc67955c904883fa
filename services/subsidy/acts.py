"""The commands by which subsidies are computed, posted, approved and paid: each sends one record."""

from __future__ import annotations

from typing import Final

from huilian.county.service import Act

__all__ = ["ACTS"]

ACTS: Final = (
    Act(
        "subsidy run",
        "subsidy_run",
        "核算一个结算期的贴息，并与申报逐笔比对；--dry-run 只试算，不保存。",
        "Compute what is owed for a settlement period, loan by loan, and hold it against what is asked.",
        "huilian subsidy run --run-no HS2021Q2 --period 2021-Q2",
        preview="subsidy_preview",
    ),
    Act(
        "subsidy claim",
        "subsidy_claim",
        "申报一笔贷款一个结算期的贴息。",
        "Ask the subsidy of one loan and period.",
        "huilian subsidy claim --institution RCB01 --loan-no L1 --period-start 2021-04-01 --period-end 2021-07-01"
        " --amount 388.21",
    ),
    Act(
        "subsidy post",
        "subsidy_posting",
        "公示核算一致的贴息：按村、姓名遮盖，期限按政策。",
        "Post what a run found to agree, village by village, with masked names.",
        "huilian subsidy post --posting-no GS1 --run-no HS2021Q2 --region 341599101 --first-day 2021-07-05"
        " --last-day 2021-07-14 --complaint-line 12317 --count 12",
    ),
    Act(
        "subsidy object",
        "subsidy_objection",
        "登记对公示贴息的异议。",
        "Enter an objection to a posted subsidy.",
        "huilian subsidy object --objection-no YY1 --run-no HS2021Q2 --institution RCB01 --loan-no L1 --reason 未生产",
    ),
    Act(
        "subsidy answer",
        "subsidy_answer",
        "答复异议：成立的退回申报人，不成立的维持公示。",
        "Answer an objection: one that is upheld sends the claim back.",
        "huilian subsidy answer --objection-no YY1 --upheld no --answer 经核实用于养殖",
    ),
    Act(
        "subsidy approve",
        "subsidy_approval",
        "审批一次核算中可以批准的贴息；审批人不是核算人。",
        "Approve what of a run may be approved, by another person than who ran it, or refuse it.",
        "huilian subsidy approve --run-no HS2021Q2 --count 12 --amount 4658.52 --decision approve",
    ),
    Act(
        "subsidy pay",
        "subsidy_payment",
        "向付款银行发出拨付指令；支付失败、已换卡的一并再付一次。",
        "Tell a bank to pay what was approved, and once more what bounced and has a new card.",
        "huilian subsidy pay --payment-no PC1 --run-no HS2021Q2 --institution RCB01 --count 12 --amount 4658.52",
    ),
    Act(
        "subsidy card",
        "payee",
        "变更一笔贷款的贴息收款卡。",
        "Say to which card the subsidy of a loan is paid from now on.",
        "huilian subsidy card --institution RCB01 --loan-no L1 --payee-name 示例 --payee-account 6200000000000001",
    ),
    Act(
        "false-claim open",
        "false_claim",
        "虚报、冒领、套取、挪用立案：认定前不再拨付。",
        "Open a case of a false claim: nothing is paid on the loan until it is decided.",
        "huilian false-claim open --case-no AJ1 --kind misuse --institution RCB01 --loan-no L1 --reason 用于购车",
    ),
    Act(
        "false-claim decide",
        "false_claim_decision",
        "由另一人认定案件：应追回多少，或不成立。",
        "Decide a case, by somebody else: how much must come back, or nothing.",
        "huilian false-claim decide --case-no AJ1 --decision approve --amount 388.21 --reason 查证属实",
    ),
    Act(
        "false-claim clawback",
        "clawback",
        "登记追回的款项。",
        "Note what came back of a false claim.",
        "huilian false-claim clawback --clawback-no ZH1 --case-no AJ1 --amount 388.21 --effective-date 2021-09-01",
    ),
)
