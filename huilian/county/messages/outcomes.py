"""What became of one message: every service that takes it has handled it, one of them refused it, or it waits.

A record that travels alone belongs to no submission, so that no receipt need tell of it. Its sender asks: whoever has
the seal of a message may know what became of it, as only its sender and the county have that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.core import errors
from huilian.core.errors import HuilianError, MessageRefused, UsageError
from huilian.county.messages import dead_letters
from huilian.wire import envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from huilian.county.service import Service
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

__all__ = ["Outcome", "outcome_of"]


REFUSED: Final = "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of a message.

    Args:
        message: its id.
        is_handled: whether all that take it have handled it.
        refusal: why it was refused, by whoever refused it first.
    """

    message: str
    is_handled: bool
    refusal: HuilianError | None = None


def outcome_of(transaction: Transaction, seal: str, takers: Callable[[str], Sequence[Service]]) -> Outcome:
    """Return what became of the message with this seal.

    Args:
        transaction: the transaction.
        seal: of the message.
        takers: returns the services that take a type of message.

    Raises:
        MessageRefused: HL1009, it is no seal.
        UsageError: HL7025, no message with this seal has come, or its signature did not hold.
    """
    message = envelope.read(seal, b"")
    is_kept = transaction.value(
        "SELECT seal = %s FROM huilian.message WHERE source = %s AND id = %s", [seal, message.source, message.id]
    )
    refusal = dead_letters.refusal_of_message(transaction, message)
    if refusal is not None:
        return Outcome(message.id, is_handled=False, refusal=refusal)
    if not is_kept:
        raise UsageError("HL7025", message=message.id)
    services = [service.name for service in takers(message.type)]
    if not services:
        unknown = MessageRefused("HL1005", type=message.type, dataschema=message.dataschema)
        return Outcome(message.id, is_handled=False, refusal=unknown)
    handled = transaction.value(
        "SELECT count(*) FROM huilian.inbox WHERE source = %s AND message = %s AND service = ANY(%s)",
        [message.source, message.id, services],
    )
    if handled < len(services):
        return Outcome(message.id, is_handled=False)
    return Outcome(message.id, is_handled=True, refusal=_refused_by_receipt(transaction, message))


def _refused_by_receipt(transaction: Transaction, message: Message) -> HuilianError | None:
    """Return why a record that makes a submission by itself was refused when that was applied."""
    receipt = transaction.value(
        "SELECT receipt FROM huilian.submission WHERE member = %s AND manifest_message = %s",
        [message.source, message.id],
    )
    if receipt is None or receipt["status"] != REFUSED:
        return None
    # The receipt has the Chinese text alone.
    return errors.told(receipt["code"], receipt["message"], receipt["message"])
