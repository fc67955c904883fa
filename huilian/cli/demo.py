"""`huilian demo`."""

from pathlib import Path
from typing import Annotated

import typer

from huilian.cli import screen, session
from huilian.home import DEFAULT_LISTEN

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "demo",
        "演示：生成虚构的示例县，以各机构自己的文件格式报送一年，汇总后继续提供 HTTP 服务，直到 Ctrl-C。",
        "Make a fictitious county, push a year of its institutions' own files, sum up, and go on serving.",
        "huilian demo",
        "huilian demo --once",
        "huilian demo --home /tmp/demo --seed 7 --households 200 --once",
    )(demo)


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="汇总后结束 (end after the summary)")] = False,
    home: Annotated[Path, typer.Option(metavar="DIR", help="演示目录，每次清空重建 (made anew each time)")] = Path(
        "demo-data"
    ),
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="随机种子；相同种子，相同文件 (same seed, same files)")
    ] = None,
    households: Annotated[int | None, typer.Option(metavar="N", help="户数，至少 24 (households)")] = None,
    listen: Annotated[
        str, typer.Option(metavar="ADDR:PORT", help="HTTP 监听地址；被占用则换端口 (HTTP address)")
    ] = DEFAULT_LISTEN,
) -> None:
    """Show the whole way from files to figures on made-up data."""
    from huilian.cli.demonstration import Demonstration  # noqa: PLC0415  # see the package

    session.log()
    shown = Demonstration(home.absolute(), listen=listen, seed=seed, households=households)
    with shown.folder_held():
        shown.push_all()
        shown.sum_up()
        shown.point_out(serving=not once)
        if not once:
            shown.serve()
    raise typer.Exit(0 if shown.all_accepted else 1)
