"""A file that an edge refuses: explained at once, told to the county in its turn, and answered once."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from huilian.core.clock import FixedClock
from huilian.core.errors import FileRefused, describe
from huilian.institution import translation
from huilian.institution.edge import delivery, open_edge
from huilian.institution.edge.folders import EXPLANATION, Folders
from huilian.institution.edge.settings import EdgeSettings, save
from huilian.institution.edge.status import status
from huilian.institution.spool import Spool
from huilian.settings import Home
from huilian.wire.envelope import Draft
from huilian.wire.keys import SigningKey
from tests.support.edge import ADAPTER, BANK, COUNTY, Wire, names, receipt_draft, receipts, refusal_notice
from tests.support.push import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.institution.edge import Edge

NOW = dt.datetime(2024, 6, 1, 1, 0, tzinfo=dt.UTC)
FILE, LATER = "RCB01_LOAN_20240531.csv", "RCB01_LOAN_20240530.csv"
WRONG = "合计,2,100000.00,1.00"
"""A trailer that does not agree: HL3001."""
PLATFORM = SigningKey.generate()
EMPTY = ("inbox", "underway", "unfinished", "done")


class Seconds:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return them."""
        return self.now


class Bank:
    """A bank's edge at one end of a wire.

    Args:
        folder: its data directory.
    """

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder, environment={})
        save(self.home, EdgeSettings(BANK, ADAPTER, COUNTY))
        Folders(folder).make()
        self.home.keys.create(BANK)
        self.home.trust("HUILIAN", PLATFORM.public)
        self.wire = Wire(PLATFORM)
        self.seconds = Seconds()
        self.clock = FixedClock(NOW)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Edge]:
        """Open the edge."""
        with open_edge(self.home, offline=True, settle=0, clock=self.clock, monotonic=self.seconds) as edge:
            edge.engine.transport = self.wire
            edge.recover()
            yield edge

    def turn(self, edge: Edge, times: int = 6) -> None:
        """Go some rounds, a minute and more between them, so that every wait is over."""
        for _ in range(times):
            edge.round(threading.Event())
            self.seconds.now += 90

    def drop(self, name: str = FILE, trailer: str | None = WRONG) -> bytes:
        """Drop a file of two loans into the inbox, refused unless its trailer is made to agree."""
        return ledger(self.home.folder / "inbox", [1, 2], name=name, trailer=trailer).read_bytes()

    def put(self, content: bytes, name: str = FILE) -> None:
        """Drop these bytes."""
        (self.home.folder / "inbox" / name).write_bytes(content)

    def names(self, folder: str) -> list[str]:
        """Return what lies in a folder."""
        return names(self.home.folder / folder)

    def check_refused_once(self) -> None:
        """See that the file and its explanation lie there, the receipt in the outbox, and nothing anywhere else."""
        assert self.names("refused") == [FILE, FILE + EXPLANATION]
        [receipt] = receipts(self.home)
        assert (receipt["status"], receipt["code"], receipt["rows"]) == ("refused", "HL3001", 0)
        assert {folder: self.names(folder) for folder in EMPTY} == {folder: [] for folder in EMPTY}

    @property
    def types(self) -> list[str]:
        """Return the types of what the county was sent."""
        return [message.type for message in self.wire.sent]


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """A bank whose wire holds."""
    return Bank(tmp_path / "bank")


def states(edge: Edge) -> dict[str, int]:
    """Return how many files are in each state."""
    return {state: found[0] for state, found in edge.journal.inbox.counts().items()}


def test_a_refused_file_is_told_and_answered_in_the_banks_own_format(bank: Bank):
    """One message, one receipt; the explanation stays as it was written."""
    bank.drop()
    with bank.opened() as edge:
        bank.turn(edge, 2)
        text = (bank.home.folder / "refused" / (FILE + EXPLANATION)).read_bytes()
        bank.turn(edge)
        assert states(edge) == {"refused": 1}
        assert edge.refused == 1
    assert bank.types == ["refused_file"]
    assert "错误代码：HL3001" in text.decode("utf-8-sig")
    assert (bank.home.folder / "refused" / (FILE + EXPLANATION)).read_bytes() == text
    bank.check_refused_once()
    [receipt] = receipts(bank.home)
    assert receipt["submission"] == bank.wire.submissions[0]
    assert receipt["message"] in text.decode("utf-8-sig")


def test_cut_off_it_is_explained_at_once_and_told_in_its_turn(bank: Bank):
    """Between the files before and behind it; until then the status names it."""
    bank.wire.away = True
    for day, (name, trailer) in enumerate([(LATER, None), (FILE, WRONG), ("RCB01_LOAN_20240529.csv", None)], start=1):
        bank.drop(name, trailer)
        os.utime(bank.home.folder / "inbox" / name, ns=(day, day))
    with bank.opened() as edge:
        bank.turn(edge)
        assert states(edge) == {"spooled": 2, "untold": 1}
        assert edge.refused == 1
    assert bank.names("refused") == [FILE, FILE + EXPLANATION]
    assert bank.names("outbox") == []
    facts = status(bank.home, bank.clock)
    assert (facts["files"]["refused"], facts["messages"]) == (1, {"sent": 0, "to_send": 5})
    assert [(each["file"], each["state"]) for each in facts["waiting"]] == [
        (LATER, "spooled"),
        (FILE, "untold"),
        ("RCB01_LOAN_20240529.csv", "spooled"),
    ]
    bank.wire.away = False
    with bank.opened() as edge:
        bank.turn(edge)
        assert states(edge) == {"accepted": 2, "refused": 1}
    assert [name.split("-")[2] for name in bank.wire.submissions] == ["20240530", "20240531", "20240529"]
    assert sorted(receipt["status"] for receipt in receipts(bank.home)) == ["accepted", "accepted", "refused"]


def test_the_bank_may_take_the_refused_file_away_before_the_county_is_told(bank: Bank):
    """What is told needs nothing of it, not even where it must be sealed anew."""
    bank.wire.refuses = {"refused_file": "HL1002"}
    bank.drop()
    with bank.opened() as edge:
        bank.turn(edge)
        assert states(edge) == {"untold": 1}
        assert json.loads(edge.journal.fact("last_error") or "")["code"] == "HL1002"
    for name in bank.names("refused"):
        (bank.home.folder / "refused" / name).unlink()
    bank.home.keys.create(BANK)
    with bank.opened() as edge:
        bank.turn(edge)
        bank.wire.refuses = {}
        bank.turn(edge)
        assert states(edge) == {"refused": 1}
    [message] = bank.wire.sent
    assert message.kid == bank.home.keys.current(BANK).kid
    assert [receipt["status"] for receipt in receipts(bank.home)] == ["refused"]
    assert bank.names("refused") == []


def test_mended_and_dropped_again_the_file_is_taken(bank: Bank):
    """The same bytes once more are answered with the same receipt and not told again; corrected, they count."""
    content = bank.drop()
    with bank.opened() as edge:
        bank.turn(edge)
        bank.put(content)
        bank.turn(edge)
        assert states(edge) == {"refused": 2}
        bank.drop(trailer=None)
        bank.turn(edge)
    assert bank.types == ["refused_file", "submission_manifest", "loan_ledger"]
    refused, again, taken = receipts(bank.home)
    assert (refused, taken["status"]) == (again, "accepted")
    assert bank.names("done") == [FILE]
    assert [name for name in bank.names("refused") if not name.endswith(EXPLANATION)] == [
        FILE,
        FILE.replace(".csv", "_2.csv"),
    ]


def test_the_same_bytes_are_taken_once_settings_are_mended(bank: Bank, monkeypatch: pytest.MonkeyPatch):
    """What is spooled of a refusal never stands in the way of the file itself."""
    content = bank.drop(trailer=None)
    with bank.opened() as edge:
        with monkeypatch.context() as patch:
            patch.setattr(edge.engine.sender.adapter.__class__, "read", _refusing)
            bank.turn(edge)
            assert states(edge) == {"refused": 1}
        bank.put(content)
        bank.turn(edge)
        assert states(edge) == {"refused": 1, "accepted": 1}
    told, taken, _ = [message.submission for message in bank.wire.sent]
    assert told == f"{taken}-HL3006"


def _refusing(_self: object, source: Path, *_others: object) -> Iterator[Any]:
    raise FileRefused("HL3006", file=source.name)


def test_two_files_of_the_same_content_are_told_once_and_both_answered(bank: Bank):
    """Dropped while the county is away."""
    bank.wire.away = True
    content = bank.drop()
    with bank.opened() as edge:
        bank.turn(edge)
        bank.put(content)
        bank.turn(edge)
        bank.wire.away = False
        bank.turn(edge)
        assert states(edge) == {"refused": 2}
    assert bank.types == ["refused_file"]
    first, second = receipts(bank.home)
    assert first == second


@pytest.mark.parametrize("code", ["HL1004", "HL1005", "HL1010"])
def test_a_county_that_does_not_take_it_is_not_asked_again(bank: Bank, code: str):
    """An older one, perhaps: the explanation stands, the next file goes on."""
    bank.wire.refuses = {"refused_file": code}
    bank.drop()
    with bank.opened() as edge:
        bank.turn(edge)
        assert states(edge) == {"refused": 1}
        bank.drop(LATER, None)
        bank.turn(edge)
        assert states(edge) == {"refused": 1, "accepted": 1}
    assert bank.names("refused") == [FILE, FILE + EXPLANATION]
    assert [found.folder.name.split("-")[2] for found in Spool(bank.home.spool).submissions()] == ["20240530"]


def test_a_refusal_of_it_that_is_told_afterwards_ends_it(bank: Bank):
    """Over AMQP nobody answers what is handed over."""
    bank.wire.answers = False
    bank.drop()
    with bank.opened() as edge:
        bank.turn(edge)
        assert states(edge) == {"told": 1}
        bank.wire.say(refusal_notice(bank.wire.submissions[0], "HL1005"))
        bank.turn(edge)
        assert states(edge) == {"refused": 1}
    assert Spool(bank.home.spool).submissions() == []
    assert bank.names("refused") == [FILE, FILE + EXPLANATION]


def test_without_a_receipt_it_is_told_again_ever_later(bank: Bank):
    """After an hour, then two; under another seal, with the same words."""
    bank.wire.answers = False
    bank.drop()
    told = []
    with bank.opened() as edge:
        for hours in (0, 0.9, 0.2, 1.5, 0.6):
            bank.clock.advance(dt.timedelta(hours=hours))
            bank.turn(edge)
            told.append(len(bank.wire.sent))
        bank.wire.answers = True
        bank.wire.send(bank.wire.sent[-1])
        bank.turn(edge)
        assert states(edge) == {"refused": 1}
    assert told == [1, 1, 2, 2, 3]
    assert len({message.id for message in bank.wire.sent}) == 3
    assert len({message.payload for message in bank.wire.sent}) == 1
    bank.check_refused_once()


def test_a_county_that_was_set_up_anew_is_told_anew(bank: Bank):
    """It knows of no such submission; the receipt comes once."""
    bank.wire.answers = False
    bank.drop()
    with bank.opened() as edge:
        bank.turn(edge, 2)
        bank.wire.unknown, bank.wire.answers = set(bank.wire.submissions), True
        bank.turn(edge, 2)
        bank.wire.unknown = set()
        bank.turn(edge)
    bank.check_refused_once()


def test_a_lost_spool_leaves_it_at_the_explanation(bank: Bank):
    """What would tell of it is gone, and so may be the file: nothing waits for ever."""
    bank.wire.away = True
    bank.drop()
    with bank.opened() as edge:
        bank.turn(edge)
        [found] = Spool(bank.home.spool).submissions()
        found.discard()
        bank.wire.away = False
        bank.turn(edge)
        assert states(edge) == {"refused": 1}
    assert bank.wire.sent == []


def test_nothing_is_told_of_a_file_that_is_still_being_written_to(bank: Bank, monkeypatch: pytest.MonkeyPatch):
    """It goes back to the inbox; what was sealed of its first half is taken back."""
    bank.drop()
    whole = ledger(bank.home.folder, [1, 2]).read_bytes()
    spool = translation.spool_refusal

    def slowly(*arguments: Any, **others: Any) -> str:  # noqa: ANN401  # as they came
        name = spool(*arguments, **others)
        [taken] = (bank.home.folder / "underway").glob("*/*.csv")
        taken.write_bytes(whole)
        return name

    monkeypatch.setattr(translation, "spool_refusal", slowly)
    with bank.opened() as edge:
        bank.turn(edge)
        assert states(edge) == {"accepted": 1}
    assert bank.types == ["submission_manifest", "loan_ledger"]
    assert bank.names("refused") == []


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_full_disk_kept_from_its_end_comes_to_it(bank: Bank, monkeypatch: pytest.MonkeyPatch, times: int):
    """The file is not judged twice, and lies in its place once there is room."""
    move, failures = delivery.move, iter(range(times))

    def full(source: Path, target: Path) -> None:
        if next(failures, None) is not None:
            raise OSError(28, "No space left on device")
        move(source, target)

    monkeypatch.setattr(delivery, "move", full)
    bank.drop()
    with bank.opened() as edge:
        bank.turn(edge, 1)
        assert states(edge) == {"taken": 1}
        bank.turn(edge)
    bank.check_refused_once()
    assert bank.types == ["refused_file"]


def test_a_bundle_edge_keeps_it_for_the_next_bundle(bank: Bank):
    """Without a wire nothing waits; a run ends, and what is sealed lies in the spool."""
    bank.drop()
    with open_edge(bank.home, offline=True, settle=0, clock=bank.clock) as edge:
        assert edge.run_once(threading.Event(), seconds=0)
        assert edge.refused == 1
    assert bank.names("refused") == [FILE, FILE + EXPLANATION]
    assert [found.receipt for found in Spool(bank.home.spool).submissions()] == [None]


def test_records_that_the_county_refuses_come_back_in_the_banks_own_layout(bank: Bank):
    """The receipt in its format counts them; the returned file has them beside the rows that were rejected here."""
    ledger(bank.home.folder / "inbox", [1, 2, 99])
    bank.wire.answers = False
    with bank.opened() as edge:
        bank.turn(edge, 2)
        [manifest] = [message.json() for message in bank.wire.sent if message.type == "submission_manifest"]
        plain = json.loads(receipt_draft(manifest).body)
        reason = {"field": "balance", "code": "HL2011", "message": "余额大于借款金额", "reference": "L0002"}
        told = {
            "accepted": 1,
            "rejected": 2,
            "refusals": [{"type": "loan_ledger", "line": 3} | reason],
            "refused_totals": {"principal": "50000.00", "balance": "30000.00"},
        }
        body = json.dumps(plain | told, ensure_ascii=False).encode()
        bank.wire.say(Draft("receipt", "receipt/v4", BANK, body, submission=manifest["submission"]))
        bank.turn(edge)
        assert states(edge) == {"accepted": 1}
        assert edge.journal.inbox.counts() == {"accepted": (1, 1, 2)}
    [receipt] = receipts(bank.home)
    assert (receipt["status"], receipt["accepted"], receipt["rejected"]) == ("accepted", 1, 2)
    assert bank.names("done") == [FILE]
    returned = (bank.home.folder / "outbox" / f"退回_{FILE}").read_text("gb18030").splitlines()
    assert [(line.partition(",")[0], line.rpartition(",")[0].rpartition(",")[2]) for line in returned[1:]] == [
        ("L0002", "HL2011"),
        ("L0099", "HL2009"),
    ]
    assert returned[1].endswith("balance：余额大于借款金额")
    assert returned[2].endswith(f"行政区划代码：{describe('HL2009')}")
