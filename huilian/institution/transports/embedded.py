"""Straight into this machine's own office."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian import messages, service
from huilian.errors import told
from huilian.institution.push import wait_for

if TYPE_CHECKING:
    from huilian.envelope import Message
    from huilian.office import Office

__all__ = ["EmbeddedTransport"]


class EmbeddedTransport:
    """Hands messages to the outbox of an open office, whose host carries them on."""

    asks_the_county = True

    def __init__(self, office: Office) -> None:
        self.office = office
        self._receipt = service.query("receipt")
        self._superseded_by = service.query("superseded_by")

    def send(self, message: Message) -> None:
        """Hand one message over; see `Transport`."""
        outcome = self.office.processor.intake(message.seal, message.payload)
        if outcome.refusal:
            raise outcome.refusal

    def receipt(self, submission: str, *, seconds: float) -> dict[str, Any] | None:
        """Return the receipt, waiting for it; see `Transport`."""
        return wait_for(lambda: self._ask(submission), seconds=seconds)

    def superseded_by(self, submission: str) -> str | None:
        """Return what has taken its place; see `Transport`."""
        with self.office.database.transaction() as transaction:
            later: str | None = self._superseded_by(transaction, submission)
        return later

    def _ask(self, submission: str) -> dict[str, Any] | None:
        with self.office.database.transaction() as transaction:
            receipt: dict[str, Any] | None = self._receipt(transaction, submission)
            refusal = None if receipt else messages.refusal_of(transaction, submission)
        if refusal:
            raise told(*refusal)
        return receipt
