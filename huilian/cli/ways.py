"""Ways to the county: which transport a push takes, and what is checked before it sets out."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from huilian import file_ownership
from huilian.cli import screen, session
from huilian.errors import AccessDenied, ConfigurationError, UsageError
from huilian.institution.membership import check_county, membership_of
from huilian.institution.transports import connect
from huilian.members import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from huilian.adapters import Adapter
    from huilian.home import Home
    from huilian.institution.transports.base import Transport
    from huilian.institution.transports.http import Client
    from huilian.office import Office

__all__ = ["Target", "Way", "way"]


@dataclass(frozen=True)
class Target:
    """Where a push goes.

    Args:
        url: another server; None for this machine's office.
        token: for HTTP.
        ca_file: certificates to trust besides the system's.
        county: six digits, for a machine without an office.
    """

    url: str | None
    token: str | None
    ca_file: Path | None
    county: str | None


@dataclass(frozen=True)
class Way:
    """An open way to a county.

    Args:
        transport: how messages get there.
        county: its six digits.
        notices: by the name of an applied submission what its sender was told of it besides the receipt, where that
            is at hand; elsewhere notices come as messages of their own.
    """

    transport: Transport
    county: str
    notices: Callable[[str], list[str]] = lambda _submission: []


@contextlib.contextmanager
def way(home: Home, member: str, adapter: Adapter, target: Target) -> Iterator[Way]:
    """Open the way a member's files take, and close it when all they caused has been carried.

    A member that joined from this machine goes to its own county, unless another target is named.

    Raises:
        UsageError: HL7001, the adapter is not for this kind of member, or the target is incomplete.
        AccessDenied: HL4001, no such member; HL4006, its private key is not here.
        ConfigurationError: HL6001, there is no office here; HL6016, this machine belongs to another county;
            HL6020 to HL6022, others may change which certificates are trusted.
    """
    if target.ca_file is not None:
        file_ownership.hold(target.ca_file, target.ca_file)
    # Not looked at where all is said: what is kept there may be damaged.
    joined = None if target.url and target.county else membership_of(home, member)
    if joined is not None:
        target = replace(target, url=target.url or joined.https, county=target.county or joined.county)
    if target.url is None and home.settings().host == "embedded":
        with _embedded(home, member, adapter) as opened:
            yield opened
        return
    session.log()
    home.keys.current(member)
    if target.url is None:
        settings = home.settings()
        target = Target(settings.amqp_url, None, target.ca_file, settings.county)
    county = target.county or (home.settings().county if home.is_office else None)
    if county is None:
        raise UsageError(
            "HL7001", what="本机没有数据目录，请用 --county 指明县代码 (there is no office here: give --county)"
        )
    check_county(home, home.trusted(PLATFORM), county)
    # Nothing is connected before the file is on disk, sealed.
    first = functools.partial(_ask_for_keys, home)
    transport = connect(target.url or "", member, token=target.token, ca_file=target.ca_file, first=first)
    with contextlib.closing(transport):
        yield Way(transport, county)


@contextlib.contextmanager
def _embedded(home: Home, member: str, adapter: Adapter) -> Iterator[Way]:
    from huilian import members  # noqa: PLC0415  # with the office
    from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport  # noqa: PLC0415  # only this way needs it

    with session.office(home) as office:
        with office.database.transaction() as transaction:
            known = members.find(transaction, member)
        if known.kind not in adapter.institution_kinds:
            kinds = ", ".join(sorted(adapter.institution_kinds))
            what = f"适配器 {adapter.name} 用于 {kinds}，{member} 是 {known.kind} (not for this kind of member)"
            raise UsageError("HL7001", what=what)
        with EmbeddedHost(office, stands_by=True) as host:
            yield Way(EmbeddedTransport(office), office.settings.county, functools.partial(_told, office))
            # The receipt is out before the figures are: they are current when the command ends.
            host.drain()


def _told(office: Office, submission: str) -> list[str]:
    from huilian import notices  # noqa: PLC0415  # with the office

    with office.database.transaction() as transaction:
        return notices.texts_about(transaction, submission)


def _ask_for_keys(home: Home, client: Client) -> None:
    """Take in what the county says of its keys by now: nothing else that comes over HTTP tells of a revoked one.

    A machine that trusts none believes by the connection alone; an older county says nothing.
    """
    from huilian.clock import SystemClock  # noqa: PLC0415  # with the way that needs it
    from huilian.membership import platform_keys  # noqa: PLC0415  # the same

    if not home.trusted(PLATFORM).keys:
        return
    try:
        text = client.ask("GET", platform_keys.PATH).text
        platform_keys.take_in(home, platform_keys.read_list(text, name=client.shown), now=SystemClock().now())
    except UsageError:
        return
    except (AccessDenied, ConfigurationError) as error:
        screen.err().print(f"[yellow]{error.code} {error.chinese} ({error.english})[/yellow]", soft_wrap=True)
