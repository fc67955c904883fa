"""Keys: named by their thumbprint, kept by their owner alone, never replaced."""

from __future__ import annotations

import base64
import datetime as dt
import os
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa, x25519
from joserfc.jwk import OKPKey

from huilian.core.errors import AccessDenied, UsageError
from huilian.wire.keys import KeyFolder, PublicKey, SigningKey

if TYPE_CHECKING:
    from pathlib import Path

# The example key of RFC 8037, appendix A, and the thumbprint it states.
RFC_PUBLIC = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
RFC_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
OWNER_ONLY = 0o600


def private_pem(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, password: bytes | None = None) -> bytes:
    """Return a private key as PEM."""
    hiding = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hiding)


def test_a_key_is_named_by_its_rfc_7638_thumbprint():
    """Whoever has the public key finds the same name."""
    assert PublicKey(RFC_PUBLIC).kid == RFC_THUMBPRINT
    key = SigningKey.generate()
    assert key.kid == key.public.kid == OKPKey.import_key(key.public.pem()).thumbprint()


def test_a_signature_holds_for_its_bytes_and_its_key_only():
    """Neither other bytes nor another key will do."""
    key = SigningKey.generate()
    signature = key.sign(b"a ledger")
    key.public.verify(signature, b"a ledger")
    with pytest.raises(InvalidSignature):
        key.public.verify(signature, b"a ledgeR")
    with pytest.raises(InvalidSignature):
        SigningKey.generate().public.verify(signature, b"a ledger")


def test_a_public_key_travels_as_pem():
    """It comes back as it was."""
    key = SigningKey.generate().public
    assert PublicKey.from_pem(key.pem()) == key
    assert key.pem().startswith("-----BEGIN PUBLIC KEY-----\n")


# Every encoding of the eight points of low order (IACR 2020/1244, table 6, and libsodium's list), by what is wrong.
LOW_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]
NOT_CANONICAL = [
    "0100000000000000000000000000000000000000000000000000000000000080",  # x is 0, and said to be negative
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y is p, which is 0
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y is p + 1, which is 1
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y is p + 3, of a point of full order
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]
OFF_THE_CURVE = ["0200000000000000000000000000000000000000000000000000000000000000"]
UNFIT = [
    *((text, "低阶点 (it is a point of low order)") for text in LOW_ORDER),
    *((text, "编码不规范 (it is not encoded canonically)") for text in NOT_CANONICAL),
    *((text, "不在曲线上 (it is no point of the curve)") for text in OFF_THE_CURVE),
]


@pytest.mark.parametrize(("text", "what"), UNFIT)
def test_a_key_of_low_order_or_not_encoded_canonically_enters_nowhere(text: str, what: str):
    """Neither as bytes nor as PEM; what is wrong and what to do is said in both languages."""
    raw = bytes.fromhex(text)
    for enter in (lambda: PublicKey.from_raw(raw), lambda: PublicKey.from_pem(PublicKey(raw).pem())):
        with pytest.raises(AccessDenied) as refused:
            enter()
        assert refused.value.chinese == f"公钥不能使用：{what}；请对方用惠联或 openssl 重新生成密钥对"
        assert refused.value.code == "HL4019"


@pytest.mark.parametrize("text", [*LOW_ORDER, *NOT_CANONICAL])
def test_under_a_key_of_low_order_no_signature_holds(text: str):
    """By the curve alone, R = [1]B and S = 1 sign every text under the key of order 1; and so do others, often."""
    raw = bytes.fromhex(text)
    base = bytes.fromhex("58" + "66" * 31)
    for first in (base, raw):
        for number in (b"\1", b"\0"):
            for signed in (b"a ledger", b"another", b"a third", b"a fourth", b"a fifth", b"a sixth", b"a seventh"):
                with pytest.raises(InvalidSignature):
                    PublicKey(raw).verify(first + number.ljust(32, b"\0"), signed)


def test_keys_that_are_made_are_fit():
    """None of them is taken for what it is not."""
    for _ in range(50):
        key = SigningKey.generate().public
        assert PublicKey.from_raw(key.raw) == PublicKey.from_pem(key.pem()) == key
    assert PublicKey.from_raw(RFC_PUBLIC).fault is None


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "not a key",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "公钥",
        private_pem(ed25519.Ed25519PrivateKey.generate()).decode(),
        x25519.X25519PrivateKey.generate()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    ],
    ids=["empty", "text", "broken", "chinese", "private", "other curve"],
)
def test_what_is_no_ed25519_public_key_is_refused(pem: str):
    """The text says what is needed, in both languages."""
    with pytest.raises(UsageError) as refused:
        PublicKey.from_pem(pem)
    assert str(refused.value) == "HL7001 公钥文件应为 Ed25519 PEM 格式 (an Ed25519 public key in PEM is needed)"


def test_a_private_key_is_kept_by_its_owner_alone(tmp_path: Path):
    """Mode 0600 in a folder of mode 0700, nothing else beside it, and it comes back."""
    key, path = SigningKey.generate(), tmp_path / "RCB01" / "0001-key.pem"
    key.save(path)
    assert path.stat().st_mode & 0o777 == OWNER_ONLY
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["0001-key.pem"]
    assert SigningKey.load(path).kid == key.kid


def test_a_private_key_is_never_replaced(tmp_path: Path):
    """A lost key cannot be made again."""
    first, path = SigningKey.generate(), tmp_path / "key.pem"
    first.save(path)
    with pytest.raises(FileExistsError):
        SigningKey.generate().save(path)
    assert SigningKey.load(path).kid == first.kid
    assert [each.name for each in tmp_path.iterdir()] == ["key.pem"]


def test_a_half_written_key_does_not_stand_in_the_way(tmp_path: Path):
    """What a crash left behind is not a key, and is written anew."""
    folder = KeyFolder(tmp_path)
    (tmp_path / "RCB01").mkdir()
    (tmp_path / "RCB01" / "0001-abcdefghijkl.pem.new").write_bytes(b"-----BEGIN PRIV")
    assert not folder.holds("RCB01")
    key = folder.create("RCB01")
    assert folder.current("RCB01").kid == key.kid


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        private_pem(rsa.generate_private_key(65537, 2048)),
        private_pem(ed25519.Ed25519PrivateKey.generate(), password=b"secret"),
        SigningKey.generate().public.pem().encode(),
    ],
    ids=["empty", "broken", "rsa", "encrypted", "public"],
)
def test_what_is_no_private_key_is_refused_by_its_file_name(tmp_path: Path, content: bytes):
    """The file is named, never what stands in it."""
    path = tmp_path / "0001-key.pem"
    path.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        SigningKey.load(path)
    assert str(refused.value) == "HL7001 0001-key.pem 不是 Ed25519 私钥 (is not an Ed25519 private key)"


def test_a_key_does_not_show_itself():
    """What ends in a log or a traceback is its name."""
    key = SigningKey.generate()
    assert repr(key) == f"SigningKey({key.kid})"


def test_the_newest_key_is_in_use(tmp_path: Path):
    """A new key is numbered after the last; files that are not ours are left alone."""
    folder = KeyFolder(tmp_path)
    first = folder.create("RCB01")
    assert folder.current("RCB01").kid == first.kid
    (tmp_path / "RCB01" / "spare.pem").write_text("not ours")
    second = folder.create("RCB01")
    assert folder.current("RCB01").kid == second.kid
    names = sorted(path.name for path in (tmp_path / "RCB01").glob("0*.pem"))
    assert names == [f"0001-{first.kid[:12]}.pem", f"0002-{second.kid[:12]}.pem"]
    assert [folder.signs_with("RCB01", key.kid) for key in (first, second)] == [False, True]
    assert not folder.signs_with("RCB02", second.kid)


def test_a_key_that_is_prepared_is_not_signed_with_until_it_is_used(tmp_path: Path):
    """Since when it waits is known from its file."""
    folder = KeyFolder(tmp_path)
    first = folder.create("RCB01")
    assert folder.prepared_at("RCB01") is None
    waiting = folder.prepare("RCB01")
    os.utime(tmp_path / "RCB01" / "next.pem", (1717203600.25, 1717203600.25))
    assert folder.prepared_at("RCB01") == dt.datetime(2024, 6, 1, 1, 0, 0, 250_000, tzinfo=dt.UTC)
    assert [folder.signs_with("RCB01", key.kid) for key in (first, waiting)] == [True, False]
    folder.use_prepared("RCB01")
    assert [folder.signs_with("RCB01", key.kid) for key in (first, waiting)] == [False, True]
    assert folder.prepared_at("RCB01") is None


def test_a_member_without_a_key_is_told_where_to_go(tmp_path: Path):
    """The remedy stands in the text."""
    folder = KeyFolder(tmp_path)
    assert not folder.holds("RCB01")
    with pytest.raises(AccessDenied) as refused:
        folder.current("RCB01")
    assert str(refused.value) == "HL4006 the private key of RCB01 is not here; run this where it is kept"


@pytest.mark.parametrize("member", ["", "..", "../RCB01", "a/b", "/etc", "RCB01\x00", "*"])
def test_a_member_code_never_leaves_its_folder(tmp_path: Path, member: str):
    """A code comes from the command line and from messages."""
    folder = KeyFolder(tmp_path / "keys")
    for work in (folder.create, folder.current, folder.holds):
        with pytest.raises(AccessDenied, match="HL4006"):
            work(member)
    assert list(tmp_path.iterdir()) == []
