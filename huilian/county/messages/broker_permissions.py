"""What each member may do on the broker, written out for whoever keeps RabbitMQ.

A member publishes to one exchange, under the routing keys of the types its kind may send with its own
code as the subject, and reads one queue, its own; it declares, binds and deletes nothing. The keys
do not bind the headers CC and BCC: where these may lead is for the exchange's bindings to say
(`huilian.wire.broker`). A message's signature holds without permissions; permissions keep members from filling each
other's queues, from reading each other's answers, and from taking up the services' time with what would be refused.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.wire.broker import INBOUND, member_queue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huilian.county.members.directory import Member
    from huilian.wire.access import AccessRules

__all__ = ["BrokerUser", "commands", "definitions", "password", "password_hash", "removal", "user_of"]


NOTHING: Final = "^$"
"""A regular expression that only the empty name matches, which no resource has."""
PASSWORD_BYTES: Final = 24
SALT_BYTES: Final = 4
"""What RabbitMQ's own hashing puts before a password."""


@dataclass(frozen=True)
class BrokerUser:
    """A member's user: what it may write to, read from and publish, as RabbitMQ's regular expressions.

    Args:
        name: the user's name, the member's code.
        write: exchanges and queues it may write to.
        read: exchanges and queues it may read from.
        topics: routing keys it may publish under.
    """

    name: str
    write: str
    read: str
    topics: str


def user_of(member: Member, access: AccessRules) -> BrokerUser:
    """Return what a member's user may do: to declare, bind and delete is not among it."""
    types = sorted(name for name, kinds in access.send.items() if member.kind in kinds)
    sends = f"^({'|'.join(map(re.escape, types))})\\.{re.escape(member.code)}$" if types else NOTHING
    return BrokerUser(
        name=member.code,
        write=f"^{re.escape(INBOUND)}$" if types else NOTHING,
        read=f"^{re.escape(member_queue(member.code))}$",
        topics=sends,
    )


def password() -> str:
    """Return a new random password, safe in URLs, shells and JSON."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def commands(user: BrokerUser, virtual_host: str, secret: str | None) -> list[str]:
    """Return the lines of a shell script that makes a user and gives it its permissions.

    Args:
        user: the user.
        virtual_host: where Huilian's queues are.
        secret: the password of a user to be made; None for one that is there, whose permissions alone are set.
    """
    made = []
    if secret is not None:
        # Through a pipe: what stands in a command's arguments, everybody on the machine can see.
        made = [f"printf '%s\\n' {shlex.quote(secret)} | rabbitmqctl add_user {shlex.quote(user.name)}"]
    where = f"-p {shlex.quote(virtual_host)} {shlex.quote(user.name)}"
    rights = " ".join(shlex.quote(right) for right in (NOTHING, user.write, user.read))
    topics = " ".join(shlex.quote(right) for right in (user.topics, NOTHING))
    return [
        *made,
        f"rabbitmqctl set_permissions {where} {rights}",
        f"rabbitmqctl set_topic_permissions {where} {shlex.quote(INBOUND)} {topics}",
    ]


def removal(code: str, virtual_host: str) -> list[str]:
    """Return the lines of a shell script that takes away the user and the queue of a member that left."""
    return [
        f"rabbitmqctl delete_user {shlex.quote(code)}",
        f"rabbitmqctl delete_queue -p {shlex.quote(virtual_host)} {shlex.quote(member_queue(code))}",
    ]


def definitions(users: Sequence[tuple[BrokerUser, str | None]], virtual_host: str) -> dict[str, Any]:
    """Return RabbitMQ definitions to import: users with hashed passwords, and their permissions.

    Args:
        users: each with the password of a user to be made, or None for one that is there.
        virtual_host: where Huilian's queues are; it is not made.
    """
    return {
        "users": [
            {
                "name": user.name,
                "password_hash": password_hash(secret),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": [],
            }
            for user, secret in users
            if secret is not None
        ],
        "permissions": [
            {
                "user": user.name,
                "vhost": virtual_host,
                "configure": NOTHING,
                "write": user.write,
                "read": user.read,
            }
            for user, _ in users
        ],
        "topic_permissions": [
            {
                "user": user.name,
                "vhost": virtual_host,
                "exchange": INBOUND,
                "write": user.topics,
                "read": NOTHING,
            }
            for user, _ in users
        ],
    }


def password_hash(secret: str, salt: bytes | None = None) -> str:
    """Return a password as RabbitMQ keeps it: salt and SHA-256 over salt and password, in base64."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    return base64.b64encode(salt + hashlib.sha256(salt + secret.encode()).digest()).decode("ascii")
