"""All commands put together, and what becomes of an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from huilian import __version__
from huilian.cli import adapters, bundle, demo, doctor, edge, messages, office, policy, push, screen, submit
from huilian.cli.members import directory, keys, persons
from huilian.core.errors import FileRefused, HostUnavailable, HuilianError, MessageRefused, UsageError
from huilian.core.files import EXPLAINED, explain

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "run"]

REFUSED: Final = 1
USAGE: Final = 2
AWAY: Final = 3
INTERRUPTED: Final = 130


class _Commands(TyperGroup):
    """The kernel's commands, and those that follow from the queries and acts of services.

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
            from huilian.cli import acts, queries  # noqa: PLC0415  # loads every service

            own = frozenset(self.commands)
            queries.add_to(self)
            acts.add_to(self, own)


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


office.register_initialise(app)
push.register(app)
submit.register(app)
office.register_issue(app)
office.register_rebuild(app)
office.register_serve(app)
doctor.register(app)
adapters.register(app)
demo.register(app)
keys.register(directory.app)
directory.register_joining(directory.app)
directory.register_approval(directory.app)
keys.register_rotation(directory.app)
directory.register_standing(directory.app)
adapters.register_new(adapters.app)
adapters.register_check(adapters.app)
app.add_typer(adapters.app, name="adapter")
app.add_typer(directory.app, name="member")
app.add_typer(persons.app, name="person")
app.add_typer(office.token_app, name="token")
app.add_typer(office.broker_app, name="broker")
app.add_typer(policy.app, name="policy")
app.add_typer(edge.app, name="edge")
app.add_typer(bundle.app, name="bundle")
app.add_typer(messages.app, name="messages")
app.add_typer(office.audit_app, name="audit")


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
        if error.errno not in EXPLAINED:
            raise  # a fault of ours: the trace tells where
        place = f"{error.filename}：" if error.filename else ""
        screen.error(UsageError("HL7001", what=f"{place}{explain(error)}"))
        return USAGE
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED


def _code(error: HuilianError) -> int:
    if isinstance(error, HostUnavailable):
        return AWAY
    if isinstance(error, FileRefused | MessageRefused):
        return REFUSED
    return REFUSED if isinstance(error, UsageError) and error.code == "HL7006" else USAGE
