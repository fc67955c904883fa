"""An adapter that is installed nowhere, used like any other: listed, checked, pushed with, and run by the edge."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support import foreign_folder, processes

EXAMPLE = Path(__file__).parents[2] / "examples" / "village_bank"
NAME = "village_bank"
MEMBER = "BANK01"
COUNTY = "341599"
SAMPLE = EXAMPLE / NAME / "samples" / "BANK01_LOAN_20240531.csv"
SECONDS = 240


def huilian(home: Path, *arguments: str | Path, code: int = 0, cwd: Path | None = None) -> tuple[str, str]:
    """Run the command, which must end with `code`; return what it printed to either."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HUILIAN_")}
    environment = variables | {"HUILIAN_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    done = processes.run(*arguments, environment=environment, folder=cwd or home.parent, seconds=SECONDS)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def as_json(home: Path, *arguments: str | Path, code: int = 0) -> Any:  # noqa: ANN401  # whatever the command answers
    """Run a command with `--json` and return what it answered."""
    return json.loads(huilian(home, *arguments, "--json", code=code)[0])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a data directory, not set up, with the example's project in its folder of adapters."""
    made = tmp_path / "home"
    copied = shutil.copytree(EXAMPLE, made / "adapters" / NAME)
    # However this project was fetched.
    for path in (copied, *copied.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    return made


def test_a_stranger_that_is_broken_is_shown_as_broken_and_the_others_work(home: Path):
    """In the list and to programs; asked for by name it gives its error, and the office goes on."""
    folder = home / "adapters" / "river_bank"
    folder.mkdir()
    (folder / "__init__.py").write_text("import a_package_that_is_not_there\n", "utf-8")
    found = {entry["name"]: entry for entry in as_json(home, "adapters", code=1)}
    assert (found[NAME]["version"], found[NAME]["error"]) == ("0.1", None)
    assert found[NAME]["origin"] == str(home / "adapters" / NAME)
    assert found["insurer"]["error"] is None
    what = "cannot be imported: ModuleNotFoundError: No module named 'a_package_that_is_not_there'"
    assert found["river_bank"] == {
        **dict.fromkeys(found["insurer"]),
        "name": "river_bank",
        "origin": str(folder),
        "error": {
            "code": "HL6005",
            "chinese": f"适配器 river_bank 的 entry point 有误：river_bank:adapter in {folder} {what}",
            "english": f"adapter river_bank: entry point is wrong: river_bank:adapter in {folder} {what}",
        },
    }
    shown, told = huilian(home, "adapters", code=1)
    assert "故障 HL6005 (broken)" in shown
    assert "HL6005" in told
    member = ("--member", "RB01", "--county", COUNTY)
    for command in (("push", SAMPLE, "--member", "RB01"), ("edge", "init", *member)):
        assert "HL6005" in huilian(home, *command, "--adapter", "river_bank", code=2)[1]
    huilian(home, "edge", "init", "--adapter", NAME, *member)


def test_a_file_is_pushed_with_an_adapter_from_a_folder(home: Path):
    """By a member it was named for, and no longer when others may write into the folder: the doctor says which."""
    huilian(home, "init", "--county", COUNTY, "--policy", "anhui")
    huilian(home, "member", "add", MEMBER, "--kind", "bank", "--adapter", NAME)
    answer = as_json(home, "push", SAMPLE, "--adapter", NAME, "--member", MEMBER)
    assert (answer["status"], answer["rows"], answer["accepted"]) == ("accepted", 3, 3)
    for path in (home, home / "adapters", *(home / "adapters").rglob("*")):
        path.chmod(0o755)
    layout = home / "adapters" / NAME / NAME / "layout.py"
    layout.chmod(0o666)
    mended = f"chmod -R go-w {home / 'adapters' / NAME}/"
    [found] = [check for check in as_json(home, "doctor", code=1)["checks"] if check["status"] == "fail"]
    assert (found["name"], found["remedy"]) == ("文件权限 (permissions)", mended)
    assert mended in huilian(home, "push", SAMPLE, "--adapter", NAME, "--member", MEMBER, code=2)[1]


def test_an_edge_runs_an_adapter_from_a_folder(home: Path):
    """What is dropped into its folder is translated and waits to be sent."""
    huilian(home, "edge", "init", "--member", MEMBER, "--adapter", NAME, "--county", COUNTY)
    shutil.copy(SAMPLE, home / "inbox")
    huilian(home, "edge", "run", "--once", "--settle", "0.2")
    facts = as_json(home, "edge", "status", code=1)
    assert (facts["files"]["spooled"], facts["messages"]["to_send"]) == (1, 2)


def test_a_folder_is_checked_that_is_installed_nowhere(tmp_path: Path):
    """By its path or, from beside it, by its name; what does not conform, and a file that is not its own, is found.

    Beside it lie folders called like our packages: the worker that translates its files runs none of them.
    """
    foreign_folder.fill(tmp_path)
    shutil.copytree(EXAMPLE / NAME, tmp_path / NAME)
    other = tmp_path / "home"
    (tmp_path / NAME / "samples" / SAMPLE.name).unlink()
    stray = tmp_path / "BANK02_LOAN_20240531.csv"
    stray.write_text("户编号\r\n", "gb18030")
    for named in (f"./{NAME}", NAME):
        shown, _ = huilian(other, "adapter", "check", named, stray, code=1)
        assert "village_bank 0.1：不符合 (does not conform)" in shown
        assert "BANK02_LOAN_20240531.csv：HL3003" in shown
        assert "BANK02_LOAN_20240531.csv：8 字节逐字节截断，8 处 (cut at every byte)" in shown
    assert "HL6004" in huilian(other, "adapter", "check", "river_bank", code=2)[1]
    told = huilian(other, "adapter", "check", tmp_path, code=2)[1]
    assert f"{tmp_path} has neither pyproject.toml nor __init__.py" in told
