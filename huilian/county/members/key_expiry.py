"""When members' keys end, and telling them in time.

A member is warned

- when the last of its keys ends within 30 days, or none counts any more: it has to make another;
- when the key it last signed with ends within 30 days though a key was entered since that counts longer: it has not
  begun to use that one, since the approval never arrived perhaps. This goes on for 30 days after the end, unless it
  signs with the new key before: longer than a monthly ledger needs to come. Of a member that is silent for longer
  the scoreboard tells, and the age of its ledger. A key that was revoked is replaced by a call, not by an approval,
  and is not told of in this way.

Which key a member last signed with is what the county has of it: the seal of its newest message that was let in, by
the time of signing, since what lay in a spool may come after what was signed later. A member whose new private key is
the newest kept on this machine will sign with it, whether or not it has.

Warned is whoever runs the office by `doctor`, the list of members, the metrics and the log; the member itself by a
sealed notice (`key_expiring`), at most once a week for each key.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from huilian.core.clock import CHINA
from huilian.county.members import directory
from huilian.county.messages import notices
from huilian.county.schedule import Calendar, Job
from huilian.wire import envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huilian.county.members.directory import Member, MemberKey
    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.wire.keys import KeyFolder

__all__ = [
    "JOB",
    "LAST_KEY_ENDS",
    "NEW_KEY_UNUSED",
    "NO_KEY",
    "URGENT_DAYS",
    "WARNING_DAYS",
    "Ending",
    "ending_of",
    "endings",
    "warn",
]


WARNING_DAYS: Final = 30
"""Days before its end from which a key is warned of, and after it for which a new one may be unused."""
URGENT_DAYS: Final = 7
NO_KEY: Final = "no_key"
LAST_KEY_ENDS: Final = "last_key_ends"
NEW_KEY_UNUSED: Final = "new_key_unused"
KIND: Final = "key_expiring"
AGAIN_AFTER: Final = dt.timedelta(days=7)
"""Before the member is told again."""

NEWEST_SEAL: Final = (
    "SELECT seal FROM huilian.message WHERE source = %s AND source <> 'HUILIAN' ORDER BY time DESC LIMIT 1"
)
"""Said as the index says it, which leaves out the platform's own messages."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Ending:
    """The end of a member's keys that comes first for it.

    Args:
        member: the member.
        key: of the keys that count now the one that ends last; or the one it last signed with, when it ends soon, or
            did, and there is a new one. None when none counts.
        days: whole days until then, 0 when none counts or it has ended.
        new: the key that was entered since and that it has signed nothing with, only when `key` is warned of for that.
        kept_here: whether the private key of the one that was entered last is kept on this machine.
        has_ended: whether `key` counts no more.
    """

    member: Member
    key: MemberKey | None
    days: int
    new: MemberKey | None = None
    kept_here: bool = False
    has_ended: bool = False

    @property
    def ends(self) -> dt.datetime | None:
        """Return when `key` ends, or did."""
        return self.key.ends if self.key else None

    @property
    def cause(self) -> str | None:
        """Return why it is warned of: `NO_KEY`, `NEW_KEY_UNUSED` or `LAST_KEY_ENDS`; None when it is not."""
        if self.key is None:
            return NO_KEY
        if self.new is not None:
            return NEW_KEY_UNUSED
        return LAST_KEY_ENDS if self.days < WARNING_DAYS else None

    @property
    def remedy(self) -> str | None:
        """Return the command that puts it right; the one for a last key that ends is the institution's, if kept there.

        With `NEW_KEY_UNUSED` the county sends what it wrote, and the institution takes it in: `huilian member welcome`.
        """
        code = self.member.code
        if self.cause is None:
            return None
        if self.cause == NEW_KEY_UNUSED:
            return f"huilian member approval {code} --out {code}.approval.json"
        if self.kept_here:
            return f"huilian member key {code} --rotate"
        # What would announce another key counts no more: the county enters it after a call.
        return f"huilian member key {code} --public-key FILE" if self.key is None else f"huilian member rotate {code}"


def ending_of(transaction: Transaction, keys: KeyFolder, member: Member, now: dt.datetime) -> Ending:
    """Return when a member's keys end.

    Args:
        transaction: the transaction.
        keys: the private keys kept on this machine.
        member: the member.
        now: the present moment.
    """
    entered = directory.keys_of(transaction, member.code)
    # Of one that has its keys elsewhere by now, an old one may still lie here.
    here = bool(entered) and keys.signs_with(member.code, entered[-1].kid)
    successions = {old.kid: (old, new) for old in entered if (new := _successor(old, entered, now))}
    # Asked for only where it matters, which is seldom.
    used = successions.get(_signed_with_last(transaction, member.code) or "") if successions else None
    if used is not None and not keys.signs_with(member.code, used[1].kid):
        old, new = used
        return Ending(member, old, max(0, (old.ends - now).days), new, kept_here=here, has_ended=old.ends <= now)
    last = max((key for key in entered if key.counts_at(now)), key=lambda key: key.ends, default=None)
    return Ending(member, last, (last.ends - now).days if last else 0, kept_here=here)


def endings(transaction: Transaction, keys: KeyFolder, now: dt.datetime) -> list[Ending]:
    """Return of every member that takes part when its keys end, by code; see `ending_of`."""
    found = directory.all_members(transaction)
    return [ending_of(transaction, keys, member, now) for member in found if member.takes_part]


def warn(office: Office, transaction: Transaction) -> list[Ending]:
    """Log which members' keys end soon or are not used, tell those members, and return them."""
    now = office.clock.now()
    soon = [ending for ending in endings(transaction, office.home.keys, now) if ending.cause]
    for ending in soon:
        if ending.key is not None:
            _tell(office, transaction, ending, ending.key)
    for ending in soon:
        _log.warning(
            "key_expiring",
            member=ending.member.code,
            days_left=ending.days,
            kid=ending.key.kid if ending.key else None,
            cause=ending.cause,
            new_kid=ending.new.kid if ending.new else None,
            remedy=ending.remedy,
        )
    return soon


JOB: Final = Job("key_expiry", Calendar(), lambda office, transaction, _day: warn(office, transaction))
"""Members are warned every day."""


def _tell(office: Office, transaction: Transaction, ending: Ending, key: MemberKey) -> None:
    processor = office.processor
    if not processor.access.may_receive(ending.member.kind, notices.TYPE):
        return
    now = office.clock.now()
    # Who was told to rotate, and did, is told at once when the new key then goes unused.
    about = f"{key.kid} {ending.new.kid}" if ending.new else key.kid
    if not notices.note(transaction, ending.member.code, KIND, about, now=now, again_after=AGAIN_AFTER):
        return
    moment = f"{key.ends.astimezone(CHINA):%Y-%m-%d %H:%M}"
    until = f"将于 {moment} 失效" if now < key.ends else f"已于 {moment} 失效"
    text = f"机构 {ending.member.code} 的签名密钥 {key.kid} {until}，请用 huilian member rotate 轮换"
    if ending.new:
        text = (
            f"机构 {ending.member.code} 的签名密钥 {key.kid} {until}；县里已登记新密钥 {ending.new.kid}，"
            "但尚未收到用它签名的报文。请用 huilian member welcome 采用县里的批准文件；文件没有收到的，"
            "请县里用 huilian member approval 重发。已经启用新密钥的，不必处理"
        )
    draft = notices.draft(office.context, member=ending.member.code, kind=KIND, text=text, reference=key.kid)
    processor.send(transaction, draft)


def _successor(old: MemberKey, entered: Sequence[MemberKey], now: dt.datetime) -> MemberKey | None:
    """Return the key that takes the place of one that ends now or has just ended: entered since, and counting longer.

    Args:
        old: one of the member's keys.
        entered: all of them, oldest first.
        now: the present moment.
    """
    revoked = old.revoked_at is not None and old.revoked_at <= now
    if revoked or abs(old.ends - now) >= dt.timedelta(days=WARNING_DAYS):
        return None
    since = [key for key in entered if key.valid_from > old.valid_from and key.counts_at(now) and key.ends > old.ends]
    return since[-1] if since else None


def _signed_with_last(transaction: Transaction, code: str) -> str | None:
    """Return the `kid` under which a member's newest message was sealed; None when it sent none.

    The platform sends with the newest key kept here, which need not be asked.
    """
    seal = transaction.value(NEWEST_SEAL, [code])
    return envelope.read(seal, b"").kid if seal else None
