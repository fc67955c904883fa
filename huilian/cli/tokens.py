"""`huilian token add|list|revoke`."""

from typing import Annotated

import typer

from huilian.cli import options, screen, session
from huilian.errors import UsageError

__all__ = ["app"]

app = screen.group(
    "访问令牌：谁可以读哪里的数据。",
    "Access tokens: who may read what over HTTP.",
    "huilian token add 县农办 --region 341599",
    "huilian token add RCB01系统 --member RCB01",
    "huilian token revoke 县农办",
)


@screen.command(
    app,
    "add",
    "发放令牌。令牌只显示这一次。",
    "Give a token out; it is shown only once.",
    "huilian token add 县农办 --region 341599",
    "huilian token add RCB01系统 --member RCB01",
)
def add(
    label: Annotated[str, typer.Argument(metavar="LABEL", help="用途或使用者 (what for)")],
    *,
    region: Annotated[str | None, typer.Option(metavar="CODE", help="可读的区划 (region it may read)")] = None,
    member: Annotated[str | None, typer.Option(metavar="CODE", help="代表的机构 (member it speaks for)")] = None,
    as_json: options.Json = False,
) -> None:
    """Give a token out."""
    from huilian import tokens  # noqa: PLC0415  # see the package

    if (region is None) == (member is None):
        raise UsageError("HL7001", what="请给出 --region 或 --member 之一 (give either --region or --member)")
    with session.office() as office, office.database.transaction() as transaction:
        token = tokens.add(
            transaction, label, region=region, member=member, now=office.clock.now(), actor=session.actor()
        )
    if as_json:
        screen.print_json({"label": label, "region": region, "member": member, "token": token})
        return
    screen.out().print(token, markup=False, soft_wrap=True)
    screen.err().print("[yellow]请妥善保存，此令牌不会再次显示 (keep it: it is not shown again)[/yellow]")


@screen.command(app, "list", "列出令牌（不含令牌本身）。", "List the tokens, not their secrets.", "huilian token list")
def list_tokens(*, as_json: options.Json = False) -> None:
    """List the tokens."""
    from huilian import tokens  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        found = tokens.all_tokens(transaction)
    if as_json:
        names = ("label", "region", "member", "added_at", "revoked_at")
        screen.print_json([{name: getattr(token, name) for name in names} for token in found])
        return
    rows = [
        [
            token.label,
            token.region,
            token.member,
            screen.moment(token.added_at),
            "已停用" if token.revoked_at else "有效",
        ]
        for token in found
    ]
    screen.show(screen.table(["名称", "区划", "机构", "发放", "状态"], rows))


@screen.command(app, "revoke", "停用令牌，立即生效。", "Revoke a token, at once.", "huilian token revoke 县农办")
def revoke(label: Annotated[str, typer.Argument(metavar="LABEL", help="名称 (label)")]) -> None:
    """Revoke a token."""
    from huilian import tokens  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        tokens.revoke(transaction, label, now=office.clock.now(), actor=session.actor())
    screen.out().print(f"[green]已停用[/green] {label} (revoked)")
