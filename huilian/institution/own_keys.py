"""What an institution's machine knows of its own keys: until when the one in use counts, and whether one waits.

Until when a key counts is known from the county's approval. A key that was announced waits in `next.pem` for its
approval; once the county has taken the announcement, the key in use ends with the overlap, and nobody here is told
when that began. So a key that waits is always said, not only in the last days.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from huilian.clock import CHINA
from huilian.errors import AccessDenied, HuilianError, UsageError
from huilian.institution.enrolment import membership_of
from huilian.system_errors import why

if TYPE_CHECKING:
    from collections.abc import Callable

    from huilian.home import Home

__all__ = ["WARNING_DAYS", "OwnKeys", "PreparedKey", "own_keys"]

Found = TypeVar("Found")

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
        unreadable: why what is kept of the keys or of the approval cannot be read, if it cannot.
    """

    member: str
    kid: str | None
    until: dt.datetime | None
    prepared: PreparedKey | None
    unreadable: str | None = None

    def warning(self, now: dt.datetime) -> str | None:
        """Return what there is to be done, in Chinese and English, in one line; None when nothing is."""
        return "；".join(filter(None, (self.unreadable, self._to_be_done(now)))) or None

    def _to_be_done(self, now: dt.datetime) -> str | None:
        ends = self._ends(now)
        if self.prepared is None:
            return f"{ends}；{self._remedy(now)}" if ends else None
        waits = (
            f"新密钥 {self.prepared.kid[:_KID_SHOWN]} 已于 {_day(self.prepared.prepared_at)} 备好，尚未采用批准文件；"
            "县里登记新密钥后，旧密钥过了重叠期即失效"
            " (a new key waits for its approval; the old one ends with the overlap)。"
            "收到批准文件后 (with the approval): huilian member welcome FILE；"
            f"没有收到的，请县里重发 (if it was lost, at the county): huilian member approval {self.member} --out FILE"
        )
        return f"{ends}；{waits}" if ends else waits

    def _remedy(self, now: dt.datetime) -> str:
        if self.until is not None and now < self.until:
            return f"请轮换 (rotate it): huilian member rotate {self.member}"
        # What would announce another key counts no more.
        return (
            "换钥通知已无效，请另生成密钥，按加入时的办法经电话核实登记"
            " (a key can be announced no more: make another and have it entered as when joining): "
            f"huilian member request {self.member} --new-key …"
        )

    def _ends(self, now: dt.datetime) -> str | None:
        if self.kid is None or self.until is None or self.until - now >= dt.timedelta(days=WARNING_DAYS):
            return None
        when = (
            f"将于 {_day(self.until)} 到期 (ends soon)" if now < self.until else f"已于 {_day(self.until)} 失效 (ended)"
        )
        return f"签名密钥 {self.kid[:_KID_SHOWN]} {when}"


def own_keys(home: Home, member: str) -> OwnKeys:
    """Return what a data directory says of a member's keys; what cannot be read is as if not there, and is told."""
    unreadable: list[str] = []
    kept = _read(lambda: membership_of(home, member), unreadable)
    kid = _read(lambda: home.keys.current(member).kid if home.keys.holds(member) else None, unreadable)
    prepared = _read(lambda: _prepared(home, member), unreadable)
    until = kept.until if kept is not None and kid is not None and kept.kid == kid else None
    return OwnKeys(member, kid, until, prepared, "；".join(unreadable) or None)


def _read(look: Callable[[], Found | None], unreadable: list[str]) -> Found | None:
    try:
        return look()
    except AccessDenied:
        return None
    except HuilianError as error:
        unreadable.append(f"{error.code} {error.chinese}")
    except OSError as error:
        unreadable.append(f"{error.filename} 无法读取 (cannot be read): {why(error)}")
    return None


def _prepared(home: Home, member: str) -> PreparedKey | None:
    try:
        key, made_at = home.keys.prepared(member), home.keys.prepared_at(member)
    except FileNotFoundError:  # it was taken into use at this moment
        return None
    except UsageError:
        what = (
            "next.pem 已损坏：请删除它，再轮换一次；已采用换钥通知的县里须吊销那把密钥"
            " (damaged: remove it and rotate again; a key the county has entered from it must be revoked there)"
        )
        raise UsageError("HL7001", what=what) from None
    return PreparedKey(key.kid, made_at) if key is not None and made_at is not None else None


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(CHINA).date()
