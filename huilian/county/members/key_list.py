"""The list of the platform's keys, made and sent to every member when a key is made or revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.core.errors import AccessDenied
from huilian.county.members import directory
from huilian.wire import signed_documents
from huilian.wire.envelope import Draft
from huilian.wire.joining import KEY_LIST, PLATFORM_KEYS
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.wire.keys import KeyFolder, SigningKey

__all__ = ["announce_key_list", "make_key_list"]


def make_key_list(
    transaction: Transaction, keys: KeyFolder, *, county: str, now: dt.datetime, also: Iterable[SigningKey] = ()
) -> str:
    """Return the text of the list as it is now.

    Args:
        transaction: the transaction.
        keys: where the platform's private keys are kept.
        county: six digits of this office.
        now: the moment of signing.
        also: private keys that do not sign other things yet.

    Raises:
        AccessDenied: HL4006, no private key of the platform that counts is here.
    """
    entered = directory.keys_of(transaction, PLATFORM)
    counting = {key.kid for key in entered if key.counts_at(now)}
    signers = [key for key in (*also, *keys.kept(PLATFORM)) if key.kid in counting]
    if not signers:
        raise AccessDenied("HL4006", member=PLATFORM)
    claims = {
        "county": county,
        "keys": [
            {
                "key": key.public.text,
                "from": signed_documents.stamp(key.valid_from),
                "until": signed_documents.stamp(key.valid_until),
                "revoked": signed_documents.stamp(key.revoked_at) if key.revoked_at else None,
            }
            for key in entered
            if key.public.fault is None
        ],
        "time": signed_documents.stamp(now),
    }
    return signed_documents.sign(KEY_LIST, claims, signers[: signed_documents.SIGNATURES_AT_MOST])


def announce_key_list(office: Office, transaction: Transaction, *, also: Iterable[SigningKey] = ()) -> int:
    """Put the list, as it is now, on its way to every member that has not left; return how many that are."""
    now = office.clock.now()
    text = make_key_list(transaction, office.home.keys, county=office.settings.county, now=now, also=also)
    processor = office.processor
    contract = office.context.catalogue.latest(PLATFORM_KEYS)
    receivers = [
        member
        for member in directory.all_members(transaction)
        if not member.left and member.code != PLATFORM and processor.access.may_receive(member.kind, PLATFORM_KEYS)
    ]
    for member in receivers:
        processor.send(
            transaction, Draft(PLATFORM_KEYS, contract.dataschema, member.code, text.encode(), bulk=contract.bulk)
        )
    return len(receivers)
