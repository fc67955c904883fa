"""`huilian member request`, `approve` and `welcome`: how an institution joins."""

import contextlib
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huilian.cli import documents, keypairs, options, screen, session
from huilian.errors import AccessDenied, UsageError
from huilian.home import Home
from huilian.members import PLATFORM

if TYPE_CHECKING:
    from huilian.institution.membership import Membership
    from huilian.membership.approval import Approval
    from huilian.membership.joining import JoiningRequest

__all__ = ["register"]


def register(app: typer.Typer) -> None:
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
    from huilian.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.membership.joining import make_request  # noqa: PLC0415

    _check_adapter(adapter, kind)
    home = Home.from_environment()

    again = home.keys.holds(code) and not new_key
    with contextlib.nullcontext(home.keys.current(code)) if again else keypairs.made(home, code) as key:
        text = make_request(
            member=code, kind=kind, name=name, adapter=adapter, county=county, key=key, now=SystemClock().now()
        )
        documents.write_new(out, text)
    console = screen.out()
    console.print(f"[green]已写出加入申请[/green] {out} (request written)", soft_wrap=True)
    console.print(f"密钥指纹 (fingerprint)：[bold]{key.public.fingerprint}[/bold]", soft_wrap=True)
    console.print("把文件送交县里，并在电话中读出指纹 (send the file, read the fingerprint out by telephone)")


def approve(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="加入申请文件 (joining request)")],
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="写出的批准文件 (the approval to write)")],
    fingerprint: documents.Fingerprint = None,
    https: options.OurHttps = None,
    amqps: options.OurAmqps = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="密钥有效天数 (days the key counts)")] = 730,
) -> None:
    """Check a request, enter the institution and write the approval."""
    from huilian.membership import admission, approval  # noqa: PLC0415  # see the package
    from huilian.membership.joining import read_request  # noqa: PLC0415

    home = Home.from_environment()
    county = home.settings().county
    addresses = approval.Addresses(https, amqps)
    asked = read_request(documents.read(file), name=file.name)
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
            documents.write_new(
                out, approval.issue(transaction, home.keys, key, county=county, addresses=addresses, now=now)
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
    from huilian.clock import SystemClock  # noqa: PLC0415
    from huilian.institution import membership  # noqa: PLC0415  # see the package
    from huilian.membership import platform_keys, signed_document  # noqa: PLC0415  # see the package
    from huilian.membership.approval import read_approval  # noqa: PLC0415

    home, now, text = Home.from_environment(), SystemClock().now(), documents.read(file)
    if signed_document.is_kind(text, platform_keys.KIND):
        _take_list(home, text, file, fingerprint)
        return
    approval = read_approval(text, name=file.name)
    signed_document.check_age(approval.document, approval.time, now=now)
    # Before anybody is asked to telephone.
    membership.check_county(home, home.trusted(PLATFORM), approval.county)
    if not membership.believed(home, approval, now=now):
        public = approval.platform[0].public
        if not public.is_called(documents.confirmed(public, fingerprint)):
            raise AccessDenied("HL4013", file=file.name, found=public.fingerprint)
    _show_membership(membership.take_in(home, approval, now=now), approval)


def _take_list(home: Home, text: str, file: Path, fingerprint: str | None) -> None:
    from huilian.clock import SystemClock  # noqa: PLC0415  # see the package
    from huilian.membership import platform_keys, signed_document  # noqa: PLC0415

    now, stated = SystemClock().now(), platform_keys.read_list(text, name=file.name)
    signed_document.check_age(stated.document, stated.time, now=now)
    confirmed = None
    trusted = home.trusted(PLATFORM)
    if fingerprint is not None or not any(trusted.stands(key.kid, now) for key in stated.signers):
        said = documents.confirmed(stated.signers[0], fingerprint)
        confirmed = next((key.kid for key in stated.signers if key.is_called(said)), None)
        if confirmed is None:
            raise AccessDenied("HL4013", file=file.name, found=stated.signers[0].fingerprint)
    after = platform_keys.take_in(home, stated, now=now, confirmed=confirmed)
    counting, revoked = (
        [key.kid for key in after.keys if key.stands_at(now)],
        [key.kid for key in after.keys if key.revoked_at is not None],
    )
    console = screen.out()
    console.print(f"[green]已采用平台密钥表[/green]，有效 (that count)：{' '.join(counting)}", soft_wrap=True)
    if revoked:
        console.print(f"已吊销 (revoked)：{' '.join(revoked)}", soft_wrap=True)


def _check_adapter(name: str | None, kind: str) -> None:
    from huilian import adapters  # noqa: PLC0415  # see the package

    found = adapters.find(name, Home.from_environment().adapters) if name else None
    if found and kind not in found.institution_kinds:
        kinds = ", ".join(sorted(found.institution_kinds))
        raise UsageError("HL7001", what=f"适配器 {found.name} 只用于 (the adapter is for): {kinds}")


def _show_request(asked: "JoiningRequest") -> None:
    from huilian.access import KINDS  # noqa: PLC0415  # see the package

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
