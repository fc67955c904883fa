"""Signed documents and fingerprints: standard JWS, signed whole, told by telephone."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from huilian.core.errors import AccessDenied, UsageError
from huilian.wire import signed_documents
from huilian.wire.joining import Addresses, make_approval, read_announcement, read_approval, read_request
from huilian.wire.keys import KeyFolder, PublicKey, SigningKey, encode_base64url
from huilian.wire.trusted_keys import TrustedKey
from tests.support.county import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = SigningKey.generate()
TEXT = signed_documents.sign("approval", {"a": "值", "b": 1}, [KEY])


def test_a_document_is_a_jws_that_others_verify():
    """RFC 7515, general JSON serialisation: nothing of ours is needed."""
    document = json.loads(TEXT)
    [entry] = document["signatures"]
    header = json.loads(base64.urlsafe_b64decode(entry["protected"] + "=="))
    assert header == {"alg": "EdDSA", "kid": KEY.kid, "typ": "huilian-approval+json"}
    signed = f"{entry['protected']}.{document['payload']}".encode()
    signature = base64.urlsafe_b64decode(entry["signature"] + "==")
    Ed25519PublicKey.from_public_bytes(KEY.public.raw).verify(signature, signed)
    assert json.loads(base64.urlsafe_b64decode(document["payload"] + "==")) == {"a": "值", "b": 1}


def test_a_document_is_read_as_it_was_signed():
    """With its keys and the hash of what they signed."""
    document = signed_documents.read(TEXT, "approval", name="x")
    signed_documents.verify(document, [KEY.public])
    assert (document.claims, document.kids) == ({"a": "值", "b": 1}, (KEY.kid,))


@given(st.data())
def test_no_byte_of_a_document_can_be_changed(data: st.DataObject):
    """Whatever is changed, it is refused, or it says the same: a blank between two names means nothing."""
    place = data.draw(st.integers(0, len(TEXT) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda each: each != TEXT[place]))
    changed = TEXT[:place] + other + TEXT[place + 1 :]
    with contextlib.suppress(AccessDenied):
        document = signed_documents.read(changed, "approval", name="x")
        signed_documents.verify(document, [KEY.public])
        assert document.claims == {"a": "值", "b": 1}


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_whatever_is_no_document_is_refused(text: str):
    """By the same code, never by a crash."""
    with pytest.raises(AccessDenied, match="HL4009"):
        signed_documents.read(text, "approval", name="x")


def test_a_name_that_stands_twice_is_refused():
    """Two readers might take different ones."""
    payload = encode_base64url(b'{"a": 1, "a": 2}')
    document = json.loads(TEXT) | {"payload": payload}
    with pytest.raises(AccessDenied, match="HL4009"):
        signed_documents.read(json.dumps(document), "approval", name="x")


def test_a_fingerprint_is_forty_digits_of_one_key():
    """In groups as one reads them out; the same for the same key, on every machine."""
    key = PublicKey(bytes(range(32)))
    assert key.fingerprint == PublicKey(bytes(range(32))).fingerprint
    assert re.fullmatch(r"([0-9]{5} ){7}[0-9]{5}", key.fingerprint)
    assert len({SigningKey.generate().public.fingerprint for _ in range(100)}) == 100


@pytest.mark.parametrize("change", [lambda said: said[:-1], lambda said: said + "0", lambda _: "", lambda _: " "])
def test_a_fingerprint_is_heard_whole(change: Callable[[str], str]):
    """A part of it is none, and nothing is not everything."""
    assert KEY.public.is_called(KEY.public.fingerprint)
    assert not KEY.public.is_called(change(KEY.public.fingerprint))


@pytest.mark.parametrize(
    "addresses",
    [
        {"https": "http://county.example"},
        {"https": "https://user:geheim@county.example"},
        {"https": "https://"},
        {"amqps": "amqp://county.example"},
        {"amqps": "amqps://RCB01:geheim@county.example/huilian"},
    ],
)
def test_an_approval_names_no_password_and_no_open_line(addresses: dict[str, str]):
    """It may lie about: in a mailbox, on a stick."""
    with pytest.raises(UsageError, match="HL7001"):
        Addresses(**addresses)


@pytest.mark.parametrize(
    "claim",
    [
        {"https": "http://x"},
        {"https": 5},
        {"amqps": "https://[x"},
        {"platform_keys": ["x"]},
        {"platform_key_times": [5]},
    ],
)
def test_an_approval_that_says_nonsense_is_refused(claim: dict[str, object]):
    """Even when the signature holds."""
    parts = {"county": "341599", "member": "RCB01", "kid": "k", "until": NOW, "platform": [TrustedKey(KEY.public)]}
    text = make_approval(**parts, addresses=Addresses(), key=KEY, now=NOW)
    assert read_approval(text, name="x").member == "RCB01"
    claims = json.loads(base64.urlsafe_b64decode(json.loads(text)["payload"] + "=="))
    with pytest.raises(AccessDenied, match="HL4009"):
        read_approval(signed_documents.sign("approval", claims | claim, [KEY]), name="x")


def test_a_prepared_key_is_signed_with_only_when_it_is_used(tmp_path: Path):
    """Made once, found again, and then the newest of all."""
    folder = KeyFolder(tmp_path)
    with pytest.raises(AccessDenied, match="HL4006"):
        folder.use_prepared("RCB01")
    first, second = folder.create("RCB01"), folder.prepare("RCB01")
    assert folder.prepare("RCB01").kid == second.kid
    assert folder.current("RCB01").kid == first.kid
    assert oct((tmp_path / "RCB01" / "next.pem").stat().st_mode & 0o777) == "0o600"
    assert folder.use_prepared("RCB01").kid == second.kid
    assert (folder.current("RCB01").kid, folder.prepared("RCB01")) == (second.kid, None)


UNFIT = PublicKey(bytes(32)).text
"""A point of order four."""


@pytest.mark.parametrize(
    ("kind", "claims", "read"),
    [
        ("joining-request", {"public_key": UNFIT}, read_request),
        (
            "key-announcement",
            {"member": "RCB01", "old_kid": "k", "overlap_days": 1, "new_key": UNFIT},
            read_announcement,
        ),
        (
            "approval",
            dict.fromkeys(("county", "member", "kid", "broker_user"), "x")
            | {"platform_keys": [KEY.public.text, UNFIT]},
            read_approval,
        ),
    ],
)
def test_no_document_brings_in_a_key_of_low_order(kind: str, claims: dict[str, object], read: Callable[..., object]):
    """Whoever has signed it."""
    text = signed_documents.sign(kind, claims, [KEY])
    with pytest.raises(AccessDenied, match=r"HL4019 .*a point of low order"):
        read(text, name="x")
