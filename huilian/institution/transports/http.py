"""Over HTTP: sealed messages to the county's server, receipts from it; and what can be read there."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from huilian.clock import SystemClock
from huilian.errors import HostUnavailable, UsageError
from huilian.http_names import CURSOR_HEADER, NOT_TAKEN_HEADER, SEAL_HEADER, SUPERSEDED_HEADER
from huilian.institution import receipts
from huilian.institution.push import wait_for
from huilian.institution.transports.http_client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from huilian.clock import Clock
    from huilian.envelope import Message
    from huilian.home import Home

__all__ = ["Feed", "HttpReader", "HttpTransport"]

FIRST_PAUSE_SECONDS: Final = 0.015
"""Between looks for a receipt, at first; a small ledger is applied in about twice that."""
PATIENCE_SECONDS: Final = 20.0
"""How long a send waits for a server that went away."""
RETRY_SECONDS: Final = 0.5
ACCEPTED: Final = 202


class HttpTransport:
    """A member's way to the county over HTTP; see `huilian.institution.push.Transport`.

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


@dataclass(frozen=True)
class Feed:
    """An answer of many rows while it comes in.

    Args:
        cursor: what to give as `since` the next time, once every line is read; None where
            the answer has no cursor.
        lines: its lines, without their ends.
        not_taken: what of the files it rests on was not taken, as the statistics' `rests_on` has it.
    """

    cursor: str | None
    lines: Iterator[str]
    not_taken: list[dict[str, Any]] = field(default_factory=list)


class HttpReader:
    """What can be read from a county's server.

    Args:
        url: `https://host[:port][/prefix]`; plain `http://` to this machine only.
        token: a reading token; what it may read is what is answered.
        ca_file: certificates to trust besides the usual ones.

    Every method raises `AccessDenied` for what the token may not read, `UsageError` for
    what makes no sense, and `HostUnavailable` when the server is away.
    """

    def __init__(self, url: str, token: str | None, ca_file: Path | None = None) -> None:
        self._client = Client(url, token, ca_file=ca_file)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def statistics(
        self,
        *,
        month: str,
        region: str | None = None,
        by: str | None = None,
        institution: str | None = None,
        product: str | None = None,
    ) -> dict[str, Any]:
        """Return the figures of a region at the end of a month."""
        query = {"region": region, "month": month, "by": by, "institution": institution, "product": product}
        return dict(self._client.ask("GET", "/statistics", query=query).json())

    def scoreboard(self, *, month: str, institution: str | None = None) -> dict[str, Any]:
        """Return what institutions have sent for a month; a member's token sees its own."""
        query = {"month": month, "institution": institution}
        return dict(self._client.ask("GET", "/scoreboard", query=query).json())

    @contextlib.contextmanager
    def feed(  # each a parameter of the address
        self,
        name: str = "loans",
        *,
        region: str | None = None,
        since: str | None = None,
        month: str | None = None,
        institution: str | None = None,
        format: str = "ndjson",  # noqa: A002  # the parameter's name on both sides
    ) -> Iterator[Feed]:
        """Give a feed line by line: the loans that changed since a cursor, or "guarantees", "policies" and others."""
        query = {"region": region, "since": since, "month": month, "institution": institution, "format": format}
        with self._client.stream(f"/feed/{name}", query) as answer:
            left = json.loads(answer.headers.get(NOT_TAKEN_HEADER, "[]"))
            yield Feed(answer.headers.get(CURSOR_HEADER), _lines(answer), left)

    @contextlib.contextmanager
    def differences(
        self,
        *,
        region: str | None = None,
        institution: str | None = None,
        format: str = "ndjson",  # noqa: A002  # the parameter's name on both sides
    ) -> Iterator[Feed]:
        """Give what does not match within a region, line by line."""
        query = {"region": region, "institution": institution, "format": format}
        with self._client.stream("/differences", query) as answer:
            yield Feed(None, _lines(answer))

    def receipt(self, submission: str) -> dict[str, Any] | None:
        """Return what the server says is the receipt of a submission; None while it is not applied or not known.

        Raises:
            MessageRefused: a message of it was refused.
        """
        answer = _answer(self._client, submission)
        return None if answer is None else dict(answer.json())

    def submissions(self, *, member: str | None = None) -> list[dict[str, Any]]:
        """Return the submissions the token may see, newest first."""
        return list(self._client.ask("GET", "/submissions", query={"member": member}).json()["submissions"])


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


def _lines(answer: httpx.Response) -> Iterator[str]:
    """Yield lines as they end by a line feed only: a value may hold what else is taken for a line's end."""
    rest = b""
    for chunk in answer.iter_bytes():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode()
    if rest:
        yield rest.decode()
