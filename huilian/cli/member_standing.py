"""`huilian member suspend`, `resume` and `leave`."""

from typing import Annotated

import typer

from huilian.cli import screen, session

__all__ = ["register"]

Code = Annotated[str, typer.Argument(metavar="CODE", help="机构代码 (member code)")]
Reason = Annotated[
    str, typer.Option(metavar="原因", help="记入审计日志，勿写个人信息 (for the audit log; name no person)")
]


def register(app: typer.Typer) -> None:
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
    from huilian.membership import standing  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        standing.suspend(transaction, code, reason=reason, now=office.clock.now(), actor=session.actor())
    screen.out().print(f"[yellow]已停用[/yellow] {code} (suspended)")


def resume(code: Code, *, reason: Reason) -> None:
    """Resume a member."""
    from huilian.membership import standing  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        standing.resume(transaction, code, reason=reason, now=office.clock.now(), actor=session.actor())
    screen.out().print(f"[green]已恢复[/green] {code} (resumed)")


def leave(code: Code, *, reason: Reason) -> None:
    """Let a member go."""
    from huilian.membership import standing  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        left = standing.leave(transaction, code, reason=reason, now=office.clock.now(), actor=session.actor())
    console = screen.out()
    ended = f"密钥 {len(left.keys)} 个、令牌 {len(left.tokens)} 个失效 (keys and tokens ended)"
    console.print(f"[yellow]已退出[/yellow] {code}：{ended}", soft_wrap=True)
    console.print(f"队列用户待删除 (its user on the broker is to be removed)：huilian broker permissions {code}")
