"""How applications and their steps come: one by one as sealed records, or many in a list; one engine takes both."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from huilian.core.clock import CHINA
from huilian.core.errors import refused_for
from huilian.county.members import directory, persons
from huilian.county.procedure.acts import Acts, enter, taking
from huilian.county.submissions import entries
from huilian.county.submissions.kinds import Counts, Kind, Part, Refusal
from schemas.applications import ApplicationRow, ApplicationStepRow
from schemas.parties import ConsentRow
from schemas.submission_kinds import APPLICATIONS
from services.registry.applications import book as books
from services.registry.applications import steps
from services.registry.applications.book import PIECE, Book
from services.registry.applications.confirmation import settle
from services.registry.applications.entry import submit
from services.registry.applications.facts import Facts
from services.registry.parties import consents

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from huilian.county.context import Context
    from huilian.county.messages.records import RecordHandler
    from huilian.county.procedure.acts import Taken
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

    Engine = Callable[[Book, Facts, Sequence[Taken]], int]

__all__ = ["KIND", "RECORDS", "on_application", "on_start", "on_step", "on_withdrawal"]

_ROWS: Final = {"consents": ConsentRow, "applications": ApplicationRow, "application_steps": ApplicationStepRow}


def _take_one(
    record: Mapping[str, Any],
    message: Message,
    transaction: Transaction,
    context: Context,
    *,
    right: str,
    engine: Engine,
) -> Iterator[Draft]:
    book = Book(transaction, context)
    member = directory.find(transaction, message.source)
    taken = Acts(transaction, member, message.time.astimezone(CHINA).date(), right).taken(record, message.id)
    engine(book, Facts(transaction, context), [taken])
    if taken.refusals:
        raise refused_for(taken.refusals)
    yield from settle(book)


def on_application(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterator[Draft]:
    """Enter an application."""
    return _take_one(record, message, transaction, context, right=persons.ENTER, engine=submit)


def on_step(record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Take a step of an application."""
    return _take_one(record, message, transaction, context, right=persons.APPROVE, engine=steps.decide)


def on_withdrawal(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterator[Draft]:
    """Withdraw an application."""
    return _take_one(record, message, transaction, context, right=persons.ENTER, engine=_withdraw)


def _withdraw(book: Book, _facts: Facts, withdrawals: Sequence[Taken]) -> int:
    return steps.withdraw(book, withdrawals)


def on_start(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Note from when on loans of a region need a confirmation; that is said once."""
    with taking(record, message, transaction, persons.APPROVE, books.hold) as taken:
        enter(transaction, "registry.application_start", ("region",), ("from_date",), taken)
    return ()


RECORDS: Final[Mapping[str, RecordHandler]] = MappingProxyType(
    {
        "application": on_application,
        "application_step": on_step,
        "application_withdrawal": on_withdrawal,
        "application_start": on_start,
    }
)
"""What takes each record that travels alone."""


def apply(
    transaction: Transaction, submission: Submission, records: Records, context: Context
) -> Generator[Draft, None, Counts]:
    """Take a list: consents, then applications, then steps. A line that cannot be taken is answered by itself."""
    member = directory.find(transaction, submission.member)
    sealed_on = submission.stated_at.astimezone(CHINA).date()
    messages = {batch.sequence: batch.message for batch in entries.batches(transaction, submission.number)}
    book, changed, refused_records = Book(transaction, context), 0, 0
    refused: list[Refusal] = []
    for message_type, right, engine in (
        ("consents", persons.ENTER, _consent),
        ("applications", persons.ENTER, submit),
        ("application_steps", persons.APPROVE, steps.decide),
    ):
        acts = Acts(transaction, member, sealed_on, right)
        for rows in _pieces(records, message_type):
            taken = [acts.taken(row, messages[row["sequence"]]) for row in rows]
            # What is known of borrowers was read for this piece: of a long list no more is in memory.
            changed += engine(book, Facts(transaction, context), taken)
            for each in taken:
                if each.refusals:
                    refused_records += 1
                    error, [number, *_] = refused_for(each.refusals), APPLICATIONS.records[message_type].key
                    refused += Refusal.of(error, message_type, each.record["line"], each.record[number])
            yield from settle(book)
            book.forget()
    return Counts(changed, submission.accepted - changed - refused_records, 0, refused)


def _consent(book: Book, _facts: Facts, taken: Sequence[Taken]) -> int:
    return consents.enter(book.transaction, taken)


def _pieces(records: Records, message_type: str) -> Iterator[list[dict[str, Any]]]:
    for frame in records.frames(message_type):
        for start in range(0, frame.height, PIECE):
            yield frame.slice(start, PIECE).rows(named=True)


KIND: Final = Kind(
    declared=APPLICATIONS,
    parts={name: Part(row, APPLICATIONS.records[name]) for name, row in _ROWS.items()},
    apply=apply,
    standing=lambda _transaction, submission: submission.accepted,
)
