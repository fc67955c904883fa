"""Deposits, withdrawals and reversals: entered by one person, booked when another approves them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.errors import AccessDenied, MessageRefused
from huilian.county.members import directory, persons
from huilian.county.procedure.acts import enter, taking
from services.risk_fund import books
from services.risk_fund.books import CONTRIBUTION, DEPOSIT, Posting

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from huilian.county.context import Context
    from huilian.county.messages.records import RecordHandler
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["RECORDS", "STATE", "TITLE"]

TITLE: Final = {"deposit": "存入", "withdrawal": "支取", "reversal": "冲销"}
STATE: Final = {"entered": "待审批", "booked": "已入账", "refused": "不同意"}
_BANK: Final = "bank"
_FIELDS: Final = ("kind", "institution", "party", "amount", "effective", "document", "reason", "reference")
_NOTHING: Final = dict.fromkeys(("document", "reason", "reference"))


def _on_movement(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter a deposit or a withdrawal."""
    kind = message.type.removeprefix("fund_")
    with taking(record, message, transaction, persons.ENTER, books.hold) as taken:
        _check_bank(transaction, taken)
        entry = {"entry_no": record[f"{kind}_no"], "kind": kind, "effective": record["effective_date"]}
        if _enter(transaction, taken, entry) and kind == "withdrawal":
            _check_there(transaction, taken, taken.record | entry)
    return ()


def _on_reversal(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter the reversal of what was booked."""
    with taking(record, message, transaction, persons.ENTER, books.hold) as taken:
        booked = _find(transaction, record["reference"])
        entry = {name: booked[name] for name in ("institution", "party", "amount", "effective")}
        entry |= {"entry_no": record["reversal_no"], "kind": "reversal"}
        if transaction.value(
            "SELECT true FROM risk_fund.fund_entry WHERE reference = %(reference)s AND state <> 'refused'"
            " AND entry_no <> %(reversal_no)s",
            record,
        ):
            raise MessageRefused("HL1105", number=record["reference"])
        if _enter(transaction, taken, entry):
            if booked["kind"] == "reversal" or booked["state"] != "booked":
                taken.refuse("HL1102", number=record["reference"], state=STATE[booked["state"]])
            elif booked["kind"] == "deposit":
                _check_there(transaction, taken, entry)
    return ()


def _enter(transaction: Transaction, taken: Taken, entry: dict[str, Any]) -> bool:
    """Write an entry, return whether it is new."""
    whole = replace(taken, record=_NOTHING | taken.record | entry)
    return enter(transaction, "risk_fund.fund_entry", ("entry_no",), _FIELDS, whole)


def _check_bank(transaction: Transaction, taken: Taken) -> None:
    """Note HL1104 where the money would lie at no bank of the county."""
    institution = taken.record["institution"]
    try:
        member = directory.find(transaction, institution)
    except AccessDenied:
        member = None
    if member is None or member.kind != _BANK:
        taken.refuse("HL1104", institution=institution)


def _check_there(transaction: Transaction, taken: Taken, entry: Mapping[str, Any]) -> None:
    """Note HL1103 where a bank would not have what is taken from it, on that day or a later one."""
    there = books.lowest_deposit(transaction, entry["institution"], entry["effective"])
    if entry["amount"] > there:
        amounts = {"amount": money.text(entry["amount"]), "there": money.text(there)}
        taken.refuse("HL1103", institution=entry["institution"], **amounts)


def _find(transaction: Transaction, entry_no: str) -> dict[str, Any]:
    """Return an entry.

    Raises:
        MessageRefused: HL1101, there is none.
    """
    row = transaction.row("SELECT * FROM risk_fund.fund_entry WHERE entry_no = %s", [entry_no])
    if row is None:
        raise MessageRefused("HL1101", number=entry_no)
    return row


def _on_approval(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Book what somebody else entered, or refuse it; the same again changes nothing."""
    state = "booked" if record["decision"] == "approve" else "refused"
    with taking(record, message, transaction, persons.APPROVE, books.hold) as taken:
        entry = _find(transaction, record["reference"])
        if entry["state"] != "entered":
            if (entry["state"], entry["decided_member"], entry["decided_person"]) == (state, *taken.who):
                return ()
            raise MessageRefused("HL1102", number=record["reference"], state=STATE[entry["state"]])
        taken.check(persons.check_four_eyes, (entry["member"], entry["person"]), taken.who)
        if taken.date < entry["date"]:
            taken.refuse("HL1062", date=taken.date.isoformat())
        if state == "refused" and record["reason"] is None:
            taken.refuse("HL1064", decision=record["decision"])
        if state == "booked" and _takes_out(transaction, entry):
            _check_there(transaction, taken, entry)
    booked = _book(transaction, entry, message.id, context.clock.today()) if state == "booked" else None
    transaction.execute(
        "UPDATE risk_fund.fund_entry SET state = %(state)s, transaction = %(booked)s, decision_reason = %(reason)s,"
        " decided = %(date)s, decided_member = %(member)s, decided_person = %(person)s, decided_message = %(message)s"
        " WHERE entry_no = %(reference)s",
        taken.facts | {"state": state, "booked": booked},
    )
    return ()


def _takes_out(transaction: Transaction, entry: Mapping[str, Any]) -> bool:
    if entry["kind"] == "reversal":
        return bool(_find(transaction, entry["reference"])["kind"] == "deposit")
    return bool(entry["kind"] == "withdrawal")


def _book(transaction: Transaction, entry: Mapping[str, Any], message: str, today: dt.date) -> int:
    reason = f"{TITLE[entry['kind']]} {entry['entry_no']}"
    if entry["kind"] == "reversal":
        booked = _find(transaction, entry["reference"])["transaction"]
        return books.reverse(transaction, booked, entered=today, message=message, reason=reason)
    amount = entry["amount"] if entry["kind"] == "deposit" else -entry["amount"]
    postings = (Posting(DEPOSIT, entry["institution"], amount), Posting(CONTRIBUTION, entry["party"], -amount))
    return books.book(
        transaction, postings, effective=entry["effective"], entered=today, message=message, reason=reason
    )


RECORDS: Final[Mapping[str, RecordHandler]] = {
    "fund_deposit": _on_movement,
    "fund_withdrawal": _on_movement,
    "fund_reversal": _on_reversal,
    "fund_approval": _on_approval,
}
"""What takes each record of the fund's money."""
