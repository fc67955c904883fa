"""Bundles at an institution: what is sealed and not answered written out, and what the county sends read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian import bundle
from huilian.edge.believing import believed
from huilian.errors import MessageRefused, UsageError
from huilian.members import PLATFORM
from huilian.spool import Spool
from huilian.transports import left

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from huilian.bundle import Bundle
    from huilian.envelope import Message
    from huilian.home import Home
    from huilian.spool import SpooledSubmission

__all__ = ["read", "write"]


def write(home: Home, target: Path, submissions: Sequence[str] = ()) -> tuple[int, int]:
    """Write sealed submissions into a bundle for the county; return how many submissions and messages.

    They stay in the spool until their receipts come, by whichever way.

    Args:
        home: the data directory.
        target: the bundle; it must not be there yet.
        submissions: their names; without any, all that have no receipt.

    Raises:
        UsageError: HL7008, there is no such submission; HL7001, there is none at all, or the
            bundle cannot be written.
    """
    spool = Spool(home.spool)
    # In the order in which they were sealed: of two that speak of the same, the last is to count.
    unanswered = (each for each in spool.submissions() if each.receipt is None)
    chosen = [_find(spool, name) for name in submissions] or sorted(unanswered, key=lambda each: each.sealed_at)
    if not chosen:
        raise UsageError("HL7001", what="待发区没有待报送的提交 (nothing waits in the spool)")
    return len(chosen), bundle.write(target, PLATFORM, _messages(chosen))


def read(home: Home, member: str, bundle_read: Bundle) -> int:
    """Keep what the county sent in a bundle, for the edge to write out; return how many messages.

    Every message is believed before the first is kept.

    Raises:
        UsageError: HL7015, it is for somebody else.
        FileRefused: HL7014, a message of it is not to be believed; the entry is named and nothing is kept.
    """
    if bundle_read.receiver != member:
        raise UsageError("HL7015", file=bundle_read.name, found=bundle_read.receiver, expected=member)
    for entry, message in bundle_read.messages():
        try:
            believed(home, member, message.seal, message.payload)
        except MessageRefused as refusal:
            raise bundle_read.refused(entry, refusal) from refusal
    for _, message in bundle_read.messages():
        left.keep(home.spool, message.seal, message.payload)
    return bundle_read.count


def _find(spool: Spool, name: str) -> SpooledSubmission:
    found = spool.find(name)
    if found is None:
        raise UsageError("HL7008", submission=name)
    return found


def _messages(submissions: Sequence[SpooledSubmission]) -> Iterator[Message]:
    for submission in submissions:
        yield from submission.messages()
