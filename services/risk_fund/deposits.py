"""Money that comes to the fund's deposits at banks, and that leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import AccessDenied
from huilian.county.members import directory, persons
from huilian.county.procedure.acts import taking
from services.risk_fund import books, entries
from services.risk_fund.books import CONTRIBUTION, DEPOSIT, Posting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from huilian.county.context import Context
    from huilian.county.messages.records import RecordHandler
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["RECORDS", "check_bank"]

_BANK: Final = "bank"


def _on_movement(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter a deposit or a withdrawal."""
    kind = message.type.removeprefix("fund_")
    institution, party = record["institution"], record["party"]
    amount = record["amount"] if kind == "deposit" else -record["amount"]
    with taking(record, message, transaction, persons.ENTER, books.hold) as taken:
        check_bank(transaction, taken, institution)
        entries.enter(
            transaction,
            taken,
            kind,
            [Posting(DEPOSIT, institution, amount), Posting(CONTRIBUTION, party, -amount)],
            entry_no=record[f"{kind}_no"],
            effective=record["effective_date"],
            institution=institution,
            party=party,
        )
    return ()


def check_bank(transaction: Transaction, taken: Taken, institution: str) -> None:
    """Note HL1104 where the money would lie at no bank of the county."""
    try:
        member = directory.find(transaction, institution)
    except AccessDenied:
        member = None
    if member is None or member.kind != _BANK:
        taken.refuse("HL1104", institution=institution)


RECORDS: Final[Mapping[str, RecordHandler]] = {"fund_deposit": _on_movement, "fund_withdrawal": _on_movement}
"""What takes each record of the fund's money."""
