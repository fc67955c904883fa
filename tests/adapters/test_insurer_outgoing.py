"""What the insurer is sent: acknowledgements, receipts, confirmations and notices."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.insurer import adapter, documents
from huilian.adapters import REJECTIONS, Outgoing
from huilian.errors import FileRefused, describe
from schemas.columnar import wire_types
from schemas.returns import ConfirmationRecord
from tests.adapters.insurer_making import NAME, NAMESPACE, claim, package, policy, read, result
from tests.adapters.making import COUNTY, identity_number
from tests.adapters.valid_records import frames

if TYPE_CHECKING:
    from pathlib import Path

DAY: Final = dt.date(2024, 6, 3)
CONFIRMATION: Final = {
    "line": 1,
    "confirmation_no": "Q2024000001",
    "institution": "RCB01",
    "household_no": "341599101200-0001",
    "borrower_name": "张三",
    "identity_number": identity_number(1),
    "region": "341599101200",
    "product": "XE001",
    "amount": "50000.00",
    "months": 36,
    "confirmed_date": "2024-06-03",
    "valid_until": None,
}


def outgoing(dataschema: str, records: pl.DataFrame, **parts: Any) -> Outgoing:  # noqa: ANN401  # whichever part
    """Return records on their way to the insurer."""
    return Outgoing(dataschema, "INS_PICC", DAY, parts.pop("number", 1), records, **parts)


def acknowledged(tmp_path: Path, *elements: str, **parts: object) -> bytes:
    """Return the acknowledgement of a package."""
    path = package(*elements, **parts).save(tmp_path)  # type: ignore[arg-type]  # parts are named by the test
    identity = adapter.recognise(NAME)
    assert identity is not None
    rejections = pl.concat([pl.DataFrame(schema=REJECTIONS), *(piece.rejections for piece in read(path))])
    adapter.write_rejections(path, identity, rejections.sort("line", maintain_order=True), tmp_path / "ack.xml")
    return (tmp_path / "ack.xml").read_bytes()


@pytest.mark.parametrize(("codec", "declared"), [("utf-8", "UTF-8"), ("gb18030", "GB18030")])
def test_every_element_is_acknowledged_in_the_packages_encoding(tmp_path: Path, codec: str, declared: str):
    """By name, place and number, with all its errors; the insurer's own words are not repeated."""
    wrong = policy({"PolicyNo": "P2", "Region": "110101", "Holder": "王䶮" * 40})
    found = acknowledged(
        tmp_path,
        policy(),
        wrong,
        claim(),
        "<Seat/>",
        result(),
        claim({"ClaimNo": None}),
        total="60240",
        codec=codec,
        declared=declared,
    )
    assert found.decode(codec) == (
        f'<?xml version="1.0" encoding="{declared}"?>\n'
        f'<Ack xmlns="{NAMESPACE}">\n'
        "<Head><Receiver>INS_PICC</Receiver><RegardingMessage>M20240531-01</RegardingMessage>"
        f"<RegardingFile>{NAME}</RegardingFile><Count>6</Count><Accepted>3</Accepted><Rejected>3</Rejected></Head>\n"
        "<Body>\n"
        '<Result element="Policy" number="1" reference="P2024000001" status="accepted"></Result>\n'
        '<Result element="Policy" number="2" reference="P2" status="rejected">'
        f'<Error field="Policy/Holder" code="HL2006">{describe("HL2006")}</Error>'
        f'<Error field="Policy/Region" code="HL2009">{describe("HL2009")}</Error></Result>\n'
        '<Result element="Claim" number="3" reference="C2024000001" status="accepted"></Result>\n'
        '<Result element="Seat" number="4" status="rejected">'
        f'<Error field="Body/Seat" code="HL2043">{describe("HL2043")}</Error></Result>\n'
        '<Result element="PeriodResult" number="5" reference="2024-05" status="accepted"></Result>\n'
        '<Result element="Claim" number="6" status="rejected">'
        f'<Error field="Claim/ClaimNo" code="HL2001">{describe("HL2001")}</Error></Result>\n'
        "</Body>\n</Ack>\n"
    )
    assert etree.fromstring(found).tag == f"{{{NAMESPACE}}}Ack"


def test_a_package_without_rejections_is_acknowledged_too(tmp_path: Path):
    """An empty one has no results."""
    assert b'number="1" reference="P2024000001" status="accepted"' in acknowledged(tmp_path, policy(), total="120")
    assert b"<Count>0</Count><Accepted>0</Accepted><Rejected>0</Rejected>" in acknowledged(tmp_path)


NAMES = [
    ("receipt/v2", 1, "INS_PICC_ACK_20240603_01.xml"),
    ("confirmations/v1", 7, "INS_PICC_CONFIRM_20240603_07.xml"),
    ("notices/v1", 123, "INS_PICC_NOTICE_20240603_123.xml"),
]


@pytest.mark.parametrize(("dataschema", "number", "name"), NAMES)
def test_what_is_sent_has_a_name_that_no_package_has(dataschema: str, number: int, name: str):
    """So that nobody pushes it back."""
    assert adapter.outgoing_name(outgoing(dataschema, pl.DataFrame(), number=number)) == name
    assert adapter.recognise(name) is None
    assert set(adapter.writes) == {dataschema for dataschema, _, _ in NAMES}


def test_a_confirmation_is_written_item_by_item(tmp_path: Path):
    """Nulls are left out."""
    target = tmp_path / "confirm.xml"
    frame = pl.DataFrame([CONFIRMATION], schema=wire_types(ConfirmationRecord))
    adapter.write(outgoing("confirmations/v1", frame, regarding="<&>.xml"), COUNTY, target)
    assert target.read_text(encoding="utf-8") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Confirmations xmlns="{NAMESPACE}">\n'
        "<Head><Sender>341599</Sender><Receiver>INS_PICC</Receiver><Date>2024-06-03</Date><Number>1</Number>"
        "<RegardingFile>&lt;&amp;&gt;.xml</RegardingFile><Count>1</Count></Head>\n"
        "<Body>\n"
        "<Confirmation><Line>1</Line><ConfirmationNo>Q2024000001</ConfirmationNo><Institution>RCB01</Institution>"
        "<HouseholdNo>341599101200-0001</HouseholdNo><BorrowerName>张三</BorrowerName>"
        f"<IdentityNumber>{identity_number(1)}</IdentityNumber><Region>341599101200</Region><Product>XE001</Product>"
        "<Amount>50000.00</Amount><Months>36</Months><ConfirmedDate>2024-06-03</ConfirmedDate></Confirmation>\n"
        "</Body>\n</Confirmations>\n"
    )


def test_codes_are_hyphenated_as_the_insurers_are(tmp_path: Path):
    """Suspension of lending is `lending-suspended`."""
    target = tmp_path / "notice.xml"
    record = dict.fromkeys(documents.KINDS["notices/v1"].types) | {
        "line": 1,
        "kind": "lending_suspended",
        "text": "x_y",
    }
    frame = pl.DataFrame([record], schema=documents.KINDS["notices/v1"].types)
    adapter.write(outgoing("notices/v1", frame), COUNTY, target)
    assert b"<Kind>lending-suspended</Kind><Text>x_y</Text>" in target.read_bytes()
    assert adapter.read_back(target, "notices/v1", COUNTY).equals(frame)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), dataschema=st.sampled_from(list(documents.KINDS)))
def test_what_is_written_comes_back_as_it_went_in(tmp_path: Path, data: st.DataObject, dataschema: str):
    """Every field of every contract, whatever characters it holds; and the same records give the same bytes."""
    frame = data.draw(frames(documents.KINDS[dataschema].schema))
    first, second = tmp_path / "first.xml", tmp_path / "second.xml"
    for target in (first, second):
        adapter.write(outgoing(dataschema, frame), COUNTY, target)
    assert first.read_bytes() == second.read_bytes()
    assert adapter.read_back(first, dataschema, COUNTY).equals(frame)


def test_text_that_xml_cannot_hold_is_escaped_and_nothing_else_is(tmp_path: Path):
    """U+FFFE and U+FFFF are no characters of XML; a backslash alone stays one."""
    texts = ["\ufffe", "a\\b\uffff\\uFFFE", "a\\uFFFE\\\\b", " <&]]>\"' \u0085\u2028 "]
    records = [
        dict.fromkeys(documents.KINDS["notices/v1"].types) | {"line": n, "kind": "message_refused", "text": text}
        for n, text in enumerate(texts)
    ]
    frame = pl.DataFrame(records, schema=documents.KINDS["notices/v1"].types)
    target = tmp_path / "notice.xml"
    adapter.write(outgoing("notices/v1", frame), COUNTY, target)
    assert adapter.read_back(target, "notices/v1", COUNTY)["text"].to_list() == texts
    written = target.read_text(encoding="utf-8")
    assert '<Text form="escaped">\\uFFFE</Text>' in written
    assert '<Text form="escaped">a\\\\b\\uFFFF\\\\uFFFE</Text>' in written
    assert "<Text>a\\uFFFE\\\\b</Text>" in written


def test_another_contract_or_another_message_is_refused(tmp_path: Path):
    """The insurer is sent no credit records; a receipt is not read as notices; a count must agree."""
    target = tmp_path / "notice.xml"
    frame = pl.DataFrame(schema=documents.KINDS["notices/v1"].types)
    adapter.write(outgoing("notices/v1", frame), COUNTY, target)
    refused = []
    for attempt in (
        lambda: adapter.write(outgoing("credit_records/v1", frame), COUNTY, target),
        lambda: adapter.outgoing_name(outgoing("credit_records/v1", frame)),
        lambda: adapter.read_back(target, "credit_records/v1", COUNTY),
        lambda: adapter.read_back(target, "receipt/v2", COUNTY),
        lambda: adapter.read_back(tmp_path / "missing.xml", "receipt/v2", COUNTY),
    ):
        with pytest.raises(FileRefused) as caught:
            attempt()
        refused.append(caught.value.code)
    assert refused == ["HL3014", "HL3014", "HL3014", "HL3032", "HL3010"]
    target.write_bytes(target.read_bytes().replace(b"<Count>0", b"<Count>1"))
    with pytest.raises(FileRefused, match="HL3035"):
        adapter.read_back(target, "notices/v1", COUNTY)
