"""Which joining requests and key announcements were taken: each counts once, for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.errors import AccessDenied
from huilian.membership.signed_document import shown

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database import Transaction
    from huilian.keys import PublicKey
    from huilian.membership.signed_document import SignedDocument

__all__ = ["check_new", "note"]


def check_new(
    transaction: Transaction, document: SignedDocument, public: PublicKey, *, repeatable_by: str | None = None
) -> None:
    """Let pass a document that was not taken yet and whose key nobody has, but `repeatable_by` itself.

    Raises:
        AccessDenied: HL4011, it was taken; HL4012, its key is entered.
    """
    taken_at = transaction.value("SELECT taken_at FROM huilian.taken_document WHERE sha256 = %s", [document.sha256])
    if taken_at is not None:
        raise AccessDenied("HL4011", file=document.name, time=shown(taken_at))
    owner = transaction.value("SELECT member FROM huilian.member_key WHERE kid = %s", [public.kid])
    if owner not in (None, repeatable_by):
        raise AccessDenied("HL4012", file=document.name, member=owner)


def note(
    transaction: Transaction, document: SignedDocument, *, kind: str, member: str, kid: str, now: dt.datetime
) -> None:
    """Note that a document was taken and brought in the key `kid`."""
    transaction.execute(
        "INSERT INTO huilian.taken_document (sha256, member, kind, kid, taken_at) VALUES (%s, %s, %s, %s, %s)",
        [document.sha256, member, kind, kid, now],
    )
