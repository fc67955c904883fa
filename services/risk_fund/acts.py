"""The commands by which the fund's money is moved: each sends one record."""

from __future__ import annotations

from typing import Final

from huilian.county.service import Act

__all__ = ["ACTS"]

ACTS: Final = (
    Act(
        "fund deposit",
        "fund_deposit",
        "存入风险补偿金，由另一人审批后入账。",
        "Enter a deposit; it is booked when somebody else approves it.",
        "huilian fund deposit --deposit-no D1 --party county --institution RCB01 --amount 20000000.00"
        " --effective-date 2026-03-02",
    ),
    Act(
        "fund withdraw",
        "fund_withdrawal",
        "支取风险补偿金，由另一人审批后入账。",
        "Enter a withdrawal; it is booked when somebody else approves it.",
        "huilian fund withdraw --withdrawal-no W1 --party county --institution RCB01 --amount 1000000.00"
        " --effective-date 2026-03-02 --reason 预算调整",
    ),
    Act(
        "fund reverse",
        "fund_reversal",
        "冲销已入账的一笔，由另一人审批后入账；每笔只能冲销一次。",
        "Enter the reversal of what was booked, once at most; it is booked when somebody else approves it.",
        "huilian fund reverse --reversal-no R1 --reference D1 --reason 存错银行",
    ),
    Act(
        "fund approve",
        "fund_approval",
        "审批他人录入的一笔：同意即入账，不同意须写理由。",
        "Approve what somebody else entered, which books it, or refuse it with a reason.",
        "huilian fund approve --reference D1 --decision approve",
    ),
    Act(
        "fund place",
        "fund_term_deposit",
        "把活期存款转存定期，由另一人审批后入账。",
        "Enter a term deposit, placed out of the deposit at the bank.",
        "huilian fund place --term-deposit-no T1 --institution RCB01 --amount 10000000.00 --effective-date 2026-03-02"
        " --due-date 2027-03-02 --annual-rate-percent 1.50",
    ),
    Act(
        "fund end",
        "fund_term_deposit_end",
        "定期存款到期，本息转回活期，由另一人审批后入账。",
        "Enter the end of a term deposit: it comes back with its interest.",
        "huilian fund end --end-no E1 --term-deposit-no T1 --interest 152083.33 --effective-date 2027-03-02",
    ),
    Act(
        "fund receive",
        "fund_receipt",
        "收款：利息、二次分担款、保险盈余返还，由另一人审批后入账。",
        "Enter interest, or what others owe the fund, as it comes in.",
        "huilian fund receive --receipt-no I1 --account interest --party RCB01 --institution RCB01 --amount 1234.56"
        " --effective-date 2026-03-21",
    ),
    Act(
        "fund pay",
        "fund_payment",
        "付款：应付保险公司的亏损分担，由另一人审批后入账。",
        "Enter what the fund pays an insurer: its part of a loss.",
        "huilian fund pay --payment-no P1 --account dispersal --party INS01 --institution RCB01 --amount 180000.00"
        " --effective-date 2026-03-02",
    ),
    Act(
        "fund village",
        "village_fund_movement",
        "村级互助担保金的存入、支取，由另一人审批后入账。",
        "Enter what is paid into a village's mutual guarantee fund, or out of it.",
        "huilian fund village --movement-no V1 --region 341599101001 --movement deposit --party village"
        " --institution RCB01 --amount 10000.00 --effective-date 2026-03-02",
    ),
    Act(
        "fund reserve",
        "fund_reservation",
        "手工备付：填村代码的，由该村互助担保金担保。",
        "Set cover aside by hand; with a village, of its own guarantee fund.",
        "huilian fund reserve --reservation-no G1 --institution RCB01 --amount 50000.00 --reason 线下确认",
    ),
    Act(
        "fund release",
        "fund_release",
        "解除手工备付。",
        "Free what was set aside by hand.",
        "huilian fund release --reference G1 --reason 已还清",
    ),
)
