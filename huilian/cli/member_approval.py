"""`huilian member approval`: an approval that was lost, written anew."""

from pathlib import Path
from typing import Annotated

import typer

from huilian.cli import documents, options, screen, session
from huilian.home import Home

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the group of members."""
    screen.command(
        app,
        "approval",
        "重发批准文件（县）：原文件丢失，或送达时已过 14 天。密钥照登记的样子，不新登记。",
        "Issue an approval anew, at the county: the file was lost, or came when it was older than 14 days. "
        "Nothing new is entered.",
        "huilian member approval RCB02 --out RCB02.approval.json",
        "huilian member approval RCB02 --kid kPrK_qmxVWaY --out RCB02.approval.json",
    )(approval)


def approval(
    code: Annotated[str, typer.Argument(metavar="CODE", help="机构代码 (member code)")],
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="写出的批准文件 (the approval to write)")],
    kid: Annotated[
        str | None,
        typer.Option(
            metavar="KID",
            help="批准哪个密钥，可只写开头，默认最后登记的 (which key; a beginning will do; default: the newest)",
        ),
    ] = None,
    https: options.OurHttps = None,
    amqps: options.OurAmqps = None,
) -> None:
    """Write the approval of a key that the county has entered."""
    from huilian.membership.approval import Addresses  # noqa: PLC0415  # see the package
    from huilian.membership.reissue import issue_anew  # noqa: PLC0415

    home = Home.from_environment()
    county = home.settings().county
    addresses = Addresses(https, amqps)
    with (
        session.office(home) as office,
        documents.taken_back(out),
        office.database.transaction() as transaction,
    ):
        key, text = issue_anew(
            transaction,
            home.keys,
            code,
            county=county,
            addresses=addresses,
            now=office.clock.now(),
            actor=session.actor(),
            kid=kid,
        )
        documents.write_new(out, text)
    screen.out().print(
        f"[green]已重发批准[/green] {code} {key.kid}，密钥有效至 (until) {screen.moment(key.ends)}",
        soft_wrap=True,
    )
    documents.say_where(out, home.keys.current("HUILIAN").public)
