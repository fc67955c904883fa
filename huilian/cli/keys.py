"""`huilian member key`."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from huilian.cli import documents, keypairs, screen, session
from huilian.errors import AccessDenied, UsageError
from huilian.home import Home
from huilian.members import PLATFORM

__all__ = ["register"]


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
    from huilian.clock import SystemClock  # noqa: PLC0415  # see the package

    now = SystemClock().now()
    if public_key is not None:
        keypairs.trust(home, PLATFORM, keypairs.read_public(public_key), fingerprint, file=public_key)
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
        keypairs.trust(home, code, keypairs.read_public(public_key), fingerprint, file=public_key)
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
    from huilian import members  # noqa: PLC0415  # see the package

    with session.office(home) as office, office.database.transaction() as transaction:
        members.find(transaction, code)
        now = office.clock.now()
        counting = [key for key in members.keys_of(transaction, code) if key.counts_at(now)]
    if not counting:
        raise UsageError("HL7023", member=code)
    _print_pem(counting[-1].public.pem())


def _write_list(home: Home, out: Path) -> None:
    from huilian.membership import platform_keys  # noqa: PLC0415  # see the package

    with session.office(home) as office, office.database.transaction() as transaction:
        now = office.clock.now()
        text = platform_keys.make_list(transaction, home.keys, county=office.settings.county, now=now)
    documents.write_new(out, text)
    signer = platform_keys.read_list(text, name=out.name).signers[0]
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
    from huilian import members  # noqa: PLC0415  # see the package
    from huilian.membership import platform_keys  # noqa: PLC0415

    with session.office(home) as office:
        # Interrupted, it is there already, and entered perhaps.
        new = home.keys.prepare(PLATFORM)
        with office.database.transaction() as transaction:
            known = {entry.kid: entry for entry in members.keys_of(transaction, PLATFORM)}
            entered = known.get(new.kid) or members.add_key(
                transaction, PLATFORM, new.public, now=office.clock.now(), actor=session.actor()
            )
            told = platform_keys.announce(office, transaction, also=[new])
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
    from huilian import members  # noqa: PLC0415  # see the package

    if code == PLATFORM:
        _rotate_platform(home)
        return
    with session.office(home) as office:
        with office.database.transaction() as transaction:
            members.find(transaction, code)
            elsewhere = bool(members.keys_of(transaction, code)) and not home.keys.holds(code)
        if elsewhere:
            what = (
                f"{code} 的私钥不在本机：请在其所在机器上轮换，再用 --public-key 登记新公钥"
                " (its private key is not here: rotate it where it is kept, then enter the new one with --public-key)"
            )
            raise UsageError("HL7001", what=what)
        with keypairs.made(home, code) as new, office.database.transaction() as transaction:
            entered = members.add_key(transaction, code, new.public, now=office.clock.now(), actor=session.actor())
    _say_rotated(new.kid, entered.valid_until)


def _enter(home: Home, code: str, file: Path) -> None:
    from huilian import members  # noqa: PLC0415  # see the package
    from huilian.membership import platform_keys  # noqa: PLC0415

    public, told = keypairs.read_public(file), 0
    with session.office(home) as office:
        with office.database.transaction() as transaction:
            members.find(transaction, code)
            keypairs.check_new(transaction, public)
            entered = members.add_key(transaction, code, public, now=office.clock.now(), actor=session.actor())
            if code == PLATFORM:
                told = platform_keys.announce(office, transaction)
        if code == PLATFORM:
            home.trust(PLATFORM, public, valid_from=entered.valid_from, valid_until=entered.valid_until)
            session.settle(office)
    screen.out().print(f"[green]已登记公钥[/green] {public.kid} (entered)", soft_wrap=True)
    if code == PLATFORM:
        _told_to_all(told)


def _moment(text: str | None) -> dt.datetime | None:
    from huilian.clock import CHINA  # noqa: PLC0415  # see the package

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
    from huilian import members  # noqa: PLC0415  # see the package
    from huilian.membership import platform_keys, standing  # noqa: PLC0415  # see the package

    told = 0
    with session.office(home) as office:
        with office.database.transaction() as transaction:
            members.find(transaction, code)
            now = office.clock.now()
            keys = members.keys_of(transaction, code)
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
            members.revoke_key(transaction, kid, now=now, actor=session.actor(), since=since)
            came = standing.messages_since(transaction, code, from_then)
            left = [key for key in keys if key.counts_at(now) and key.kid != kid]
            entered_since = [key.kid for key in left if key.valid_from >= from_then]
            if code == PLATFORM:
                told = platform_keys.announce(office, transaction)
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
    from huilian import members  # noqa: PLC0415  # see the package

    with session.office(home) as office, office.database.transaction() as transaction:
        members.find(transaction, code)
        now = office.clock.now()
        keys = members.keys_of(transaction, code)
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
