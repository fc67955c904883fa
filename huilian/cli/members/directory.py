"""`huilian member`: how institutions are entered, join, stay and leave."""

import contextlib
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from huilian.cli import screen, session
from huilian.cli.members import documents
from huilian.core.errors import AccessDenied, UsageError
from huilian.settings import Home
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from rich.text import Text

    from huilian.institution.membership import Membership
    from huilian.wire.joining import Approval, JoiningRequest

__all__ = ["app", "coloured", "register_approval", "register_joining", "register_standing"]


app = screen.group(
    "机构：登记、查看、密钥。",
    "Members: who takes part, and their keys.",
    "huilian member add RCB01 --kind bank --adapter rural_commercial_bank --name 示例农商行",
    "huilian member list",
    "huilian member key RCB01 --rotate",
)


@screen.command(
    app,
    "add",
    "登记机构。不给公钥时，在本机生成并保管密钥对。",
    "Enter a member. Without a public key, a key pair is made and kept here.",
    "huilian member add RCB01 --kind bank --adapter rural_commercial_bank",
    "huilian member add RCB02 --kind bank --adapter rural_commercial_bank --public-key RCB02.pem --region 341599",
)
def add(
    code: Annotated[str, typer.Argument(metavar="CODE", help="机构代码 (member code)")],
    *,
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="类型 (kind): bank, guarantor, insurer, finance, township, village …")
    ],
    adapter: Annotated[str | None, typer.Option(metavar="NAME", help="适配器 (adapter)")] = None,
    name: Annotated[str | None, typer.Option(metavar="名称", help="名称 (name)")] = None,
    region: Annotated[str | None, typer.Option(metavar="CODE", help="所在区划 (region)")] = None,
    public_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="机构的 Ed25519 公钥 PEM (its public key)")
    ] = None,
) -> None:
    """Enter a member with its first key."""
    from huilian.adapters import loading  # noqa: PLC0415  # see the package
    from huilian.core import regions  # noqa: PLC0415  # see the package
    from huilian.county.members import directory  # noqa: PLC0415  # see the package
    from huilian.wire.access import KINDS  # noqa: PLC0415

    home = Home.from_environment()
    home.settings()
    found = loading.find(adapter, home.adapters) if adapter else None
    if found and kind not in found.institution_kinds:
        kinds = ", ".join(sorted(found.institution_kinds))
        raise UsageError("HL7001", what=f"适配器 {found.name} 只用于 (the adapter is for): {kinds}")
    known = documents.read_public(public_key) if public_key else None
    called = name or (found.chinese if found else KINDS.get(kind, code))
    member = directory.Member(
        code, kind, called, adapter, regions.normalise(region) if region else None, suspended=False
    )
    with session.office(home) as office, office.database.transaction() as transaction:
        now, actor = office.clock.now(), session.actor()
        directory.add(transaction, member, now=now, actor=actor)
        if known:
            documents.check_new(transaction, known)
            directory.add_key(transaction, code, known, now=now, actor=actor)
        else:
            with documents.made(home, code) as key:
                directory.add_key(transaction, code, key.public, now=now, actor=actor)
    console = screen.out()
    console.print(f"[green]已登记[/green] {code} {called} (added)", soft_wrap=True)
    if not known:
        console.print(f"密钥保管在 (its key is kept in) {home.folder / 'keys' / code}", soft_wrap=True)


@screen.command(app, "list", "列出机构。", "List the members.", "huilian member list", "huilian member list --json")
def list_members(*, as_json: session.Json = False) -> None:
    """List the members, how many of their keys count now, and for how long; what has to be done beneath."""
    from huilian.cli import doctor  # noqa: PLC0415
    from huilian.county.members import (  # noqa: PLC0415  # see the package
        directory,  # see the package
        key_expiry,  # see the package
    )
    from huilian.wire.access import KINDS  # noqa: PLC0415

    home = Home.from_environment()
    with session.office(home) as office, office.database.transaction() as transaction:
        now = office.clock.now()
        found = directory.all_members(transaction)
        keys = {member.code: directory.keys_of(transaction, member.code) for member in found}
        endings = {member.code: key_expiry.ending_of(transaction, home.keys, member, now) for member in found}
    entries = [
        {
            "code": member.code,
            "kind": member.kind,
            "name": member.name,
            "adapter": member.adapter,
            "region": member.region,
            "suspended": member.suspended,
            "left": member.left,
            "keys": sum(key.counts_at(now) for key in keys[member.code]),
            "key_days_left": None if member.left else endings[member.code].days,
            "key_warning": endings[member.code].cause if member.takes_part else None,
            "key_remedy": endings[member.code].remedy if member.takes_part else None,
            "private_key_here": home.keys.holds(member.code),
        }
        for member in found
    ]
    if as_json:
        screen.print_json(entries)
        return
    rows = [
        [
            entry["code"],
            KINDS.get(str(entry["kind"]), entry["kind"]),
            entry["name"],
            entry["adapter"],
            entry["region"],
            entry["keys"],
            coloured(entry["key_days_left"]),
            "是" if entry["private_key_here"] else "否",
            "已退出" if entry["left"] else "已停用" if entry["suspended"] else "正常",
        ]
        for entry in entries
    ]
    headings = ["代码", "类型", "名称", "适配器", "区划", ">有效密钥", ">剩余天数", "私钥在本机", "状态"]
    screen.show(screen.table(headings, rows))
    for warned in filter(None, (doctor.key_finding(endings[member.code]) for member in found if member.takes_part)):
        screen.err().print(f"[yellow]{escape(warned.what)}[/yellow]", soft_wrap=True)
        screen.err().print(f"  → {escape(warned.remedy or '')}", soft_wrap=True)


def coloured(left: Any) -> "Text | None":  # noqa: ANN401  # of a dictionary for JSON
    """Return days left in the colour of their urgency; None for a member that left."""
    from rich.text import Text  # noqa: PLC0415  # see the package

    from huilian.county.members import key_expiry  # noqa: PLC0415

    if left is None:
        return None
    urgent = left < key_expiry.URGENT_DAYS
    return Text(str(left), "bold red" if urgent else "yellow" if left < key_expiry.WARNING_DAYS else "green")


def register_approval(app: typer.Typer) -> None:
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
    https: session.OurHttps = None,
    amqps: session.OurAmqps = None,
) -> None:
    """Write the approval of a key that the county has entered."""
    from huilian.county.members.admission import issue_approval_anew  # noqa: PLC0415
    from huilian.wire.joining import Addresses  # noqa: PLC0415  # see the package

    home = Home.from_environment()
    county = home.settings().county
    addresses = Addresses(https, amqps)
    with (
        session.office(home) as office,
        documents.taken_back(out),
        office.database.transaction() as transaction,
    ):
        key, text = issue_approval_anew(
            transaction,
            home.keys,
            code,
            county=county,
            addresses=addresses,
            now=office.clock.now(),
            actor=session.actor(),
            kid=kid,
        )
        documents.write_document(out, text)
    screen.out().print(
        f"[green]已重发批准[/green] {code} {key.kid}，密钥有效至 (until) {screen.moment(key.ends)}",
        soft_wrap=True,
    )
    documents.say_where(out, home.keys.current("HUILIAN").public)


def register_joining(app: typer.Typer) -> None:
    """Add the commands to the group of members."""
    screen.command(
        app,
        "request",
        "申请加入（机构）：在本机生成密钥对，写出加入申请文件。私钥不离开本机，文件中没有秘密。",
        "Ask to join, at the institution: make the key pair here and write the request. It holds no secret.",
        "huilian member request RCB02 --kind bank --name 示例农商行 --adapter rural_commercial_bank --out 申请.json",
    )(request)
    screen.command(
        app,
        "approve",
        "批准加入（县）：核对申请与密钥指纹，登记机构和公钥，写出批准文件交回机构。",
        "Approve, at the county: check request and fingerprint, enter member and key, write the approval.",
        "huilian member approve RCB02.request.json --fingerprint '12345 67890 …' --out RCB02.approval.json",
    )(approve)
    screen.command(
        app,
        "welcome",
        "采用批准文件（机构）：信任平台公钥，记下县里的地址，启用获准的密钥。也采用平台密钥表：新公钥和吊销。",
        "Take the approval in, at the institution: trust the platform's keys, keep the addresses, use the key. "
        "Also the list of the platform's keys: new and revoked ones.",
        "huilian member welcome RCB02.approval.json --fingerprint '12345 67890 …'",
        "huilian member welcome 平台密钥表.json",
    )(welcome)


def request(
    code: Annotated[str, typer.Argument(metavar="CODE", help="机构代码 (member code)")],
    *,
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="类型 (kind): bank, guarantor, insurer, finance, township, village …")
    ],
    name: Annotated[str, typer.Option(metavar="名称", help="名称 (name)")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="写出的申请文件 (the request to write)")],
    adapter: Annotated[str | None, typer.Option(metavar="NAME", help="适配器 (adapter)")] = None,
    county: Annotated[
        str | None, typer.Option(metavar="CODE", help="只供该县使用 (the county it is meant for, and no other)")
    ] = None,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="另生成密钥对，即使已有 (make a new pair even if there is one)")
    ] = False,
) -> None:
    """Write a joining request."""
    from huilian.core.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.wire.joining import make_request  # noqa: PLC0415

    _check_adapter(adapter, kind)
    home = Home.from_environment()

    again = home.keys.holds(code) and not new_key
    with contextlib.nullcontext(home.keys.current(code)) if again else documents.made(home, code) as key:
        text = make_request(
            member=code, kind=kind, name=name, adapter=adapter, county=county, key=key, now=SystemClock().now()
        )
        documents.write_document(out, text)
    console = screen.out()
    console.print(f"[green]已写出加入申请[/green] {out} (request written)", soft_wrap=True)
    console.print(f"密钥指纹 (fingerprint)：[bold]{key.public.fingerprint}[/bold]", soft_wrap=True)
    console.print("把文件送交县里，并在电话中读出指纹 (send the file, read the fingerprint out by telephone)")


def approve(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="加入申请文件 (joining request)")],
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="写出的批准文件 (the approval to write)")],
    fingerprint: documents.Fingerprint = None,
    https: session.OurHttps = None,
    amqps: session.OurAmqps = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="密钥有效天数 (days the key counts)")] = 730,
) -> None:
    """Check a request, enter the institution and write the approval."""
    from huilian.county.members import admission  # noqa: PLC0415  # see the package
    from huilian.wire import joining  # noqa: PLC0415  # see the package
    from huilian.wire.joining import read_request  # noqa: PLC0415

    home = Home.from_environment()
    county = home.settings().county
    addresses = joining.Addresses(https, amqps)
    asked = read_request(documents.read_document(file), name=file.name)
    _show_request(asked)
    _check_adapter(asked.adapter, asked.kind)
    with session.office(home) as office:
        with office.database.transaction() as transaction:
            admission.check(transaction, asked, county=county, now=office.clock.now())
        said = documents.confirmed(asked.public, fingerprint)
        with documents.taken_back(out), office.database.transaction() as transaction:
            now = office.clock.now()
            key = admission.admit(
                transaction,
                asked,
                fingerprint=said,
                county=county,
                now=now,
                actor=session.actor(),
                valid_until=now + dt.timedelta(days=days),
            )
            # Before the commit: when the file cannot be written, nothing was approved.
            documents.write_document(
                out, admission.issue_approval(transaction, home.keys, key, county=county, addresses=addresses, now=now)
            )
    console = screen.out()
    console.print(f"[green]已批准[/green] {asked.member}，密钥有效至 (until) {screen.moment(key.valid_until)}")
    documents.say_where(out, home.keys.current("HUILIAN").public)
    console.print(f"队列权限 (broker)：huilian broker permissions {asked.member}", soft_wrap=True)
    console.print(f"读取令牌 (token)：huilian token add {asked.member} --member {asked.member}", soft_wrap=True)


def welcome(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="批准文件 (approval)")],
    *,
    fingerprint: documents.Fingerprint = None,
) -> None:
    """Take an approval in, or a list of the platform's keys."""
    from huilian.core.clock import SystemClock  # noqa: PLC0415
    from huilian.institution import membership  # noqa: PLC0415  # see the package  # noqa: PLC0415  # see the package
    from huilian.wire import joining, signed_documents  # noqa: PLC0415  # see the package
    from huilian.wire.joining import read_approval  # noqa: PLC0415

    home, now, text = Home.from_environment(), SystemClock().now(), documents.read_document(file)
    if signed_documents.is_kind(text, joining.KEY_LIST):
        _take_list(home, text, file, fingerprint)
        return
    approval = read_approval(text, name=file.name)
    signed_documents.check_age(approval.document, approval.time, now=now)
    # Before anybody is asked to telephone.
    membership.check_county(home, home.trusted(PLATFORM), approval.county)
    if not membership.believed(home, approval, now=now):
        public = approval.platform[0].public
        if not public.is_called(documents.confirmed(public, fingerprint)):
            raise AccessDenied("HL4013", file=file.name, found=public.fingerprint)
    _show_membership(membership.take_in(home, approval, now=now), approval)


def _take_list(home: Home, text: str, file: Path, fingerprint: str | None) -> None:
    from huilian.core.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.institution import membership  # noqa: PLC0415
    from huilian.wire import joining, signed_documents  # noqa: PLC0415

    now, stated = SystemClock().now(), joining.read_key_list(text, name=file.name)
    signed_documents.check_age(stated.document, stated.time, now=now)
    confirmed = None
    trusted = home.trusted(PLATFORM)
    if fingerprint is not None or not any(trusted.stands(key.kid, now) for key in stated.signers):
        said = documents.confirmed(stated.signers[0], fingerprint)
        confirmed = next((key.kid for key in stated.signers if key.is_called(said)), None)
        if confirmed is None:
            raise AccessDenied("HL4013", file=file.name, found=stated.signers[0].fingerprint)
    after = membership.take_key_list(home, stated, now=now, confirmed=confirmed)
    counting, revoked = (
        [key.kid for key in after.keys if key.stands_at(now)],
        [key.kid for key in after.keys if key.revoked_at is not None],
    )
    console = screen.out()
    console.print(f"[green]已采用平台密钥表[/green]，有效 (that count)：{' '.join(counting)}", soft_wrap=True)
    if revoked:
        console.print(f"已吊销 (revoked)：{' '.join(revoked)}", soft_wrap=True)


def _check_adapter(name: str | None, kind: str) -> None:
    from huilian.adapters import loading  # noqa: PLC0415  # see the package

    found = loading.find(name, Home.from_environment().adapters) if name else None
    if found and kind not in found.institution_kinds:
        kinds = ", ".join(sorted(found.institution_kinds))
        raise UsageError("HL7001", what=f"适配器 {found.name} 只用于 (the adapter is for): {kinds}")


def _show_request(asked: "JoiningRequest") -> None:
    from huilian.wire.access import KINDS  # noqa: PLC0415  # see the package

    facts = {
        "代码 (code)": asked.member,
        "类型 (kind)": f"{KINDS[asked.kind]} {asked.kind}",
        "名称 (name)": asked.name,
        "适配器 (adapter)": asked.adapter,
        "县 (county)": asked.county,
        "签署 (signed)": screen.moment(asked.time),
        "密钥 (kid)": asked.public.kid,
    }
    screen.show(screen.pairs(facts, title="加入申请 (joining request)"))


def _show_membership(kept: "Membership", approval: "Approval") -> None:
    facts = {
        "机构 (member)": kept.member,
        "县 (county)": kept.county,
        "密钥有效至 (key until)": screen.moment(approval.until),
        "HTTP": kept.https,
        "AMQP": kept.amqps,
        "队列用户 (broker user)": kept.broker_user,
    }
    screen.show(screen.pairs(facts, title="已加入 (welcome)"))


Code = Annotated[str, typer.Argument(metavar="CODE", help="机构代码 (member code)")]
Reason = Annotated[
    str, typer.Option(metavar="原因", help="记入审计日志，勿写个人信息 (for the audit log; name no person)")
]


def register_standing(app: typer.Typer) -> None:
    """Add the commands to the group of members."""
    screen.command(
        app,
        "suspend",
        "停用机构：其报文和令牌即刻不再接受；密钥保留，可恢复。",
        "Suspend a member: nothing it signs or reads is accepted until it is resumed.",
        "huilian member suspend RCB02 --reason 数据异常待核",
    )(suspend)
    screen.command(
        app,
        "resume",
        "恢复已停用的机构。",
        "Let a suspended member take part again.",
        "huilian member resume RCB02 --reason 已核实",
    )(resume)
    screen.command(
        app,
        "leave",
        "机构退出：密钥和令牌即刻失效，历史数据保留。",
        "Let a member go: its keys and tokens end at once; what it sent stays.",
        "huilian member leave RCB02 --reason 合作期满",
    )(leave)


def suspend(code: Code, *, reason: Reason) -> None:
    """Suspend a member."""
    from huilian.county.members import standing  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        standing.suspend(transaction, code, reason=reason, now=office.clock.now(), actor=session.actor())
    screen.out().print(f"[yellow]已停用[/yellow] {code} (suspended)")


def resume(code: Code, *, reason: Reason) -> None:
    """Resume a member."""
    from huilian.county.members import standing  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        standing.resume(transaction, code, reason=reason, now=office.clock.now(), actor=session.actor())
    screen.out().print(f"[green]已恢复[/green] {code} (resumed)")


def leave(code: Code, *, reason: Reason) -> None:
    """Let a member go."""
    from huilian.county.members import standing  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        left = standing.leave(transaction, code, reason=reason, now=office.clock.now(), actor=session.actor())
    console = screen.out()
    ended = f"密钥 {len(left.keys)} 个、令牌 {len(left.tokens)} 个失效 (keys and tokens ended)"
    console.print(f"[yellow]已退出[/yellow] {code}：{ended}", soft_wrap=True)
    console.print(f"队列用户待删除 (its user on the broker is to be removed)：huilian broker permissions {code}")
