"""Finding RabbitMQ on this machine, and installing it where that is possible and allowed.

One process installs, before any test runs; whoever starts a server only looks. PostgreSQL needs no such thing: when
the system has none, the one bundled with the project is used.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HOW_TO_INSTALL = (
    "RabbitMQ is not installed: install it with `apt-get install rabbitmq-server` (Debian, Ubuntu) or "
    "`brew install rabbitmq` (macOS); the service itself need not run."
)
# Where the start scripts themselves lie. Debian's /usr/sbin/rabbitmq-server is a wrapper that lets only root and the
# user rabbitmq through, and hides the caller's environment.
SCRIPT_LOCATIONS = (
    "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
    "usr/lib/rabbitmq/bin",
    "opt/rabbitmq/sbin",
    "opt/homebrew/opt/rabbitmq/sbin",
    "usr/local/opt/rabbitmq/sbin",
)
INSTALL_SECONDS = 600
WAITING_FOR_THE_LOCK = ("-o", "DPkg::Lock::Timeout=120")
OUTPUT_SHOWN = 2000
# "Action forbidden by policy": what Debian's service scripts understand as "do not start" (invoke-rc.d(8)).
POLICY_FORBIDS_START = "#!/bin/sh\nexit 101\n"


class MissingServerError(RuntimeError):
    """A server that the tests need is not there; the message says what to install."""


def _numbers_in(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


def find_rabbitmq(root: Path = Path("/")) -> Path | None:
    """Return the newest directory under `root` with RabbitMQ's own scripts, if its Erlang is on the PATH too."""
    if shutil.which("erl") is None or shutil.which("epmd") is None:
        return None
    for location in SCRIPT_LOCATIONS:
        for scripts in sorted(root.glob(location), key=_numbers_in, reverse=True):
            if (scripts / "rabbitmq-server").exists():
                return scripts
    return None


def may_install() -> bool:
    """Say whether this is a Debian-like system on which we are root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


@contextmanager
def services_not_started(root: Path = Path("/")) -> Iterator[None]:
    """Keep packages from starting their services while they are installed; a policy that is there already stays."""
    policy = root / "usr/sbin/policy-rc.d"
    if policy.exists():
        yield
        return
    policy.write_text(POLICY_FORBIDS_START, encoding="utf-8")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def install_rabbitmq() -> None:
    """Install Debian's package without starting its service.

    Raises:
        MissingServerError: It could not be done; the message says why, and holds the end of what apt-get wrote.
    """
    try:
        with services_not_started():
            for arguments in (("update",), ("install", "-y", "--no-install-recommends", "rabbitmq-server")):
                _apt_get(*arguments)
    except subprocess.TimeoutExpired:
        raise MissingServerError(_failed(f"apt-get did not end within {INSTALL_SECONDS} s")) from None
    except OSError as error:
        raise MissingServerError(_failed(str(error))) from error


def _apt_get(*arguments: str) -> None:
    result = subprocess.run(
        # Machines that were just started run another apt of their own, which holds the lock.
        ["apt-get", *arguments, *WAITING_FOR_THE_LOCK],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=INSTALL_SECONDS,
    )
    if result.returncode:
        raise MissingServerError(_failed(result.stdout[-OUTPUT_SHOWN:]))


def _failed(why: str) -> str:
    return f"{HOW_TO_INSTALL} Installing it here failed: {why}"


def provide_rabbitmq() -> None:
    """See to it that RabbitMQ is there, installing it when it is missing and we may; for one process of a run only.

    Raises:
        MissingServerError: It is missing and could not be installed.
    """
    if find_rabbitmq() is None and may_install():
        install_rabbitmq()
    if find_rabbitmq() is None:
        raise MissingServerError(HOW_TO_INSTALL)


@cache
def installed_rabbitmq() -> Path:
    """Return the directory with RabbitMQ's scripts; nothing is installed.

    Raises:
        MissingServerError: It is missing.
    """
    scripts = find_rabbitmq()
    if scripts is None:
        raise MissingServerError(HOW_TO_INSTALL)
    return scripts
