"""Cover that the county sets aside by hand: at a bank's deposit, or of a village's mutual guarantee fund.

It takes room as a reservation does, until it is released; at a bank, until its loan is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.errors import MessageRefused
from huilian.county.members import persons
from huilian.county.procedure import acts
from huilian.county.procedure.acts import taking
from huilian.policy.loss import fund_room
from huilian.policy.reading import Reading
from services.risk_fund import books, deposits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from huilian.county.context import Context
    from huilian.county.messages.records import RecordHandler
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["RECORDS"]

_FIELDS: Final = ("institution", "region", "loan_no", "amount", "reason")


def _on_reservation(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Set cover aside, where there is room for it."""
    with taking(record, message, transaction, persons.ENTER, books.hold) as taken:
        deposits.check_bank(transaction, taken, record["institution"])
        deposits.check_village(taken)
        if acts.enter(transaction, "risk_fund.set_aside", ("reservation_no",), _FIELDS, taken):
            free = _free(transaction, context, taken)
            if free is not None and free < 0:
                before = max(money.ZERO, free + record["amount"])
                taken.refuse("HL1107", amount=money.text(record["amount"]), free=money.text(before))
    return ()


def _free(transaction: Transaction, context: Context, taken: Taken) -> Decimal | None:
    """Return what is still free on the day with this set aside; None where the plan sets no multiple of a deposit."""
    reading, facts = Reading(context.policy, None), taken.facts
    if facts["region"] is not None:
        multiple = reading.value("fund.village_fund_multiple", {"event": taken.date, "bank": facts["institution"]})
        fund = books.lowest(transaction, books.VILLAGE_FUND, facts["region"], taken.date)
        guaranteed: Decimal = transaction.value(
            "SELECT sum(amount) FROM risk_fund.set_aside_open WHERE region = %(region)s", facts
        )
        return (multiple or 0) * fund - guaranteed
    row = transaction.row(
        """
        SELECT coalesce((SELECT sum(amount) FROM risk_fund.posting WHERE account IN ('deposit', 'term_deposit')
                         AND party = %(institution)s AND effective <= %(date)s), 0.00) AS deposit,
               coalesce((SELECT balance FROM risk_fund.bank_balance WHERE institution = %(institution)s), 0.00)
               + coalesce((SELECT sum(amount) FROM risk_fund.reservation
                           WHERE institution = %(institution)s AND status = 'reserved'), 0.00)
               + coalesce((SELECT sum(amount) FROM risk_fund.set_aside_open
                           WHERE institution = %(institution)s AND region IS NULL), 0.00) AS committed
        """,
        facts,
    )
    assert row is not None  # noqa: S101  # narrows the type: without FROM there is one row
    room = fund_room(reading, **row, on=taken.date, bank=facts["institution"])
    return None if room is None else room.free


def _on_release(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Free what was set aside; the same again changes nothing."""
    with taking(record, message, transaction, persons.ENTER, books.hold) as taken:
        found = transaction.row("SELECT * FROM risk_fund.set_aside WHERE reservation_no = %(reference)s", record)
        if found is None:
            raise MessageRefused("HL1109", number=record["reference"])
        if found["released"] is not None:
            if (found["released_member"], found["released_person"], found["released"]) == (*taken.who, taken.date):
                return ()
            raise MessageRefused("HL1109", number=record["reference"])
        if taken.date < found["date"]:
            taken.refuse("HL1062", date=taken.date.isoformat())
        transaction.execute(
            "UPDATE risk_fund.set_aside SET released = %(date)s, released_member = %(member)s,"
            " released_person = %(person)s, released_message = %(message)s, release_reason = %(reason)s"
            " WHERE reservation_no = %(reference)s",
            taken.facts,
        )
    return ()


RECORDS: Final[Mapping[str, RecordHandler]] = {"fund_reservation": _on_reservation, "fund_release": _on_release}
"""What takes each record of cover that is set aside by hand."""
