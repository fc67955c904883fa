"""What the tests do on a machine without RabbitMQ."""

from __future__ import annotations

import subprocess
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from tests.servers import requirements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """Let each test look for RabbitMQ anew, and leave no answer behind."""
    requirements.ensure_rabbitmq.cache_clear()
    yield
    requirements.ensure_rabbitmq.cache_clear()


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on its PATH; returns the directory that is the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _executable(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_without_root_one_sentence_says_what_to_install(bare_machine: Path, monkeypatch: pytest.MonkeyPatch):
    """Nothing is installed, and the reader knows what to type."""
    _executable(bare_machine / "apt-get", "exit 99")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(requirements.MissingServerError, match="apt-get install rabbitmq-server"):
        requirements.ensure_rabbitmq()


@pytest.mark.usefixtures("bare_machine")
def test_without_apt_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """Root on a system that is not Debian's kin gets the same sentence."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(requirements.MissingServerError, match="brew install rabbitmq"):
        requirements.ensure_rabbitmq()


def test_root_on_debian_installs_the_package_after_refreshing_the_lists(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
):
    """The package lists of a fresh machine are empty: they are fetched first."""
    calls = bare_machine / "calls"
    _executable(bare_machine / "apt-get", f'echo "$DEBIAN_FRONTEND $@" >> {calls}')
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "services_not_started", nullcontext)
    with pytest.raises(requirements.MissingServerError):  # this apt-get brings nothing
        requirements.ensure_rabbitmq()
    assert calls.read_text(encoding="utf-8").splitlines() == [
        "noninteractive update",
        "noninteractive install -y --no-install-recommends rabbitmq-server",
    ]


def test_a_failed_installation_is_told_with_what_apt_said(bare_machine: Path, monkeypatch: pytest.MonkeyPatch):
    """A machine without a network learns that this is what is wrong."""
    _executable(bare_machine / "apt-get", 'echo "Temporary failure resolving the mirror"; exit 100')
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "services_not_started", nullcontext)
    with pytest.raises(requirements.MissingServerError, match=r"Temporary failure resolving the mirror"):
        requirements.ensure_rabbitmq()


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
