"""The fund's books: double entry, only ever appended to, with two dates on each posting.

A transaction has postings of several accounts and parties, debits above nought and credits below, which add up to
nought: the database refuses any other. `effective` is the day from which it counts, `entered` the day on which it was
booked. What was booked by mistake is reversed, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.core import money

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from decimal import Decimal

    from huilian.database.connection import Transaction

__all__ = [
    "COMPENSATION", "CONTRIBUTION", "DEPOSIT", "DISPERSAL", "HELD", "INSURANCE_LOSS", "INSURANCE_PROFIT", "INTEREST",
    "LENDING_REWARD", "RECOVERED", "RECOVERY_DUE", "SECOND_TIER_DUE", "TERM_DEPOSIT", "VILLAGE_CONTRIBUTION",
    "VILLAGE_FUND", "WRITTEN_OFF", "Posting", "balance", "book", "hold", "lowest", "reverse", "summed",
]  # fmt: skip

DEPOSIT: Final = "deposit"
"""What lies at a bank, payable on demand; the party is the bank."""
TERM_DEPOSIT: Final = "term_deposit"
"""What lies at a bank for a term; the party is the bank, the reference the term deposit."""
VILLAGE_FUND: Final = "village_fund"
"""What lies in a village's mutual guarantee fund; the party is the village."""
CONTRIBUTION: Final = "contribution"
"""What was paid in; the party is who paid it."""
VILLAGE_CONTRIBUTION: Final = "village_contribution"
"""What was paid into villages' funds; the party is who paid it."""
INTEREST: Final = "interest"
"""What deposits earned; the party is the bank."""
COMPENSATION: Final = "compensation"
"""What the fund paid for losses, until it is written off; the party is the bank whose loss it was."""
RECOVERED: Final = "recovered"
"""What of it was recovered; the party is the bank that recovered it."""
RECOVERY_DUE: Final = "recovery_due"
"""What was recovered and not yet handed back; the party is who owes it."""
WRITTEN_OFF: Final = "written_off"
"""What cannot be recovered; the party is the bank whose loss it was."""
SECOND_TIER_DUE: Final = "second_tier_due"
"""What others owe of it; the party is who owes it."""
DISPERSAL: Final = "dispersal"
"""What an insurer owes of its profit; below nought what the fund owes of its loss. The party is the insurer."""
INSURANCE_LOSS: Final = "insurance_loss"
"""The fund's part of insurers' losses; the party is the insurer."""
INSURANCE_PROFIT: Final = "insurance_profit"
"""The fund's part of insurers' profits; the party is the insurer."""
LENDING_REWARD: Final = "lending_reward"
"""What the fund paid banks for what they lent; the party is the bank, the reference the year."""
HELD: Final = frozenset({DEPOSIT, TERM_DEPOSIT, VILLAGE_FUND})
"""The accounts of money that lies somewhere: no more leaves than is there."""

_PUT: Final = """
    INSERT INTO risk_fund.posting
        (transaction, account, party, amount, effective, entered, message, reason, reverses, reference)
"""


@dataclass(frozen=True)
class Posting:
    """One line of a transaction.

    Args:
        account: of the books.
        party: whose part of the account.
        amount: above nought a debit, below a credit.
        reference: the loan, case or term deposit that it is about, if any.
    """

    account: str
    party: str
    amount: Decimal
    reference: str | None = None


def summed(postings: Iterable[Posting]) -> list[Posting]:
    """Return postings with those of one account, party and reference as one; those that come to nought are left out."""
    sums: dict[tuple[str, str, str | None], Decimal] = {}
    for each in postings:
        key = each.account, each.party, each.reference
        sums[key] = sums.get(key, money.ZERO) + each.amount
    return [
        Posting(account, party, amount, reference) for (account, party, reference), amount in sums.items() if amount
    ]


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
    said = (effective, entered, message, reason)
    transaction.many(
        f"{_PUT} VALUES (%s, %s, %s, %s, %s, %s, %s, %s, NULL, %s)",
        [(number, each.account, each.party, each.amount, *said, each.reference) for each in summed(postings)],
    )
    return number


def reverse(transaction: Transaction, booked: int, *, entered: dt.date, message: str, reason: str) -> int:
    """Take a transaction back as of the day from which it counted; return the number of the one that does so."""
    number = _new_number(transaction)
    transaction.execute(
        f"{_PUT} SELECT %(number)s, account, party, -amount, effective, %(entered)s, %(message)s, %(reason)s,"
        " transaction, reference FROM risk_fund.posting WHERE transaction = %(booked)s ORDER BY number",
        {"number": number, "entered": entered, "message": message, "reason": reason, "booked": booked},
    )
    return number


def _new_number(transaction: Transaction) -> int:
    return int(transaction.value("SELECT nextval('risk_fund.posting_transaction')"))


def lowest(
    transaction: Transaction, account: str, party: str, since: dt.date, *, reference: str | None = None
) -> Decimal:
    """Return the least that an account of a party has on any day from one on, by all that is booked now.

    Args:
        transaction: of the database.
        account: of the books.
        party: whose.
        since: the first day.
        reference: only what is about it.
    """
    mine = "account = %(account)s AND party = %(party)s AND (%(reference)s::text IS NULL OR reference = %(reference)s)"
    least: Decimal = transaction.value(
        f"""
        SELECT min((SELECT coalesce(sum(amount), 0.00) FROM risk_fund.posting WHERE {mine} AND effective <= day.day))
        FROM (SELECT %(since)s::date AS day UNION
              SELECT effective FROM risk_fund.posting WHERE {mine} AND effective > %(since)s) day
        """,
        {"account": account, "party": party, "since": since, "reference": reference},
    )
    return least


def balance(transaction: Transaction, account: str, party: str, *, reference: str | None = None) -> Decimal:
    """Return what an account of a party has by all that is booked now, of one reference or of all."""
    found: Decimal = transaction.value(
        "SELECT coalesce(sum(amount), 0.00) FROM risk_fund.posting WHERE account = %(account)s AND party = %(party)s"
        " AND (%(reference)s::text IS NULL OR reference = %(reference)s)",
        {"account": account, "party": party, "reference": reference},
    )
    return found
