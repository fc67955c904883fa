"""What moves money of a case: shares paid, recoveries, what is handed back, what is written off.

The fund's part is entered by one person and booked when another approves it; what else parties paid or got they state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.error_texts import Bilingual
from huilian.core.errors import MessageRefused
from huilian.county.procedure import acts
from huilian.county.procedure.acts import check_kind
from huilian.county.procedure.state_machine import Refusal
from schemas.compensations import CASE_STATE, LOSS_PARTY
from schemas.fund import ENTRY_KIND
from services.risk_fund import entries
from services.risk_fund.books import COMPENSATION, DEPOSIT, RECOVERY_DUE, SECOND_TIER_DUE, WRITTEN_OFF, Posting
from services.risk_fund.compensation.book import FUND, Act, Book
from services.risk_fund.compensation.entry import find_known_loan
from services.risk_fund.compensation.reckoning import follow
from services.risk_fund.compensation.steps import concerned, stands_elsewhere
from services.risk_fund.deposits import check_bank

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message
    from services.risk_fund.compensation.book import Case

__all__ = ["booked", "collect", "follow_guarantees", "pay", "recover", "return_recovery", "reversed_", "write_off"]

_PAYMENT, _WRITE_OFF = Bilingual("拨付", "a payment"), Bilingual("核销", "a write-off")
_OFFICES: Final = ("county", "finance")
GUARANTOR: Final = "guarantor"
_KEPT: Final = ("kind", "claim_no", "party", "institution", "amount", "effective_date")


def pay(book: Book, taken: Taken) -> bool:
    """Enter what a party pays of its share; return whether it is new. The fund's is paid when it is booked.

    Notes HL1052, who; HL1062, the day; HL1104, the bank; HL1165 and HL1166, the case; HL1172, more than is owed.
    """
    record, party = taken.record, taken.record["party"]
    case = concerned(book, taken)
    if case is None or _is_entered(book, taken, "payment", record["payment_no"]):
        return False
    check_kind(taken, _OFFICES if party == FUND else (party, *_OFFICES), _PAYMENT)
    left = case.unpaid.get(party, money.ZERO) - _waiting(book, case, "payment", party)
    if case.state != "approved":
        stands_elsewhere(taken, case, _PAYMENT)
    elif record["amount"] > left or not record["amount"]:
        _too_much(taken, party, left)
    if case.decided is not None and min(record["effective_date"], taken.date) < case.decided:
        taken.refuse("HL1062", date=min(record["effective_date"], taken.date).isoformat())
    if party == FUND:
        check_bank(book.transaction, taken, record["institution"])
    if taken.refusals:
        return False
    _enter(book, taken, "payment", record["payment_no"])
    if party != FUND:
        _paid(book, case, party, record["amount"], Act.of(taken, "pay", party=party, reference=record["payment_no"]))
        return True
    postings = [
        Posting(COMPENSATION, case.institution, record["amount"], case.claim_no),
        Posting(DEPOSIT, record["institution"], -record["amount"], case.claim_no),
    ]
    return _enter_in_books(book, taken, "compensation", record["payment_no"], postings)


_IN_BOOK: Final = """
    SELECT c.claim_no, sum(p.principal + p.interest) AS amount, max(p.compensated_date) AS day
    FROM risk_fund.compensation_case c JOIN risk_fund.newest_guarantee_compensation p ON p.loan_no = c.loan_no
    JOIN risk_fund.newest_guarantee g ON g.member = p.member AND g.guarantee_no = p.guarantee_no
     AND g.loan_no = p.loan_no AND g.institution = c.institution
    WHERE p.member = %s AND c.shares ? 'guarantor' AND c.state IN ('approved', 'paid', 'recovered')
    GROUP BY 1 ORDER BY 1
"""


def follow_guarantees(book: Book, member: str, message: str) -> None:
    """Count what a guarantor's book says that it paid in debtors' places: it is the share that it owes of the loss.

    What it stated besides, payment by payment, is the same money: the greater of both counts.
    """
    for row in book.transaction.rows(_IN_BOOK, [member]):
        case = book.get(row["claim_no"])
        assert case is not None  # noqa: S101  # narrows the type: it was just found
        stated = book.transaction.value(
            "SELECT coalesce(sum(amount), 0.00) FROM risk_fund.case_payment"
            " WHERE claim_no = %s AND kind = 'payment' AND party = %s AND state = 'booked'",
            [case.claim_no, GUARANTOR],
        )
        paid = case.paid.get(GUARANTOR, money.ZERO)
        new = min(max(stated, row["amount"]), case.shares[GUARANTOR]) - paid
        act = Act("pay", max(row["day"], case.decided or row["day"]), member, None, message, party=GUARANTOR)
        if new > 0 and case.state == "approved":
            _paid(book, case, GUARANTOR, new, act)
        elif new < 0:
            book.change(case, paid=case.paid | {GUARANTOR: paid + new})
            book.move(case, _named(act, "take_back_payment", -new), book.after_payment(case))


def recover(book: Book, taken: Taken) -> bool:
    """Take down what a bank recovered of a loan; the same number again corrects it. Return whether it is new.

    Notes HL1052, the loan is another bank's; HL1062, the day; HL1160, there is none; HL1173, the number is another's.
    """
    record = taken.record
    loan = find_known_loan(book, taken)
    known = book.transaction.row(
        "SELECT loan_no, recovered_date, principal, interest FROM risk_fund.recovery"
        " WHERE institution = %(institution)s AND transaction_no = %(transaction_no)s",
        record,
    )
    if record["recovered_date"] > taken.entered:
        taken.refuse("HL1062", date=record["recovered_date"].isoformat())
    if known is not None and known["loan_no"] != record["loan_no"]:
        taken.refuse("HL1173", number=record["transaction_no"], loan_no=known["loan_no"])
    if loan is None or taken.refusals or (known is not None and all(known[name] == record[name] for name in known)):
        return False
    book.transaction.execute(
        """
        INSERT INTO risk_fund.recovery AS r
            (institution, transaction_no, loan_no, recovered_date, principal, interest, entered, member, message)
        VALUES (%(institution)s, %(transaction_no)s, %(loan_no)s, %(recovered_date)s, %(principal)s, %(interest)s,
                %(entered)s, %(member)s, %(message)s)
        ON CONFLICT (institution, transaction_no) DO UPDATE SET recovered_date = excluded.recovered_date,
            principal = excluded.principal, interest = excluded.interest, entered = excluded.entered,
            message = excluded.message
        """,
        taken.facts | {"entered": taken.entered},
    )
    case = book.of_loan(loan.institution, loan.loan_no)
    if case is not None:
        act = Act("recover", record["recovered_date"], taken.member.code, None, taken.message)
        follow(book, case, act)
    return True


def return_recovery(book: Book, taken: Taken) -> bool:
    """Enter what of the recoveries is handed back to a party; return whether it is new.

    Notes HL1062, the day; HL1104, the bank; HL1165, the case; HL1172, more than is owed.
    """
    record, party = taken.record, taken.record["party"]
    case = concerned(book, taken)
    if case is None or _is_entered(book, taken, "return", record["return_no"]):
        return False
    # Nobody gets back more than it has paid so far, though its part of what came back may be larger.
    due = min(
        case.unreturned.get(party, money.ZERO), case.paid.get(party, money.ZERO) - case.returned.get(party, money.ZERO)
    )
    left = max(money.ZERO, due) - _waiting(book, case, "return", party)
    if record["amount"] > left or not record["amount"]:
        _too_much(taken, party, left)
    if party == FUND:
        check_bank(book.transaction, taken, record["institution"])
    if taken.refusals:
        return False
    _enter(book, taken, "return", record["return_no"])
    if party != FUND:
        act = Act.of(taken, "hand_back", party=party, reference=record["return_no"], amount=record["amount"])
        _returned(book, case, party, record["amount"], act)
        return True
    postings = [
        Posting(DEPOSIT, record["institution"], record["amount"], case.claim_no),
        Posting(RECOVERY_DUE, case.institution, -record["amount"], case.claim_no),
    ]
    return _enter_in_books(book, taken, "recovery", record["return_no"], postings)


def write_off(book: Book, taken: Taken) -> bool:
    """Enter that what the fund paid of a case and did not get back is written off; return whether it is new.

    Where the policy has others bear a part of it, what they owe is booked with it.

    Notes HL1165 and HL1166, the case; HL1174, nothing is left to write off.
    """
    record = taken.record
    case = concerned(book, taken)
    if case is None or _is_entered(book, taken, "write_off", record["write_off_no"]):
        return False
    if case.state != "paid":
        stands_elsewhere(taken, case, _WRITE_OFF)
        return False
    lost = _lost(case)
    if lost <= 0:
        taken.refuse("HL1174", claim_no=case.claim_no)
        return False
    # Only what is not recovered falls to the second tier.
    loss = book.share(case, book.loss_case(case, recovered_after=case.recovered))
    is_the_funds = any(step.get("step") == "second_tier" and step.get("of") == FUND for step in loss.steps)
    second = dict(loss.second_tier) if is_the_funds else {}
    rest = lost - sum(second.values(), money.ZERO)
    postings = [
        Posting(COMPENSATION, case.institution, -lost, case.claim_no),
        *(Posting(SECOND_TIER_DUE, party, amount, case.claim_no) for party, amount in second.items() if amount),
        *([Posting(WRITTEN_OFF, case.institution, rest, case.claim_no)] if rest else ()),
    ]
    taken = _with(taken, party=FUND, institution=None, amount=lost, effective_date=taken.date)
    _enter(book, taken, "write_off", record["write_off_no"])
    return _enter_in_books(book, taken, "write_off", record["write_off_no"], postings)


def _lost(case: Case) -> Decimal:
    return case.fund_paid - case.recovery_shares.get(FUND, money.ZERO)


def collect(book: Book, taken: Taken) -> bool:
    """Take down a step of collection; return whether it is new. Notes HL1052 and HL1160, of the loan."""
    if find_known_loan(book, taken) is None:
        return False
    fields = ("institution", "loan_no", "kind", "result", "document")
    try:
        return acts.enter(book.transaction, "risk_fund.collection", ("collection_no",), fields, taken)
    except MessageRefused as refusal:
        taken.note(refusal)
        return False


# -- what is entered, and booked ---------------------------------------------------------------------------------------


def _with(taken: Taken, **fields: Any) -> Taken:  # noqa: ANN401  # of the record's kind
    taken.record.update(fields)
    return taken


def _is_entered(book: Book, taken: Taken, kind: str, number: str) -> bool:
    """Return whether a record was entered before. Notes HL1059, another one has its number."""
    row = book.transaction.row("SELECT * FROM risk_fund.case_movement WHERE number = %s", [number])
    if row is None:
        return False
    said = taken.record | {"kind": kind, "member": taken.member.code}
    if any(name in said and row[name] != said[name] for name in (*_KEPT, "member", "reason")):
        taken.refuse("HL1059", number=number)
    return True


def _enter(book: Book, taken: Taken, kind: str, number: str) -> None:
    book.transaction.execute(
        """
        INSERT INTO risk_fund.case_movement (number, kind, claim_no, party, institution, amount, effective_date, reason,
                                             date, entered, member, person, message)
        VALUES (%(number)s, %(kind)s, %(claim_no)s, %(party)s, %(institution)s, %(amount)s, %(effective_date)s,
                %(reason)s, %(date)s, %(entered)s, %(member)s, %(person)s, %(message)s)
        """,
        {"reason": None} | taken.facts | {"number": number, "kind": kind, "entered": taken.entered},
    )


def _enter_in_books(book: Book, taken: Taken, kind: str, number: str, postings: list[Posting]) -> bool:
    record = taken.record
    try:
        return entries.enter(
            book.transaction,
            taken,
            kind,
            postings,
            entry_no=number,
            effective=record["effective_date"],
            party=record["party"],
            institution=record["institution"],
        )
    except MessageRefused as refusal:
        taken.note(refusal)
        return False


def _waiting(book: Book, case: Case, kind: str, party: str) -> Decimal:
    """Return what was entered for a party and waits for its approval."""
    found: Decimal = book.transaction.value(
        "SELECT coalesce(sum(amount), 0.00) FROM risk_fund.case_payment"
        " WHERE claim_no = %s AND kind = %s AND party = %s AND state = 'entered'",
        [case.claim_no, kind, party],
    )
    return found


def _too_much(taken: Taken, party: str, left: Decimal) -> None:
    called = Bilingual(LOSS_PARTY[party], party)
    taken.refuse("HL1172", party=called, amount=money.text(taken.record["amount"]), left=money.text(left))


def _paid(book: Book, case: Case, party: str, amount: Decimal, act: Act) -> None:
    paid = case.paid | {party: case.paid.get(party, money.ZERO) + amount}
    book.change(case, paid=paid, paid_date=act.date)
    is_last = not case.unpaid
    if not case.unpaid.get(FUND):
        book.change(case, fund_due=None)
    kept = case.due
    book.move(case, _named(act, "pay_last" if is_last else "pay", amount), book.after_payment(case))
    if is_last:
        book.tell_result(case)
        if case.covered is not None and case.recovered >= case.covered > 0:
            book.move(case, Act("recover_all", act.date, act.member, None, act.message), book.after_payment(case))
    else:
        book.change(case, due=kept)


def _named(act: Act, move: str, amount: Decimal) -> Act:
    return Act(
        move, act.date, act.member, act.person, act.message, party=act.party, amount=amount, reference=act.reference
    )


def _returned(book: Book, case: Case, party: str, amount: Decimal, act: Act) -> None:
    returned = case.returned | {party: case.returned.get(party, money.ZERO) + amount}
    book.change(case, returned=returned)
    if not case.unreturned:
        book.change(case, return_by=None)
    book.note(case, act)


def booked(transaction: Transaction, entry: Mapping[str, Any], message: Message, context: Context) -> Iterator[Draft]:
    """Let follow that an entry of a case was booked.

    Raises:
        MessageRefused: HL1166, the case is in another state by now; HL1174, another amount is left by now.
    """
    book, case = _case_of(transaction, entry, context)
    amount, number = entry["amount"], entry["entry_no"]
    act = Act("", context.clock.today(), message.source, None, message.id, party=FUND, reference=number, amount=amount)
    try:
        if entry["kind"] == "compensation":
            _paid(book, case, FUND, amount, act)
        elif entry["kind"] == "recovery":
            _returned(book, case, FUND, amount, _named(act, "hand_back", amount))
        else:
            if amount != _lost(case):
                raise MessageRefused("HL1174", claim_no=case.claim_no)
            book.move(case, _named(act, "write_off", amount), book.after_payment(case))
    except Refusal:
        raise _elsewhere(case, entry["kind"]) from None
    yield from book.write()


def reversed_(
    transaction: Transaction, entry: Mapping[str, Any], message: Message, context: Context
) -> Iterator[Draft]:
    """Let follow that what was booked of a case was taken back.

    Raises:
        MessageRefused: HL1166, the case is in a state that rests on it.
    """
    book, case = _case_of(transaction, entry, context)
    amount, number = entry["amount"], entry["entry_no"]
    act = Act("", context.clock.today(), message.source, None, message.id, party=FUND, reference=number, amount=amount)
    try:
        if entry["kind"] == "compensation":
            if case.recovery_shares.get(FUND):
                raise _elsewhere(case, entry["kind"])
            book.change(case, paid=case.paid | {FUND: case.fund_paid - amount})
            due = book.share(case, book.loss_case(case)).pay_by
            book.move(case, _named(act, "take_back_payment", amount), book.after_payment(case), fund_due=due)
        elif entry["kind"] == "recovery":
            book.change(case, returned=case.returned | {FUND: case.returned[FUND] - amount})
            book.note(case, _named(act, "take_back_return", amount))
        else:
            book.move(case, _named(act, "take_back_write_off", amount), book.after_payment(case))
    except Refusal:
        raise _elsewhere(case, entry["kind"]) from None
    yield from book.write()


def _case_of(transaction: Transaction, entry: Mapping[str, Any], context: Context) -> tuple[Book, Case]:
    book = Book(transaction, context)
    claim_no = transaction.value("SELECT claim_no FROM risk_fund.case_movement WHERE number = %s", [entry["entry_no"]])
    case = book.get(claim_no)
    assert case is not None  # noqa: S101  # narrows the type: the movement refers to it
    return book, case


def _elsewhere(case: Case, kind: str) -> MessageRefused:
    state = Bilingual(CASE_STATE[case.state], case.state.replace("_", " "))
    step = Bilingual(ENTRY_KIND[kind], kind.replace("_", " "))
    return MessageRefused("HL1166", claim_no=case.claim_no, state=state, step=step, due=case.stage or "-")
