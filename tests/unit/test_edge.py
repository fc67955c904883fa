"""What an edge does with files and messages, whatever becomes of the wire."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from huilian.adapters import loading
from huilian.core.clock import FixedClock
from huilian.core.errors import AccessDenied, ConfigurationError, UsageError
from huilian.core.retry import Backoff
from huilian.institution.edge import open_edge
from huilian.institution.edge.agent import Pace
from huilian.institution.edge.folders import EXPLANATION, Folders
from huilian.institution.edge.intake import InboxWatcher
from huilian.institution.edge.settings import EdgeSettings, load, save
from huilian.institution.edge.status import status
from huilian.institution.spool import Spool
from huilian.institution.translation import translate
from huilian.settings import Home
from huilian.wire.envelope import Draft
from huilian.wire.keys import SigningKey
from huilian.wire.signed_documents import stamp
from tests.support.builders.platform_lists import entry, list_draft, list_text
from tests.support.edge import (
    ADAPTER,
    BANK,
    COUNTY,
    Wire,
    confirmation,
    go,
    names,
    receipt_draft,
    receipts,
    refusal_notice,
)
from tests.support.push import engine, ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.institution.edge import Edge

NOW = dt.datetime(2024, 6, 1, 1, 0, tzinfo=dt.UTC)
FILE = "RCB01_LOAN_20240531.csv"
LATER = "RCB01_LOAN_20240530.csv"
"""An older date that comes later: order is that of arrival."""
PLATFORM = SigningKey.generate()
EMPTY = ("inbox", "underway", "unfinished")


class Seconds:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return them."""
        return self.now


@pytest.fixture
def bank(tmp_path: Path) -> Home:
    """An edge's data directory, its key and the platform's in place."""
    home = Home(tmp_path / "bank", environment={})
    save(home, EdgeSettings(BANK, ADAPTER, COUNTY))
    Folders(home.folder).make()
    home.keys.create(BANK)
    home.trust("HUILIAN", PLATFORM.public)
    return home


@contextlib.contextmanager
def opened(home: Home, wire: Wire, seconds: Seconds | None = None, clock: FixedClock | None = None) -> Iterator[Edge]:
    """Open the edge at the other end of a wire."""
    with open_edge(
        home, offline=True, settle=0, clock=clock or FixedClock(NOW), monotonic=seconds or Seconds()
    ) as edge:
        edge.engine.transport = wire
        yield edge


def turn(edge: Edge, seconds: Seconds, times: int = 6) -> None:
    """Go some rounds, a minute and more between them, so that every wait is over."""
    stopping = threading.Event()
    for _ in range(times):
        edge.round(stopping)
        seconds.now += 90


@pytest.fixture
def seconds() -> Seconds:
    """Seconds of the test's own."""
    return Seconds()


@pytest.fixture
def wire() -> Wire:
    """A county that answers."""
    return Wire(PLATFORM)


def check_empty(home: Home, *folders: str) -> None:
    """See that nothing is left in these."""
    assert {folder: names(home.folder / folder) for folder in folders} == {folder: [] for folder in folders}


def test_a_file_is_answered_once_with_receipt_and_rejected_rows(bank: Home, wire: Wire, seconds: Seconds):
    """The original is kept, and nothing else is left anywhere."""
    ledger(bank.folder / "inbox", [1, 2, 99])
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
    [receipt] = receipts(bank)
    assert (receipt["accepted"], receipt["rejected"], receipt["status"]) == (2, 1, "accepted")
    assert names(bank.folder / "outbox") == ["RCB01_RECEIPT_20240601_001.csv", f"退回_{FILE}"]
    assert names(bank.folder / "done") == [FILE]
    check_empty(bank, *EMPTY, "refused")


def test_files_leave_in_the_order_in_which_they_came_and_do_not_wait_for_each_others_receipts(
    bank: Home, wire: Wire, seconds: Seconds
):
    """The second is sent before the first is answered."""
    first = ledger(bank.folder / "inbox", [1])
    second = ledger(bank.folder / "inbox", [2], name=LATER)
    os.utime(first, ns=(1, 1))
    os.utime(second, ns=(2, 2))
    wire.answers = False
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        assert [arrival.file_name for arrival in edge.journal.inbox.in_states("sent")] == [FILE, LATER]
    assert [name.split("-")[2] for name in wire.submissions] == ["20240531", "20240530"]
    check_empty(bank, "outbox", "done", "inbox")


def test_cut_off_everything_waits_on_disk_and_leaves_in_order_when_the_wire_is_back(
    bank: Home, wire: Wire, seconds: Seconds
):
    """A day of it changes nothing but the time; the error is there to be seen meanwhile."""
    wire.away = True
    clock = FixedClock(NOW)
    with opened(bank, wire, seconds, clock) as edge:
        for day, name in enumerate((FILE, LATER, "RCB01_LOAN_20240529.csv"), start=1):
            os.utime(ledger(bank.folder / "inbox", [day], name=name), ns=(day, day))
            turn(edge, seconds)
            clock.advance(dt.timedelta(hours=8))
        assert [arrival.state for arrival in edge.journal.inbox.in_states("taken", "spooled")] == ["spooled"] * 3
        assert json.loads(edge.journal.fact("last_error") or "")["code"] == "HL5003"
        assert wire.sent == []
        wire.away = False
        turn(edge, seconds)
    assert [name.split("-")[2] for name in wire.submissions] == ["20240531", "20240530", "20240529"]
    assert len(receipts(bank)) == 3
    check_empty(bank, *EMPTY, "refused")


def test_a_file_that_cannot_be_taken_is_explained_beside_it_and_the_next_goes_on(
    bank: Home, wire: Wire, seconds: Seconds
):
    """File, line, field, why and what to do, in Chinese; no row of it was sent."""
    ledger(bank.folder / "inbox", [1, 2], trailer="合计,2,100000.00,1.00")
    ledger(bank.folder / "inbox", [3], name=LATER)
    (bank.folder / "inbox" / "随便.txt").write_text("不是约定的文件")
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
    assert names(bank.folder / "refused") == sorted([FILE, FILE + EXPLANATION, "随便.txt", "随便.txt" + EXPLANATION])
    text = (bank.folder / "refused" / (FILE + EXPLANATION)).read_bytes().decode("utf-8-sig").split("\r\n")
    assert text[2:6] == [
        f"文件：{FILE}",
        "行号：整份文件",
        "字段：借款余额",
        "错误代码：HL3001",
    ]
    differs = "借款余额 合计行为 1.00，明细为 60000.00；整份文件未导入，请核对后重新导出"
    assert text[6] == f"原因：文件 {FILE} 的合计行与明细不符：{differs}"
    assert text[7].startswith("处理办法：更正后把文件重新放入 inbox 文件夹")
    assert "HL3005" in (bank.folder / "refused" / ("随便.txt" + EXPLANATION)).read_text("utf-8-sig")
    assert [message.type for message in wire.sent] == ["refused_file", "submission_manifest", "loan_ledger"]
    assert names(bank.folder / "done") == [LATER]


def test_names_that_are_hard_to_bear_are_borne(bank: Home, wire: Wire, seconds: Seconds):
    """In an old encoding, as long as a name can be, with line breaks: refused like any other, the next goes on."""
    inbox = os.fsencode(bank.folder / "inbox")
    for name in ("花名册.csv".encode("gb18030"), ("长" * 83 + ".csv").encode(), b"a\nb\r.csv", b"x." + b"y" * 250):
        with open(os.path.join(inbox, name), "wb") as file:  # noqa: PTH118, PTH123  # bytes are no path to pathlib
            file.write(b"content")
    ledger(bank.folder / "inbox", [1])
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds, 12)
    refused = [name for name in names(bank.folder / "refused") if not name.endswith(EXPLANATION)]
    assert refused == sorted(["花名册.csv", "长" * 65 + ".csv", "a\nb\r.csv", "x"])
    assert len(names(bank.folder / "refused")) == 8
    assert names(bank.folder / "done") == [FILE]
    check_empty(bank, *EMPTY)


def test_a_submission_that_the_county_refuses_as_a_whole_comes_back_with_its_reason(
    bank: Home, wire: Wire, seconds: Seconds
):
    """The receipt in the outbox says so too."""
    wire.status = "refused"
    ledger(bank.folder / "inbox", [1])
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
    assert [receipt["status"] for receipt in receipts(bank)] == ["refused"]
    assert names(bank.folder / "refused") == sorted([FILE, FILE + EXPLANATION])
    assert "原因：明细与清单合计不符" in (bank.folder / "refused" / (FILE + EXPLANATION)).read_text("utf-8-sig")
    check_empty(bank, *EMPTY, "done")


def test_a_file_dropped_again_is_sent_again_to_a_county_that_forgot_it(bank: Home, wire: Wire, seconds: Seconds):
    """It was restored to an older state; the receipt that is here does not hold there any more."""
    content = ledger(bank.folder / "inbox", [1]).read_bytes()
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        [submission] = wire.submissions
        wire.unknown, before = {submission}, len(wire.sent)
        (bank.folder / "inbox" / FILE).write_bytes(content)
        turn(edge, seconds)
    assert [message.type for message in wire.sent[before:]] == ["submission_manifest", "loan_ledger"]
    assert len(receipts(bank)) == 2
    check_empty(bank, *EMPTY, "refused")


def test_a_refusal_that_is_told_afterwards_sends_its_file_back(bank: Home, wire: Wire, seconds: Seconds):
    """Over AMQP nobody answers what is handed over; the notice ends the wait, and says why."""
    wire.answers = False
    ledger(bank.folder / "inbox", [1])
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        check_empty(bank, "done", "refused")
        [submission] = wire.submissions
        wire.say(refusal_notice(submission, "HL1010"))
        turn(edge, seconds)
    assert names(bank.folder / "refused") == sorted([FILE, FILE + EXPLANATION])
    assert "错误代码：HL1010" in (bank.folder / "refused" / (FILE + EXPLANATION)).read_text("utf-8-sig")
    assert Spool(bank.spool).submissions() == []
    assert [name.partition("_NOTICE_")[0] for name in names(bank.folder / "outbox")] == [BANK]


def test_a_file_that_is_refused_for_its_sender_is_not_sent_again_and_again(bank: Home, wire: Wire, seconds: Seconds):
    """Over AMQP that is told when all of it has left: later each time, and seen meanwhile whatever is fetched."""
    save(bank, EdgeSettings(BANK, ADAPTER, COUNTY, "amqps://county.example"))
    wire.answers = False
    sends = []
    ledger(bank.folder / "inbox", [1])
    with opened(bank, wire, seconds) as edge:
        for _ in range(40):  # an hour
            before = len(wire.sent)
            turn(edge, seconds, times=1)
            if any(message.type == "loan_ledger" for message in wire.sent[before:]):
                sends.append(seconds.now)
                wire.say(refusal_notice(wire.submissions[0], "HL1013"))
        turn(edge, seconds, times=2)
        assert [text[:6] for text in status(bank, FixedClock(NOW))["attention"]] == ["HL1013"]
        waits = [round(later - earlier) for earlier, later in pairwise(sends)]
        assert len(sends) == 6
        assert waits == sorted(waits)
        wire.answers = True
        seconds.now += 3600
        turn(edge, seconds)
        assert status(bank, FixedClock(NOW))["lasting_errors"] == []
    assert names(bank.folder / "done") == [FILE]
    check_empty(bank, *EMPTY, "refused")


def test_what_was_told_of_an_earlier_try_does_not_send_back_the_next(bank: Home, wire: Wire, seconds: Seconds):
    """Refused by an answer, then by a notice of the same; mended at the county and dropped again, it is taken."""
    wire.refuses = {"loan_ledger": "HL1010"}
    source = ledger(bank.folder / "inbox", [1])
    content = source.read_bytes()
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        wire.say(refusal_notice(wire.submissions[0], "HL1010"))
        turn(edge, seconds)
        wire.refuses = {}
        wire.answers = False
        source.write_bytes(content)
        turn(edge, seconds)
        spooled = Spool(bank.spool).find(wire.submissions[0])
        assert spooled is not None
        wire.say(receipt_draft(spooled.manifest))
        turn(edge, seconds)
    assert names(bank.folder / "done") == [FILE]
    assert [receipt["status"] for receipt in receipts(bank)] == ["accepted"]


def test_a_receipt_that_contradicts_how_a_file_ended_is_written(bank: Home, wire: Wire, seconds: Seconds):
    """Sent back here for a refusal that the county has mended by itself since: somebody must be told."""
    wire.answers = False
    ledger(bank.folder / "inbox", [1])
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        spooled = Spool(bank.spool).find(wire.submissions[0])
        assert spooled is not None
        manifest = spooled.manifest
        wire.say(refusal_notice(wire.submissions[0], "HL1010"))
        turn(edge, seconds)
        assert receipts(bank) == []
        for _ in range(2):
            wire.say(receipt_draft(manifest))
            turn(edge, seconds)
    assert {receipt["status"] for receipt in receipts(bank)} == {"accepted"}
    assert names(bank.folder / "refused") == sorted([FILE, FILE + EXPLANATION])


def test_without_a_token_a_file_dropped_again_is_answered_from_here(
    bank: Home, wire: Wire, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
):
    """And holds up nothing behind it."""
    content = ledger(bank.folder / "inbox", [1]).read_bytes()

    def refused(*_: object) -> None:
        raise AccessDenied("HL4002")

    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        monkeypatch.setattr(wire, "ask", refused)
        (bank.folder / "inbox" / FILE).write_bytes(content)
        ledger(bank.folder / "inbox", [2], name=LATER)
        turn(edge, seconds)
    assert len(receipts(bank)) == 3
    check_empty(bank, *EMPTY, "refused")


def test_a_message_that_the_county_refuses_sends_its_file_back(bank: Home, wire: Wire, seconds: Seconds):
    """Dropped again after it was mended, it is sealed anew and taken."""
    wire.refuses = {"loan_ledger": "HL1010"}
    source = ledger(bank.folder / "inbox", [1])
    content = source.read_bytes()
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        assert names(bank.folder / "refused") == sorted([FILE, FILE + EXPLANATION])
        assert Spool(bank.spool).submissions() == []
        wire.refuses = {}
        source.write_bytes(content)
        turn(edge, seconds)
    assert names(bank.folder / "done") == [FILE]


@pytest.mark.parametrize(
    "code", ["HL1001", "HL1002", "HL1003", "HL1013", "HL1015", "HL1016", "HL1022", "HL1023", "HL1025"]
)
def test_what_is_wrong_with_the_sender_holds_a_file_back_and_does_not_refuse_it(
    bank: Home, wire: Wire, seconds: Seconds, code: str
):
    """A key that is not entered yet: once it is, the file is sealed anew and taken, without anybody's doing."""
    wire.refuses = {"submission_manifest": code}
    ledger(bank.folder / "inbox", [1])
    wire.say(confirmation(1))
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        assert json.loads(edge.journal.fact("last_error") or "")["code"] == code
        check_empty(bank, "done", "refused")
        assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv"], "what comes in is written meanwhile"
        wire.refuses = {}
        turn(edge, seconds)
    assert names(bank.folder / "done") == [FILE]
    assert len({message.id for message in wire.sent if message.type == "submission_manifest"}) == 1


def test_a_message_that_comes_twice_is_written_once(bank: Home, wire: Wire, seconds: Seconds):
    """By its id; another one of the same day has the next number."""
    for number, message_id in ((1, "a"), (1, "a"), (2, "b")):
        wire.say(confirmation(number), message_id=message_id)
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        edge.journal.state("cursor", None)
        turn(edge, seconds)
    assert len(wire.fetched) == 6
    assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv", "RCB01_CONFIRM_20240601_002.csv"]


def test_what_the_institution_took_out_of_the_outbox_is_not_written_again(bank: Home, wire: Wire, seconds: Seconds):
    """Not after a start, not by the same message."""
    wire.say(confirmation(1), message_id="a")
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
    (bank.folder / "outbox" / "RCB01_CONFIRM_20240601_001.csv").unlink()
    wire.say(confirmation(1), message_id="a")
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
    check_empty(bank, "outbox")


def test_a_file_dropped_again_is_answered_again_with_the_same_receipt(bank: Home, wire: Wire, seconds: Seconds):
    """And is not sent again."""
    content = ledger(bank.folder / "inbox", [1]).read_bytes()
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        sent = len(wire.sent)
        (bank.folder / "inbox" / FILE).write_bytes(content)
        turn(edge, seconds)
    first, second = receipts(bank)
    assert first == second
    assert len(wire.sent) == sent
    assert names(bank.folder / "done") == [FILE, "RCB01_LOAN_20240531_2.csv"]


def test_two_files_of_the_same_content_are_one_submission_and_both_are_answered(
    bank: Home, wire: Wire, seconds: Seconds
):
    """Dropped while the first is still underway."""
    wire.answers = False
    content = ledger(bank.folder / "inbox", [1]).read_bytes()
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds, 2)
        (bank.folder / "inbox" / FILE).write_bytes(content)
        turn(edge, seconds, 2)
        assert len(wire.sent) == 2
        wire.answers = True
        wire.send(wire.sent[-1])
        turn(edge, seconds)
    assert len(receipts(bank)) == 2
    assert len(names(bank.folder / "done")) == 2


@pytest.mark.parametrize("what", ["stranger", "other member", "not the platform", "altered"])
def test_what_cannot_be_believed_is_kept_aside_and_never_written(bank: Home, wire: Wire, seconds: Seconds, what: str):
    """It is seen in the status; once its key is trusted, what was good is written."""
    stranger = SigningKey.generate()
    if what == "stranger":
        wire.say(confirmation(1), key=stranger)
    elif what == "other member":
        wire.say(confirmation(1, "RCB02"))
    else:
        wire.say(confirmation(1))
        [incoming] = wire.waiting
        payload = incoming.payload.replace(b"50000", b"90000") if what == "altered" else incoming.payload
        seal = incoming.seal if what == "altered" else incoming.seal[:-4] + "AAAA"
        wire.waiting = [type(incoming)(seal, payload, incoming.cursor)]
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        check_empty(bank, "outbox")
        assert len(edge.journal.messages.doubted()) == 1
        bank.trust("HUILIAN", stranger.public)
        turn(edge, seconds)
    assert len(names(bank.folder / "outbox")) == (1 if what == "stranger" else 0)


def test_a_new_key_and_a_revoked_one_reach_the_edge_like_everything_else(bank: Home, wire: Wire, seconds: Seconds):
    """What came before stays, and may come again; what comes since under the revoked key is kept aside."""
    new, clock = SigningKey.generate(), FixedClock(NOW)
    wire.say(confirmation(1), message_id="before")
    [before] = wire.waiting
    wire.say(list_draft(list_text([entry(PLATFORM), entry(new)], [new, PLATFORM])), key=new)
    wire.say(confirmation(2), key=new)
    with opened(bank, wire, seconds, clock) as edge:
        turn(edge, seconds)
        assert len(names(bank.folder / "outbox")) == 2
        clock.advance(dt.timedelta(hours=1))
        revoked = [entry(PLATFORM, revoked=NOW), entry(new)]
        wire.say(list_draft(list_text(revoked, [new], time=clock.now())), key=new)
        wire.say(confirmation(3), key=PLATFORM)
        wire.say(confirmation(4), key=new)
        assert edge.journal.messages.sealed_by(PLATFORM.kid, NOW) == 1
        wire.waiting.append(type(before)(before.seal, before.payload, str(len(wire.waiting) + 1)))
        turn(edge, seconds)
        assert [code for _, code in edge.journal.messages.doubted()] == ["HL1026"]
    assert len(names(bank.folder / "outbox")) == 3
    found = status(bank, clock)
    assert [(key["use"], key["kid"]) for key in found["keys"][1:]] == sorted(
        [("revoked", PLATFORM.kid), ("trust", new.kid)], key=lambda key: key[1][:12]
    )
    assert found["not_written"]["messages"] == 0


def test_a_list_that_cannot_be_taken_is_kept_aside_until_it_can(bank: Home, wire: Wire, seconds: Seconds):
    """Signed by a key this machine does not trust yet; the edge goes on with everything else meanwhile."""
    new = SigningKey.generate()
    wire.say(list_draft(list_text([entry(new)], [new])), key=new)
    wire.say(confirmation(1))
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        assert [code for _, code in edge.journal.messages.doubted()] == ["HL1027"]
        assert len(names(bank.folder / "outbox")) == 1
        bank.trust("HUILIAN", new.public)
        turn(edge, seconds)
        assert edge.journal.messages.doubted() == []


def test_the_end_of_the_platforms_last_key_is_told_and_of_those_before_it_nothing(
    bank: Home, wire: Wire, seconds: Seconds
):
    """One that ended is kept, for what it sealed."""
    new, clock = SigningKey.generate(), FixedClock(NOW)
    first = entry(PLATFORM, until=stamp(NOW + dt.timedelta(days=10)))
    wire.say(list_draft(list_text([first, entry(new, until=stamp(NOW + dt.timedelta(days=100)))], [PLATFORM])))
    with opened(bank, wire, seconds, clock) as edge:
        turn(edge, seconds)
    assert not any("到期" in text for text in status(bank, clock)["attention"])
    clock.advance(dt.timedelta(days=80))
    assert [text for text in status(bank, clock)["attention"] if "到期" in text] == [
        f"密钥或证书 {new.kid[:12]} 将于 2024-09-09 前后到期，请更换 (a key or certificate ends soon)"
    ]


def test_a_cursor_the_county_does_not_know_is_given_up_and_nothing_is_written_twice(
    bank: Home, wire: Wire, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
):
    """The county was restored to an older state: everything is fetched anew and kept once."""
    wire.say(confirmation(1), message_id="a")
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        fetch = wire.fetch

        def strict(cursor: str | None) -> object:
            if cursor == "1":
                raise UsageError("HL7004", cursor=cursor)
            return fetch(cursor)

        monkeypatch.setattr(wire, "fetch", strict)
        turn(edge, seconds)
    assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv"]


def test_without_a_receipt_a_file_is_sealed_anew_and_sent_again_ever_later(bank: Home, wire: Wire, seconds: Seconds):
    """After an hour, then two: what happened to the first is not known here."""
    wire.answers = False
    ledger(bank.folder / "inbox", [1])
    clock, manifests = FixedClock(NOW), []
    with opened(bank, wire, seconds, clock) as edge:
        for hours in (0, 0.9, 0.2, 1.5, 0.6):
            clock.advance(dt.timedelta(hours=hours))
            turn(edge, seconds)
            manifests.append(sum(message.type == "submission_manifest" for message in wire.sent))
        wire.answers = True
        wire.send(wire.sent[-1])
        turn(edge, seconds)
    assert manifests == [1, 1, 2, 2, 3]
    assert len(receipts(bank)) == 1


def test_a_submission_the_county_does_not_know_is_sealed_anew_at_once(bank: Home, wire: Wire, seconds: Seconds):
    """It was set up anew."""
    wire.answers = False
    ledger(bank.folder / "inbox", [1])
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds, 1)
        turn(edge, seconds, 1)
        [name] = wire.submissions
        wire.unknown, wire.answers = {name}, True
        turn(edge, seconds, 2)
        wire.unknown = set()
        turn(edge, seconds)
    assert len(receipts(bank)) == 1
    assert names(bank.folder / "done") == [FILE]


def test_a_contract_the_adapter_does_not_write_comes_as_json(
    bank: Home, wire: Wire, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
):
    """As the contract has it, byte for byte; the receipt names the file it is about."""
    monkeypatch.setattr(type(loading.find(ADAPTER)), "writes", {})
    wire.say(confirmation(1))
    ledger(bank.folder / "inbox", [1])
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
    assert names(bank.folder / "outbox") == [f"回执_{FILE}.json", "确认名单_RCB01_20240601_001.ndjson"]
    assert (bank.folder / "outbox" / "确认名单_RCB01_20240601_001.ndjson").read_bytes() == confirmation(1).body
    assert json.loads((bank.folder / "outbox" / f"回执_{FILE}.json").read_text("utf-8"))["status"] == "accepted"


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError(28, "No space left on device")])
def test_an_answer_that_cannot_be_written_waits_and_is_written_later(
    bank: Home, wire: Wire, seconds: Seconds, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    """A mistake in an adapter, or a full disk: nothing half-written is seen, and nothing is lost."""
    wire.say(confirmation(1))
    kind = type(loading.find(ADAPTER))

    def broken(_self: object, _outgoing: object, _settings: object, target: Path) -> None:
        target.write_bytes(b"half")
        raise error

    with opened(bank, wire, seconds) as edge:
        with monkeypatch.context() as patch:
            patch.setattr(kind, "write", broken)
            turn(edge, seconds)
            check_empty(bank, "outbox")
            assert edge.journal.messages.unwritten() == 1
        turn(edge, seconds)
    assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv"]
    check_empty(bank, "unfinished")


def test_an_adapter_that_fails_sends_the_file_back_and_the_next_goes_on(
    bank: Home, wire: Wire, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
):
    """Told as the software's fault; the error's text, which may quote a row, is nowhere."""
    kind = type(loading.find(ADAPTER))
    read = kind.read

    def broken(self: object, source: Path, *others: object) -> object:
        if source.name == FILE:
            message = "H0001 村民"
            raise ZeroDivisionError(message)
        return read(self, source, *others)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(kind, "read", broken)
    ledger(bank.folder / "inbox", [1])
    ledger(bank.folder / "inbox", [2], name=LATER)
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
    text = (bank.folder / "refused" / (FILE + EXPLANATION)).read_text("utf-8-sig")
    assert "HL6005" in text
    assert "ZeroDivisionError" in text
    assert "村民" not in text
    assert names(bank.folder / "done") == [LATER]


def test_a_full_disk_while_sealing_keeps_the_file_until_there_is_room(
    bank: Home, wire: Wire, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
):
    """It is no fault of the file."""
    ledger(bank.folder / "inbox", [1])

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with opened(bank, wire, seconds) as edge:
        with monkeypatch.context() as patch:
            patch.setattr("huilian.institution.translation.translate", full)
            turn(edge, seconds)
            told = json.loads(edge.journal.fact("last_error") or "")
            why = "files on this machine cannot be read or written now: 磁盘已满 (No space left on device)"
            assert (told["code"], told["message_en"].split(";")[0]) == ("HL5008", why)
            check_empty(bank, "refused", "done")
        turn(edge, seconds)
    assert names(bank.folder / "done") == [FILE]


def test_what_a_push_met_in_the_queue_is_written_out(bank: Home, wire: Wire, seconds: Seconds):
    """`huilian push` keeps what it did not wait for."""
    wire.say(confirmation(1))
    [incoming] = wire.waiting
    wire.waiting = []
    with engine(bank, wire, clock=FixedClock(NOW)) as pushing:
        pushing.keep(incoming)
        pushing.keep(incoming)
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
    assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv"]


def test_a_receipt_nobody_waits_for_is_written_by_itself(bank: Home, wire: Wire, seconds: Seconds):
    """Of a file that was pushed by hand."""
    source = ledger(bank.folder, [1])
    adapter = loading.find(ADAPTER)
    with opened(bank, wire, seconds) as edge:
        spooled = translate(
            source,
            adapter=adapter,
            member=BANK,
            home=bank,
            settings=edge.engine.sender.settings,
            catalogue=edge.engine.sender.catalogue,
            clock=FixedClock(NOW),
        )
        for message in spooled.messages():
            wire.send(message)
        turn(edge, seconds)
    [receipt] = receipts(bank)
    assert receipt["submission"] == spooled.folder.name
    kept = spooled.receipt
    assert kept is not None
    assert kept["status"] == "accepted"


def test_only_one_edge_works_on_a_directory(bank: Home):
    """The second is told so, and changes nothing."""
    with open_edge(bank, settle=0), pytest.raises(UsageError, match="HL7013"), open_edge(bank, settle=0):
        pass


def test_a_directory_that_was_not_set_up_is_told(tmp_path: Path):
    """With the command to do it."""
    with pytest.raises(UsageError, match="HL7016"), open_edge(Home(tmp_path, {})):
        pass


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        (FILE, True),
        ("a.txt", True),
        (".hidden.csv", False),
        ("~$book.xlsx", False),
        (f"{FILE}.part", False),
        (f"{FILE}.TMP", False),
        (f"{FILE}.filepart", False),
        (f"{FILE}~", False),
    ],
)
def test_a_name_that_says_it_is_still_being_written_is_left_alone(tmp_path: Path, name: str, taken: bool):  # noqa: FBT001
    """Programs that copy rename when they are done."""
    (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / name)
    assert [path.name for path in InboxWatcher(tmp_path, Seconds(), settle=0).still()] == ([name] if taken else [])


def test_a_file_counts_when_it_was_still_for_a_moment(tmp_path: Path):
    """Size, time and inode; an empty one is waited for longer."""
    seconds = Seconds()
    inbox = InboxWatcher(tmp_path, seconds, settle=2)
    file, empty = tmp_path / "a.csv", tmp_path / "b.csv"
    file.write_bytes(b"1")
    empty.touch()
    found = []
    for pause, content in ((0.0, None), (1.5, b"12"), (1.5, None), (0.4, None), (0.2, None), (57.0, None)):
        if content:
            file.write_bytes(content)
        seconds.now += pause
        found.append([path.name for path in inbox.still()])
    assert found == [[], [], [], [], ["a.csv"], ["b.csv", "a.csv"]]


def test_waits_grow_to_a_cap_and_differ():
    """A minute at most; half of each is left to chance."""
    seconds, waits = Seconds(), []
    backoff = Backoff(seconds)
    for _ in range(12):
        backoff.failed()
        began = seconds.now
        while not backoff.ready:
            seconds.now += 0.01
        waits.append(seconds.now - began)
    for number, wait in enumerate(waits):
        longest = min(60, 2**number)
        assert longest / 2 <= wait <= longest + 0.02
    backoff.succeeded()
    assert (backoff.ready, backoff.failing) == (True, False)


def test_looks_become_rarer_until_something_stirs():
    """By half each time, to a cap."""
    seconds = Seconds()
    pace = Pace(seconds, first=1, cap=4)
    pauses = []
    for _ in range(5):
        pace.looked()
        began = seconds.now
        while not pace.due:
            seconds.now += 0.25
        pauses.append(seconds.now - began)
    assert pauses == [1, 1.5, 2.25, 3.5, 4]
    pace.stir()
    assert pace.due


def test_the_settings_are_kept_for_the_owner_alone_and_the_environment_stands_above_them(bank: Home):
    """Addresses and tokens are secrets."""
    save(bank, EdgeSettings(BANK, ADAPTER, COUNTY, "amqps://RCB01:geheim@county.example:5671/huilian", "", "t0ken"))
    file = bank.folder / "edge.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    found = load(bank, {})
    assert (found.shown_to, found.token) == ("amqps://county.example:5671", "t0ken")
    found = load(bank, {"HUILIAN_EDGE_TO": "https://other.example", "HUILIAN_TOKEN": "secret"})
    assert (found.to, found.token) == ("https://other.example", "secret")


@pytest.mark.parametrize(
    "change",
    [
        'to = "ftp://x"',
        'county = "34159"',
        'member = "../x"',
        'unknown = "x"',
        "token = 1",
        'ca_file = "/nowhere"',
        "=",
    ],
)
def test_a_setting_that_is_wrong_is_told(bank: Home, change: str):
    """Before anything is done with it."""
    file = bank.folder / "edge.toml"
    name = change.split(" ", maxsplit=1)[0]
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith(f"{name} =")]
    file.write_text("\n".join([*lines, change]), "utf-8")
    with pytest.raises(ConfigurationError, match="HL6006"):
        load(bank, {})


def test_the_status_is_read_without_the_edge(bank: Home, wire: Wire, seconds: Seconds):
    """What came in, where it is, what became of it, and what somebody must look at."""
    clock = FixedClock(NOW)
    for file in (bank.folder / "keys" / BANK).iterdir():
        os.utime(file, (NOW.timestamp(), NOW.timestamp()))
    save(bank, EdgeSettings(BANK, ADAPTER, COUNTY, "https://county.example"))
    [file] = (bank.folder / "trusted").glob("*.pem")
    os.utime(file, ((NOW + dt.timedelta(days=100)).timestamp(),) * 2)
    before = status(bank, clock)
    assert before["files"] == dict.fromkeys(("inbox", "taken", "spooled", "sent", "accepted", "refused"), 0)
    assert before["attention"] == ["尚未与县里联系上过 (no contact so far)"]
    ledger(bank.folder / "inbox", [1, 2, 99])
    wire.away = True
    with opened(bank, wire, seconds, clock) as edge:
        turn(edge, seconds)
        during = status(bank, clock)
        assert during["running"]
        wire.away = False
        turn(edge, seconds)
    after = status(bank, clock)
    assert (during["files"]["spooled"], during["messages"]) == (1, {"sent": 0, "to_send": 3})
    assert during["last_error"]["code"] == "HL5003"
    assert during["last_contact"] is None
    assert [text[:6] for text in during["attention"]] == ["HL5003", "尚未与县里联"]
    assert (after["files"]["accepted"], after["rows"]) == (1, {"accepted": 2, "rejected": 1})
    assert (after["running"], after["last_contact"], after["waiting"]) == (False, NOW.isoformat(), [])
    assert [(key["use"], key["until"]) for key in after["keys"]] == [
        ("sign", "2026-06-01T01:00:00+00:00"),
        ("trust", "2026-09-09T01:00:00+00:00"),
    ]
    assert (after["attention"], after["lasting_errors"]) == ([], [])
    assert after["last_error"]["code"] == "HL5003"
    clock.advance(dt.timedelta(days=705))
    assert any("将于 2026-06-01 前后到期" in text for text in status(bank, clock)["attention"])


def test_a_ledger_that_is_asked_for_as_a_whole_is_sent_so_and_nobody_is_troubled(
    bank: Home, wire: Wire, seconds: Seconds
):
    """Asked once more, late and by another way, it is not taken for a refusal of the whole one."""
    ledger(bank.folder / "inbox", [1, 2], name=LATER)
    with opened(bank, wire, seconds) as edge:
        turn(edge, seconds)
        wire.answers = False
        ledger(bank.folder / "inbox", [1, 2, 3])
        turn(edge, seconds)
        second = wire.submissions[-1]
        wire.say(refusal_notice(second, "HL1021"))
        turn(edge, seconds)
        check_empty(bank, "refused")
        wire.answers = True
        wire.say(refusal_notice(second, "HL1021"))
        turn(edge, seconds)
        check_empty(bank, "refused")
        whole = Spool(bank.spool).find(second)
        assert whole is not None
        wire.say(receipt_draft(whole.manifest))
        turn(edge, seconds)
    manifests = [message.json() for message in wire.sent if message.type == "submission_manifest"]
    assert [(each["as_of"], each["base"] is not None, len(each["parts"])) for each in manifests] == [
        ("2024-05-30", False, 1),
        ("2024-05-31", True, 1),
        ("2024-05-31", False, 1),
    ]
    assert names(bank.folder / "outbox") == ["RCB01_RECEIPT_20240601_001.csv", "RCB01_RECEIPT_20240601_002.csv"]
    assert names(bank.folder / "done") == [LATER, FILE]
    check_empty(bank, *EMPTY, "refused")


def test_what_hinders_sending_is_told_while_fetching_goes_on_and_no_longer_once_it_is_over(
    bank: Home, wire: Wire, seconds: Seconds
):
    """A key that the county has not entered: contact alone does not make that well."""
    clock = FixedClock(NOW)
    save(bank, EdgeSettings(BANK, ADAPTER, COUNTY, "https://county.example"))
    ledger(bank.folder / "inbox", [1])
    wire.refuses = {"submission_manifest": "HL1002"}
    with opened(bank, wire, seconds, clock) as edge:
        turn(edge, seconds)
        clock.advance(dt.timedelta(minutes=2))
        turn(edge, seconds)
        during = status(bank, clock)
    with opened(bank, wire, seconds, clock) as edge:
        again = status(bank, clock)
        wire.refuses = {}
        turn(edge, seconds)
        after = status(bank, clock)
    assert [(error["strand"], error["code"]) for error in during["lasting_errors"]] == [("send", "HL1002")]
    assert [text[:6] for text in during["attention"]] == ["HL1002"]
    assert again["attention"] == during["attention"]
    assert (after["attention"], after["lasting_errors"], after["last_error"]["code"]) == ([], [], "HL1002")
    assert names(bank.folder / "done") == [FILE]


def notice(**changes: Any) -> bytes:  # noqa: ANN401  # whichever fields
    """Return a notice as it travels."""
    record = {
        "line": 1,
        "notice_no": "TZ0001",
        "kind": "lending_suspended",
        "date": "2024-06-01",
        "region": "341599101",
        "reference": None,
        "code": None,
        "text": "不良率超过上限，暂停新增放贷",
    }
    return json.dumps(record | changes, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


LATE = {"kind": "step_overdue", "reference": "SQ1", "text": "申请 SQ1 的步骤“乡镇审核”已超期，请尽快办理"}


def test_a_notice_is_for_people_and_comes_as_a_file(bank: Home, wire: Wire, seconds: Seconds):
    """Whatever the county has to say."""
    wire.say(Draft("notices", "notices/v1", BANK, notice(), bulk=True))
    with opened(bank, wire, seconds) as edge:
        go(edge, lambda: bool(names(bank.folder / "outbox")))
    [name] = names(bank.folder / "outbox")
    assert name == "RCB01_NOTICE_20240601_001.csv"
    assert "暂停新增放贷" in (bank.folder / "outbox" / name).read_bytes().decode("gb18030")


def test_versions_of_a_contract_that_look_alike_are_numbered_together(bank: Home, wire: Wire, seconds: Seconds):
    """No two files of a day have one number, and none is left out."""
    for dataschema, changes in (("notices/v1", {}), ("notices/v2", LATE), ("notices/v1", {"notice_no": "TZ3"})):
        wire.say(Draft("notices", dataschema, BANK, notice(**changes), bulk=True))
    with opened(bank, wire, seconds) as edge:
        go(edge, lambda: len(names(bank.folder / "outbox")) == 3)
    assert names(bank.folder / "outbox") == [f"RCB01_NOTICE_20240601_{number:03d}.csv" for number in (1, 2, 3)]
    assert "办理超期" in (bank.folder / "outbox" / "RCB01_NOTICE_20240601_002.csv").read_bytes().decode("gb18030")


def test_a_version_that_the_adapter_does_not_know_leaves_no_gap_in_its_numbers(
    bank: Home, wire: Wire, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
):
    """An adapter of others may be older than the contract: what it does not write is NDJSON, numbered by itself."""
    writes = loading.find(ADAPTER).writes
    monkeypatch.setattr(
        type(loading.find(ADAPTER)), "writes", {name: file for name, file in writes.items() if name != "notices/v2"}
    )
    for dataschema, changes in (("notices/v1", {}), ("notices/v2", LATE), ("notices/v1", {"notice_no": "TZ3"})):
        wire.say(Draft("notices", dataschema, BANK, notice(**changes), bulk=True))
    with opened(bank, wire, seconds) as edge:
        go(edge, lambda: len(names(bank.folder / "outbox")) == 3)
    assert names(bank.folder / "outbox") == [
        *(f"RCB01_NOTICE_20240601_{number:03d}.csv" for number in (1, 2)),
        "通知_RCB01_20240601_001.ndjson",
    ]


def test_a_station_reads_what_is_late_as_a_workbook(bank: Home, wire: Wire, seconds: Seconds):
    """In Chinese, codes in words."""
    save(bank, EdgeSettings(BANK, "county_forms", COUNTY))
    wire.say(Draft("notices", "notices/v2", BANK, notice(**LATE), bulk=True))
    with opened(bank, wire, seconds) as edge:
        go(edge, lambda: bool(names(bank.folder / "outbox")))
    [name] = names(bank.folder / "outbox")
    assert name == "通知_RCB01_20240601.xlsx"
    rows = list(openpyxl.load_workbook(bank.folder / "outbox" / name)["通知"].iter_rows(min_row=3, values_only=True))
    assert rows == [
        ("序号", "通知编号", "通知种类", "通知日期", "行政区划代码", "业务编号", "错误代码", "内容"),
        (1, "TZ0001", "办理超期", dt.datetime(2024, 6, 1), "341599101", "SQ1", None, LATE["text"]),  # noqa: DTZ001  # a spreadsheet knows no zones
    ]
