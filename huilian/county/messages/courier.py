"""Bundles at the county: what institutions send by hand let in, and what is addressed to them written out.

A message in a bundle is let in by the same checks as one that comes by wire, and counts
once, whichever way it comes first. A bundle is let in within one transaction: as a whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from huilian.core.errors import AccessDenied, MessageRefused, UsageError
from huilian.county import audit
from huilian.county.members import directory
from huilian.county.messages import mailbox, store
from huilian.county.messages.processor import check_intake
from huilian.wire import bundle
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from huilian.county.messages.mailbox import Entry
    from huilian.county.office import Office
    from huilian.wire.bundle import Bundle
    from huilian.wire.envelope import Message

__all__ = ["Taken", "let_in", "write_for"]


@dataclass(frozen=True)
class Taken:
    """What a bundle brought: messages that are new, those that were here before, their submissions.

    `refused` says of which submissions something else was stated since: they do not count again.
    """

    new: int
    repeated: int
    submissions: tuple[str, ...]
    refused: tuple[MessageRefused, ...] = ()


def let_in(office: Office, bundle_read: Bundle, *, actor: str) -> Taken:
    """Let every message of a bundle in, to be handled by whoever takes its type.

    Args:
        office: the open data directory.
        bundle_read: an open bundle.
        actor: who reads it, for the log.

    Raises:
        UsageError: HL7015, it is for somebody else.
        FileRefused: HL7014, a message of it is refused; the entry is named and nothing is let in.
    """
    if bundle_read.receiver != PLATFORM:
        raise UsageError("HL7015", file=bundle_read.name, found=bundle_read.receiver, expected=PLATFORM)
    processor, now, known, submissions = office.processor, office.clock.now(), 0, dict[str, None]()
    refusals: list[MessageRefused] = []
    with office.database.transaction() as transaction:
        for entry, message in bundle_read.messages():
            try:
                processor.check_from_outside(transaction, message.seal, message.payload)
                known += processor.admit(transaction, message)
            except MessageRefused as refusal:
                raise bundle_read.refused(entry, refusal) from refusal
            try:
                check_intake(transaction, message)
            except MessageRefused as refusal:
                # One that is new is told to its sender by the service, as on any other way in.
                refusals.append(refusal)
            if message.submission is not None:
                submissions[message.submission] = None
        # What has taken a submission's place may well be in the same bundle, read before.
        superseded = [refusal for refusal in refusals if refusal.facts.get("later") not in submissions]
        taken = Taken(bundle_read.count - known, known, tuple(submissions), tuple(superseded))
        detail = {"messages": bundle_read.count, "repeated": known}
        audit.append(transaction, now=now, actor=actor, action="bundle.read", subject=bundle_read.name, detail=detail)
    return taken


def write_for(office: Office, member: str, target: Path, *, everything: bool, actor: str) -> int:
    """Write what is addressed to a member and was not handed over, and return how many messages that is.

    Args:
        office: the open data directory.
        member: whom it is for.
        target: the bundle; it must not be there yet.
        everything: also what was handed over before, for a bundle that got lost.
        actor: who writes it, for the log.

    Raises:
        AccessDenied: HL4001, there is no such member.
        UsageError: HL7020, nothing is there to be written; HL7021, it cannot be written.
    """
    if member == PLATFORM:
        raise AccessDenied("HL4001", member=member)
    with office.database.transaction() as transaction:
        types = mailbox.types_for(office.processor.access, directory.find(transaction, member))
        entries = mailbox.not_handed_over(transaction, member, types, everything=everything)
    if not entries:
        raise UsageError("HL7020", receiver=member)
    written = bundle.write(target, member, _messages(office, entries))
    # Only once it is on the disk: cut off before, the next bundle holds the same again, and that counts once.
    with office.database.transaction() as transaction:
        now = office.clock.now()
        mailbox.hand_over(transaction, member, entries, now=now)
        detail = {"messages": written, "file": target.name}
        audit.append(transaction, now=now, actor=actor, action="bundle.written", subject=member, detail=detail)
    return written


def _messages(office: Office, entries: Sequence[Entry]) -> Iterator[Message]:
    key, now = office.processor.platform_key, office.clock.now()
    for entry in entries:
        with office.database.transaction() as transaction:
            for message in store.kept(transaction, PLATFORM, [entry.message]):
                yield mailbox.as_believed(transaction, message, key, now=now)
