"""What `huilian doctor` and `huilian member list` say of keys that end, or are not used, with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian import members
from huilian.cli import screen
from huilian.cli.findings import FAIL, OK, WARN, Finding
from huilian.membership import key_expiry

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.database import Transaction
    from huilian.home import Home
    from huilian.membership.key_expiry import Ending

__all__ = ["examine", "finding"]

_TITLE: Final = "密钥 (keys)"
_KID_SHOWN: Final = 12
"""Letters of a `kid` that tell a member's keys apart, as in the names of their files."""


def examine(home: Home, transaction: Transaction, now: dt.datetime) -> Iterator[Finding]:
    """Look at the keys of all who take part, and for the platform's private one."""
    endings = key_expiry.endings(transaction, home.keys, now)
    troubles = [found for ending in endings if (found := finding(ending)) is not None]
    if not home.keys.holds(members.PLATFORM):
        what = "平台私钥不在本机 (the platform's private key is not here)"
        troubles.append(Finding(_TITLE, FAIL, what, "从备份恢复 keys/ (restore keys/ from the backup)"))
    troubles.extend(_unusable(home, transaction, now))
    yield from troubles or [
        Finding(_TITLE, OK, f"各机构均有 {key_expiry.WARNING_DAYS} 天以上有效的密钥 (every member has one)")
    ]


def _unusable(home: Home, transaction: Transaction, now: dt.datetime) -> Iterator[Finding]:
    """Find what an older Huilian let through: keys that may not be one, a platform that signs with a revoked one."""
    for member in members.all_members(transaction):
        for key in members.keys_of(transaction, member.code):
            if key.public.fault is not None:
                what = f"{member.code} 的公钥 {key.kid[:_KID_SHOWN]} 不能使用，由它签名的一律不收：{key.public.fault}"
                remedy = f"电话核实后登记其新公钥 (enter its new one, after a call): huilian member key {member.code}"
                yield Finding(_TITLE, FAIL, what, f"{remedy} --public-key FILE")
    if home.keys.holds(members.PLATFORM):
        used = home.keys.current(members.PLATFORM).kid
        counting = {key.kid for key in members.keys_of(transaction, members.PLATFORM) if key.counts_at(now)}
        if counting and used not in counting:  # without any that counts, that is told already
            what = f"平台正用已吊销或失效的密钥 {used[:_KID_SHOWN]} 签名，机构不会采信 (signs with a key that ended)"
            yield Finding(_TITLE, FAIL, what, f"huilian member key {members.PLATFORM} --rotate")


def finding(ending: Ending) -> Finding | None:
    """Return what is to be said of one member's keys; None when nothing is."""
    code = ending.member.code
    if ending.cause is None:
        return None
    if ending.key is None:
        status = FAIL if code == members.PLATFORM else WARN
        by_telephone = "" if ending.kept_here else "电话核实后登记其新公钥 (enter its new key, after a call): "
        return Finding(
            _TITLE, status, f"{code} 没有有效密钥 (has no key that counts)", f"{by_telephone}{ending.remedy}"
        )
    day = (screen.moment(ending.ends) or "").partition(" ")[0]
    when = f"已于 {day} 失效 (ended)" if ending.has_ended else f"{day} 到期，剩 {ending.days} 天 (ends)"
    ends = f"{code} 的密钥 {ending.key.kid[:_KID_SHOWN]} {when}"
    if ending.new is not None:
        entered = f"已登记的新密钥 {ending.new.kid[:_KID_SHOWN]} 尚未用过 (it has signed nothing with its new key)"
        remedy = (
            f"重发批准文件 (send the approval anew): {ending.remedy}"
            "；机构采用 (the institution takes it in): huilian member welcome FILE"
        )
        return Finding(_TITLE, WARN, f"{ends}；{entered}", remedy)
    by_member = "" if ending.kept_here else "请该机构轮换 (have the member rotate): "
    return Finding(_TITLE, WARN, ends, f"{by_member}{ending.remedy}")
