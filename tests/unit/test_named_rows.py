"""An adapter whose receipts name rows: the original and its rejections are brought to the receipt, if they are here."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from adapters.insurer import adapter as insurer
from adapters.rural_commercial_bank import adapter as bank
from huilian.adapters import REJECTIONS, loading
from huilian.core.clock import FixedClock
from huilian.core.errors import describe
from huilian.institution import push, receipts
from huilian.institution.edge import open_edge
from huilian.institution.edge.folders import Folders
from huilian.institution.edge.settings import EdgeSettings, save
from huilian.institution.spool import Spool
from huilian.settings import Home, Settings
from huilian.wire import catalogue
from huilian.wire.keys import SigningKey
from tests.support.builders.insurer_packages import NAME, NAMESPACE, claim, package, policy, results
from tests.support.edge import COUNTY, Wire, go, names, receipt_draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from huilian.institution.edge import Edge
    from huilian.institution.spool import SpooledSubmission
    from huilian.institution.transports.base import Incoming

MEMBER = "INS_PICC"
NOW = dt.datetime(2024, 6, 1, 1, 0, tzinfo=dt.UTC)
PLATFORM = SigningKey.generate()
ACK = "INS_PICC_ACK_20240601_01.xml"
RETURNED = f"退回_{NAME}"
WRONG = policy({"PolicyNo": "P2", "Region": "110101000000", "SumInsured": "?"})
TOLD = [
    ("Policy", "1", "P2024000001", "accepted", []),
    ("Policy", "2", "P2", "rejected", ["HL2009", "HL2002"]),
    ("Claim", "3", "C2024000001", "accepted", []),
]


def mixed(folder: Path, *, codec: str = "utf-8", declared: str = "UTF-8") -> Path:
    """Write a package of three elements, of which the second is wrong in two ways."""
    return package(policy(), WRONG, claim(), total="30240", codec=codec, declared=declared).save(folder)


class County(Wire):
    """Takes all it is handed, and answers.

    Args:
        status: of the receipt.
        meanwhile: what happens before it answers.
    """

    can_be_asked = False

    def __init__(self, status: str = "accepted", meanwhile: Callable[[], None] = lambda: None) -> None:
        super().__init__(PLATFORM)
        self.status = status
        self.meanwhile = meanwhile

    def fetch(self, cursor: str | None) -> Iterator[Incoming]:
        """Give what waits."""
        self.meanwhile()
        yield from super().fetch(cursor)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The insurer's own machine: its key, and no office."""
    home = Home(tmp_path / "home", {})
    home.create(Settings(COUNTY, "anhui"))
    home.keys.create(MEMBER)
    home.trust("HUILIAN", PLATFORM.public)
    return home


def pushed(source: Path, home: Home, county: County | None = None) -> push.Pushed:
    """Push a package."""
    return push.push(
        source,
        adapter=insurer,
        member=MEMBER,
        home=home,
        settings=loading.settings_for(insurer, COUNTY, {}),
        catalogue=catalogue.installed(),
        clock=FixedClock(NOW),
        transport=county or County(),
    )


def spooled(home: Home) -> SpooledSubmission:
    """Return the one submission there is."""
    [found] = Spool(home.spool).submissions()
    return found


@pytest.mark.parametrize(("codec", "declared"), [("utf-8", "UTF-8"), ("gb18030", "GB18030")])
def test_a_push_is_answered_with_one_file_that_names_every_row(tmp_path: Path, home: Home, codec: str, declared: str):
    """It is the file with the rejected rows, too; pushed again, it is answered alike."""
    source = mixed(tmp_path, codec=codec, declared=declared)
    for _ in range(2):
        found = pushed(source, home)
        assert found.answer is not None
        assert (found.answer.name, found.rejections) == (ACK, found.answer)
        ack = found.answer.read_bytes()
        assert results(ack) == TOLD
        assert describe("HL2009") in ack.decode(codec)
        assert insurer.read_back(found.answer, "receipt/v2", loading.settings_for(insurer, COUNTY, {})).to_dicts() == [
            found.receipt
        ]


def test_where_nothing_was_rejected_there_is_no_file_with_rejected_rows(tmp_path: Path, home: Home):
    """And every element has its result all the same."""
    found = pushed(package(policy(), claim(), total="30120").save(tmp_path), home)
    assert (found.rejections, found.answer and results(found.answer.read_bytes())) == (
        None,
        [
            ("Policy", "1", "P2024000001", "accepted", []),
            ("Claim", "2", "C2024000001", "accepted", []),
        ],
    )


def test_a_refusal_of_the_whole_is_told_of_every_row(tmp_path: Path, home: Home):
    """Nothing was taken, so that all rows are in the file with the rejected ones."""
    found = pushed(package(policy(), claim(), total="30120").save(tmp_path), home, County("refused"))
    assert found.answer is not None
    assert found.rejections == found.answer
    assert [(status, codes) for *_, status, codes in results(found.answer.read_bytes())] == [
        ("rejected", ["HL3012"])
    ] * 2


@pytest.mark.parametrize("change", ["removed", "altered"])
def test_a_file_that_is_not_the_one_that_was_sent_any_more_is_not_spoken_of(tmp_path: Path, home: Home, change: str):
    """The receipt stands alone, and the rejected rows in the file that was made of them before it was sent."""
    source = mixed(tmp_path)

    def meanwhile() -> None:
        if change == "removed":
            source.unlink()
        else:
            source.write_bytes(source.read_bytes().replace(b"P2024000001", b"P2024000009"))

    found = pushed(source, home, County(meanwhile=meanwhile))
    assert found.rejections == spooled(home).folder / RETURNED
    assert found.answer is not None
    assert results(found.answer.read_bytes()) == []
    assert etree.parse(found.rejections).getroot().tag == f"{{{NAMESPACE}}}Rejections"


def test_a_receipt_that_counts_other_rows_is_not_joined_with_these(tmp_path: Path, home: Home):
    """As one of the same bytes translated before by another version of the adapter."""
    source = mixed(tmp_path)
    receipt = pushed(source, home).receipt
    submission = spooled(home)
    told = loading.settings_for(insurer, COUNTY, {})
    found = receipts.rows(insurer, receipt, submission, source, told)
    assert found is not None
    assert found.source == source
    fewer = receipt | {"rejected": 2, "accepted": 1}
    assert receipts.rows(insurer, fewer, submission, source, told) is None
    assert receipts.rows(insurer, receipt | {"rows": 4}, submission, source, told) is None
    assert receipts.rows(insurer, receipt, None, source, told) is None
    assert receipts.rows(bank, receipt, submission, source, told) is None


def test_records_that_the_county_refuses_are_among_the_rows_of_a_receipt(tmp_path: Path, home: Home):
    """By line, with what was rejected here; a receipt that tells fewer than it counts stands alone."""
    source = mixed(tmp_path)
    receipt = pushed(source, home).receipt
    submission = spooled(home)
    here = receipts.rejected(submission)
    reason = {"field": "amount", "code": "HL2011", "message": "赔付金额大于保额", "reference": "P2024000001"}
    refusals = [{"type": "policies", "line": 1} | reason]
    counted = receipt | {"accepted": receipt["accepted"] - 1, "rejected": receipt["rejected"] + 1}
    told = loading.settings_for(insurer, COUNTY, {})
    found = receipts.rows(insurer, counted | {"refusals": refusals}, submission, source, told)
    assert found is not None
    assert found.rejections.height == here.height + 1
    assert found.rejections.row(0, named=True) == {"line": 1} | reason
    assert receipts.rows(insurer, counted | {"refusals": []}, submission, source, told) is None
    assert receipts.counted(counted | {"refusals": refusals, "refused_totals": {}}) == counted


def test_rejections_are_read_back_from_what_was_sealed(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch):
    """All of them, by line, however many messages they filled."""
    monkeypatch.setattr("huilian.wire.batches.LINE_LIMIT", 2)
    wrong = [claim({"ClaimNo": f"C{number}", "Status": "?", "Amount": "?"}) for number in (1, 2)]
    source = package(wrong[0], WRONG, wrong[1], total="1").save(tmp_path)
    pushed(source, home)
    submission = spooled(home)
    assert [part["type"] for part in submission.manifest["parts"]].count("rejections") == 3
    found = receipts.rejected(submission)
    assert found.schema == REJECTIONS
    assert found.select("line", "field", "code", "reference").rows() == [
        (1, "Claim/Status", "HL2005", "C1"),
        (1, "Claim/Amount", "HL2002", "C1"),
        (2, "Policy/Region", "HL2009", "P2"),
        (2, "Policy/SumInsured", "HL2002", "P2"),
        (3, "Claim/Status", "HL2005", "C2"),
        (3, "Claim/Amount", "HL2002", "C2"),
    ]


def test_a_spool_that_lost_a_part_does_not_keep_the_receipt_back(tmp_path: Path, home: Home):
    """What the county says is written without the rows."""
    source = mixed(tmp_path)
    pushed(source, home)
    last = max(spooled(home).folder.glob("[0-9]*.payload"))
    whole = last.read_bytes()
    last.write_bytes(whole[:-9])
    again = pushed(source, home)
    last.unlink()
    for found in (again, pushed(source, home)):
        assert found.answer is not None
        assert results(found.answer.read_bytes()) == []
        assert found.rejections == spooled(home).folder / RETURNED


@pytest.fixture
def edge_of_insurer(tmp_path: Path) -> Home:
    """An edge's data directory, its key and the platform's in place."""
    home = Home(tmp_path / "edge", environment={})
    save(home, EdgeSettings(MEMBER, "insurer", COUNTY))
    Folders(home.folder).make()
    home.keys.create(MEMBER)
    home.trust("HUILIAN", PLATFORM.public)
    return home


@contextlib.contextmanager
def opened(home: Home, wire: Wire) -> Iterator[Edge]:
    """Open the edge at the other end of a wire."""
    with open_edge(home, offline=True, settle=0, clock=FixedClock(NOW)) as edge:
        edge.engine.transport = wire
        yield edge


@pytest.mark.parametrize("status", ["accepted", "refused"])
def test_an_edge_answers_a_package_with_one_file(edge_of_insurer: Home, status: str):
    """Dropped again, it is answered again in the same way."""
    wire = Wire(PLATFORM)
    wire.status = status
    expected = TOLD
    if status == "refused":
        expected = [(*found[:3], "rejected", [*found[4], "HL3012"]) for found in TOLD]
    for number in (1, 2):
        mixed(edge_of_insurer.folder / "inbox")
        with opened(edge_of_insurer, wire) as edge:
            go(edge)
        acks = [f"INS_PICC_ACK_20240601_{each:02d}.xml" for each in range(1, number + 1)]
        assert names(edge_of_insurer.folder / "outbox") == acks
        assert results((edge_of_insurer.folder / "outbox" / acks[-1]).read_bytes()) == expected


def test_an_edge_without_the_original_returns_receipt_and_rejected_rows(edge_of_insurer: Home):
    """Two files then, of which one is no acknowledgement."""
    wire = Wire(PLATFORM)
    wire.answers = False
    mixed(edge_of_insurer.folder / "inbox")
    with opened(edge_of_insurer, wire) as edge:
        go(edge, lambda: bool(edge.journal.inbox.in_states("sent")))
        [underway] = (edge_of_insurer.folder / "underway").glob("*/*")
        underway.unlink()
        wire.say(receipt_draft(spooled(edge_of_insurer).manifest))
        go(edge)
    outbox = edge_of_insurer.folder / "outbox"
    assert names(outbox) == [ACK, RETURNED]
    assert results((outbox / ACK).read_bytes()) == []
    assert [number for _, number, *_ in results((outbox / RETURNED).read_bytes())] == ["2"]


def test_an_edge_whose_spool_was_lost_writes_the_receipt_alone(edge_of_insurer: Home):
    """What was rejected is not known any more."""
    wire = Wire(PLATFORM)
    wire.answers = False
    mixed(edge_of_insurer.folder / "inbox")
    with opened(edge_of_insurer, wire) as edge:
        go(edge, lambda: bool(edge.journal.inbox.in_states("sent")))
        submission = spooled(edge_of_insurer)
        manifest = submission.manifest
        shutil.rmtree(submission.folder)
        wire.say(receipt_draft(manifest))
        go(edge)
    [ack] = (edge_of_insurer.folder / "outbox").iterdir()
    assert (ack.name, results(ack.read_bytes())) == (ACK, [])
    assert b"<Rows>3</Rows><Accepted>2</Accepted><Rejected>1</Rejected>" in ack.read_bytes()
