"""The HTTP client: what it refuses to do, what it says when it fails, and what it never says."""

from __future__ import annotations

import http.server
import json
import logging
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from huilian.cli.queries import Reader
from huilian.core.errors import AccessDenied, HostUnavailable, MessageRefused, UsageError, told
from huilian.institution.transports.http import HttpTransport
from huilian.settings import Home
from tests.support.push import receipt
from tests.support.servers.certificates import issue_server_certificate
from tests.support.servers.node import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "s3cret-t0ken"  # noqa: S105  # of no server


def transport(url: str) -> HttpTransport:
    """Return the way in of a member."""
    return HttpTransport(url, TOKEN, patience=0)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The data directory of a member that trusts nobody yet."""
    return Home(tmp_path / "home", {})


class _Answers(http.server.BaseHTTPRequestHandler):
    """Gives the answers it was told to, one after another, the last again and again."""

    answers: ClassVar[list[tuple[int, str]]] = []
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append((self.path, self.headers.get("Authorization")))
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The URL of a server that answers with `_Answers`."""
    _Answers.answers, _Answers.asked = [], []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def _error(code: str) -> str:
    return json.dumps({"code": code, "message": "中文", "message_en": "English"})


# Where it goes


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://office.example", "plain http:// is for this machine only; use https://office.example"),
        ("http://10.0.0.1:8341/", "plain http:// is for this machine only; use https://10.0.0.1:8341"),
        ("ftp://office.example", "must look like https://host"),
        ("office.example", "must look like https://host"),
        ("https://", "must look like https://host"),
        ("https://office.example/?a=b", "must look like https://host"),
        ("https://office.example:99999", "must look like https://host"),
        ("https://[broken", "must look like https://host"),
        ("https://user:hunter2@office.example", "use a token"),
        ("https://hunter2@office.example", "use a token"),
    ],
)
def test_an_address_that_is_not_safe_is_refused_with_what_to_do(url: str, words: str):
    """Encrypted, without credentials; nothing secret is repeated."""
    with pytest.raises(UsageError) as refused:
        transport(url)
    assert refused.value.code == "HL7001"
    assert words in refused.value.english
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:8341", "http://127.0.0.1", "http://[::1]:8341", "https://x.example/a/"]
)
def test_this_machine_may_be_spoken_to_plainly(url: str):
    """And any other encrypted."""
    transport(url).close()


def test_a_server_below_a_path_is_asked_there(server: str):
    """As behind a proxy; the token goes in its header."""
    _Answers.answers = [(200, '{"loans": 1}')]
    assert Reader(f"{server}/huilian/", TOKEN).ask("statistics", month="2024-05", region="341599") == {"loans": 1}
    assert _Answers.asked == [
        ("/huilian/api/v1/statistics?month=2024-05&region=341599", f"Bearer {TOKEN}"),
    ]


def test_the_servers_certificate_is_verified(tmp_path: Path):
    """Unknown authority: refused, with what to do; named: trusted."""
    certificates = issue_server_certificate(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate_file, certificates.key_file)
    _Answers.answers = [(200, '{"submissions": []}')]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as running:
        running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"https://127.0.0.1:{running.server_port}"
        try:
            with pytest.raises(UsageError, match="is not trusted; name the file of the authority"):
                Reader(url, TOKEN).ask("submissions")["submissions"]
            assert Reader(url, TOKEN, certificates.ca_file).ask("submissions")["submissions"] == []
        finally:
            running.shutdown()
            thread.join()


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path):
    """Before anything is sent."""
    (tmp_path / "ca.pem").write_text("not PEM")
    with pytest.raises(UsageError, match=r"ca\.pem .*is not a file of certificates in PEM"):
        HttpTransport("https://office.example", TOKEN, tmp_path / "ca.pem")


# What it says


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, _error("HL4002"), AccessDenied, "HL4002"),
        (400, _error("HL7003"), UsageError, "HL7003"),
        (409, _error("HL1007"), MessageRefused, "HL1007"),
        # A code of a newer server than this client.
        (400, _error("HL1999"), MessageRefused, "HL1999"),
        (503, _error("HL5001"), HostUnavailable, "HL5003"),
        (502, "<html>Bad gateway</html>", HostUnavailable, "HL5003"),
        (404, "<html>Not found</html>", HostUnavailable, "HL5003"),
        (400, "[]", HostUnavailable, "HL5003"),
        (301, "", HostUnavailable, "HL5003"),
    ],
)
def test_an_answer_becomes_the_error_it_tells_of(server: str, status: int, body: str, kind: type, code: str):
    """By its code; whatever is not ours is a server that is away, named without its token."""
    _Answers.answers = [(status, body)]
    with pytest.raises(kind) as raised:
        Reader(server, TOKEN).ask("statistics", month="2024-05")
    error = raised.value
    assert error.code == code
    if code == "HL5003":
        assert error.english == f"the server {server} is not available now: HTTP {status}"
    else:
        assert (error.chinese, error.english) == ("中文", "English")


def test_a_server_that_is_away_is_named_without_its_token(caplog: pytest.LogCaptureFixture, home: Home):
    """Neither error nor log has the secret, at any level."""
    url = f"http://127.0.0.1:{free_port()}"
    with caplog.at_level(logging.DEBUG), pytest.raises(HostUnavailable) as away:
        receipt(home, transport(url), "RCB01-x", seconds=0)
    assert away.value.english == f"the server {url} is not available now: ConnectError"
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(away.value.__cause__)


def test_an_error_told_again_keeps_its_texts():
    """Without its Chinese text the catalogue's is taken, or where that needs facts the English one."""
    assert told("HL1001", "altered").chinese == "签名与内容不符，报文可能被改动"
    assert told("HL1002", "the signing key k is not registered").chinese == "the signing key k is not registered"
    assert (str(told("HL4002", "revoked", "停用")), told("HL4002", "revoked", "停用").chinese) == (
        "HL4002 revoked",
        "停用",
    )


# Waiting for a receipt


def test_a_receipt_is_waited_for(server: str, home: Home):
    """Not known, then being applied, then a server that starts again, then there, though not to be believed."""
    _Answers.answers = [(404, _error("HL7008")), (202, '{"status": "receiving"}'), (503, _error("HL5001")), (200, "{}")]
    began = time.monotonic()
    with pytest.raises(HostUnavailable, match=r"HL5011 the receipt of RCB01-a/b is not to be believed: HL1009"):
        receipt(home, transport(server), "RCB01-a/b", seconds=5)
    assert time.monotonic() - began < 2
    assert [path for path, _ in _Answers.asked] == ["/api/v1/receipts/RCB01-a%2Fb"] * 4


def test_without_time_to_wait_it_is_one_look(server: str, home: Home):
    """Nothing yet is no error."""
    _Answers.answers = [(404, _error("HL7008"))]
    assert receipt(home, transport(server), "RCB01-x", seconds=0) is None
    assert len(_Answers.asked) == 1


def test_what_a_server_says_steers_no_terminal(server: str, home: Home):
    """Whoever answers in the county's place could else write anything over what stands there."""
    body = json.dumps({"code": "HL1007\x1b[2J", "message": "中\x1b[31m文", "message_en": "a\rb\x9b"})
    _Answers.answers = [(409, body)]
    with pytest.raises(MessageRefused) as refused:
        receipt(home, transport(server), "RCB01-x", seconds=1)
    error = refused.value
    assert (error.code, error.chinese, error.english) == ("HL1007 [2J", "中 [31m文", "a b ")


def test_a_refusal_ends_the_wait(server: str, home: Home):
    """There will be no receipt."""
    _Answers.answers = [(202, '{"status": "receiving"}'), (409, _error("HL1007"))]
    with pytest.raises(MessageRefused):
        receipt(home, transport(server), "RCB01-x", seconds=60)


# Lines


def test_lines_end_at_line_feeds_only(server: str):
    """A value may hold what other readers take for a line's end."""
    values: list[dict[str, Any]] = [{"purpose": "a\u2028b\x85c"}, {"purpose": "养殖" * 30_000}, {"purpose": ""}]
    _Answers.answers = [(200, "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values))]
    with Reader(server, TOKEN).rows("feed/loans", region="341599") as feed:
        assert [json.loads(line) for line in feed.lines] == values
    assert feed.cursor is None
