"""`huilian stats`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from huilian.cli import options, screen, session
from huilian.errors import UsageError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "stats",
        "某月末的贷款统计：笔数、户数、累放、余额、逾期、不良、收回率。加 --scoreboard 则为各机构当月报送考核。",
        "The figures at the end of a month, whole or broken down; with --scoreboard who sent what, and when.",
        "huilian stats --region 341599 --month 2024-05",
        "huilian stats --region 341599 --month 2024-05 --by township",
        "huilian stats --region 341599101 --month 2024-05 --institution RCB01 --json",
        "huilian stats --scoreboard --month 2024-05",
    )(stats)


def stats(
    *,
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="月份 (month)")],
    region: Annotated[
        str | None,
        typer.Option(
            metavar="CODE",
            help="区划代码：县 6 位、乡镇 9 位、村 12 位；考核不用 (6, 9 or 12 digits; not of a scoreboard)",
        ),
    ] = None,
    scoreboard: Annotated[
        bool, typer.Option("--scoreboard", help="各机构报送考核 (what institutions have sent)")
    ] = False,
    by: Annotated[
        str | None, typer.Option(metavar="institution|product|township|village", help="分组 (break down by)")
    ] = None,
    institution: options.Institution = None,
    product: Annotated[str | None, typer.Option(metavar="CODE", help="只看该产品 (this product only)")] = None,
    to: options.To = None,
    token: options.Token = None,
    ca: options.CaFile = None,
    as_json: options.Json = False,
) -> None:
    """Print the figures of a region and month, or the month's scoreboard."""
    if scoreboard:
        if region or by or product:
            raise UsageError("HL7001", what="--scoreboard 不分区划、分组和产品 (takes no --region, --by or --product)")
        _scoreboard(month, institution, to, token, ca, as_json=as_json)
        return
    if region is None:
        raise UsageError("HL7001", what="缺少 --region (--region is needed)")
    from huilian.cli import figures as shown  # noqa: PLC0415  # see the package

    if by is not None and by not in shown.BREAKDOWNS:
        raise UsageError("HL7001", what=f"--by: {', '.join(shown.BREAKDOWNS)}")
    if to:
        from huilian.institution.transports.http import HttpReader  # noqa: PLC0415  # only where another server is asked

        found = HttpReader(to, token, ca).statistics(
            region=region, month=month, by=by, institution=institution, product=product
        )
    else:
        found = _from_here(region=region, month=month, by=by, institution=institution, product=product)
    if as_json:
        screen.print_json(found)
        return
    console = screen.out()
    screen.show(shown.whole(found))
    if by is not None:
        name = "region" if by in ("township", "village") else by
        rows = [(str(row[name] or "—"), row) for row in found["rows"]]
        screen.show(shown.parts(shown.BREAKDOWNS[by], rows, width=console.width))
    for line in shown.basis(found.get("rests_on", ())):
        console.print(line, soft_wrap=True)
    if found["stale"]:
        console.print(
            f"[yellow]{month} 未报送台账的机构 (no ledger yet): {', '.join(found['stale'])}[/yellow]", soft_wrap=True
        )


def _from_here(*, region: str, month: str, **question: str | None) -> dict[str, Any]:
    from huilian import regions, service  # noqa: PLC0415  # loads every service
    from huilian.http.statistics import with_basis  # noqa: PLC0415  # the same

    with session.reading() as office, office.database.snapshot() as transaction:
        regions.refuse_outside(office.settings.county, region)
        queries = {name: service.query(name) for name in ("figures", "reconciliation")}
        return with_basis(queries, transaction, region=region, month=month, **question)


def _scoreboard(
    month: str, institution: str | None, to: str | None, token: str | None, ca: Path | None, *, as_json: bool
) -> None:
    if to:
        from huilian.institution.transports.http import HttpReader  # noqa: PLC0415  # only where another server is asked

        found = HttpReader(to, token, ca).scoreboard(month=month, institution=institution)
    else:
        found = session.query("scoreboard", month=month, institution=institution)
    if as_json:
        screen.print_json(found)
        return
    from huilian.cli import scoreboard as shown  # noqa: PLC0415  # see the package

    screen.show(shown.table(found))
