"""The member directory: who takes part, and which of their keys counts when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian import audit
from huilian.access import KINDS
from huilian.errors import AccessDenied, MessageRefused, UsageError
from huilian.keys import PublicKey

if TYPE_CHECKING:
    from huilian.database import Transaction
    from huilian.envelope import Message

__all__ = ["KEY_LIFETIME", "PLATFORM", "Member", "MemberKey", "add", "add_key", "all_members", "find", "keys_of", "sender"]

PLATFORM: Final = "HUILIAN"
"""The member code under which Huilian's own services sign."""
KEY_LIFETIME: Final = dt.timedelta(days=730)
"""How long a key counts unless it is said otherwise."""
CLOCK_SKEW: Final = dt.timedelta(minutes=10)
"""How far a sender's clock may run ahead of ours."""
CODE_LONGEST: Final = 20


@dataclass(frozen=True)
class Member:
    """One party: its code, what it is, and the adapter that speaks its formats."""

    code: str
    kind: str
    name: str
    adapter: str | None
    region: str | None
    suspended: bool


@dataclass(frozen=True)
class MemberKey:
    """A public key of a member and the time in which its signatures count."""

    kid: str
    member: str
    public: PublicKey
    valid_from: dt.datetime
    valid_until: dt.datetime
    revoked_at: dt.datetime | None

    def counts_at(self, moment: dt.datetime) -> bool:
        """Return whether a signature made at `moment` counts."""
        revoked = self.revoked_at is not None and moment >= self.revoked_at
        return self.valid_from <= moment < self.valid_until and not revoked


def add(transaction: Transaction, member: Member, *, now: dt.datetime, actor: str) -> None:
    """Enter a member.

    Raises:
        AccessDenied: HL4007, the code is taken.
        UsageError: HL7001, the code or the kind is not one.
    """
    if not (0 < len(member.code) <= CODE_LONGEST and member.code.replace("_", "").replace("-", "").isalnum() and member.code.isascii()):
        raise UsageError("HL7001", what="机构代码应为 1 至 20 位字母、数字、- 或 _ (a member code is 1 to 20 letters, digits, - or _)")
    if member.kind not in KINDS:
        raise UsageError("HL7001", what=f"机构类型应为 (the kind is one of): {', '.join(KINDS)}")
    added = transaction.execute(
        "INSERT INTO huilian.member (code, kind, name, adapter, region, added_at) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (code) DO NOTHING",
        [member.code, member.kind, member.name, member.adapter, member.region, now],
    )
    if not added:
        raise AccessDenied("HL4007", member=member.code)
    detail = {"kind": member.kind, "adapter": member.adapter, "region": member.region}
    audit.append(transaction, now=now, actor=actor, action="member.added", subject=member.code, detail=detail)


def add_key(
    transaction: Transaction,
    code: str,
    public: PublicKey,
    *,
    now: dt.datetime,
    actor: str,
    valid_from: dt.datetime | None = None,
    valid_until: dt.datetime | None = None,
) -> MemberKey:
    """Enter a key of a member; without dates it counts from now for two years."""
    begins = valid_from or now
    key = MemberKey(public.kid, code, public, begins, valid_until or begins + KEY_LIFETIME, None)
    transaction.execute(
        "INSERT INTO huilian.member_key (kid, member, public_key, valid_from, valid_until) VALUES (%s, %s, %s, %s, %s)",
        [key.kid, code, public.raw, key.valid_from, key.valid_until],
    )
    detail = {"kid": key.kid, "from": key.valid_from.isoformat(), "until": key.valid_until.isoformat()}
    audit.append(transaction, now=now, actor=actor, action="key.added", subject=code, detail=detail)
    return key


def revoke_key(transaction: Transaction, kid: str, *, now: dt.datetime, actor: str) -> None:
    """Let signatures of a key count no more from now on.

    Raises:
        AccessDenied: HL4001, no such key.
    """
    row = transaction.row("UPDATE huilian.member_key SET revoked_at = %s WHERE kid = %s RETURNING member", [now, kid])
    if row is None:
        raise AccessDenied("HL4001", member=kid)
    audit.append(transaction, now=now, actor=actor, action="key.revoked", subject=row["member"], detail={"kid": kid})


def find(transaction: Transaction, code: str) -> Member:
    """Return the member called `code`.

    Raises:
        AccessDenied: HL4001, there is none.
    """
    row = transaction.row(
        "SELECT code, kind, name, adapter, region, suspended_at IS NOT NULL AS suspended"
        " FROM huilian.member WHERE code = %s",
        [code],
    )
    if row is None:
        raise AccessDenied("HL4001", member=code)
    return Member(**row)


def all_members(transaction: Transaction) -> list[Member]:
    """Return every member, by code."""
    rows = transaction.rows(
        "SELECT code, kind, name, adapter, region, suspended_at IS NOT NULL AS suspended"
        " FROM huilian.member ORDER BY code"
    )
    return [Member(**row) for row in rows]


def keys_of(transaction: Transaction, code: str) -> list[MemberKey]:
    """Return the keys of a member, oldest first."""
    rows = transaction.rows("SELECT * FROM huilian.member_key WHERE member = %s ORDER BY valid_from", [code])
    return [_key(row) for row in rows]


def sender(transaction: Transaction, message: Message, *, now: dt.datetime) -> tuple[Member, MemberKey]:
    """Return the member and key a message claims, if that key counted when it was signed.

    Raises:
        MessageRefused: HL1002, the key is unknown or another member's; HL1003, it did not
            count at that time; HL1013, the member is suspended; HL1015, signed in the future.
    """
    row = transaction.row(
        "SELECT k.*, m.code, m.kind, m.name, m.adapter, m.region, m.suspended_at IS NOT NULL AS suspended"
        " FROM huilian.member_key k JOIN huilian.member m ON m.code = k.member WHERE k.kid = %s AND m.code = %s",
        [message.kid, message.source],
    )
    if row is None:
        raise MessageRefused("HL1002", kid=message.kid)
    key = _key(row)
    if not key.counts_at(message.time):
        raise MessageRefused("HL1003", kid=message.kid)
    if message.time > now + CLOCK_SKEW:
        raise MessageRefused("HL1015", time=message.time.isoformat())
    member = Member(row["code"], row["kind"], row["name"], row["adapter"], row["region"], row["suspended"])
    if member.suspended:
        raise MessageRefused("HL1013", member=member.code)
    return member, key


def _key(row: dict[str, object]) -> MemberKey:
    return MemberKey(
        kid=str(row["kid"]),
        member=str(row["member"]),
        public=PublicKey(bytes(row["public_key"])),  # type: ignore[call-overload]  # bytea
        valid_from=row["valid_from"],  # type: ignore[arg-type]  # timestamptz
        valid_until=row["valid_until"],  # type: ignore[arg-type]  # timestamptz
        revoked_at=row["revoked_at"],  # type: ignore[arg-type]  # timestamptz
    )
