"""What becomes of a submission: its parts are gathered, then it is applied whole and answered.

Parts come in any order, late and repeatedly; the manifest says which bytes belong. Until
the last of them is in, nobody sees any of it; then all of it is applied in the
transaction of the message that completed it, and the receipt and the changes leave
with that same commit. The service that owns the kind takes the messages; where several
services own kinds, each leaves what is another's alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from huilian.core.error_texts import LACKS_TOO_MUCH, SUPERSEDED
from huilian.core.errors import FileRefused, MessageRefused
from huilian.county.messages import dead_letters, store
from huilian.county.submissions import checks, entries, manifests, numbering, receipts, refusals, staging
from huilian.county.submissions.manifests import REJECTIONS
from huilian.county.submissions.staging import SingleRecord, Staging
from huilian.wire.manifests import ASKS_FOR_THE_WHOLE
from huilian.wire.names import SubmissionName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import polars as pl

    from huilian.county.context import Context, Handler
    from huilian.county.submissions.kinds import Counts, Kind, Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["MANIFEST", "Intake"]

MANIFEST: Final = "submission_manifest"
REFUSED_FILE: Final = "refused_file"
RECEIVING: Final = "receiving"
APPLY_MEMORY: Final = "256MB"
"""What PostgreSQL may use for one sort or join of a ledger: one application runs at a time, and a
million loans joined without spilling to disk take half as long."""


class Intake:
    """Takes the submissions of one service's kinds in.

    Args:
        service: its name.
        schema: its database schema, where batches are staged.
        kinds: that it owns.
    """

    def __init__(self, service: str, schema: str, kinds: Sequence[Kind]) -> None:
        self._service = service
        self._schema = schema
        self._kinds = {kind.name: kind for kind in kinds}
        self._by_type = {message_type: kind for kind in kinds for message_type in kind.parts}
        self._by_single = {kind.single.type: kind for kind in kinds if kind.single and kind.single.type}

    def handlers(self) -> dict[str, Handler]:
        """Return what is done on each type of message."""
        if not self._kinds:
            return {}
        return {
            MANIFEST: self.on_manifest,
            **dict.fromkeys(self._by_type, self.on_part),
            REJECTIONS: self.on_part,
            **dict.fromkeys(self._by_single, self.on_single),
            REFUSED_FILE: self.on_refused_file,
        }

    def check_stands(self, message: Message, transaction: Transaction) -> None:
        """Let a manifest pass whose submission is new, under way, or still stands; see `Service.intake_checks`.

        Raises:
            MessageRefused: HL1030, it was accepted, and another has taken its place since.
        """
        name = message.submission or ""
        _, kind = SubmissionName.owner(name) or ("", "")
        later = receipts.superseded_by(transaction, name, kinds=self._kinds) if kind in self._kinds else None
        if later is not None:
            raise MessageRefused(SUPERSEDED, submission=name, later=later)

    def on_manifest(self, message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
        """Enter a submission, or answer one that was applied before with its receipt."""
        if self._hands_on(manifests.kind_named(message), message, transaction, context):
            return []
        manifest = manifests.load(message, context, self._kinds)
        kind = self._kinds[manifest["kind"]]
        manifests.check_sender(transaction, manifest, kind)
        transaction.lock(_lock(manifest["submission"]))
        known = entries.find(transaction, manifest["submission"])
        if known:
            manifests.hold_to_first(known, manifest, message)
            if known.receipt is not None:
                self.check_stands(message, transaction)
                return [receipts.draft(known.receipt, manifest)]
            if known.manifest["parts"] != manifest["parts"]:
                # Translated anew, say by a newer adapter, before it was complete: the newest manifest counts.
                Staging(transaction, self._schema, known.number, kind).discard()
        manifests.hold_to_base(transaction, manifest)
        submission = entries.enter(transaction, manifest, message, now=context.clock.now())
        Staging(transaction, self._schema, submission.number, kind).prepare()
        return self._apply_when_complete(transaction, submission, kind, context)

    def on_part(self, message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
        """Check and stage one batch; apply the submission when it was the last."""
        name, sequence = message.submission, message.sequence
        if name is None and sequence is None and message.type in self._by_type:
            return self._on_record(message, transaction, context)
        if name is None or sequence is None:
            raise MessageRefused("HL1009", what="submission, sequence")
        member, kind_name = SubmissionName.owner(name) or ("", "")
        if message.type == REJECTIONS and self._hands_on(kind_name, message, transaction, context):
            return []
        if message.type == REJECTIONS and kind_name not in self._kinds:
            raise MessageRefused("HL1037", kind=kind_name)
        kind = self._kinds.get(kind_name)
        known = entries.find(transaction, name)
        is_its_own = member == message.source and (known is None or known.member == member)
        if kind is None or not is_its_own or message.type not in (REJECTIONS, *kind.parts):
            raise MessageRefused("HL1004", member=message.source, type=message.type)
        contract = context.catalogue.contract(message.type, message.dataschema)
        frame = staging.read(message, contract.schema, context.county)
        if known and known.status != RECEIVING:
            return []
        if known and message.type in kind.parts and entries.awaits(transaction, known, message):
            table = Staging(transaction, self._schema, known.number, kind)
            # By now another may have brought it, or the submission been applied or translated anew.
            if table.hold(message.type) and entries.awaits(transaction, known, message):
                table.load(message.type, sequence, frame)
        records = frame.height
        del frame
        transaction.lock(_lock(name))
        entries.note_batch(transaction, message, name, sequence, of=message.type, records=records)
        known = entries.find(transaction, name)
        if known is None or known.status != RECEIVING:
            return []
        return self._apply_when_complete(transaction, known, kind, context)

    def on_single(self, message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
        """Apply one record that was posted by itself, in its sender's own format: nothing of it is staged."""
        kind = self._by_single[message.type]
        piece = context.translate(transaction, message)
        message_type, frame = str(piece.type), piece.accepted
        staging.hold_to_contract(frame, kind.parts[message_type].record, context.county)
        return self._apply_single(message, transaction, context, kind=kind, record=message_type, frame=frame)

    def _on_record(self, message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
        """Apply one record that travels alone, as its contract has it; see `on_single`."""
        kind = self._by_type[message.type]
        if kind.single is None:
            raise MessageRefused("HL1036", type=message.type)
        contract = context.catalogue.contract(message.type, message.dataschema)
        frame = staging.read(message, contract.schema, context.county)
        if frame.height != 1:
            raise MessageRefused("HL1009", what="submission, sequence")
        return self._apply_single(message, transaction, context, kind=kind, record=message.type, frame=frame)

    def _apply_single(
        self,
        message: Message,
        transaction: Transaction,
        context: Context,
        *,
        kind: Kind,
        record: str,
        frame: pl.DataFrame,
    ) -> Iterable[Draft]:
        """Apply the one record of type `record` in `frame`, as if a manifest had stated it."""
        assert kind.single is not None  # noqa: S101  # narrows the type: only such kinds come here
        manifest = manifests.of_single(message, kind, record, frame)
        transaction.lock(_lock(manifest["submission"]))
        known = entries.find(transaction, manifest["submission"])
        entries.hold_applications(transaction)
        # The same record, sealed anew: nothing new, unless another has said otherwise in between.
        if known and known.receipt and kind.single.state_again(transaction, known, record, message.time):
            return [receipts.draft(known.receipt, manifest)]
        submission = entries.enter(transaction, manifest, message, now=context.clock.now())
        entries.note_batch(transaction, message, submission.name, 0, of=record, records=1)
        records = SingleRecord(transaction, kind.parts, record, frame)
        return self._apply(transaction, submission, kind, records, context)

    def on_refused_file(self, message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
        """Enter a file that its sender refused as a whole, and answer with a receipt; told again, with the same one.

        The county knows by it that a file is there and is not in its figures. It changes no figure and no date:
        whoever sent nothing else has not reported.
        """
        if self._hands_on(manifests.kind_named(message), message, transaction, context):
            return []
        stated = manifests.load_refused_file(message, context, self._kinds)
        manifests.check_sender(transaction, stated, self._kinds[stated["kind"]])
        transaction.lock(_lock(stated["submission"]))
        known = entries.find(transaction, stated["submission"])
        if known:
            manifests.hold_to_first(known, stated, message)
            if known.receipt is None or "parts" in known.manifest:
                # A file that was sent bears that name; its receipt says nothing of this one.
                raise MessageRefused("HL1010", line=1, field="submission", what="HL2023")
            return [receipts.draft(known.receipt, stated)]
        # Whoever is told all receipts anew must miss none.
        entries.hold_applications(transaction)
        now = context.clock.now()
        submission = entries.enter(transaction, stated, message, now=now)
        answer = receipts.make(stated, None) | {"code": stated["code"], "message": stated["message"]}
        entries.answer(transaction, submission, answer, now=now)
        receipts.note(transaction, submission, answer, now)
        return [receipts.draft(answer, stated)]

    def _hands_on(self, kind: str | None, message: Message, transaction: Transaction, context: Context) -> bool:
        """Return whether another service takes what is of this kind; what is of none is refused by the first of all.

        The message is handed on to it by way of the outbox: when it was published, the other's queue may not have
        been there yet. Whoever has had it knows it again.
        """
        owner = context.owners.get(kind or "") or min(context.owners.values(), default=self._service)
        if owner == self._service:
            return False
        store.put(transaction, message, now=context.clock.now())
        return True

    def _apply_when_complete(
        self, transaction: Transaction, submission: Submission, kind: Kind, context: Context
    ) -> Iterable[Draft]:
        batches = entries.batches(transaction, submission.number)
        if len(batches) < len(submission.manifest["parts"]):
            return []
        # One at a time: the feed's cursor is the order in which they became visible.
        entries.hold_applications(transaction)
        manifests.hold_to_base(transaction, submission.manifest)
        transaction.execute(f"SET LOCAL work_mem = '{APPLY_MEMORY}'")
        table = Staging(transaction, self._schema, submission.number, kind)
        table.complete(batches, context.catalogue.latest(REJECTIONS).schema)
        return self._apply(transaction, submission, kind, table, context)

    def _apply(
        self,
        transaction: Transaction,
        entered: Submission,
        kind: Kind,
        records: Records,
        context: Context,
    ) -> Iterator[Draft]:
        submission = replace(entered, application=entries.newest_application(transaction) + 1)
        counts: Counts | None = None
        refusal: FileRefused | None = None
        try:
            with transaction.savepoint():
                checks.check(transaction, submission, kind, records, context.missing_at_most_percent)
                counts = yield from kind.apply(transaction, submission, records, context)
        except FileRefused as error:
            if submission.base and error.code != LACKS_TOO_MUCH:
                raise MessageRefused(ASKS_FOR_THE_WHOLE, base=submission.base) from error
            refusal = error
        answer = receipts.make(submission.manifest, counts, refusal)
        if counts and counts.refused:
            refusals.keep(transaction, submission, kind, counts.refused)
            answer |= refusals.told(kind, records, counts.refused)
        now = context.clock.now()
        entries.answer(transaction, submission, answer, now=now)
        yield receipts.draft(answer, submission.manifest)
        if counts:
            yield from numbering.notices(transaction, submission, kind, context.clock.today())
        records.release()
        dead_letters.put_right(transaction, submission.name, submission.member, ASKS_FOR_THE_WHOLE, now=now)
        receipts.note(transaction, submission, answer, now)


def _lock(submission: str) -> str:
    return f"huilian.submission.{submission}"
