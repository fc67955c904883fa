"""Reading tokens: who may read what over HTTP.

A token reads either a region and all that lies in it, or what one member has sent. The
secret is shown once, when it is made; kept is its SHA-256. It has 256 random bits, so
that needs neither salt nor a slow hash: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core import regions
from huilian.core.errors import AccessDenied, UsageError
from huilian.county import audit
from huilian.county.audit import Purpose
from huilian.county.members import directory
from huilian.wire.names import PURPOSE_HEADER

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database.connection import Transaction

__all__ = ["Scope", "Token", "add", "all_tokens", "revoke", "scope_of", "set_purpose"]


SECRET_BYTES: Final = 32
"""Random bytes in a secret."""
LABEL_LONGEST: Final = 60


@dataclass(frozen=True)
class Token:
    """What is known of a token; its secret is not."""

    label: str
    region: str | None
    member: str | None
    added_at: dt.datetime
    revoked_at: dt.datetime | None
    purpose: str | None = None


@dataclass(frozen=True)
class Scope:
    """What a token may read: one region's subtree, or one member's own.

    Args:
        label: the token's name, for logs.
        region: the region it reads, all that lies within included; None for a member's token.
        member: the member whose loans and submissions it reads; None for a region's token.
        purpose: what it was given out for; it stands for a read of personal data that says no other.
    """

    label: str
    region: str | None
    member: str | None
    purpose: str | None = None

    @property
    def actor(self) -> str:
        """Return who reads, for the audit log: "member:RCB01:<label>", "region:341599:<label>"."""
        return f"region:{self.region}:{self.label}" if self.member is None else f"member:{self.member}:{self.label}"

    def purpose_of(self, said: str | None) -> Purpose:
        """Return why personal data is read when `said` was said; without it what the token was given out for.

        Raises:
            AccessDenied: HL4040, neither says it; HL4041, what was said is no purpose.
        """
        if said is not None:
            return Purpose(audit.checked_purpose(said), "read")
        if self.purpose is None:
            raise AccessDenied("HL4040", header=PURPOSE_HEADER, label=self.label)
        return Purpose(self.purpose, "token")

    def region_for(self, asked: str | None, county: str) -> str:
        """Return the region to read when `asked` was asked for; without that all there is to read.

        Raises:
            AccessDenied: HL4003, it lies outside the token's own.
            UsageError: HL7002, it is no region.
        """
        own = self.region or county
        region = own if asked is None else regions.normalise(asked)
        if self.region is not None and not regions.contains(self.region, region):
            raise AccessDenied("HL4003", region=region)
        return region

    def member_for(self, asked: str | None) -> str | None:
        """Return the member to narrow the answer to when `asked` was asked for; None for all.

        Raises:
            AccessDenied: HL4008, the token is another member's.
        """
        if self.member is None:
            return asked
        if asked not in (None, self.member):
            raise AccessDenied("HL4008", member=asked)
        return self.member

    def check_whole_county(self, county: str) -> None:
        """Let pass a token that reads the whole county: submissions are not split by region.

        Raises:
            AccessDenied: HL4003, it reads a part of the county only.
        """
        if self.region is not None and not regions.contains(self.region, county):
            raise AccessDenied("HL4003", region=county)

    def check_no_member(self) -> None:
        """Let pass a token that is no member's: not every answer can be narrowed to one.

        Raises:
            AccessDenied: HL4008, it is a member's.
        """
        if self.member is not None:
            raise AccessDenied("HL4008", member="*")

    def check_submission(self, submission: str, county: str, *, owner: str | None = None) -> None:
        """Let pass a token that may read this submission: its member's own, or any, with the whole county.

        Args:
            submission: its name, which begins with the member that sent it.
            county: the office's own.
            owner: who sent it, where that is known better than by the name.

        Raises:
            AccessDenied: HL4005, it may not.
        """
        if self.region is not None:
            allowed = regions.contains(self.region, county)
        else:
            allowed = submission.startswith(f"{self.member}-") and owner in (None, self.member)
        if not allowed:
            raise AccessDenied("HL4005")


def add(
    transaction: Transaction,
    label: str,
    *,
    now: dt.datetime,
    actor: str,
    region: str | None = None,
    member: str | None = None,
    purpose: str | None = None,
) -> str:
    """Enter a token for exactly one of `region` and `member`, and return its secret, which is not kept.

    Call it last in a transaction: it ends with an audit record. `purpose` is what personal data is read for with it;
    without one every such read has to say why.

    Raises:
        UsageError: HL7022, the label is taken; HL7001, it is not one, or not exactly one of the two is given;
            HL7002, the region is not one.
        AccessDenied: HL4001, there is no such member; HL4041, the purpose is none.
    """
    if not (0 < len(label) <= LABEL_LONGEST and label.isprintable() and label == label.strip()):
        raise UsageError(
            "HL7001", what=f"令牌名称应为 1 至 {LABEL_LONGEST} 个字符 (a label is 1 to {LABEL_LONGEST} characters)"
        )
    if (region is None) == (member is None):
        raise UsageError("HL7001", what="区划与机构须且只须指定其一 (a token reads either a region or a member's own)")
    region = None if region is None else regions.normalise(region)
    if member is not None:
        directory.find(transaction, member)
    purpose = None if purpose is None else audit.checked_purpose(purpose)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    added = transaction.execute(
        "INSERT INTO huilian.token (sha256, label, region, member, added_at, purpose) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (label) DO NOTHING",
        [_sha256(secret), label, region, member, now, purpose],
    )
    if not added:
        raise UsageError("HL7022", what=label)
    detail = {"region": region, "member": member, "purpose": purpose}
    audit.append(transaction, now=now, actor=actor, action="token.added", subject=label, detail=detail)
    return secret


def revoke(transaction: Transaction, label: str, *, now: dt.datetime, actor: str) -> None:
    """Let a token read nothing from now on; one that was revoked before stays so.

    Call it last in a transaction: it ends with an audit record.

    Raises:
        UsageError: HL7001, there is no such token.
    """
    if _entered(transaction, label)["revoked_at"] is None:
        transaction.execute("UPDATE huilian.token SET revoked_at = %s WHERE label = %s", [now, label])
        audit.append(transaction, now=now, actor=actor, action="token.revoked", subject=label, detail={})


def set_purpose(transaction: Transaction, label: str, purpose: str, *, now: dt.datetime, actor: str) -> None:
    """Enter for what personal data is read with a token, from now on.

    Call it last in a transaction: it ends with an audit record.

    Raises:
        UsageError: HL7001, there is no such token.
        AccessDenied: HL4041, the purpose is none.
    """
    before, purpose = _entered(transaction, label)["purpose"], audit.checked_purpose(purpose)
    if purpose != before:
        transaction.execute("UPDATE huilian.token SET purpose = %s WHERE label = %s", [purpose, label])
        detail = {"purpose": purpose, "before": before}
        audit.append(transaction, now=now, actor=actor, action="token.purpose_entered", subject=label, detail=detail)


def _entered(transaction: Transaction, label: str) -> dict[str, Any]:
    row = transaction.row("SELECT revoked_at, purpose FROM huilian.token WHERE label = %s FOR UPDATE", [label])
    if row is None:
        raise UsageError("HL7001", what=f"没有名为 {label} 的令牌 (there is no such token)")
    return row


def all_tokens(transaction: Transaction) -> list[Token]:
    """Return every token, revoked ones too, by label."""
    rows = transaction.rows(
        "SELECT label, region, member, added_at, revoked_at, purpose FROM huilian.token ORDER BY label"
    )
    return [Token(**row) for row in rows]


def scope_of(transaction: Transaction, secret: str) -> Scope:
    """Return what the token with this secret may read.

    Raises:
        AccessDenied: HL4002, there is no such token, it was revoked, or its member is suspended or has left.
    """
    row = transaction.row(
        "SELECT t.label, t.region, t.member, t.purpose"
        " FROM huilian.token t LEFT JOIN huilian.member m ON m.code = t.member"
        " WHERE t.sha256 = %s AND t.revoked_at IS NULL AND m.suspended_at IS NULL AND m.left_at IS NULL",
        [_sha256(secret)],
    )
    if row is None:
        raise AccessDenied("HL4002")
    return Scope(**row)


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
