"""Whatever an insurer's file holds, reading it ends with records, rejections or a refusal, in bounded memory."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.insurer import adapter
from adapters.insurer.element import MOST_BYTES, read_element
from adapters.insurer.parsing import MOST_ELEMENT_BYTES
from huilian.core.errors import FileRefused
from tests.support.builders.delimited_files import COUNTY
from tests.support.builders.insurer_packages import (
    NAME,
    NAMESPACE,
    Package,
    alone,
    claim,
    errors,
    package,
    policy,
    read,
    result,
)

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD: Final = package(
    policy({"Holder": "王䶮"}), claim(), "<Other/>", result(), total="30120.00", codec="gb18030", declared="GB18030"
)
LAUGHS: Final = (
    '<!DOCTYPE Package [<!ENTITY a "哈哈哈哈哈哈哈哈哈哈">'
    + "".join(f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
MOST_MEGABYTES: Final = 300
SECONDS: Final = 5.0
"""Of the processor, for what takes a hundredth of one."""
BODY_BYTES: Final = 100_000_000


def outcome(path: Path) -> str | list[tuple[int, str, str]]:
    """Return the code of the refusal, or the errors; the acknowledgement is written as well."""
    try:
        pieces = read(path)
    except FileRefused as refusal:
        return refusal.code
    identity = adapter.recognise(path.name)
    assert identity is not None
    for piece in pieces:
        rejected = piece.rejections["line"].unique()
        assert piece.rows == piece.accepted.height + rejected.len()
        assert not piece.accepted["line"].is_in(rejected.implode()).any()
        adapter.write_rejections(path, identity, piece.rejections, path.with_name("ack.xml"))
    return errors(pieces)


def test_the_file_used_here_is_what_it_claims(tmp_path: Path):
    """Undamaged, it has the one error put into it."""
    assert outcome(GOOD.save(tmp_path)) == [(3, "Body/Other", "HL2043")]


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path):
    """At every byte until its last; no cut leads to another error, nor to a part of the package."""
    data = GOOD.data
    path = tmp_path / NAME
    found = set()
    for size in range(len(data) - 1):
        path.write_bytes(data[:size])
        code = outcome(path)
        assert isinstance(code, str), size
        found.add(code)
    assert found == {"HL3006", "HL3031"}


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), keeps_digest=st.booleans())
def test_bytes_changed_anywhere_are_judged(tmp_path: Path, data: st.DataObject, *, keeps_digest: bool):
    """In the Head or, under a digest that agrees, in the Body."""
    raw = bytearray(GOOD.data if keeps_digest else GOOD.body)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"<", b">", b"&", b"<!--", b"]]>", b"\x00", b"\x81", b"</Body>"])
        )
    path = tmp_path / NAME
    changed = bytes(raw)
    if not keeps_digest:
        start, _, end = GOOD.data.partition(GOOD.body)
        digests = (hashlib.sha256(body).hexdigest().encode() for body in (GOOD.body, changed))
        changed = start.replace(*digests) + changed + end
    path.write_bytes(changed)
    outcome(path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | st.text("<>/!-[]&;\"'=? \nBodyHeadPackage:x", max_size=200).map(str.encode))
def test_random_bytes_are_refused(tmp_path: Path, body: bytes):
    """Alone, after a declaration, or posted as an element."""
    path = tmp_path / NAME
    for data in (
        body,
        b'<?xml version="1.0" encoding="GB18030"?>' + body,
        f'<Package xmlns="{NAMESPACE}">'.encode() + body,
    ):
        path.write_bytes(data)
        assert isinstance(outcome(path), str)
    with pytest.raises(FileRefused):
        read_element(body, COUNTY)


def secret(tmp_path: Path) -> str:
    """Return the address of a file that nobody but us may read."""
    path = tmp_path / "secret.txt"
    path.write_text("a secret")
    return path.as_uri()


DOCUMENT_TYPES: list[Callable[[Path], str]] = [
    lambda _: "<!DOCTYPE Package>",
    lambda folder: f'<!DOCTYPE Package SYSTEM "{secret(folder)}">',
    lambda folder: f'<!DOCTYPE Package [<!ENTITY a SYSTEM "{secret(folder)}">]>',
    lambda folder: f'<!DOCTYPE Package [<!ENTITY % a SYSTEM "{secret(folder)}"> %a;]>',
    lambda _: '<!DOCTYPE Package PUBLIC "x" "http://192.0.2.1/x.dtd">',
    lambda _: LAUGHS,
    lambda _: "<!-- x --><?y?>\n" + LAUGHS,
]


@pytest.mark.parametrize("document_type", DOCUMENT_TYPES)
def test_a_document_type_declaration_is_refused_unread(tmp_path: Path, document_type: Callable[[Path], str]):
    """Whether it would load a file, ask a server or grow into gigabytes."""
    prolog = document_type(tmp_path)
    holder = "&a;" if "ENTITY a" in prolog else "&i;"
    element = policy().replace("<Holder>张三", f"<Holder>{holder}")
    assert outcome(package(element, total="120", prolog=prolog).save(tmp_path)) == "HL3030"
    with pytest.raises(FileRefused) as caught:
        read_element((prolog + alone(element)).encode(), COUNTY)
    assert caught.value.code == "HL3030"


@pytest.mark.parametrize(
    "text", ["&undefined;", "&#0;", "&#xFFFF;", "<", "<!DOCTYPE x>", "<!ENTITY a 'b'>", "]]>", "</Holder>"]
)
@pytest.mark.parametrize("before", [0, 3_000])
def test_what_is_not_well_formed_refuses_the_file_and_names_its_line(tmp_path: Path, text: str, before: int):
    """Early or late in it; the parser's own words are not shown, since they quote what it found."""
    broken = policy().replace("<Holder>张三", f"<Holder>{text}")
    file = package(*(result({"Period": f"{1000 + n}"}) for n in range(before)), broken, policy({"PolicyNo": "P2"}))
    with pytest.raises(FileRefused) as caught:
        read(file.save(tmp_path))
    assert caught.value.code == "HL3031"
    assert caught.value.facts["line"] == before + 5
    assert "undefined" not in str(caught.value)


def test_characters_that_cannot_be_read_cost_their_element_only(tmp_path: Path):
    """Bytes of another encoding, a character cut in half, and characters that XML does not allow."""
    path = tmp_path / NAME
    file = package(policy({"Holder": "@1@"}), policy({"PolicyNo": "P2", "Holder": "@2@"}), policy({"PolicyNo": "P3"}))
    body = file.body.replace(b"@1@", "张".encode()[:2]).replace(b"@2@", b"a\x0b\x00b")
    start, _, end = package(policy(), policy(), policy(), total="360").data.partition(b"<Body>")
    digest = start[start.index(b"SHA-256") + 9 :][:64]
    path.write_bytes(
        start.replace(digest, hashlib.sha256(body).hexdigest().encode()) + body + end.partition(b"</Body>")[2]
    )
    assert outcome(path) == [(1, "Policy/Holder", "HL2016"), (2, "Policy/Holder", "HL2016")]


def test_a_wrong_declaration_does_not_lead_to_wrong_names(tmp_path: Path):
    """GB18030 read as UTF-8 is rejected; UTF-8 read as GB18030 would often look right, and is refused."""
    names = policy({"Holder": "中华人民共和国", "Insured/@name": "中华人民共和国"})
    assert outcome(package(names, total="120", codec="gb18030", declared="UTF-8").save(tmp_path)) == [
        (1, "Policy/Holder", "HL2016"),
        (1, "Policy/Insured/name", "HL2016"),
    ]
    assert outcome(package(names, total="120", codec="utf-8", declared="GB18030").save(tmp_path)) == "HL3032"
    assert outcome(package(names, total="120", codec="utf-8", declared=None).save(tmp_path)) == []
    # However short they are, and also where they are written in four bytes each.
    for name in ("张三", "䶮三", "𠅤"):
        short = policy({"Holder": name, "Insured/@name": name})
        assert outcome(package(short, total="120", codec="utf-8", declared="GB18030").save(tmp_path)) == "HL3032"
        assert outcome(package(short, total="120", codec="gb18030", declared="GB18030").save(tmp_path)) == []


MARKS = [
    ("utf-8", "UTF-8", b"\xef\xbb\xbf", []),
    ("utf-8", "GB18030", b"\xef\xbb\xbf", []),
    ("utf-8", None, b"\xef\xbb\xbf", []),
    ("gb18030", "GB18030", b"\x84\x31\x95\x33", []),
    ("utf-16-le", "UTF-16", b"\xff\xfe", "HL3007"),
    ("utf-16-be", "UTF-16", b"\xfe\xff", "HL3007"),
    ("utf-8", "UTF-16", b"", "HL3007"),
]


@pytest.mark.parametrize(("codec", "declared", "mark", "found"), MARKS)
def test_a_byte_order_mark_says_what_a_file_is_in(
    tmp_path: Path, codec: str, declared: str | None, mark: bytes, found: str | list[object]
):
    """It is believed before the declaration, which programs forget to change."""
    file = package(policy(), total="120", codec=codec, declared=declared, mark=mark)
    assert outcome(file.save(tmp_path)) == found


NAMESPACES = [
    ('<Package xmlns="urn:insurer:rural:v1">', "<Package>"),
    ('<Package xmlns="urn:insurer:rural:v1">', '<Package xmlns="urn:insurer:rural:v2">'),
    ('<Package xmlns="urn:insurer:rural:v1">', '<x:Package xmlns:x="urn:insurer:rural:v1">'),
    ("Package", "Parcel"),
    ("<Body>", '<Body xmlns="urn:other">'),
    ("<Head>", '<Head xmlns="">'),
    ("<Body>", "<Corps>"),
]


@pytest.mark.parametrize(("agreed", "other"), NAMESPACES)
def test_other_names_and_namespaces_are_refused(tmp_path: Path, agreed: str, other: str):
    """Whichever part they stand at; the digest is made to agree."""
    file = package(policy(), total="120")
    body = file.body.replace(agreed.encode(), other.encode())
    data = file.data.replace(file.body, b"@").replace(agreed.encode(), other.encode())
    data = data.replace(*(hashlib.sha256(part).hexdigest().encode() for part in (file.body, body)))
    path = tmp_path / NAME
    path.write_bytes(data.replace(b"@", body))
    assert outcome(path) in ("HL3032", "HL3031")


def test_prefixes_are_as_good_as_a_default_namespace(tmp_path: Path):
    """XML makes no difference between them."""
    file = package(policy(), total="120")
    text = file.data.decode().replace("</", "</i:").replace('<Package xmlns="', '<i:Package xmlns:i="')
    for name in (
        "Head",
        "Sender",
        "MessageId",
        "CreatedAt",
        "Count",
        "TotalAmount",
        "Digest",
        "Body",
        "Policy",
        "Insured",
    ):
        text = text.replace(f"<{name}", f"<i:{name}")
    for name in ("No", "Code", "Kind", "Holder", "Region", "Premium", "Amount", "Share", "From", "To", "SumInsured"):
        text = text.replace(f"<{name}>", f"<i:{name}>")
    for name in ("PolicyNo", "ProductCode", "HouseholdNo", "LoanNo", "Share "):
        text = text.replace(f"<{name}", f"<i:{name}")
    body = text[text.index("<i:Body>") : text.index("</i:Body>") + len("</i:Body>")]
    old, new = (hashlib.sha256(part).hexdigest() for part in (file.body, body.encode()))
    path = tmp_path / NAME
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert outcome(path) == []


@pytest.mark.parametrize(
    "second", ["<Body></Body>", "<Body/>", "<!-- </Body> -->", "<Note><Body></Body></Note>", "<Note>"]
)
def test_what_follows_the_body_cannot_be_taken_for_it(tmp_path: Path, second: str):
    """Nor can a comment or a second Body move its end, even with a digest over all of it."""
    file = package(policy(), total="120", after_body=second)
    path = file.save(tmp_path)
    data = path.read_bytes()
    assert outcome(path) in ("HL3031", "HL3032", "HL3034")
    mistaken = data[data.index(b"<Body>") : data.rindex(b"</Body>") + len(b"</Body>")]
    digests = (hashlib.sha256(body).hexdigest().encode() for body in (file.body, mistaken))
    path.write_bytes(data.replace(*digests))
    assert outcome(path) in ("HL3031", "HL3032")


@pytest.mark.parametrize("item", ["Reason", "Attachment"])
def test_ten_million_characters_cost_their_element_only(tmp_path: Path, item: str):
    """A text too long for its item is rejected, in an item of no interest it is passed over."""
    long = claim({"Reason": None}, more=f"<{item}>{'x' * 10_000_000}</{item}>")
    found = outcome(package(policy(), long, claim({"ClaimNo": "C2"}), total="60120").save(tmp_path))
    assert found == ([(2, "Claim/Reason", "HL2006")] if item == "Reason" else [])


@pytest.mark.parametrize(
    "text", ["x" * (MOST_ELEMENT_BYTES + 1), f"<!--{'x' * MOST_ELEMENT_BYTES}-->", "<a/>" * (MOST_ELEMENT_BYTES // 4)]
)
def test_an_element_beyond_all_bounds_refuses_the_file(tmp_path: Path, text: str):
    """Memory holds no more of a file than one element may have."""
    assert outcome(package(policy(more=f"<Attachment>{text}</Attachment>"), total="120").save(tmp_path)) == "HL3031"


@pytest.mark.parametrize(("depth", "found"), [(200, []), (2_000, []), (3_000, "HL3031"), (300_000, "HL3031")])
def test_nesting_is_bounded(tmp_path: Path, depth: int, found: object):
    """Where nobody looks it may be deep, but not without end."""
    more = "<a>" * depth + "</a>" * depth
    assert outcome(package(policy(more=more), total="120").save(tmp_path)) == found
    assert outcome(package(total="0", in_head="<a>" * depth + "</a>" * depth).save(tmp_path)) in ([], "HL3031")


def test_floods_of_what_nobody_agreed_on_are_judged(tmp_path: Path):
    """A hundred thousand elements and ten thousand names of items: counted, and no name kept beyond twenty."""
    more = "".join(f"<n{place}/>" for place in range(10_000))
    (piece,) = read(package(*["<A/>"] * 20_000, policy(more=more), total="120").save(tmp_path))[-1:]
    assert piece.accepted["line"].to_list() == [20_001]


@pytest.mark.parametrize(
    "flood",
    ["a", "<", "<!--", "<![CDATA[", '"', "<a b='", " encoding", "<?", "/", "<a>", "</a>", "<a/>", "&lol;", "\x81"],
)
def test_floods_before_the_body_are_judged_in_time(tmp_path: Path, flood: str):
    """A beginning of which nothing can be made, however long, costs no time."""
    path = tmp_path / NAME
    for start in (
        "",
        "<?xml version='1.0'",
        f'<Package xmlns="{NAMESPACE}"',
        f'<Package xmlns="{NAMESPACE}">',
        "<Claim ",
    ):
        data = (start + flood * 300_000).encode("latin-1")
        path.write_bytes(data)
        begun = time.process_time()
        assert isinstance(outcome(path), str)
        with pytest.raises(FileRefused):
            read_element(data[:MOST_BYTES], COUNTY)
        assert time.process_time() - begun < SECONDS


def test_a_folder_or_a_missing_file_is_refused(tmp_path: Path):
    """As one that cannot be opened."""
    assert outcome(tmp_path / NAME) == "HL3010"
    (tmp_path / NAME).mkdir()
    assert outcome(tmp_path / NAME) == "HL3010"


_READ: Final = """
import json, pathlib, sys
from adapters.insurer import adapter
from huilian.adapters import AdapterSettings
path = pathlib.Path(sys.argv[1])
def peak():
    # The high-water mark of this program alone: that of getrusage begins with its parent's.
    status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0])
before = peak()
pieces = adapter.read(path, adapter.recognise(path.name), AdapterSettings("341599"))
taken = [(piece.type, piece.accepted.height) for piece in pieces]
counts = [sum(height for kind, height in taken if kind == wanted) for wanted in ("policies", "claims")]
print(json.dumps([*counts, before, peak()]))
"""


def printed(element: str, more: str) -> bytes:
    """Return an element as systems print it: each item on a line of its own, and with items nobody agreed on."""
    return element.replace("><", ">\n        <").replace("</Policy>", f"{more}</Policy>").encode()


def large(path: Path) -> int:
    """Write a package with a Body of a hundred million bytes; return how many pairs of elements it has."""
    terms = f"<Terms>{'保险责任以条款为准。' * 60}</Terms>\n"
    pair = printed(policy({"PolicyNo": "P@"}), terms) + b"\n" + printed(claim({"ClaimNo": "C@"}), "") + b"\n"
    pairs = BODY_BYTES // (len(pair) + 2 * 9)
    body = b"<Body>\n" + b"".join(pair.replace(b"@", b"%010d" % number) for number in range(pairs)) + b"</Body>"
    digest = hashlib.sha256(body).hexdigest()
    file = Package(total=f"{30120 * pairs}.00", count=str(2 * pairs), digest=digest, between="")
    path.write_bytes(file.data.replace(b"<Body></Body>", body))
    return pairs


def test_a_hundred_megabytes_are_read_in_bounded_memory(tmp_path: Path):
    """All of it is taken, and memory holds a fraction of it."""
    path = tmp_path / NAME
    pairs = large(path)
    assert path.stat().st_size > BODY_BYTES * 0.99
    done = subprocess.run(
        [sys.executable, "-P", "-c", _READ, str(path)],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    policies, claims, before, after = json.loads(done.stdout.splitlines()[-1])
    assert (policies, claims) == (pairs, pairs)
    assert after / 1024 < MOST_MEGABYTES
    assert after - before < BODY_BYTES // 1024
