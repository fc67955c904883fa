"""The member directory: who takes part, and which of their keys counts when."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from huilian.core.clock import CHINA
from huilian.core.errors import AccessDenied, MessageRefused, UsageError
from huilian.county import audit
from huilian.wire.access import KINDS, is_service
from huilian.wire.keys import CLOCK_SKEW, KEY_LIFETIME, PublicKey, check_period
from huilian.wire.names import PLATFORM, is_code

if TYPE_CHECKING:
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

__all__ = [
    "ENDED_KEY_COUNTS_FOR",
    "Member",
    "MemberKey",
    "add",
    "add_key",
    "all_members",
    "find",
    "is_ours",
    "keys_of",
    "revoke_key",
    "sender",
]

ENDED_KEY_COUNTS_FOR: Final = dt.timedelta(days=30)
"""How long after the end of a key what it signed before that may still come for the first time."""
# Without hyphens: a submission is named "member-kind-date-digest", and belongs to the member before the first of them.
_MEMBER: Final = (
    "m.code, m.kind, m.name, m.adapter, m.region,"
    ' m.suspended_at IS NOT NULL AS suspended, m.left_at IS NOT NULL AS "left"'
)


@dataclass(frozen=True)
class Member:
    """One party: its code, what it is, and the adapter that speaks its formats; whether it takes part now."""

    code: str
    kind: str
    name: str
    adapter: str | None
    region: str | None
    suspended: bool
    left: bool = False

    @property
    def takes_part(self) -> bool:
        """Return whether it is neither suspended nor gone."""
        return not (self.suspended or self.left)


@dataclass(frozen=True)
class MemberKey:
    """A public key of a member and the time in which its signatures count."""

    kid: str
    member: str
    public: PublicKey
    valid_from: dt.datetime
    valid_until: dt.datetime
    revoked_at: dt.datetime | None

    @property
    def ends(self) -> dt.datetime:
        """Return when it ends, or did; a key may be revoked from a later moment on."""
        return self.valid_until if self.revoked_at is None else min(self.valid_until, self.revoked_at)

    def counts_at(self, moment: dt.datetime, *, received: dt.datetime | None = None) -> bool:
        """Return whether a signature made at `moment` counts.

        Args:
            moment: the time of signing, as the signer states it.
            received: when the message came here, if not at that moment. Whoever stole a key can
                date a message back; nobody can have handed it in before the key was revoked.
        """
        revoked = self.revoked_at is not None and max(moment, received or moment) >= self.revoked_at
        return self.valid_from <= moment < self.valid_until and not revoked and not self.is_late(received or moment)

    def is_late(self, received: dt.datetime) -> bool:
        """Return whether what comes at this moment comes too long after the key's end, whenever it was signed.

        A key that ended long ago lies in old backups: whoever finds it can date a message back to when it counted.
        """
        return received >= self.valid_until + ENDED_KEY_COUNTS_FOR


def is_ours(code: str) -> bool:
    """Return whether `code` is the platform's or a service's."""
    return code == PLATFORM or is_service(code)


def add(transaction: Transaction, member: Member, *, now: dt.datetime, actor: str) -> None:
    """Enter a member, or a service of ours under its code.

    Raises:
        AccessDenied: HL4007, the code is taken.
        UsageError: HL7001, the code or the kind is not one.
    """
    if is_service(member.code):
        _insert(transaction, member, now=now, actor=actor)
        return
    if not is_code(member.code):
        what = "机构代码应为 1 至 20 位字母、数字或 _ (a member code is 1 to 20 letters, digits or _)"
        raise UsageError("HL7001", what=what)
    if member.kind not in KINDS:
        raise UsageError("HL7001", what=f"机构类型应为 (the kind is one of): {', '.join(KINDS)}")
    _insert(transaction, member, now=now, actor=actor)


def _insert(transaction: Transaction, member: Member, *, now: dt.datetime, actor: str) -> None:
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
    """Enter a key of a member; without dates it counts from now for two years.

    Raises:
        AccessDenied: HL4001, no such member; HL4016, it has left; HL4019, it may not be a key;
            HL4020, it would count from too far ahead or for too long.
        UsageError: HL7022, the key was entered before; HL7001, it would never count.
    """
    begins = valid_from or now
    key = MemberKey(public.kid, code, public.check(), begins, valid_until or begins + KEY_LIFETIME, None)
    if key.valid_until <= key.valid_from:
        raise UsageError("HL7001", what="密钥失效时间应晚于生效时间 (a key must end after it begins)")
    check_period(key.valid_from, key.valid_until, now=now, name=code)
    # It must not leave before the key is entered, unseen.
    transaction.execute("SELECT FROM huilian.member WHERE code = %s FOR UPDATE", [code])
    if find(transaction, code).left:
        raise AccessDenied("HL4016", member=code, what="已退出 (has left)")
    added = transaction.execute(
        "INSERT INTO huilian.member_key (kid, member, public_key, valid_from, valid_until) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (kid) DO NOTHING",
        [key.kid, code, public.raw, key.valid_from, key.valid_until],
    )
    if not added:
        raise UsageError("HL7022", what=key.kid)
    detail = {"kid": key.kid, "from": key.valid_from.isoformat(), "until": key.valid_until.isoformat()}
    audit.append(transaction, now=now, actor=actor, action="key.added", subject=code, detail=detail)
    return key


def revoke_key(
    transaction: Transaction, kid: str, *, now: dt.datetime, actor: str, since: dt.datetime | None = None
) -> None:
    """Let nothing signed with a key in that was signed, or came, after a moment.

    Messages that came before stay good. What came after it and was handled already is not undone:
    whoever sets an earlier moment looks at that. Revoked again, the earlier moment counts.

    Args:
        transaction: the transaction.
        kid: the key.
        now: the present moment, for the log.
        actor: who revokes it.
        since: the moment from which the key counts no more; now, unless it is given.

    Raises:
        AccessDenied: HL4001, no such key.
    """
    row = transaction.row("SELECT member, revoked_at FROM huilian.member_key WHERE kid = %s FOR UPDATE", [kid])
    if row is None:
        raise AccessDenied("HL4001", member=kid)
    moment = since or now
    if row["revoked_at"] is not None and row["revoked_at"] <= moment:
        return
    transaction.execute("UPDATE huilian.member_key SET revoked_at = %s WHERE kid = %s", [moment, kid])
    detail = {"kid": kid} if moment == now else {"kid": kid, "since": moment.isoformat()}
    audit.append(transaction, now=now, actor=actor, action="key.revoked", subject=row["member"], detail=detail)


def find(transaction: Transaction, code: str) -> Member:
    """Return the member called `code`.

    Raises:
        AccessDenied: HL4001, there is none.
    """
    row = transaction.row(
        f"SELECT {_MEMBER} FROM huilian.member m WHERE code = %s",
        [code],
    )
    if row is None:
        raise AccessDenied("HL4001", member=code)
    return Member(**row)


def all_members(transaction: Transaction) -> list[Member]:
    """Return every member, by code; those that left too, and not our services."""
    rows = transaction.rows(f"SELECT {_MEMBER} FROM huilian.member m WHERE kind <> 'service' ORDER BY code")
    return [Member(**row) for row in rows]


def keys_of(transaction: Transaction, code: str) -> list[MemberKey]:
    """Return the keys of a member, oldest first."""
    rows = transaction.rows("SELECT * FROM huilian.member_key WHERE member = %s ORDER BY valid_from", [code])
    return [_key(row) for row in rows]


def sender(transaction: Transaction, message: Message, *, now: dt.datetime) -> tuple[Member, MemberKey]:
    """Return the member and key a message claims, if that key counted when it was signed and when it came.

    Raises:
        MessageRefused: HL1002, the key is unknown or another member's; HL1003, it did not
            count at that time; HL1013, the member is suspended; HL1015, signed in the future;
            HL1016, the member has left; HL1025, it came too long after the end of its key.
    """
    row = transaction.row(
        f"SELECT k.*, {_MEMBER}"
        " FROM huilian.member_key k JOIN huilian.member m ON m.code = k.member WHERE k.kid = %s AND m.code = %s",
        [message.kid, message.source],
    )
    if row is None:
        raise MessageRefused("HL1002", kid=message.kid)
    key = _key(row)
    member = Member(**{field.name: row[field.name] for field in fields(Member)})
    # When it came matters only where a moment before this one would change the answer.
    received = now if key.counts_at(message.time, received=now) else _received(transaction, message) or now
    if not key.counts_at(message.time, received=received):
        # What came before it left is let in: with it its keys were revoked, and that moment decides.
        if member.left:
            raise MessageRefused("HL1016", member=member.code)
        if key.revoked_at is None and key.counts_at(message.time):
            ended = f"{key.valid_until.astimezone(CHINA):%Y-%m-%d %H:%M}"
            raise MessageRefused("HL1025", kid=message.kid, ended=ended, days=ENDED_KEY_COUNTS_FOR.days)
        raise MessageRefused("HL1003", kid=message.kid)
    if message.time > now + CLOCK_SKEW:
        raise MessageRefused("HL1015", time=message.time.isoformat())
    if member.suspended:
        raise MessageRefused("HL1013", member=member.code)
    return member, key


def _received(transaction: Transaction, message: Message) -> dt.datetime | None:
    """Return when these very bytes first came, if they did: taken in, or refused for another reason.

    Whether their signature holds is looked at after this; it did then if it does now.
    """
    seal, payload = (hashlib.sha256(part).hexdigest() for part in (message.seal.encode("ascii"), message.payload))
    came: dt.datetime | None = transaction.value(
        "SELECT least((SELECT received_at FROM huilian.message WHERE source = %s AND id = %s AND digest = %s),"
        " (SELECT min(received_at) FROM huilian.dead_letter WHERE seal_sha256 = %s AND sha256 = %s))",
        [message.source, message.id, message.digest, seal, payload],
    )
    return came


def _key(row: dict[str, object]) -> MemberKey:
    return MemberKey(
        kid=str(row["kid"]),
        member=str(row["member"]),
        public=PublicKey(bytes(row["public_key"])),  # type: ignore[call-overload]  # bytea
        valid_from=row["valid_from"],  # type: ignore[arg-type]  # timestamptz
        valid_until=row["valid_until"],  # type: ignore[arg-type]  # timestamptz
        revoked_at=row["revoked_at"],  # type: ignore[arg-type]  # timestamptz
    )
