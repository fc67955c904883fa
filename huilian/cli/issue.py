"""`huilian issue`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from huilian.cli import options, screen, session

if TYPE_CHECKING:
    from huilian.issuing import RecordsRefused

__all__ = ["register"]

EXIT_REFUSED = 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "issue",
        "下发：把县里已有的记录（确认名单、贴息结果、补偿结果、通知、信用记录）发给一个机构。"
        "文件为 NDJSON（一行一条）或 JSON，字段见 contracts/messages/<类型>；先逐条核对契约、收件权限和所属机构，"
        "有一处不对就一条也不发，错误一次列全。核对无误后由平台签名放入发件箱，机构以自己的格式收到。"
        "同一文件再次下发不会重复发送。退出码：0 已下发，1 有错误，2 用法有误。",
        "Send records the county has in a file to one member. Every record is checked first; with one fault nothing is "
        "sent. The same file sends nothing twice. Exit 0 issued, 1 refused, 2 usage.",
        "huilian issue confirmations 确认名单.ndjson --for RCB01",
        "huilian issue notices 暂停放贷.json --for RCB01",
        "huilian issue credit_records 信用记录.ndjson --for XY_341599 --json",
    )(issue)


def issue(
    message_type: Annotated[
        str,
        typer.Argument(
            metavar="TYPE",
            help="记录类型 (type): confirmations, subsidy_results, compensation_results, notices, credit_records",
            show_default=False,
        ),
    ],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="记录文件，NDJSON 或 JSON (the records)", show_default=False)
    ],
    *,
    member: Annotated[str, typer.Option("--for", metavar="CODE", help="收件机构 (the receiver)")],
    as_json: options.Json = False,
) -> None:
    """Issue one file."""
    from huilian import issuing  # noqa: PLC0415  # see the package

    with session.office() as office:
        try:
            issued = issuing.issue(office, file, message_type, member, actor=session.actor())
        except issuing.RecordsRefused as refusal:
            _refused(refusal, message_type, member, as_json=as_json)
            raise typer.Exit(EXIT_REFUSED) from None
        session.settle(office)
        chinese = office.context.catalogue.named(issued.dataschema).chinese
    counts = {"new": issued.new, "repeated": issued.repeated}
    if as_json:
        facts = {"status": "issued", "type": message_type, "for": member, "records": issued.records}
        screen.print_json(facts | {"messages": counts, "faults": []})
        return
    done = "已下发" if issued.new else "此前已下发，未重复发送 (issued before)"
    text = f"{chinese} {issued.records:,} 条给 {member}；报文 {issued.new} 条，重复 {issued.repeated} 条"
    english = f"{issued.records:,} records in {issued.new} messages, {issued.repeated} repeated"
    screen.out().print(f"[green]{done}[/green] {text} ({english})", soft_wrap=True)


def _refused(refusal: "RecordsRefused", message_type: str, member: str, *, as_json: bool) -> None:
    if as_json:
        faults: list[dict[str, Any]] = [vars(fault) for fault in refusal.faults]
        facts = {"status": "refused", "type": message_type, "for": member, "records": None}
        told = {"code": refusal.code, "message": refusal.chinese, "faults": faults, "faults_in_all": refusal.count}
        screen.print_json(facts | {"messages": {"new": 0, "repeated": 0}} | told)
        return
    rows = [[fault.line, fault.field, fault.code, fault.message] for fault in refusal.faults]
    screen.show(screen.table([">行", "字段", "代码", "说明"], rows))
    left = refusal.count - len(refusal.faults)
    if left:
        screen.err().print(f"[yellow]其余 {left:,} 处未列出 (the others are not shown)[/yellow]")
    screen.error(refusal)
