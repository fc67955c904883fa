"""Writing an approval anew: the file was lost on its way, or arrived when it was older than 14 days.

Nothing is entered: what the county has of the key is said once more, now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian import audit, members
from huilian.errors import UsageError
from huilian.membership import approval, standing

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database import Transaction
    from huilian.keys import KeyFolder
    from huilian.members import MemberKey
    from huilian.membership.approval import Addresses

__all__ = ["issue_anew"]


def issue_anew(
    transaction: Transaction,
    keys: KeyFolder,
    code: str,
    *,
    county: str,
    addresses: Addresses,
    now: dt.datetime,
    actor: str,
    kid: str | None = None,
) -> tuple[MemberKey, str]:
    """Return a key of a member that counts now, and an approval of it, to be written to a file.

    Args:
        transaction: the transaction; this ends with an audit record.
        keys: where the platform's private key is kept.
        code: the member's.
        county: six digits of this office.
        addresses: where it is reached; the institution keeps those it knows that are not given.
        now: the present moment.
        actor: who issues it.
        kid: the key, or the beginning of its `kid`; the one entered last unless given.

    Raises:
        AccessDenied: HL4001, no such member; HL4016, it is suspended or has left; HL4006, the
            platform's private key is not here.
        UsageError: HL7023, the member has no key that counts; HL7001, `kid` names none or several of them.
    """
    if code == members.PLATFORM:
        what = f"{code} 是平台自身，不需批准 (the platform's own key is not approved by anybody)"
        raise UsageError("HL7001", what=what)
    standing.check_takes_part(members.find(transaction, code))
    key = _chosen(code, [key for key in members.keys_of(transaction, code) if key.counts_at(now)], kid)
    text = approval.issue(transaction, keys, key, county=county, addresses=addresses, now=now)
    audit.append(transaction, now=now, actor=actor, action="approval.issued", subject=code, detail={"kid": key.kid})
    return key, text


def _chosen(code: str, counting: list[MemberKey], kid: str | None) -> MemberKey:
    """Return the key that was asked for, of those that count, oldest first."""
    if not counting:
        raise UsageError("HL7023", member=code)
    if kid is None:
        return counting[-1]
    matching = [key for key in counting if kid and key.kid.startswith(kid)]
    if len(matching) != 1:
        chinese = f"{code} 有 {len(matching)} 个有效密钥以 {kid} 开头，应恰有一个"
        english = f"{len(matching)} of its keys that count begin so; exactly one is needed"
        raise UsageError("HL7001", what=f"{chinese} ({english})")
    return matching[0]
