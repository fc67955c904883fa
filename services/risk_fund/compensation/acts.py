"""The commands by which people ask for compensation, decide it, pay it, and say what was recovered."""

from __future__ import annotations

from typing import Final

from huilian.county.service import Act

__all__ = ["ACTS"]

ACTS: Final = (
    Act(
        "compensation ask",
        "compensation_claim",
        "申请风险补偿：银行为本行贷款申请，村、乡镇、县代借款人按附件2录入。",
        "Ask for compensation of a loan: its bank, or a station for the borrower.",
        "huilian compensation ask --claim-no C1 --filed-by bank --institution RCB01 --loan-no L1"
        " --overdue-since 2026-01-02 --principal 50000.00 --interest 2175.00 --cause other --insurance-paid 0.00"
        " --evidence 贷款合同和台账;催收记录 --signed yes",
    ),
    Act(
        "compensation decide",
        "compensation_step",
        "办理风险补偿申请的一个步骤：同意、不同意或退回。",
        "Take a step of a case of compensation.",
        "huilian compensation decide --claim-no C1 --step county_approval --decision approve --sealed yes",
    ),
    Act(
        "fund compensate",
        "compensation_payment",
        "拨付一方承担的损失；风险补偿金的部分由另一人审批后入账。",
        "Enter what a party pays of a loss; the fund's part is booked when somebody else approves it.",
        "huilian fund compensate --payment-no B1 --claim-no C1 --party fund --institution RCB01 --amount 22175.00"
        " --effective-date 2026-03-20",
    ),
    Act(
        "fund recover",
        "recovery",
        "银行报告追回的款项；同一流水号再报即更正。",
        "Say what was recovered of a loan; the same transaction again corrects it.",
        "huilian fund recover --institution RCB01 --loan-no L1 --transaction-no T1 --recovered-date 2026-04-01"
        " --principal 5000.00 --interest 0.00",
    ),
    Act(
        "fund return",
        "recovery_return",
        "归还追回款；归还风险补偿金的由另一人审批后入账。",
        "Enter what of a recovery is handed back; the fund's part is booked when somebody else approves it.",
        "huilian fund return --return-no G1 --claim-no C1 --party fund --institution RCB01 --amount 5000.00"
        " --effective-date 2026-04-02",
    ),
    Act(
        "fund collect",
        "collection",
        "记录一次催收或诉讼及其结果。",
        "Record a step of collection and what came of it.",
        "huilian fund collect --collection-no K1 --institution RCB01 --loan-no L1 --kind visit --result 承诺月底还款",
    ),
    Act(
        "fund write-off",
        "write_off",
        "核销一笔申请中无法追回的部分，由另一人审批后入账。",
        "Enter that what is left of a case is written off; it is booked when somebody else approves it.",
        "huilian fund write-off --write-off-no X1 --claim-no C1 --reason 借款人死亡且无遗产",
    ),
)
