"""How an institution's edge speaks with the county: hand over, fetch, and ask what became of a submission.

Unlike the transports that `huilian push` takes, a link waits for nothing: a server that is
away is told at once, and the edge goes on with other things.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from huilian.broker import Broker, MissingQueue, member_queue
from huilian.envelope import BODY_LIMIT
from huilian.errors import HostUnavailable
from huilian.http_names import SEAL_HEADER, SUPERSEDED_HEADER
from huilian.institution.transports.http_client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from huilian.envelope import Message

__all__ = ["AmqpLink", "HttpLink", "Incoming", "Link"]

OK: Final = 200
LINE_BYTES: Final = 2 * BODY_LIMIT
"""Of a message in JSON: payload in base64, seal and cursor have three quarters of it."""


@dataclass(frozen=True)
class Incoming:
    """A message as it came, nothing of it verified.

    Args:
        seal: as it came.
        payload: as it came.
        cursor: what to go on after once it is kept; None where the server counts itself.
        is_superseded: of a receipt, whether another submission has taken the place of what it tells of.
    """

    seal: str
    payload: bytes
    cursor: str | None = None
    is_superseded: bool = False


class Link(Protocol):
    """One way to the county. Every method raises `HostUnavailable` when the other side is away."""

    def send(self, message: Message) -> None:
        """Hand one message over, durably.

        Raises:
            MessageRefused: the other side looked at it and refused it.
        """

    def fetch(self, cursor: str | None) -> Iterator[Incoming]:
        """Yield what waits for the member; asking for the next says that the one before is kept.

        Raises:
            UsageError: HL7004, the cursor is not the server's: begin without one.
        """

    def ask(self, submission: str) -> Incoming | None:
        """Return the sealed receipt of a submission where it can be asked for, or None.

        Raises:
            MessageRefused: a message of the submission was refused after it was taken.
            UsageError: HL7008, the other side knows of no such submission.
        """

    def close(self) -> None:
        """Close the connections."""


class AmqpLink:
    """Over RabbitMQ: messages to the exchange, answers from the member's own queue.

    Args:
        url: `amqps://user:password@host:port/vhost`.
        member: whose queue is read.
        ca_file: certificates to trust besides the system's.
    """

    def __init__(self, url: str, member: str, ca_file: Path | None = None) -> None:
        self._broker = Broker(url, ca_file=ca_file)
        self._queue = member_queue(member)
        self._held: tuple[Any, int, Incoming] | None = None
        """Channel, tag and message of what was fetched and not acknowledged."""

    def send(self, message: Message) -> None:
        """Hand one message over; see `Link`."""
        self._broker.publish(message)

    def fetch(self, cursor: str | None) -> Iterator[Incoming]:
        """Yield what waits in the queue, each acknowledged when the next is asked for; see `Link`."""
        del cursor  # the queue itself knows what was fetched
        while (held := self._held_here() or self._next()) is not None:
            # What could not be kept is given again, not returned: the queue gives a message up that often comes back.
            self._held = held
            yield held[2]
            self._held = None
            self._broker.ack(held[1])

    def ask(self, submission: str) -> Incoming | None:
        """Return None: a queue answers by itself."""
        del submission
        return None

    def close(self) -> None:
        """Close the connection."""
        self._broker.close()

    def _held_here(self) -> tuple[Any, int, Incoming] | None:
        # With its channel a message goes back to the queue, and comes again.
        return self._held if self._held is not None and self._held[0] is self._broker.channel() else None

    def _next(self) -> tuple[Any, int, Incoming] | None:
        try:
            found = self._broker.get(self._queue)
        except MissingQueue:
            return None
        if found is None:
            return None
        tag, seal, payload = found
        return self._broker.channel(), tag, Incoming(seal, payload)


class HttpLink:
    """Over HTTP: messages posted, answers fetched by a cursor.

    Args:
        url: `https://host[:port][/prefix]`.
        token: a token of the member.
        ca_file: certificates to trust besides the usual ones.

    Raises:
        UsageError: HL7001, the address is not one, is not encrypted, or holds credentials.
    """

    def __init__(self, url: str, token: str | None, ca_file: Path | None = None) -> None:
        self._client = Client(url, token, ca_file=ca_file)

    def send(self, message: Message) -> None:
        """Hand one message over; see `Link`."""
        headers = {SEAL_HEADER: message.seal, "Content-Type": "application/octet-stream"}
        self._client.ask("POST", "/messages", headers=headers, body=message.payload)

    def fetch(self, cursor: str | None) -> Iterator[Incoming]:
        """Yield what waits at the server after a cursor; see `Link`."""
        while True:
            before = cursor
            with self._client.stream("/outgoing", {"after": cursor}) as answer:
                for line in self._lines(answer):
                    incoming = self._read(line)
                    cursor = incoming.cursor
                    yield incoming
            # Asked once more after the last of them, the server knows that they are kept.
            if cursor == before:
                return

    def ask(self, submission: str) -> Incoming | None:
        """Return the sealed receipt, if it is there; see `Link`."""
        answer = self._client.ask("GET", f"/receipts/{quote(submission, safe='')}")
        if answer.status_code != OK:
            return None
        # Without a seal it is nothing to believe, but an answer: whoever asked must know.
        seal = answer.headers.get(SEAL_HEADER, "")
        return Incoming(seal, answer.content, is_superseded=SUPERSEDED_HEADER in answer.headers)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _lines(self, answer: httpx.Response) -> Iterator[bytes]:
        """Yield an answer's lines; one that is longer than any message never comes to its end here."""
        held = b""
        for piece in answer.iter_bytes():
            *lines, held = (held + piece).split(b"\n")
            yield from lines
            if len(held) > LINE_BYTES:
                raise HostUnavailable("HL5003", url=self._client.shown, what="a line is too long")
        if held:
            yield held

    def _read(self, line: bytes) -> Incoming:
        try:
            found = json.loads(line)
            payload = base64.b64decode(found["payload"], validate=True)
            return Incoming(str(found["seal"]), payload, str(found["cursor"]))
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            # Cut off in the middle of a line: it comes again.
            raise HostUnavailable("HL5003", url=self._client.shown, what="incomplete answer") from error
