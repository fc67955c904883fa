"""`huilian member add` and `huilian member list`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from huilian.cli import keypairs, options, screen, session
from huilian.errors import UsageError
from huilian.home import Home

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["app", "coloured"]

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
    from huilian import adapters, members, regions  # noqa: PLC0415  # see the package
    from huilian.access import KINDS  # noqa: PLC0415

    home = Home.from_environment()
    home.settings()
    found = adapters.find(adapter, home.adapters) if adapter else None
    if found and kind not in found.institution_kinds:
        kinds = ", ".join(sorted(found.institution_kinds))
        raise UsageError("HL7001", what=f"适配器 {found.name} 只用于 (the adapter is for): {kinds}")
    known = keypairs.read_public(public_key) if public_key else None
    called = name or (found.chinese if found else KINDS.get(kind, code))
    member = members.Member(code, kind, called, adapter, regions.normalise(region) if region else None, suspended=False)
    with session.office(home) as office, office.database.transaction() as transaction:
        now, actor = office.clock.now(), session.actor()
        members.add(transaction, member, now=now, actor=actor)
        if known:
            keypairs.check_new(transaction, known)
            members.add_key(transaction, code, known, now=now, actor=actor)
        else:
            with keypairs.made(home, code) as key:
                members.add_key(transaction, code, key.public, now=now, actor=actor)
    console = screen.out()
    console.print(f"[green]已登记[/green] {code} {called} (added)", soft_wrap=True)
    if not known:
        console.print(f"密钥保管在 (its key is kept in) {home.folder / 'keys' / code}", soft_wrap=True)


@screen.command(app, "list", "列出机构。", "List the members.", "huilian member list", "huilian member list --json")
def list_members(*, as_json: options.Json = False) -> None:
    """List the members, how many of their keys count now, and for how long; what has to be done beneath."""
    from huilian import members  # noqa: PLC0415  # see the package
    from huilian.access import KINDS  # noqa: PLC0415
    from huilian.cli import key_findings  # noqa: PLC0415
    from huilian.membership import key_expiry  # noqa: PLC0415  # see the package

    home = Home.from_environment()
    with session.office(home) as office, office.database.transaction() as transaction:
        now = office.clock.now()
        found = members.all_members(transaction)
        keys = {member.code: members.keys_of(transaction, member.code) for member in found}
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
    for warned in filter(None, (key_findings.finding(endings[member.code]) for member in found if member.takes_part)):
        screen.err().print(f"[yellow]{escape(warned.what)}[/yellow]", soft_wrap=True)
        screen.err().print(f"  → {escape(warned.remedy or '')}", soft_wrap=True)


def coloured(left: Any) -> "Text | None":  # noqa: ANN401  # of a dictionary for JSON
    """Return days left in the colour of their urgency; None for a member that left."""
    from rich.text import Text  # noqa: PLC0415  # see the package

    from huilian.membership import key_expiry  # noqa: PLC0415

    if left is None:
        return None
    urgent = left < key_expiry.URGENT_DAYS
    return Text(str(left), "bold red" if urgent else "yellow" if left < key_expiry.WARNING_DAYS else "green")
