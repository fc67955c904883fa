"""The open data directory a command works with, who works with it, and the options that commands share."""

from __future__ import annotations

import contextlib
import getpass
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from huilian.settings import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.core.clock import Clock
    from huilian.county.audit import Purpose
    from huilian.county.office import Office

__all__ = [
    "CaFile",
    "Institution",
    "Json",
    "OurAmqps",
    "OurHttps",
    "Region",
    "To",
    "Token",
    "Why",
    "actor",
    "log",
    "office",
    "purpose",
    "reading",
    "settle",
]


REMOTE: Final = "连接其他服务器 (another server)"

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="输出 JSON，供程序读取 (print JSON)")]
Region: TypeAlias = Annotated[
    str, typer.Option("--region", metavar="CODE", help="区划代码：县 6 位、乡镇 9 位、村 12 位 (6, 9 or 12 digits)")
]
Institution: TypeAlias = Annotated[
    str | None, typer.Option("--institution", metavar="CODE", help="只看该机构 (this member only)")
]
To: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="URL",
        help="服务器地址 https://…；不写则用本机数据目录 (default: this machine)",
        rich_help_panel=REMOTE,
    ),
]
Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="HUILIAN_TOKEN", show_envvar=True, help="访问令牌 (access token)", rich_help_panel=REMOTE
    ),
]
Why: TypeAlias = Annotated[
    str | None,
    typer.Option("--why", metavar="TEXT", help="读取个人数据的用途，记入审计日志 (what personal data is read for)"),
]
CaFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--ca", metavar="FILE", help="信任的 CA 证书 PEM (certificates to trust)", rich_help_panel=REMOTE),
]
OurHttps: TypeAlias = Annotated[
    str | None,
    typer.Option("--https", metavar="URL", envvar="HUILIAN_PUBLIC_URL", help="本县 HTTP 地址 (our HTTP address)"),
]
OurAmqps: TypeAlias = Annotated[
    str | None,
    typer.Option("--amqps", metavar="URL", envvar="HUILIAN_PUBLIC_AMQPS", help="本县队列地址 (our broker's address)"),
]

UNSAID: Final = "县级本机操作，未说明用途 (at the county's own machine, no purpose said)"
"""What the audit log has for a read of which the operator says no purpose."""
CONNECTIONS: Final = 6
"""Two for each of the host's workers, and what a command asks besides."""
SERVER_SECONDS: Final = 5.0
"""How long a question waits for what `huilian serve` has at hand; then it is answered from what is there."""


def log(level: str = "warning") -> None:
    """Send logs to standard error from `level` on, unless that was settled before."""
    import structlog  # noqa: PLC0415  # a tenth of a second that `--help` need not spend

    from huilian.core import logs  # noqa: PLC0415  # the same

    if not structlog.is_configured():
        logs.configure(level=level, human=sys.stderr.isatty())


def actor() -> str:
    """Return who gives the command, for the audit log: the account's name, never a person's."""
    try:
        return f"operator:{getpass.getuser()}"
    except (OSError, KeyError):
        return "operator"


def purpose(why: str | None) -> Purpose:
    """Return why the operator reads personal data; where nothing is said, that.

    Raises:
        AccessDenied: HL4041, what was said is no purpose.
    """
    from huilian.county.audit import Purpose, checked_purpose  # noqa: PLC0415  # `--help` needs none of it

    return Purpose(UNSAID, "default") if why is None else Purpose(checked_purpose(why), "read")


@contextlib.contextmanager
def office(home: Home | None = None, *, connections: int = CONNECTIONS, clock: Clock | None = None) -> Iterator[Office]:
    """Open the data directory that `HUILIAN_HOME` names.

    Args:
        home: another one.
        connections: to its database.
        clock: the time of day; the machine's own without it.

    Raises:
        ConfigurationError: HL6001, it was not set up; HL6006, its settings are wrong.
        HostUnavailable: HL5001, the database does not answer.
    """
    from huilian.county.office import open_office  # noqa: PLC0415  # heavy, and `--help` needs none of it

    log()
    with open_office(home or Home.from_environment(), clock=clock, connections=connections) as opened:
        yield opened


@contextlib.contextmanager
def reading() -> Iterator[Office]:
    """Open the data directory for a question: what waited to be carried when it was asked is carried first.

    Where `huilian serve` does that and takes long over it, standard error says that the answer is without it.
    """
    with office() as opened:
        if not settle(opened):
            from huilian.cli import screen  # noqa: PLC0415  # said seldom

            said = (
                "huilian serve 仍在处理报文，结果中可能还没有它们 (still at work: what it has may not be in this yet)"
            )
            screen.err().print(f"[yellow]{said}[/yellow]", soft_wrap=True)
        yield opened


def settle(opened: Office, *, entirely: bool = False) -> bool:
    """Carry what an embedded office has waiting, left behind perhaps by a command that was cut off.

    Args:
        opened: the office; a distributed one has its relay and services for that.
        entirely: also what the waiting messages bring about; a busy server may keep that from ending.

    Returns:
        Whether it is carried: `huilian serve` is left to do it, and not waited for longer than `SERVER_SECONDS`.
    """
    if opened.settings.host != "embedded":
        return True
    with opened.database.transaction() as transaction:
        last = transaction.value("SELECT max(position) FROM huilian.outbox WHERE carried_at IS NULL")
    if last is None:
        return True
    from huilian.hosts.embedded import SERVING, EmbeddedHost  # noqa: PLC0415  # needed only here

    deadline = time.monotonic() + SERVER_SECONDS
    waiting = "SELECT NOT EXISTS (SELECT FROM huilian.outbox WHERE carried_at IS NULL AND position <= %s)"

    def carried() -> bool:
        with opened.database.transaction() as transaction:
            return bool(transaction.value(waiting, [last]))

    def no_longer_waited_for() -> bool:
        with opened.database.transaction() as transaction:
            return time.monotonic() > deadline and transaction.is_held(SERVING)

    with EmbeddedHost(opened, stands_by=True) as host:
        host.drain(None if entirely else lambda: carried() or no_longer_waited_for())
    return carried()
