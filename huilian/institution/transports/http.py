"""Over HTTP: sealed messages to the county's server, answers from it.

Connections are encrypted and the server's certificate is verified; only to this machine
itself may they be plain. The token stays in its header: no address, log or error has it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import ipaddress
import json
import ssl
import weakref
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

import httpx

from huilian.core.errors import HostUnavailable, HuilianError, Reason, UsageError, printable, told
from huilian.institution.transports.base import Incoming, Transport
from huilian.wire.envelope import BODY_LIMIT
from huilian.wire.names import OUTCOME_PATH, PREFIX, SEAL_HEADER, SUPERSEDED_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from huilian.wire.envelope import Message

__all__ = ["Client", "HttpTransport"]

TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)
"""Seconds: a payload of 4 MiB over a slow line, and an answer behind it, take less."""
SERVER_ERROR: Final = 500
OK: Final = 200
LINE_BYTES: Final = 2 * BODY_LIMIT
"""Of a message in JSON: payload in base64, seal and cursor have three quarters of it."""


class Client:
    """One server, and how it is asked.

    Args:
        url: `https://host[:port][/prefix]`.
        token: what to read with; None where nothing is read.
        ca_file: certificates to trust besides the usual ones.
        headers: of every request.

    Raises:
        UsageError: HL7001, the address is not one, is not encrypted, or holds credentials.
    """

    def __init__(
        self, url: str, token: str | None, *, ca_file: Path | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        parts = _checked(url)
        self.shown = f"{parts.scheme}://{parts.netloc}"
        loopback = parts.scheme == "http"
        self._client = httpx.Client(
            base_url=f"{self.shown}{parts.path.rstrip('/')}{PREFIX}",
            headers={**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})},
            timeout=TIMEOUT,
            verify=True if loopback else _trusting(ca_file),
            # A proxy for the world outside has no business between two processes of one machine.
            trust_env=not loopback,
        )
        # Whoever forgets to close it still leaves no socket behind.
        self.close = weakref.finalize(self, self._client.close)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> httpx.Response:
        """Ask once and return the answer, when it is a good one.

        Raises:
            HuilianError: what the server answered with, of the class its code belongs to.
            HostUnavailable: HL5003, it is away, or something that is no Huilian answers.
            UsageError: HL7001, its certificate is not trusted.
        """
        with self._away():
            answer = self._client.request(method, path, params=_given(query), headers=headers, content=body)
        self._check(answer)
        return answer

    @contextlib.contextmanager
    def stream(self, path: str, query: Mapping[str, str | None]) -> Iterator[httpx.Response]:
        """Ask once and give the answer while it is still coming in; see `ask`."""
        with self._away(), self._client.stream("GET", path, params=_given(query)) as answer:
            if not answer.is_success:
                answer.read()
            self._check(answer)
            yield answer

    @contextlib.contextmanager
    def _away(self) -> Iterator[None]:
        try:
            yield
        except httpx.RequestError as error:
            if _is_about_certificate(error):
                what = (
                    f"{self.shown} 的证书不受信任，请指明签发它的 CA 证书"
                    f" (the certificate of {self.shown} is not trusted; name the file of the authority that issued it)"
                )
                raise UsageError("HL7001", what=what) from error
            raise HostUnavailable("HL5003", url=self.shown, what=type(error).__name__) from error

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        if answer.status_code < SERVER_ERROR:
            error = _told_by(answer)
            if error is not None:
                raise error
        raise HostUnavailable("HL5003", url=self.shown, what=f"HTTP {answer.status_code}")


class HttpTransport(Transport):
    """A member's way to the county over HTTP; see `Transport`.

    Args:
        url: `https://host[:port][/prefix]`; plain `http://` to this machine only.
        token: a token of the member, by which its answers are fetched.
        ca_file: certificates to trust besides the usual ones.
        patience: see `Transport`.
        first: done once, with the connection, before anything else is asked of the server.

    Raises:
        UsageError: HL7001, the address is not one, is not encrypted, or holds credentials.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        ca_file: Path | None = None,
        *,
        patience: float = Transport.patience,
        first: Callable[[Client], None] | None = None,
    ) -> None:
        self.patience = patience
        self._client = Client(url, token, ca_file=ca_file)
        self._first = first

    def send(self, message: Message) -> None:
        """Hand one message over; see `Transport`."""
        # The media type is inside the seal; this one only keeps what lies between from guessing.
        headers = {SEAL_HEADER: message.seal, "Content-Type": "application/octet-stream"}
        self._begun().ask("POST", "/messages", headers=headers, body=message.payload)

    def fetch(self, cursor: str | None) -> Iterator[Incoming]:
        """Yield what waits at the server after a cursor; see `Transport`."""
        while True:
            before = cursor
            with self._begun().stream("/outgoing", {"after": cursor}) as answer:
                for line in self._lines(answer):
                    incoming = self._read(line)
                    cursor = incoming.cursor
                    yield incoming
            # Asked once more after the last of them, the server knows that they are kept.
            if cursor == before:
                return

    def ask(self, submission: str) -> Incoming | None:
        """Return the sealed receipt, if it is there; see `Transport`."""
        answer = self._begun().ask("GET", f"/receipts/{quote(submission, safe='')}")
        if answer.status_code != OK:
            return None
        # Without a seal it is nothing to believe, but an answer: whoever asked must know.
        seal, later = answer.headers.get(SEAL_HEADER, ""), answer.headers.get(SUPERSEDED_HEADER)
        return Incoming(seal, answer.content, superseded_by=None if later is None else unquote(later))

    def outcome(self, message: Message) -> Sequence[Reason] | None:
        """Ask what became of a message, by its seal; see `Transport`."""
        answer = self._begun().ask("GET", OUTCOME_PATH, headers={SEAL_HEADER: message.seal})
        try:
            found = answer.json()
            names = Reason.__required_keys__
            reasons = [Reason(**{name: each[name] for name in names}) for each in found["reasons"]]  # type: ignore[typeddict-item]  # its keys
            return {"waiting": None, "accepted": [], "refused": reasons}[found["status"]]
        except (ValueError, KeyError, TypeError) as error:
            raise HostUnavailable("HL5003", url=self._client.shown, what="no answer of ours") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _begun(self) -> Client:
        if self._first is not None:
            self._first(self._client)
            self._first = None
        return self._client

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


def _told_by(answer: httpx.Response) -> HuilianError | None:
    """Return the error a server of ours answered with; None when it is not one of ours that answered."""
    try:
        content = answer.json()
        code, english, chinese = (printable(str(content[name])) for name in ("code", "message_en", "message"))
        return told(code, english, chinese)
    except (ValueError, KeyError, TypeError):
        return None


def _given(query: Mapping[str, str | None] | None) -> dict[str, str] | None:
    return {name: value for name, value in query.items() if value is not None} if query else None


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.username is not None or parts.password is not None:
        what = "服务器地址中不得含用户名或密码，请使用令牌 (leave user and password out of the address; use a token)"
        raise UsageError("HL7001", what=what)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment or port == 0:
        what = "服务器地址应形如 https://host[:port] (the server's address must look like https://host[:port])"
        raise UsageError("HL7001", what=what)
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        what = (
            f"http:// 只可用于本机；请改用 https://{parts.netloc}"
            f" (plain http:// is for this machine only; use https://{parts.netloc})"
        )
        raise UsageError("HL7001", what=what)
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError):
            what = f"{ca_file.name} 不是 PEM 格式的 CA 证书 (is not a file of certificates in PEM)"
            raise UsageError("HL7001", what=what) from None
    return context


def _is_about_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
