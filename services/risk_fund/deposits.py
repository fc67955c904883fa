"""Money that comes to the fund's deposits at banks, and that leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.errors import AccessDenied, MessageRefused, UsageError
from huilian.county.members import directory, persons
from huilian.county.procedure import acts
from huilian.county.procedure.acts import taking
from services.risk_fund import books, entries, position
from services.risk_fund.books import (
    CONTRIBUTION,
    DEPOSIT,
    INTEREST,
    LENDING_REWARD,
    TERM_DEPOSIT,
    VILLAGE_CONTRIBUTION,
    VILLAGE_FUND,
    Posting,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from huilian.county.context import Context
    from huilian.county.messages.records import RecordHandler
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["RECORDS", "check_bank", "check_village", "on_settled"]

_BANK: Final = "bank"
_TERMS: Final = ("institution", "amount", "effective_date", "due_date", "annual_rate_percent")
_VILLAGE_DIGITS: Final = 12


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


def _on_term_deposit(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter what is placed for a term."""
    number, institution, amount = record["term_deposit_no"], record["institution"], record["amount"]
    with taking(record, message, transaction, persons.ENTER, books.hold) as taken:
        check_bank(transaction, taken, institution)
        acts.enter(transaction, "risk_fund.term_deposit", ("term_deposit_no",), _TERMS, taken)
        entries.enter(
            transaction,
            taken,
            "term_deposit",
            [Posting(TERM_DEPOSIT, institution, amount, number), Posting(DEPOSIT, institution, -amount)],
            entry_no=number,
            effective=record["effective_date"],
            institution=institution,
            party=institution,
        )
    return ()


def _on_term_deposit_end(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter the end of a term deposit: all of it goes back to the deposit, with its interest."""
    number = record["term_deposit_no"]
    with taking(record, message, transaction, persons.ENTER, books.hold) as taken:
        placed = transaction.row(
            "SELECT institution, amount FROM risk_fund.fund_entry"
            " WHERE entry_no = %s AND kind = 'term_deposit' AND state = 'booked'",
            [number],
        )
        if placed is None:
            raise MessageRefused("HL1106", number=number)
        bank, amount, interest = placed["institution"], placed["amount"], record["interest"]
        entries.enter(
            transaction,
            taken,
            "term_deposit_end",
            [
                Posting(DEPOSIT, bank, amount + interest),
                Posting(TERM_DEPOSIT, bank, -amount, number),
                Posting(INTEREST, bank, -interest, number),
            ],
            entry_no=record["end_no"],
            effective=record["effective_date"],
            institution=bank,
            party=bank,
        )
    return ()


def _on_settlement(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Enter what comes in beside contributions, or what the fund pays beside losses."""
    kind = message.type.removeprefix("fund_")
    institution, account, party = record["institution"], record["account"], record["party"]
    amount = record["amount"] if kind == "receipt" else -record["amount"]
    settled = Posting(account, party, -amount, record["reference"])
    with taking(record, message, transaction, persons.ENTER, books.hold) as taken:
        check_bank(transaction, taken, institution)
        new = entries.enter(
            transaction,
            taken,
            kind,
            [Posting(DEPOSIT, institution, amount), settled],
            entry_no=record[f"{kind}_no"],
            effective=record["effective_date"],
            institution=institution,
            party=party,
        )
        if new:
            taken.check(_check_owed, settled, _owed(transaction, context, settled))
    return ()


def _check_owed(settled: Posting, owed: Decimal) -> None:
    """Let pass what is settled of what is owed; interest is owed by nobody before it comes.

    Args:
        settled: below nought where others owe the fund, above where the fund owes.
        owed: before it is settled; above nought where others owe the fund.

    Raises:
        MessageRefused: HL1108, so much is not owed.
    """
    most = owed if settled.amount < 0 else -owed
    if settled.account != INTEREST and abs(settled.amount) > most:
        amounts = {"amount": money.text(abs(settled.amount)), "owed": money.text(max(most, money.ZERO))}
        raise MessageRefused("HL1108", party=settled.party, **amounts)


def on_settled(
    transaction: Transaction, entry: Mapping[str, Any], _message: Message, context: Context
) -> Iterable[Draft]:
    """Refuse to book a receipt or a payment where others of them have settled what was owed."""
    settled = next(each for each in entries.postings_of(entry) if each.account != DEPOSIT)
    _check_owed(settled, _owed(transaction, context, settled) - settled.amount)
    return ()


def _owed(transaction: Transaction, context: Context, settled: Posting) -> Decimal:
    """Return what is owed by the books: above nought to the fund, below by it; for lending, what the policy gives."""
    booked = books.balance(transaction, settled.account, settled.party, reference=settled.reference)
    if settled.account != LENDING_REWARD:
        return booked
    try:
        rewards = position.lending_rewards(transaction, context.policy, settled.reference or "", settled.party)
        return booked - sum((each["compensation"] + each["reward"] for each in rewards), money.ZERO)
    except UsageError:
        # The reference is no year: nothing is owed for it.
        return money.ZERO


def _on_village_fund(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter what is paid into a village's fund, or out of it."""
    region, party = record["region"], record["party"]
    amount = record["amount"] if record["movement"] == "deposit" else -record["amount"]
    with taking(record, message, transaction, persons.ENTER, books.hold) as taken:
        check_bank(transaction, taken, record["institution"])
        check_village(taken)
        entries.enter(
            transaction,
            taken,
            "village_fund",
            [Posting(VILLAGE_FUND, region, amount), Posting(VILLAGE_CONTRIBUTION, party, -amount)],
            entry_no=record["movement_no"],
            effective=record["effective_date"],
            institution=record["institution"],
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


def check_village(taken: Taken) -> None:
    """Note HL1110 where a region that is named is no village."""
    region = taken.record["region"]
    if region is not None and len(region) != _VILLAGE_DIGITS:
        taken.refuse("HL1110", region=region)


RECORDS: Final[Mapping[str, RecordHandler]] = {
    "fund_deposit": _on_movement,
    "fund_withdrawal": _on_movement,
    "fund_term_deposit": _on_term_deposit,
    "fund_term_deposit_end": _on_term_deposit_end,
    "fund_receipt": _on_settlement,
    "fund_payment": _on_settlement,
    "village_fund_movement": _on_village_fund,
}
"""What takes each record of the fund's money."""
