"""An institution's edge as its IT department runs it: the real `huilian`, a county on HTTP, and a bundle by hand."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from huilian.wire.keys import PublicKey
from tests.support import foreign_folder, processes
from tests.support.processes import HUILIAN
from tests.support.push import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNTY, BANK = "341599", "RCB01"
SECONDS = 120
FIRST, SECOND = "RCB01_LOAN_20240430.csv", "RCB01_LOAN_20240531.csv"


def huilian(home: Path, *arguments: str | Path, code: int = 0) -> str:
    """Run the command in a data directory, see that it exits as expected, and return what it printed.

    It is run from where the data directory lies, beside folders called like our packages.
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HUILIAN_")}
    environment = variables | {"HUILIAN_HOME": str(home)}
    if arguments[0] == "init":
        command = [HUILIAN, *arguments]
        done = subprocess.run(command, env=environment, cwd=home.parent, capture_output=True, text=True, check=False)
    else:
        done = processes.run(*arguments, environment=environment, folder=home.parent)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + (done.stderr if code else "")


def told(home: Path, *arguments: str | Path, code: int = 0) -> Any:  # noqa: ANN401  # whatever it prints
    """Run a command that prints JSON, and return it."""
    return json.loads(huilian(home, *arguments, "--json", code=code).splitlines()[0])


def listing(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, str]]:
    """A county's data directory, a bank's edge as its documentation sets it up, and the address of the county."""
    folder = tmp_path_factory.mktemp("offices")
    foreign_folder.fill(folder)
    county, bank = folder / "county", folder / "bank"
    url = f"http://127.0.0.1:{free_port()}"
    huilian(county, "init", "--county", COUNTY, "--policy", "anhui", "--listen", url.removeprefix("http://"))
    (folder / "HUILIAN.pem").write_text(huilian(county, "member", "key", "HUILIAN", "--export"))
    platform = PublicKey.from_pem((folder / "HUILIAN.pem").read_text())
    printed = huilian(
        bank,
        *("edge", "init", "--member", BANK, "--adapter", "rural_commercial_bank", "--county", COUNTY),
        *("--to", url, "--platform-key", folder / "HUILIAN.pem", "--fingerprint", platform.fingerprint),
    )
    pem = re.search(r"-----BEGIN PUBLIC KEY-----.*-----END PUBLIC KEY-----", printed, re.DOTALL)
    assert pem is not None
    (folder / "bank.pem").write_text(pem[0] + "\n")
    member = ("member", "add", BANK, "--kind", "bank", "--adapter", "rural_commercial_bank")
    huilian(county, *member, "--public-key", folder / "bank.pem")
    token = huilian(county, "token", "add", "RCB01系统", "--member", BANK).strip()
    again = ("edge", "init", "--member", BANK, "--adapter", "rural_commercial_bank", "--county", COUNTY, "--to", url)
    assert "BEGIN" not in huilian(bank, *again, "--token", token)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HUILIAN_")}
    environment = variables | {"HUILIAN_HOME": str(county)}
    with subprocess.Popen([HUILIAN, "serve"], env=environment, cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + SECONDS
            while not _answers(url):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield county, bank, url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_a_bank_sends_by_wire_and_by_hand_and_is_answered_both_ways(offices: tuple[Path, Path, str], tmp_path: Path):
    """Run from cron, looked at with status, then cut off and carried on a stick: every file is answered once."""
    county, bank, _ = offices
    ledger(bank / "inbox", [1, 2, 99], name=FIRST)
    ledger(bank / "inbox", [1], name="RCB09_LOAN_20240430.csv")
    printed = huilian(bank, "edge", "run", "--once", "--settle", "0.2", code=1)
    assert "1 个文件被退回" in printed
    assert listing(bank / "done") == [FIRST]
    assert listing(bank / "refused") == ["RCB09_LOAN_20240430.csv", "RCB09_LOAN_20240430.csv_说明.txt"]
    assert "HL3008" in (bank / "refused" / "RCB09_LOAN_20240430.csv_说明.txt").read_text("utf-8-sig")
    assert len(listing(bank / "outbox")) == 2
    facts = told(bank, "edge", "status")
    assert (facts["files"]["accepted"], facts["files"]["refused"], facts["attention"]) == (1, 1, [])
    assert facts["rows"] == {"accepted": 2, "rejected": 1}
    assert "已入账" in huilian(bank, "edge", "status")

    # Cut off: nobody answers at this address.
    offline = ("edge", "init", "--member", BANK, "--adapter", "rural_commercial_bank", "--county", COUNTY)
    huilian(bank, *offline, "--to", "http://127.0.0.1:9")
    ledger(bank / "inbox", [1, 2, 3], name=SECOND)
    huilian(bank, "edge", "run", "--once", "--settle", "0.2", code=3)
    facts = told(bank, "edge", "status", code=1)
    assert (facts["files"]["spooled"], facts["messages"]) == (1, {"sent": 0, "to_send": 2})
    assert facts["last_error"]["code"] == "HL5003"

    there, back = tmp_path / "报送.hlb", tmp_path / "回执.hlb"
    assert told(bank, "bundle", "write", there) == {
        "file": str(there),
        "for": "HUILIAN",
        "submissions": 1,
        "messages": 2,
    }
    brought = told(county, "bundle", "read", there)
    assert brought["messages"] == {"new": 2, "repeated": 0}
    assert told(county, "bundle", "read", there)["messages"] == {"new": 0, "repeated": 2}
    assert told(county, "bundle", "write", "--for", BANK, back)["messages"] == 1
    assert told(bank, "bundle", "read", back)["messages"] == {"kept": 1, "not_written": 0}
    assert listing(bank / "done") == [FIRST, SECOND]
    assert len(listing(bank / "outbox")) == 3
    submissions = told(county, "submissions")
    assert [(each["status"], each["accepted"]) for each in submissions] == [("accepted", 3), ("accepted", 2)]

    # Read again it changes nothing; altered it is refused, and the entry named.
    assert told(bank, "bundle", "read", back)["messages"] == {"kept": 1, "not_written": 0}
    assert len(listing(bank / "outbox")) == 3
    content = bytearray(back.read_bytes())
    content[content.index(b"000000.payload") + 20] ^= 1
    back.write_bytes(content)
    assert "HL7014" in huilian(bank, "bundle", "read", back, code=1)


def test_what_the_county_issues_is_fetched_and_written_in_the_banks_own_layout(
    offices: tuple[Path, Path, str], tmp_path: Path
):
    """A notice, from the county's file to the bank's outbox, while the county serves."""
    county, bank, url = offices
    token = huilian(county, "token", "add", "RCB01取件", "--member", BANK).strip()
    setting_up = ("edge", "init", "--member", BANK, "--adapter", "rural_commercial_bank", "--county", COUNTY)
    huilian(bank, *setting_up, "--to", url, "--token", token)
    record = {
        "line": 1,
        "notice_no": "TZ1",
        "kind": "lending_suspended",
        "date": "2024-05-31",
        "region": f"{COUNTY}101001",
        "reference": None,
        "code": None,
        "text": "暂停放贷",
    }
    (tmp_path / "通知.json").write_text(json.dumps(record), "utf-8")
    issued = told(county, "issue", "notices", tmp_path / "通知.json", "--for", BANK)
    assert issued["messages"] == {"new": 1, "repeated": 0}
    before = set(listing(bank / "outbox"))
    huilian(bank, "edge", "run", "--once", "--settle", "0.2")
    [name] = set(listing(bank / "outbox")) - before
    assert re.fullmatch(r"RCB01_NOTICE_[0-9]{8}_001\.csv", name)
    header, row, totals = (bank / "outbox" / name).read_bytes().decode("gb18030").splitlines()
    assert header == "序号,通知编号,通知种类,通知日期,行政区划代码,业务编号,错误代码,内容"
    assert row == f"1,TZ1,暂停放贷,20240531,{COUNTY}101001,,,暂停放贷"
    assert totals.startswith("合计,1,")


def test_an_edge_that_runs_writes_out_what_a_bundle_brings(offices: tuple[Path, Path, str], tmp_path: Path):
    """The command leaves it to the edge; a second edge is sent away."""
    county, bank, url = offices
    setting_up = ("edge", "init", "--member", BANK, "--adapter", "rural_commercial_bank", "--county", COUNTY)
    huilian(bank, *setting_up, "--to", "none")
    before = listing(bank / "outbox")
    name = "RCB01_LOAN_20240229.csv"
    with _running(bank) as process:
        ledger(bank / "inbox", [1, 2], name=name)
        _until(lambda: told(bank, "edge", "status")["files"]["spooled"] == 1)
        huilian(bank, "bundle", "write", tmp_path / "there.hlb")
        huilian(county, "bundle", "read", tmp_path / "there.hlb")
        huilian(county, "bundle", "write", "--for", BANK, tmp_path / "back.hlb")
        assert "HL7013" in huilian(bank, "edge", "run", "--once", code=2)
        facts = told(bank, "bundle", "read", tmp_path / "back.hlb")
        assert facts["written_by"] == "huilian edge run"
        _until(lambda: name in listing(bank / "done"))
        process.terminate()
        assert process.wait(20) == 0
    assert len(listing(bank / "outbox")) == len(before) + 1
    huilian(bank, *setting_up, "--to", url)


@contextlib.contextmanager
def _running(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HUILIAN_")}
    command, environment = [HUILIAN, "edge", "run", "--settle", "0"], variables | {"HUILIAN_HOME": str(home)}
    with subprocess.Popen(command, env=environment, cwd=home.parent, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def _until(holds: Any) -> None:  # noqa: ANN401  # a question without arguments
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_what_is_wrong_is_told_with_what_to_do(tmp_path: Path):
    """No data directory, another member's, no county, an adapter that is none."""
    assert "HL7016" in huilian(tmp_path / "none", "edge", "run", "--once", code=2)
    assert "HL7016" in huilian(tmp_path / "none", "edge", "status", code=2)
    init = ("edge", "init", "--adapter", "rural_commercial_bank", "--member")
    assert "--county" in huilian(tmp_path / "bank", *init, BANK, code=2)
    assert "离线文件包" in huilian(tmp_path / "bank", *init, BANK, "--county", COUNTY)
    assert "已是 RCB01 的机构端" in huilian(tmp_path / "bank", *init, "RCB02", "--county", COUNTY, code=2)
    wrong = ("edge", "init", "--adapter", "none", "--member", BANK, "--county", COUNTY)
    assert "HL6004" in huilian(tmp_path / "other", *wrong, code=2)
    assert "HL6006" in huilian(tmp_path / "bank", *init, BANK, "--county", COUNTY, "--to", "ftp://x", code=2)
    assert "HL3010" in huilian(tmp_path / "bank", "bundle", "read", tmp_path / "none.hlb", code=2)
    (tmp_path / "text.hlb").write_text("no bundle")
    assert "HL7014" in huilian(tmp_path / "bank", "bundle", "read", tmp_path / "text.hlb", code=1)
