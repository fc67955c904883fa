"""The embedded host: every service in one process, messages taken straight from the outbox.

Each worker claims the oldest message nobody is carrying, hands it to every service that
takes its type, seals anew what a service says to a member, and marks it carried. The claim
is a row lock: several processes may do this at once, and one that dies loses its claim
with its connection, not the message. The order in which messages are handled does not
matter; services are written so.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import structlog

from huilian.core import retry
from huilian.core.errors import HostUnavailable, reasons_of
from huilian.core.logs import where
from huilian.county.messages import dead_letters, mailbox, store
from huilian.county.messages.outcomes import outcome_of
from huilian.county.messages.store import OUTBOX_CHANNEL
from huilian.county.service import kinds
from huilian.county.submissions import receipts
from huilian.institution.transports.base import Incoming, Transport
from huilian.wire import envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from huilian.core.errors import Reason
    from huilian.county.office import Office
    from huilian.wire.envelope import Message

__all__ = ["EmbeddedHost", "EmbeddedTransport"]

WORKERS: Final = 2
"""Messages handled at a time: while one is translated, another is being loaded."""
IDLE_SECONDS: Final = 1.0
"""How long a worker waits for a notification before it looks by itself."""
SERVING: Final = "huilian.serving"
"""The lock that a process holds which carries whatever comes, for as long as it runs."""

_log = structlog.get_logger(__name__)

_CLAIM = """
    SELECT o.position, m.seal, m.payload
    FROM huilian.outbox o JOIN huilian.message m ON m.source = o.source AND m.id = o.message
    WHERE o.position = (
        SELECT position FROM huilian.outbox WHERE carried_at IS NULL
        ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED
    )
"""


class EmbeddedHost:
    """Carries messages as long as its block runs.

    Example::

        with EmbeddedHost(office) as host:
            host.drain()

    Args:
        office: the office.
        workers: messages handled at a time.
        serving: whether it goes on until it is stopped, so that others may leave the carrying to it.
        stands_by: whether it leaves the carrying to one that does, as long as there is one.
    """

    def __init__(
        self, office: Office, *, workers: int = WORKERS, serving: bool = False, stands_by: bool = False
    ) -> None:
        self.office = office
        self._serving = serving
        self._stands_by = stands_by
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"carrier-{number}", daemon=True) for number in range(workers)
        ]
        self._listener_thread = threading.Thread(target=self._listen, name="carrier-listener", daemon=True)

    def __enter__(self) -> Self:
        """Start the workers."""
        # A missing key or policy must fail here, not in a worker.
        _ = self.office.processor.platform_key
        for service in self.office.services:
            self.office.processor.service_keys.signer(service)
        for thread in (*self._threads, self._listener_thread):
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the workers finish what they hold, and stop."""
        self._stopping.set()
        self._wake.set()
        for thread in (*self._threads, self._listener_thread):
            thread.join()

    def drain(self, until: Callable[[], bool] | None = None) -> None:
        """Wait until nothing is left to carry, or `until` says so."""
        while not (until() if until else self._waiting() == 0):
            self._stopping.wait(0.02)
            if self._stopping.is_set():
                return

    def _waiting(self) -> int:
        with self.office.database.transaction() as transaction:
            return int(transaction.value("SELECT count(*) FROM huilian.outbox WHERE carried_at IS NULL"))

    def carry_one(self) -> bool:
        """Carry the oldest unclaimed message; return False when there is none."""
        office = self.office
        with office.database.transaction() as claim:
            row = claim.row(_CLAIM)
            if row is None:
                return False
            message = envelope.read(row["seal"], bytes(row["payload"]))
            if not store.is_handed_on(claim, message.source, message.id):
                for service in office.takers(message.type):
                    office.processor.deliver(service, message.seal, message.payload)
            office.processor.hand_on(claim, message)
            claim.execute(
                "UPDATE huilian.outbox SET carried_at = %s, attempts = attempts + 1 WHERE position = %s",
                [office.clock.now(), row["position"]],
            )
        return True

    def _run(self) -> None:
        backoff = retry.for_servers()
        while not self._stopping.is_set():
            try:
                if self._is_relieved() or not self.carry_one():
                    self._wake.wait(IDLE_SECONDS)
                    self._wake.clear()
                backoff.succeeded()
            except HostUnavailable as error:
                pause = backoff.failed()
                _log.warning("database_away", code=error.code, retry_in_seconds=round(pause, 1))
                self._stopping.wait(pause)
            except Exception as error:  # noqa: BLE001  # a message that cannot even be kept as a dead letter stays where it is
                pause = retry.SERVER_CAP_SECONDS
                _log.error("carrying_failed", error=type(error).__name__, where=where(error), retry_in_seconds=pause)
                self._stopping.wait(pause)

    def _is_relieved(self) -> bool:
        if not self._stands_by:
            return False
        with self.office.database.transaction() as transaction:
            return transaction.is_held(SERVING)

    def _listen(self) -> None:
        holding = SERVING if self._serving else None
        while not self._stopping.is_set():
            try:
                listener = self.office.database.listener(OUTBOX_CHANNEL, holding=holding)
                try:
                    while not self._stopping.is_set():
                        if listener.wait(IDLE_SECONDS / 4):
                            self._wake.set()
                finally:
                    listener.close()
            except HostUnavailable:
                self._stopping.wait(IDLE_SECONDS)


class EmbeddedTransport(Transport):
    """The way of a member whose messages go straight to the outbox of an open office; see `Transport`.

    Args:
        office: the office; its host carries the messages on.
        at_once: whether what travels alone is handled at once, in this process: not where services have their own.
    """

    patience = 0.0

    def __init__(self, office: Office, *, at_once: bool = False) -> None:
        self.office = office
        self._at_once = at_once

    def send(self, message: Message) -> None:
        """Hand one message over; see `Transport`."""
        outcome = self.office.processor.intake(message.seal, message.payload)
        if outcome.refusal:
            raise outcome.refusal

    def send_alone(self, message: Message) -> None:
        """Hand over one message that travels alone; see `Transport`."""
        takers = self.office.takers(message.type)
        if self._at_once and len(takers) == 1:
            # One transaction in place of three. What several services take they must all get, so the outbox carries it.
            refusal = self.office.processor.deliver(takers[0], message.seal, message.payload).refusal
            if refusal is not None:
                raise refusal
        else:
            self.send(message)

    def outcome(self, message: Message) -> Sequence[Reason] | None:
        """Return what became of a message; see `Transport`."""
        with self.office.database.transaction() as transaction:
            found = outcome_of(transaction, message.seal, self.office.takers)
        if found.refusal is not None:
            return reasons_of(found.refusal)
        return [] if found.is_handled else None

    def ask(self, submission: str) -> Incoming | None:
        """Return the sealed receipt, if it is there; see `Transport`."""
        office = self.office
        key, now = office.processor.platform_key, office.clock.now()
        with office.database.transaction() as transaction:
            if receipts.receipt(transaction, submission) is not None:
                receipt = mailbox.receipt_of(transaction, submission, key, now=now)
                later = receipts.superseded_by(transaction, submission, kinds=kinds())
                return None if receipt is None else Incoming(receipt.seal, receipt.payload, superseded_by=later)
            refusal = dead_letters.refusal_of(transaction, submission)
        if refusal:
            raise refusal
        return None
