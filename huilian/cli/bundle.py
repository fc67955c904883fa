"""`huilian bundle write|read`: at the county and at an institution."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from huilian.cli import screen, session
from huilian.core.errors import UsageError
from huilian.settings import Home

if TYPE_CHECKING:
    from huilian.wire.bundle import Bundle

__all__ = ["app"]


_RUNNING: Final = "HL7013"

app = screen.group(
    "离线文件包：没有网络时，把已签名的报文装入一个文件，用 U 盘等带到对方。",
    "Offline bundles: sealed messages in one file that is carried by hand.",
    "huilian bundle write 报送.hlb",
    "huilian bundle read 报送.hlb",
    "huilian bundle write --for RCB01 回执.hlb",
)


@screen.command(
    app,
    "write",
    "写文件包。机构：待发区中尚无回执的提交，或所列的提交；县里：--for 写交给该机构、尚未交出的报文。",
    "Write a bundle: at an institution its sealed submissions, at the county (--for) what a member has not got yet.",
    "huilian bundle write 报送.hlb",
    "huilian bundle write 报送.hlb RCB01-loan_ledger-20240531-0123456789abcdef",
    "huilian bundle write --for RCB01 回执.hlb",
)
def write(
    out: Annotated[Path, typer.Argument(metavar="OUT.hlb", help="要写的文件 (the file to write)", show_default=False)],
    submissions: Annotated[
        list[str] | None, typer.Argument(metavar="[SUBMISSION…]", help="提交编号 (submissions)", show_default=False)
    ] = None,
    *,
    receiver: Annotated[
        str | None, typer.Option("--for", metavar="CODE", help="县里：收件机构 (at the county: the receiver)")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="连同以前交出过的，文件包丢失时用 (also what was handed over before)")
    ] = False,
    as_json: session.Json = False,
) -> None:
    """Write a bundle."""
    session.log()
    home = Home.from_environment()
    if receiver is None:
        if everything:
            raise UsageError("HL7001", what="--all 只与 --for 同用 (--all goes with --for)")
        from huilian.institution import bundles  # noqa: PLC0415  # see the package

        number, written = bundles.write(home, out, submissions or ())
        if as_json:
            screen.print_json({"file": out, "for": "HUILIAN", "submissions": number, "messages": written})
            return
        text = f"{number} 个提交，{written} 条报文 ({number} submissions, {written} messages)"
    else:
        if submissions:
            raise UsageError("HL7001", what="--for 不能与提交编号同用 (--for takes no submissions)")
        from huilian.county.messages import courier  # noqa: PLC0415

        with session.reading() as office:
            written = courier.write_for(office, receiver, out, everything=everything, actor=session.actor())
        if as_json:
            screen.print_json({"file": out, "for": receiver, "messages": written})
            return
        text = f"给 {receiver}，{written} 条报文 ({written} messages)"
    screen.out().print(f"[green]已写出[/green] {out}：{text}", soft_wrap=True)


@screen.command(
    app,
    "read",
    "读入文件包，重复读入不会重复计入。县里：逐条核验后入账；机构：逐条核验后写入 outbox。有一处不符则整个不读。",
    "Read a bundle; read twice, it counts once. Any difference refuses it as a whole.",
    "huilian bundle read 报送.hlb",
)
def read(
    file: Annotated[Path, typer.Argument(metavar="IN.hlb", help="文件包 (the bundle)", show_default=False)],
    *,
    as_json: session.Json = False,
) -> None:
    """Read a bundle."""
    from huilian.institution.edge import settings  # noqa: PLC0415
    from huilian.wire import bundle  # noqa: PLC0415  # see the package
    from huilian.wire.names import PLATFORM  # noqa: PLC0415

    session.log()
    home = Home.from_environment()
    with bundle.opened(file) as opened:
        # A machine may be both: the office of a county and the edge by which that sends its roster.
        if settings.is_edge(home) and (opened.receiver != PLATFORM or not home.exists):
            facts = _at_the_edge(home, opened)
        else:
            facts = _at_the_county(home, opened)
    if as_json:
        screen.print_json(facts)
        return
    shown = "，".join(f"{name} {number}" for name, number in facts["messages"].items())
    screen.out().print(f"[green]已读入[/green] {file.name}：{shown}", soft_wrap=True)


def _at_the_county(home: Home, opened: "Bundle") -> dict[str, Any]:
    """Let a bundle in and carry what it brought, as far as this machine's host does that; return what came."""
    from huilian.county.messages import courier  # noqa: PLC0415  # see the package

    with session.office(home) as office:
        taken = courier.let_in(office, opened, actor=session.actor())
        session.settle(office, entirely=True)
    for refusal in taken.refused:
        screen.err().print(f"[yellow]{refusal.code} {refusal.chinese} ({refusal.english})[/yellow]", soft_wrap=True)
    return {
        "messages": {"new": taken.new, "repeated": taken.repeated},
        "submissions": list(taken.submissions),
        "refused": [{"submission": each.facts["submission"], "code": each.code} for each in taken.refused],
    }


def _at_the_edge(home: Home, opened: "Bundle") -> dict[str, Any]:
    """Keep a bundle's messages and write them out; where an edge is running, that does it. Return what came."""
    from huilian.institution import bundles  # noqa: PLC0415  # see the package
    from huilian.institution.edge import open_edge, settings  # noqa: PLC0415  # see the package

    kept = bundles.read(home, settings.load(home).member, opened)
    try:
        with open_edge(home, offline=True) as edge:
            edge.recover()
            edge.write_out()
            unwritten = edge.journal.messages.unwritten()
    except UsageError as error:
        if error.code != _RUNNING:
            raise
        return {"messages": {"kept": kept}, "written_by": "huilian edge run"}
    return {"messages": {"kept": kept, "not_written": unwritten}}
