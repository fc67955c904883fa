"""`huilian member rotate` and `announce`: a member's next key, with an overlap."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from huilian.cli import documents, options, screen, session
from huilian.errors import UsageError
from huilian.home import Home

__all__ = ["register"]


def register(app: typer.Typer) -> None:
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
    to: options.To = None,
    ca: options.CaFile = None,
) -> None:
    """Make and announce the next key."""
    from huilian.clock import SystemClock  # noqa: PLC0415
    from huilian.membership.announcement import OVERLAP_DAYS, make_announcement  # noqa: PLC0415  # see the package

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
    documents.write_new(out or Path(), text)
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
    from huilian import members  # noqa: PLC0415  # see the package
    from huilian.membership import approval, rotation  # noqa: PLC0415  # see the package
    from huilian.membership.announcement import read_announcement  # noqa: PLC0415

    announced = read_announcement(documents.read(file), name=file.name)
    home = Home.from_environment()
    county = home.settings().county
    with (
        session.office(home) as office,
        documents.taken_back(out),
        office.database.transaction() as transaction,
    ):
        now = office.clock.now()
        until = now + dt.timedelta(days=days)
        new = rotation.take(transaction, announced, now=now, actor=session.actor(), valid_until=until)
        [old] = [key for key in members.keys_of(transaction, new.member) if key.kid == announced.old]
        text = approval.issue(transaction, home.keys, new, county=county, addresses=approval.Addresses(), now=now)
        documents.write_new(out, text)
    console = screen.out()
    console.print(f"[green]已采用新密钥[/green] {new.kid} (entered)", soft_wrap=True)
    console.print(f"新密钥有效至 (the new one until) {screen.moment(new.valid_until)}", soft_wrap=True)
    console.print(f"旧密钥有效至 (the old one until) {screen.moment(old.valid_until)}", soft_wrap=True)
    console.print(f"批准文件 (approval)：{out}", soft_wrap=True)


def _post(home: Home, to: str, ca: Path | None, text: str) -> None:
    from huilian.clock import SystemClock  # noqa: PLC0415
    from huilian.errors import AccessDenied  # noqa: PLC0415
    from huilian.institution import membership  # noqa: PLC0415  # see the package
    from huilian.institution.transports.http import Client  # noqa: PLC0415
    from huilian.membership import signed_document  # noqa: PLC0415  # see the package
    from huilian.membership.approval import read_approval  # noqa: PLC0415

    answer = Client(to, None, ca_file=ca).ask("POST", "/key-announcements", body=text.encode())
    approval = read_approval(answer.text, name=to)
    now = SystemClock().now()
    signed_document.check_age(approval.document, approval.time, now=now)
    if not membership.believed(home, approval, now=now):
        raise AccessDenied("HL4013", file=to, found=approval.platform[0].public.fingerprint)
    membership.take_in(home, approval, now=now)
    screen.out().print(
        f"[green]已启用新密钥[/green] {approval.kid}，有效至 (until) {screen.moment(approval.until)}", soft_wrap=True
    )
