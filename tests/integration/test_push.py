"""Pushing a file: it is on disk before it leaves, it can be cut off anywhere, and it counts once."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
import pytest

from adapters.rural_commercial_bank.exchange import RuralCommercialBank
from huilian.adapters import interface, loading
from huilian.core.clock import FixedClock
from huilian.core.errors import AccessDenied, FileRefused, HostUnavailable, MessageRefused, UsageError
from huilian.county.members import directory
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.institution import push, sync, translation
from huilian.institution.spool import Spool
from huilian.institution.transports.base import Incoming
from huilian.settings import Home, Settings
from huilian.wire import catalogue, envelope
from huilian.wire.keys import SigningKey
from tests.support.county import BANK, COUNTY, MINUTE, NOW, PROJECT
from tests.support.edge import Wire, receipt_draft
from tests.support.push import ADAPTER, BATCH, FILE, Cut, ledger, receipt, row, send, send_and_settle, spool

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.county.office import Office
    from huilian.institution.spool import SpooledSubmission
    from huilian.institution.transports.base import Transport
    from huilian.wire.envelope import Message
    from tests.support.county import County

LOANS = 12
MESSAGES = 1 + LOANS // BATCH
RECEIPT = {
    "member": BANK,
    "kind": "loan_ledger",
    "as_of": "2024-05-31",
    "status": "accepted",
    "rows": LOANS,
    "accepted": LOANS,
    "rejected": 0,
    "changed": LOANS,
    "unchanged": 0,
    "missing": 0,
    "code": None,
    "message": None,
}
LOAN_TABLE = "SELECT loan_no || ' ' || balance || ' ' || as_of || ' ' || line FROM registry.loan ORDER BY 1"
FIGURES = "SELECT sum(loans) || ' ' || sum(balance) || ' ' || sum(lent) FROM statistics.roll_up"
EXPECTED_LOANS = [f"L{number:04d} 30000.00 2024-05-31 {number + 1}" for number in range(1, LOANS + 1)]
EXPECTED_FIGURES = [f"{LOANS} {LOANS * 3_000_000} {LOANS * 5_000_000}"]

# A push in a process of its own, which says how far it is and is slow enough to be killed there.
PUSHER = """
import sys, time
from pathlib import Path
from huilian.wire import envelope
from huilian.core.clock import FixedClock
from huilian.settings import Home
from huilian.hosts.embedded import EmbeddedHost
from huilian.county.office import open_office
from tests.support import push
from tests.support.county import MINUTE, NOW

push.in_small_batches()
where, at = sys.argv[3], int(sys.argv[4])
steps = iter(range(1000))

def stop_here(step):
    if step == where and next(steps) == at:
        print("here", flush=True)
        time.sleep(60)

class Slow(push.EmbeddedTransport):
    def send(self, message):
        stop_here("before send")
        super().send(message)
        stop_here("after send")

    def ask(self, submission):
        stop_here("receipt")
        return super().ask(submission)

write = envelope.seal
def seal(*arguments, **others):
    stop_here("seal")
    return write(*arguments, **others)

envelope.seal = seal
with open_office(Home(Path(sys.argv[1])), clock=FixedClock(NOW + MINUTE)) as office:
    transport = Slow(office)
    with EmbeddedHost(office):
        push.send(Path(sys.argv[2]), office, transport)
"""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few records are a message."""
    monkeypatch.setattr("huilian.wire.batches.LINE_LIMIT", BATCH)


@pytest.fixture
def bank(tmp_path: Path) -> Home:
    """The bank's own machine: its key, and no office."""
    home = Home(tmp_path / "bank", {})
    home.create(Settings(COUNTY, "anhui"))
    home.keys.create(BANK)
    return home


def clock() -> FixedClock:
    """Return a clock on the first of June."""
    return FixedClock(NOW)


def check_figures(county: County) -> None:
    """See that every loan is there once, with the file's line, and the figures with them."""
    assert county.column(LOAN_TABLE) == EXPECTED_LOANS
    assert county.column(FIGURES) == EXPECTED_FIGURES
    assert county.column("SELECT status FROM huilian.submission") == ["accepted"]
    assert county.dead_letters() == []


def without_names(receipt: dict[str, Any]) -> dict[str, Any]:
    """Return a receipt without what depends on the file's bytes."""
    return {name: value for name, value in receipt.items() if name not in {"submission", "file_sha256"}}


def test_a_file_is_translated_sealed_and_spooled_as_a_whole(tmp_path: Path, bank: Home):
    """The manifest travels first and says what follows: parts in order, with records and digests, totals to the fen."""
    submission = spool(ledger(tmp_path, [*range(1, LOANS + 1), 99]), bank, clock())
    manifest, *parts = submission.messages()
    stated = manifest.json()
    assert stated == submission.manifest
    assert (stated["rows"], stated["accepted"], stated["rejected"]) == (13, 12, 1)
    assert stated["totals"] == {"principal": "600000.00", "balance": "360000.00"}
    assert stated["submission"] == submission.folder.name == f"RCB01-loan_ledger-20240531-{stated['file_sha256'][:16]}"
    assert [part["records"] for part in stated["parts"]] == [4, 4, 4, 1]
    assert [part["type"] for part in stated["parts"]] == ["loan_ledger"] * 3 + ["rejections"]
    assert [part["sha256"] for part in stated["parts"]] == [part.payload_sha256 for part in parts]
    assert [(part.sequence, part.submission) for part in parts] == [(n, stated["submission"]) for n in range(4)]
    for message in (manifest, *parts):
        envelope.verify(message, bank.keys.current(BANK).public)
    lines = [json.loads(line)["line"] for part in parts[:3] for line in part.body().splitlines()]
    assert lines == list(range(2, LOANS + 2))


def versions(submission: SpooledSubmission) -> list[str]:
    """Return the contracts of a submission's batches."""
    return [message.dataschema for message in submission.messages() if message.type == "loan_ledger"]


def test_a_ledger_travels_by_the_oldest_version_that_says_what_it_says(tmp_path: Path, bank: Home):
    """Without a day of any contract it is what it always was; with one it is the newest version."""
    path = ledger(tmp_path)
    assert versions(spool(path, bank, clock())) == ["loan_ledger/v2"] * 3
    text = (
        path.read_bytes()
        .decode("gb18030")
        .replace("经办机构", "经办机构,签订日期")
        .replace("某支行", "某支行,20231228")
    )
    path.write_bytes(text.replace("," * 19, "," * 20).encode("gb18030"))
    submission = spool(path, bank, clock())
    assert versions(submission) == ["loan_ledger/v3"] * 3
    [first, *_] = [
        json.loads(line) for message in submission.messages() if message.bulk for line in message.body().splitlines()
    ]
    assert (first["signed"], first["continuation"]) == ("2023-12-28", None)


class OfVersion2(RuralCommercialBank):
    """An adapter that was written before the newest version of the ledger, and makes its records by what it imports."""

    parts: ClassVar[dict[str, tuple[str, ...]]] = {"loan_ledger": ("loan_ledger/v2",)}


def test_an_adapter_that_knows_an_older_version_goes_on(tmp_path: Path, bank: Home):
    """What it declares is sent, though the record that it imports has more fields by now."""
    submission = translation.translate(
        ledger(tmp_path),
        adapter=OfVersion2(),
        member=BANK,
        home=bank,
        settings=loading.settings_for(OfVersion2(), COUNTY, {}),
        catalogue=catalogue.installed(),
        clock=clock(),
    )
    assert versions(submission) == ["loan_ledger/v2"] * 3


def test_the_rejected_rows_lie_beside_in_the_banks_own_layout(tmp_path: Path, bank: Home):
    """With what is wrong with them; without any, there is no such file."""
    submission = spool(ledger(tmp_path, [1, 99]), bank, clock())
    assert submission.rejections is not None
    assert submission.rejections.name == f"退回_{FILE}"
    header, rejected = submission.rejections.read_bytes().decode("gb18030").splitlines()
    assert header.endswith("经办机构,错误代码,错误说明")
    assert rejected.startswith(row(99))
    assert "HL2009" in rejected
    assert spool(ledger(tmp_path, [1]), bank, clock()).rejections is None


def test_a_file_that_is_spooled_is_not_translated_again(tmp_path: Path, bank: Home, monkeypatch: pytest.MonkeyPatch):
    """The same bytes under the same name are the same submission, to the seal."""
    source = ledger(tmp_path)
    first = spool(source, bank, clock())
    sealed = list(first.messages())
    monkeypatch.setattr(loading, "find", lambda _name, find=loading.find: _Unreadable(find(_name)))
    os.utime(source, (0, 0))
    again = spool(source, bank, clock())
    assert again.folder == first.folder
    assert list(again.messages()) == sealed


class _Unreadable:
    """An adapter that must not be asked to read."""

    def __init__(self, adapter: interface.Adapter) -> None:
        self.recognise = adapter.recognise
        self.reads = adapter.reads
        self.name, self.settings = adapter.name, adapter.settings


def test_the_same_file_makes_the_same_parts_again(tmp_path: Path, bank: Home):
    """So that what a former try has already handed over still fits."""
    source = ledger(tmp_path)
    first = spool(source, bank, clock())
    digests = [part["sha256"] for part in first.manifest["parts"]]
    first.discard()
    assert [part["sha256"] for part in spool(source, bank, clock()).manifest["parts"]] == digests


@pytest.mark.parametrize(
    ("trailer", "code", "text"),
    [
        ("合计,11,600000.00,360000.00", "HL3001", "row"),
        ("合计,12,600000.01,360000.00", "HL3001", "借款金额 is 600000.01 in the trailer, 600000.00 in the rows"),
        ("合计,12,600000.00,359999.99", "HL3001", "借款余额 is 359999.99 in the trailer, 360000.00 in the rows"),
        ("", "HL3002", "has no trailer"),
    ],
)
def test_a_trailer_that_disagrees_refuses_the_whole_file(
    tmp_path: Path, bank: Home, trailer: str, code: str, text: str
):
    """Nothing of it is in the spool but what tells the county so."""
    with pytest.raises(FileRefused) as refused:
        spool(ledger(tmp_path, trailer=trailer), bank, clock())
    assert refused.value.code == code
    assert text in str(refused.value)
    [told] = Spool(bank.spool).submissions()
    assert told.folder.name == refused.value.submission
    assert [message.type for message in told.messages()] == ["refused_file"]
    assert [path.name for path in bank.spool.iterdir()] == [told.folder.name]


@pytest.mark.parametrize("change", ["append", "touch", "remove", "replace"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, bank: Home, monkeypatch: pytest.MonkeyPatch, change: str
):
    """Its digest would be that of another file than its rows are from."""
    source = ledger(tmp_path)
    other = ledger(tmp_path, range(1, 4), name="other.csv")
    adapter = loading.find(ADAPTER)
    whole = type(adapter).read

    def changing(self: object, path: Path, *others: object) -> object:
        if change == "append":
            with path.open("ab") as file:
                file.write(b"\r\n")
        elif change == "touch":
            os.utime(path, ns=(0, 0))
        elif change == "replace":
            other.replace(path)
        return whole(self, path, *others)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(type(adapter), "read", changing)
    if change == "remove":
        written = type(adapter).write_rejections

        def removing(self: object, path: Path, *others: object) -> None:
            written(self, path, *others)  # type: ignore[arg-type]  # as they came
            path.unlink()

        monkeypatch.setattr(type(adapter), "write_rejections", removing)
        ledger(tmp_path, [1, 99])
    with pytest.raises(FileRefused, match=r"HL3010 RCB01_LOAN_20240531\.csv cannot be read: 读取时文件被改动"):
        spool(source, bank, clock())
    assert list(bank.spool.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("RCB01_LOAN_20240602.csv", "HL3015"),
        ("RCB02_LOAN_20240531.csv", "HL3008"),
        ("RCB01_WISH_20240531.csv", "HL3005"),
        ("missing.csv", "HL3010"),
    ],
)
def test_a_file_that_is_not_for_here_is_refused_before_it_is_read(tmp_path: Path, bank: Home, name: str, code: str):
    """From tomorrow, another bank's, of no known kind, or not there."""
    path = tmp_path / name if code == "HL3010" else ledger(tmp_path, name=name)
    with pytest.raises(FileRefused, match=code):
        spool(path, bank, clock())
    assert list(bank.spool.iterdir()) == []


def test_a_file_named_in_small_letters_is_the_banks(tmp_path: Path, bank: Home):
    """Transfers change the case of names; the submission bears the member's code as it is."""
    submission = spool(ledger(tmp_path, name="rcb01_loan_20240531.csv"), bank, clock())
    assert (submission.manifest["member"], submission.manifest["file_name"]) == ("RCB01", "rcb01_loan_20240531.csv")


def test_without_the_banks_key_nothing_is_sealed(tmp_path: Path):
    """The remedy stands in the text."""
    home = Home(tmp_path / "bank", {})
    home.create(Settings(COUNTY, "anhui"))
    with pytest.raises(AccessDenied, match="HL4006"):
        spool(ledger(tmp_path), home, clock())
    assert list(home.spool.iterdir()) == []


def test_what_a_killed_translation_left_is_made_anew(tmp_path: Path, bank: Home):
    """Half a folder is no submission."""
    source = ledger(tmp_path)
    name = spool(source, bank, clock()).folder.name
    complete = bank.spool / name
    half = complete.rename(bank.spool / f"{name}.part")
    (half / "manifest.json").unlink()
    (half / "000001.payload").write_bytes(b"half")
    (half / "000009.seal").write_text("left")
    submission = spool(source, bank, clock())
    assert submission.count == MESSAGES
    assert [part.payload_sha256 for part in submission.messages(1)] == [
        part["sha256"] for part in submission.manifest["parts"]
    ]
    assert [path.name for path in bank.spool.iterdir()] == [name]


def test_a_push_is_answered_with_its_receipt_and_changes_the_figures(tmp_path: Path, county: County):
    """Every loan once, with the line it came from."""
    pushed = send_and_settle(ledger(tmp_path), county.office)
    assert without_names(pushed.receipt) == RECEIPT
    assert pushed.rejections is None
    check_figures(county)


def test_pushed_again_a_file_is_answered_with_the_same_receipt(tmp_path: Path, county: County):
    """Whether this machine still knows of it or not; nothing is applied again."""
    source = ledger(tmp_path)
    first = send_and_settle(source, county.office).receipt
    again = send_and_settle(source, county.office).receipt
    spooled = Spool(county.office.home.spool).find(first["submission"])
    assert spooled is not None
    spooled.discard()
    anew = send_and_settle(source, county.office).receipt
    assert first == again == anew
    check_figures(county)
    assert county.column("SELECT count(*) FROM huilian.audit WHERE action = 'submission.accepted'") == [1]


def test_what_a_county_that_was_restored_does_not_know_any_more_is_sent_to_it_again(tmp_path: Path, county: County):
    """The receipt on this machine is older than the county's memory: it does not stand for anything there."""
    source = ledger(tmp_path)
    first = send_and_settle(source, county.office).receipt
    with county.database.transaction() as transaction:
        # As far as it goes, the state before: tables of a backup from last night.
        for table in ("huilian.submission", "huilian.submission_part", "registry.ledger", "registry.loan"):
            transaction.execute(f"TRUNCATE {table} CASCADE")
        for table in ("huilian.message", "huilian.inbox", "huilian.outbox", "statistics.roll_up", "statistics.folded"):
            transaction.execute(f"TRUNCATE {table} CASCADE")
    again = send_and_settle(source, county.office).receipt
    assert again == first
    check_figures(county)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(MESSAGES))
def test_a_push_that_is_cut_off_goes_on_where_it_was(bank: Home, tmp_path: Path, at: int, after: bool):  # noqa: FBT001
    """Before a message left, or after it left and before that was noted: then it leaves twice."""
    source = ledger(tmp_path)
    sent: list[str] = []
    cut = iter([True])

    platform = SigningKey.generate()
    bank.trust("HUILIAN", platform.public)

    class Remote(Wire):
        answers = False

        def send(self, message: Message) -> None:
            here = len(sent) == at
            if here and not after and next(cut, False):
                raise HostUnavailable("HL5003", url="https://example", what="timeout")
            sent.append(message.id)
            if here and after and next(cut, False):
                raise HostUnavailable("HL5003", url="https://example", what="timeout")

        def ask(self, submission: str) -> Incoming | None:
            spooled = Spool(bank.spool).find(submission)
            assert spooled is not None
            if spooled.sent < spooled.count:
                return None
            message = envelope.seal(receipt_draft(spooled.manifest), platform, source="HUILIAN", time=NOW)
            return Incoming(message.seal, message.payload)

    def once() -> push.Pushed:
        return push.push(
            source,
            adapter=loading.find(ADAPTER),
            member=BANK,
            home=bank,
            settings=loading.settings_for(loading.find(ADAPTER), COUNTY, {}),
            catalogue=catalogue.installed(),
            clock=clock(),
            transport=Remote(platform),
        )

    with pytest.raises(HostUnavailable, match="HL5003"):
        once()
    pushed = once()
    submission = Spool(bank.spool).find(pushed.receipt["submission"])
    assert submission is not None
    ids = [message.id for message in submission.messages()]
    twice = [ids[at]] if after else []
    assert sent == ids[:at] + twice + ids[at:]
    assert (submission.sent, submission.receipt) == (MESSAGES, pushed.receipt)


@pytest.mark.parametrize(("at", "after"), [(0, True), (1, False), (MESSAGES - 1, True)])
def test_a_county_that_goes_away_in_between_counts_everything_once(
    tmp_path: Path,
    county: County,
    at: int,
    after: bool,  # noqa: FBT001
):
    """The same receipt and the same figures as if nothing had happened."""
    source = ledger(tmp_path)
    failure = HostUnavailable("HL5001", what="OperationalError")
    with pytest.raises(HostUnavailable):
        send_and_settle(source, county.office, Cut(county.office, at, failure, after=after))
    pushed = send_and_settle(source, county.office)
    assert without_names(pushed.receipt) == RECEIPT
    check_figures(county)


@pytest.mark.kill
@pytest.mark.parametrize(
    ("where", "at"),
    [("seal", 2), ("before send", 0), ("after send", 2), ("receipt", 1)],
)
def test_a_push_that_is_killed_and_run_again_counts_everything_once(
    tmp_path: Path, county: County, where: str, at: int
):
    """SIGKILL, host and all, while it translates, between messages, and while it waits."""
    source = ledger(tmp_path)
    command = [sys.executable, "-P", "-c", PUSHER, county.office.home.folder, source, where, str(at)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
    finally:
        process.kill()
        process.communicate()
    pushed = send_and_settle(source, county.office)
    assert without_names(pushed.receipt) == RECEIPT
    check_figures(county)
    assert [path.name for path in county.office.home.spool.iterdir()] == [pushed.receipt["submission"]]


def test_without_a_receipt_in_time_the_file_stays_spooled(tmp_path: Path, county: County):
    """The same command goes on later, and then sends all of it: the server may have been set up anew."""
    source = ledger(tmp_path)
    with pytest.raises(HostUnavailable, match="HL5004 no receipt within 0 seconds; the file stays spooled"):
        send(source, county.office, seconds=0.1)
    [folder] = county.office.home.spool.iterdir()
    submission = Spool(county.office.home.spool).find(folder.name)
    assert submission is not None
    assert (submission.sent, submission.receipt) == (0, None)
    assert without_names(send_and_settle(source, county.office).receipt) == RECEIPT
    check_figures(county)


def test_a_message_the_county_refuses_is_told_and_the_file_is_sealed_anew_next_time(tmp_path: Path, county: County):
    """A key that is not entered: entered, the same command does it."""
    source = ledger(tmp_path)
    county.office.home.keys.create(BANK)
    with pytest.raises(MessageRefused, match="HL1002"):
        send_and_settle(source, county.office)
    assert list(county.office.home.spool.iterdir()) == []
    with county.database.transaction() as transaction:
        key = county.office.home.keys.current(BANK)
        directory.add_key(transaction, BANK, key.public, now=county.clock.now(), actor="test")
    assert without_names(send_and_settle(source, county.office).receipt) == RECEIPT
    assert county.column(LOAN_TABLE) == EXPECTED_LOANS


def test_a_message_that_is_refused_later_is_told_and_mended_by_pushing_again(
    tmp_path: Path, county: County, monkeypatch: pytest.MonkeyPatch
):
    """A service with a mistake buries a part; corrected, the same command brings the whole file in."""
    source = ledger(tmp_path)
    office = county.office
    with monkeypatch.context() as broken:
        broken.setitem(office.services["registry"].handlers, "loan_ledger", lambda *_: 1 / 0)
        with pytest.raises(MessageRefused, match="HL1012 handling the message failed: ZeroDivisionError"):
            send_and_settle(source, office)
        with EmbeddedHost(office) as host:
            host.drain()
    county.clock.advance(MINUTE)
    assert without_names(send_and_settle(source, office).receipt) == RECEIPT
    assert county.column(LOAN_TABLE) == EXPECTED_LOANS
    assert county.column(FIGURES) == EXPECTED_FIGURES


def refused(source: Path, office: Office) -> str:
    """Push a file that is refused, and return the submission that tells of it."""
    with pytest.raises(FileRefused) as found:
        send(source, office)
    assert found.value.submission is not None
    return found.value.submission


def tell(submission: str, source: Path, office: Office, transport: Transport | None = None) -> push.Pushed:
    """Tell the county of a refusal, and let the host carry all that it causes."""
    adapter = loading.find(ADAPTER)
    with EmbeddedHost(office) as host:
        pushed = push.tell(
            submission,
            source=source,
            adapter=adapter,
            member=BANK,
            home=office.home,
            settings=loading.settings_for(adapter, COUNTY, {}),
            catalogue=catalogue.installed(),
            clock=office.clock,
            transport=transport or EmbeddedTransport(office),
        )
        host.drain()
    return pushed


WRONG = f"合计,{LOANS},1.00,1.00"


def test_the_county_is_told_of_a_refusal_and_answers_in_the_banks_own_format(tmp_path: Path, county: County):
    """Told again, it is answered the same; nothing is applied, and the file itself, mended, is."""
    source, office = ledger(tmp_path, trailer=WRONG), county.office
    name = refused(source, office)
    told = tell(name, source, office)
    nothing = dict.fromkeys(("rows", "accepted", "rejected", "changed"), 0)
    reason = {"status": "refused", "code": "HL3001", "message": told.receipt["message"]}
    assert without_names(told.receipt) == RECEIPT | nothing | reason
    assert "借款金额 合计行为 1.00，明细为 600000.00" in told.receipt["message"]
    assert told.receipt["submission"] == name
    assert told.answer is not None
    adapter = loading.find(ADAPTER)
    settings = loading.settings_for(adapter, COUNTY, {})
    [written] = adapter.read_back(told.answer, "receipt/v2", settings).to_dicts()
    assert written == told.receipt
    assert tell(refused(source, office), source, office) == told
    assert county.column(LOAN_TABLE) == []
    assert county.column("SELECT count(*) FROM huilian.message WHERE type = 'refused_file'") == [1]
    assert without_names(send_and_settle(ledger(tmp_path), office).receipt) == RECEIPT
    assert county.column("SELECT status FROM huilian.submission ORDER BY number") == ["refused", "accepted"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_refusal_that_is_cut_off_is_told_by_the_same_push(tmp_path: Path, county: County, after: bool):  # noqa: FBT001
    """It stays spooled; what was handed over twice counts once."""
    source, office = ledger(tmp_path, trailer=WRONG), county.office
    name = refused(source, office)
    away = Cut(office, 0, HostUnavailable("HL5003", url="https://example", what="timeout"), after=after)
    with pytest.raises(HostUnavailable, match="HL5003"):
        tell(name, source, office, away)
    assert refused(source, office) == name
    assert tell(name, source, office).receipt["status"] == "refused"
    assert county.column("SELECT submission FROM huilian.submission") == [name]


def test_a_refusal_that_the_county_does_not_take_is_sealed_anew_the_next_time(tmp_path: Path, county: County):
    """A key that is not entered: once it is, the same push tells of the file."""
    source, office = ledger(tmp_path, trailer=WRONG), county.office
    key = office.home.keys.create(BANK)
    name = refused(source, office)
    with pytest.raises(MessageRefused, match="HL1002"):
        tell(name, source, office)
    assert list(office.home.spool.iterdir()) == []
    with county.database.transaction() as transaction:
        directory.add_key(transaction, BANK, key.public, now=county.clock.now(), actor="test")
    assert tell(refused(source, office), source, office).receipt["submission"] == name


def test_a_refusal_is_not_waited_for_as_long_as_a_file(tmp_path: Path, bank: Home, monkeypatch: pytest.MonkeyPatch):
    """Whoever pushed it knows already; without a receipt in time it is sent again the next time."""
    source = ledger(tmp_path, trailer=WRONG)
    with pytest.raises(FileRefused) as found:
        spool(source, bank, clock())
    waited: list[float] = []
    monkeypatch.setattr(sync, "wait_for", lambda _question, *, seconds, **_: waited.append(seconds))
    silent = Wire(SigningKey.generate())
    silent.answers = False
    adapter = loading.find(ADAPTER)
    settings = loading.settings_for(adapter, COUNTY, {})
    facts: dict[str, Any] = {"adapter": adapter, "member": BANK, "home": bank, "settings": settings}
    facts |= {"catalogue": catalogue.installed(), "clock": clock()}
    with pytest.raises(HostUnavailable, match="HL5004"):
        push.tell(found.value.submission or "", source=source, transport=silent, **facts)
    assert (waited, silent.submissions) == ([30], [found.value.submission])
    [spooled] = Spool(bank.spool).submissions()
    assert (spooled.sent, spooled.receipt) == (0, None)
    with pytest.raises(UsageError, match="HL7008"):
        push.tell("RCB01-none", source=source, transport=silent, **facts)


def test_a_receipt_is_waited_for_ever_less_often():
    """At once at first; never beyond what was asked for."""
    asked: list[float] = []

    def question() -> dict[str, Any] | None:
        asked.append(time.monotonic())
        return {"status": "accepted"} if len(asked) == 4 else None

    assert sync.wait_for(question, seconds=5, pause=0.01) == {"status": "accepted"}
    waits = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert len(waits) == 3
    assert sync.wait_for(lambda: None, seconds=0, pause=0.01) is None


@pytest.mark.parametrize("fen", ["0.01", "-0.01", "99999999999999.99"])
def test_totals_are_added_up_to_the_fen(bank: Home, tmp_path: Path, fen: str, monkeypatch: pytest.MonkeyPatch):
    """As whole fen, so that nothing is ever rounded."""
    adapter = loading.find(ADAPTER)
    frame = pl.DataFrame(
        {"line": [2, 3, 4], "loan_no": ["L1", "L2", "L3"], "principal": [fen] * 3, "balance": ["0.00"] * 3}
    )
    piece = interface.Piece(3, frame, pl.DataFrame(schema=interface.REJECTIONS), 1)
    monkeypatch.setattr(type(adapter), "read", lambda *_: iter([piece]))
    totals = spool(ledger(tmp_path), bank, clock()).manifest["totals"]
    assert totals == {"principal": str(3 * Decimal(fen)), "balance": "0.00"}


def test_the_transport_answers_without_waiting_when_not_asked_to(county: County):
    """An unknown submission has no receipt."""
    began = time.monotonic()
    assert receipt(county.office.home, EmbeddedTransport(county.office), "RCB01-nothing", seconds=0) is None
    assert time.monotonic() - began < 1.0
