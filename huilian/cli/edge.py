"""`huilian edge init|run|status`."""

import datetime as dt
import json
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import structlog
import typer
from rich.markup import escape

from huilian.cli import screen, session
from huilian.cli.members import documents
from huilian.core.errors import UsageError
from huilian.settings import Home
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["app"]

EXIT_REFUSED: Final = 1
EXIT_AWAY: Final = 3

app = screen.group(
    "机构端：文件放入 inbox，签名报送；回执、确认名单和通知以机构自己的格式写入 outbox。",
    "An institution's edge: files dropped into inbox are sent; answers come to outbox in its own formats.",
    "huilian edge init --member RCB01 --adapter rural_commercial_bank --county 341599 --to https://county.example",
    "huilian edge run",
    "huilian edge status",
)


@screen.command(
    app,
    "init",
    "建立机构端目录：设置、密钥和文件夹。目录由 HUILIAN_HOME 指定；不需要数据库。再次运行只补缺、改设置。",
    "Set up an edge's data directory: settings, key and folders. It needs no database. Run again, it repairs.",
    "huilian edge init --member RCB01 --adapter rural_commercial_bank --county 341599 --to https://county.example",
    "huilian edge init --member RCB01 --adapter rural_commercial_bank --to amqps://RCB01:…@county.example:5671/huilian",
    "huilian edge init --member RCB01 --adapter rural_commercial_bank --county 341599 --platform-key HUILIAN.pem "
    "--fingerprint '12345 67890 …'",
)
def init(
    member: Annotated[str, typer.Option(metavar="CODE", help="机构代码 (member code)")],
    adapter: Annotated[str, typer.Option(metavar="NAME", help="适配器，见 huilian adapters (adapter)")],
    *,
    county: Annotated[
        str | None, typer.Option(metavar="CODE", help="县代码，六位；已采用批准文件的可不写 (six digits)")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="县里地址 https:// 或 amqps://；写 none 则只用离线文件包 (none: bundles only)"
        ),
    ] = None,
    token: session.Token = None,
    ca: session.CaFile = None,
    platform_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="县里平台的公钥 PEM (the platform's public key)")
    ] = None,
    fingerprint: documents.Fingerprint = None,
) -> None:
    """Set up the data directory."""
    from huilian.adapters import loading  # noqa: PLC0415  # polars
    from huilian.institution.edge import settings  # noqa: PLC0415
    from huilian.institution.edge.folders import Folders  # noqa: PLC0415
    from huilian.institution.membership import check_county, membership_of  # noqa: PLC0415

    session.log()
    home = Home.from_environment()
    if settings.is_edge(home) and settings.load(home).member != member:
        what = f"{home.folder} 已是 {settings.load(home).member} 的机构端 (is the edge of another member)"
        raise UsageError("HL7001", what=what)
    known = membership_of(home, member)
    address = to or (known and (known.https or known.amqps)) or "none"
    six = county or (known and known.county)
    if not six:
        raise UsageError("HL7001", what="请用 --county 指明县代码 (give --county)")
    check_county(home, home.trusted(PLATFORM), six)
    loading.settings_for(loading.find(adapter, home.adapters), six, home.adapter_tables(), home.adapters)
    certificates = str(ca.expanduser().absolute()) if ca else ""
    made = settings.EdgeSettings(member, adapter, six, "" if address == "none" else address, certificates, token or "")
    if platform_key is not None:
        documents.trust(home, PLATFORM, documents.read_public(platform_key), fingerprint, file=platform_key)
    settings.save(home, made)
    Folders(home.folder).make()
    home.change_trusted(PLATFORM, lambda trusted: replace(trusted, county=six) if trusted.keys else trusted)
    new = not home.keys.holds(member)
    key = home.keys.create(member) if new else home.keys.current(member)
    console = screen.out()
    console.print(f"[green]已就绪[/green]：{home.folder} (ready)", soft_wrap=True)
    console.print(f"机构 {member}，适配器 {adapter}，县 {six}，地址 {made.shown_to or '离线文件包'}", soft_wrap=True)
    if new:
        console.print("请把此公钥交给县里登记 (hand this public key to the county)：")
        console.print(key.public.pem().rstrip(), markup=False)
    if not home.trusted_keys(PLATFORM):
        hint = "尚未信任县里平台的公钥：--platform-key HUILIAN.pem --fingerprint … (not trusted yet)"
        console.print(f"[yellow]{hint}[/yellow]", soft_wrap=True)
    console.print("下一步 (next): huilian edge run")


@screen.command(
    app,
    "run",
    "持续运行机构端，直到 Ctrl-C 或 SIGTERM。--once 处理现有文件后结束，供定时任务使用。"
    "--once 的退出码：0 已处理，1 有文件被退回，3 县里暂时联系不上（文件已留在本机）。",
    "Run the edge until Ctrl-C or SIGTERM. --once handles what is there and ends; exit 0 done, 1 refused, 3 away.",
    "huilian edge run",
    "huilian edge run --once",
)
def run(
    *,
    once: Annotated[bool, typer.Option("--once", help="处理现有文件后结束 (handle what is there and end)")] = False,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="--once 时等回执最多几秒 (with --once: wait for receipts)")
    ] = 30.0,
    settle: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="文件静止几秒后才取 (still for so long before it is taken)")
    ] = 2.0,
) -> None:
    """Run the edge of the data directory."""
    from huilian.institution.edge import open_edge  # noqa: PLC0415  # see the package

    session.log("warning" if once and sys.stderr.isatty() else "info")
    stopping = _stopping()
    with open_edge(Home.from_environment(), settle=settle) as edge:
        if not once:
            edge.run(stopping)
            return
        before = edge.refused
        reached = edge.run_once(stopping, seconds=timeout)
        refused = edge.refused - before
    if refused:
        screen.err().print(f"[yellow]{refused} 个文件被退回，见 refused 文件夹 (files were refused)[/yellow]")
    if not reached:
        screen.err().print("[yellow]未全部完成，稍后再试；详情 (not all done): huilian edge status[/yellow]")
    raise typer.Exit(EXIT_REFUSED if refused else 0 if reached else EXIT_AWAY)


def _stopping() -> threading.Event:
    import signal  # noqa: PLC0415  # see the package

    stopping = threading.Event()

    def stop(_number: int, _frame: "FrameType | None") -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping


@screen.command(
    app,
    "status",
    "机构端现状：待发、已发、等回执、结果、最近的错误、密钥到期日。有需要处理的事项时退出码为 1。",
    "How the edge stands, read from its files. Exit 1 when something needs attention.",
    "huilian edge status",
    "huilian edge status --json",
)
def status(*, as_json: session.Json = False) -> None:
    """Print how the edge stands."""
    from huilian.core.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.institution.edge.status import status as current  # noqa: PLC0415

    facts = current(Home.from_environment(), SystemClock())
    if as_json:
        screen.print_json(facts)
    else:
        _show(facts)
    raise typer.Exit(EXIT_REFUSED if facts["attention"] else 0)


@screen.command(
    app,
    "dismiss",
    "舍弃因不能核验而搁置的报文，例如密钥来历不明的。县里仍有原件，可用 huilian bundle write --for 机构 --all 再给。",
    "Drop what is kept aside because it cannot be verified. What was genuine the county has, and gives again.",
    "huilian edge dismiss --reason 经电话核实，不是县里平台的密钥",
)
def dismiss(
    *, reason: Annotated[str, typer.Option(metavar="TEXT", help="原因，记入状态，不写个人信息 (why; no persons)")]
) -> None:
    """Drop what is not believed."""
    from huilian.core.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.institution.journal import Journal  # noqa: PLC0415

    session.log()
    with Journal(Home.from_environment()) as journal, journal.transaction():
        number = journal.messages.dismiss()
        told = {"at": SystemClock().now().isoformat(), "messages": number, "reason": reason}
        if number:
            journal.state("dismissed", json.dumps(told, ensure_ascii=False))
    if not number:
        raise UsageError("HL7019")
    structlog.get_logger(__name__).warning("messages_dismissed", messages=number)
    screen.out().print(f"已舍弃 {number} 条 (dismissed)")


def _moment(text: str | None) -> str | None:
    return screen.moment(dt.datetime.fromisoformat(text)) if text else None


def _show(facts: dict[str, Any]) -> None:
    files, messages, rows = facts["files"], facts["messages"], facts["rows"]
    error = facts["last_error"]
    over = "" if error in facts["lasting_errors"] else "（已恢复）"
    shown = {
        "机构": f"{facts['member']}（{facts['adapter']}，县 {facts['county']}）",
        "县里地址": facts["to"] or "离线文件包 (bundles only)",
        "运行": "是" if facts["running"] else "否",
        "inbox 待取": files["inbox"],
        "已取待译": files["taken"],
        "已签待发": f"{files['spooled']}（报文已发 {messages['sent']}，待发 {messages['to_send']}）",
        "等回执": files["sent"],
        "已入账": f"{files['accepted']} 个文件，{rows['accepted']:,} 行",
        "被退回": f"{files['refused']} 个文件；退回行 {rows['rejected']:,}",
        "最近联系": _moment(facts["last_contact"]),
        "最近错误": f"{_moment(error['at'])} {error['code']}：{error['message']}{over}" if error else None,
    }
    screen.show(screen.pairs(shown))
    for waiting in facts["waiting"]:
        screen.out().print(f"在途 {waiting['file']}  {waiting['state']}  {waiting['submission'] or ''}", markup=False)
    uses = {"sign": "本机签名", "trust": "县里平台", "revoked": "县里平台（已吊销）", "certificate": "CA 证书"}
    keys = [
        [uses[key["use"]], key["kid"], f"最早 {_moment(key['until'])}" if key["earliest"] else _moment(key["until"])]
        for key in facts["keys"]
    ]
    if facts["next_key"]:
        keys.append(["待批准", facts["next_key"]["kid"], f"{_moment(facts['next_key']['prepared_at'])} 备好"])
    screen.show(screen.table(["用途", "密钥 (kid)", "到期"], keys))
    for text in facts["attention"]:
        screen.err().print(f"[yellow]请注意：{escape(text)}[/yellow]", soft_wrap=True)
