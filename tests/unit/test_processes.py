"""The tests' own processes: a copy of the one that has imported everything is a process like any other."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from huilian import __version__
from tests.support import processes

if TYPE_CHECKING:
    from pathlib import Path


def test_a_command_has_its_own_environment_output_and_exit_code(tmp_path: Path):
    """As a shell would give it."""
    done = processes.run("member", "list", environment=os.environ | {"HUILIAN_HOME": str(tmp_path / "nowhere")})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("错误 HL6001：")
    assert str(tmp_path / "nowhere") in done.stderr.replace("\n", "")
    assert processes.run("--version").stdout == f"huilian {__version__}\n"


def test_a_copy_is_started_where_it_is_told_to(tmp_path: Path):
    """Neither where the original runs, nor where the tests do."""
    with (tmp_path / "printed").open("wb") as printed:
        process = processes.start([], script="import os; print(os.getcwd())", folder=tmp_path, output=printed.fileno())
        assert process.wait() == 0
    assert (tmp_path / "printed").read_text() == f"{tmp_path}\n"


@pytest.mark.parametrize(
    ("script", "code"), [("import sys; sys.exit(7)", 7), ("pass", 0), ("import os; os.kill(os.getpid(), 9)", -9)]
)
def test_how_a_copy_ended_is_told(script: str, code: int):
    """By its exit code, or the signal."""
    assert processes.start([], script=script).wait() == code


def test_a_copy_that_is_killed_has_ended():
    """Killed again it is left alone: another process may have its number."""
    process = processes.start([], script="import time; time.sleep(600)")
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.kill()


def test_what_a_copy_changes_is_not_changed_in_the_next():
    """Each begins as the original is."""
    changing = "import huilian; assert not hasattr(huilian, 'changed'); huilian.changed = True"
    assert [processes.start([], script=changing).wait() for _ in range(2)] == [0, 0]
