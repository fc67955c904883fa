"""The documents by which an institution joins and keys change: request, approval, announcement, list of platform keys.

Each is a signed document (`documents`): whoever reads one decides whether its key is to be believed.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from huilian.core.errors import AccessDenied, UsageError
from huilian.wire import signed_documents
from huilian.wire.access import KINDS
from huilian.wire.keys import KEY_LIFETIME
from huilian.wire.names import is_code
from huilian.wire.signed_documents import stamp
from huilian.wire.trusted_keys import TrustedKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.wire.keys import PublicKey, SigningKey
    from huilian.wire.signed_documents import SignedDocument

__all__ = [
    "JOINING_KINDS",
    "KEY_LIST",
    "KEY_LIST_PATH",
    "OVERLAP_DAYS",
    "PLATFORM_KEYS",
    "Addresses",
    "Approval",
    "JoiningRequest",
    "KeyAnnouncement",
    "PlatformKeys",
    "make_announcement",
    "make_approval",
    "make_request",
    "read_announcement",
    "read_approval",
    "read_key_list",
    "read_request",
    "verify_announcement",
]


REQUEST: Final = "joining-request"
TEXT_LONGEST: Final = 60
JOINING_KINDS: Final = tuple(kind for kind in KINDS if kind not in ("county", "platform"))
"""Kinds of member that ask to join; the county and its platform are there from the beginning."""
_COUNTY: Final = re.compile(r"[1-9][0-9]{5}", re.ASCII)


@dataclass(frozen=True)
class JoiningRequest:
    """An institution that asks to join, with the key it will sign with.

    Args:
        document: as it was read.
        member: the code it asks for.
        kind: one of `JOINING_KINDS`.
        name: what it is called.
        adapter: the adapter it sends files with, if any.
        county: six digits of the county it asks, or None when it did not say.
        public: its public key.
        time: when it was signed, as it says.
    """

    document: SignedDocument
    member: str
    kind: str
    name: str
    adapter: str | None
    county: str | None
    public: PublicKey
    time: dt.datetime


def make_request(
    *, member: str, kind: str, name: str, adapter: str | None, county: str | None, key: SigningKey, now: dt.datetime
) -> str:
    """Return the text of a joining request, to be written to a file; see `JoiningRequest`.

    Raises:
        UsageError: HL7001, code, kind, name, adapter or county is none.
    """
    claims = {
        "member": member,
        "kind": kind,
        "name": name,
        "adapter": adapter,
        "county": county,
        "public_key": key.public.text,
        "time": signed_documents.stamp(now),
    }
    wrong = _wrong(claims)
    if wrong:
        raise UsageError("HL7001", what=wrong)
    return signed_documents.sign(REQUEST, claims, [key])


def read_request(text: str, *, name: str) -> JoiningRequest:
    """Return the request a text holds; the key in it has signed it.

    Raises:
        AccessDenied: HL4009, it is none, was altered, or is not signed by its own key.
    """
    document = signed_documents.read(text, REQUEST, name=name)
    claims = document.claims
    public = signed_documents.public_key_of(document, claims.get("public_key"))
    signed_documents.verify(document, [public])
    wrong = _wrong(claims)
    if wrong:
        raise AccessDenied("HL4009", file=name, what=wrong)
    return JoiningRequest(
        document=document,
        member=claims["member"],
        kind=claims["kind"],
        name=claims["name"],
        adapter=claims["adapter"],
        county=claims["county"],
        public=public,
        time=signed_documents.moment_of(document, claims.get("time")),
    )


def _wrong(claims: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the claims of a request; they are shown on a terminal, so control characters are."""
    member, kind, adapter, county = (claims.get(name) for name in ("member", "kind", "adapter", "county"))
    if not isinstance(member, str) or not is_code(member):
        return "机构代码应为 1 至 20 位字母、数字或 _ (a member code is 1 to 20 letters, digits or _)"
    if kind not in JOINING_KINDS:
        return f"机构类型应为 (the kind is one of): {', '.join(JOINING_KINDS)}"
    if not _is_plain(claims.get("name")) or not (adapter is None or _is_plain(adapter)):
        return f"名称与适配器应为 1 至 {TEXT_LONGEST} 个字符 (name and adapter are 1 to {TEXT_LONGEST} characters)"
    if county is not None and not (isinstance(county, str) and _COUNTY.fullmatch(county)):
        return "县代码应为六位数字 (a county is six digits)"
    return None


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= TEXT_LONGEST and value.isprintable() and value == value.strip()


ANNOUNCEMENT: Final = "key-announcement"
OVERLAP_DAYS: Final = 30
"""Days for which the old key counts beside the new one, unless it is said otherwise."""
OVERLAP_LONGEST: Final = 180


@dataclass(frozen=True)
class KeyAnnouncement:
    """A member's next key.

    Args:
        document: as it was read; its first signature is under the old key and is not verified yet.
        member: whose key it is.
        old: the `kid` of the key it signs with until then.
        public: the new key.
        overlap: for how long the old key goes on counting once the county has entered the new one.
        time: when it was signed.
    """

    document: SignedDocument
    member: str
    old: str
    public: PublicKey
    overlap: dt.timedelta
    time: dt.datetime


def make_announcement(*, member: str, old: SigningKey, new: SigningKey, overlap_days: int, now: dt.datetime) -> str:
    """Return the text of an announcement, to be written to a file or posted to the county.

    Raises:
        UsageError: HL7001, the overlap is negative or longer than half a year.
    """
    if not 0 <= overlap_days <= OVERLAP_LONGEST:
        what = f"重叠天数应为 0 至 {OVERLAP_LONGEST} (the overlap is 0 to {OVERLAP_LONGEST} days)"
        raise UsageError("HL7001", what=what)
    claims = {
        "member": member,
        "old_kid": old.kid,
        "new_key": new.public.text,
        "overlap_days": overlap_days,
        "time": signed_documents.stamp(now),
    }
    return signed_documents.sign(ANNOUNCEMENT, claims, [old, new])


def read_announcement(text: str, *, name: str) -> KeyAnnouncement:
    """Return the announcement a text holds, without believing it: `verify_announcement` does that.

    Raises:
        AccessDenied: HL4009, it is none.
    """
    document = signed_documents.read(text, ANNOUNCEMENT, name=name)
    claims = document.claims
    member, old, days = claims.get("member"), claims.get("old_kid"), claims.get("overlap_days")
    if not (isinstance(member, str) and is_code(member) and isinstance(old, str)):
        raise AccessDenied("HL4009", file=name, what="内容不全 (incomplete)")
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= OVERLAP_LONGEST:
        raise AccessDenied("HL4009", file=name, what="重叠天数有误 (the overlap is wrong)")
    return KeyAnnouncement(
        document=document,
        member=member,
        old=old,
        public=signed_documents.public_key_of(document, claims.get("new_key")),
        overlap=dt.timedelta(days=days),
        time=signed_documents.moment_of(document, claims.get("time")),
    )


def verify_announcement(announcement: KeyAnnouncement, old: PublicKey) -> None:
    """Check that the old key and the new one have both signed.

    Raises:
        AccessDenied: HL4009, they have not.
    """
    signed_documents.verify(announcement.document, [old, announcement.public])


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
    return signed_documents.sign(APPROVAL, claims, [key])


def read_approval(text: str, *, name: str) -> Approval:
    """Return the approval a text holds; the first key in it has signed it.

    Whether that key is the county's is for the reader to establish. Where an older county does not say when its keys
    count, that is two years from the time of the approval.

    Raises:
        AccessDenied: HL4009, it is none or was altered; HL4019, a key in it may not be one.
    """
    document = signed_documents.read(text, APPROVAL, name=name)
    claims = document.claims
    stated = claims.get("platform_keys")
    plain = all(isinstance(claims.get(claim), str) for claim in ("county", "member", "kid", "broker_user"))
    if not plain or not isinstance(stated, list):
        raise AccessDenied("HL4009", file=name, what="内容不全 (incomplete)")
    keys = [signed_documents.public_key_of(document, value) for value in stated]
    signed_documents.verify(document, keys[:1])
    time = signed_documents.moment_of(document, claims.get("time"))
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
        until=signed_documents.moment_of(document, claims.get("until")),
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
        None if begins is None else signed_documents.moment_of(document, begins),
        time + KEY_LIFETIME if ends is None else signed_documents.moment_of(document, ends),
    )


PLATFORM_KEYS: Final = "platform_keys"
KEY_LIST: Final = "platform-keys"
KEY_LIST_PATH: Final = "/platform-keys"
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


def read_key_list(text: str, *, name: str) -> PlatformKeys:
    """Return the list a text holds; every key that it says has signed it has.

    Whether one of those is the county's is for the reader to establish.

    Raises:
        AccessDenied: HL4009, it is none or was altered; HL4019, a key in it may not be one.
    """
    document = signed_documents.read(text, KEY_LIST, name=name)
    stated, county = document.claims.get("keys"), document.claims.get("county")
    if not (isinstance(county, str) and isinstance(stated, list) and 0 < len(stated) <= KEYS_AT_MOST):
        raise AccessDenied("HL4009", file=name, what="内容不全 (incomplete)")
    keys = {key.kid: key for key in (_listed_key(document, each) for each in stated)}
    signers = tuple(keys[kid].public for kid in document.kids if kid in keys)
    signed_documents.verify(document, signers)
    time = signed_documents.moment_of(document, document.claims.get("time"))
    return PlatformKeys(document, county, tuple(keys.values()), signers, time)


def _listed_key(document: SignedDocument, stated: Any) -> TrustedKey:  # noqa: ANN401  # JSON is any
    if not isinstance(stated, dict):
        raise AccessDenied("HL4009", file=document.name, what="密钥有误 (a key is wrong)")
    revoked = stated.get("revoked")
    return TrustedKey(
        signed_documents.public_key_of(document, stated.get("key")),
        signed_documents.moment_of(document, stated.get("from")),
        signed_documents.moment_of(document, stated.get("until")),
        revoked_since=None if revoked is None else signed_documents.moment_of(document, revoked),
    )
