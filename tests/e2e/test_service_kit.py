"""A stranger's service: installed from a folder of its own, it works on both hosts without a changed line of ours."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from adapters import sample_county
from tests.support.distributed_office import wait_until
from tests.support.servers.postgresql import PostgreSQLNode
from tests.support.servers.rabbitmq import RabbitMQNode

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

EXAMPLE = Path(__file__).parents[2] / "examples" / "changed_loans"
NAME = "changed_loans"
LINES_AT_MOST = 80
COUNTY, BANK = "341599", "RCB01"
AS_BANK = ("--adapter", "rural_commercial_bank", "--member", BANK)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example installed into it, as pip does it, without a network."""
    # A build leaves files beside its source.
    source = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / NAME)
    target = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-P", "-m", "pip", "install", *options, "--target", target, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return a bank's ledgers of two months."""
    files = sample_county.make(tmp_path_factory.mktemp("files"), households=60)
    return [file.path for file in files if re.fullmatch(rf"{BANK}_LOAN_20240(131|229)\.csv", file.path.name)]


class Machine:
    """A data directory, and the commands given there."""

    def __init__(self, home: Path, site: Path | None, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HUILIAN_")}
        self.environment = kept | {"HUILIAN_HOME": str(home)} | environment
        self.site = site

    def command(self, *arguments: str | Path) -> tuple[list[str], dict[str, str]]:
        """Return a command, and the environment it is to run in."""
        site = {"PYTHONPATH": str(self.site)} if self.site else {}
        return [sys.executable, "-P", "-m", "huilian.cli", *map(str, arguments)], self.environment | site

    def run(self, *arguments: str | Path) -> str:
        """Run a command that must succeed, and return what it printed."""
        command, environment = self.command(*arguments)
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str | Path) -> Any:  # noqa: ANN401  # whatever the command answers
        """Run a command with `--json` and return what it answered."""
        return json.loads(self.run(*arguments, "--json"))

    def set_up(self, *options: str) -> None:
        """Make the office and enter a bank."""
        self.run("init", "--county", COUNTY, "--policy", "anhui", *options)
        self.run("member", "add", BANK, "--kind", "bank", "--adapter", "rural_commercial_bank")


@pytest.fixture
def node() -> Iterator[PostgreSQLNode]:
    """Give a PostgreSQL server."""
    with PostgreSQLNode() as started:
        yield started


def test_the_example_is_as_small_as_it_is_said_to_be():
    """A service with a feed, a command and a CSV takes so little."""
    sources = [path.read_text("utf-8").splitlines() for path in EXAMPLE.rglob("*.py")]
    assert sum(map(len, sources)) <= LINES_AT_MOST


def test_a_service_added_to_a_running_county_is_brought_up_to_date(
    site: Path, ledgers: list[Path], node: PostgreSQLNode, tmp_path: Path
):
    """It knows nothing of a ledger that came before it until it is rebuilt; what comes later is counted as it comes."""
    machine = Machine(tmp_path / "home", None, HUILIAN_DATABASE_URL=node.create_database("toy"))
    machine.set_up()
    first = machine.json("push", ledgers[0], *AS_BANK)
    machine.site = site
    assert machine.json(NAME) == []
    assert machine.json("rebuild", NAME) == {"service": NAME, "messages": {"loans_changed": 1}}
    assert machine.json(NAME) == [{"institution": BANK, "changed": first["changed"]}]
    second = machine.json("push", ledgers[1], *AS_BANK)
    expected = first["changed"] + second["changed"]
    assert second["changed"] > 0
    assert machine.json(NAME, "--institution", BANK) == [{"institution": BANK, "changed": expected}]
    assert machine.run("feed", NAME, "--format", "csv") == f"\ufeff银行,变动笔数\n{BANK},{expected}\n"
    assert machine.run("feed", NAME, "--format", "csv", "--header", "names").startswith("\ufeffinstitution,changed\n")
    table = machine.run(NAME)
    assert all(text in table for text in ("银行", "变动笔数", BANK, "共 1 条 (in all)"))
    help_text = machine.run(NAME, "--help")
    assert all(text in help_text for text in ("台账变动的借据笔数。", "Count changed loans.", "--institution", "--to"))
    assert machine.json("rebuild", NAME)["messages"] == {"loans_changed": 1}
    assert machine.json(NAME) == [{"institution": BANK, "changed": expected}]


def test_it_runs_as_a_service_of_its_own_and_is_asked_over_http(
    site: Path, ledgers: list[Path], node: PostgreSQLNode, tmp_path: Path
):
    """On the distributed host: a process and a queue of its own; the address is in the published document."""
    with RabbitMQNode() as rabbitmq:
        machine = Machine(
            tmp_path / "home", site, HUILIAN_DATABASE_URL=node.create_database("toy"), HUILIAN_AMQP_URL=rabbitmq.url
        )
        machine.set_up("--host", "distributed")
        token = machine.json("token", "add", "test", "--region", COUNTY)["token"]
        own = machine.json("token", "add", "bank", "--member", BANK)["token"]
        command, environment = machine.command("serve", "--listen", "127.0.0.1:0")
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as serving:
            assert serving.stderr is not None
            found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in serving.stderr)
            address = next(match[0] for match in found if match)
            try:
                receipt = machine.json("push", ledgers[0], *AS_BANK)
                asked = f"{address}/api/v1/feed/{NAME}"
                headers = {"Authorization": f"Bearer {token}"}
                expected = {"institution": BANK, "changed": receipt["changed"]}
                line = json.dumps(expected, separators=(",", ":")) + "\n"
                wait_until(lambda: httpx.get(asked, headers=headers).text == line)
                assert machine.json(NAME, "--to", address, "--token", own) == [expected]
                document = httpx.get(f"{address}/api/v1/openapi.json").json()
                assert document["paths"][f"/api/v1/feed/{NAME}"]["get"]["summary"] == "Count changed loans."
                assert document["components"]["schemas"]["BankRow"]["properties"]["changed"]["x-zh"] == "变动笔数"
            finally:
                serving.send_signal(signal.SIGTERM)
                serving.stderr.read()
    assert serving.returncode == 0
