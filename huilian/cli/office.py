"""Commands of whoever keeps the office: `huilian init`, `serve`, `rebuild`, `issue`, `audit`, `broker` and `token`."""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import unquote, urlsplit

import typer

from huilian.cli import screen, session
from huilian.core.errors import UsageError
from huilian.settings import DEFAULT_LISTEN, Home, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huilian.county.issuing import RecordsRefused
    from huilian.county.messages.broker_permissions import BrokerUser

__all__ = [
    "audit_app",
    "broker_app",
    "register_initialise",
    "register_issue",
    "register_rebuild",
    "register_serve",
    "token_app",
]


def register_initialise(app: typer.Typer) -> None:
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
    from huilian.county.office import set_up  # noqa: PLC0415

    session.log()
    home = Home.from_environment()
    set_up(home, Settings(county, policy, host, database_url, amqp_url, listen))
    console = screen.out()
    console.print(f"[green]已就绪[/green]：{home.folder} (ready)", soft_wrap=True)
    console.print(f"县 {county}，政策 {policy}，运行方式 {host}", soft_wrap=True)
    console.print("下一步 (next): huilian member add RCB01 --kind bank --adapter rural_commercial_bank", soft_wrap=True)


def register_serve(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "serve",
        "持续运行：接收报文、处理、提供 HTTP 接口，直到 Ctrl-C 或 SIGTERM。",
        "Run in the foreground: take messages in, handle them, answer over HTTP.",
        "huilian serve",
        "huilian serve --listen 0.0.0.0:8341",
        "huilian serve --host distributed --service registry",
    )(serve)


def serve(
    host: Annotated[
        str | None, typer.Option(metavar="embedded|distributed", help="运行方式；默认按设置 (default: the settings')")
    ] = None,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="只运行一个进程：服务名、relay 或 http (one process only)")
    ] = None,
    listen: Annotated[str | None, typer.Option(metavar="ADDR:PORT", help="HTTP 监听地址 (HTTP address)")] = None,
) -> None:
    """Serve the data directory."""
    from huilian.cli import session  # noqa: PLC0415  # see the package
    from huilian.core.errors import ConfigurationError  # noqa: PLC0415
    from huilian.hosts.serving import serve as run  # noqa: PLC0415
    from huilian.settings import HOSTS, Home  # noqa: PLC0415

    session.log("info")
    home = Home.from_environment()
    if host not in (None, *HOSTS):
        raise ConfigurationError("HL6006", file="--host", what=" | ".join(HOSTS))
    run(home, host=host, service_name=service, listen=listen)


def register_rebuild(app: typer.Typer) -> None:
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
    as_json: session.Json = False,
) -> None:
    """Rebuild one service."""
    from huilian.county.rebuild import rebuild  # noqa: PLC0415  # see the package

    with session.reading() as office, office.database.transaction() as transaction:
        told = rebuild(transaction, office, name, actor=session.actor())
    if as_json:
        screen.print_json({"service": name, "messages": told})
        return
    counts = "，".join(f"{message_type} {count:,}" for message_type, count in told.items())
    screen.out().print(f"[green]{name} 已重算[/green]，重新告知的报文 (rebuilt; messages told anew)：{counts}")


EXIT_REFUSED = 1


def register_issue(app: typer.Typer) -> None:
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
    as_json: session.Json = False,
) -> None:
    """Issue one file."""
    from huilian.county import issuing  # noqa: PLC0415  # see the package

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


audit_app = screen.group(
    "审计日志：核对、查看。",
    "The audit log: verify it, read it.",
    "huilian audit verify",
    "huilian audit list --last 20",
    "huilian audit reads --household HH00001",
)


@screen.command(
    audit_app,
    "verify",
    "核对整条哈希链。退出码 1 表示有记录被改动或缺失。末条哈希值得另行保存。",
    "Check the whole chain; exit 1 when a record was altered or is missing. The last hash is worth keeping elsewhere.",
    "huilian audit verify",
    "huilian audit verify --json",
)
def verify(*, as_json: session.Json = False) -> None:
    """Check the whole chain."""
    from huilian.county import audit  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        count, last = audit.verify(transaction)
    if as_json:
        screen.print_json({"records": count, "last_hash": last})
        return
    screen.out().print(
        f"[green]审计日志完好[/green]：{count:,} 条 (intact)，末条哈希 (last hash) {last}", soft_wrap=True
    )


@screen.command(
    audit_app,
    "list",
    "列出最近的记录。",
    "List the last records.",
    "huilian audit list",
    "huilian audit list --last 100 --json",
)
def list_records(
    *,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="最近几条 (how many)")] = 20,
    as_json: session.Json = False,
) -> None:
    """List the last records, oldest of them first."""
    with session.office() as office, office.database.transaction() as transaction:
        rows = transaction.rows(
            "SELECT number, at, actor, action, subject, detail, hash FROM huilian.audit ORDER BY number DESC LIMIT %s",
            [last],
        )[::-1]
    if as_json:
        screen.print_json(rows)
        return
    cells = [
        [row["number"], screen.moment(row["at"]), row["actor"], row["action"], row["subject"], _short(row["detail"])]
        for row in rows
    ]
    screen.show(screen.table([">序号", "时间", "何人", "何事", "对象", "详情"], cells))


SAID: Final = {"read": "本次说明", "token": "令牌用途", "default": "未说明"}
"""Who said what personal data was read for."""


@screen.command(
    audit_app,
    "reads",
    "列出读取个人数据的记录：何人、读了什么、为何、多少行。给出户编号则列出针对该户的，给出区划则列出涵盖该区划或在其内的。",
    "List the reads of personal data: who, what, why, of how many rows.",
    "huilian audit reads --since 2026-09-01",
    "huilian audit reads --household HH00001 --region 341599101001",
)
def list_reads(
    *,
    household: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="该户或企业的 (of this household or enterprise)")
    ] = None,
    region: Annotated[
        str | None, typer.Option(metavar="CODE", help="涵盖该区划或在其内的 (of regions around or within it)")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="自该日起 (from this day on)")] = None,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="最近几条 (how many)")] = 100,
    as_json: session.Json = False,
) -> None:
    """List the newest reads, oldest of them first."""
    from huilian.core import regions  # noqa: PLC0415  # see the package
    from huilian.core.clock import CHINA  # noqa: PLC0415  # see the package
    from huilian.county import audit  # noqa: PLC0415  # see the package

    try:
        moment = None if since is None else dt.datetime.combine(dt.date.fromisoformat(since), dt.time(), CHINA)
    except ValueError:
        raise UsageError("HL7001", what="--since: YYYY-MM-DD") from None
    within = None if region is None else regions.normalise(region)
    with session.office() as office, office.database.transaction() as transaction:
        found = audit.reads(transaction, household=household, region=within, since=moment, last=last)
    if as_json:
        screen.print_json(found)
        return
    cells = [
        [
            read["number"],
            screen.moment(read["at"]),
            read["actor"],
            read["address"],
            read["subject"],
            read["why"],
            SAID[read["said"]],
            "" if read["rows"] is None else f"{read['rows']:,}",
            {True: "是", False: "否", None: "不详"}[read["all"]],
        ]
        for read in found
    ]
    headings = [">序号", "时间", "何人", "读取", "对象", "用途", "用途来源", ">行数", "读完"]
    screen.show(screen.table(headings, cells))


def _short(detail: dict[str, object]) -> str:
    """Return details without digests, which only fill the screen."""
    return " ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in detail.items()
        if value is not None and name not in ("file_sha256", "manifest_message")
    )


FORMATS = ("rabbitmqctl", "definitions")

broker_app = screen.group(
    "消息队列：各机构在 RabbitMQ 上的用户与权限。",
    "The broker: members' users and permissions on RabbitMQ.",
    "huilian broker permissions RCB01",
)


@broker_app.callback()
def broker() -> None:
    """Keep the group a group while it has one command."""


@screen.command(
    broker_app,
    "permissions",
    "写出机构在 RabbitMQ 上的用户与权限：rabbitmqctl 命令，或可导入的定义。密码只显示这一次；"
    "已退出的机构写出删除命令。",
    "Write out members' users and permissions on RabbitMQ. Passwords are made anew and shown only once.",
    "huilian broker permissions RCB01 > RCB01.sh",
    "huilian broker permissions --format definitions --vhost huilian > definitions.json",
    "huilian broker permissions --keep-users",
)
def permissions(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="机构；不写则为全部 (member; all unless given)")
    ] = None,
    *,
    form: Annotated[
        str, typer.Option("--format", metavar="rabbitmqctl|definitions", help="输出格式 (what to write)")
    ] = "rabbitmqctl",
    vhost: Annotated[
        str | None, typer.Option(metavar="NAME", help="虚拟主机；默认按设置，否则 huilian (virtual host)")
    ] = None,
    keep_users: Annotated[
        bool, typer.Option("--keep-users", help="用户已有，只写权限 (the users are there: permissions only)")
    ] = False,
) -> None:
    """Write users and permissions to standard output, passwords of definitions to standard error."""
    from huilian.county.members import directory  # noqa: PLC0415  # see the package
    from huilian.county.messages.broker_permissions import commands, definitions, password, removal, user_of  # noqa: PLC0415  # see the package
    from huilian.wire import access  # noqa: PLC0415  # see the package

    if form not in FORMATS:
        raise UsageError("HL7001", what=f"--format: {' | '.join(FORMATS)}")
    with session.office() as office, office.database.transaction() as transaction:
        found = [directory.find(transaction, code)] if code else directory.all_members(transaction)
        virtual_host = vhost or _virtual_host(office.settings.amqp_url)
    rules = access.load()
    # The platform and the county come with the county's own user.
    wanted = [member for member in found if member.kind != "platform" and (code or member.kind != "county")]
    users = [(user_of(member, rules), None if keep_users else password()) for member in wanted if not member.left]
    gone = [member.code for member in wanted if member.left]
    if form == "definitions":
        _print_definitions(definitions(users, virtual_host), users)
        return
    lines = [line for user, secret in users for line in commands(user, virtual_host, secret)]
    lines += [line for left in gone for line in removal(left, virtual_host)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _print_definitions(made: dict[str, Any], users: "Sequence[tuple[BrokerUser, str | None]]") -> None:
    sys.stdout.write(json.dumps(made, ensure_ascii=False, indent=2) + "\n")
    for user, secret in users:
        if secret is not None:
            screen.err().print(f"{user.name}  {secret}", markup=False, soft_wrap=True)


def _virtual_host(amqp_url: str) -> str:
    path = urlsplit(amqp_url).path if amqp_url else ""
    # An address without a path names the broker's default virtual host.
    return (unquote(path[1:]) or "/") if amqp_url else "huilian"


token_app = screen.group(
    "访问令牌：谁可以读哪里的数据。",
    "Access tokens: who may read what over HTTP.",
    "huilian token add 县农办 --region 341599 --purpose 小额信贷日常监测",
    "huilian token add RCB01系统 --member RCB01 --purpose 贷前核对",
    "huilian token revoke 县农办",
)


@screen.command(
    token_app,
    "add",
    "发放令牌。令牌只显示这一次。",
    "Give a token out; it is shown only once.",
    "huilian token add 县农办 --region 341599 --purpose 小额信贷日常监测",
    "huilian token add RCB01系统 --member RCB01 --purpose 贷前核对",
)
def add_token(
    label: Annotated[str, typer.Argument(metavar="LABEL", help="用途或使用者 (what for)")],
    *,
    region: Annotated[str | None, typer.Option(metavar="CODE", help="可读的区划 (region it may read)")] = None,
    member: Annotated[str | None, typer.Option(metavar="CODE", help="代表的机构 (member it speaks for)")] = None,
    purpose: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="读取个人数据的用途；不写则每次读取须自行说明 (what personal data is read for)"
        ),
    ] = None,
    as_json: session.Json = False,
) -> None:
    """Give a token out."""
    from huilian.county.members import tokens  # noqa: PLC0415  # see the package

    if (region is None) == (member is None):
        raise UsageError("HL7001", what="请给出 --region 或 --member 之一 (give either --region or --member)")
    with session.office() as office, office.database.transaction() as transaction:
        token = tokens.add(
            transaction,
            label,
            region=region,
            member=member,
            purpose=purpose,
            now=office.clock.now(),
            actor=session.actor(),
        )
    if as_json:
        facts = {"label": label, "region": region, "member": member, "purpose": purpose}
        screen.print_json(facts | {"token": token})
        return
    screen.out().print(token, markup=False, soft_wrap=True)
    screen.err().print("[yellow]请妥善保存，此令牌不会再次显示 (keep it: it is not shown again)[/yellow]")


@screen.command(
    token_app, "list", "列出令牌（不含令牌本身）。", "List the tokens, not their secrets.", "huilian token list"
)
def list_tokens(*, as_json: session.Json = False) -> None:
    """List the tokens."""
    from huilian.county.members import tokens  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        found = tokens.all_tokens(transaction)
    if as_json:
        names = ("label", "region", "member", "purpose", "added_at", "revoked_at")
        screen.print_json([{name: getattr(token, name) for name in names} for token in found])
        return
    rows = [
        [
            token.label,
            token.region,
            token.member,
            token.purpose,
            screen.moment(token.added_at),
            "已停用" if token.revoked_at else "有效",
        ]
        for token in found
    ]
    screen.show(screen.table(["名称", "区划", "机构", "用途", "发放", "状态"], rows))


@screen.command(
    token_app,
    "purpose",
    "登记令牌的用途：凭此令牌读取个人数据而未另说明用途的，以此为准，记入审计日志。",
    "Enter what a token is for: it stands for every read of personal data that says no purpose of its own.",
    "huilian token purpose RCB01系统 贷前核对",
)
def enter_purpose(
    label: Annotated[str, typer.Argument(metavar="LABEL", help="名称 (label)")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="用途 (what for)")],
) -> None:
    """Enter a token's purpose."""
    from huilian.county.members import tokens  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        tokens.set_purpose(transaction, label, text, now=office.clock.now(), actor=session.actor())
    screen.out().print(f"[green]已登记[/green] {label} (entered)")


@screen.command(token_app, "revoke", "停用令牌，立即生效。", "Revoke a token, at once.", "huilian token revoke 县农办")
def revoke_token(label: Annotated[str, typer.Argument(metavar="LABEL", help="名称 (label)")]) -> None:
    """Revoke a token."""
    from huilian.county.members import tokens  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        tokens.revoke(transaction, label, now=office.clock.now(), actor=session.actor())
    screen.out().print(f"[green]已停用[/green] {label} (revoked)")
