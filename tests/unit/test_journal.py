"""The journal of a data directory: what an older version kept there is read on."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from huilian.core.clock import FixedClock
from huilian.core.errors import MessageRefused
from huilian.institution.edge import open_edge
from huilian.institution.edge.folders import Folders
from huilian.institution.edge.settings import EdgeSettings, save
from huilian.institution.journal import Journal
from huilian.settings import Home
from huilian.wire import envelope
from huilian.wire.keys import SigningKey
from tests.support.edge import ADAPTER, BANK, COUNTY, Wire, confirmation, names, receipt_draft
from tests.support.push import engine, ledger, spool

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.wire.envelope import Message

NOW = dt.datetime(2024, 6, 1, 1, 0, tzinfo=dt.UTC)
PLATFORM, STRANGER = SigningKey.generate(), SigningKey.generate()
TABLES_BEFORE = """
    CREATE TABLE arrival (number INTEGER PRIMARY KEY AUTOINCREMENT, file_name TEXT NOT NULL, arrived_at TEXT NOT NULL,
        state TEXT NOT NULL, submission TEXT, rejected INTEGER NOT NULL DEFAULT 0, accepted INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0, sent_at TEXT, ending TEXT, kept_as TEXT, explanation TEXT) STRICT;
    CREATE TABLE received (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
        seal TEXT NOT NULL, payload BLOB NOT NULL, submission TEXT, received_at TEXT NOT NULL, state TEXT NOT NULL)
        STRICT;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


@pytest.fixture
def bank(tmp_path: Path) -> Home:
    """A bank's data directory, set up as an edge."""
    home = Home(tmp_path / "bank", environment={})
    save(home, EdgeSettings(BANK, ADAPTER, COUNTY))
    Folders(home.folder).make()
    home.keys.create(BANK)
    home.trust("HUILIAN", PLATFORM.public)
    return home


def sealed(number: int, key: SigningKey = PLATFORM) -> Message:
    """Seal a confirmed list."""
    return envelope.seal(confirmation(number), key, source="HUILIAN", time=NOW)


def lay(folder: Path, message: Message) -> None:
    """Lay a message down as an older `huilian push` did."""
    folder.mkdir(exist_ok=True)
    name = folder / hashlib.sha256(message.seal.encode()).hexdigest()[:32]
    name.with_suffix(".payload").write_bytes(message.payload)
    name.with_suffix(".seal").write_text(message.seal)
    os.utime(name.with_suffix(".seal"), (NOW.timestamp(), NOW.timestamp()))


def test_what_an_older_push_kept_in_its_spool_is_taken_over(bank: Home, tmp_path: Path):
    """Messages for the edge, doubts, refusals and receipts; its folders are gone then."""
    refused, answered = (
        spool(ledger(tmp_path, [number], name=f"RCB01_LOAN_202405{number}.csv"), bank, FixedClock(NOW))
        for number in (30, 31)
    )
    lay(bank.spool / "received", sealed(1))
    lay(bank.spool / "doubted", sealed(2, STRANGER))
    for folder, name, content in (
        ("refusals", hashlib.sha256(refused.folder.name.encode()).hexdigest()[:32], {"code": "HL1010", "text": "不符"}),
        ("receipts", answered.folder.name, json.loads(receipt_draft(answered.manifest).body)),
    ):
        (bank.spool / folder).mkdir()
        (bank.spool / folder / f"{name}.json").write_text(json.dumps(content))
    with open_edge(bank, settle=0, offline=True, clock=FixedClock(NOW)) as edge:
        edge.round(threading.Event())
        assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv"]
        assert [code for _, code in edge.journal.messages.doubted()] == ["HL1002"]
        assert edge.journal.messages.refusal_of(refused.folder.name) == ("HL1010", "不符")
    assert answered.receipt is not None
    assert answered.receipt["status"] == "accepted"
    assert names(bank.spool) == sorted([refused.folder.name, answered.folder.name])


def test_the_ledger_of_an_older_edge_is_opened_as_it_is(bank: Home):
    """What waits in it is written out, and its cursor counts."""
    message = sealed(1)
    with contextlib.closing(sqlite3.connect(bank.folder / "edge.sqlite")) as before:
        before.executescript(TABLES_BEFORE)
        before.execute(
            "INSERT INTO received (id, type, seal, payload, received_at, state) VALUES (?, ?, ?, ?, ?, 'waiting')",
            [message.id, message.type, message.seal, message.payload, NOW.isoformat()],
        )
        before.execute("INSERT INTO fact VALUES ('cursor', '7')")
        before.commit()
    (bank.folder / "edge.sqlite").chmod(0o600)
    with open_edge(bank, settle=0, offline=True, clock=FixedClock(NOW)) as edge:
        edge.round(threading.Event())
        assert (edge.journal.fact("cursor"), edge.journal.messages.unwritten()) == ("7", 0)
    assert names(bank.folder / "outbox") == ["RCB01_CONFIRM_20240601_001.csv"]


def test_a_file_that_is_sealed_anew_knows_nothing_of_what_was_said_of_its_earlier_sealing(bank: Home, tmp_path: Path):
    """Taken out of the spool by hand, since the county was restored: over a queue it is sent again, and answered."""
    wire = Wire(PLATFORM)
    wire.can_be_asked = False
    source = ledger(tmp_path, [1])
    for times in (1, 2):
        with engine(bank, wire, clock=FixedClock(NOW)) as sync:
            submission = sync.translate(source)
            assert sync.exchange(submission, seconds=20)["status"] == "accepted"
        assert [message.type for message in wire.sent] == ["submission_manifest", "loan_ledger"] * times
        submission.discard()
    with engine(bank, wire, clock=FixedClock(NOW)) as sync:
        submission = sync.translate(source)
        sync.sender.journal.messages.keep_refusal(submission.folder.name, "HL1010", "不符")
        with pytest.raises(MessageRefused, match="HL1010"):
            sync.wait(submission.folder.name, seconds=0)
        submission.discard()
        sync.translate(source)
        assert sync.wait(submission.folder.name, seconds=0) is None


def test_the_journal_is_for_its_owner_alone(tmp_path: Path):
    """A push makes it where there is none."""
    with Journal(Home(tmp_path / "new", {})) as journal:
        assert journal.messages.unwritten() == 0
    assert (tmp_path / "new" / "edge.sqlite").stat().st_mode & 0o777 == 0o600
