"""Over HTTP: sealed messages to the county's server, receipts from it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from huilian import receipts
from huilian.clock import SystemClock
from huilian.errors import HostUnavailable, UsageError
from huilian.http_names import SEAL_HEADER, SUPERSEDED_HEADER
from huilian.push import wait_for
from huilian.transports.http_client import Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from huilian.clock import Clock
    from huilian.envelope import Message
    from huilian.home import Home

__all__ = ["HttpTransport"]

FIRST_PAUSE_SECONDS: Final = 0.015
"""Between looks for a receipt, at first; a small ledger is applied in about twice that."""
PATIENCE_SECONDS: Final = 20.0
"""How long a send waits for a server that went away."""
RETRY_SECONDS: Final = 0.5
ACCEPTED: Final = 202


class HttpTransport:
    """A member's way to the county over HTTP; see `huilian.push.Transport`.

    Args:
        url: `https://host[:port][/prefix]`; plain `http://` to this machine only.
        token: a reading token of the member, by which its receipts are fetched.
        ca_file: certificates to trust besides the usual ones.
        member: whose receipts they are.
        home: whose trusted keys verify them, and whose spool has what was sent.
        patience: seconds a send waits for a server that went away.
        first: done once, with the connection, before anything else is asked of the server.
        clock: says which of the trusted keys count.

    Raises:
        UsageError: HL7001, the address is not one, is not encrypted, or holds credentials.
    """

    asks_the_county = True

    def __init__(
        self,
        url: str,
        token: str | None,
        ca_file: Path | None = None,
        *,
        member: str,
        home: Home,
        patience: float = PATIENCE_SECONDS,
        first: Callable[[Client], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._client = Client(url, token, ca_file=ca_file)
        self._member = member
        self._home = home
        self._patience = patience
        self._first = first
        self._clock = clock or SystemClock()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, message: Message) -> None:
        """Hand one message over, durably. A server that is away is waited for a little while."""

        def hand_over() -> None:
            self._begin()
            # The media type is inside the seal; this one only keeps what lies between from guessing.
            headers = {SEAL_HEADER: message.seal, "Content-Type": "application/octet-stream"}
            self._client.ask("POST", "/messages", headers=headers, body=message.payload)

        _patiently(hand_over, self._patience)

    def receipt(self, submission: str, *, seconds: float) -> dict[str, Any] | None:
        """Return the receipt of a submission, its seal verified, waiting for it up to `seconds`.

        Raises:
            HostUnavailable: HL5011, what is given for it is not to be believed; HL5003, the server is away.
        """
        deadline = time.monotonic() + seconds

        def look() -> dict[str, Any] | None:
            try:
                self._begin()
                answer = _answer(self._client, submission)
            except HostUnavailable:
                # It may be starting again: the receipt is not lost. Without time to wait the caller must know.
                if time.monotonic() >= deadline:
                    raise
                return None
            if answer is None:
                return None
            seal = answer.headers.get(SEAL_HEADER, "")
            return receipts.verified(self._home, self._member, submission, seal, answer.content, now=self._clock.now())

        return wait_for(look, seconds=seconds, pause=FIRST_PAUSE_SECONDS)

    def superseded_by(self, submission: str) -> str | None:
        """Return what the county names beside the receipt; see `Transport`."""
        answer = self._client.ask("GET", f"/receipts/{quote(submission, safe='')}")
        later = answer.headers.get(SUPERSEDED_HEADER)
        return None if later is None else unquote(later)

    def _begin(self) -> None:
        if self._first is not None:
            self._first(self._client)
            self._first = None


def _answer(client: Client, submission: str) -> httpx.Response | None:
    try:
        answer = client.ask("GET", f"/receipts/{quote(submission, safe='')}")
    except UsageError as error:
        if error.code == "HL7008":
            return None
        raise
    return None if answer.status_code == ACCEPTED else answer


def _patiently(work: Callable[[], None], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            work()
        except HostUnavailable:
            if time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return
