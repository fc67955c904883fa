"""Bundles at an institution: what is sealed and not answered written out, and what the county sends read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.core.clock import SystemClock
from huilian.core.errors import MessageRefused, UsageError
from huilian.institution.journal import Journal
from huilian.institution.spool import Spool
from huilian.institution.trust import KEYS, believed, weighed
from huilian.wire import bundle
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from huilian.core.clock import Clock
    from huilian.institution.spool import SpooledSubmission
    from huilian.settings import Home
    from huilian.wire.bundle import Bundle
    from huilian.wire.envelope import Message

__all__ = ["read", "write"]


def write(home: Home, target: Path, submissions: Sequence[str] = (), *, clock: Clock | None = None) -> tuple[int, int]:
    """Write sealed submissions into a bundle for the county; return how many submissions and messages.

    They stay in the spool until their receipts come, by whichever way. What an earlier key has sealed is sealed anew:
    a bundle may come long after the end of that key, and nobody could answer it then.

    Args:
        home: the data directory.
        target: the bundle; it must not be there yet.
        clock: the moment of sealing.
        submissions: their names; without any, all that have no receipt.

    Raises:
        UsageError: HL7008, there is no such submission; HL7020, there is none at all; HL7021, the
            bundle cannot be written.
    """
    spool = Spool(home.spool)
    # In the order in which they were sealed: of two that speak of the same, the last is to count.
    unanswered = (each for each in spool.submissions() if each.receipt is None)
    chosen = [_find(spool, name) for name in submissions] or sorted(unanswered, key=lambda each: each.sealed_at)
    if not chosen:
        raise UsageError("HL7020", receiver=PLATFORM)
    for each in chosen:
        _seal_with_the_key_in_use(home, each, clock or SystemClock())
    return len(chosen), bundle.write(target, PLATFORM, _messages(chosen))


def read(home: Home, member: str, bundle_read: Bundle, *, clock: Clock | None = None) -> int:
    """Keep what the county sent in a bundle, for the edge to write out; return how many messages.

    Every message is believed before the first is kept, by the keys that count once the lists of keys in the bundle are
    taken in. What is here already was believed when it came.

    Raises:
        UsageError: HL7015, it is for somebody else.
        FileRefused: HL7014, a message of it is not to be believed; the entry is named and nothing is kept.
    """
    if bundle_read.receiver != member:
        raise UsageError("HL7015", file=bundle_read.name, found=bundle_read.receiver, expected=member)
    now, trusted = (clock or SystemClock()).now(), home.trusted(PLATFORM)
    with Journal(home) as journal:
        # The county seals anew what a revoked key had sealed: it may stand before the list that tells of the new one.
        for entry, message in _new(bundle_read, journal):
            try:
                trusted = weighed(trusted, home, member, message, now=now, received=now)
            except MessageRefused as refusal:
                raise bundle_read.refused(entry, refusal) from refusal
        for _, message in _new(bundle_read, journal):
            if message.type == KEYS:
                believed(home, member, message.seal, message.payload, now=now)
            journal.keep(message, now)
    return bundle_read.count


def _new(bundle_read: Bundle, journal: Journal) -> Iterator[tuple[str, Message]]:
    """Yield the messages of a bundle that are not here yet: the lists of keys in it, then all others."""
    for lists in (True, False):
        for entry, message in bundle_read.messages():
            if (message.type == KEYS) == lists and not journal.messages.holds(message):
                yield entry, message


def _seal_with_the_key_in_use(home: Home, submission: SpooledSubmission, clock: Clock) -> None:
    member = str(submission.manifest["member"])
    if home.keys.holds(member):
        key = home.keys.current(member)
        if any(message.kid != key.kid for message in submission.messages()):
            submission.seal_again(key, clock.now())


def _find(spool: Spool, name: str) -> SpooledSubmission:
    found = spool.find(name)
    if found is None:
        raise UsageError("HL7008", submission=name)
    return found


def _messages(submissions: Sequence[SpooledSubmission]) -> Iterator[Message]:
    for submission in submissions:
        yield from submission.messages()
