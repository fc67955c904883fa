"""Covers: an insurer's policy for the loan of an application is there, and who is insured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from huilian.county.changes import Fold
from services.registry.applications.book import Act, Book
from services.registry.applications.states import COVER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message
    from services.registry.applications.book import Application

__all__ = ["POLICIES", "follow_policies", "on_policies_changed"]

POLICIES: Final = Fold(
    "registry.insurance_change",
    key=("insurer", "policy_no"),
    state=("loan_no", "household_no", "start_date", "end_date"),
)
"""What stands of them is in the view `registry.insured`."""
_OF_LOANS: Final = """
    SELECT a.application_no, p.insurer, p.policy_no, p.start_date, p.message
    FROM registry.application a JOIN registry.insured p
      ON p.loan_no = a.loan_no AND (a.borrower = 'enterprise' OR p.household_no = a.borrower_no)
    WHERE a.application_no = ANY(%(numbers)s) ORDER BY a.application_no, p.start_date, p.insurer, p.policy_no
"""


def on_policies_changed(message: Message, transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Note who is insured, and let the applications go on whose loan has its cover now."""
    POLICIES.take(transaction, message)
    transaction.execute("UPDATE registry.insurance_change SET message = %s WHERE message IS NULL", [message.id])
    changes = [json.loads(line) for line in message.body().splitlines()]
    loans = sorted({change["after"]["loan_no"] for change in changes if change["after"] is not None} - {None})
    if not loans:
        return
    book = Book(transaction, context)
    statement = "SELECT application_no FROM registry.application WHERE state = 'lent' AND loan_no = ANY(%s) ORDER BY 1"
    numbers = [row["application_no"] for row in transaction.rows(statement, [loans])]
    book.read(numbers)
    found = [each for number in numbers if (each := book.get(number)) is not None]
    follow_policies(book, found)
    yield from book.write()


def follow_policies(book: Book, applications: Collection[Application]) -> None:
    """Let applications go on whose loan is lent and covered: each policy for the loan is one cover of those due.

    Args:
        book: holds what becomes of them.
        applications: with their loan as it is written.
    """
    numbers = [each.application_no for each in applications if each.state == "lent"]
    facts: dict[str, Any] = {"numbers": numbers}
    for row in book.transaction.rows(_OF_LOANS, facts) if numbers else ():
        application = book.get(row["application_no"])
        assert application is not None  # noqa: S101  # narrows the type: it was found
        path = book.path_or_bare(application)
        place = path.place(application.stage)
        if application.state != "lent" or place is None or path.stages[place].takes != COVER:
            continue
        # Of a policy that was seen before nothing follows once more.
        if any(act.document == row["policy_no"] for act in book.acts(application.application_no)):
            continue
        move, stage = path.after_loan(place, "cover")
        day = max(application.stage_since, row["start_date"])
        said = {"step": application.stage, "document": row["policy_no"]}
        book.move(
            application, Act(application.application_no, move, day, row["insurer"], None, row["message"], **said), stage
        )
