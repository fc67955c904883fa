"""How sealed messages travel to the county and back: one interface for every way.

A transport waits for nobody: a server that is away is told at once, and the engine decides when to try again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from huilian.core.errors import Reason
    from huilian.wire.envelope import Message

__all__ = ["Incoming", "Transport"]


@dataclass(frozen=True)
class Incoming:
    """A message as it came, nothing of it verified.

    Args:
        seal: as it came.
        payload: as it came.
        cursor: what to go on after once it is kept; None where the server counts itself.
        superseded_by: of a receipt, the submission that has taken the place of the one it is about.
    """

    seal: str
    payload: bytes
    cursor: str | None = None
    superseded_by: str | None = None


class Transport:
    """One way to the county. Every method raises `HostUnavailable` when the other side is away."""

    can_be_asked: bool = True
    """Whether the county can be asked for a receipt; elsewhere receipts come by themselves, with `fetch`."""
    patience: float = 20.0
    """Seconds that a push waits for the other side to come back while it sends."""

    def send(self, message: Message) -> None:
        """Hand one message over, durably.

        Raises:
            MessageRefused: the other side looked at it and refused it.
        """
        raise NotImplementedError

    def fetch(self, cursor: str | None) -> Iterator[Incoming]:
        """Yield what waits for the member; asking for the next says that the one before is kept, or was left.

        Raises:
            UsageError: HL7004, the cursor is not the server's: begin without one.
        """
        del cursor
        return iter(())

    def leave(self) -> bool:
        """Leave the message that `fetch` has just yielded where it is, for another machine of the member.

        Returns:
            Whether that machine has to wait for it until this connection is closed.
        """
        return False

    def ask(self, submission: str) -> Incoming | None:
        """Return the sealed receipt of a submission where it can be asked for, or None.

        Raises:
            MessageRefused: a message of the submission was refused after it was taken.
            UsageError: HL7008, the other side knows of no such submission.
        """
        del submission
        return None

    def send_alone(self, message: Message) -> None:
        """Hand over one message that belongs to no submission, durably, and its sender waits for its outcome.

        Raises:
            MessageRefused: the other side looked at it and refused it.
        """
        self.send(message)

    def outcome(self, message: Message) -> Sequence[Reason] | None:
        """Return why a message that travels alone was refused, nothing where it was accepted, None while it waits.

        Raises:
            UsageError: HL7025, the other side does not have it.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections; over a queue, what was left goes back to it."""
