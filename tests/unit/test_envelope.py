"""The envelope: one signature over attributes and payload, which another JWS library can verify."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import gzip
import hashlib
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey
from joserfc.registry import HeaderParameter

from huilian.core.errors import MessageRefused
from huilian.wire import envelope
from huilian.wire.envelope import BODY_LIMIT, COMPRESS_ABOVE, SEAL_LIMIT, Draft
from huilian.wire.keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from huilian.wire.envelope import Message

KEY = SigningKey.generate()
SIGNED_AT = dt.datetime(2024, 6, 1, 9, 30, 0, 123456, tzinfo=dt.timezone(dt.timedelta(hours=8)))
BODY = '{"机构":"RCB01"}'.encode()
DRAFT = Draft(
    "loan_ledger", "loan_ledger/v1", "RCB01", BODY, bulk=True, submission="RCB01-loan_ledger-20240531-00", sequence=3
)
ID = "3f1c1f60-5d0b-4f43-9a0e-0d4f0a2b6c11"
MESSAGE = envelope.seal(DRAFT, KEY, source="RCB01", time=SIGNED_AT, message_id=ID)
HEADER: dict[str, object] = {
    "alg": "EdDSA",
    "b64": False,
    "crit": ["b64"],
    "kid": KEY.kid,
    "specversion": "1.0",
    "id": ID,
    "source": "RCB01",
    "type": "loan_ledger",
    "subject": "RCB01",
    "time": "2024-06-01T01:30:00.123456Z",
    "dataschema": "loan_ledger/v1",
    "datacontenttype": "application/x-ndjson",
    "submission": "RCB01-loan_ledger-20240531-00",
    "sequence": 3,
}

# RFC 9864 gave Ed25519 a name of its own and deprecates the older one, which every library still knows.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")


class Registry(jws.JWSRegistry):
    """joserfc's, with room for our attributes."""

    max_header_length = SEAL_LIMIT
    max_payload_length = BODY_LIMIT


REGISTRY = Registry(
    {"b64": HeaderParameter("unencoded payload", "bool")}, algorithms=["EdDSA"], strict_check_header=False
)


def encode(raw: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def header_of(message: Message) -> dict[str, Any]:
    """Return the protected header of a seal, decoded without help from the project."""
    protected = message.seal.partition("..")[0]
    header: dict[str, Any] = json.loads(base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))
    return header


def sign(header: bytes | dict[str, object], payload: bytes = BODY) -> str:
    """Return the seal of any header whatever, with a signature that holds."""
    raw = (
        json.dumps(header).encode()
        if isinstance(header, dict)
        else header.encode()
        if isinstance(header, str)
        else header
    )
    protected = encode(raw)
    return f"{protected}..{encode(KEY.sign(protected.encode() + b'.' + payload))}"


def let_in(seal: str, payload: bytes) -> Message:
    """Read and verify, as whoever receives a message does."""
    message = envelope.read(seal, payload)
    envelope.verify(message, KEY.public)
    return message


def refusal(work: Callable[[], object]) -> str:
    """Return the code with which something is refused."""
    with pytest.raises(MessageRefused) as refused:
        work()
    return refused.value.code


def code_of(work: Callable[[], object]) -> str | None:
    """Return the code with which something is refused, or None when it is let in."""
    try:
        work()
    except MessageRefused as refused:
        return refused.code
    return None


def compressed(payload: bytes) -> Message:
    """Return a message that says its payload is gzip."""
    return let_in(sign(HEADER | {"contentencoding": "gzip"}, payload), payload)


def single(payload: bytes) -> Message:
    """Return a message of one JSON object."""
    return let_in(sign(HEADER | {"datacontenttype": "application/json"}, payload), payload)


def test_a_seal_is_a_detached_jws_over_the_attributes():
    """The protected header is exactly the CloudEvents attributes and our two."""
    assert header_of(MESSAGE) == HEADER
    assert MESSAGE.seal.split(".")[1] == ""
    assert MESSAGE.payload == BODY


def test_an_independent_library_verifies_what_we_seal():
    """Whoever holds the public key can check a message offline, with any RFC 7797 implementation."""
    public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": encode(KEY.public.raw)})
    opened = jws.deserialize_compact(MESSAGE.seal, public, registry=REGISTRY, payload=MESSAGE.payload)
    assert opened.headers() == HEADER
    assert KEY.kid == public.thumbprint()


def test_an_independent_library_verifies_what_we_seal_compressed():
    """The signature is over the bytes as they travel."""
    public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": encode(KEY.public.raw)})
    large = envelope.seal(
        Draft("roster", "roster/v1", "341599", BODY * COMPRESS_ABOVE), KEY, source="341599", time=SIGNED_AT
    )
    assert large.compressed
    opened = jws.deserialize_compact(large.seal, public, registry=REGISTRY, payload=large.payload)
    assert opened.headers()["contentencoding"] == "gzip"
    assert gzip.decompress(large.payload) == BODY * COMPRESS_ABOVE == large.body()


def test_what_was_compressed_beforehand_is_sealed_as_it_is():
    """To the same payload; what is small is never compressed, and what is too large not even that."""
    body = BODY * COMPRESS_ABOVE
    drafts = [Draft("roster", "roster/v1", "341599", body)]
    drafts.append(dataclasses.replace(drafts[0], body=envelope.gzipped(body) or b"", gzipped=True))
    plain, beforehand = (envelope.seal(draft, KEY, source="341599", time=SIGNED_AT) for draft in drafts)
    assert (beforehand.payload, beforehand.compressed) == (plain.payload, True)
    assert beforehand.body() == body
    assert envelope.gzipped(bytes(COMPRESS_ABOVE)) is None
    assert refusal(lambda: envelope.gzipped(bytes(BODY_LIMIT + 1))) == "HL1006"


def test_what_an_independent_library_seals_opens_here():
    """A counterparty may sign with what it has."""
    pair = OKPKey.generate_key("Ed25519")
    theirs = jws.serialize_compact(HEADER, BODY, pair, registry=REGISTRY)
    from_them = envelope.read(theirs, BODY)
    x = pair.as_dict(private=False)["x"]
    public = type(KEY.public)(base64.urlsafe_b64decode(f"{x}="))
    envelope.verify(from_them, public)
    assert (from_them.id, from_them.sequence, from_them.body()) == (ID, 3, BODY)
    assert refusal(lambda: envelope.verify(from_them, KEY.public)) == "HL1001"


def test_what_is_read_is_what_was_sealed():
    """Every attribute comes back, the time in UTC."""
    message = let_in(MESSAGE.seal, MESSAGE.payload)
    assert message == MESSAGE
    assert message.time == SIGNED_AT
    assert (message.type, message.subject, message.routing_key) == ("loan_ledger", "RCB01", "loan_ledger.RCB01")
    assert (message.bulk, message.compressed, message.total) == (True, False, None)
    assert message.digest == hashlib.sha256(MESSAGE.seal.encode() + b"\n" + BODY).hexdigest()
    assert message.payload_sha256 == hashlib.sha256(BODY).hexdigest()


def test_the_order_of_the_attributes_is_the_signers_business():
    """What is signed is the bytes, so another order is another message, and as good."""
    assert let_in(sign(dict(reversed(HEADER.items()))), BODY).id == ID


@given(place=st.integers(0, len(MESSAGE.seal) - 1), character=st.characters(codec="utf-8"))
def test_any_altered_character_of_the_seal_is_refused(place: int, character: str):
    """There is one text for a signature: not even another spelling of the same bytes is taken."""
    altered = MESSAGE.seal[:place] + character + MESSAGE.seal[place + 1 :]
    if altered != MESSAGE.seal:
        assert refusal(lambda: let_in(altered, BODY)) in {"HL1001", "HL1009"}


def test_the_last_character_of_a_signature_has_no_spare_bits():
    """64 bytes leave four bits of the last character unused; only zeros are taken there."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/="
    codes = {last: code_of(lambda last=last: let_in(MESSAGE.seal[:-1] + last, BODY)) for last in alphabet}
    assert codes == dict.fromkeys(alphabet, "HL1001") | {MESSAGE.seal[-1]: None}


@given(data=st.data())
def test_any_altered_byte_of_the_payload_is_refused(data: st.DataObject):
    """One bit is enough, wherever it lies."""
    place = data.draw(st.integers(0, len(BODY) - 1))
    bit = data.draw(st.integers(0, 7))
    altered = bytearray(BODY)
    altered[place] ^= 1 << bit
    assert refusal(lambda: let_in(MESSAGE.seal, bytes(altered))) == "HL1001"


@given(cut=st.integers(1, len(MESSAGE.seal)))
def test_a_truncated_seal_is_refused(cut: int):
    """From either end."""
    assert refusal(lambda: let_in(MESSAGE.seal[:-cut], BODY)) in {"HL1001", "HL1009"}
    assert refusal(lambda: let_in(MESSAGE.seal[cut:], BODY)) in {"HL1001", "HL1009"}


@given(cut=st.integers(1, len(BODY)), more=st.binary(min_size=1, max_size=8))
def test_a_truncated_or_prolonged_payload_is_refused(cut: int, more: bytes):
    """Nothing is left off and nothing is put on."""
    assert refusal(lambda: let_in(MESSAGE.seal, BODY[:-cut])) == "HL1001"
    assert refusal(lambda: let_in(MESSAGE.seal, BODY + more)) == "HL1001"


@given(header=st.permutations(list(HEADER.items())))
def test_a_header_put_in_another_order_needs_a_new_signature(header: list[tuple[str, object]]):
    """The old signature covers the old bytes."""
    seal = encode(json.dumps(dict(header)).encode()) + ".." + MESSAGE.seal.partition("..")[2]
    assert refusal(lambda: let_in(seal, BODY)) == "HL1001"


@given(text=st.text(max_size=200), payload=st.binary(max_size=50))
def test_no_text_whatever_is_taken_for_a_seal(text: str, payload: bytes):
    """Whatever comes, the answer is a refusal with a code, never another error."""
    assert refusal(lambda: let_in(text, payload)) == "HL1009"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(name=st.sampled_from(list(HEADER)), value=json_values)
def test_an_attribute_of_any_value_is_let_in_or_refused_by_its_code(name: str, value: object):
    """Even correctly signed, a header holds what it should, in the types it should, or is not taken."""
    seal = sign(HEADER | {name: value})
    code = code_of(lambda: let_in(seal, BODY))
    assert code in {"HL1009", None}
    if code is None:
        message = envelope.read(seal, BODY)
        # What was let in can be stored: PostgreSQL's texts hold no NUL, and UTF-8 no lone surrogate.
        for text in (message.id, message.source, message.type, message.subject, message.kid, message.submission or ""):
            assert "\x00" not in text.encode().decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alg", "none"),
        ("alg", "HS256"),
        ("alg", "ES256"),
        ("alg", None),
        ("b64", True),
        ("b64", 0),
        ("b64", None),
        ("crit", []),
        ("crit", ["b64", "exp"]),
        ("crit", "b64"),
        ("crit", None),
        ("specversion", "0.3"),
        ("kid", ""),
        ("kid", 1),
        ("id", ""),
        ("id", "a\x00b"),
        ("id", "a\nb"),
        ("id", "a\x7fb"),
        ("id", "\ud800"),
        ("id", "a" * 256),
        ("source", None),
        ("type", ["loan_ledger"]),
        ("subject", 7),
        ("subject", "\x1b[31m"),
        ("submission", {}),
        ("submission", "\udfff"),
        ("time", "yesterday"),
        ("time", "2024-06-01T01:30:00"),
        ("time", "10000-01-01T00:00:00Z"),
        ("datacontenttype", "text/csv"),
        ("contentencoding", "br"),
        ("sequence", -1),
        ("sequence", 2**31),
        ("sequence", True),
        ("sequence", "3"),
        ("sequence", 3.0),
        ("total", 1e400),
    ],
)
def test_a_wrong_attribute_is_named(name: str, value: object):
    """The refusal says which attribute, and the signature that holds does not help."""
    with pytest.raises(MessageRefused) as refused:
        let_in(sign(HEADER | {name: value}), BODY)
    assert (refused.value.code, refused.value.facts) == ("HL1009", {"what": name})


@pytest.mark.parametrize(
    "name", ["alg", "b64", "crit", "specversion", "kid", "id", "source", "type", "time", "dataschema"]
)
def test_a_missing_attribute_is_named(name: str):
    """None of them has a default."""
    header = {key: value for key, value in HEADER.items() if key != name}
    with pytest.raises(MessageRefused) as refused:
        let_in(sign(header), BODY)
    assert (refused.value.code, refused.value.facts) == ("HL1009", {"what": name})


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b'"alg"',
        b"\xff\xfe",
        json.dumps(HEADER).encode("utf-16"),
        b'{"alg":"none",' + json.dumps(HEADER).encode()[1:],
        b"[" * 3000,
        b"1" * 5000,
    ],
    ids=["empty", "list", "text", "bytes", "utf-16", "repeated name", "deep list", "huge number"],
)
def test_a_header_that_is_no_json_object_is_refused(header: bytes):
    """A name that stands twice counts as none: two readers might not agree on which."""
    with pytest.raises(MessageRefused) as refused:
        let_in(sign(header), BODY)
    assert refused.value.code == "HL1009"
    assert refused.value.facts["what"] in {"protected header", "seal"}


@pytest.mark.parametrize(
    "seal",
    [
        "",
        "..",
        "...",
        ".." + MESSAGE.seal,
        MESSAGE.seal + ".",
        MESSAGE.seal.replace("..", "."),
        MESSAGE.seal.replace("..", f".{encode(BODY)}."),
        MESSAGE.seal + "=",
        " " + MESSAGE.seal,
        MESSAGE.seal + "\n",
        "a" * (SEAL_LIMIT + 1),
        MESSAGE.seal + "A" * SEAL_LIMIT,
        "印" * 10,
    ],
)
def test_what_is_not_a_detached_seal_is_refused(seal: str):
    """Attached, padded, spaced or huge: there is one form."""
    assert refusal(lambda: let_in(seal, BODY)) in {"HL1009", "HL1001"}


def test_a_huge_seal_is_refused_before_it_is_looked_at():
    """A hundred megabytes of header cost nothing."""
    huge = "A" * (100 * 1024 * 1024)
    tracemalloc.start()
    try:
        assert refusal(lambda: envelope.read(huge, BODY)) == "HL1009"
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_payload_above_the_limit_is_refused():
    """Its signature is not even looked at."""
    with pytest.raises(MessageRefused) as refused:
        envelope.read(MESSAGE.seal, bytes(BODY_LIMIT + 1))
    assert refused.value.facts == {"size": BODY_LIMIT + 1, "limit": BODY_LIMIT}
    assert refused.value.code == "HL1006"


def test_a_body_above_the_limit_is_not_even_sealed():
    """The sender learns it, not the receiver; exactly the limit is fine."""
    draft = Draft("roster", "roster/v1", "341599", bytes(BODY_LIMIT + 1))
    assert refusal(lambda: envelope.seal(draft, KEY, source="341599", time=SIGNED_AT)) == "HL1006"
    exact = envelope.seal(Draft("roster", "roster/v1", "341599", bytes(BODY_LIMIT)), KEY, source="A", time=SIGNED_AT)
    assert exact.body() == bytes(BODY_LIMIT)


def test_a_gzip_bomb_is_refused_in_bounded_memory():
    """Sixteen times the limit expands to the limit and no further."""
    bomb = gzip.compress(bytes(BODY_LIMIT * 16), compresslevel=1)
    message = compressed(bomb)
    tracemalloc.start()
    try:
        assert refusal(message.body) == "HL1006"
        assert tracemalloc.get_traced_memory()[1] < 4 * BODY_LIMIT
    finally:
        tracemalloc.stop()


def test_one_byte_beyond_the_limit_expands_too_far():
    """The limit holds for the body as for the payload."""
    assert compressed(gzip.compress(bytes(BODY_LIMIT))).body() == bytes(BODY_LIMIT)
    assert refusal(compressed(gzip.compress(bytes(BODY_LIMIT + 1))).body) == "HL1006"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not gzip",
        gzip.compress(BODY)[:-1],
        gzip.compress(BODY)[:10],
        gzip.compress(BODY) + b"x",
        gzip.compress(BODY) + gzip.compress(BODY),
        gzip.compress(BODY)[:-8] + bytes(8),
        gzip.compress(BODY)[1:],
    ],
    ids=["empty", "plain", "cut", "header only", "trailing", "second member", "checksum", "head cut"],
)
def test_broken_gzip_is_refused(payload: bytes):
    """Cut off, damaged, or with something behind it."""
    assert refusal(compressed(payload).body) == "HL1011"


@given(place=st.integers(0, 200), value=st.integers(0, 255))
def test_damaged_gzip_never_expands_to_something_else(place: int, value: int):
    """A member may sign damaged bytes: they are refused, or are harmlessly the same."""
    payload = bytearray(gzip.compress(BODY, mtime=0))
    payload[place % len(payload)] = value
    message = compressed(bytes(payload))
    code = code_of(message.body)
    assert code == "HL1011" or (code is None and message.body() == BODY)


@given(body=st.binary(max_size=3 * COMPRESS_ABOVE))
def test_the_same_body_always_gives_the_same_payload(body: bytes):
    """A file pushed again has the same parts, whenever and by whichever key it is sealed."""
    draft = Draft("roster", "roster/v1", "341599", body, bulk=True)
    first = envelope.seal(draft, KEY, source="341599", time=SIGNED_AT)
    again = envelope.seal(draft, SigningKey.generate(), source="341599", time=SIGNED_AT + dt.timedelta(days=400))
    assert first.payload == again.payload
    assert first.compressed == (len(body) > COMPRESS_ABOVE)
    assert first.body() == body


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        (b"", 1),
        (b'{"a": 1,\n "b": }', 2),
        (b"{} {}", 1),
        (b"\xff\xfe{}", 1),
        ("{}".encode("utf-16"), 1),
        (b'{"a": NaN}', 1),
        (b'{"a": -Infinity}', 1),
        (b'{"a": ' + b"9" * 5000 + b"}", 1),
        (b"[" * 100_000, 1),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 1),
    ],
    ids=["empty", "syntax", "two", "bytes", "utf-16", "nan", "infinity", "huge number", "deep list", "deep object"],
)
def test_bad_json_is_refused_with_its_line(payload: bytes, line: int):
    """However deep or strange, it is a refusal of this message, not an error of ours."""
    with pytest.raises(MessageRefused) as refused:
        single(payload).json()
    assert (refused.value.code, refused.value.facts) == ("HL1007", {"line": line})


def test_good_json_is_read():
    """Chinese included."""
    assert single(BODY).json() == {"机构": "RCB01"}


def test_a_message_shows_neither_payload_nor_seal():
    """Both may end in a log or a traceback."""
    assert "RCB01-loan_ledger-20240531-00" in repr(MESSAGE)
    assert MESSAGE.seal not in repr(MESSAGE)
    assert "机构" not in repr(MESSAGE)
    assert repr(BODY) not in repr(DRAFT)
