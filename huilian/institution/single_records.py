"""Records that travel alone: each is checked, signed, sent, and answered before the next one leaves.

Nothing is written to the spool: whoever sends a record waits for its answer. One that was sent and not answered may
still be handled. Records are sent in the order of their file, since a step may rest on the one before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import (
    AccessDenied,
    FileRefused,
    HostUnavailable,
    MessageRefused,
    UsageError,
    reason,
    reasons_of,
)
from huilian.institution.sync import RECEIPT_SECONDS, patiently, wait_for
from huilian.records.record_files import NO_RECORD, breaches
from huilian.wire import envelope
from huilian.wire.envelope import Draft

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.core.clock import Clock
    from huilian.core.errors import Reason
    from huilian.institution.transports.base import Transport
    from huilian.wire.access import AccessRules
    from huilian.wire.catalogue import Catalogue, Contract
    from huilian.wire.envelope import Message
    from huilian.wire.keys import SigningKey

__all__ = ["ANSWER_SECONDS", "Answered", "SingleRecords", "sendable"]


ANSWER_SECONDS: Final = RECEIPT_SECONDS
"""How long the answer to one record is waited for: as long as a push waits for its receipt."""
FIRST_PAUSE_SECONDS: Final = 0.002
"""Between two looks for an answer, at first: most records are handled in a few thousandths of a second."""


def sendable(catalogue: Catalogue, access: AccessRules) -> list[str]:
    """Return the types of record that some kind of member may send."""
    records = {contract.type for contract in catalogue.contracts.values() if not contract.xml}
    return sorted(name for name in records if access.send.get(name, frozenset()) - {"platform"})


@dataclass(frozen=True)
class Answered:
    """What became of one record.

    Args:
        line: where it stands in its file.
        message: the id of the message that it travelled in; None where it did not leave.
        reasons: why it was not accepted, all of them; empty where it was.
    """

    line: int
    message: str | None
    reasons: Sequence[Reason] = ()

    @property
    def is_accepted(self) -> bool:
        """Return whether the county accepted it."""
        return not self.reasons


class SingleRecords:
    """Sends records of one contract for one member.

    Args:
        contract: what they keep.
        member: who sends them.
        key: the member's.
        transport: the way to the county.
        clock: the time of day.
        county: its six digits, where they are known: a region outside it is not sent.
        seconds: how long to wait for each answer.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        member: str,
        key: SigningKey,
        transport: Transport,
        clock: Clock,
        county: str | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._contract = contract
        self._schema = contract.schema()
        self._member = member
        self._key = key
        self._transport = transport
        self._clock = clock
        self._county = county
        self._seconds = seconds

    def submit(self, line: int, record: Mapping[str, Any] | None) -> Answered:
        """Send one record and wait for its answer; one that breaks its contract does not leave.

        Args:
            line: where it stands.
            record: None where there stands something else than a record.

        Raises:
            HostUnavailable: HL5001 to HL5003, the other side is away; HL5016, it did not answer in time.
        """
        if record is None:
            return Answered(line, None, [reason(NO_RECORD)])
        if faults := breaches(self._schema, record, self._county):
            return Answered(line, None, [reason(code, field) for field, code in faults])
        message = self._sealed(record)
        try:
            patiently(lambda: self._transport.send_alone(message), self._transport.patience)
        except (MessageRefused, AccessDenied, FileRefused) as refusal:
            return Answered(line, message.id, reasons_of(refusal))
        return Answered(line, message.id, self._answer(message))

    def _sealed(self, record: Mapping[str, Any]) -> Message:
        # In the contract's order, so that the same record is the same bytes however its file is written.
        ordered = {name: record[name] for name in self._schema.fields if name in record}
        end = "\n" if self._contract.bulk else ""
        body = (json.dumps(ordered, ensure_ascii=False, separators=(",", ":")) + end).encode()
        contract = self._contract
        draft = Draft(contract.type, contract.dataschema, self._member, body, bulk=contract.bulk)
        return envelope.seal(draft, self._key, source=self._member, time=self._clock.now())

    def _answer(self, message: Message) -> Sequence[Reason]:
        def look() -> Sequence[Reason] | None:
            try:
                return self._transport.outcome(message)
            except HostUnavailable:
                return None  # it may be starting again; the message is kept there
            except UsageError as error:
                # Refused before its signature was found to hold, by a service: the county keeps nothing of it.
                return reasons_of(error)

        found = wait_for(look, seconds=self._seconds, pause=FIRST_PAUSE_SECONDS)
        if found is None:
            raise HostUnavailable("HL5016", seconds=int(self._seconds))
        return found
