"""The envelope: CloudEvents attributes and payload under one detached signature.

A sealed message is two things that travel side by side: the **payload**, bytes that
nothing re-serialises, and the **seal**, a compact JWS with a detached payload (RFC 7515,
RFC 7797 `b64=false`, EdDSA) whose protected header holds the CloudEvents attributes. One
signature covers both; whoever holds the sender's public key can verify them offline.

    seal = BASE64URL(protected header) + ".." + BASE64URL(signature)
    signed bytes = BASE64URL(protected header) + "." + payload

One record is `application/json`; a bulk payload is `application/x-ndjson`, one record a
line, at most 10,000 lines and 4 MiB, gzip above 64 KiB; what an institution's own system
posts one by one may be `application/xml`. The signature is over the bytes as they travel,
after compression.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from isal import igzip, isal_zlib

from huilian.core import strict_json
from huilian.core.errors import MessageRefused
from huilian.wire.keys import decode_base64url, encode_base64url

if TYPE_CHECKING:
    from collections.abc import Callable

    from huilian.wire.keys import PublicKey, SigningKey

__all__ = [
    "BODY_LIMIT",
    "COMPRESS_ABOVE",
    "LINE_LIMIT",
    "Draft",
    "Message",
    "gzipped",
    "read",
    "seal",
    "seal_again",
    "verify",
]


BODY_LIMIT: Final = 4 * 1024 * 1024
"""Bytes a payload may have, as it travels and expanded."""
LINE_LIMIT: Final = 10_000
"""Records a bulk payload may have."""
COMPRESS_ABOVE: Final = 64 * 1024
"""Bytes from which a payload is compressed."""
SEAL_LIMIT: Final = 8 * 1024
"""Characters a seal may have; ours have about 700."""
ATTRIBUTE_LONGEST: Final = 255
"""Characters an attribute may have."""
NUMBER_BELOW: Final = 2**31
"""Sequences and totals are PostgreSQL integers."""

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
XML: Final = "application/xml"
_GZIP_WINDOW: Final = 31
"""zlib's `wbits` for the gzip container."""


@dataclass(frozen=True)
class Draft:
    """A message before it is sealed: what a handler returns.

    Args:
        type: message type, for example "receipt".
        dataschema: its contract, for example "receipt/v1".
        subject: the member or institution it is about or goes to.
        body: the payload before compression, unless it is `gzipped`.
        bulk: whether the body is NDJSON.
        xml: whether it is one XML element, as an institution's own system makes it.
        submission: the submission it belongs to, if any.
        sequence: its place among the messages of that submission, from 0.
        total: on the last of them: how many messages of this type the submission has.
        gzipped: whether the body is what `gzipped` made of it.
    """

    type: str
    dataschema: str
    subject: str
    body: bytes = field(repr=False)
    bulk: bool = False
    xml: bool = False
    submission: str | None = None
    sequence: int | None = None
    total: int | None = None
    gzipped: bool = False

    @property
    def media_type(self) -> str:
        """Return what its body is: one JSON object, NDJSON, or XML."""
        return XML if self.xml else NDJSON if self.bulk else JSON


@dataclass(frozen=True)
class Message:
    """A sealed message as it travels. Its attributes are those of the seal's protected header."""

    seal: str = field(repr=False)
    payload: bytes = field(repr=False)
    id: str
    source: str
    type: str
    subject: str
    time: dt.datetime
    dataschema: str
    kid: str
    media_type: str
    compressed: bool
    submission: str | None
    sequence: int | None
    total: int | None

    @property
    def bulk(self) -> bool:
        """Return whether the body is NDJSON."""
        return self.media_type == NDJSON

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 over seal and payload: what makes two messages the same bytes."""
        return hashlib.sha256(self.seal.encode("ascii") + b"\n" + self.payload).hexdigest()

    @cached_property
    def payload_sha256(self) -> str:
        """Return the SHA-256 of the payload as it travels, as a manifest states it."""
        return hashlib.sha256(self.payload).hexdigest()

    @property
    def routing_key(self) -> str:
        """Return what the broker routes by: type, then subject."""
        return f"{self.type}.{self.subject}"

    def body(self) -> bytes:
        """Return the payload, expanded.

        Raises:
            MessageRefused: HL1011, the compressed bytes are broken; HL1006, they expand beyond the limit.
        """
        if not self.compressed:
            return self.payload
        expander = isal_zlib.decompressobj(wbits=_GZIP_WINDOW)
        try:
            body: bytes = expander.decompress(self.payload, BODY_LIMIT + 1)
        except isal_zlib.IsalError as error:  # type: ignore[misc]  # a class, which its stub takes for an instance
            raise MessageRefused("HL1011") from error
        if len(body) > BODY_LIMIT:
            raise MessageRefused("HL1006", size=f">{BODY_LIMIT}", limit=BODY_LIMIT)
        if not expander.eof or expander.unused_data:
            raise MessageRefused("HL1011")
        return body

    def json(self) -> Any:  # noqa: ANN401  # JSON is any
        """Return the single JSON object of a message that is not bulk.

        Raises:
            MessageRefused: HL1007, it is not JSON in UTF-8, or nested too deeply to be a record.
        """
        try:
            return strict_json.loads(self.body())
        except (ValueError, RecursionError) as error:
            raise MessageRefused("HL1007", line=getattr(error, "lineno", 1)) from None


def gzipped(body: bytes) -> bytes | None:
    """Return `body` as it travels compressed, or None when it is so small that it travels as it is.

    Raises:
        MessageRefused: HL1006, it is larger than a message may be.
    """
    if len(body) > BODY_LIMIT:
        raise MessageRefused("HL1006", size=len(body), limit=BODY_LIMIT)
    if len(body) <= COMPRESS_ABOVE:
        return None
    # mtime 0: the same body gives the same bytes, whenever it is sent.
    compressed: bytes = igzip.compress(body, compresslevel=1, mtime=0)
    return compressed


def seal(draft: Draft, key: SigningKey, *, source: str, time: dt.datetime, message_id: str | None = None) -> Message:
    """Seal `draft` with `key` in the name of `source`.

    Args:
        draft: what to send.
        key: the member's private key.
        source: the member's code.
        time: the moment of signing, aware.
        message_id: a UUID unless given.

    Raises:
        MessageRefused: HL1006, the body is larger than a message may be.
    """
    compressed = draft.body if draft.gzipped else gzipped(draft.body)
    payload = draft.body if compressed is None else compressed
    attributes: dict[str, object] = {
        "alg": "EdDSA",
        "b64": False,
        "crit": ["b64"],
        "kid": key.kid,
        "specversion": "1.0",
        "id": message_id or str(uuid.uuid4()),
        "source": source,
        "type": draft.type,
        "subject": draft.subject,
        "time": time.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "dataschema": draft.dataschema,
        "datacontenttype": draft.media_type,
    }
    optional = {
        "contentencoding": None if compressed is None else "gzip",
        "submission": draft.submission,
        "sequence": draft.sequence,
        "total": draft.total,
    }
    attributes |= {name: value for name, value in optional.items() if value is not None}
    protected = encode_base64url(json.dumps(attributes, ensure_ascii=False, separators=(",", ":")).encode())
    signature = key.sign(protected.encode("ascii") + b"." + payload)
    return read(f"{protected}..{encode_base64url(signature)}", payload)


def seal_again(
    message: Message, key: SigningKey, *, time: dt.datetime, message_id: str | None = None, source: str | None = None
) -> Message:
    """Return the same payload under a new seal, with an id of its own unless one is given: two of one id are one.

    It is sealed in the name of `source`, or else of whoever sealed it before.
    """
    draft = Draft(
        message.type,
        message.dataschema,
        message.subject,
        message.payload,
        bulk=message.bulk,
        xml=message.media_type == XML,
        submission=message.submission,
        sequence=message.sequence,
        total=message.total,
        gzipped=message.compressed,
    )
    return seal(draft, key, source=source or message.source, time=time, message_id=message_id)


def read(text: str, payload: bytes) -> Message:
    """Return the message that `text` (the seal) and `payload` make, without verifying it.

    Raises:
        MessageRefused: HL1006, too large; HL1009, the seal is not one of ours.
    """
    if len(payload) > BODY_LIMIT:
        raise MessageRefused("HL1006", size=len(payload), limit=BODY_LIMIT)
    header = _protected_header(text)
    for name, holds in _RULES.items():
        if not holds(header.get(name)):
            raise MessageRefused("HL1009", what=name)
    return Message(
        seal=text,
        payload=payload,
        id=header["id"],
        source=header["source"],
        type=header["type"],
        subject=header.get("subject") or "",
        time=_moment(header["time"]),
        dataschema=header["dataschema"],
        kid=header["kid"],
        media_type=header["datacontenttype"],
        compressed=header.get("contentencoding") == "gzip",
        submission=header.get("submission"),
        sequence=header.get("sequence"),
        total=header.get("total"),
    )


def verify(message: Message, key: PublicKey) -> None:
    """Check the signature over attributes and payload.

    Raises:
        MessageRefused: HL1001, the signature is not that of `key` over these bytes.
    """
    protected, _, signature = message.seal.partition("..")
    try:
        key.verify(decode_base64url(signature), protected.encode("ascii") + b"." + message.payload)
    except (InvalidSignature, ValueError):
        raise MessageRefused("HL1001") from None


def _is_plain(value: object) -> bool:
    """Say whether it is a text that PostgreSQL and a log line can hold: no NUL, control character or lone surrogate."""
    return (
        isinstance(value, str)
        and len(value) <= ATTRIBUTE_LONGEST
        and not any(unicodedata.category(character) in {"Cc", "Cs"} for character in value)
    )


def _is_name(value: object) -> bool:
    return value != "" and _is_plain(value)


def _is_plain_or_missing(value: object) -> bool:
    return value is None or _is_plain(value)


def _is_count_or_missing(value: object) -> bool:
    # True is an integer to Python, but no count.
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < NUMBER_BELOW)


_RULES: Final[dict[str, Callable[[Any], bool]]] = {
    "alg": lambda value: value == "EdDSA",
    "b64": lambda value: value is False,
    "crit": lambda value: value == ["b64"],
    "specversion": lambda value: value == "1.0",
    "kid": _is_name,
    "id": _is_name,
    "source": _is_name,
    "type": _is_name,
    "time": _is_name,
    "dataschema": _is_name,
    "datacontenttype": lambda value: value in (JSON, NDJSON, XML),
    "contentencoding": lambda value: value in (None, "gzip"),
    "subject": _is_plain_or_missing,
    "submission": _is_plain_or_missing,
    "sequence": _is_count_or_missing,
    "total": _is_count_or_missing,
}
"""What each attribute must be; a missing one is None."""


def _protected_header(text: str) -> dict[str, Any]:
    if len(text) > SEAL_LIMIT or not text.isascii():
        raise MessageRefused("HL1009", what="seal")
    protected, dots, signature = text.partition("..")
    if not (protected and dots and signature) or "." in signature:
        raise MessageRefused("HL1009", what="seal")
    try:
        header = strict_json.loads(
            decode_base64url(protected), values_checked=True
        )  # a header has each name once (RFC 7515, 4)
    except (ValueError, RecursionError):
        raise MessageRefused("HL1009", what="protected header") from None
    if not isinstance(header, dict):
        raise MessageRefused("HL1009", what="protected header")
    return header


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise MessageRefused("HL1009", what="time") from None
    if moment.tzinfo is None:
        raise MessageRefused("HL1009", what="time")
    return moment
