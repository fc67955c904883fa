"""`huilian broker permissions`."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote, urlsplit

import typer

from huilian.cli import screen, session
from huilian.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huilian.broker_permissions import BrokerUser

__all__ = ["app"]

FORMATS = ("rabbitmqctl", "definitions")

app = screen.group(
    "消息队列：各机构在 RabbitMQ 上的用户与权限。",
    "The broker: members' users and permissions on RabbitMQ.",
    "huilian broker permissions RCB01",
)


@app.callback()
def broker() -> None:
    """Keep the group a group while it has one command."""


@screen.command(
    app,
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
    from huilian import access, broker_permissions, members  # noqa: PLC0415  # see the package

    if form not in FORMATS:
        raise UsageError("HL7001", what=f"--format: {' | '.join(FORMATS)}")
    with session.office() as office, office.database.transaction() as transaction:
        found = [members.find(transaction, code)] if code else members.all_members(transaction)
        virtual_host = vhost or _virtual_host(office.settings.amqp_url)
    rules = access.load()
    # The platform and the county come with the county's own user.
    wanted = [member for member in found if member.kind != "platform" and (code or member.kind != "county")]
    users = [
        (broker_permissions.user_of(member, rules), None if keep_users else broker_permissions.password())
        for member in wanted
        if not member.left
    ]
    gone = [member.code for member in wanted if member.left]
    if form == "definitions":
        _print_definitions(broker_permissions.definitions(users, virtual_host), users)
        return
    lines = [line for user, secret in users for line in broker_permissions.commands(user, virtual_host, secret)]
    lines += [line for left in gone for line in broker_permissions.removal(left, virtual_host)]
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
