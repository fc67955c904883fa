"""`huilian init`."""

from typing import Annotated

import typer

from huilian.cli import screen
from huilian.home import DEFAULT_LISTEN, Home, Settings

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "init",
        "建立数据目录：设置、密钥、数据库。目录由 HUILIAN_HOME 指定，默认 ~/.huilian。再次运行只补缺、改设置。",
        "Set up the data directory that HUILIAN_HOME names. Run again, it repairs and updates settings.",
        "huilian init --county 341599 --policy anhui",
        "HUILIAN_HOME=/srv/huilian huilian init --county 341599 --policy anhui --listen 0.0.0.0:8341",
        "huilian init --county 341599 --policy anhui --host distributed --database-url postgresql://… --amqp-url amqps://…",
    )(initialise)


def initialise(
    *,
    county: Annotated[str, typer.Option(metavar="CODE", help="县级区划代码，六位 (six digits)")],
    policy: Annotated[str, typer.Option(metavar="NAME", help="政策 (policy pack): anhui, lushi, xingan, yanchi …")],
    host: Annotated[str, typer.Option(metavar="embedded|distributed", help="运行方式 (how it runs)")] = "embedded",
    database_url: Annotated[
        str, typer.Option(metavar="URL", help="PostgreSQL 地址；空则用自带的 (empty: the embedded one)")
    ] = "",
    amqp_url: Annotated[str, typer.Option(metavar="URL", help="RabbitMQ 地址 (for distributed)")] = "",
    listen: Annotated[str, typer.Option(metavar="ADDR:PORT", help="HTTP 监听地址 (HTTP address)")] = DEFAULT_LISTEN,
) -> None:
    """Set up the data directory."""
    from huilian.cli import session  # noqa: PLC0415  # see the package
    from huilian.office import set_up  # noqa: PLC0415

    session.log()
    home = Home.from_environment()
    set_up(home, Settings(county, policy, host, database_url, amqp_url, listen))
    console = screen.out()
    console.print(f"[green]已就绪[/green]：{home.folder} (ready)", soft_wrap=True)
    console.print(f"县 {county}，政策 {policy}，运行方式 {host}", soft_wrap=True)
    console.print("下一步 (next): huilian member add RCB01 --kind bank --adapter rural_commercial_bank", soft_wrap=True)
