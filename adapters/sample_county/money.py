"""The money of the sample county: a quarter's subsidy from the bank's claim to the households' cards, and one loss.

The postal savings bank asks for the third quarter. It counts each repayment from its day, the county from the ledger
that first shows it, since this bank sends no journal: of such loans the two figures differ, and the claim comes back.
A loan of the rural commercial bank that is not repaid any more is made good by insurer and fund; some is recovered.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.sample_county.acts import Act, Listed, by
from adapters.sample_county.files import BANK
from adapters.sample_county.insurance import paid_on
from adapters.sample_county.population import COUNTY, TOWNSHIPS
from adapters.sample_county.postal import POSTAL_BANK
from adapters.sample_county.written import SampleFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.sample_county.county import County
    from adapters.sample_county.lending import Loan

__all__ = ["FINANCE", "PaymentAnswer", "answer_payments", "money_acts", "payment_answers", "write_subsidy_claims"]

FINANCE: Final = f"CZ{COUNTY}"
"""The finance bureau, which pays."""
_CLERK, _HEAD = "P01", "P02"
_FIRST, _AFTER = dt.date(2024, 7, 1), dt.date(2024, 10, 1)
_PERIOD: Final = "2024-Q3"
_RUN: Final = "HS2024Q3"
_SUBSIDISED: Final = 300
"""Basis points a year (篇六)."""
_BASIS: Final = 360 * 10_000
_RUN_ON, _POSTED_ON, _POSTED_UNTIL = dt.date(2024, 10, 9), dt.date(2024, 10, 10), dt.date(2024, 10, 22)
_APPROVED_ON, _PAID_ON, _ANSWERED_ON = dt.date(2024, 10, 24), dt.date(2024, 10, 25), dt.date(2024, 10, 28)
_NEW_CARD_ON, _PAID_AGAIN_ON, _ANSWERED_AGAIN_ON = dt.date(2024, 10, 30), dt.date(2024, 10, 31), dt.date(2024, 11, 4)
_HOTLINE: Final = "000-0000000"
_RECORD: Final = 240

_LOST_ON: Final = range(60, 181)
"""Days for which the loan that is made good has not been repaid."""
_KNOWN_ON: Final = dt.date(2024, 11, 30)
_CLAIMED_ON, _VILLAGE_ON, _TOWNSHIP_ON = dt.date(2024, 12, 4), dt.date(2024, 12, 5), dt.date(2024, 12, 6)
_COUNTY_ON, _MADE_GOOD_ON, _RECOVERED_ON, _RETURNED_ON = (dt.date(2024, 12, day) for day in (10, 12, 18, 20))
_FUND: Final = 2_000_000_00
_FUNDED_ON: Final = dt.date(2024, 5, 6)
_STOPPED_ON, _LIFTED_ON = dt.date(2024, 10, 14), dt.date(2024, 11, 18)
_RECOVERED: Final = 2_000_00
_EVIDENCE: Final = "扶贫小额信贷风险补偿资金审批表（附件2）;丧失还款能力的证明材料;保险赔付证明"


@dataclass(frozen=True)
class PaymentAnswer:
    """A bank's answer to what it was told to pay: it is sent on `day`; the cards of `bounced` payments are closed."""

    member: str
    adapter: str
    day: dt.date
    bounced: int


def write_subsidy_claims(directory: Path, sample: County) -> SampleFile:
    """Write what the postal savings bank asks for the quarter into `directory`: records of kind B."""
    claims = [(loan, amount) for loan in sample.postal_loans if (amount := _subsidy(loan))]
    body = b"".join(_claim(loan, amount) + b"\n" for loan, amount in claims)
    as_of = _AFTER - dt.timedelta(days=1)
    header = f"H{POSTAL_BANK}{as_of:%Y%m%d}0001".encode().ljust(_RECORD)
    total = sum(amount for _, amount in claims)
    trailer = f"T{len(claims):08}{total:015}{0:015}{zlib.crc32(body):08X}".encode().ljust(_RECORD)
    path = directory / f"{POSTAL_BANK}_B_{as_of:%Y%m%d}_0001.dat"
    path.write_bytes(header + b"\n" + body + trailer + b"\n")
    return SampleFile(path, "postal_savings_bank", POSTAL_BANK, "subsidy_claims", as_of, len(claims), ())


def _claim(loan: Loan, amount: int) -> bytes:
    first = max(loan.start, _FIRST)
    text = f"B{loan.number:<20}{first:%Y%m%d}{_AFTER:%Y%m%d}{amount:013}{_card(loan):<32}"
    return text.encode().ljust(_RECORD)


def _card(loan: Loan) -> str:
    return f"621799{int(loan.number[2:]) % 10**6:06}0{loan.household.account_last_four}"


def _subsidy(loan: Loan) -> int:
    """Return what the bank reckons, in fen: three per cent a year on each day's balance, none from the due date on."""
    first, last = max(loan.start, _FIRST), min(loan.due, _AFTER)
    if (loan.arrears_from and loan.arrears_from < last) or first >= last:
        return 0
    days = [first + dt.timedelta(days=day) for day in range((last - first).days)]
    # What is repaid on a day earns no more from that day on.
    return (2 * sum(loan.unpaid(day) for day in days) * _SUBSIDISED + _BASIS) // (2 * _BASIS)


def payment_answers(sample: County) -> tuple[PaymentAnswer, ...]:
    """Return when the bank says what became of the payments: one card is closed, the new one is not."""
    if not any(_subsidy(loan) for loan in sample.postal_loans):
        return ()
    return (
        PaymentAnswer(POSTAL_BANK, "postal_savings_bank", _ANSWERED_ON, 1),
        PaymentAnswer(POSTAL_BANK, "postal_savings_bank", _ANSWERED_AGAIN_ON, 0),
    )


def answer_payments(order: Path, directory: Path, answer: PaymentAnswer) -> SampleFile:
    """Write the bank's answer to the file `order` into `directory`; the first `bounced` rows come back."""
    header, *rows, total = list(csv.reader(io.StringIO(order.read_text("gb18030"))))
    paid, back = ["成功", "", f"{answer.day:%Y%m%d}"], ["失败", "账户已销户", ""]
    answered = [[*row, *(back if place < answer.bounced else paid)] for place, row in enumerate(rows)]
    path = directory / order.name.replace("PAY_", "PAYRESULT_")
    written = io.StringIO()
    csv.writer(written).writerows([[*header, "结果", "失败原因", "入账日期"], *answered, [*total, "", "", ""]])
    path.write_text(written.getvalue(), "gb18030", newline="")
    as_of = dt.datetime.strptime(order.name.split("_")[2], "%Y%m%d").date()  # noqa: DTZ007  # a day has no zone
    return SampleFile(path, answer.adapter, answer.member, "payment_results", as_of, len(rows), ())


def money_acts(sample: County) -> Iterator[Act]:
    """Yield what members send of the quarter's subsidy and of the loss, in any order of days."""
    yield from _fund_acts()
    yield from _suspension_acts()
    yield from _subsidy_acts()
    lost = _lost(sample)
    if lost is not None:
        yield from _loss_acts(lost)


def _subsidy_acts() -> Iterator[Act]:
    run = {"run_no": _RUN, "period": _PERIOD, "institution": POSTAL_BANK}
    yield Act(COUNTY, "subsidy_run", by(_CLERK, _RUN_ON) | run)
    window = {"first_day": _POSTED_ON.isoformat(), "last_day": _POSTED_UNTIL.isoformat(), "complaint_line": _HOTLINE}
    posting = {"posting_no": "GS2024Q3", "run_no": _RUN, "region": COUNTY}
    counted = Listed("feed/subsidies", {"state": "computed"}, count="count")
    yield Act(COUNTY, "subsidy_posting", by(_CLERK, _POSTED_ON) | window | posting, listed=counted)
    counted = Listed("feed/subsidies", {"state": "posted"}, count="count", amount=("amount", "own"))
    approval = {"run_no": _RUN, "decision": "approve", "reason": None}
    yield Act(COUNTY, "subsidy_approval", by(_HEAD, _APPROVED_ON) | approval, listed=counted)
    for number, day, state in (("ZF2024Q3-1", _PAID_ON, "approved"), ("ZF2024Q3-2", _PAID_AGAIN_ON, "bounced")):
        counted = Listed("feed/subsidies", {"state": state}, count="count", amount=("amount", "approved"))
        payment = {"payment_no": number, "run_no": _RUN, "institution": POSTAL_BANK}
        yield Act(FINANCE, "subsidy_payment", by(_HEAD, day) | payment, listed=counted)
    card = {"institution": POSTAL_BANK, "payee_name": "本人", "payee_account": "6217990000009999", "payee_bank": None}
    bounced = Listed("feed/subsidies", {"state": "bounced"}, first=("loan_no", "loan_no"))
    yield Act(POSTAL_BANK, "payee", by(_CLERK, _NEW_CARD_ON) | card, listed=bounced)


def _suspension_acts() -> Iterator[Act]:
    """Yield how the county stops lending in a whole township, which the plan's breaker leaves to it, and goes on."""
    stop = {"suspension_no": "TD2024-1", "region": TOWNSHIPS[2], "institution": None, "product": None}
    stop |= {"reason": "逾期清收未达进度", "from_date": _STOPPED_ON.isoformat()}
    yield Act(COUNTY, "lending_suspension", by(_HEAD, _STOPPED_ON) | stop | {"until_date": None})
    until = {"until_date": _LIFTED_ON.isoformat()}
    yield Act(COUNTY, "lending_suspension", by(_HEAD, _LIFTED_ON) | stop | until)


def _fund_acts() -> Iterator[Act]:
    number = f"CR{BANK}"
    paid = {"deposit_no": number, "institution": BANK, "amount": _yuan(_FUND), "effective_date": _FUNDED_ON.isoformat()}
    yield Act(COUNTY, "fund_deposit", by(_CLERK, _FUNDED_ON) | paid | {"party": "county", "document": None})
    yield _approved(number, _FUNDED_ON)


def _approved(number: str, day: dt.date) -> Act:
    return Act(COUNTY, "fund_approval", by(_HEAD, day) | {"reference": number, "decision": "approve", "reason": None})


def _lost(sample: County) -> Loan | None:
    """Return a loan of the first township that has not been repaid for long, which the insurer has paid on."""
    for loan in sample.loans:
        given_up = loan.written_off or dt.date.max
        if not loan.household.region.startswith(TOWNSHIPS[0]) or not loan.arrears_from or given_up < _RETURNED_ON:
            continue
        state = loan.at(_KNOWN_ON)
        if state.overdue_days in _LOST_ON and dt.date(2024, 1, 1) <= paid_on(loan)[0] <= _KNOWN_ON:
            return loan
    return None


def _loss_acts(loan: Loan) -> Iterator[Act]:
    state = loan.at(_KNOWN_ON)
    insured = paid_on(loan)[1]
    village, township = f"V{loan.household.region}", f"T{TOWNSHIPS[0]}"
    number = f"BC{loan.number}"
    claim = {
        "claim_no": number,
        "filed_by": "household",
        "institution": BANK,
        "loan_no": loan.number,
        "borrower_no": loan.household.number,
        "overdue_since": (loan.arrears_from or loan.due).isoformat(),
        "principal": _yuan(state.balance),
        "interest": _yuan(state.overdue_interest),
        "cause": "force_majeure",
        "insurance_paid": _yuan(insured),
        "collections": 3,
        "evidence": _EVIDENCE,
        "signed": "yes",
    }
    yield Act(village, "compensation_claim", by(_CLERK, _CLAIMED_ON) | claim)
    for member, step, day in (
        (village, "village_review", _VILLAGE_ON),
        (township, "township_review", _TOWNSHIP_ON),
        (COUNTY, "county_approval", _COUNTY_ON),
    ):
        decided = {"decision": "approve", "back_to": None, "reason": None, "sealed": "yes", "document": None}
        yield Act(member, "compensation_step", by(_HEAD, day) | {"claim_no": number, "step": step} | decided)
    left = state.balance + state.overdue_interest - insured
    yield from _moved(
        "compensation_payment", {"payment_no": f"BF{loan.number}", "claim_no": number}, left, _MADE_GOOD_ON
    )
    recovery = {
        "institution": BANK,
        "loan_no": loan.number,
        "transaction_no": f"ZH{loan.number}",
        "recovered_date": _RECOVERED_ON.isoformat(),
        "principal": _yuan(_RECOVERED),
        "interest": "0.00",
    }
    yield Act(BANK, "recovery", recovery, day=_RECOVERED_ON)
    yield from _moved(
        "recovery_return", {"return_no": f"GH{loan.number}", "claim_no": number}, _RECOVERED, _RETURNED_ON
    )


def _moved(kind: str, numbers: dict[str, str], amount: int, day: dt.date) -> Iterator[Act]:
    """Yield what the county enters of the fund's money, and its approval by somebody else."""
    number = next(iter(numbers.values()))
    moved = {"party": "fund", "institution": BANK, "amount": _yuan(amount), "effective_date": day.isoformat()}
    yield Act(COUNTY, kind, by(_CLERK, day) | numbers | moved)
    yield _approved(number, day)


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"
