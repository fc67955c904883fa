"""False claims (虚报、冒领、套取、挪用): a case holds what is not paid, is decided by somebody else, and claws back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.errors import MessageRefused
from huilian.county.members import persons
from huilian.county.procedure.acts import enter, taking
from services.subsidy import items
from services.subsidy.payout import results
from services.subsidy.payout.payments import check_loan, find_loan
from services.subsidy.payout.postings import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["CASE_STATE", "STATE", "on_clawback", "on_decision", "on_false_claim"]

CASE_STATE: Final = {"open": "查处中", "dismissed": "不属实", "claimed_back": "追回中", "recovered": "已追回"}
"""What became of a case."""
STATE: Final = """
    CASE WHEN f.decision IS NULL THEN 'open' WHEN f.decision = 'refuse' THEN 'dismissed'
         WHEN coalesce((SELECT sum(c.amount) FROM subsidy.clawback c WHERE c.case_no = f.case_no), 0) < f.amount
         THEN 'claimed_back' ELSE 'recovered' END
"""
"""SQL for it, of the case `f`."""
# What is under way at a bank comes back as paid, and is clawed back.
_UNPAID: Final = """
    SELECT number FROM subsidy.item WHERE institution = %(institution)s AND loan_no = %(loan_no)s
    AND state IN ('computed', 'differing', 'unclaimed', 'waiting', 'posted', 'objected', 'approved', 'bounced')
"""


def on_false_claim(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Open a case about a loan: nothing is approved or paid on it until the case is decided."""
    with taking(record, message, transaction, persons.ENTER, items.hold) as taken:
        check_loan(taken.member, record["institution"], find_loan(transaction, record))
    enter(transaction, "subsidy.false_claim", ("case_no",), ("kind", "institution", "loan_no", "reason"), taken)
    return ()


def _find(transaction: Transaction, case_no: str) -> dict[str, Any]:
    """Return a case.

    Raises:
        MessageRefused: HL1152, there is none.
    """
    row = transaction.row(f"SELECT f.*, {STATE} AS state FROM subsidy.false_claim f WHERE case_no = %s", [case_no])
    if row is None:
        raise MessageRefused("HL1152", case_no=case_no)
    return row


def on_decision(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Decide a case: what was not paid is forfeited, and of what was paid an amount must come back; or end it."""
    with taking(record, message, transaction, persons.APPROVE, items.hold) as taken:
        case = _find(transaction, record["case_no"])
        if case["decision"] is not None:
            said = ("decision", "amount", "decision_reason", "decided_member", "decided_person")
            same = (record["decision"], record["amount"], record["reason"], *taken.who)
            if tuple(case[name] for name in said) == same:
                return ()
            raise MessageRefused("HL1153", case_no=record["case_no"], state=CASE_STATE[case["state"]])
        taken.check(persons.check_four_eyes, (case["member"], case["person"]), taken.who)
        if taken.date < case["date"]:
            taken.refuse("HL1062", date=taken.date.isoformat())
        paid = transaction.value(
            "SELECT coalesce(sum(paid), 0) FROM subsidy.item WHERE institution = %(institution)s"
            " AND loan_no = %(loan_no)s",
            case,
        )
        claimed = transaction.value(
            "SELECT coalesce(sum(amount), 0) FROM subsidy.false_claim WHERE institution = %(institution)s"
            " AND loan_no = %(loan_no)s",
            case,
        )
        upheld = record["decision"] == "approve"
        if upheld != (record["amount"] is not None):
            taken.refuse("HL1154", decision=record["decision"])
        elif upheld and not 0 <= record["amount"] <= paid - claimed:
            taken.refuse("HL1155", amount=money.text(record["amount"]), left=money.text(paid - claimed))
    transaction.execute(
        "UPDATE subsidy.false_claim SET decision = %(decision)s, amount = %(amount)s, decision_reason = %(reason)s,"
        " decided = %(date)s, decided_member = %(member)s, decided_person = %(person)s, decided_message = %(message)s"
        " WHERE case_no = %(case_no)s",
        taken.facts,
    )
    if not upheld:
        return ()
    numbers = [row["number"] for row in transaction.rows(_UNPAID, case)]
    told = items.move(transaction, numbers, "forfeit", facts_of(taken, record["reason"]))
    return [*told, *results.tell(transaction)]


def on_clawback(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Note what came back of a case: no more than must."""
    fields = ("case_no", "amount", "effective_date")
    with taking(record, message, transaction, persons.ENTER, items.hold) as taken:
        if transaction.value("SELECT true FROM subsidy.clawback WHERE clawback_no = %(clawback_no)s", record):
            enter(transaction, "subsidy.clawback", ("clawback_no",), fields, taken)
            return ()
        case = _find(transaction, record["case_no"])
        if case["state"] != "claimed_back":
            raise MessageRefused("HL1153", case_no=record["case_no"], state=CASE_STATE[case["state"]])
        back = transaction.value(
            "SELECT coalesce(sum(amount), 0) FROM subsidy.clawback WHERE case_no = %(case_no)s", record
        )
        if not 0 < record["amount"] <= case["amount"] - back:
            left = money.text(case["amount"] - back)
            taken.refuse("HL1155", amount=money.text(record["amount"]), left=left)
        if not case["date"] <= record["effective_date"] <= taken.date:
            taken.refuse("HL1062", date=record["effective_date"].isoformat())
    enter(transaction, "subsidy.clawback", ("clawback_no",), fields, taken)
    return ()
