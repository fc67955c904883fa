"""What an institution's machine knows of its own keys: until when the one in use counts, and whether one waits.

Until when a key counts is known from the county's approval. A key that was announced waits in `next.pem` for its
approval; once the county has taken the announcement, the key in use ends with the overlap, and nobody here is told
when that began. So a key that waits is always said, not only in the last days.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.clock import CHINA
from huilian.errors import AccessDenied, UsageError
from huilian.membership.enrolment import membership_of

if TYPE_CHECKING:
    from huilian.home import Home

__all__ = ["WARNING_DAYS", "OwnKeys", "PreparedKey", "own_keys"]

WARNING_DAYS: Final = 30
"""Days before the end of the key in use from which somebody is told."""
_KID_SHOWN: Final = 12


@dataclass(frozen=True)
class PreparedKey:
    """A key that was announced and whose approval was not taken in: its `kid`, and when it was made."""

    kid: str
    prepared_at: dt.datetime


@dataclass(frozen=True)
class OwnKeys:
    """The keys of a member on its own machine.

    Args:
        member: the member's code.
        kid: the key it signs with; None when there is none that can be read.
        until: until when the county's approval says that it counts; None when no approval of it was taken in.
        prepared: the key that waits for its approval, if there is one.
    """

    member: str
    kid: str | None
    until: dt.datetime | None
    prepared: PreparedKey | None

    def warning(self, now: dt.datetime) -> str | None:
        """Return what there is to be done, in Chinese and English, in one line; None when nothing is."""
        ends = self._ends(now)
        if self.prepared is None:
            return f"{ends}；请轮换 (rotate it): huilian member rotate {self.member}" if ends else None
        waits = (
            f"新密钥 {self.prepared.kid[:_KID_SHOWN]} 已于 {_day(self.prepared.prepared_at)} 备好，尚未采用批准文件；"
            "县里登记新密钥后，旧密钥过了重叠期即失效"
            " (a new key waits for its approval; the old one ends with the overlap)。"
            "收到批准文件后 (with the approval): huilian member welcome FILE；"
            f"没有收到的，请县里重发 (if it was lost, at the county): huilian member approval {self.member} --out FILE"
        )
        return f"{ends}；{waits}" if ends else waits

    def _ends(self, now: dt.datetime) -> str | None:
        if self.kid is None or self.until is None or self.until - now >= dt.timedelta(days=WARNING_DAYS):
            return None
        when = (
            f"将于 {_day(self.until)} 到期 (ends soon)" if now < self.until else f"已于 {_day(self.until)} 失效 (ended)"
        )
        return f"签名密钥 {self.kid[:_KID_SHOWN]} {when}"


def own_keys(home: Home, member: str) -> OwnKeys:
    """Return what a data directory says of a member's keys; a damaged private key is as one that is not there.

    Raises:
        ConfigurationError: HL6006, what is kept of the county's approval is damaged.
    """
    kept = membership_of(home, member)
    try:
        kid = home.keys.current(member).kid
    except (AccessDenied, UsageError):
        kid = None
    until = kept.until if kept is not None and kid is not None and kept.kid == kid else None
    return OwnKeys(member, kid, until, _prepared(home, member))


def _prepared(home: Home, member: str) -> PreparedKey | None:
    try:
        key, made_at = home.keys.prepared(member), home.keys.prepared_at(member)
    except (AccessDenied, UsageError, FileNotFoundError):  # the last: it was taken into use at this moment
        return None
    return PreparedKey(key.kid, made_at) if key is not None and made_at is not None else None


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(CHINA).date()
