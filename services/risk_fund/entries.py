"""Entries: what moves the fund's money is entered by one person with its postings, and booked when another approves it.

What was booked by mistake is reversed, once, by an entry of its own. What follows from an entry of a kind, when it is
booked or reversed, the service says: see `records`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.errors import MessageRefused
from huilian.county.members import persons
from huilian.county.procedure import acts
from huilian.county.procedure.acts import taking
from schemas.fund import ENTRY_KIND
from services.risk_fund import books
from services.risk_fund.books import Posting

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from huilian.county.context import Context
    from huilian.county.messages.records import RecordHandler
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["STATE", "Hook", "enter", "find", "postings_of", "records"]

STATE: Final = {"entered": "待审批", "booked": "已入账", "refused": "不同意"}
_FIELDS: Final = ("kind", "institution", "party", "amount", "effective", "document", "reason", "reference")

Hook = Callable[["Transaction", Mapping[str, Any], "Message", "Context"], Iterable["Draft"]]
"""Called with an entry, as its table has it, and the message that approved its booking or its reversal.

It may raise `MessageRefused`: the entry then cannot be booked, or reversed.
"""


def enter(
    transaction: Transaction,
    taken: Taken,
    kind: str,
    postings: Sequence[Posting],
    *,
    entry_no: str,
    effective: dt.date,
    party: str,
    institution: str | None = None,
    reverses: str | None = None,
) -> bool:
    """Enter what is to be booked once somebody else approves it; return whether it is new.

    The same again changes nothing. Its amount is what it debits; `document` and `reason` are the record's.

    Args:
        transaction: holds the fund, see `books.hold`.
        taken: the act by which it is entered; HL1103 is noted where it takes more than there is.
        kind: one of `ENTRY_KIND`.
        postings: what is booked, above nought a debit, below a credit; together nought.
        entry_no: the number by which it is approved, and reversed.
        effective: the day from which it counts.
        party: whom it is about, as people read it.
        institution: the bank whose deposit it moves; None: of none.
        reverses: the number of the entry that it takes back.

    Raises:
        MessageRefused: HL1059, another entry has its number.
    """
    entry: dict[str, Any] = {name: taken.record.get(name) for name in ("document", "reason")}
    entry |= {"entry_no": entry_no, "kind": kind, "institution": institution, "party": party, "effective": effective}
    entry |= {"amount": sum(each.amount for each in postings if each.amount > 0), "reference": reverses}
    whole = replace(taken, record=taken.record | entry)
    if not acts.enter(transaction, "risk_fund.fund_entry", ("entry_no",), _FIELDS, whole):
        return False
    kept = [asdict(each) | {"amount": money.text(each.amount)} for each in postings]
    transaction.execute(
        "UPDATE risk_fund.fund_entry SET postings = %s::jsonb WHERE entry_no = %s", [json.dumps(kept), entry_no]
    )
    _check_there(transaction, taken, postings, effective)
    return True


def find(transaction: Transaction, entry_no: str) -> dict[str, Any]:
    """Return an entry.

    Raises:
        MessageRefused: HL1101, there is none.
    """
    row = transaction.row("SELECT * FROM risk_fund.fund_entry WHERE entry_no = %s", [entry_no])
    if row is None:
        raise MessageRefused("HL1101", number=entry_no)
    return row


def records(on_booked: Mapping[str, Hook], on_reversed: Mapping[str, Hook]) -> Mapping[str, RecordHandler]:
    """Return what takes approvals and reversals.

    Args:
        on_booked: by kind of entry, what follows when one is booked.
        on_reversed: by kind of entry, what follows when the booking of one is taken back.
    """

    def on_approval(
        record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
    ) -> Iterable[Draft]:
        """Book what somebody else entered, or refuse it; the same again changes nothing."""
        entry = _decide(record, message, transaction, context)
        if entry is None:
            return ()
        if entry["kind"] == "reversal":
            former = find(transaction, entry["reference"])
            hook = on_reversed.get(former["kind"])
            return () if hook is None else hook(transaction, former, message, context)
        hook = on_booked.get(entry["kind"])
        return () if hook is None else hook(transaction, entry, message, context)

    return {"fund_reversal": _on_reversal, "fund_approval": on_approval}


def _on_reversal(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter the reversal of what was booked."""
    with taking(record, message, transaction, persons.ENTER, books.hold) as taken:
        number = record["reference"]
        booked = find(transaction, number)
        if transaction.value(
            "SELECT true FROM risk_fund.fund_entry WHERE reference = %(reference)s AND state <> 'refused'"
            " AND entry_no <> %(reversal_no)s",
            record,
        ):
            raise MessageRefused("HL1105", number=number)
        if booked["kind"] == "reversal" or booked["state"] != "booked":
            taken.refuse("HL1102", number=number, state=STATE[booked["state"]])
        same = {name: booked[name] for name in ("effective", "party", "institution")}
        postings = [replace(each, amount=-each.amount) for each in postings_of(booked)]
        enter(transaction, taken, "reversal", postings, entry_no=record["reversal_no"], reverses=number, **same)
    return ()


def _decide(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> dict[str, Any] | None:
    """Book an entry or refuse it; return it where it is booked now."""
    state = "booked" if record["decision"] == "approve" else "refused"
    with taking(record, message, transaction, persons.APPROVE, books.hold) as taken:
        entry = find(transaction, record["reference"])
        if entry["state"] != "entered":
            if (entry["state"], entry["decided_member"], entry["decided_person"]) == (state, *taken.who):
                return None
            raise MessageRefused("HL1102", number=record["reference"], state=STATE[entry["state"]])
        taken.check(persons.check_four_eyes, (entry["member"], entry["person"]), taken.who)
        if taken.date < entry["date"]:
            taken.refuse("HL1062", date=taken.date.isoformat())
        if state == "refused" and record["reason"] is None:
            taken.refuse("HL1064", decision=record["decision"])
        if state == "booked":
            _check_there(transaction, taken, postings_of(entry), entry["effective"])
    entry["transaction"] = None
    if state == "booked":
        entry["transaction"] = _book(transaction, entry, message.id, context.clock.today())
    transaction.execute(
        "UPDATE risk_fund.fund_entry SET state = %(state)s, transaction = %(booked)s, decision_reason = %(reason)s,"
        " decided = %(date)s, decided_member = %(member)s, decided_person = %(person)s, decided_message = %(message)s"
        " WHERE entry_no = %(reference)s",
        taken.facts | {"state": state, "booked": entry["transaction"]},
    )
    return entry | {"state": state} if state == "booked" else None


def _book(transaction: Transaction, entry: Mapping[str, Any], message: str, today: dt.date) -> int:
    reason = f"{ENTRY_KIND[entry['kind']]} {entry['entry_no']}"
    if entry["kind"] == "reversal":
        booked = find(transaction, entry["reference"])["transaction"]
        return books.reverse(transaction, booked, entered=today, message=message, reason=reason)
    return books.book(
        transaction, postings_of(entry), effective=entry["effective"], entered=today, message=message, reason=reason
    )


def postings_of(entry: Mapping[str, Any]) -> list[Posting]:
    """Return what an entry books."""
    return [Posting(**each | {"amount": money.parse(each["amount"])}) for each in entry["postings"]]


def _check_there(transaction: Transaction, taken: Taken, postings: Sequence[Posting], effective: dt.date) -> None:
    """Note HL1103 where less than nothing would be somewhere, on that day or a later one."""
    # A bank has one deposit of the fund, whatever moves it; each term deposit stands by itself.
    held = (each for each in postings if each.account in books.HELD)
    apart = (each if each.account == books.TERM_DEPOSIT else replace(each, reference=None) for each in held)
    for each in books.summed(apart):
        if each.amount < 0:
            there = books.lowest(transaction, each.account, each.party, effective, reference=each.reference)
            if -each.amount > there:
                amounts = {"amount": money.text(-each.amount), "there": money.text(there)}
                taken.refuse("HL1103", institution=each.party, **amounts)
