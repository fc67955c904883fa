"""What an edge cannot believe is bounded: some is kept, the rest stays at the county, and nothing genuine is lost."""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from huilian.cli import session
from huilian.cli.application import run
from huilian.core.clock import FixedClock
from huilian.core.errors import HostUnavailable
from huilian.institution import journal
from huilian.institution.edge import open_edge
from huilian.institution.edge.folders import Folders
from huilian.institution.edge.settings import EdgeSettings, save
from huilian.institution.edge.status import status
from huilian.institution.transports import http
from huilian.institution.transports.base import Incoming
from huilian.institution.transports.http import HttpTransport
from huilian.settings import Home
from huilian.wire.keys import SigningKey
from tests.support.county import NOW
from tests.support.edge import ADAPTER, BANK, COUNTY, Wire, confirmation, names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.institution.edge import Edge

PLATFORM, STRANGER = SigningKey.generate(), SigningKey.generate()
FULL = 3
LONG_SECONDS = 400.0
"""Longer than an edge waits between looks at what it could not believe."""


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An edge's data directory with room for few messages that cannot be believed."""
    monkeypatch.setattr(journal, "KEPT_MESSAGES", FULL)
    home = Home(tmp_path / "bank", environment={})
    save(home, EdgeSettings(BANK, ADAPTER, COUNTY, to="https://county.example"))
    Folders(home.folder).make()
    home.keys.create(BANK)
    home.trust("HUILIAN", PLATFORM.public)
    return home


@pytest.fixture
def wire() -> Wire:
    """A county that answers."""
    return Wire(PLATFORM)


class Turned:
    """An edge at the other end of a wire, whose time passes when it is told to."""

    def __init__(self, edge: Edge, clock: list[float]) -> None:
        self.edge, self._clock = edge, clock

    def turn(self, times: int = 4) -> None:
        """Go some rounds, each wait over before the next."""
        for _ in range(times):
            self.edge.round(threading.Event())
            self._clock[0] += LONG_SECONDS


@contextlib.contextmanager
def opened(home: Home, wire: Wire) -> Iterator[Turned]:
    """Open the edge."""
    clock = [1000.0]
    with open_edge(home, offline=True, settle=0, clock=FixedClock(NOW), monotonic=lambda: clock[0]) as edge:
        edge.engine.transport = wire
        yield Turned(edge, clock)


def say_altered(wire: Wire, number: int) -> None:
    """Have a list wait whose payload is not what the platform signed."""
    wire.say(confirmation(number))
    genuine = wire.waiting.pop()
    wire.waiting.append(Incoming(genuine.seal, genuine.payload.replace(b"50000", b"90000"), genuine.cursor))


def facts(home: Home) -> dict[str, Any]:
    """Return what the status says of what is not believed."""
    shown = status(home, FixedClock(NOW))
    return shown["not_believed"] | {"told": [error["code"] for error in shown["lasting_errors"]]}


def test_what_has_no_room_stays_at_the_county_and_comes_once_its_key_is_trusted(bank: Home, wire: Wire):
    """Five lists under a key that is not known here, and one under the old: three are kept, none is lost."""
    for number in range(1, 6):
        wire.say(confirmation(number), key=STRANGER)
    wire.say(confirmation(6))
    with opened(bank, wire) as at:
        at.turn()
        fetched = len(wire.fetched)
        at.turn(10)
        assert len(wire.fetched) == fetched, "what is full asks for nothing"
        found = facts(bank)
        assert (found["messages"], found["kept"], found["codes"], found["told"]) == (3, 3, ["HL1002"], ["HL5014"])
        assert at.edge.journal.fact("cursor") == "3"
        assert names(bank.folder / "outbox") == []
        bank.trust("HUILIAN", STRANGER.public)
        at.turn()
        found = facts(bank)
    assert (found["messages"], found["kept"], found["bytes"], found["told"]) == (0, 0, 0, [])
    assert len(names(bank.folder / "outbox")) == 6


def test_bytes_are_bounded_as_numbers_are(bank: Home, wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """One message may pass the bound, none comes behind it; kept before, it is not in its own way."""
    monkeypatch.setattr(journal, "KEPT_BYTES", 100)
    for number in (1, 2):
        wire.say(confirmation(number), key=STRANGER)
    with opened(bank, wire) as at:
        at.turn()
        [kept] = wire.waiting[:1]
        at.edge.engine.keep(kept)
        with pytest.raises(HostUnavailable, match="HL5014"):
            at.edge.engine.keep(wire.waiting[1])
    found = facts(bank)
    assert (found["kept"], found["bytes"]) == (1, len(kept.seal) + len(kept.payload))


def test_what_never_can_be_believed_is_counted_and_stands_in_nobodys_way(bank: Home, wire: Wire):
    """Altered lists, some for another and one that is too large: a few short samples of them are kept."""
    for number in range(journal.SAMPLES + 2):
        say_altered(wire, number)
    for number in range(5):
        wire.say(confirmation(number, "RCB02"))
    wire.waiting.append(Incoming("x" * 9000, b"y" * (5 << 20), str(len(wire.waiting) + 1)))
    wire.say(confirmation(99))
    with opened(bank, wire) as at:
        at.turn()
        numbers = [number for number, _ in at.edge.journal.messages.doubted()]
        samples = [at.edge.journal.messages.doubted_bytes(number) for number in numbers]
    found = facts(bank)
    assert found["never"] == {"HL1001": journal.SAMPLES + 2, "HL1004": 5, "HL1006": 1}
    assert (found["messages"], found["kept"], found["told"]) == (journal.SAMPLES + 8, 0, [])
    assert len(samples) == journal.SAMPLES
    assert max(len(seal) for seal, *_ in samples) == max(len(payload) for _, payload, *_ in samples) == 1024
    assert len(names(bank.folder / "outbox")) == 1


def test_what_turns_out_to_be_altered_once_its_key_is_trusted_gives_up_its_place(bank: Home, wire: Wire):
    """Under a key that is not known nobody can tell."""
    wire.say(confirmation(1), key=STRANGER)
    genuine = wire.waiting.pop()
    wire.waiting.append(Incoming(genuine.seal, genuine.payload.replace(b"50000", b"90000"), "1"))
    with opened(bank, wire) as at:
        at.turn()
        assert (facts(bank)["kept"], facts(bank)["never"]) == (1, {})
        bank.trust("HUILIAN", STRANGER.public)
        at.turn()
    assert (facts(bank)["kept"], facts(bank)["never"]) == (0, {"HL1001": 1})


def test_what_is_kept_aside_is_dropped_by_a_command_with_a_reason(
    bank: Home, wire: Wire, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Once the county has said that the key is not its own; the edge then goes on."""
    monkeypatch.setenv("HUILIAN_HOME", str(bank.folder))
    monkeypatch.setattr(session, "log", lambda *_: None)
    for number in range(1, 5):
        wire.say(confirmation(number), key=STRANGER)
    say_altered(wire, 5)
    wire.say(confirmation(6))
    with opened(bank, wire) as at:
        at.turn()
        assert run(["edge", "dismiss", "--reason", "经电话核实，不是县里的密钥"]) == 0
        at.turn()
    found = facts(bank)
    assert (found["messages"], found["kept"], found["never"]) == (2, 1, {"HL1001": 1})
    assert (found["dismissed"]["messages"], found["dismissed"]["reason"]) == (3, "经电话核实，不是县里的密钥")
    assert len(names(bank.folder / "outbox")) == 1
    assert run(["edge", "dismiss", "--reason", "同上"]) == 0
    capsys.readouterr()
    assert run(["edge", "dismiss", "--reason", "同上"]) == 2
    assert "HL7019" in capsys.readouterr().err


def test_a_line_that_does_not_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch):
    """Whoever answers cannot fill the edge's memory; lines that end are read however they are cut."""
    monkeypatch.setattr(http, "LINE_BYTES", 1000)
    line = json.dumps({"seal": "s", "payload": "cGF5bG9hZA==", "cursor": "1"}).encode()
    link = HttpTransport("https://county.example", None)

    def read(*pieces: bytes) -> list[Incoming]:
        answer = httpx.Response(200, content=iter(pieces))
        return [link._read(found) for found in link._lines(answer)]

    assert read(line[:7], line[7:] + b"\n" + line[:9], line[9:]) == [Incoming("s", b"payload", "1")] * 2
    with pytest.raises(HostUnavailable, match="a line is too long"):
        read(line + b"\n", *[b"x" * 400] * 4)
