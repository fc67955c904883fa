"""Messages carried by hand: as good as the wire, and counted once, whichever way they come."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest

from huilian.core.errors import AccessDenied, FileRefused, UsageError
from huilian.county.messages import courier, store
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.institution import bundles as at_the_edge
from huilian.institution.edge import open_edge
from huilian.institution.spool import Spool
from huilian.wire import bundle, envelope
from tests.support.edge import BANK, confirmation, edge_home, names, receipts
from tests.support.push import ledger

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.county.messages.courier import Taken
    from huilian.settings import Home
    from huilian.wire.envelope import Message
    from tests.support.county import County

FILE = "RCB01_LOAN_20240531.csv"


@pytest.fixture
def bank(tmp_path: Path, county: County) -> Home:
    """A bank that has no way to the county but by hand."""
    return edge_home(tmp_path / "bank", county.office.home)


@pytest.fixture
def sealed(bank: Home, county: County) -> Home:
    """The same, with one file sealed."""
    ledger(bank.folder / "inbox", [1, 2, 99])
    settle(bank, county)
    return bank


def settle(home: Home, county: County) -> None:
    """Let the edge do what there is to do."""
    with open_edge(home, settle=0, clock=county.clock) as edge:
        edge.recover()
        while edge.round(threading.Event()):
            pass


def carry_to_county(home: Home, county: County, target: Path) -> Taken:
    """Write what waits into a bundle, and let it in."""
    at_the_edge.write(home, target)
    with bundle.opened(target) as opened:
        return courier.let_in(county.office, opened, actor="test")


def handle(county: County) -> None:
    """Let the services do their work."""
    with EmbeddedHost(county.office) as host:
        host.drain()


def carry_to_bank(home: Home, county: County, target: Path, *, everything: bool = False) -> int:
    """Write what is addressed to the bank into a bundle, and read it there."""
    courier.write_for(county.office, BANK, target, everything=everything, actor="test")
    with bundle.opened(target) as opened:
        kept = at_the_edge.read(home, BANK, opened)
    settle(home, county)
    return kept


def say(county: County, number: int) -> None:
    """Send the bank a confirmed list."""
    with county.database.transaction() as transaction:
        county.office.processor.send(transaction, confirmation(number))


def test_a_file_goes_and_its_receipt_comes_back_by_hand(sealed: Home, county: County, tmp_path: Path):
    """No wire anywhere: the rows count, receipt and rejected rows lie in the outbox, the original in done."""
    taken = carry_to_county(sealed, county, tmp_path / "there.hlb")
    handle(county)
    say(county, 1)
    assert (taken.new, taken.repeated) == (3, 0)
    assert [name[:27] for name in taken.submissions] == ["RCB01-loan_ledger-20240531-"]
    assert carry_to_bank(sealed, county, tmp_path / "back.hlb") == 2
    [receipt] = receipts(sealed)
    assert (receipt["status"], receipt["accepted"], receipt["rejected"]) == ("accepted", 2, 1)
    assert names(sealed.folder / "done") == [FILE]
    assert len(names(sealed.folder / "outbox")) == 3
    assert county.column("SELECT loan_no FROM registry.loan ORDER BY 1") == ["L0001", "L0002"]
    assert county.column("SELECT action FROM huilian.audit WHERE action LIKE 'bundle%' ORDER BY number") == [
        "bundle.read",
        "bundle.written",
    ]


def test_a_refusal_goes_and_its_receipt_comes_back_by_hand(bank: Home, county: County, tmp_path: Path):
    """Explained at once; told by the next bundle, and once, however often that is read."""
    ledger(bank.folder / "inbox", [1, 2], trailer="合计,2,1.00,1.00")
    settle(bank, county)
    assert names(bank.folder / "refused") == [FILE, f"{FILE}_说明.txt"]
    taken = carry_to_county(bank, county, tmp_path / "there.hlb")
    assert (taken.new, [name.rpartition("-")[2] for name in taken.submissions]) == (1, ["HL3001"])
    with bundle.opened(tmp_path / "there.hlb") as again:
        assert courier.let_in(county.office, again, actor="test").repeated == 1
    handle(county)
    assert carry_to_bank(bank, county, tmp_path / "back.hlb") == 1
    [receipt] = receipts(bank)
    assert (receipt["status"], receipt["code"]) == ("refused", "HL3001")
    assert county.column("SELECT status FROM huilian.submission") == ["refused"]
    assert county.column("SELECT loan_no FROM registry.loan") == []
    with pytest.raises(UsageError, match="HL7020"):
        at_the_edge.write(bank, tmp_path / "nothing.hlb")


@pytest.mark.parametrize("bundle_first", [True, False])
def test_by_hand_and_by_wire_a_submission_counts_once(
    sealed: Home,
    county: County,
    tmp_path: Path,
    bundle_first: bool,  # noqa: FBT001
):
    """In either order, and the bundle twice."""

    def by_wire() -> None:
        transport = EmbeddedTransport(county.office)
        for path in sorted(sealed.spool.glob("*/*.seal")):
            transport.send(envelope.read(path.read_text("ascii"), path.with_suffix(".payload").read_bytes()))

    def by_hand() -> Taken:
        return carry_to_county(sealed, county, tmp_path / f"{len(list(tmp_path.iterdir()))}.hlb")

    taken = []
    if bundle_first:
        taken.append(by_hand())
        by_wire()
    else:
        by_wire()
        handle(county)
    taken += [by_hand(), by_hand()]
    handle(county)
    assert [(each.new, each.repeated) for each in taken] == [(3, 0)] * bundle_first + [(0, 3)] * 2
    assert county.column("SELECT status FROM huilian.submission") == ["accepted"]
    assert county.column("SELECT count(DISTINCT id) FROM huilian.message WHERE type = 'receipt'") == [1]
    assert county.column("SELECT sum(loans) FROM statistics.roll_up") == [2]
    carry_to_bank(sealed, county, tmp_path / "back.hlb")
    carry_to_bank(sealed, county, tmp_path / "again.hlb", everything=True)
    assert len(receipts(sealed)) == 1


@pytest.mark.parametrize("entry", ["000000.seal", "000001.payload", "index.json"])
def test_a_bundle_that_was_altered_is_not_let_in_by_half(sealed: Home, county: County, tmp_path: Path, entry: str):
    """The error names the entry; the county knows of nothing."""
    file = tmp_path / "there.hlb"
    at_the_edge.write(sealed, file)
    content = bytearray(file.read_bytes())
    content[content.index(entry.encode()) + len(entry) + 5] ^= 1
    file.write_bytes(content)
    with pytest.raises(FileRefused, match=f"HL7014 .*{entry}"), bundle.opened(file) as opened:
        courier.let_in(county.office, opened, actor="test")
    assert county.count("huilian.message") == county.count("huilian.outbox") == 0


def test_one_message_that_is_refused_keeps_all_of_its_bundle_out(sealed: Home, county: County, tmp_path: Path):
    """A key that is not entered: the entry and the reason are named; entered and sealed anew, it is let in."""
    file = tmp_path / "there.hlb"
    stranger = edge_home(tmp_path / "stranger", county.office.home)
    stranger.keys.create(BANK)
    ledger(stranger.folder / "inbox", [3])
    settle(stranger, county)
    messages = [message for home in (sealed, stranger) for message in _spooled(home)]
    bundle.write(file, "HUILIAN", messages)
    with (
        pytest.raises(FileRefused, match=r"HL7014 bundle there\.hlb, entry 000003: HL1002"),
        bundle.opened(file) as opened,
    ):
        courier.let_in(county.office, opened, actor="test")
    assert county.count("huilian.message") == county.count("huilian.outbox") == county.count("huilian.dead_letter") == 0


def _spooled(home: Home) -> list[Message]:
    return [message for submission in Spool(home.spool).submissions() for message in submission.messages()]


def test_only_what_was_not_handed_over_is_written_unless_everything_is_asked_for(
    bank: Home, county: County, tmp_path: Path
):
    """A bundle that got lost is written again; the bank knows what it has."""
    say(county, 1)
    say(county, 2)
    assert carry_to_bank(bank, county, tmp_path / "1.hlb") == 2
    with pytest.raises(UsageError, match="HL7020 there is nothing to hand over to RCB01"):
        courier.write_for(county.office, BANK, tmp_path / "2.hlb", everything=False, actor="test")
    assert not (tmp_path / "2.hlb").exists()
    say(county, 3)
    assert carry_to_bank(bank, county, tmp_path / "3.hlb") == 1
    assert carry_to_bank(bank, county, tmp_path / "4.hlb", everything=True) == 3
    assert names(bank.folder / "outbox") == [f"RCB01_CONFIRM_20240601_00{number}.csv" for number in (1, 2, 3)]


def test_a_bundle_that_could_not_be_written_hands_nothing_over(bank: Home, county: County, tmp_path: Path):
    """A stick that is full or not there: the next try has everything."""
    say(county, 1)
    with pytest.raises(UsageError, match="HL7021"):
        courier.write_for(county.office, BANK, tmp_path / "missing" / "1.hlb", everything=False, actor="test")
    assert carry_to_bank(bank, county, tmp_path / "1.hlb") == 1


def test_a_bundle_is_read_by_whom_it_is_for(bank: Home, county: County, tmp_path: Path):
    """Not by the one who wrote it, nor by another bank."""
    say(county, 1)
    courier.write_for(county.office, BANK, tmp_path / "back.hlb", everything=False, actor="test")
    with bundle.opened(tmp_path / "back.hlb") as opened:
        with pytest.raises(UsageError, match=r"HL7015 .*RCB01"):
            courier.let_in(county.office, opened, actor="test")
        with pytest.raises(UsageError, match=r"HL7015 .*RCB01"):
            at_the_edge.read(bank, "RCB02", opened)
    assert names(bank.spool) == []


@pytest.mark.parametrize("what", ["not trusted", "for another", "of a stranger"])
def test_a_bundle_with_an_answer_that_cannot_be_believed_is_not_read(
    bank: Home, county: County, tmp_path: Path, what: str
):
    """Whoever wrote the bundle may have put anything into it; the first message alone would be good."""
    say(county, 1)
    good = county.seal(confirmation(1), key=county.office.home.keys.current("HUILIAN"), source="HUILIAN")
    bad = {
        "not trusted": lambda: county.seal(confirmation(2), source="HUILIAN"),
        "for another": lambda: county.seal(
            confirmation(2, "RCB02"), key=county.office.home.keys.current("HUILIAN"), source="HUILIAN"
        ),
        "of a stranger": lambda: county.seal(confirmation(2)),
    }[what]()
    bundle.write(tmp_path / "back.hlb", BANK, [good, bad])
    with (
        pytest.raises(FileRefused, match=r"HL7014 bundle back\.hlb, entry 000001: HL100[24]"),
        bundle.opened(tmp_path / "back.hlb") as opened,
    ):
        at_the_edge.read(bank, BANK, opened)
    settle(bank, county)
    assert names(bank.folder / "outbox") == []


def test_chosen_submissions_only(bank: Home, county: County, tmp_path: Path):
    """By their names; one that is not there is told."""
    for day in (30, 31):
        ledger(bank.folder / "inbox", [1], name=f"RCB01_LOAN_202405{day}.csv")
    settle(bank, county)
    both = names(bank.spool)
    assert at_the_edge.write(bank, tmp_path / "all.hlb") == (2, 4)
    assert at_the_edge.write(bank, tmp_path / "one.hlb", [both[1]]) == (1, 2)
    for name in ("RCB01-none", "../keys", "", ".."):
        with pytest.raises(UsageError, match="HL7008"):
            at_the_edge.write(bank, tmp_path / "none.hlb", [name])
    with bundle.opened(tmp_path / "one.hlb") as opened:
        assert {message.submission for _, message in opened.messages()} == {both[1]}


def test_without_anything_sealed_there_is_no_bundle(bank: Home, tmp_path: Path):
    """An empty one would only be carried in vain."""
    with pytest.raises(UsageError, match="HL7020 there is nothing to hand over to HUILIAN"):
        at_the_edge.write(bank, tmp_path / "there.hlb")
    assert not (tmp_path / "there.hlb").exists()


def test_nobody_writes_bundles_for_who_is_no_member(county: County, tmp_path: Path):
    """Nor for the platform itself."""
    for name in ("RCB09", "HUILIAN"):
        with pytest.raises(AccessDenied, match="HL4001"):
            courier.write_for(county.office, name, tmp_path / "x.hlb", everything=False, actor="test")


def test_a_bundle_cut_off_while_it_is_let_in_leaves_nothing_and_is_let_in_again(
    sealed: Home, county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One transaction for all of it."""
    at_the_edge.write(sealed, tmp_path / "there.hlb")
    with bundle.opened(tmp_path / "there.hlb") as opened:
        with monkeypatch.context() as broken, contextlib.suppress(KeyboardInterrupt):
            put, times = store.put, iter(range(3))

            def interrupted(*arguments: object, **others: object) -> None:
                if next(times) == 2:
                    raise KeyboardInterrupt
                put(*arguments, **others)  # type: ignore[arg-type]  # as they came

            broken.setattr(store, "put", interrupted)
            courier.let_in(county.office, opened, actor="test")
        assert county.count("huilian.message") == 0
        assert courier.let_in(county.office, opened, actor="test").new == 3
