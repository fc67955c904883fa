"""When members' keys end, and telling them in time.

A member is warned when the last of its keys ends within 30 days: whoever runs the office by
`doctor`, the list of members, the metrics and the log; the member itself by a sealed notice
(`key_expiring`), at most once a week for each key.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from huilian import members, notices
from huilian.clock import CHINA
from huilian.errors import HostUnavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from huilian.database import Transaction
    from huilian.members import Member, MemberKey
    from huilian.office import Office

__all__ = ["URGENT_DAYS", "WARNING_DAYS", "Ending", "days_left", "endings", "run", "warn"]

WARNING_DAYS: Final = 30
"""Days before its end from which a key is warned of."""
URGENT_DAYS: Final = 7
KIND: Final = "key_expiring"
AGAIN_AFTER: Final = dt.timedelta(days=7)
"""Before the member is told again."""
LOOK_EVERY_SECONDS: Final = 24 * 3600
RETRY_SECONDS: Final = 60

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Ending:
    """A member that takes part, the last of its keys, and the whole days it still counts.

    Args:
        member: the member.
        key: of the keys that count now the one that ends last; None when none counts.
        days: whole days until then, 0 when none counts.
    """

    member: Member
    key: MemberKey | None
    days: int


def days_left(keys: Iterable[MemberKey], now: dt.datetime) -> int:
    """Return for how many whole days a member's keys still count; 0 when none counts now."""
    last = _last(keys, now)
    return (_end(last) - now).days if last else 0


def endings(transaction: Transaction, now: dt.datetime) -> list[Ending]:
    """Return of every member that takes part when its keys end, by code."""
    found = []
    for member in members.all_members(transaction):
        if member.takes_part:
            keys = members.keys_of(transaction, member.code)
            found.append(Ending(member, _last(keys, now), days_left(keys, now)))
    return found


def warn(office: Office) -> list[Ending]:
    """Log which members' keys end soon, tell those members, and return them.

    Raises:
        HostUnavailable: HL5001, the database is away.
    """
    now = office.clock.now()
    with office.database.transaction() as transaction:
        soon = [ending for ending in endings(transaction, now) if ending.days < WARNING_DAYS]
        for ending in soon:
            if ending.key is not None:
                _tell(office, transaction, ending, ending.key)
    for ending in soon:
        _log.warning(
            "key_expiring", member=ending.member.code, days_left=ending.days, kid=ending.key.kid if ending.key else None
        )
    return soon


def run(office: Office, stopping: threading.Event) -> None:
    """Warn once a day until told to stop; a server that is away is tried again in a minute."""
    while not stopping.is_set():
        try:
            warn(office)
            pause = LOOK_EVERY_SECONDS
        except HostUnavailable as error:
            _log.warning("database_away", code=error.code, retry_in_seconds=RETRY_SECONDS)
            pause = RETRY_SECONDS
        stopping.wait(pause)


def _tell(office: Office, transaction: Transaction, ending: Ending, key: MemberKey) -> None:
    processor = office.processor
    if not processor.access.may_receive(ending.member.kind, notices.TYPE):
        return
    now = office.clock.now()
    if not notices.note(transaction, ending.member.code, KIND, key.kid, now=now, again_after=AGAIN_AFTER):
        return
    until = f"{_end(key).astimezone(CHINA):%Y-%m-%d %H:%M}"
    text = f"机构 {ending.member.code} 的签名密钥 {key.kid} 将于 {until} 失效，请用 huilian member rotate 轮换"
    draft = notices.draft(office.context, member=ending.member.code, kind=KIND, text=text, reference=key.kid)
    processor.send(transaction, draft)


def _last(keys: Iterable[MemberKey], now: dt.datetime) -> MemberKey | None:
    return max((key for key in keys if key.counts_at(now)), key=_end, default=None)


def _end(key: MemberKey) -> dt.datetime:
    """A key may be revoked from a later moment on."""
    return key.valid_until if key.revoked_at is None else min(key.valid_until, key.revoked_at)
