"""A receipt over HTTP is believed by its seal: whoever answers at the county's address cannot make one up."""

from __future__ import annotations

import dataclasses
import http.server
import json
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import pytest

from huilian.core.errors import HostUnavailable, MessageRefused
from huilian.county.members import directory
from huilian.institution.edge import open_edge
from huilian.institution.edge.agent import lasting_errors
from huilian.institution.edge.settings import load, save
from huilian.institution.spool import Spool
from huilian.institution.transports.http import HttpTransport
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from huilian.wire.keys import SigningKey
from huilian.wire.names import SEAL_HEADER
from tests.support.county_over_http import BANK, OTHER_BANK, CountyOverHttp, county_over_http
from tests.support.edge import edge_home, go, names, receipts, run_edge
from tests.support.push import ledger, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from huilian.settings import Home
    from tests.support.servers.postgresql import PostgreSQLNode

Sealed = tuple[str, bytes]
FILE = "RCB01_LOAN_20240531.csv"
QUICK = {
    "huilian.institution.edge.agent.FOLLOW_UP_SECONDS": 0.2,
    "huilian.institution.edge.agent.FETCH_CAP_SECONDS": 0.2,
}


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountyOverHttp]:
    """One county for all tests."""
    postgresql_node.start()
    url = postgresql_node.create_database("receipts")
    with county_over_http(tmp_path_factory.mktemp("county"), url) as served:
        yield served
    postgresql_node.drop_database("receipts")


class _Between(http.server.BaseHTTPRequestHandler):
    """Stands between a member and the county: passes everything on, and changes receipts."""

    county: ClassVar[str] = ""
    forge: ClassVar[Callable[[str, bytes], Sealed] | None] = None

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
        answer = httpx.request(
            self.command, f"{self.county}{self.path}", headers=kept, content=body or None, trust_env=False
        )
        seal, content = answer.headers.get(SEAL_HEADER, ""), answer.content
        forge = type(self).forge
        if "/receipts/" in self.path and answer.status_code == httpx.codes.OK and forge is not None:
            seal, content = forge(seal, content)
        elif "/outgoing" in self.path and forge is not None:
            content = b""  # and holds the right one back
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(content)))
        if seal:
            self.send_header(SEAL_HEADER, seal)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _pass_on  # noqa: N815  # the names it is called by

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def between(county: CountyOverHttp) -> Iterator[str]:
    """The URL of a server that passes everything on to the county."""
    _Between.county, _Between.forge = county.url, None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Between) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def sealed(
    county: CountyOverHttp,
    receipt: dict[str, Any],
    *,
    key: SigningKey | None = None,
    **changes: Any,  # noqa: ANN401
) -> Sealed:
    """Seal a receipt, with the platform's own key unless another is given."""
    body = json.dumps(receipt, ensure_ascii=False).encode()
    draft = {"type": "receipt", "dataschema": "receipt/v1", "subject": BANK, "submission": receipt["submission"]}
    source = changes.pop("source", "HUILIAN")
    signing = key or county.office.home.keys.current("HUILIAN")
    message = envelope.seal(
        Draft(body=body, **(draft | changes)), signing, source=source, time=county.office.clock.now()
    )
    return message.seal, message.payload


def _of_another_submission(county: CountyOverHttp, receipt: dict[str, Any]) -> Sealed:
    other = f"{BANK}-loan_ledger-20240131-0123456789abcdef"
    return sealed(county, receipt | {"submission": other, "status": "accepted"})


FORGERIES: dict[str, tuple[Callable[[CountyOverHttp, str, bytes], Sealed], str]] = {
    "no seal": (lambda _county, _seal, body: ("", body), "HL1009"),
    "altered": (lambda _county, seal, body: (seal, body.replace(b'"accepted":12', b'"accepted":13')), "HL1001"),
    "a stranger's key": (
        lambda county, _seal, body: sealed(county, json.loads(body), key=SigningKey.generate()),
        "HL1002",
    ),
    "another member's seal": (
        lambda county, _seal, body: sealed(
            county, json.loads(body), key=county.office.home.keys.current(OTHER_BANK), source=OTHER_BANK
        ),
        "HL1004",
    ),
    "for another member": (lambda county, _seal, body: sealed(county, json.loads(body), subject=OTHER_BANK), "HL1004"),
    "no receipt": (
        lambda county, _seal, body: sealed(county, json.loads(body), type="notices", dataschema="notices/v1"),
        "不是这个提交的回执",
    ),
    "of another submission": (
        lambda county, _seal, body: _of_another_submission(county, json.loads(body)),
        "不是这个提交的回执",
    ),
    "of another file": (
        lambda county, _seal, body: sealed(county, json.loads(body) | {"file_sha256": "0" * 64}),
        "file_sha256 与所报送的不符",
    ),
    "about another member": (
        lambda county, _seal, body: sealed(county, json.loads(body) | {"member": OTHER_BANK}),
        "member 与所报送的不符",
    ),
    "that calls itself otherwise": (
        lambda county, _seal, body: sealed(
            county, json.loads(body) | {"submission": "x"}, submission=json.loads(body)["submission"]
        ),
        "submission 与所报送的不符",
    ),
}


def forge(county: CountyOverHttp, case: str) -> None:
    """Have receipts be forged from now on."""
    make, _ = FORGERIES[case]
    _Between.forge = staticmethod(lambda seal, body: make(county, seal, body))


def number_of(case: str) -> int:
    """Return a number for a case: each pushes a ledger of its own."""
    return 100 + list(FORGERIES).index(case)


@pytest.mark.parametrize("case", FORGERIES)
def test_a_push_believes_no_receipt_that_the_platform_did_not_seal_for_what_was_sent(
    county: CountyOverHttp, between: str, tmp_path: Path, case: str
):
    """It says so at once; the file waits, sealed; asked of the county itself, the receipt is there."""
    source = ledger(tmp_path, range(number_of(case) * 12, number_of(case) * 12 + 12))
    home = county.office.home
    way = HttpTransport(between, county.secrets[BANK], patience=0)
    forge(county, case)
    with pytest.raises(HostUnavailable) as doubted:
        send(source, county.office, way)
    assert doubted.value.code == "HL5011"
    assert FORGERIES[case][1] in doubted.value.chinese
    spooled = Spool(home.spool).find(str(doubted.value.facts["submission"]))
    assert spooled is not None
    assert (spooled.receipt, spooled.sent) == (None, spooled.count)
    _Between.forge = None
    receipt = send(source, county.office, way).receipt
    assert (receipt["submission"], receipt["status"], receipt["rows"]) == (spooled.folder.name, "accepted", 12)


@pytest.mark.parametrize("case", ["no seal", "of another file"])
def test_an_edge_lets_its_file_wait_and_says_why(
    county: CountyOverHttp, between: str, tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
):
    """Nothing is written out, nothing is sent anew; when the right receipt comes, the file is answered."""
    for name, value in QUICK.items():
        monkeypatch.setattr(name, value)
    bank = _edge(county, between, tmp_path)
    number = 50 + list(FORGERIES).index(case)
    ledger(bank.folder / "inbox", range(number * 12, number * 12 + 12))
    forge(county, case)
    with open_edge(bank, settle=0) as edge:
        go(edge, lambda: any(each["code"] == "HL5011" for each in lasting_errors(edge.journal)))
        assert set(edge.journal.inbox.counts()) == {"sent"}
    assert names(bank.folder / "outbox") == []
    _Between.forge = None
    run_edge(bank)
    [sent] = Spool(bank.spool).submissions()
    assert sent.receipt is not None
    # With those of the other tests' files, which are the bank's as well.
    assert sent.receipt in receipts(bank)
    assert (sent.receipt["status"], names(bank.folder / "done")) == ("accepted", [FILE])


def test_a_receipt_of_another_file_that_comes_by_itself_ends_nothing(
    county: CountyOverHttp, between: str, tmp_path: Path
):
    """Sealed by the platform, under the name of what was sent, and of another file: the file waits on."""
    bank = _edge(county, between, tmp_path)
    ledger(bank.folder / "inbox", range(9_000, 9_012))
    with open_edge(bank, settle=0) as edge:
        go(edge, lambda: bool(names(bank.folder / "done")))
        [[submission]] = [[each.folder.name] for each in Spool(bank.spool).submissions()]
    true = Spool(bank.spool).find(submission)
    assert true is not None
    before = true.receipt
    assert before is not None
    with county.office.database.transaction() as transaction:
        false = json.dumps(before | {"file_sha256": "0" * 64, "status": "refused", "code": "HL3012"}).encode()
        county.office.processor.send(transaction, Draft("receipt", "receipt/v1", BANK, false, submission=submission))
    county.host.drain()
    with open_edge(bank, settle=0) as edge:
        go(edge, lambda: edge.journal.fact("unwritten") == "HL5011")
    assert true.receipt == before
    assert names(bank.folder / "done") == [FILE]


def test_a_push_with_a_key_that_is_entered_later_goes_through_when_it_is_run_again(
    county: CountyOverHttp, tmp_path: Path
):
    """At the county nothing is left but a count: the file is still in the sender's spool, and is sent from there."""
    source = ledger(tmp_path, range(7_000, 7_012))
    new = county.office.home.keys.create(BANK)
    with pytest.raises(MessageRefused, match="HL1002"):
        send(source, county.office, county.transport())
    assert county.value("SELECT count(*) FROM huilian.dead_letter") == 0
    assert county.value("SELECT times FROM huilian.refusal_count WHERE code = 'HL1002'") == 1
    with county.office.database.transaction() as transaction:
        directory.add_key(transaction, BANK, new.public, now=county.office.clock.now(), actor="test")
    assert send(source, county.office, county.transport()).receipt["status"] == "accepted"


def _edge(county: CountyOverHttp, url: str, folder: Path) -> Home:
    home = edge_home(folder / "bank", county.office.home, to=url, token=county.secrets[BANK])
    save(home, dataclasses.replace(load(home, {}), to=url))
    return home
