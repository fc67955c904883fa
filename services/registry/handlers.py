"""What the registry does on each message: gather a submission's parts, then apply it whole.

Parts come in any order, late and repeatedly; the manifest says which bytes belong. Until
the last of them is in, nobody sees any of it; then all of it is applied in the
transaction of the message that completed it, and the receipt and the changes leave
with that same commit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from huilian import messages
from huilian.basis import ASKS_FOR_THE_WHOLE, has_base
from huilian.envelope import Draft
from huilian.error_texts import LACKS_TOO_MUCH
from huilian.errors import FileRefused, MessageRefused
from services.registry import (
    answering,
    elements,
    guarantees,
    insurance,
    loans,
    manifests,
    numbers,
    queries,
    relative,
    repayments,
    roster,
    shortfall,
    staging,
    statements,
)
from services.registry.domain import KINDS, Counts, is_named_by, kinds_with, receipt

if TYPE_CHECKING:
    from huilian.county.context import Context
    from huilian.database import Transaction
    from huilian.envelope import Message

__all__ = ["on_element", "on_manifest", "on_part"]

Submission = dict[str, Any]
Applying = Generator[Draft, None, Counts]
"""What has to be told of an application, one by one, and in the end its counts."""
Apply = Callable[["Transaction", Submission, Mapping[str, str], int], Applying]
"""Applies staging tables by type of record."""

APPLY_MEMORY: Final = "256MB"
"""What PostgreSQL may use for one sort or join of a ledger: one application runs at a time, and a
million loans joined without spilling to disk take half as long."""


def _silent(apply: Callable[[Transaction, Submission, Mapping[str, str], int], Counts]) -> Apply:
    """Return what applies as `apply` does, and has nothing to tell."""

    def applying(
        transaction: Transaction, submission: Submission, tables: Mapping[str, str], application: int
    ) -> Applying:
        yield from ()
        return apply(transaction, submission, tables, application)

    return applying


def _with_one_table(apply: Callable[[Transaction, Submission, str, int], Counts]) -> Apply:
    def with_it(
        transaction: Transaction, submission: Submission, tables: Mapping[str, str], application: int
    ) -> Counts:
        [table] = tables.values()
        return apply(transaction, submission, table, application)

    return _silent(with_it)


_APPLY: Final[dict[str, Apply]] = {
    "roster": _with_one_table(roster.apply),
    "loan_ledger": loans.apply,
    "repayment_journal": _with_one_table(repayments.apply),
    "guarantee_book": _silent(guarantees.apply),
    "insurance_package": _silent(insurance.apply),
}


def on_manifest(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
    """Enter a submission, or answer one that was applied before with its receipt."""
    manifest = manifests.load(message, context)
    kind = KINDS[manifest["kind"]]
    manifests.check_kind(transaction, manifest)
    transaction.lock(f"registry.submission.{manifest['submission']}")
    known = _find(transaction, manifest["submission"])
    if known:
        manifests.hold_to_first(known, manifest, message)
        if known["status"] != "receiving":
            queries.check_intake(message, transaction)
            return [answering.draft(known["receipt"], manifest)]
        if known["manifest"]["parts"] != manifest["parts"]:
            # Translated anew, say by a newer adapter, before it was complete: the newest manifest counts.
            staging.discard(transaction, known["number"], kind)
    relative.hold_to_base(transaction, manifest)
    row = _enter(transaction, manifest, message, context)
    return _apply_when_complete(transaction, row, context)


def on_element(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
    """Apply one policy, claim or result that was posted by itself, in the insurer's own format."""
    piece = context.translate(transaction, message)
    message_type, record = str(piece.type), piece.accepted
    staging.hold_to_contract(record, KINDS[elements.KIND].parts[message_type].record, context.county)
    manifest = elements.manifest(message, message_type, record)
    transaction.lock(f"registry.submission.{manifest['submission']}")
    known = _find(transaction, manifest["submission"])
    if known and known["receipt"]:
        # The same element, sealed anew: nothing new, unless another has said otherwise in between.
        transaction.lock("registry.apply")
        if statements.state_again(transaction, known, message_type, message.time):
            return [answering.draft(known["receipt"], manifest)]
    row = _enter(transaction, manifest, message, context)
    staging.load(transaction, staging.table_name(row["number"], message_type), 0, record)
    _note_part(transaction, message, submission=row["submission"], sequence=0, message_type=message_type, records=1)
    return _apply_when_complete(transaction, row, context)


def _enter(transaction: Transaction, manifest: dict[str, Any], message: Message, context: Context) -> Submission:
    """Enter what a submission holds, and make room for it; return its row."""
    row = transaction.row(
        "INSERT INTO registry.submission"
        " (submission, member, kind, as_of, manifest, manifest_message, status, received_at)"
        " VALUES (%s, %s, %s, %s, %s::jsonb, %s, 'receiving', %s)"
        " ON CONFLICT (submission) DO UPDATE"
        " SET manifest = excluded.manifest, manifest_message = excluded.manifest_message RETURNING *",
        [
            manifest["submission"],
            message.source,
            manifest["kind"],
            manifest["as_of"],
            json.dumps(manifest, ensure_ascii=False),
            message.id,
            context.clock.now(),
        ],
    )
    assert row is not None  # noqa: S101  # narrows the type: RETURNING gives the row
    staging.prepare(transaction, row["number"], KINDS[manifest["kind"]])
    return row


def _note_part(
    transaction: Transaction, message: Message, *, submission: str, sequence: int, message_type: str, records: int
) -> None:
    """Note that a part is here; at once with what it is a part of, or before it, or again."""
    transaction.execute(
        "INSERT INTO registry.submission_part (submission, sequence, sha256, type, records, message)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [submission, sequence, message.payload_sha256, message_type, records, message.id],
    )


def on_part(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
    """Check and stage one batch; apply the submission when it was the last."""
    submission, sequence = message.submission, message.sequence
    if submission is None or sequence is None:
        raise MessageRefused("HL1009", what="submission, sequence")
    known = _find(transaction, submission)
    if not is_named_by(submission, message.source) or (known and known["member"] != message.source):
        raise MessageRefused("HL1004", member=message.source, type=message.type)
    contract = context.catalogue.contract(message.type, message.dataschema)
    frame = staging.read(message, contract, context.county)
    if known and known["status"] != "receiving":
        return []
    number = _awaited(transaction, message)
    if number is not None:
        staging.hold(transaction, number)
        # By now another may have brought it, or the submission been applied or translated anew.
        if _awaited(transaction, message) is not None:
            staging.load(transaction, staging.table_name(number, message.type), sequence, frame)
    records = frame.height
    del frame
    transaction.lock(f"registry.submission.{submission}")
    _note_part(
        transaction, message, submission=submission, sequence=sequence, message_type=message.type, records=records
    )
    known = _find(transaction, submission)
    return _apply_when_complete(transaction, known, context) if known and known["status"] == "receiving" else []


def _find(transaction: Transaction, submission: str) -> Submission | None:
    return transaction.row("SELECT * FROM registry.submission WHERE submission = %s", [submission])


def _awaited(transaction: Transaction, message: Message) -> int | None:
    """Return the number of the submission whose manifest names this batch and that does not have it yet."""
    number = transaction.value(
        "SELECT s.number FROM registry.submission s WHERE s.submission = %(submission)s AND s.status = 'receiving'"
        " AND s.kind = ANY(%(kinds)s) AND s.manifest #>> ARRAY['parts', %(sequence)s::text, 'type'] = %(type)s"
        " AND s.manifest #>> ARRAY['parts', %(sequence)s::text, 'sha256'] = %(sha256)s"
        " AND NOT EXISTS (SELECT FROM registry.submission_part p WHERE p.submission = s.submission"
        " AND p.sequence = %(sequence)s AND p.sha256 = %(sha256)s)",
        {
            "submission": message.submission,
            "kinds": kinds_with(message.type),
            "type": message.type,
            "sequence": message.sequence,
            "sha256": message.payload_sha256,
        },
    )
    return None if number is None else int(number)


def _apply_when_complete(transaction: Transaction, row: Submission, context: Context) -> Iterable[Draft]:
    manifest = row["manifest"]
    parts = transaction.rows(
        "SELECT p.sequence, p.type, p.records, p.message, %s AS source"
        " FROM jsonb_to_recordset(%s::jsonb -> 'parts') AS m(sequence integer, type text, records integer, sha256 text)"
        " JOIN registry.submission_part p ON p.submission = %s AND p.sequence = m.sequence"
        "  AND p.sha256 = m.sha256 AND p.type = m.type ORDER BY p.sequence",
        [row["member"], json.dumps(manifest), row["submission"]],
    )
    if len(parts) < len(manifest["parts"]):
        return []
    return _apply(transaction, row, parts, context)


def _apply(transaction: Transaction, row: Submission, parts: list[dict[str, Any]], context: Context) -> Iterator[Draft]:
    manifest, kind = row["manifest"], KINDS[row["kind"]]
    # One application at a time: the feed's cursor is the order in which they became visible.
    transaction.lock("registry.apply")
    transaction.execute(f"SET LOCAL work_mem = '{APPLY_MEMORY}'")
    application = int(transaction.value("SELECT coalesce(max(application), 0) + 1 FROM registry.submission"))
    tables = staging.complete(transaction, row["number"], kind, parts)
    counts: Counts | None = None
    refusal: FileRefused | None = None
    try:
        with transaction.savepoint():
            relative.hold_to_base(transaction, manifest)
            staging.check(transaction, tables, manifest, kind)
            shortfall.check(transaction, row, tables, context.missing_at_most_percent)
            counts = yield from _APPLY[row["kind"]](transaction, row, tables, application)
    except FileRefused as error:
        if has_base(manifest) and error.code != LACKS_TOO_MUCH:
            raise relative.refusal(manifest) from error
        refusal = error
    answer = receipt(manifest, counts, refusal)
    now = context.clock.now()
    transaction.execute(
        "UPDATE registry.submission"
        " SET status = %s, applied_at = %s, application = %s, receipt = %s::jsonb WHERE number = %s",
        [answer["status"], now, application, json.dumps(answer, ensure_ascii=False), row["number"]],
    )
    yield answering.draft(answer, manifest)
    if counts:
        yield from numbers.notices(transaction, row, application, context.clock.today())
    staging.drop(transaction, row["number"], kind)
    messages.put_right(transaction, row["submission"], row["member"], ASKS_FOR_THE_WHOLE, now=now)
    answering.note(transaction, row, answer, now)
