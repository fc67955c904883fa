"""The approval: what the county answers to a joining request or a key announcement.

It carries the platform's public keys, the county's addresses and until when the member's key
counts; the platform signs it. It holds no secret, no password and no token. The first one an
institution takes in is believed by the fingerprint of its key, told by telephone; later ones by the
keys it trusts already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from huilian import members
from huilian.errors import AccessDenied, UsageError
from huilian.membership import signed_document
from huilian.membership.signed_document import stamp
from huilian.wire.trusted_keys import TrustedKey

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from huilian.database import Transaction
    from huilian.keys import KeyFolder, PublicKey, SigningKey
    from huilian.members import MemberKey
    from huilian.membership.signed_document import SignedDocument

__all__ = ["Addresses", "Approval", "issue", "make_approval", "read_approval"]

APPROVAL: Final = "approval"


@dataclass(frozen=True)
class Addresses:
    """Where a county is reached, without user names and passwords.

    Args:
        https: the HTTP interface, or None.
        amqps: the broker and its virtual host, or None.

    Raises:
        UsageError: HL7001, an address is none, is not encrypted, or holds credentials.
    """

    https: str | None = None
    amqps: str | None = None

    def __post_init__(self) -> None:
        """Hold both to what an address may be."""
        for scheme, url in (("https", self.https), ("amqps", self.amqps)):
            if url is not None and not _is_address(url, scheme):
                what = (
                    f"地址应形如 {scheme}://主机[:端口]，不含用户名和密码"
                    f" (an address like {scheme}://host[:port] is needed, without user and password)"
                )
                raise UsageError("HL7001", what=what)


def _is_address(url: str, scheme: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0  # beyond 65535, or no number, it raises
    except ValueError:
        return False
    # Cut and joined it is the same: nothing was dropped that only some readers would drop.
    plain = url.isascii() and url.isprintable() and " " not in url and parts.geturl() == url
    bare = not (parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme == scheme and bool(parts.hostname) and has_port and plain and bare


@dataclass(frozen=True)
class Approval:
    """What the county answers.

    Args:
        document: as it was read.
        county: its six digits.
        member: whom it approved.
        kid: the key it entered.
        until: until when that key counts.
        platform: the keys by which the county's answers are believed, with the times in which they count; the one
            that signed stands first.
        addresses: where the county is reached.
        broker_user: the member's user name on the broker.
        time: when it was signed.
    """

    document: SignedDocument
    county: str
    member: str
    kid: str
    until: dt.datetime
    platform: tuple[TrustedKey, ...]
    addresses: Addresses
    broker_user: str
    time: dt.datetime


def issue(
    transaction: Transaction,
    keys: KeyFolder,
    entered: MemberKey,
    *,
    county: str,
    addresses: Addresses,
    now: dt.datetime,
) -> str:
    """Return the approval of a key that this office has entered, signed with the platform's newest key.

    Raises:
        AccessDenied: HL4006, the platform's private key is not here.
    """
    counting = [
        TrustedKey(key.public, key.valid_from, key.valid_until)
        for key in members.keys_of(transaction, members.PLATFORM)
        if key.counts_at(now)
    ]
    return make_approval(
        county=county,
        member=entered.member,
        kid=entered.kid,
        until=entered.ends,
        platform=counting,
        addresses=addresses,
        key=keys.current(members.PLATFORM),
        now=now,
    )


def make_approval(
    *,
    county: str,
    member: str,
    kid: str,
    until: dt.datetime,
    platform: Sequence[TrustedKey],
    addresses: Addresses,
    key: SigningKey,
    now: dt.datetime,
) -> str:
    """Return the text of an approval signed by the platform's `key`, to be written to a file; see `Approval`."""
    known = {other.kid: other for other in platform}
    keys = [known.pop(key.kid, TrustedKey(key.public)), *known.values()]
    claims = {
        "county": county,
        "member": member,
        "kid": kid,
        "until": stamp(until),
        "platform_keys": [each.public.text for each in keys],
        # In the same order. Beside, and not within: an older Huilian reads the keys alone.
        "platform_key_times": [
            {"from": each.valid_from and stamp(each.valid_from), "until": each.valid_until and stamp(each.valid_until)}
            for each in keys
        ],
        "https": addresses.https,
        "amqps": addresses.amqps,
        "broker_user": member,
        "time": stamp(now),
    }
    return signed_document.sign(APPROVAL, claims, [key])


def read_approval(text: str, *, name: str) -> Approval:
    """Return the approval a text holds; the first key in it has signed it.

    Whether that key is the county's is for the reader to establish. Where an older county does not say when its keys
    count, that is two years from the time of the approval.

    Raises:
        AccessDenied: HL4009, it is none or was altered; HL4019, a key in it may not be one.
    """
    document = signed_document.read(text, APPROVAL, name=name)
    claims = document.claims
    stated = claims.get("platform_keys")
    plain = all(isinstance(claims.get(claim), str) for claim in ("county", "member", "kid", "broker_user"))
    if not plain or not isinstance(stated, list):
        raise AccessDenied("HL4009", file=name, what="内容不全 (incomplete)")
    keys = [signed_document.public_key_of(document, value) for value in stated]
    signed_document.verify(document, keys[:1])
    time = signed_document.moment_of(document, claims.get("time"))
    times = claims.get("platform_key_times") or [{}] * len(keys)
    if not (isinstance(times, list) and len(times) == len(keys) and all(isinstance(each, dict) for each in times)):
        raise AccessDenied("HL4009", file=name, what="平台密钥的时间有误 (the times of the platform's keys are wrong)")
    platform = tuple(_platform_key(document, key, each, time) for key, each in zip(keys, times, strict=True))
    try:
        addresses = Addresses(claims.get("https"), claims.get("amqps"))
    except (UsageError, AttributeError, TypeError, ValueError):
        raise AccessDenied("HL4009", file=name, what="地址有误 (an address is wrong)") from None
    return Approval(
        document=document,
        county=claims["county"],
        member=claims["member"],
        kid=claims["kid"],
        until=signed_document.moment_of(document, claims.get("until")),
        platform=platform,
        addresses=addresses,
        broker_user=claims["broker_user"],
        time=time,
    )


def _platform_key(
    document: SignedDocument, public: PublicKey, stated: Mapping[str, object], time: dt.datetime
) -> TrustedKey:
    begins, ends = stated.get("from"), stated.get("until")
    return TrustedKey(
        public,
        None if begins is None else signed_document.moment_of(document, begins),
        time + members.KEY_LIFETIME if ends is None else signed_document.moment_of(document, ends),
    )
