"""An institution's edge for tests: a data directory beside a county's, with the bank's key and the platform's."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import huilian.core.retry
import huilian.institution.edge.agent
from huilian.adapters import loading
from huilian.core.errors import HostUnavailable, UsageError, told
from huilian.institution.edge import open_edge
from huilian.institution.edge.folders import Folders
from huilian.institution.edge.settings import EdgeSettings, save
from huilian.institution.journal import OPEN, REFUSED_HERE
from huilian.institution.transports.base import Incoming
from huilian.settings import Home
from huilian.wire import envelope
from huilian.wire.envelope import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.institution.edge import Edge
    from huilian.wire.envelope import Message
    from huilian.wire.keys import SigningKey

ADAPTER = "rural_commercial_bank"
BANK = "RCB01"
COUNTY = "341599"
PATIENCE_SECONDS = 30.0


def edge_home(
    folder: Path,
    county: Home,
    *,
    to: str = "",
    token: str = "",
    ca_file: str = "",
    member: str = BANK,
    adapter: str = ADAPTER,
) -> Home:
    """Set up the edge of a member: the key that its county entered, moved to where it belongs."""
    home = Home(folder, environment={})
    save(home, EdgeSettings(member, adapter, COUNTY, to, ca_file, token))
    Folders(folder).make()
    shutil.copytree(county.folder / "keys" / member, folder / "keys" / member)
    for key in county.trusted_keys("HUILIAN"):
        home.trust("HUILIAN", key)
    return home


def be_quick() -> None:
    """Have edges wait less between looks from now on; for a process of its own, or undone by monkeypatch."""
    huilian.institution.edge.agent.FOLLOW_UP_SECONDS = 0.2  # type: ignore[misc]  # final to everybody else
    huilian.institution.edge.agent.FETCH_CAP_SECONDS = 0.2  # type: ignore[misc]  # final to everybody else
    huilian.core.retry.FIRST_SECONDS = 0.1  # type: ignore[misc]  # final to everybody else


def names(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def go(edge: Edge, until: Any = None) -> None:  # noqa: ANN401  # a question without arguments
    """Go round until a question is answered, or until nothing waits for the county any more."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    stopping = threading.Event()

    def idle() -> bool:
        states = edge.journal.inbox.counts().keys()
        return not (edge.inbox.waiting or states & {*OPEN, *REFUSED_HERE} or edge.journal.messages.unwritten())

    edge.recover()
    while edge.round(stopping) or not (until or idle)():
        assert time.monotonic() < deadline, "it did not come to its end"
        time.sleep(0.02)


def run_edge(home: Home, until: Any = None) -> None:  # noqa: ANN401  # a question without arguments
    """Open an edge, let it go on until nothing waits, and close it."""
    with open_edge(home, settle=0) as edge:
        go(edge, until)


def receipts(home: Home, member: str = BANK) -> list[dict[str, Any]]:
    """Return what the receipts in the outbox say, read back from the institution's own layout."""
    adapter = loading.find(ADAPTER)
    told = loading.settings_for(adapter, COUNTY, {})
    files = sorted((home.folder / "outbox").glob(f"{member}_RECEIPT_*"))
    return [adapter.read_back(file, "receipt/v2", told).to_dicts()[0] for file in files]


class Wire:
    """A county at the end of a wire that tests cut: it keeps what it is handed, and answers what is complete.

    Args:
        platform: the key it answers with.
    """

    can_be_asked = True
    patience = 0.0
    answers = True

    def __init__(self, platform: SigningKey) -> None:
        self.platform = platform
        self.away = False
        self.refuses: dict[str, str] = {}
        """Message types it refuses, and with which code."""
        self.status = "accepted"
        self.sent: list[Message] = []
        self.waiting: list[Incoming] = []
        self.fetched: list[str] = []
        self.asked: list[str] = []
        self.unknown: set[str] = set()

    def send(self, message: Message) -> None:
        """Keep a message; the last of a submission is answered."""
        self._there()
        if message.type in self.refuses:
            raise told(self.refuses[message.type], "refused here", "此处拒绝")
        self.sent.append(message)
        self.unknown.discard(message.submission or "")
        if message.type == "refused_file" and self.answers:
            self.say(refused_file_receipt(message.json()))
        manifests = [each for each in self.sent if each.type == "submission_manifest"]
        for manifest in manifests:
            stated = manifest.json()
            here = {each.payload_sha256 for each in self.sent if each.submission == stated["submission"]}
            whole = all(part["sha256"] in here for part in stated["parts"])
            if self.answers and whole and stated["submission"] == message.submission:
                self.say(receipt_draft(stated, self.status))

    def say(self, draft: Draft, *, key: SigningKey | None = None, message_id: str | None = None) -> None:
        """Have a message wait for the member."""
        signing, moment = key or self.platform, dt.datetime(2024, 6, 1, 1, 0, tzinfo=dt.UTC)
        message = envelope.seal(draft, signing, source="HUILIAN", time=moment, message_id=message_id)
        self.waiting.append(Incoming(message.seal, message.payload, str(len(self.waiting) + 1)))

    def fetch(self, cursor: str | None) -> Iterator[Incoming]:
        """Yield what waits after a cursor."""
        self._there()
        for incoming in self.waiting[int(cursor or 0) :]:
            self.fetched.append(incoming.seal)
            yield incoming

    def leave(self) -> bool:
        """Return that nobody waits for what was left."""
        return False

    def ask(self, submission: str) -> Incoming | None:
        """Note that it was asked for."""
        self._there()
        self.asked.append(submission)
        if submission in self.unknown:
            raise UsageError("HL7008", submission=submission)
        return None

    def close(self) -> None:
        """There is nothing to close."""

    def _there(self) -> None:
        if self.away:
            raise HostUnavailable("HL5003", url="https://county.example", what="ConnectError")

    @property
    def submissions(self) -> list[str]:
        """Return the submissions in the order in which their first messages came."""
        return list(dict.fromkeys(message.submission or "" for message in self.sent))


def receipt_draft(manifest: dict[str, Any], status: str = "accepted") -> Draft:
    """Return the receipt of a submission as the registry would state it."""
    refused = status == "refused"
    copied = {name: manifest[name] for name in ("submission", "member", "kind", "as_of", "rows", "file_sha256")}
    content = copied | {
        "status": status,
        "accepted": 0 if refused else manifest["accepted"],
        "rejected": manifest["rows"] if refused else manifest["rejected"],
        "changed": 0 if refused else manifest["accepted"],
        "unchanged": 0,
        "missing": 0,
        "code": "HL3012" if refused else None,
        "message": "明细与清单合计不符" if refused else None,
    }
    body = json.dumps(content, ensure_ascii=False).encode()
    return Draft("receipt", "receipt/v2", manifest["member"], body, submission=manifest["submission"])


def refused_file_receipt(stated: dict[str, Any]) -> Draft:
    """Return the receipt of a file that was refused at the edge, as the registry would state it."""
    copied = ("submission", "member", "kind", "as_of", "code", "message", "file_sha256")
    counts = dict.fromkeys(("rows", "accepted", "rejected", "changed", "unchanged", "missing"), 0)
    content = {name: stated[name] for name in copied} | {"status": "refused"} | counts
    body = json.dumps(content, ensure_ascii=False).encode()
    return Draft("receipt", "receipt/v2", BANK, body, submission=stated["submission"])


def confirmation(number: int, member: str = BANK) -> Draft:
    """Return a confirmed list of one household, invented."""
    record = {
        "line": 1,
        "confirmation_no": f"QR{number:04d}",
        "institution": member,
        "household_no": "H0001",
        "borrower_name": "村民",
        "identity_number": "11010119900307002X",
        "region": "341599101201",
        "product": "XEXD",
        "amount": "50000.00",
        "months": 36,
        "confirmed_date": "2024-05-30",
        "valid_until": None,
    }
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return Draft("confirmations", "confirmations/v1", member, body, bulk=True)


def refusal_notice(submission: str, code: str) -> Draft:
    """Return what the county tells of a message of a submission that it refused."""
    record = {
        "line": 1,
        "notice_no": "T1",
        "kind": "message_refused",
        "date": "2024-06-01",
        "region": None,
        "reference": submission,
        "code": code,
        "text": "报文第 3 行不符合约定",
    }
    body = json.dumps(record, ensure_ascii=False).encode() + b"\n"
    return Draft("notices", "notices/v1", BANK, body, bulk=True)
