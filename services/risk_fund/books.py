"""The fund's books: double entry, only ever appended to, with two dates on each posting.

A transaction has postings of several accounts and parties, debits above nought and credits below, which add up to
nought: the database refuses any other. `effective` is the day from which it counts, `entered` the day on which it was
booked. What was booked by mistake is reversed, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from decimal import Decimal

    from huilian.database.connection import Transaction

__all__ = ["CONTRIBUTION", "DEPOSIT", "Posting", "book", "hold", "lowest_deposit", "reverse"]

DEPOSIT: Final = "deposit"
"""What lies at a bank; the party is the bank."""
CONTRIBUTION: Final = "contribution"
"""What was paid in; the party is who paid it."""

_PUT: Final = """
    INSERT INTO risk_fund.posting (transaction, account, party, amount, effective, entered, message, reason, reverses)
"""


@dataclass(frozen=True)
class Posting:
    """One line of a transaction.

    Args:
        account: of the books.
        party: whose part of the account.
        amount: above nought a debit, below a credit.
    """

    account: str
    party: str
    amount: Decimal


def hold(transaction: Transaction) -> None:
    """Let nobody else move the fund's money or reserve it until the transaction ends."""
    transaction.lock("risk_fund")


def book(
    transaction: Transaction,
    postings: Iterable[Posting],
    *,
    effective: dt.date,
    entered: dt.date,
    message: str,
    reason: str,
) -> int:
    """Book postings that add up to nought as one transaction; return its number.

    Args:
        transaction: of the database.
        postings: debits and credits.
        effective: the day from which they count.
        entered: the day of the booking.
        message: that causes it.
        reason: what it is.
    """
    number = _new_number(transaction)
    transaction.many(
        f"{_PUT} VALUES (%s, %s, %s, %s, %s, %s, %s, %s, NULL)",
        [(number, each.account, each.party, each.amount, effective, entered, message, reason) for each in postings],
    )
    return number


def reverse(transaction: Transaction, booked: int, *, entered: dt.date, message: str, reason: str) -> int:
    """Take a transaction back as of the day from which it counted; return the number of the one that does so."""
    number = _new_number(transaction)
    transaction.execute(
        f"{_PUT} SELECT %(number)s, account, party, -amount, effective, %(entered)s, %(message)s, %(reason)s,"
        " transaction FROM risk_fund.posting WHERE transaction = %(booked)s ORDER BY number",
        {"number": number, "entered": entered, "message": message, "reason": reason, "booked": booked},
    )
    return number


def _new_number(transaction: Transaction) -> int:
    return int(transaction.value("SELECT nextval('risk_fund.posting_transaction')"))


def lowest_deposit(transaction: Transaction, institution: str, since: dt.date) -> Decimal:
    """Return the least that lies at a bank on any day from one on, by all that is booked now."""
    lowest: Decimal = transaction.value(
        """
        SELECT min((SELECT coalesce(sum(p.amount), 0.00) FROM risk_fund.posting p
                    WHERE p.account = 'deposit' AND p.party = %(institution)s AND p.effective <= day.day))
        FROM (SELECT %(since)s::date AS day UNION
              SELECT effective FROM risk_fund.posting
              WHERE account = 'deposit' AND party = %(institution)s AND effective > %(since)s) day
        """,
        {"institution": institution, "since": since},
    )
    return lowest
