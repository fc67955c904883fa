"""The list of the platform's keys: what the county says of the keys it signs with, new, ended and revoked ones.

A signed document, signed with every platform key that counts and whose private half is at the county. It is believed
where one of those counts that is not the one revoked, or where its fingerprint was told by telephone. It goes to every
member as the message `platform_keys` when a key is made or revoked, over RabbitMQ, HTTP or in a bundle; it can be
fetched over HTTP by anybody, and written to a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian import members
from huilian.envelope import Draft
from huilian.errors import AccessDenied, HuilianError, MessageRefused
from huilian.institution import membership
from huilian.keys import check_period
from huilian.members import CLOCK_SKEW, PLATFORM
from huilian.membership import signed_document
from huilian.wire.trusted_keys import TrustedKey

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from huilian.database import Transaction
    from huilian.envelope import Message
    from huilian.home import Home
    from huilian.keys import KeyFolder, PublicKey, SigningKey
    from huilian.membership.signed_document import SignedDocument
    from huilian.office import Office
    from huilian.wire.trusted_keys import TrustedKeys

__all__ = [
    "KIND",
    "PATH",
    "TYPE",
    "PlatformKeys",
    "after",
    "after_message",
    "announce",
    "make_list",
    "read_list",
    "take_in",
]

TYPE: Final = "platform_keys"
KIND: Final = "platform-keys"
PATH: Final = "/platform-keys"
"""Where it is fetched over HTTP."""
KEYS_AT_MOST: Final = 100
"""Keys a list may have; a county makes one in two years."""


@dataclass(frozen=True)
class PlatformKeys:
    """A list of the platform's keys.

    Args:
        document: as it was read; every signature in it holds.
        county: six digits.
        keys: all of them, with the times in which they count.
        signers: those that have signed, in their order.
        time: when it was signed.
    """

    document: SignedDocument
    county: str
    keys: tuple[TrustedKey, ...]
    signers: tuple[PublicKey, ...]
    time: dt.datetime


def make_list(
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
    entered = members.keys_of(transaction, PLATFORM)
    counting = {key.kid for key in entered if key.counts_at(now)}
    signers = [key for key in (*also, *keys.kept(PLATFORM)) if key.kid in counting]
    if not signers:
        raise AccessDenied("HL4006", member=PLATFORM)
    claims = {
        "county": county,
        "keys": [
            {
                "key": key.public.text,
                "from": signed_document.stamp(key.valid_from),
                "until": signed_document.stamp(key.valid_until),
                "revoked": signed_document.stamp(key.revoked_at) if key.revoked_at else None,
            }
            for key in entered
            if key.public.fault is None
        ],
        "time": signed_document.stamp(now),
    }
    return signed_document.sign(KIND, claims, signers[: signed_document.SIGNATURES_AT_MOST])


def announce(office: Office, transaction: Transaction, *, also: Iterable[SigningKey] = ()) -> int:
    """Put the list, as it is now, on its way to every member that has not left; return how many that are."""
    now = office.clock.now()
    text = make_list(transaction, office.home.keys, county=office.settings.county, now=now, also=also)
    processor = office.processor
    contract = office.context.catalogue.latest(TYPE)
    receivers = [
        member
        for member in members.all_members(transaction)
        if not member.left and member.code != PLATFORM and processor.access.may_receive(member.kind, TYPE)
    ]
    for member in receivers:
        processor.send(transaction, Draft(TYPE, contract.dataschema, member.code, text.encode(), bulk=contract.bulk))
    return len(receivers)


def read_list(text: str, *, name: str) -> PlatformKeys:
    """Return the list a text holds; every key that it says has signed it has.

    Whether one of those is the county's is for the reader to establish.

    Raises:
        AccessDenied: HL4009, it is none or was altered; HL4019, a key in it may not be one.
    """
    document = signed_document.read(text, KIND, name=name)
    stated, county = document.claims.get("keys"), document.claims.get("county")
    if not (isinstance(county, str) and isinstance(stated, list) and 0 < len(stated) <= KEYS_AT_MOST):
        raise AccessDenied("HL4009", file=name, what="内容不全 (incomplete)")
    keys = {key.kid: key for key in (_key(document, each) for each in stated)}
    signers = tuple(keys[kid].public for kid in document.kids if kid in keys)
    signed_document.verify(document, signers)
    time = signed_document.moment_of(document, document.claims.get("time"))
    return PlatformKeys(document, county, tuple(keys.values()), signers, time)


def _key(document: SignedDocument, stated: Any) -> TrustedKey:  # noqa: ANN401  # JSON is any
    if not isinstance(stated, dict):
        raise AccessDenied("HL4009", file=document.name, what="密钥有误 (a key is wrong)")
    revoked = stated.get("revoked")
    return TrustedKey(
        signed_document.public_key_of(document, stated.get("key")),
        signed_document.moment_of(document, stated.get("from")),
        signed_document.moment_of(document, stated.get("until")),
        revoked_since=None if revoked is None else signed_document.moment_of(document, revoked),
    )


def after(
    trusted: TrustedKeys,
    home: Home,
    stated: PlatformKeys,
    *,
    now: dt.datetime,
    confirmed: str | None = None,
    sealed_by: str | None = None,
) -> TrustedKeys:
    """Return what is trusted once a list is taken in.

    Args:
        trusted: what is trusted before.
        home: the data directory.
        stated: the list.
        now: the present moment.
        confirmed: the `kid` of the signer whose fingerprint somebody here has confirmed.
        sealed_by: the `kid` of the key that has sealed the message with the list, and that counts.

    Raises:
        AccessDenied: HL4021, who signed it was revoked here; HL4023, no key that counts here has signed it; HL4019,
            HL4020, a key or a time in it cannot be.
        ConfigurationError: HL6016, it is another county's.
    """
    membership.check_county(home, trusted, stated.county)
    if stated.time > now + CLOCK_SKEW:
        raise AccessDenied(
            "HL4010", file=stated.document.name, time=signed_document.shown(stated.time), days=signed_document.DAYS
        )
    for key in stated.keys:
        if key.valid_from is not None and key.valid_until is not None:
            check_period(key.valid_from, key.valid_until, now=now, name=stated.document.name)
    dropped = {key.kid for key in stated.keys if key.revoked_since is not None and key.revoked_since <= now}
    signers = [key for key in stated.signers if key.kid not in dropped]
    behind = [key.kid for key in signers]
    if sealed_by is not None and sealed_by not in dropped:
        behind.append(sealed_by)
    by = next((kid for kid in behind if trusted.stands(kid, now)), None)
    if by is None:
        signer = next((key for key in signers if key.kid == confirmed), None)
        if signer is None:
            kids = " ".join(key.kid for key in stated.signers)
            raise AccessDenied("HL4023", file=stated.document.name, kids=kids)
        trusted.check_not_revoked(signer)
    told = [TrustedKey(key.public, key.valid_from, key.valid_until, None, key.revoked_since, by) for key in stated.keys]
    return trusted.told(told, county=stated.county, time=stated.time, now=now)


def after_message(
    trusted: TrustedKeys, home: Home, message: Message, *, now: dt.datetime, sealed_by: str | None
) -> TrustedKeys:
    """Return what is trusted once the list in a message is taken in; see `after`.

    Raises:
        MessageRefused: HL1027, it is not taken.
    """
    try:
        text = message.body().decode("utf-8", "replace")
        return after(trusted, home, read_list(text, name=message.type), now=now, sealed_by=sealed_by)
    except MessageRefused:
        raise
    except HuilianError as error:
        raise MessageRefused("HL1027", what=f"{error.code} {error.chinese} ({error.english})") from error


def take_in(home: Home, stated: PlatformKeys, *, now: dt.datetime, confirmed: str | None = None) -> TrustedKeys:
    """Take a list in and return what is trusted from now on; see `after`."""
    return home.change_trusted(PLATFORM, lambda trusted: after(trusted, home, stated, now=now, confirmed=confirmed))
