"""From raw bytes to a committed result: the one way a message takes in every host. A member's quota is part of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from huilian.core.clock import CHINA
from huilian.core.errors import AccessDenied, HostUnavailable, MessageRefused
from huilian.core.logs import where
from huilian.county import audit, service
from huilian.county.members import directory
from huilian.county.members.directory import is_ours
from huilian.county.members.service_keys import KIND, ServiceKeys, Signer
from huilian.county.messages import dead_letters, store
from huilian.county.messages.notices import refusal_notice
from huilian.wire import envelope
from huilian.wire.access import is_service
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from huilian.county.context import Context
    from huilian.county.members.directory import Member
    from huilian.county.service import Service
    from huilian.database.connection import Database, Transaction
    from huilian.settings import Settings
    from huilian.wire.access import AccessRules
    from huilian.wire.envelope import Draft, Message
    from huilian.wire.keys import KeyFolder, SigningKey

__all__ = ["HAND_ON", "INTAKE", "Outcome", "Processor", "Quotas", "Result", "check_intake"]


MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class Quotas:
    """What each member may take up.

    Args:
        daily_bytes: what it may hand in on a day of China's, taken or refused; the same message again is free.
        dead_letters: how many of its messages may wait as dead letters.
        dead_letter_bytes: what these may have together.
    """

    daily_bytes: int = 2048 * MIB
    dead_letters: int = 10_000
    dead_letter_bytes: int = 1024 * MIB

    @staticmethod
    def of(settings: Settings) -> Quotas:
        """Return what an office's settings say."""
        return Quotas(settings.daily_mib * MIB, settings.dead_letters, settings.dead_letter_mib * MIB)

    def check_day(self, transaction: Transaction, message: Message, *, now: dt.datetime) -> None:
        """Let a new message of a member pass while its day has room.

        Raises:
            MessageRefused: HL1022, it has not.
        """
        if not is_ours(message.source) and not self._day_has_room(transaction, message.source, _size(message), now):
            raise MessageRefused("HL1022", member=message.source, mib=self.daily_bytes // MIB)

    def note(self, transaction: Transaction, message: Message, *, now: dt.datetime) -> None:
        """Add a new message to its sender's day; call it last, since others of the same sender wait for the commit."""
        if not is_ours(message.source):
            transaction.execute(
                "INSERT INTO huilian.member_day (member, day, bytes) VALUES (%s, %s, %s)"
                " ON CONFLICT (member, day) DO UPDATE SET bytes = huilian.member_day.bytes + excluded.bytes",
                [message.source, now.astimezone(CHINA).date(), _size(message)],
            )

    def has_room_for_dead_letter(self, transaction: Transaction, message: Message, *, now: dt.datetime) -> bool:
        """Return whether one more of a sender's messages may be kept as a dead letter; the platform's always may."""
        if is_ours(message.source):
            return True
        row = transaction.row(
            "SELECT count(*) AS letters, coalesce(sum(length(seal) + length(payload)), 0) AS bytes"
            " FROM huilian.dead_letter WHERE source = %s AND retried_at IS NULL AND dismissed_at IS NULL",
            [message.source],
        )
        assert row is not None  # noqa: S101  # narrows the type: an aggregate gives a row
        size = _size(message)
        return (
            row["letters"] < self.dead_letters
            and int(row["bytes"]) + size <= self.dead_letter_bytes
            and self._day_has_room(transaction, message.source, size, now)
        )

    def _day_has_room(self, transaction: Transaction, member: str, size: int, now: dt.datetime) -> bool:
        used = transaction.value(
            "SELECT bytes FROM huilian.member_day WHERE member = %s AND day = %s",
            [member, now.astimezone(CHINA).date()],
        )
        return int(used or 0) + size <= self.daily_bytes


def _size(message: Message) -> int:
    return len(message.seal) + len(message.payload)


INTAKE: Final = "intake"
"""The way in where whoever hands a message over is answered at once: HTTP, and this machine's own commands."""
BROKER: Final = "broker"
"""Where a queue of the broker gave a message up."""
HAND_ON: Final = "platform"
"""The place where the platform seals anew what a service says to a member."""
_NOT_KEPT: Final = frozenset({"HL1022", "HL1023"})
"""Refusals of a message whose sender has used up its share."""

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
        keys: where the private keys of this process are kept: the services' own, and the platform's where it
            speaks to members.
        quotas: what each member may take up.
    """

    def __init__(
        self,
        database: Database,
        context: Context,
        access: AccessRules,
        keys: KeyFolder,
        quotas: Quotas = Quotas(),  # it never changes
    ) -> None:
        self.database = database
        self.context = context
        self.access = access
        self.quotas = quotas
        self.service_keys = ServiceKeys(database, keys, context.clock)
        self._keys = keys

    @property
    def platform_key(self) -> SigningKey:
        """Return the key in use now: it may be changed while this runs.

        Raises:
            AccessDenied: HL4006, it is not kept here: a service of its own process has none.
        """
        return self._keys.current(PLATFORM)

    def check(self, transaction: Transaction, seal: str, payload: bytes) -> tuple[Message, Member]:
        """Return the message these bytes are, when its sender may send it and its signature holds.

        Raises:
            MessageRefused: with the code of the first rule it breaks.
        """
        message, member = self._established(transaction, seal, payload)
        try:
            self.access.check_send(member.code, member.kind, message.type)
        except MessageRefused:
            if not store.is_before_service_keys(transaction, message):
                raise
        contract = self.context.catalogue.contract(message.type, message.dataschema)
        if contract.media_type != message.media_type:
            raise MessageRefused("HL1009", what="datacontenttype")
        return message, member

    def _established(self, transaction: Transaction, seal: str, payload: bytes) -> tuple[Message, Member]:
        """Return the message these bytes are, and its sender, when its signature holds.

        Raises:
            MessageRefused: it does not, or what it claims does not hold; whoever sent it is not known.
        """
        try:
            message = envelope.read(seal, payload)
            member, key = directory.sender(transaction, message, now=self.context.clock.now())
            envelope.verify(message, key.public)
        except HostUnavailable:
            raise
        except MessageRefused as refusal:
            refusal.signature_held = False
            raise
        except Exception as error:
            broken = MessageRefused("HL1012", what=type(error).__name__)
            broken.signature_held = False
            raise broken from error
        return message, member

    def admit(self, transaction: Transaction, message: Message) -> bool:
        """Keep a message that was checked in the outbox, within its sender's share; return whether it was here before.

        Raises:
            MessageRefused: HL1022, its sender's day is used up; HL1008, its id is kept with other bytes.
        """
        now = self.context.clock.now()
        known = store.is_known(transaction, message)
        if not known:
            self.quotas.check_day(transaction, message, now=now)
        store.put(transaction, message, now=now)
        if not known:
            self.quotas.note(transaction, message, now=now)
        return known

    def check_from_outside(self, transaction: Transaction, seal: str, payload: bytes) -> tuple[Message, Member]:
        """Return the same of a message that somebody hands over, who is neither the platform nor a service.

        Whoever stole a key of theirs would else have the county hand out, and seal anew, what he made up.

        Raises:
            MessageRefused: with the code of the first rule it breaks; HL1004, it is in our own name.
        """
        message, member = self.check(transaction, seal, payload)
        if directory.is_ours(member.code):
            raise MessageRefused("HL1004", member=member.code, type=message.type)
        return message, member

    def deliver(self, taker: Service, seal: str, payload: bytes) -> Outcome:
        """Let one message into a service.

        Raises:
            HostUnavailable: a server is away; nothing was committed, try again.
        """
        signer = self.service_keys.signer(taker.name)
        return self._guarded(
            taker.name, seal, payload, lambda transaction: self._handle(taker, seal, payload, transaction, signer)
        )

    def intake(self, seal: str, payload: bytes) -> Outcome:
        """Check one message and keep it in the outbox for whoever takes it: the way in over HTTP.

        Raises:
            HostUnavailable: a server is away; nothing was committed, try again.
        """
        refusals: list[MessageRefused] = []

        def forward(transaction: Transaction) -> Result:
            message, _ = self.check_from_outside(transaction, seal, payload)
            try:
                check_intake(transaction, message)
            except MessageRefused as refusal:
                # Its sender is told here and now; nothing is wrong with the message, so it is not buried.
                refusals.append(refusal)
                return Result.REFUSED
            return Result.REPEATED if self.admit(transaction, message) else Result.HANDLED

        outcome = self._guarded(INTAKE, seal, payload, forward)
        return Outcome(Result.REFUSED, refusals[0]) if refusals else outcome

    def _handle(self, taker: Service, seal: str, payload: bytes, transaction: Transaction, signer: Signer) -> Result:
        now = self.context.clock.now()
        message, _ = self.check(transaction, seal, payload)
        if message.source == PLATFORM and not store.is_before_service_keys(transaction, message):
            # The platform speaks to members. Between services each speaks for itself.
            raise MessageRefused("HL1004", member=message.source, type=message.type)
        handler = taker.handlers.get(message.type)
        if handler is None:
            raise MessageRefused("HL1005", type=message.type, dataschema=message.dataschema)
        known = store.is_known(transaction, message)
        if not known:
            self.quotas.check_day(transaction, message, now=now)
        if not store.take(transaction, taker.name, message, now=now):
            return Result.REPEATED
        for draft in handler(message, transaction, self.context):
            self.send(transaction, draft, signer=signer)
        if not known:
            self.quotas.note(transaction, message, now=now)
        return Result.HANDLED

    def send(
        self, transaction: Transaction, draft: Draft, *, signer: Signer | None = None, message_id: str | None = None
    ) -> None:
        """Seal a message and put it in the outbox.

        Args:
            transaction: in which it is put there.
            draft: what to send.
            signer: the service that says it; the platform unless given.
            message_id: a new one unless given.

        Raises:
            MessageRefused: HL1004, the service may not publish such a message.
        """
        now = self.context.clock.now()
        if signer is None:
            signer = Signer(PLATFORM, self.platform_key)
        else:
            self.access.check_send(signer.source, KIND, draft.type)
        message = envelope.seal(draft, signer.key, source=signer.source, time=now, message_id=message_id)
        store.put(transaction, message, now=now)

    def send_all(self, transaction: Transaction, drafts: Iterable[Draft], *, service: str) -> None:
        """Seal what a service says by itself, and put it in the outbox.

        Raises:
            MessageRefused: HL1004, the service may not publish such a message.
        """
        signer = self.service_keys.signer(service)
        for draft in drafts:
            self.send(transaction, draft, signer=signer)

    def hand_on(self, transaction: Transaction, message: Message) -> Outcome:
        """Seal anew, in the platform's name and under the same id, what a service says to a member.

        Others are left alone: what a service says to services only, and what members send. The service's seal must
        hold, and the service must be allowed to publish this; else it is kept as a dead letter and not handed on.

        Raises:
            HostUnavailable: a server is away; nothing was committed, try again.
        """
        if not is_service(message.source) or self.receiver(transaction, message) is None:
            return Outcome(Result.REPEATED)
        try:
            self.check(transaction, message.seal, message.payload)
        except HostUnavailable:
            raise
        except MessageRefused as refusal:
            return Outcome(Result.REFUSED, self.refuse(HAND_ON, message.seal, message.payload, refusal))
        now = self.context.clock.now()
        sealed = envelope.seal_again(message, self.platform_key, source=PLATFORM, time=now, message_id=message.id)
        store.put(transaction, sealed, now=now)
        return Outcome(Result.HANDLED)

    def receiver(self, transaction: Transaction, message: Message) -> Member | None:
        """Return the member that a message of ours is for; None where its subject is no member that may receive it."""
        try:
            member = directory.find(transaction, message.subject)
        except AccessDenied:
            return None  # about a region or the like
        return member if self.access.may_receive(member.kind, message.type) else None

    def _guarded(self, place: str, seal: str, payload: bytes, work: Callable[[Transaction], Result]) -> Outcome:
        try:
            with self.database.transaction() as transaction:
                result = work(transaction)
        except HostUnavailable:
            raise
        except MessageRefused as refusal:
            trace = where(refusal.__cause__) if refusal.__cause__ and not refusal.signature_held else None
            return Outcome(Result.REFUSED, self.refuse(place, seal, payload, refusal, trace=trace))
        except Exception as error:  # noqa: BLE001  # whatever a handler raises, the queue goes on
            broken = MessageRefused("HL1012", what=type(error).__name__)
            return Outcome(Result.REFUSED, self.refuse(place, seal, payload, broken, trace=where(error)))
        return Outcome(result)

    def refuse(
        self,
        place: str,
        seal: str,
        payload: bytes,
        refusal: MessageRefused,
        *,
        trace: str | None = None,
        size: int | None = None,
    ) -> MessageRefused:
        """Keep or count a message that is not let in, say so in log and audit, and tell its sender.

        Args:
            place: the service, or way in, that refused it.
            seal: as it came.
            payload: as it came, or the beginning of it.
            refusal: why it is not let in.
            trace: where a handler failed.
            size: bytes the whole payload has, when it is more than `payload`.

        Returns:
            What its sender is told: why, or that it was not even kept.
        """
        with self.database.transaction() as transaction:
            if refusal.signature_held or store.is_kept(transaction, seal, payload):
                return self._refuse_a_members(transaction, place, envelope.read(seal, payload), refusal, trace)
            # A key that has ended, or a member that is suspended, may still be who it says; it is told of samples.
            size = len(payload) if size is None else size
            self._count(transaction, place, seal, payload, refusal, size=size, trace=trace)
            return refusal

    def give_up(self, seal: str, payload: bytes) -> None:
        """Keep or count what a queue of the broker gave up.

        Raises:
            HostUnavailable: a server is away; nothing was committed, try again.
        """
        refusal = MessageRefused("HL1014")
        try:
            with self.database.transaction() as transaction:
                self._established(transaction, seal, payload)
        except MessageRefused as unknown:
            refusal.signature_held = unknown.signature_held
        self.refuse(BROKER, seal, payload, refusal)

    def _refuse_a_members(
        self, transaction: Transaction, place: str, message: Message, refusal: MessageRefused, trace: str | None
    ) -> MessageRefused:
        """Keep a message whose signature held as a dead letter, or count it when its sender's share is used up."""
        now, seal, payload = self.context.clock.now(), message.seal, message.payload
        again = dead_letters.is_buried(transaction, service=place, seal=seal, payload=payload, code=refusal.code)
        may_be_kept = again or self.quotas.has_room_for_dead_letter(transaction, message, now=now)
        if not may_be_kept and refusal.code not in _NOT_KEPT:
            refusal = MessageRefused("HL1023", member=message.source, what=refusal.code)
        size = len(payload)
        if refusal.code in _NOT_KEPT:
            self._count(transaction, place, seal, payload, refusal, size=size, member=message.source)
            return refusal
        number = dead_letters.bury(
            transaction, service=place, seal=seal, payload=payload, refusal=refusal, trace=trace, now=now
        )
        self._tell(transaction, place, seal, payload, refusal)
        if not again:
            # Not its id alone: with other bytes under a known one its day would never end.
            if not store.is_kept(transaction, seal, payload):
                self.quotas.note(transaction, message, now=now)
            detail = {"code": refusal.code, "bytes": size}
            self._note(transaction, place, str(number), detail)
        _log.warning("message_refused", service=place, code=refusal.code, dead_letter=number, bytes=size, where=trace)
        return refusal

    def _tell(self, transaction: Transaction, place: str, seal: str, payload: bytes, refusal: MessageRefused) -> None:
        # Whoever came by the way in was answered there.
        told = place != INTAKE and refusal_notice(
            transaction, self.context, self.access, seal=seal, payload=payload, refusal=refusal
        )
        if told:
            of_the_platform = place in (BROKER, HAND_ON)
            self.send(transaction, told, signer=None if of_the_platform else self.service_keys.signer(place))

    def _count(
        self,
        transaction: Transaction,
        place: str,
        seal: str,
        payload: bytes,
        refusal: MessageRefused,
        *,
        size: int,
        member: str = "",
        trace: str | None = None,
    ) -> None:
        """Count a refusal, and tell, log and audit as little as is kept of it: samples, and the first of a day."""
        counted = dead_letters.count_refusal(
            transaction,
            service=place,
            refusal=refusal,
            seal=seal,
            payload=payload,
            size=size,
            now=self.context.clock.now(),
            member=member,
        )
        if counted.sampled:
            self._tell(transaction, place, seal, payload, refusal)
        if counted.is_first_of_day:
            detail = {"code": refusal.code, "bytes": size, "counted": counted.times}
            self._note(transaction, place, member or refusal.code, detail)
        if counted.sampled:
            noted = {"code": refusal.code, "member": member or None, "counted": counted.times, "bytes": size}
            _log.warning("message_refused", service=place, where=trace, **noted)

    def _note(self, transaction: Transaction, place: str, subject: str, detail: dict[str, object]) -> None:
        now = self.context.clock.now()
        audit.append(transaction, now=now, actor=place, action="message.refused", subject=subject, detail=detail)
