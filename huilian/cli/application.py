"""All commands put together, and what becomes of an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from huilian import __version__
from huilian.cli import (
    adapter_check,
    adapter_new,
    adapters,
    audit,
    broker,
    bundle,
    demo,
    doctor,
    edge,
    initialise,
    issue,
    keys,
    member_approval,
    member_joining,
    member_rotation,
    member_standing,
    members,
    messages,
    push,
    rebuild,
    screen,
    serve,
    tokens,
)
from huilian.errors import FileRefused, HostUnavailable, HuilianError, MessageRefused, UsageError
from huilian.system_errors import KNOWN, why

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "run"]

REFUSED: Final = 1
USAGE: Final = 2
AWAY: Final = 3
INTERRUPTED: Final = 130


class _Commands(TyperGroup):
    """The kernel's commands, and those that follow from the queries of services.

    Services are heavy: they are loaded when a command is asked for that is not the kernel's, or the list of all.
    """

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401  # typer's own
        """Return a command, or None."""
        if cmd_name not in self.commands:
            self._complete()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401  # typer's own
        """Return the names of all commands."""
        self._complete()
        return super().list_commands(ctx)

    def _complete(self) -> None:
        if "feed" not in self.commands:
            from huilian.cli import queries  # noqa: PLC0415  # loads every service

            queries.add_to(self)


app = screen.group(
    "惠联：县级主管部门与银行、担保、保险机构之间的数据通道。",
    "Huilian links a county office with its banks, guarantors and insurers.",
    "huilian init --county 341599 --policy anhui",
    "huilian member add RCB01 --kind bank --adapter rural_commercial_bank",
    "huilian push RCB01_LOAN_20240531.csv --adapter rural_commercial_bank --member RCB01",
    "huilian stats --region 341599 --month 2024-05 --by township",
    commands=_Commands,
)


def _print_version(asked: bool) -> None:  # noqa: FBT001  # an option's callback
    if asked:
        screen.out().print(f"huilian {__version__}")
        raise typer.Exit


@app.callback()
def prepare(
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="在标准错误输出运行日志 (log to standard error)")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="显示版本 (show the version)")
    ] = False,
) -> None:
    """Take the options that every command has."""
    del version
    if verbose:
        from huilian.cli.session import log  # noqa: PLC0415  # structlog takes a tenth of a second

        log("info")


for _module in (initialise, push, issue, rebuild, serve, doctor, adapters, demo):
    _module.register(app)
for _module in (keys, member_joining, member_approval, member_rotation, member_standing):
    _module.register(members.app)
for _module in (adapter_new, adapter_check):
    _module.register(adapters.app)
app.add_typer(adapters.app, name="adapter")
app.add_typer(members.app, name="member")
app.add_typer(tokens.app, name="token")
app.add_typer(broker.app, name="broker")
app.add_typer(edge.app, name="edge")
app.add_typer(bundle.app, name="bundle")
app.add_typer(messages.app, name="messages")
app.add_typer(audit.app, name="audit")


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code; errors are printed, not raised."""
    try:
        return int(app(list(arguments), prog_name="huilian", standalone_mode=False) or 0)
    except HuilianError as error:
        screen.error(error)
        return _code(error)
    except TyperException as error:
        screen.misuse(error)
        return error.exit_code
    except OSError as error:
        if error.errno not in KNOWN:
            raise  # a fault of ours: the trace tells where
        place = f"{error.filename}：" if error.filename else ""
        screen.error(UsageError("HL7001", what=f"{place}{why(error)}"))
        return USAGE
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED


def _code(error: HuilianError) -> int:
    if isinstance(error, HostUnavailable):
        return AWAY
    if isinstance(error, FileRefused | MessageRefused):
        return REFUSED
    return REFUSED if isinstance(error, UsageError) and error.code == "HL7006" else USAGE
