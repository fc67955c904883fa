"""Keys: Ed25519 pairs, named by their RFC 7638 thumbprint, kept as PEM files of mode 0600.

Text forms are BASE64URL without padding (RFC 7515, section 2).
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from huilian.core.errors import AccessDenied, UsageError
from huilian.core.files import make_folder, refuse_if_others_write, sync, write

if TYPE_CHECKING:
    from pathlib import Path


__all__ = [
    "BEGINS_AHEAD",
    "CLOCK_SKEW",
    "KEY_LIFETIME",
    "KEY_LONGEST",
    "KeyFolder",
    "PublicKey",
    "SigningKey",
    "check_period",
    "decode_base64url",
    "encode_base64url",
]


def encode_base64url(raw: bytes) -> str:
    """Return the text that stands for `raw`."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Return what `text` encodes; of the texts that decode to the same bytes only the canonical one is taken.

    Raises:
        ValueError: it is none, or not the canonical one.
    """
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode_base64url(raw) != text:
        message = "not canonical base64url"
        raise ValueError(message)
    return raw


KEY_LONGEST: Final = dt.timedelta(days=3650)
"""How long a key may count at most, whoever states it."""
BEGINS_AHEAD: Final = dt.timedelta(days=90)
"""How far ahead of now a key may begin to count."""
_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_PRIME: Final = 2**255 - 19
_CURVE: Final = -121665 * pow(121666, -1, _PRIME) % _PRIME
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_LOW_ORDER: Final = frozenset({0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8})
"""The y of the eight points whose order divides 8. Under such a key a signature can hold for any text at all."""


def check_period(begins: dt.datetime, ends: dt.datetime, *, now: dt.datetime, name: str) -> None:
    """Let pass a time in which a key may count; `name` says whose it is, or in which file it stands.

    Raises:
        AccessDenied: HL4020, it begins too far ahead, or counts for too long.
    """
    what = None
    if begins > now + BEGINS_AHEAD:
        what = f"生效时间在 {BEGINS_AHEAD.days} 天以后 (begins more than {BEGINS_AHEAD.days} days from now)"
    elif ends - begins > KEY_LONGEST:
        what = f"有效期超过 {KEY_LONGEST.days} 天 (counts for more than {KEY_LONGEST.days} days)"
    if what:
        raise AccessDenied("HL4020", name=name, what=what)


@functools.lru_cache(maxsize=4096)
def _fault(raw: bytes) -> str | None:
    """Return why no 32 bytes such as these may be a key (RFC 8032, 5.1.3; the order of the point apart)."""
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= _PRIME or (sign and y in {1, _PRIME - 1}):
        return "编码不规范 (it is not encoded canonically)"
    if y in _LOW_ORDER:
        return "低阶点 (it is a point of low order)"
    square = y * y % _PRIME
    # x² is (y² - 1) / (dy² + 1), which is a square where the product is one.
    if pow((square - 1) * (_CURVE * square + 1), (_PRIME - 1) // 2, _PRIME) != 1:
        return "不在曲线上 (it is no point of the curve)"
    return None


@dataclass(frozen=True)
class PublicKey:
    """What a member publishes: it verifies, and its thumbprint is the `kid`."""

    raw: bytes

    @property
    def kid(self) -> str:
        """Return the RFC 7638 thumbprint (SHA-256, base64url) of the key as a JWK."""
        members = {"crv": "Ed25519", "kty": "OKP", "x": self.text}
        return encode_base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())

    @property
    def text(self) -> str:
        """Return the key as one line: BASE64URL of its 32 bytes, the `x` of its JWK."""
        return encode_base64url(self.raw)

    @property
    def fingerprint(self) -> str:
        """Return 40 digits to be read out over the telephone, in eight groups of five.

        They are cut from a SHA-256 over the key, 132 bits of it: nobody can make another key that has the same, and
        digits are heard rightly where the letters of a `kid` are not.
        """
        digits = f"{int.from_bytes(hashlib.sha256(b'huilian fingerprint' + self.raw).digest()) % 10**40:040d}"
        return " ".join(digits[place : place + 5] for place in range(0, 40, 5))

    @property
    def fault(self) -> str | None:
        """Return why these bytes may not be a key, or None; one that was entered by an older Huilian may have one."""
        return _fault(self.raw)

    def check(self) -> PublicKey:
        """Return the key itself when it may be one.

        Raises:
            AccessDenied: HL4019, it is of low order, not encoded canonically, or no point of the curve.
        """
        if self.fault is not None:
            raise AccessDenied("HL4019", what=self.fault)
        return self

    def is_called(self, said: str) -> bool:
        """Return whether `said` is this key's fingerprint, however its digits are spaced, or its `kid`."""
        return said.strip() == self.kid or re.sub(r"[\s-]", "", said) == self.fingerprint.replace(" ", "")

    def verify(self, signature: bytes, signed: bytes) -> None:
        """Check `signature` over `signed`; raises `cryptography.exceptions.InvalidSignature`.

        Under a key that may not be one nothing holds, wherever the key was kept.
        """
        if self.fault is not None:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, signed)

    def pem(self) -> str:
        """Return the key as PEM (SubjectPublicKeyInfo), to hand to the other side."""
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return key.public_bytes(serialization.Encoding.PEM, form).decode("ascii")

    @staticmethod
    def from_raw(raw: bytes) -> PublicKey:
        """Return the key of these 32 bytes.

        Raises:
            ValueError: they are not 32.
            AccessDenied: HL4019, they may not be a key.
        """
        return PublicKey(Ed25519PublicKey.from_public_bytes(raw).public_bytes_raw()).check()

    @staticmethod
    def from_pem(pem: str) -> PublicKey:
        """Return the key that a PEM text holds.

        Raises:
            UsageError: HL7001, it is not an Ed25519 public key in PEM.
            AccessDenied: HL4019, what it holds may not be a key.
        """
        try:
            key = serialization.load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise UsageError("HL7001", what="公钥文件应为 Ed25519 PEM 格式 (an Ed25519 public key in PEM is needed)")
        return PublicKey(key.public_bytes_raw()).check()


class SigningKey:
    """A member's private key. Its bytes never leave this object except into its own file."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(private.public_key().public_bytes_raw())
        self.kid = self.public.kid

    @staticmethod
    def generate() -> SigningKey:
        """Return a new random key."""
        return SigningKey(Ed25519PrivateKey.generate())

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte signature over `data`."""
        return self._private.sign(data)

    def __repr__(self) -> str:
        """Show the name of the key, not the key."""
        return f"SigningKey({self.kid})"

    def save(self, path: Path) -> None:
        """Write the key as PKCS #8 PEM, readable by its owner only.

        Raises:
            FileExistsError: the file is there; a key is never replaced. After a crash the key
                is there whole or not at all.
        """
        pem = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        make_folder(path.parent.parent)
        make_folder(path.parent)
        unfinished = path.with_name(path.name + ".new")
        write(unfinished, pem)
        sync(unfinished)
        try:
            path.hardlink_to(unfinished)
        finally:
            unfinished.unlink()

    @staticmethod
    def load(path: Path) -> SigningKey:
        """Return the key in `path`.

        Raises:
            UsageError: HL7001, the file holds no Ed25519 private key.
        """
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # a TypeError: it is encrypted
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise UsageError("HL7001", what=f"{path.name} 不是 Ed25519 私钥 (is not an Ed25519 private key)")
        return SigningKey(key)


class KeyFolder:
    """The private keys kept on this machine, one folder a member, the newest key in use.

    Args:
        folder: `keys` below the data directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, member: str) -> SigningKey:
        """Make, keep and return a new key for `member`."""
        refuse_if_others_write(self._folder(member), self.folder.parent)
        key = SigningKey.generate()
        key.save(self._next_file(member, key))
        return key

    def current(self, member: str) -> SigningKey:
        """Return the key `member` signs with.

        Raises:
            AccessDenied: HL4006, no key of that member is kept here.
            ConfigurationError: HL6020 to HL6022, others may write to it.
        """
        files = sorted(self._files(member))
        if not files:
            raise AccessDenied("HL4006", member=member)
        return self._loaded(files[-1])

    def kept(self, member: str) -> list[SigningKey]:
        """Return every private key of `member` that is kept here and was signed with, newest first."""
        return [SigningKey.load(path) for path in sorted(self._files(member), reverse=True)]

    def prepared(self, member: str) -> SigningKey | None:
        """Return the key that is made but not signed with yet, if there is one."""
        path = self._prepared_file(member)
        return self._loaded(path) if path.exists() else None

    def prepared_at(self, member: str) -> dt.datetime | None:
        """Return when the key that is not signed with yet was made; None when there is none."""
        path = self._prepared_file(member)
        return _BEGINNING + dt.timedelta(microseconds=path.stat().st_mtime_ns // 1000) if path.exists() else None

    def prepare(self, member: str) -> SigningKey:
        """Return the key `member` will sign with next, made and kept now unless it was before."""
        known = self.prepared(member)
        if known:
            return known
        refuse_if_others_write(self._folder(member), self.folder.parent)
        key = SigningKey.generate()
        key.save(self._prepared_file(member))
        return key

    def use_prepared(self, member: str) -> SigningKey:
        """Sign with the prepared key from now on, and return it.

        Raises:
            AccessDenied: HL4006, there is none.
        """
        key = self.prepared(member)
        if key is None:
            raise AccessDenied("HL4006", member=member)
        self._prepared_file(member).rename(self._next_file(member, key))
        return key

    def holds(self, member: str) -> bool:
        """Return whether a private key of `member` is kept here."""
        return any(self._files(member))

    def signs_with(self, member: str, kid: str) -> bool:
        """Return whether the newest private key of `member` that is kept here is this one; it is not opened."""
        files = sorted(self._files(member))
        return bool(files) and files[-1].stem.partition("-")[2] == kid[:12]

    def _loaded(self, path: Path) -> SigningKey:
        refuse_if_others_write(path, self.folder.parent)
        return SigningKey.load(path)

    def _files(self, member: str) -> list[Path]:
        return list(self._folder(member).glob("[0-9][0-9][0-9][0-9]-*.pem"))

    def _next_file(self, member: str, key: SigningKey) -> Path:
        existing = sorted(self._files(member))
        number = int(existing[-1].name.partition("-")[0]) + 1 if existing else 1
        return self._folder(member) / f"{number:04d}-{key.kid[:12]}.pem"

    def _prepared_file(self, member: str) -> Path:
        # Not numbered: what has no number is not signed with.
        return self._folder(member) / "next.pem"

    def _folder(self, member: str) -> Path:
        if not re.fullmatch(r"[\w-]+(\.\w+)?", member):
            raise AccessDenied("HL4006", member=member)
        return self.folder / member


KEY_LIFETIME: Final = dt.timedelta(days=730)
"""How long a key counts unless it is said otherwise."""
CLOCK_SKEW: Final = dt.timedelta(minutes=10)
"""How far a sender's clock may run ahead of ours."""
