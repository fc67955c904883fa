"""Beside every figure stands what it rests on: on the screen, over HTTP, and beside the feeds."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import httpx
import pytest
from structlog.testing import capture_logs

from huilian.cli.application import run
from huilian.wire.names import NOT_TAKEN_HEADER
from services.statistics.queries import Figures
from tests.support.county_over_http import BANK, county_over_http
from tests.support.push import ledger, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.county_over_http import CountyOverHttp
    from tests.support.servers.postgresql import PostgreSQLNode

TAKEN = {
    "institution": BANK,
    "kind": "loan_ledger",
    "as_of": "2024-05-31",
    "stated_rows": 3,
    "taken_rows": 2,
    "untaken_rows": 1,
    "amount": "balance",
    "stated_amount": "90000.00",
    "taken_amount": "60000.00",
    "untaken_amount": "30000.00",
}
LINE = "该机构自列 90,000.00 元，入账 60,000.00 元；1 行 30,000.00 元未入账"


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountyOverHttp]:
    """A county over HTTP with a ledger of three loans, one of which lies in another county."""
    postgresql_node.start()
    url = postgresql_node.create_database("reconciliation_shown")
    with county_over_http(tmp_path_factory.mktemp("home"), url) as served:
        with contextlib.closing(served.transport(BANK)) as way:
            send(ledger(tmp_path_factory.mktemp("files"), [1, 2, 99]), served.office, way)
        served.host.drain()
        yield served
    postgresql_node.drop_database("reconciliation_shown")


@pytest.fixture
def home(county: CountyOverHttp, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The county's data directory, where commands find it; what the server logs is not what they print."""
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))
    with capture_logs():
        yield county.office.home.folder


def test_figures_over_http_say_what_they_rest_on(county: CountyOverHttp):
    """In the published shape, for the county and for a township alike."""
    for label in ("county", "township"):
        answer = county.reader(label).ask("statistics", month="2024-05")
        assert Figures().validate(answer) == {}
        assert answer["rests_on"] == [TAKEN]
    assert county.reader("RCB02").ask("statistics", month="2024-05")["rests_on"] == []


def test_the_command_says_it_in_words(county: CountyOverHttp, home: Path, capsys: pytest.CaptureFixture[str]):
    """From this machine's data and from a server the same."""
    assert home.exists()
    for way in ([], ["--to", county.url, "--token", county.secrets["county"]]):
        assert run(["stats", "--region", "341599", "--month", "2024-05", *way]) == 0
        assert LINE in "".join(capsys.readouterr().out.split("\n"))
        assert run(["stats", "--region", "341599", "--month", "2024-05", "--json", *way]) == 0
        assert json.loads(capsys.readouterr().out)["rests_on"] == [TAKEN]


def test_the_feed_says_it_beside_its_rows(county: CountyOverHttp, home: Path, capsys: pytest.CaptureFixture[str]):
    """In a header, and on standard error; the rows are as they were."""
    assert home.exists()
    answer = httpx.get(f"{county.url}/api/v1/feed/loans", headers=county.headers())
    assert json.loads(answer.headers[NOT_TAKEN_HEADER]) == [TAKEN]
    assert len(answer.text.splitlines()) == 2
    for way in ([], ["--to", county.url, "--token", county.secrets["county"]]):
        assert run(["feed", "loans", "--region", "341599", *way]) == 0
        printed = capsys.readouterr()
        assert len(printed.out.splitlines()) == 2
        assert LINE in printed.err
    assert NOT_TAKEN_HEADER not in httpx.get(f"{county.url}/api/v1/feed/claims", headers=county.headers()).headers


def test_the_scoreboard_says_it_line_by_line(home: Path, capsys: pytest.CaptureFixture[str]):
    """As a table, and in the feed for spreadsheets."""
    assert home.exists()
    assert run(["scoreboard", "--month", "2024-05", "--institution", BANK]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if BANK in line]
    assert line.split()[-4:] == ["90,000.00", "30,000.00", "—", "—"]
    assert run(["feed", "scoreboard", "--month", "2024-05", "--institution", BANK]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["stated_rows"], row["taken_rows"], row["untaken_amount"]) == (3, 2, "30000.00")
