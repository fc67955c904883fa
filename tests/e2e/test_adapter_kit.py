"""A stranger's adapter: written by the scaffold, installed from a folder of its own, found, checked and used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from huilian.adapters import loading
from huilian.adapters.scaffold import scaffold
from huilian.cli.application import run
from huilian.cli.push import Way, send
from huilian.core.errors import ConfigurationError
from huilian.settings import Home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huilian.wire.envelope import Message

EXAMPLE = Path(__file__).parents[2] / "examples" / "village_bank"
NAME = "village_bank"


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder but what Python leaves there."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


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


def huilian(site: Path, arguments: Sequence[str | Path], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command where the example is installed."""
    command = [sys.executable, "-P", "-m", "huilian.cli", *arguments]
    variables = os.environ | {"PYTHONPATH": str(site)} | environment
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_the_example_is_what_the_scaffold_writes(tmp_path: Path):
    """So that neither goes stale: `huilian adapter new village_bank --into examples` makes them one again."""
    written = scaffold(NAME, tmp_path)
    assert len(written) == len(set(written)) == len(contents(tmp_path / NAME))
    assert contents(tmp_path / NAME) == contents(EXAMPLE)


def test_the_samples_are_as_core_systems_write_them():
    """GB18030, rows that end with CR LF."""
    sample = EXAMPLE / NAME / "samples" / "BANK01_LOAN_20240531.csv"
    lines = sample.read_bytes().decode("gb18030").split("\r\n")
    assert (lines[0][:3], lines[-2][:4], lines[-1]) == ("借据号", "合计,3", "")
    assert "\n" not in "".join(lines)


def test_an_installed_stranger_is_found(site: Path):
    """Beside ours, with what it reads, writes and may be told."""
    done = huilian(site, ["adapters", "--json"])
    (found,) = [entry for entry in json.loads(done.stdout) if entry["name"] == NAME]
    assert found == {
        "name": NAME,
        "version": "0.1",
        "chinese": "示例机构（请改）",
        "kinds": ["bank"],
        "reads": {"loan_ledger": "BANK01_LOAN_20240531.csv"},
        "writes": {"confirmations/v1": "BANK01_CONFIRM_20240531_001.csv"},
        "settings": {
            "utf_8": {
                "type": "bool",
                "chinese": "写给机构的文件用 UTF-8（否则用 GB18030）",
                "default": False,
                "choices": [],
            }
        },
        "exempt": {},
        "origin": "village_bank:adapter",
        "error": None,
    }


@pytest.mark.conformance
def test_an_installed_stranger_conforms(site: Path):
    """Every rule is done, none exempt."""
    done = huilian(site, ["adapter", "check", NAME, "--json"])
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["adapter"], report["conforms"]) == (NAME, True)
    assert {rule["rule"]: rule["status"] for rule in report["rules"]} == dict.fromkeys(
        [
            *("registration", "samples", "every_error", "control_totals", "encodings", "cut_short", "hostile"),
            *("repeatable", "isolation", "memory", "round_trip"),
        ],
        "done",
    )


def test_the_tests_of_the_example_pass(site: Path):
    """They come with the scaffold; the conformance test is the one above."""
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:pytest_nameko", "-p", "no:cacheprovider"]
    folder = EXAMPLE / "tests" / "test_translation.py"
    environment = os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, "--rootdir", site, "-c", os.devnull, folder],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_package_that_cannot_be_imported_stops_nobody(site: Path, tmp_path: Path):
    """It is named with what is wrong; the others are listed."""
    broken = tmp_path / "broken"
    shutil.copytree(site, broken)
    (broken / NAME / "layout.py").write_text("import a_package_that_is_not_there\n", "utf-8")
    done = huilian(broken, ["adapters", "--json"])
    assert done.returncode == 1
    found = {entry["name"]: entry for entry in json.loads(done.stdout)}
    assert found["rural_commercial_bank"]["error"] is None
    assert found[NAME]["version"] is None
    assert found[NAME]["error"]["code"] == "HL6005"
    assert found[NAME]["error"]["english"].endswith("No module named 'a_package_that_is_not_there'")
    assert "HL6005" in done.stderr
    assert "Traceback" not in done.stderr


class Untouched:
    """A transport that must not be used."""

    def send(self, message: Message) -> None:
        """Fail."""
        raise AssertionError(message)

    def ask(self, submission: str) -> None:
        """Fail."""
        raise AssertionError(submission)


def test_a_wrong_setting_is_refused_before_anything_is_sent(tmp_path: Path):
    """A push says which setting, what it is for and how it is written; nothing is spooled."""
    home = Home(tmp_path, {})
    (tmp_path / "huilian.toml").write_text("[adapters.rural_commercial_bank]\nencoding = 936\n", "utf-8")
    adapter = loading.find("rural_commercial_bank")
    way = Way(Untouched(), "341599")
    with pytest.raises(ConfigurationError) as refused:
        send(EXAMPLE / "pyproject.toml", adapter=adapter, member="RCB01", home=home, way=way)
    assert refused.value.chinese.startswith("适配器 rural_commercial_bank 的设置 encoding（返还文件的编码")
    assert refused.value.chinese.endswith(
        '请在 huilian.toml 中写：[adapters.rural_commercial_bank]\nencoding = "GB18030"'
    )
    assert not home.spool.exists()


def test_a_new_adapter_is_written_and_the_next_steps_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The package carries its own name everywhere."""
    assert run(["adapter", "new", "river_bank_2", "--into", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "10 个文件" in shown
    assert f"huilian adapter check {tmp_path / 'river_bank_2'}" in shown
    package = tmp_path / "river_bank_2" / "river_bank_2"
    assert "class RiverBank2(Adapter):" in (package / "exchange.py").read_text("utf-8")
    assert 'river_bank_2 = "river_bank_2:adapter"' in (package.parent / "pyproject.toml").read_text("utf-8")


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Not even an empty folder, nor a file of that name."""
    (tmp_path / "river_bank").mkdir()
    (tmp_path / "hill_bank").write_text("mine", "utf-8")
    for name in ("river_bank", "hill_bank"):
        assert run(["adapter", "new", name, "--into", str(tmp_path)]) == 2
        assert "HL6014" in capsys.readouterr().err
    assert list((tmp_path / "river_bank").iterdir()) == []
    assert (tmp_path / "hill_bank").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("River", "lower-case letters"),
        ("../river", "lower-case letters"),
        ("river-bank", "lower-case letters"),
        ("2river", "lower-case letters"),
        ("a" * 41, "lower-case letters"),
        ("match", "a word of Python's"),
        ("yield", "a word of Python's"),
        ("json", "a package or adapter of this name is there"),
        ("huilian", "a package or adapter of this name is there"),
    ],
)
def test_a_name_that_cannot_be_a_package_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, what: str
):
    """Before anything is written."""
    assert run(["adapter", "new", name, "--into", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "HL6013" in error
    assert what in error
    assert list(tmp_path.iterdir()) == []


def test_a_check_called_wrongly_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """No such adapter, no such file."""
    assert run(["adapter", "check", "nobody"]) == 2
    assert "HL6004" in capsys.readouterr().err
    assert run(["adapter", "check", "rural_commercial_bank", str(tmp_path / "none.csv")]) == 2
    assert "HL3010" in capsys.readouterr().err
