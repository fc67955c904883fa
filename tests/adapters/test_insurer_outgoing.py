"""What the insurer is sent beside acknowledgements: confirmations, compensation results and notices."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.insurer import adapter, documents
from adapters.insurer.parsing import MOST_ELEMENT_BYTES
from huilian.adapters import Outgoing
from huilian.core.errors import FileRefused
from huilian.records.columnar import wire_types
from schemas.outgoing import CompensationResultRecord, ConfirmationRecord
from tests.support.builders.delimited_files import COUNTY, identity_number
from tests.support.builders.insurer_packages import NAMESPACE
from tests.support.builders.valid_records import frames

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


NAMES = [
    ("receipt/v2", 1, "INS_PICC_ACK_20240603_01.xml"),
    ("confirmations/v1", 7, "INS_PICC_CONFIRM_20240603_07.xml"),
    ("enterprise_confirmations/v1", 1, "INS_PICC_ENTERPRISE_20240603_01.xml"),
    ("compensation_results/v1", 2, "INS_PICC_COMPENSATION_20240603_02.xml"),
    ("notices/v1", 123, "INS_PICC_NOTICE_20240603_123.xml"),
    ("notices/v2", 1, "INS_PICC_NOTICE_20240603_01.xml"),
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


COMPENSATION: Final = {
    "line": 1,
    "result_no": "BC2024000001",
    "application_no": "SQ2024000001",
    "institution": "RCB01",
    "loan_no": "J2023000017",
    "household_no": "341599101200-0017",
    "policy_no": "P2023000017",
    "claim_no": None,
    "principal": "30000.00",
    "interest": "412.50",
    "share_insurer": "21288.75",
    "share_fund": "6386.63",
    "share_government": "0.00",
    "share_bank": "2737.12",
    "share_guarantor": "0.00",
    "share_reguarantor": "0.00",
    "status": "approved",
    "decided_date": "2024-05-30",
    "paid_date": None,
    "policy_version": "anhui 2024-01-01",
    "reason": "<&>",
}


def test_a_compensation_result_says_who_bears_how_much(tmp_path: Path):
    """Amounts are decimal yuan to the fen, as the insurer's own; what is null is left out."""
    target = tmp_path / "compensation.xml"
    frame = pl.DataFrame([COMPENSATION], schema=wire_types(CompensationResultRecord))
    adapter.write(outgoing("compensation_results/v1", frame), COUNTY, target)
    assert target.read_text(encoding="utf-8") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<CompensationResults xmlns="{NAMESPACE}">\n'
        "<Head><Sender>341599</Sender><Receiver>INS_PICC</Receiver><Date>2024-06-03</Date><Number>1</Number>"
        "<Count>1</Count></Head>\n"
        "<Body>\n"
        "<CompensationResult><Line>1</Line><ResultNo>BC2024000001</ResultNo>"
        "<ApplicationNo>SQ2024000001</ApplicationNo><Institution>RCB01</Institution><LoanNo>J2023000017</LoanNo>"
        "<HouseholdNo>341599101200-0017</HouseholdNo><PolicyNo>P2023000017</PolicyNo>"
        "<Principal>30000.00</Principal><Interest>412.50</Interest><ShareInsurer>21288.75</ShareInsurer>"
        "<ShareFund>6386.63</ShareFund><ShareGovernment>0.00</ShareGovernment><ShareBank>2737.12</ShareBank>"
        "<ShareGuarantor>0.00</ShareGuarantor><ShareReguarantor>0.00</ShareReguarantor><Status>approved</Status>"
        "<DecidedDate>2024-05-30</DecidedDate><PolicyVersion>anhui 2024-01-01</PolicyVersion>"
        "<Reason>&lt;&amp;&gt;</Reason></CompensationResult>\n"
        "</Body>\n</CompensationResults>\n"
    )
    assert adapter.read_back(target, "compensation_results/v1", COUNTY).equals(frame)


def test_a_long_list_comes_back_whatever_its_length(tmp_path: Path):
    """An element may have 16 MiB, a list any number of them."""
    target = tmp_path / "compensation.xml"
    rows = [COMPENSATION | {"line": line, "reason": "原因" * 100} for line in range(1, 16_001)]
    frame = pl.DataFrame(rows, schema=wire_types(CompensationResultRecord))
    adapter.write(outgoing("compensation_results/v1", frame), COUNTY, target)
    assert target.stat().st_size > MOST_ELEMENT_BYTES
    assert adapter.read_back(target, "compensation_results/v1", COUNTY).equals(frame)


@pytest.mark.parametrize(
    ("dataschema", "kind"), [("notices/v1", "lending_suspended"), ("notices/v2", "confirmation_ended")]
)
def test_codes_are_hyphenated_as_the_insurers_are(tmp_path: Path, dataschema: str, kind: str):
    """Suspension of lending is `lending-suspended`, in either version of notices."""
    target = tmp_path / "notice.xml"
    record = dict.fromkeys(documents.KINDS[dataschema].types) | {"line": 1, "kind": kind, "text": "x_y"}
    frame = pl.DataFrame([record], schema=documents.KINDS[dataschema].types)
    adapter.write(outgoing(dataschema, frame), COUNTY, target)
    assert f"<Kind>{kind.replace('_', '-')}</Kind><Text>x_y</Text>" in target.read_text("utf-8")
    assert adapter.read_back(target, dataschema, COUNTY).equals(frame)


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
