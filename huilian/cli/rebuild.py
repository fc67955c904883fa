"""`huilian rebuild`."""

from typing import Annotated

import typer

from huilian.cli import options, screen, session

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "rebuild",
        "重算：让一个服务忘掉已汇总的内容，由各登记服务把现有全部状态重新告知它。新装的服务用它补齐。"
        "完成之前，读到的仍是原有数字。",
        "Have a service forget what it folded and hear the whole state anew from the services that own it; a service "
        "that was added is brought up to date by it. Until it is done readers see the old figures.",
        "huilian rebuild statistics",
        "huilian rebuild statistics --json",
    )(rebuild)


def rebuild(
    name: Annotated[str, typer.Argument(metavar="NAME", help="服务名称 (the service)", show_default=False)],
    *,
    as_json: options.Json = False,
) -> None:
    """Rebuild one service."""
    from huilian.county import backfill  # noqa: PLC0415  # see the package

    with session.reading() as office, office.database.transaction() as transaction:
        told = backfill.rebuild(transaction, office, name, actor=session.actor())
    if as_json:
        screen.print_json({"service": name, "messages": told})
        return
    counts = "，".join(f"{message_type} {count:,}" for message_type, count in told.items())
    screen.out().print(f"[green]{name} 已重算[/green]，重新告知的报文 (rebuilt; messages told anew)：{counts}")
