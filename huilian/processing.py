"""From raw bytes to a committed result: the one way a message takes in every host.

    read → sender and key → signature → access → contract → inbox → handler → outbox → commit

Whatever is refused or breaks is kept as a dead letter and the next message goes on.
Only a server that is away is not the message's fault: that error leaves, and the host
waits and tries again.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from huilian import audit, envelope, members, messages, service
from huilian.errors import HostUnavailable, MessageRefused
from huilian.logs import where
from huilian.refusal_notices import refusal_notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from huilian.access import AccessRules
    from huilian.database import Database, Transaction
    from huilian.envelope import Draft, Message
    from huilian.keys import SigningKey
    from huilian.members import Member
    from huilian.service import Context, Service

__all__ = ["INTAKE", "Outcome", "Processor", "Result", "check_intake"]

INTAKE: Final = "intake"
"""The way in where whoever hands a message over is answered at once: HTTP, and this machine's own commands."""

_log = structlog.get_logger(__name__)


class Result(enum.Enum):
    """What became of a delivery."""

    HANDLED = "handled"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery, and why it was refused."""

    result: Result
    refusal: MessageRefused | None = None


def check_intake(transaction: Transaction, message: Message) -> None:
    """Let pass what no service refuses at once, where its sender waits for the answer.

    Raises:
        MessageRefused: as the services' `intake_checks`.
    """
    for each in service.installed().values():
        if message.type in each.intake_checks:
            each.intake_checks[message.type](message, transaction)


class Processor:
    """Lets messages in, for all services of a process.

    Args:
        database: where services and kernel keep everything.
        context: what handlers are given.
        access: who may send what.
        platform_key: the key the services' own messages are sealed with.
    """

    def __init__(self, database: Database, context: Context, access: AccessRules, platform_key: SigningKey) -> None:
        self.database = database
        self.context = context
        self.access = access
        self.platform_key = platform_key

    def check(self, transaction: Transaction, seal: str, payload: bytes) -> tuple[Message, Member]:
        """Return the message these bytes are, when its sender may send it and its signature holds.

        Raises:
            MessageRefused: with the code of the first rule it breaks.
        """
        message = envelope.read(seal, payload)
        member, key = members.sender(transaction, message, now=self.context.clock.now())
        envelope.verify(message, key.public)
        self.access.check_send(member.code, member.kind, message.type)
        contract = self.context.catalogue.contract(message.type, message.dataschema)
        if contract.media_type != message.media_type:
            raise MessageRefused("HL1009", what="datacontenttype")
        return message, member

    def deliver(self, taker: Service, seal: str, payload: bytes) -> Outcome:
        """Let one message into a service.

        Raises:
            HostUnavailable: a server is away; nothing was committed, try again.
        """
        return self._guarded(
            taker.name, seal, payload, lambda transaction: self._handle(taker, seal, payload, transaction)
        )

    def intake(self, seal: str, payload: bytes) -> Outcome:
        """Check one message and keep it in the outbox for whoever takes it: the way in over HTTP.

        Raises:
            HostUnavailable: a server is away; nothing was committed, try again.
        """
        refusals: list[MessageRefused] = []

        def forward(transaction: Transaction) -> Result:
            message, _ = self.check(transaction, seal, payload)
            try:
                check_intake(transaction, message)
            except MessageRefused as refusal:
                # Its sender is told here and now; nothing is wrong with the message, so it is not buried.
                refusals.append(refusal)
                return Result.REFUSED
            known = messages.is_known(transaction, message)
            messages.put(transaction, message, now=self.context.clock.now())
            return Result.REPEATED if known else Result.HANDLED

        outcome = self._guarded(INTAKE, seal, payload, forward)
        return Outcome(Result.REFUSED, refusals[0]) if refusals else outcome

    def _handle(self, taker: Service, seal: str, payload: bytes, transaction: Transaction) -> Result:
        now = self.context.clock.now()
        message, _ = self.check(transaction, seal, payload)
        handler = taker.handlers.get(message.type)
        if handler is None:
            raise MessageRefused("HL1005", type=message.type, dataschema=message.dataschema)
        if not messages.take(transaction, taker.name, message, now=now):
            return Result.REPEATED
        for draft in handler(message, transaction, self.context):
            self.send(transaction, draft)
        return Result.HANDLED

    def send(self, transaction: Transaction, draft: Draft, *, message_id: str | None = None) -> None:
        """Seal a message in the platform's name, with a new id unless one is given, and put it in the outbox."""
        now = self.context.clock.now()
        message = envelope.seal(draft, self.platform_key, source=members.PLATFORM, time=now, message_id=message_id)
        messages.put(transaction, message, now=now)

    def _guarded(self, place: str, seal: str, payload: bytes, work: Callable[[Transaction], Result]) -> Outcome:
        try:
            with self.database.transaction() as transaction:
                result = work(transaction)
        except HostUnavailable:
            raise
        except MessageRefused as refusal:
            self.bury(place, seal, payload, refusal, trace=None)
            return Outcome(Result.REFUSED, refusal)
        except Exception as error:  # noqa: BLE001  # whatever a handler raises, the queue goes on
            broken = MessageRefused("HL1012", what=type(error).__name__)
            self.bury(place, seal, payload, broken, trace=where(error))
            return Outcome(Result.REFUSED, broken)
        return Outcome(result)

    def bury(
        self,
        place: str,
        seal: str,
        payload: bytes,
        refusal: MessageRefused,
        *,
        trace: str | None,
        size: int | None = None,
        keep: int = messages.KEPT_BYTES,
    ) -> None:
        """Keep a message that is not let in, say so in log and audit, and tell its sender.

        Args:
            place: the service, or way in, that refused it.
            seal: as it came.
            payload: as it came, or the beginning of it.
            refusal: why it is not let in.
            trace: where a handler failed.
            size: bytes the whole payload has, when it is more than `payload`.
            keep: bytes of the payload worth keeping.
        """
        size = len(payload) if size is None else size
        now = self.context.clock.now()
        with self.database.transaction() as transaction:
            number = messages.bury(
                transaction,
                service=place,
                seal=seal,
                payload=payload,
                code=refusal.code,
                reason=refusal.english,
                trace=trace,
                now=now,
                size=size,
                keep=keep,
            )
            # Whoever came by the way in was answered there.
            told = place != INTAKE and refusal_notice(
                transaction, self.context, self.access, seal=seal, payload=payload, refusal=refusal
            )
            if told:
                self.send(transaction, told)
            audit.append(
                transaction,
                now=now,
                actor=place,
                action="message.refused",
                subject=str(number),
                detail={"code": refusal.code, "bytes": size},
            )
        _log.warning("message_refused", service=place, code=refusal.code, dead_letter=number, bytes=size, where=trace)
