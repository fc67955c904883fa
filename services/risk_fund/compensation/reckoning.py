"""Reckoning: who bears how much of a loss by what insurers paid and banks recovered, and who gets what back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.county.messages.notices import Notice
from services.risk_fund import books
from services.risk_fund.books import RECOVERED, RECOVERY_DUE, Posting
from services.risk_fund.compensation import facts
from services.risk_fund.compensation.book import FUND, Act
from services.risk_fund.compensation.entry import plain, recovered_since

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from huilian.policy.loss import Loss
    from services.risk_fund.compensation.book import Book, Case
    from services.risk_fund.compensation.facts import Insured

__all__ = ["follow", "hand_back", "reckon"]

_BACK: Final = ("paid", "recovered")


def reckon(book: Book, case: Case, insured: Insured) -> tuple[Loss, dict[str, Any]]:
    """Return what the policy makes of a case nobody paid for yet, and what is kept of that.

    Raises:
        ValidationError, MissingFactError, ConfigurationError: as `Book.share`.
    """
    before, _ = recovered_since(book, case.institution, case.loan_no, case.applied)
    insurance_paid = max(insured.paid, case.insurance_claimed)
    lost = replace(book.loss_case(case), insurance_paid=insurance_paid, recovered_before=before)
    loss = book.share(case, lost)
    return loss, {
        "facts": plain(lost),
        "insurance_paid": insurance_paid,
        "insurance_policy_no": insured.policy_no,
        "insurance_claim_no": insured.claim_no,
        "recovered_before": before,
        "covered": loss.covered,
        "shares": dict(loss.shares),
        "calculation": loss.as_json() | {"insurers": list(insured.insurers)},
        "policy_version": loss.reading.policy.version,
        "fund_due": loss.pay_by if loss.shares.get(FUND) else None,
    }


def follow(book: Book, case: Case, act: Act) -> None:
    """Let follow what insurers paid, or a bank recovered, since a case was decided.

    Before anybody paid, less is left to share. After that, what came is handed back to those who paid.

    Args:
        book: has the case.
        case: that was decided.
        act: by which it came; its move is set here.
    """
    if case.state not in {"approved", "paid", "recovered", "written_off"}:
        return
    insured = facts.insured(book.transaction, case.loan_no, case.household_no)
    if case.state == "approved" and not any(case.paid.values()) and not _is_being_paid(book, case):
        _share_again(book, case, act, insured)
    else:
        hand_back(book, case, act, insured)


def _is_being_paid(book: Book, case: Case) -> bool:
    return bool(
        book.transaction.value(
            "SELECT true FROM risk_fund.case_payment WHERE claim_no = %s AND kind = 'payment'"
            " AND state IN ('entered', 'booked') LIMIT 1",
            [case.claim_no],
        )
    )


def _share_again(book: Book, case: Case, act: Act, insured: Insured) -> None:
    loss, changes = reckon(book, case, insured)
    if changes["shares"] == case.shares and changes["insurance_paid"] == case.insurance_paid:
        return
    before = case.shares
    book.change(case, **changes)
    move = "share_again" if case.unpaid else "settle"
    book.move(case, replace(act, move=move, amount=loss.covered), book.after_payment(case))
    if before != case.shares:
        book.tell_result(case)
    if case.recovered:
        # What was entered to be paid was refused since: what came back leaves less to share.
        hand_back(book, case, act, insured)


def hand_back(book: Book, case: Case, act: Act, insured: Insured) -> None:
    """Share what came back since a case was paid for: what the fund is owed of it is booked at once."""
    recovered, day = recovered_since(book, case.institution, case.loan_no, case.applied)
    # What an insurer pays late is no second compensation: it comes back like what a borrower repays.
    back = recovered - case.recovered_before + max(money.ZERO, insured.paid - case.insurance_paid)
    back = max(back, money.ZERO)
    if back == case.recovered:
        return
    day = max(day or act.date, case.decided or act.date)
    loss = book.share(case, book.loss_case(case, recovered_after=back, recovered_on=day))
    shares = {party: amount for party, amount in loss.recovery_shares.items() if amount}
    due = shares.get(FUND, money.ZERO) - case.recovery_shares.get(FUND, money.ZERO)
    came = back - case.recovered
    # What is due now has its own time; what was due before is chased already.
    book.change(case, recovered=back, recovery_shares=shares)
    move = "recover"
    if case.state in _BACK and case.covered is not None and back >= case.covered:
        move = "recover_all"
    book.move(case, replace(act, move=move, amount=came), book.after_payment(case))
    if case.unreturned:
        book.change(case, return_by=loss.return_by, return_chased=None)
    if due:
        _book_due(book, case, due, act, day)
    if came > 0 and case.unreturned:
        _tell_bank(book, case)


def _book_due(book: Book, case: Case, due: Decimal, act: Act, day: dt.date) -> None:
    books.book(
        book.transaction,
        [
            Posting(RECOVERY_DUE, case.institution, due, case.claim_no),
            Posting(RECOVERED, case.institution, -due, case.claim_no),
        ],
        effective=day,
        entered=book.today,
        message=act.message or case.message,
        reason=f"追回 {case.claim_no}",
    )


def _tell_bank(book: Book, case: Case) -> None:
    owed = "、".join(f"{party} {money.text(amount)}" for party, amount in case.unreturned.items() if amount > 0)
    by = "" if case.return_by is None else f"，请于 {case.return_by} 前归还"
    text = f"申请 {case.claim_no} 追回款应归还：{owed}{by}"
    book.notify(case.institution, Notice("does_not_match", text, case.claim_no, region=case.region))
