"""How sealed messages travel between an institution and its county: HTTP or AMQP, by one interface (`base`).

The way straight into this machine's own office belongs to the embedded host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from huilian.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.institution.transports.base import Transport
    from huilian.institution.transports.http import Client

__all__ = ["AMQP", "connect"]

AMQP: Final = frozenset({"amqp", "amqps"})
HTTP: Final = frozenset({"http", "https"})


def connect(
    url: str,
    member: str,
    *,
    token: str | None = None,
    ca_file: Path | None = None,
    first: Callable[[Client], None] | None = None,
) -> Transport:
    """Return the way to a county at an address; nothing is connected yet.

    Args:
        url: `https://host[:port][/prefix]`, or `amqps://user:password@host:port/vhost`.
        member: whose answers are fetched.
        token: of the member, for HTTP.
        ca_file: certificates to trust besides the system's.
        first: over HTTP, done once with the connection before anything else is asked of the server.

    Raises:
        UsageError: HL7001, the address or the file of certificates is wrong.
    """
    scheme = urlsplit(url).scheme
    if scheme in HTTP:
        from huilian.institution.transports.http import HttpTransport  # noqa: PLC0415  # one of two

        return HttpTransport(url, token, ca_file, first=first)
    if scheme in AMQP:
        from huilian.institution.transports.amqp import AmqpTransport  # noqa: PLC0415  # the other

        try:
            return AmqpTransport(url, member, ca_file)
        except (ValueError, OSError) as error:
            what = "队列地址或 CA 证书有误 (the broker's address or the CA file is wrong)"
            raise UsageError("HL7001", what=what) from error
    raise UsageError("HL7001", what="--to 应为 https:// 或 amqps:// 地址 (an https:// or amqps:// address is needed)")
