"""How cases come and go on: one by one as sealed records, or many in a list; one engine takes both."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from huilian.core.clock import CHINA
from huilian.core.errors import refused_for
from huilian.county.members import directory, persons
from huilian.county.procedure.acts import Acts, Taken
from huilian.county.submissions import entries
from huilian.county.submissions.kinds import Counts, Kind, Part, Refusal
from huilian.wire.names import PLATFORM
from schemas.compensations import CompensationClaimRow, RecoveryRow
from schemas.submission_kinds import COMPENSATION_CLAIMS, RECOVERIES
from services.risk_fund.compensation import facts, payments, steps
from services.risk_fund.compensation.book import OWN, Act, Book
from services.risk_fund.compensation.entry import ask
from services.risk_fund.compensation.reckoning import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from huilian.county.context import Context
    from huilian.county.messages.records import RecordHandler
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

    Engine = Callable[[Book, Taken], bool]

__all__ = ["KINDS", "RECORDS", "on_claims_changed"]


_DIGITS: Final = 6
"""Of the digest of a list's name, in the numbers of its claims."""


def _handler(engine: Engine, right: str | None) -> RecordHandler:
    """Return what takes one record; `right` is what its person takes, None where it names nobody."""

    def handle(
        record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
    ) -> Iterator[Draft]:
        book = Book(transaction, context)
        member = directory.find(transaction, message.source)
        sealed_on = message.time.astimezone(CHINA).date()
        if right is None:
            taken = Taken(dict(record), member, message.id, sealed_on)
        else:
            taken = Acts(transaction, member, sealed_on, right).taken(record, message.id)
        engine(book, taken)
        if taken.refusals:
            raise refused_for(taken.refusals)
        yield from book.write()

    return handle


RECORDS: Final[Mapping[str, RecordHandler]] = {
    "compensation_claim": _handler(ask, persons.ENTER),
    "compensation_step": _handler(steps.decide, persons.APPROVE),
    "compensation_payment": _handler(payments.pay, persons.ENTER),
    "recovery": _handler(payments.recover, None),
    "recovery_return": _handler(payments.return_recovery, persons.ENTER),
    "collection": _handler(payments.collect, persons.ENTER),
    "write_off": _handler(payments.write_off, persons.ENTER),
}
"""What takes each record that travels alone."""


def _apply_list(
    transaction: Transaction,
    submission: Submission,
    records: Records,
    context: Context,
    *,
    engine: Engine,
    complete: Callable[[Submission, dict[str, Any]], dict[str, Any]],
) -> Generator[Draft, None, Counts]:
    """Take a list line by line; a line that cannot be taken is answered by itself."""
    book, member = Book(transaction, context), directory.find(transaction, submission.member)
    sealed_on = submission.stated_at.astimezone(CHINA).date()
    messages = {batch.sequence: batch.message for batch in entries.batches(transaction, submission.number)}
    changed, refused_records = 0, 0
    refused: list[Refusal] = []
    for frame in records.frames(submission.kind):
        for row in frame.rows(named=True):
            record, message = complete(submission, row), messages[row["sequence"]]
            # A station's line names who entered it, a bank's nobody.
            acts = Acts(transaction, member, sealed_on, persons.ENTER) if record.get("person") else None
            taken = acts.taken(record, message) if acts else Taken(record, member, message, sealed_on)
            changed += engine(book, taken)
            if taken.refusals:
                refused_records += 1
                refused += Refusal.of(refused_for(taken.refusals), submission.kind, row["line"], row["loan_no"])
    yield from book.write()
    return Counts(changed, submission.accepted - changed - refused_records, 0, refused)


def _as_claim(submission: Submission, row: dict[str, Any]) -> dict[str, Any]:
    """Return a line of a list as the claim that it is: what the line does not say, the list says."""
    digest = hashlib.sha256(submission.name.encode()).hexdigest()[:_DIGITS]
    number = f"{submission.member}-{submission.as_of:%Y%m%d}-{digest}-{row['line']}"
    return row | {
        "claim_no": row["claim_no"] or number,
        "date": row["date"] or submission.as_of,
        "filed_by": row["filed_by"] or "bank",
        # A bank's list has no signature of the borrower's: what she signs is her own application.
        "signed": row["signed"] or "yes",
    }


def _apply_claims(
    transaction: Transaction, submission: Submission, records: Records, context: Context
) -> Generator[Draft, None, Counts]:
    return _apply_list(transaction, submission, records, context, engine=ask, complete=_as_claim)


def _apply_recoveries(
    transaction: Transaction, submission: Submission, records: Records, context: Context
) -> Generator[Draft, None, Counts]:
    return _apply_list(transaction, submission, records, context, engine=payments.recover, complete=lambda _, row: row)


KINDS: Final = tuple(
    Kind(
        declared=declared,
        parts={declared.name: Part(row, declared.records[declared.name])},
        apply=apply,
        standing=lambda _transaction, submission: submission.accepted,
        amount="principal",
    )
    for declared, row, apply in (
        (COMPENSATION_CLAIMS, CompensationClaimRow, _apply_claims),
        (RECOVERIES, RecoveryRow, _apply_recoveries),
    )
)


def on_claims_changed(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
    """Keep what insurers say; let follow what they paid on losses that were decided."""
    book = Book(transaction, context)
    newest = facts.CLAIMS.newest(message)
    facts.CLAIMS.count(transaction, newest)
    if message.source == PLATFORM:
        # Told anew: what follows from it was told when it happened.
        return
    rows = transaction.rows(
        f"SELECT DISTINCT loan_no FROM ({facts.INSURED}) i WHERE (insurer, claim_no) IN"
        " (SELECT * FROM unnest(%s::text[], %s::text[])) AND loan_no IN"
        " (SELECT loan_no FROM risk_fund.compensation_case)",
        [newest["insurer"].to_list(), newest["claim_no"].to_list()],
    )
    if rows:
        for case in book.find("loan_no = ANY(%(loans)s)", loans=[row["loan_no"] for row in rows]):
            follow(book, case, Act("recover", context.clock.today(), OWN, message=message.id))
    yield from book.write()
