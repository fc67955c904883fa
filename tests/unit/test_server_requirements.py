"""What the tests do on a machine without RabbitMQ."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
WAITING = "-o DPkg::Lock::Timeout=120"
UPDATE, INSTALL = f"update {WAITING}", f"install -y --no-install-recommends rabbitmq-server {WAITING}"
# What the machine is to the run of tests that is tried: root's, and with RabbitMQ nowhere but under `root`.
MACHINE = """
import os
from contextlib import nullcontext
from tests.support.servers import requirements
os.geteuid = lambda: {user}
requirements.SCRIPT_LOCATIONS = ({scripts!r},)
requirements.services_not_started = nullcontext
"""
TESTS = """
import pytest
from tests.support.servers.requirements import installed_rabbitmq
pytestmark = pytest.mark.real
@pytest.mark.parametrize("number", range(3))
def test_a_server_is_found(number):
    assert installed_rabbitmq().name == "scripts"
"""


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """Let each test look for RabbitMQ anew, and leave no answer behind."""
    requirements.installed_rabbitmq.cache_clear()
    yield
    requirements.installed_rabbitmq.cache_clear()


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on its PATH; returns the directory that is the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _executable(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def _lines(calls: Path) -> list[str]:
    return calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []


class TriedRun:
    """A run of three small tests that need RabbitMQ, in a process of its own, on a machine that has none.

    Args:
        folder: for everything it has and writes.
        brings: what its apt-get does when it is to install; by default it brings RabbitMQ.
        user: whose run it is.
    """

    def __init__(self, folder: Path, *, brings: str | None = None, user: int = 0) -> None:
        self.folder, self.path, self._calls = folder, folder / "bin", folder / "calls"
        scripts = folder / "scripts"
        (folder / "machine.py").write_text(MACHINE.format(user=user, scripts=str(scripts.relative_to("/"))), "utf-8")
        (folder / "test_servers_are_there.py").write_text(TESTS, "utf-8")
        programs = [self.path / "erl", self.path / "epmd", scripts / "rabbitmq-server"]
        made = f"/bin/mkdir {scripts}\n" + "\n".join(f"echo > {file} && /bin/chmod 755 {file}" for file in programs)
        _executable(
            self.path / "apt-get",
            f'echo "$PYTEST_XDIST_WORKER|$@" >> {self._calls}\n[ "$1" = update ] && exit\n{brings or made}',
        )

    def run(self, *arguments: str, ci: bool = False) -> subprocess.CompletedProcess[str]:
        """Run the tests, by pytest's own command and this project's conftest."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CI"))}
        plugins = [argument for name in ("machine", "tests.conftest", "no:cacheprovider") for argument in ("-p", name)]
        where = ["-c", PROJECT / "pyproject.toml", "--rootdir", PROJECT]
        return subprocess.run(
            [sys.executable, "-P", "-m", "pytest", *plugins, *where, "-q", *arguments, self.folder],
            cwd=PROJECT,
            env=inherited | {"PATH": str(self.path), "PYTHONPATH": f"{self.folder}:{PROJECT}", "CI": str(ci).lower()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """What apt-get was asked for, each behind the name of the worker that did."""
        return _lines(self._calls)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_one_process_installs_before_any_worker_starts(tmp_path: Path, workers: str):
    """Two workers would be in each other's way: they only look, and find what was installed once."""
    tried = TriedRun(tmp_path)
    ended = tried.run("-n", workers, ci=True)
    assert tried.calls == [f"|{UPDATE}", f"|{INSTALL}"]
    assert (ended.returncode, "3 passed" in ended.stdout) == (0, True), ended.stdout


def test_in_continuous_integration_a_missing_server_ends_the_run_with_a_sentence(tmp_path: Path):
    """No test runs, none is skipped, and no error of pytest's own hides what is missing."""
    tried = TriedRun(tmp_path, brings="echo Temporary failure resolving the mirror; exit 100")
    ended = tried.run("-n", "2", ci=True)
    assert tried.calls == [f"|{UPDATE}", f"|{INSTALL}"]
    assert (ended.returncode, "INTERNALERROR" in ended.stdout) == (1, False)
    assert f"{requirements.HOW_TO_INSTALL} Installing it here failed: Temporary failure" in ended.stdout
    assert not {"passed", "skipped", "failed"} & set(ended.stdout.split())


def test_without_root_the_tests_are_skipped_and_the_end_says_so(tmp_path: Path):
    """Nothing is installed, and what to install is the last that is read."""
    tried = TriedRun(tmp_path, user=1000)
    ended = tried.run("-n", "2")
    assert (ended.returncode, tried.calls, "3 skipped" in ended.stdout) == (0, [], True), ended.stdout
    _, _, end = ended.stdout.partition("tests on real servers did not run")
    assert requirements.HOW_TO_INSTALL in end


def test_workers_that_run_no_test_on_a_server_need_none(tmp_path: Path):
    """Where such tests are left out by their marker nothing is installed."""
    tried = TriedRun(tmp_path)
    tried.run("-n", "1", "-m", "not real", ci=True)
    assert tried.calls == []


@pytest.mark.parametrize("workers", ["0", "2"])
def test_to_list_the_tests_nothing_is_installed(tmp_path: Path, workers: str):
    """None of them runs."""
    tried = TriedRun(tmp_path)
    tried.run("-n", workers, "--collect-only", ci=True)
    assert tried.calls == []


def test_without_root_one_sentence_says_what_to_install(bare_machine: Path, monkeypatch: pytest.MonkeyPatch):
    """Nothing is installed, and the reader knows what to type."""
    _executable(bare_machine / "apt-get", "exit 99")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(requirements.MissingServerError, match="apt-get install rabbitmq-server"):
        requirements.provide_rabbitmq()


@pytest.mark.usefixtures("bare_machine")
def test_without_apt_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """Root on a system that is not Debian's kin gets the same sentence."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(requirements.MissingServerError, match="brew install rabbitmq"):
        requirements.provide_rabbitmq()


def test_root_on_debian_installs_the_package_after_refreshing_the_lists(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
):
    """The package lists of a fresh machine are empty: they are fetched first."""
    calls = bare_machine / "calls"
    _executable(bare_machine / "apt-get", f'echo "$DEBIAN_FRONTEND $@" >> {calls}')
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "services_not_started", nullcontext)
    with pytest.raises(requirements.MissingServerError):  # this apt-get brings nothing
        requirements.provide_rabbitmq()
    assert _lines(calls) == [f"noninteractive {UPDATE}", f"noninteractive {INSTALL}"]


def test_a_failed_installation_is_told_with_what_apt_said(bare_machine: Path, monkeypatch: pytest.MonkeyPatch):
    """A machine without a network learns that this is what is wrong."""
    _executable(bare_machine / "apt-get", 'echo "Temporary failure resolving the mirror"; exit 100')
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "services_not_started", nullcontext)
    with pytest.raises(requirements.MissingServerError, match=r"Temporary failure resolving the mirror"):
        requirements.provide_rabbitmq()


def test_services_are_kept_from_starting_only_while_packages_are_installed(tmp_path: Path):
    """The policy that forbids starting is gone afterwards, and answers what Debian's scripts expect."""
    policy = tmp_path / "usr/sbin/policy-rc.d"
    policy.parent.mkdir(parents=True)
    with requirements.services_not_started(tmp_path):
        assert subprocess.run([policy, "rabbitmq-server", "start"], check=False).returncode == 101
    assert not policy.exists()


def test_a_policy_of_the_machines_own_stays(tmp_path: Path):
    """What its administrator has decided is not ours to change."""
    policy = tmp_path / "usr/sbin/policy-rc.d"
    _executable(policy, "exit 0")
    with requirements.services_not_started(tmp_path):
        assert subprocess.run([policy], check=False).returncode == 0
    assert policy.exists()


def test_the_newest_rabbitmq_is_found_where_debian_puts_it(tmp_path: Path, bare_machine: Path):
    """The scripts themselves are wanted, and Erlang beside them."""
    for version in ("3.9.13", "3.10.8"):
        _executable(tmp_path / f"usr/lib/rabbitmq/lib/rabbitmq_server-{version}/sbin/rabbitmq-server", "")
    assert requirements.find_rabbitmq(tmp_path) is None
    _executable(bare_machine / "erl", "")
    _executable(bare_machine / "epmd", "")
    found = requirements.find_rabbitmq(tmp_path)
    assert found == tmp_path / "usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin"
