"""Signed documents: small JSON objects in files that travel by mail or on a stick, not as messages.

A document is a JWS in the general JSON serialisation (RFC 7515, section 7.2.1), EdDSA, with
one signature for each key that stands behind it::

    {"payload": BASE64URL(JSON object),
     "signatures": [{"protected": BASE64URL({"alg","kid","typ"}), "signature": BASE64URL(64 bytes)}]}

`typ` says what it is, so that what was signed as one thing is never taken for another, and
`kid` is the RFC 7638 thumbprint of the key. Any library for JWS verifies it.
"""

# joserfc 1.8 was tried for signing and verifying. It makes the same bytes. It was not taken, since it verifies under a
# key of low order, reads a header that has a name twice, warns of "EdDSA" at each use (RFC 9864), and asks for the keys
# before the claims that name them are read. With all of that mended here it saved no line.

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature

from huilian.core import strict_json
from huilian.core.clock import CHINA
from huilian.core.errors import AccessDenied
from huilian.wire.keys import PublicKey, decode_base64url, encode_base64url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.wire.keys import SigningKey

__all__ = [
    "DAYS",
    "SignedDocument",
    "check_age",
    "is_kind",
    "moment_of",
    "public_key_of",
    "read",
    "shown",
    "sign",
    "stamp",
    "verify",
]


DAYS: Final = 14
"""Days a document counts from when it was signed."""
LARGEST: Final = 64 * 1024
"""Bytes a document may have; ours have about one thousand."""
SIGNATURES_AT_MOST: Final = 4
_STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"
CLOCK_SKEW: Final = dt.timedelta(minutes=10)
"""How far a signer's clock may run ahead of ours."""


@dataclass(frozen=True)
class SignedDocument:
    """A document as it was read; what it claims is believed only after `verify`.

    Args:
        name: of the file, for what is said about it.
        claims: the JSON object that is signed.
        kids: the keys that claim to have signed it, in their order.
        sha256: over the signed bytes: the same document again, however its file is laid out.
    """

    name: str
    claims: Mapping[str, Any]
    kids: tuple[str, ...]
    sha256: str
    signatures: tuple[tuple[bytes, bytes], ...] = field(repr=False)


def sign(kind: str, claims: Mapping[str, object], keys: Sequence[SigningKey]) -> str:
    """Return the text of a document of `kind`, signed with every key, ready to be written to a file."""
    payload = encode_base64url(json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode())
    signatures = []
    for key in keys:
        header = {"alg": "EdDSA", "kid": key.kid, "typ": _media_type(kind)}
        protected = encode_base64url(json.dumps(header, separators=(",", ":")).encode())
        signature = key.sign(f"{protected}.{payload}".encode("ascii"))
        signatures.append({"protected": protected, "signature": encode_base64url(signature)})
    return json.dumps({"payload": payload, "signatures": signatures}, indent=2) + "\n"


def read(text: str, kind: str, *, name: str) -> SignedDocument:
    """Return the document of `kind` that a text holds, without verifying it.

    Raises:
        AccessDenied: HL4009, it is none, or one of another kind.
    """
    if len(text) > LARGEST:
        raise _unbelievable(name, f"超过 {LARGEST} 字节 (too large)")
    try:
        outer = strict_json.loads(text)
        payload: str = outer["payload"]
        claims = strict_json.loads(decode_base64url(payload))
        entries = [(str(each["protected"]), decode_base64url(each["signature"])) for each in outer["signatures"]]
        headers = [strict_json.loads(decode_base64url(each)) for each, _ in entries]
        if not isinstance(claims, dict) or not all(isinstance(header, dict) for header in headers):
            raise _unbelievable(name, "不是签名文件 (not a signed document)")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _unbelievable(name, "不是签名文件，或已损坏 (not a signed document, or damaged)") from None
    if not 0 < len(headers) <= SIGNATURES_AT_MOST:
        raise _unbelievable(name, "签名个数不对 (the number of signatures is wrong)")
    for header in headers:
        if set(header) != {"alg", "kid", "typ"} or header["alg"] != "EdDSA" or header["typ"] != _media_type(kind):
            raise _unbelievable(name, f"不是 {kind} 文件 (not of this kind)")
    kids = tuple(str(header["kid"]) for header in headers)
    sha256 = hashlib.sha256(payload.encode("ascii")).hexdigest()
    signed = tuple((f"{protected}.{payload}".encode("ascii"), signature) for protected, signature in entries)
    return SignedDocument(name, claims, kids, sha256, signed)


def is_kind(text: str, kind: str) -> bool:
    """Return whether a text says that it is a document of `kind`; nothing of it is verified."""
    try:
        read(text, kind, name="")
    except AccessDenied:
        return False
    return True


def verify(document: SignedDocument, keys: Sequence[PublicKey]) -> None:
    """Check that a document carries exactly the signatures of `keys`, in their order.

    Raises:
        AccessDenied: HL4009, it does not.
    """
    if document.kids != tuple(key.kid for key in keys):
        raise _unbelievable(document.name, "签名者不是其中所写的密钥 (signed by another key than it states)")
    for key, (signed, signature) in zip(keys, document.signatures, strict=True):
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            raise _unbelievable(document.name, "签名与内容不符 (the signature does not match)") from None


def check_age(document: SignedDocument, time: dt.datetime, *, now: dt.datetime) -> None:
    """Let pass what was signed at `time`, at most `DAYS` ago.

    Raises:
        AccessDenied: HL4010, it is older, or dated in the future.
    """
    if not now - dt.timedelta(days=DAYS) <= time <= now + CLOCK_SKEW:
        raise AccessDenied("HL4010", file=document.name, time=shown(time), days=DAYS)


def stamp(moment: dt.datetime) -> str:
    """Return a moment as documents state it: RFC 3339 in UTC, to the second, the rest cut off."""
    return moment.astimezone(dt.UTC).strftime(_STAMP)


def shown(moment: dt.datetime) -> str:
    """Return a moment as people read it, in China's time."""
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"


def moment_of(document: SignedDocument, stated: object) -> dt.datetime:
    """Return the moment a document states, as `stamp` writes it.

    Raises:
        AccessDenied: HL4009, it is none.
    """
    try:
        return dt.datetime.strptime(str(stated), _STAMP).replace(tzinfo=dt.UTC)
    except ValueError:
        raise _unbelievable(document.name, "时间有误 (a time is wrong)") from None


def public_key_of(document: SignedDocument, stated: object) -> PublicKey:
    """Return the Ed25519 public key a document states: BASE64URL of its 32 bytes.

    Raises:
        AccessDenied: HL4009, it is none.
    """
    try:
        return PublicKey.from_raw(decode_base64url(str(stated)))
    except ValueError:
        raise _unbelievable(document.name, "公钥有误 (a public key is wrong)") from None


def _media_type(kind: str) -> str:
    return f"huilian-{kind}+json"


def _unbelievable(name: str, what: str) -> AccessDenied:
    return AccessDenied("HL4009", file=name, what=what)
