"""`huilian member key`, `rotate` and `announce`: keys of members and of the platform, and the files they travel in."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from huilian.cli import screen, session
from huilian.cli.members import documents
from huilian.core.errors import AccessDenied, UsageError
from huilian.settings import Home
from huilian.wire.names import PLATFORM

__all__ = ["register", "register_rotation"]


def register(app: typer.Typer) -> None:
    """Add the command to the group of members."""
    screen.command(
        app,
        "key",
        "机构的密钥：列出、导出公钥、轮换、登记公钥、吊销。没有数据目录的机器（机构自己的机器）上，"
        "--rotate 生成密钥；HUILIAN 的 --public-key、--revoke 信任或吊销平台公钥，不带选项则列出。"
        "县里的 HUILIAN：轮换、吊销后各机构自动得知；--out 写出平台密钥表，供机构 huilian member welcome 采用。",
        "A member's keys. On a machine without an office, --rotate makes a key; of HUILIAN, --public-key trusts and "
        "--revoke stops trusting one. At the county, --out writes the list of the platform's keys for institutions.",
        "huilian member key RCB01",
        "huilian member key RCB01 --export > RCB01.pem",
        "huilian member key RCB01 --rotate",
        "huilian member key RCB01 --public-key RCB01-new.pem",
        "huilian member key RCB01 --revoke kPrK_qmxVWaY",
        "huilian member key RCB01 --revoke kPrK_qmxVWaY --from 2024-06-01T18:00",
        "huilian member key HUILIAN --out 平台密钥表.json",
    )(key)


def key(
    code: Annotated[str, typer.Argument(metavar="CODE", help="机构代码 (member code)")],
    *,
    export: Annotated[bool, typer.Option("--export", help="输出当前公钥 PEM (print the current public key)")] = False,
    rotate: Annotated[bool, typer.Option("--rotate", help="生成新密钥对，旧的到期前仍有效 (make a new pair)")] = False,
    public_key: Annotated[Path | None, typer.Option(metavar="FILE", help="登记新公钥 (enter a public key)")] = None,
    revoke: Annotated[
        str | None, typer.Option(metavar="KID", help="吊销密钥，可只写开头 (revoke; a beginning will do)")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="时间", help="自此时起签名不再有效，北京时间，默认现在 (from when on, China's time)"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="写出平台密钥表 (write the list of the platform's keys)")
    ] = None,
    fingerprint: documents.Fingerprint = None,
) -> None:
    """Do one thing with a member's keys; without an option, list them."""
    if sum([export, rotate, public_key is not None, revoke is not None, out is not None]) > 1:
        what = "--export、--rotate、--public-key、--revoke、--out 只能用其一 (only one of them at a time)"
        raise UsageError("HL7001", what=what)
    if since is not None and revoke is None:
        raise UsageError("HL7001", what="--from 只与 --revoke 同用 (--from goes with --revoke)")
    if out is not None and code != PLATFORM:
        raise UsageError("HL7001", what="--out 只用于 HUILIAN (--out is for HUILIAN only)")
    home = Home.from_environment()
    if out is not None:
        _write_list(home, out)
    elif not home.is_office and (code == PLATFORM and not rotate):
        _trusted(home, public_key, revoke, _moment(since), fingerprint)
    elif not home.is_office and revoke is None:
        _on_the_edge(home, code, public_key, fingerprint, rotate=rotate)
    else:
        _at_the_county(home, code, public_key, revoke, _moment(since), export=export, rotate=rotate)


def _at_the_county(
    home: Home,
    code: str,
    public_key: Path | None,
    revoke: str | None,
    since: dt.datetime | None,
    *,
    export: bool,
    rotate: bool,
) -> None:
    if export:
        _export(home, code)
    elif rotate:
        _rotate(home, code)
    elif public_key is not None:
        _enter(home, code, public_key)
    elif revoke is not None:
        _revoke(home, code, revoke, since)
    else:
        _list(home, code)


def _print_pem(pem: str) -> None:
    screen.out().print(pem.rstrip(), markup=False, soft_wrap=True)


def _trusted(
    home: Home, public_key: Path | None, revoke: str | None, since: dt.datetime | None, fingerprint: str | None
) -> None:
    """Do one thing with the platform's keys that an institution trusts; without an option, list them."""
    from huilian.core.clock import SystemClock  # noqa: PLC0415  # see the package

    now = SystemClock().now()
    if public_key is not None:
        documents.trust(home, PLATFORM, documents.read_public(public_key), fingerprint, file=public_key)
        screen.out().print(f"[green]已信任[/green] {PLATFORM} 的公钥 (trusted)")
    elif revoke is not None:
        matching = [key for key in home.trusted(PLATFORM).keys if revoke and key.kid.startswith(revoke)]
        if len(matching) != 1:
            raise _not_one(PLATFORM, len(matching), revoke)
        kid = matching[0].kid
        home.change_trusted(PLATFORM, lambda trusted: trusted.revoking(kid, since=since or now, now=now))
        screen.out().print(
            f"[green]已吊销[/green] {kid}：此后收到的由它签名的报文一律不采信 (revoked here)", soft_wrap=True
        )
    else:
        rows = []
        for key in home.trusted(PLATFORM).keys:
            state = "有效" if key.stands_at(now) else "未生效或已过期" if key.revoked_at is None else "已吊销"
            rows.append([key.kid, screen.moment(key.valid_from), screen.moment(key.valid_until), state])
        screen.show(screen.table(["密钥 (kid)", "生效", "失效", "状态"], rows))


def _on_the_edge(home: Home, code: str, public_key: Path | None, fingerprint: str | None, *, rotate: bool) -> None:
    if public_key is not None:
        documents.trust(home, code, documents.read_public(public_key), fingerprint, file=public_key)
        screen.out().print(f"[green]已信任[/green] {code} 的公钥 (trusted)")
        return
    if rotate:
        home.keys.create(code)
        hint = f"请把此公钥交给县里登记 (hand this to the county): huilian member add|key {code} --public-key FILE"
        screen.err().print(f"[yellow]{hint}[/yellow]", soft_wrap=True)
    _print_pem(home.keys.current(code).public.pem())


def _export(home: Home, code: str) -> None:
    if home.keys.holds(code):
        _print_pem(home.keys.current(code).public.pem())
        return
    from huilian.county.members import directory  # noqa: PLC0415  # see the package

    with session.office(home) as office, office.database.transaction() as transaction:
        directory.find(transaction, code)
        now = office.clock.now()
        counting = [key for key in directory.keys_of(transaction, code) if key.counts_at(now)]
    if not counting:
        raise UsageError("HL7023", member=code)
    _print_pem(counting[-1].public.pem())


def _write_list(home: Home, out: Path) -> None:
    from huilian.county.members import key_list  # noqa: PLC0415  # see the package
    from huilian.wire import joining  # noqa: PLC0415  # see the package

    with session.office(home) as office, office.database.transaction() as transaction:
        now = office.clock.now()
        text = key_list.make_key_list(transaction, home.keys, county=office.settings.county, now=now)
    documents.write_document(out, text)
    signer = joining.read_key_list(text, name=out.name).signers[0]
    console = screen.out()
    console.print(f"[green]已写出平台密钥表[/green] {out} (list of the platform's keys written)", soft_wrap=True)
    console.print(
        f"需要时在电话中读给对方的平台指纹 (read out to them if need be)：[bold]{signer.fingerprint}[/bold]",
        soft_wrap=True,
    )


def _told_to_all(number: int) -> None:
    screen.out().print(f"平台密钥表已发往 {number} 个机构 (the list of keys is on its way to the members)")


def _rotate_platform(home: Home) -> None:
    """Have every member be told of the next key under the one they know, before anything is signed with it."""
    from huilian.county.members import (  # noqa: PLC0415  # see the package
        directory,  # see the package
        key_list,
    )

    with session.office(home) as office:
        # Interrupted, it is there already, and entered perhaps.
        new = home.keys.prepare(PLATFORM)
        with office.database.transaction() as transaction:
            known = {entry.kid: entry for entry in directory.keys_of(transaction, PLATFORM)}
            entered = known.get(new.kid) or directory.add_key(
                transaction, PLATFORM, new.public, now=office.clock.now(), actor=session.actor()
            )
            told = key_list.announce_key_list(office, transaction, also=[new])
        home.trust(PLATFORM, new.public, valid_from=entered.valid_from, valid_until=entered.valid_until)
        home.keys.use_prepared(PLATFORM)
        session.settle(office)
    _say_rotated(new.kid, entered.valid_until)
    _told_to_all(told)


def _say_rotated(kid: str, until: dt.datetime) -> None:
    screen.out().print(f"[green]新密钥[/green] {kid}，有效至 (until) {screen.moment(until)}", soft_wrap=True)
    screen.out().print(
        "旧密钥到期前仍有效；如已泄露请吊销 (the old one still counts; revoke it if it leaked): --revoke KID",
        soft_wrap=True,
    )


def _rotate(home: Home, code: str) -> None:
    from huilian.county.members import directory  # noqa: PLC0415  # see the package

    if code == PLATFORM:
        _rotate_platform(home)
        return
    with session.office(home) as office:
        with office.database.transaction() as transaction:
            directory.find(transaction, code)
            elsewhere = bool(directory.keys_of(transaction, code)) and not home.keys.holds(code)
        if elsewhere:
            what = (
                f"{code} 的私钥不在本机：请在其所在机器上轮换，再用 --public-key 登记新公钥"
                " (its private key is not here: rotate it where it is kept, then enter the new one with --public-key)"
            )
            raise UsageError("HL7001", what=what)
        with documents.made(home, code) as new, office.database.transaction() as transaction:
            entered = directory.add_key(transaction, code, new.public, now=office.clock.now(), actor=session.actor())
    _say_rotated(new.kid, entered.valid_until)


def _enter(home: Home, code: str, file: Path) -> None:
    from huilian.county.members import (  # noqa: PLC0415  # see the package
        directory,  # see the package
        key_list,
    )

    public, told = documents.read_public(file), 0
    with session.office(home) as office:
        with office.database.transaction() as transaction:
            directory.find(transaction, code)
            documents.check_new(transaction, public)
            entered = directory.add_key(transaction, code, public, now=office.clock.now(), actor=session.actor())
            if code == PLATFORM:
                told = key_list.announce_key_list(office, transaction)
        if code == PLATFORM:
            home.trust(PLATFORM, public, valid_from=entered.valid_from, valid_until=entered.valid_until)
            session.settle(office)
    screen.out().print(f"[green]已登记公钥[/green] {public.kid} (entered)", soft_wrap=True)
    if code == PLATFORM:
        _told_to_all(told)


def _moment(text: str | None) -> dt.datetime | None:
    from huilian.core.clock import CHINA  # noqa: PLC0415  # see the package

    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UsageError("HL7001", what="时间应形如 2024-06-01T18:00 (a time like this is needed)") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)


def _not_one(code: str, number: int, beginning: str) -> UsageError:
    chinese = f"{code} 有 {number} 个未吊销的密钥以 {beginning} 开头，应恰有一个"
    english = f"{number} of its keys that are not revoked begin so; exactly one is needed"
    return UsageError("HL7001", what=f"{chinese} ({english})")


def _revoke(home: Home, code: str, beginning: str, since: dt.datetime | None) -> None:
    from huilian.county.members import (  # noqa: PLC0415  # see the package
        directory,  # see the package
        key_list,
        standing,
    )

    told = 0
    with session.office(home) as office:
        with office.database.transaction() as transaction:
            directory.find(transaction, code)
            now = office.clock.now()
            keys = directory.keys_of(transaction, code)
            from_then = since or now
            matching = [
                key
                for key in keys
                if beginning
                and key.kid.startswith(beginning)
                and (key.revoked_at is None or key.revoked_at > from_then)
            ]
            if len(matching) != 1:
                raise _not_one(code, len(matching), beginning)
            kid = matching[0].kid
            if code == PLATFORM and home.keys.holds(PLATFORM) and home.keys.current(PLATFORM).kid == kid:
                raise AccessDenied("HL4022", kid=kid)
            directory.revoke_key(transaction, kid, now=now, actor=session.actor(), since=since)
            came = standing.messages_since(transaction, code, from_then)
            left = [key for key in keys if key.counts_at(now) and key.kid != kid]
            entered_since = [key.kid for key in left if key.valid_from >= from_then]
            if code == PLATFORM:
                told = key_list.announce_key_list(office, transaction)
        if code == PLATFORM:
            home.change_trusted(PLATFORM, lambda trusted: trusted.revoking(kid, since=from_then, now=now))
            session.settle(office)
    screen.out().print(
        f"[green]已吊销[/green] {matching[0].kid}，自 (revoked from) {screen.moment(from_then)}", soft_wrap=True
    )
    if code == PLATFORM:
        _told_to_all(told)
        return
    if came:
        warning = f"此后已收到 {came} 条报文，已处理的不会撤销 (messages came since; what was handled is not undone)"
        screen.err().print(f"[yellow]{warning}：huilian submissions --member {code}[/yellow]", soft_wrap=True)
    if entered_since:
        warning = "此后登记的密钥仍有效，可能是持有该密钥的人换上的；请电话核实，不认识的一并吊销"
        english = "keys entered since still count; whoever held this one may have announced them: ask, and revoke"
        screen.err().print(f"[yellow]{warning} ({english})：{' '.join(entered_since)}[/yellow]", soft_wrap=True)
    if not left:
        screen.err().print(
            f"[yellow]{code} 已没有有效密钥，无法报送 (no key of it counts any more)[/yellow]", soft_wrap=True
        )


def _list(home: Home, code: str) -> None:
    from huilian.county.members import directory  # noqa: PLC0415  # see the package

    with session.office(home) as office, office.database.transaction() as transaction:
        directory.find(transaction, code)
        now = office.clock.now()
        keys = directory.keys_of(transaction, code)
    used = home.keys.current(code).kid if home.keys.holds(code) else None
    rows = []
    for entry in keys:
        if entry.revoked_at is not None and entry.revoked_at <= now:
            state = "已吊销"
        elif entry.counts_at(now):
            state = "有效"
        else:
            state = "未生效" if now < entry.valid_from else "已过期"
        here = "签名用" if entry.kid == used else ""
        rows.append([entry.kid, screen.moment(entry.valid_from), screen.moment(entry.valid_until), state, here])
    screen.show(screen.table(["密钥 (kid)", "生效", "失效", "状态", "本机"], rows))


def register_rotation(app: typer.Typer) -> None:
    """Add the commands to the group of members."""
    screen.command(
        app,
        "rotate",
        "轮换密钥（机构）：生成新密钥，写出由新旧密钥共同签署的换钥通知。县里采用之前仍用旧密钥签名。",
        "Rotate, at the institution: make the next key and announce it under the old one. The old one signs until "
        "the county has taken the announcement.",
        "huilian member rotate RCB02 --out RCB02.rotation.json",
        "huilian member rotate RCB02 --to https://county.example",
    )(rotate)
    screen.command(
        app,
        "announce",
        "采用换钥通知（县）：核对新旧密钥的签名，登记新密钥；旧密钥在重叠期后失效。",
        "Take a key announcement, at the county: the new key counts at once, the old one until the overlap ends.",
        "huilian member announce RCB02.rotation.json --out RCB02.approval.json",
    )(announce)


def rotate(
    code: Annotated[str, typer.Argument(metavar="CODE", help="机构代码 (member code)")],
    *,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="写出的换钥通知 (announcement to write)")] = None,
    overlap: Annotated[
        int | None, typer.Option(metavar="DAYS", help="旧密钥继续有效的天数，默认 30 (days the old key still counts)")
    ] = None,
    to: session.To = None,
    ca: session.CaFile = None,
) -> None:
    """Make and announce the next key."""
    from huilian.core.clock import SystemClock  # noqa: PLC0415
    from huilian.wire.joining import OVERLAP_DAYS, make_announcement  # noqa: PLC0415  # see the package

    if (out is None) == (to is None):
        raise UsageError("HL7001", what="请给出 --out 或 --to 之一 (give either --out or --to)")
    home = Home.from_environment()
    old = home.keys.current(code)
    new = home.keys.prepare(code)
    days = OVERLAP_DAYS if overlap is None else overlap
    text = make_announcement(member=code, old=old, new=new, overlap_days=days, now=SystemClock().now())
    if to is not None:
        _post(home, to, ca, text)
        return
    documents.write_document(out or Path(), text)
    console = screen.out()
    console.print(f"[green]已写出换钥通知[/green] {out} (announcement written)", soft_wrap=True)
    console.print("送交县里，收到批准文件后 (send it; with the approval that comes back)：huilian member welcome FILE")


def announce(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="换钥通知 (key announcement)")],
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="写出的批准文件 (the approval to write)")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="新密钥有效天数 (days the new key counts)")] = 730,
) -> None:
    """Take an announcement in and write the approval."""
    from huilian.county.members import (  # noqa: PLC0415  # see the package
        admission,  # see the package
        directory,  # see the package
    )
    from huilian.wire import joining  # noqa: PLC0415  # see the package
    from huilian.wire.joining import read_announcement  # noqa: PLC0415

    announced = read_announcement(documents.read_document(file), name=file.name)
    home = Home.from_environment()
    county = home.settings().county
    with (
        session.office(home) as office,
        documents.taken_back(out),
        office.database.transaction() as transaction,
    ):
        now = office.clock.now()
        until = now + dt.timedelta(days=days)
        new = admission.take_announcement(transaction, announced, now=now, actor=session.actor(), valid_until=until)
        [old] = [key for key in directory.keys_of(transaction, new.member) if key.kid == announced.old]
        text = admission.issue_approval(
            transaction, home.keys, new, county=county, addresses=joining.Addresses(), now=now
        )
        documents.write_document(out, text)
    console = screen.out()
    console.print(f"[green]已采用新密钥[/green] {new.kid} (entered)", soft_wrap=True)
    console.print(f"新密钥有效至 (the new one until) {screen.moment(new.valid_until)}", soft_wrap=True)
    console.print(f"旧密钥有效至 (the old one until) {screen.moment(old.valid_until)}", soft_wrap=True)
    console.print(f"批准文件 (approval)：{out}", soft_wrap=True)


def _post(home: Home, to: str, ca: Path | None, text: str) -> None:
    from huilian.core.clock import SystemClock  # noqa: PLC0415
    from huilian.core.errors import AccessDenied  # noqa: PLC0415
    from huilian.institution import membership  # noqa: PLC0415  # see the package
    from huilian.institution.transports.http import Client  # noqa: PLC0415
    from huilian.wire import signed_documents  # noqa: PLC0415  # see the package
    from huilian.wire.joining import read_approval  # noqa: PLC0415

    answer = Client(to, None, ca_file=ca).ask("POST", "/key-announcements", body=text.encode())
    approval = read_approval(answer.text, name=to)
    now = SystemClock().now()
    signed_documents.check_age(approval.document, approval.time, now=now)
    if not membership.believed(home, approval, now=now):
        raise AccessDenied("HL4013", file=to, found=approval.platform[0].public.fingerprint)
    membership.take_in(home, approval, now=now)
    screen.out().print(
        f"[green]已启用新密钥[/green] {approval.kid}，有效至 (until) {screen.moment(approval.until)}", soft_wrap=True
    )
