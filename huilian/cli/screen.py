"""What people see: help texts, tables, errors and JSON, in one manner for all commands.

Results go to standard output, everything else to standard error. Chinese stands first.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

if TYPE_CHECKING:
    from rich.console import RenderableType
    from typer.exceptions import TyperException

    from huilian.core.errors import HuilianError

__all__ = [
    "amount",
    "command",
    "err",
    "error",
    "group",
    "misuse",
    "moment",
    "needed",
    "out",
    "pairs",
    "percent",
    "print_json",
    "show",
    "table",
    "ten_thousands",
]

WIDTH_WITHOUT_TERMINAL: Final = 180
"""Columns of what goes to a file or a pipe."""
WIDTH_AT_MOST: Final = 2_000
"""Columns of the widest table there can be."""
EXAMPLE_WIDTH: Final = 72
"""Columns an example may have before it is continued on the next line."""
NONE: Final = "—"
"""Shown where there is no value."""

Function = TypeVar("Function", bound=Callable[..., Any])

_MISUSES: Final = {
    "No such option": "没有这个选项",
    "No such command": "没有这个命令",
    "Missing": "缺少参数",
    "Invalid value": "参数无效",
}
"""How typer's own errors begin, in Chinese."""


def lesson(chinese: str, english: str, examples: Sequence[str]) -> str:
    """Return a help text: what it does in both languages, then examples to copy."""
    shown = "\n".join(f"  {escape(_folded(example))}" for example in examples)
    return "\n\n".join(
        [escape(chinese), f"[dim]{escape(english)}[/dim]", *([f"例 (examples):\n{shown}"] if shown else [])]
    )


def _folded(example: str) -> str:
    """Return a command that fits a terminal, continued as a shell would read it."""
    lines = [""]
    for place, part in enumerate(example.split(" --")):
        text = part if place == 0 else f" --{part}"
        if len(lines[-1]) + len(text) > EXAMPLE_WIDTH:
            lines.append("     ")
        lines[-1] += text
    return " \\\n".join(lines)


def group(chinese: str, english: str, *examples: str, commands: type[TyperGroup] = TyperGroup) -> typer.Typer:
    """Return a group of commands with its help."""
    return typer.Typer(
        cls=commands,
        help=lesson(chinese, english, examples),
        short_help=escape(chinese),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )


def command(app: typer.Typer, name: str, chinese: str, english: str, *examples: str) -> Callable[[Function], Function]:
    """Make a function a command of `app`."""
    first, mark, _ = chinese.partition("。")
    return app.command(name, help=lesson(chinese, english, examples), short_help=escape(first + mark))


def out() -> Console:
    """Return the console for results."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL, highlight=False)


def err() -> Console:
    """Return the console for everything else."""
    return Console(stderr=True, width=None if sys.stderr.isatty() else WIDTH_WITHOUT_TERMINAL, highlight=False)


def error(problem: HuilianError) -> None:
    """Print an error: code and Chinese text, the English one beneath."""
    console = err()
    console.print(f"[bold red]错误 {problem.code}[/bold red]：{escape(problem.chinese)}", soft_wrap=True)
    if problem.english != problem.chinese:
        console.print(f"[dim]{escape(problem.english)}[/dim]", soft_wrap=True)


def misuse(problem: TyperException) -> None:
    """Print what is wrong with the way a command was called, and where its help is."""
    console = err()
    text = problem.format_message()
    context = getattr(problem, "ctx", None)
    if text:
        chinese = next((said for begins, said in _MISUSES.items() if text.startswith(begins)), "用法有误")
        console.print(f"[bold red]用法错误[/bold red]：{chinese} [dim]({escape(text)})[/dim]", soft_wrap=True)
        console.print(f"用法见 (see): {context.command_path if context else 'huilian'} --help", soft_wrap=True)


def print_json(value: object) -> None:
    """Print a value as one line of JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Path | Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


def table(
    headings: Iterable[str], rows: Iterable[Sequence[object]], *, title: str | None = None, tight: bool = False
) -> Table:
    """Return a table; a heading that begins with ">" is over a column of figures, which are never cut or folded.

    Args:
        headings: of the columns.
        rows: their cells; None is shown as a dash, a `Text` in its own colours.
        title: above it.
        tight: with as little as possible between the columns.
    """
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415  # only where something is shown

    made = Table(
        title=title,
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=0 if tight else (0, 1),
        pad_edge=False,
        title_justify="left",
        title_style="bold",
    )
    for heading in headings:
        right = heading.startswith(">")
        made.add_column(heading.removeprefix(">"), justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in rows:
        made.add_row(*(NONE if cell is None else cell if isinstance(cell, Text) else escape(str(cell)) for cell in row))
    return made


def needed(shown: RenderableType) -> int:
    """Return how many columns something needs before any of it would be cut."""
    from rich.measure import Measurement  # noqa: PLC0415  # only where something is shown

    console = Console(width=WIDTH_AT_MOST)
    return Measurement.get(console, console.options, shown).minimum


def show(shown: RenderableType) -> None:
    """Print a table on standard output. Where it is too wide the terminal may break its lines; no figure is cut."""
    console = out()
    console.width = max(console.width, needed(shown))
    console.print(shown)
    console.print()


def pairs(values: Mapping[str, object], *, title: str | None = None) -> Table:
    """Return names and values beneath each other."""
    made = table(["", ""], values.items(), title=title)
    made.show_header = False
    return made


def amount(text: str | None) -> str | None:
    """Return money in yuan with thousands separators: "30481000.00" as "30,481,000.00"."""
    return None if text is None else f"{Decimal(text):,.2f}"


def ten_thousands(text: str) -> str:
    """Return money in ten thousand yuan (万元), two places, half-up: "30481000.00" as "3,048.10"."""
    return f"{(Decimal(text) / 10_000).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def percent(text: str | None) -> str | None:
    """Return a ratio in per cent, two places, half-up: "0.025083" as "2.51%"."""
    return None if text is None else f"{(Decimal(text) * 100).quantize(Decimal('0.01'), ROUND_HALF_UP)}%"


def moment(value: dt.datetime | None) -> str | None:
    """Return a moment in China's time: "2024-06-03 09:30"."""
    from huilian.core.clock import CHINA  # noqa: PLC0415  # the screen itself stays light

    return None if value is None else f"{value.astimezone(CHINA):%Y-%m-%d %H:%M}"
