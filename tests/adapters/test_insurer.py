"""The insurer's packages: what is accepted, rejected, refused and acknowledged."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.insurer import adapter, exchange
from adapters.insurer.element import ElementRefused, read_element
from adapters.toolkit.characters import examined
from adapters.toolkit.placeholders import is_no_number
from huilian.adapters import AdapterSettings, FileIdentity, loading
from huilian.core.errors import FileRefused, describe
from huilian.records import columnar
from schemas.insurance import CLAIM_STATUS, POLICY_KIND, ClaimRecord, PeriodResultRecord, PolicyRecord
from tests.support.builders.delimited_files import COUNTY, identity_number
from tests.support.builders.insurer_packages import (
    CLAIM,
    NAME,
    POLICY,
    Changes,
    Package,
    alone,
    claim,
    errors,
    package,
    policy,
    read,
    result,
    taken,
)

if TYPE_CHECKING:
    from collections.abc import Callable

POLICY_RECORD: Final = {
    "line": 1,
    "policy_no": "P2024000001",
    "product": "XW01",
    "kind": "loan_guarantee",
    "holder_name": "张三",
    "insured_name": "张三",
    "insured_number": "341599199001010016",
    "household_no": "341599101200-0001",
    "region": "341599101200",
    "loan_no": "J2024000001",
    "sum_insured": "50000.00",
    "premium": "120.00",
    "premium_finance": "60.00",
    "premium_household": "36.00",
    "premium_insurer": "24.00",
    "start_date": "2024-01-05",
    "end_date": "2025-01-04",
}
CLAIM_RECORD: Final = {
    "line": 2,
    "claim_no": "C2024000001",
    "policy_no": "P2024000001",
    "loan_no": "J2024000001",
    "event": "洪涝灾害",
    "event_date": "2024-05-02",
    "force_majeure": "yes",
    "status": "settled",
    "amount": "30000.00",
    "paid_date": "2024-05-31",
    "payee_account_last_four": "0123",
    "reason": "经查勘属保险责任",
}
RESULT_RECORD: Final = {
    "line": 3,
    "period": "2024-05",
    "premiums": "1000000.00",
    "claims": "1300000.00",
    "expenses": "150000.00",
}


def refused(tmp_path: Path, file: Package, name: str = NAME) -> FileRefused:
    """Return the error with which `file` is refused."""
    with pytest.raises(FileRefused) as caught:
        read(file.save(tmp_path, name))
    return caught.value


def test_the_adapter_is_found_and_keeps_the_rules():
    """Its entry point is installed and every hook passes the check."""
    assert loading.find("insurer") is adapter


NAMES = [
    ("INS_PICC_POLICY_20240531_01.xml", "INS_PICC"),
    ("INS_PICC_CLAIM_20240531_02.xml", "INS_PICC"),
    ("INS_PICC_RESULT_20240531_01.xml", "INS_PICC"),
    ("INS01_MIXED_20240531_100.XML", "INS01"),
    ("INS_POLICY_POLICY_20240531_01.xml", "INS_POLICY"),
    ("INS_PICC_ACK_20240531_01.xml", None),
    ("INS_PICC_POLICY_20240532_01.xml", None),
    ("INS_PICC_POLICY_20240531.xml", None),
    ("INS_PICC_POLICY_20240531_1.xml", None),
    ("INS_PICC_POLICY_２０２４０５３１_01.xml", "INS_PICC"),
    ("INS_PICC_POLICY_20240531_01.xml.bak", None),
    ("_POLICY_20240531_01.xml", None),
    ("", None),
]


@pytest.mark.parametrize(("name", "owner"), NAMES)
def test_a_file_name_says_owner_and_date(name: str, owner: str | None):
    """An owner may have underscores; the number is no sequence, since kinds may be counted apart."""
    expected = FileIdentity(owner, "insurance_package", dt.date(2024, 5, 31)) if owner else None
    assert adapter.recognise(name) == expected


@pytest.mark.parametrize(("codec", "declared"), [("utf-8", "UTF-8"), ("gb18030", "GB18030"), ("gbk", "gbk")])
def test_elements_become_canonical_records(tmp_path: Path, codec: str, declared: str):
    """Every item of each kind of element arrives in its canonical form and type."""
    file = package(policy(), claim(), result(), total="30120.00", codec=codec, declared=declared)
    pieces = read(file.save(tmp_path))
    assert [(piece.type, piece.rows, piece.rejections.height) for piece in pieces] == [
        ("policies", 1, 0),
        ("claims", 1, 0),
        ("period_results", 1, 0),
    ]
    assert [piece.accepted.schema for piece in pieces] == [
        columnar.wire_types(record) for record in (PolicyRecord, ClaimRecord, PeriodResultRecord)
    ]
    assert [piece.accepted.to_dicts() for piece in pieces] == [[POLICY_RECORD], [CLAIM_RECORD], [RESULT_RECORD]]
    assert {piece.bytes_read for piece in pieces} == {len(file.data)}


CODES: list[tuple[Callable[[Changes], str], str, str, dict[str, str]]] = [
    (policy, "Kind", "kind", {kind.replace("_", "-"): kind for kind in POLICY_KIND}),
    (claim, "Status", "status", {status: status for status in CLAIM_STATUS}),
    (claim, "Event/@forceMajeure", "force_majeure", {"yes": "yes", "no": "no"}),
]


@pytest.mark.parametrize(("element", "item", "field", "table"), CODES)
def test_codes_are_translated(
    tmp_path: Path, element: Callable[[Changes], str], item: str, field: str, table: dict[str, str]
):
    """Every code of the insurer's has its canonical one."""
    elements = [
        element({item: code, "PolicyNo": f"P{place}", "ClaimNo": f"C{place}"}) for place, code in enumerate(table)
    ]
    (piece,) = read(package(*elements, total=f"{(120 if element is policy else 30000) * len(table)}").save(tmp_path))
    assert piece.accepted[field].to_list() == list(table.values())


DAYS = [
    ("2024-05-31", "2024-05-31"),
    (" 2024-05-31\n", "2024-05-31"),
    ("2024-05-31+08:00", "2024-05-31"),
    ("2024-05-31T00:00:00+08:00", "2024-05-31"),
    ("2024-05-31T23:59:59.999999999+08:00", "2024-05-31"),
    ("2024-05-31T16:00:00Z", "2024-06-01"),
    ("2024-05-31T15:59:59.9Z", "2024-05-31"),
    ("2024-06-01T03:00:00+14:00", "2024-05-31"),
    ("2024-05-31T12:00:00-05:00", "2024-06-01"),
    ("1990-07-01T23:30:00+08:00", "1990-07-01"),
    ("2023-12-31T20:00:00Z", "2024-01-01"),
]


@pytest.mark.parametrize(("text", "day"), DAYS)
def test_a_time_counts_as_the_day_it_is_in_china(tmp_path: Path, text: str, day: str):
    """Whatever its offset, and without the summer time of long ago."""
    pieces = read(package(policy({"To": text, "From": "1990-01-01"}), total="120").save(tmp_path))
    assert taken(pieces, "policies")["end_date"].to_list() == [day]


WRONG_DAYS = [
    "2024-02-30",
    "20240531",
    "2024-05-31T17:08:09",
    "2024-05-31Z",
    "2024-05-31+09:00",
    "2024-05-31T24:00:00Z",
    "2024-02-30T00:00:00Z",
    "2024-05-31T17:08:60+08:00",
    "2024-05-31T17:08:09+15:00",
    "2024-05-31T17:08:09+0800",
    "0000-05-31T17:08:09Z",
]


@pytest.mark.parametrize("text", WRONG_DAYS)
def test_what_is_no_day_is_rejected(tmp_path: Path, text: str):
    """Nor is a time without an offset one, or a day that begins at another time than in China."""
    assert errors(read(package(claim({"PaidOn": text}), total="30000").save(tmp_path))) == [
        (1, "Claim/PaidOn", "HL2003")
    ]


PREMIUMS = [
    '<Premium><Amount>120</Amount><Share payer="finance">70</Share><Share payer="insurer">50.0</Share></Premium>',
    '<Premium>120.00<Share payer="finance">70.00</Share><Share payer="insurer">50.00</Share></Premium>',
    '<Premium>\n  120.00\n  <Share payer="insurer">50.00</Share>\n  <Share payer="finance">70.00</Share>\n</Premium>',
    '<Premium><Share payer="insurer">50.00</Share><Share payer="finance">70.00</Share>120.00</Premium>',
    '<Premium><Note/><Share payer="insurer">50</Share><Share payer="finance">70</Share><Amount>120</Amount></Premium>',
]


@pytest.mark.parametrize("premium", PREMIUMS)
def test_a_premium_states_its_amount_in_an_element_or_as_text(tmp_path: Path, premium: str):
    """Who has no share pays nothing."""
    accepted = taken(read(package(policy(premium=premium), total="120.00").save(tmp_path)), "policies")
    assert accepted.select(pl.col("^premium.*$")).rows() == [("120.00", "70.00", "0.00", "50.00")]


WRONG_PREMIUMS = [
    ("", "Policy/Premium", "HL2001"),
    ("<Premium/>", "Policy/Premium", "HL2001"),
    ("<Premium>120.00</Premium>", "Policy/Premium", "HL2031"),
    ('<Premium>120.00<Share payer="finance">119.99</Share></Premium>', "Policy/Premium", "HL2031"),
    ('<Premium>120.00<Amount>120.00</Amount><Share payer="finance">120</Share></Premium>', "Policy/Premium", "HL2044"),
    ('<Premium>120.00<Share payer="bank">120</Share></Premium>', "Policy/Premium/Share/@payer", "HL2005"),
    ("<Premium>120.00<Share>120</Share></Premium>", "Policy/Premium/Share/@payer", "HL2001"),
    (
        '<Premium>120.00<Share payer="finance">1.234</Share></Premium>',
        'Policy/Premium/Share[@payer="finance"]',
        "HL2002",
    ),
    (
        '<Premium>9.00<Share payer="finance">9</Share><Share payer="finance">9</Share></Premium>',
        'Policy/Premium/Share[@payer="finance"]',
        "HL2044",
    ),
    (
        '<Premium>9.00<Share payer="insurer"><b>9</b></Share></Premium>',
        'Policy/Premium/Share[@payer="insurer"]',
        "HL2046",
    ),
]


@pytest.mark.parametrize(("premium", "field", "code"), WRONG_PREMIUMS)
def test_a_premium_whose_shares_do_not_make_it_up_is_rejected(tmp_path: Path, premium: str, field: str, code: str):
    """Each error is named where it stands, and no share that cannot be read is added up."""
    total = {"Premium>9": "9", "Premium>1": "120"}.get(premium[1:10], "0")
    assert errors(read(package(policy(premium=premium), total=total).save(tmp_path))) == [(1, field, code)]


def test_parts_of_the_insured_and_the_event_may_be_elements(tmp_path: Path):
    """Attributes and elements say the same, in whichever letter they begin."""
    insured = "<Insured><Name>李四</Name><idNo>11010519491231002x</idNo><Phone>x</Phone></Insured>"
    event = "<Event><kind>火灾</kind><Date>2024-05-03</Date><ForceMajeure>no</ForceMajeure></Event>"
    first = policy({"Insured/@name": None, "Insured/@idNo": None}).replace("<Insured/>", insured)
    second = claim({key: None for key in CLAIM if key.startswith("Event")}).replace("<Event/>", event)
    pieces = read(package(first, second, total="30120").save(tmp_path))
    assert taken(pieces, "policies").select("insured_name", "insured_number").rows() == [("李四", "11010519491231002X")]
    assert taken(pieces, "claims").select("event", "event_date", "force_majeure").rows() == [
        ("火灾", "2024-05-03", "no")
    ]


POLICY_ERRORS: list[tuple[Changes, list[tuple[str, str]]]] = [
    ({"PolicyNo": None}, [("Policy/PolicyNo", "HL2001")]),
    ({"PolicyNo": "P 1"}, [("Policy/PolicyNo", "HL2023")]),
    ({"ProductCode": " "}, [("Policy/ProductCode", "HL2001")]),
    ({"Kind": "loan_guarantee"}, [("Policy/Kind", "HL2005")]),
    ({"Kind": "life"}, [("Policy/Kind", "HL2005")]),
    ({"Holder": "张" * 61}, [("Policy/Holder", "HL2006")]),
    ({"Holder": "张" * 2_000}, [("Policy/Holder", "HL2006")]),
    ({"Holder": "张\ufffd"}, [("Policy/Holder", "HL2016")]),
    ({"Insured/@name": None}, [("Policy/Insured/name", "HL2001")]),
    ({"Insured/@idNo": "3415 99"}, [("Policy/Insured/idNo", "HL2077")]),
    ({"HouseholdNo": None}, [("Policy/HouseholdNo", "HL2001")]),
    ({"Region": "110101001001"}, [("Policy/Region", "HL2009")]),
    ({"Region": "3415"}, [("Policy/Region", "HL2008")]),
    ({"SumInsured": "1e5"}, [("Policy/SumInsured", "HL2002")]),
    ({"SumInsured": "0.001"}, [("Policy/SumInsured", "HL2002")]),
    ({"SumInsured": "-1.00"}, [("Policy/SumInsured", "HL2010")]),
    ({"SumInsured": "99999999999.00"}, [("Policy/SumInsured", "HL2027")]),
    ({"From": "2025-01-05"}, [("Policy/To", "HL2012")]),
    ({"LoanNo": None}, []),
]


MESSAGES = {
    "Policy/Kind": "代码不在约定范围内（应为 accident、illness、loan-guarantee、yield、income、price-index）",
}
"""What names the codes that may stand there."""


@pytest.mark.parametrize(("changes", "found"), POLICY_ERRORS)
def test_a_wrong_policy_is_rejected_and_the_others_are_taken(
    tmp_path: Path, changes: Changes, found: list[tuple[str, str]]
):
    """Its place, item and code are named, and its number where that could be read; nothing else of it."""
    file = package(policy({"PolicyNo": "P1"}), policy(changes), policy({"PolicyNo": "P3"}), total="360.00")
    (piece,) = read(file.save(tmp_path))
    assert errors([piece]) == [(2, item, code) for item, code in found]
    assert piece.accepted["line"].to_list() == ([1, 3] if found else [1, 2, 3])
    assert piece.rejections["message"].to_list() == [MESSAGES.get(item, describe(code)) for item, code in found]
    reference = None if "PolicyNo" in changes else POLICY["PolicyNo"]
    assert piece.rejections["reference"].to_list() == [reference] * len(found)


CLAIM_ERRORS: list[tuple[Changes, list[tuple[str, str]]]] = [
    ({"ClaimNo": None}, [("Claim/ClaimNo", "HL2001")]),
    ({"PolicyNo": None}, [("Claim/PolicyNo", "HL2001")]),
    ({"Status": "paid"}, [("Claim/Status", "HL2005")]),
    ({"Event/@kind": None}, [("Claim/Event/kind", "HL2001")]),
    ({"Event/@forceMajeure": "true"}, [("Claim/Event/forceMajeure", "HL2005")]),
    ({"PaidOn": "2024-05-01"}, [("Claim/PaidOn", "HL2032")]),
    ({"PayeeAccount": "123"}, [("Claim/PayeeAccount", "HL2023")]),
    ({"PayeeAccount": "尾号1234"}, [("Claim/PayeeAccount", "HL2006"), ("Claim/PayeeAccount", "HL2023")]),
    ({"Reason": "因" * 201}, [("Claim/Reason", "HL2006")]),
    ({"PaidOn": None, "PayeeAccount": None, "Reason": None, "LoanNo": None}, []),
]


@pytest.mark.parametrize(("changes", "found"), CLAIM_ERRORS)
def test_a_wrong_claim_is_rejected(tmp_path: Path, changes: Changes, found: list[tuple[str, str]]):
    """Whatever stage it has reached, what need not be there may be missing."""
    (piece,) = read(package(claim({"ClaimNo": "C1"}), claim(changes), total="60000.00").save(tmp_path))
    assert errors([piece]) == [(2, item, code) for item, code in found]


@pytest.mark.parametrize("account", ["6222021234567890123", "12345", "6222********0123", "6222 0123", "６２２２０"])
def test_more_of_an_account_than_four_digits_is_rejected_and_shown_nowhere(
    tmp_path: Path, account: str, capsys: pytest.CaptureFixture[str]
):
    """Not in a log, an error or the acknowledgement."""
    path = package(claim({"PayeeAccount": account}), total="30000.00").save(tmp_path)
    with structlog.testing.capture_logs() as logs:
        (piece,) = read(path)
    assert errors([piece]) == [(1, "Claim/PayeeAccount", "HL2045")]
    target = tmp_path / "ack.xml"
    adapter.write_rejections(path, FileIdentity("INS_PICC", "insurance_package", dt.date.max), piece.rejections, target)
    shown = repr((piece, logs, capsys.readouterr())) + target.read_text()
    assert account not in shown


def test_a_wrong_period_result_is_rejected(tmp_path: Path):
    """Periods are months, quarters, half-years or years."""
    elements = [result({"Period": period}) for period in ("2024-05", "2024Q1", "2024-H1", "2024", "2024-13", "2024-5")]
    pieces = read(package(*elements, result({"Period": "2023", "Expenses": None})).save(tmp_path))
    assert errors(pieces) == [
        (5, "PeriodResult/Period", "HL2023"),
        (6, "PeriodResult/Period", "HL2023"),
        (7, "PeriodResult/Expenses", "HL2001"),
    ]
    assert taken(pieces, "period_results")["period"].to_list() == ["2024-05", "2024Q1", "2024-H1", "2024"]


def test_all_errors_of_an_element_are_reported_at_once(tmp_path: Path):
    """A policy with five errors names all five, in the order of the format."""
    changes: Changes = {"Kind": "x", "Holder": None, "Region": "1", "Premium/Amount": "x", "To": "2024-13-01"}
    assert errors(read(package(policy(changes)).save(tmp_path))) == [
        (1, "Policy/Kind", "HL2005"),
        (1, "Policy/Holder", "HL2001"),
        (1, "Policy/Region", "HL2008"),
        (1, "Policy/Premium", "HL2002"),
        (1, "Policy/To", "HL2003"),
    ]


def test_an_item_that_comes_twice_or_holds_elements_is_rejected(tmp_path: Path):
    """Nobody could say which of two is meant, nor what markup inside a value means."""
    twice = claim({"LoanNo": None}, more="<Status>filed</Status><Status>x</Status>")
    marked = claim({"ClaimNo": "C2", "Reason": None}, more="<Reason>已<b>赔</b></Reason>")
    both = policy().replace("<Insured ", "<Insured><name>李四</name></Insured><Insured ")
    assert errors(read(package(twice, marked, both, total="60120").save(tmp_path))) == [
        (1, "Claim/Status", "HL2044"),
        (2, "Claim/Reason", "HL2046"),
        (3, "Policy/Insured/name", "HL2044"),
    ]


def test_numbers_that_come_again_are_rejected_from_the_second_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Across pieces as well, each kind by itself."""
    monkeypatch.setattr(exchange, "_PIECE_ELEMENTS", 2)
    elements = [
        policy(),
        claim(),
        policy(),
        policy({"PolicyNo": "P2"}),
        claim(),
        policy(),
        result(),
        result(),
        claim({"ClaimNo": "P2"}),
    ]
    pieces = read(package(*elements, total="90480.00").save(tmp_path))
    assert errors(pieces) == [
        (3, "Policy/PolicyNo", "HL2042"),
        (5, "Claim/ClaimNo", "HL2042"),
        (6, "Policy/PolicyNo", "HL2042"),
        (8, "PeriodResult/Period", "HL2042"),
    ]
    assert [line for piece in pieces for line in piece.accepted["line"]] == [1, 2, 4, 7, 9]
    assert sum(piece.rows for piece in pieces) == len(elements)


def test_unknown_items_are_passed_over_and_noted_by_name_only(tmp_path: Path):
    """So are elements of another namespace; what they hold is not logged."""
    more = (
        '<Phone>13900000000</Phone><x:PolicyNo xmlns:x="urn:other">P9</x:PolicyNo><Seat><PolicyNo>P8</PolicyNo></Seat>'
    )
    path = package(policy(more=more), claim(more="<Phone/>"), total="30120.00", in_head="<Version>2</Version>").save(
        tmp_path
    )
    with structlog.testing.capture_logs() as logs:
        pieces = read(path)
    assert [piece.accepted.to_dicts() for piece in pieces] == [[POLICY_RECORD], [CLAIM_RECORD]]
    assert logs == [
        {
            "event": "insurer.unknown_items",
            "log_level": "info",
            "file": NAME,
            "counts": {"Policy/Phone": 1, "Policy/PolicyNo": 1, "Policy/Seat": 1, "Claim/Phone": 1},
        }
    ]


def test_unknown_elements_of_a_body_are_rejected_where_they_stand(tmp_path: Path):
    """They count, and so do those of another namespace; a name out of the ordinary is not repeated."""
    elements = [
        "<Endorsement><Policy>1</Policy></Endorsement>",
        policy(),
        '<Policy xmlns="urn:other"/>',
        "<张三/>",
        claim(),
        "<Body/>",
    ]
    pieces = read(package(*elements, total="30120").save(tmp_path))
    assert errors(pieces) == [
        (1, "Body/Endorsement", "HL2043"),
        (3, "Body/Policy", "HL2043"),
        (4, "Body/?", "HL2043"),
        (6, "Body/Body", "HL2043"),
    ]
    assert [(piece.type, piece.rows, piece.accepted["line"].to_list()) for piece in pieces] == [
        ("policies", 5, [2]),
        ("claims", 1, [5]),
    ]


@pytest.mark.parametrize("elements", [["<A/>"], ["<A/>"] * 3])
def test_a_body_of_unknown_elements_only_is_all_rejected(tmp_path: Path, elements: list[str]):
    """Each of them is counted once."""
    (piece,) = read(package(*elements).save(tmp_path))
    assert (piece.rows, piece.accepted.height, piece.rejections.height) == (len(elements), 0, len(elements))


def test_comments_instructions_and_cdata_change_nothing(tmp_path: Path):
    """Wherever they stand, even where they hold what looks like the Body's tags."""
    tricky = "<!-- <Body> --><?note <Body> ?>"
    commented = policy().replace("张三</Holder>", "张<!-- </Body> --><![CDATA[三]]><?x?></Holder>")
    reason = claim({"Reason": None}, more="<Reason><![CDATA[</Body>经查勘]]></Reason>")
    file = package(
        commented,
        reason,
        total="30120.00",
        prolog=tricky,
        before_head=tricky,
        in_head=f"{tricky}<Memo><![CDATA[<Body>]]></Memo>",
        between="\n<!-- a --><?b c?> text \n",
        after_body="<!-- after -->",
    )
    pieces = read(file.save(tmp_path))
    assert taken(pieces, "policies").to_dicts() == [POLICY_RECORD]
    assert taken(pieces, "claims")["reason"].to_list() == ["</Body>经查勘"]


def test_gb18030_whose_second_bytes_look_like_markup_is_read(tmp_path: Path):
    """The second byte of 昡 is that of "]"; with the "]>" of a section's end it is none."""
    assert "昡".encode("gb18030")[1:] == b"]"
    memo = "<Memo><![CDATA[昡]>]]></Memo><!-- 昡 -->"
    file = package(policy({"Holder": "王䶮"}), total="120", codec="gb18030", declared="GB18030", in_head=memo)
    assert taken(read(file.save(tmp_path)), "policies")["holder_name"].to_list() == ["王䶮"]


def test_an_empty_package_has_nothing_in_it(tmp_path: Path):
    """An insurer that had no business says so, with a body of either form."""
    assert read(package(between="").save(tmp_path)) == []
    path = tmp_path / NAME
    digest = hashlib.sha256(b"<Body/>").hexdigest()
    path.write_bytes(package(digest=digest, between="").data.replace(b"<Body></Body>", b"<Body/>"))
    assert read(path) == []


REFUSALS: list[tuple[dict[str, object], str, str]] = [
    ({"digest": "0" * 64}, "HL3034", "Head/Digest"),
    ({"digest": "x"}, "HL3032", "Head/Digest"),
    ({"count": "3"}, "HL3035", "3"),
    ({"count": "1"}, "HL3035", "1"),
    ({"count": ""}, "HL3032", "Head/Count"),
    ({"count": "-2"}, "HL3032", "Head/Count"),
    ({"total": "30120.01"}, "HL3036", "30120.01"),
    ({"total": "30120.001"}, "HL3032", "Head/TotalAmount"),
    ({"created": "2024-05-31T17:08:09"}, "HL3032", "Head/CreatedAt"),
    ({"created": "2024-02-31T17:08:09+08:00"}, "HL3032", "Head/CreatedAt"),
    ({"sender": "INS02"}, "HL3008", "INS02"),
    ({"sender": "张三"}, "HL3032", "Head/Sender"),
    ({"in_head": "<Count>2</Count>"}, "HL3032", "Head/Count"),
    ({"before_head": "<Head/>"}, "HL3032", "Package/Head"),
    ({"after_body": "<Head/>"}, "HL3032", "Package/Head"),
    ({"namespace": "urn:insurer:rural:v2"}, "HL3032", "Package"),
    ({"namespace": ""}, "HL3032", "Package"),
    ({"declared": "ISO-8859-1"}, "HL3007", "GB18030"),
    ({"prolog": "<!DOCTYPE Package>"}, "HL3030", "DOCTYPE"),
]


@pytest.mark.parametrize(("parts", "code", "named"), REFUSALS)
def test_a_package_that_does_not_agree_with_its_head_is_refused(
    tmp_path: Path, parts: dict[str, object], code: str, named: str
):
    """Nothing of it is taken; the text says what is wrong, and names no person."""
    error = refused(tmp_path, package(policy(), claim(), **({"total": "30120"} | parts)))
    assert error.code == code
    assert named in error.chinese
    assert "张三" not in error.chinese


def test_the_digest_is_over_exact_bytes_and_refuses_before_anything_is_read(tmp_path: Path):
    """A blank more, even where XML does not care, is another Body."""
    path = package(policy(), total="120").save(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"</Policy>\n", b"</Policy>\n "))
    identity = adapter.recognise(NAME)
    assert identity is not None
    with pytest.raises(FileRefused) as caught:
        next(adapter.read(path, identity, COUNTY))
    assert caught.value.code == "HL3034"


def test_the_digest_may_be_in_capitals(tmp_path: Path):
    """Hexadecimal digits are the same in either."""
    file = package(policy(), total="120.00")
    path = file.save(tmp_path)
    hexadecimal = hashlib.sha256(file.body).hexdigest()
    path.write_bytes(path.read_bytes().replace(hexadecimal.encode(), hexadecimal.upper().encode()))
    assert taken(read(path), "policies").height == 1


def test_amounts_of_rejected_elements_count_and_unreadable_ones_leave_the_total_open(tmp_path: Path):
    """A total can neither be confirmed nor denied when a part of it cannot be read."""
    wrong = claim({"Status": "x", "Amount": "5.00"})
    assert errors(read(package(policy(), wrong, total="125.00").save(tmp_path))) == [(2, "Claim/Status", "HL2005")]
    assert refused(tmp_path, package(policy(), wrong, total="120.00")).facts["found"] == "125.00"
    unreadable = claim({"Amount": "五元"})
    assert errors(read(package(policy(), unreadable, total="777").save(tmp_path))) == [(2, "Claim/Amount", "HL2002")]


POSTED = [
    (policy(), "policies", POLICY_RECORD),
    (claim(), "claims", CLAIM_RECORD),
    (result(), "period_results", RESULT_RECORD),
]


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
@pytest.mark.parametrize(("element", "message_type", "record"), POSTED)
def test_an_element_posted_by_itself_becomes_the_same_record(
    element: str, message_type: str, record: dict[str, Any], codec: str
):
    """In either encoding; it stands on line 1."""
    body = f'<?xml version="1.0" encoding="{codec}"?>\n<!-- x -->{alone(element)}\n'.encode(codec)
    assert read_element(body, COUNTY) == (message_type, record | {"line": 1})


@pytest.mark.parametrize("element", [policy, claim])
@pytest.mark.parametrize(("changes", "found"), POLICY_ERRORS + CLAIM_ERRORS)
def test_an_element_posted_by_itself_is_judged_as_in_a_package(
    tmp_path: Path, element: Callable[[Changes], str], changes: Changes, found: list[tuple[str, str]]
):
    """The same changes are taken or refused with the same errors either way."""
    del found
    text = element(changes)
    (piece,) = read(package(text, total="120" if element is policy else "30000").save(tmp_path))
    if piece.accepted.height:
        assert [read_element(alone(text).encode(), COUNTY)[1]] == piece.accepted.to_dicts()
        return
    with pytest.raises(ElementRefused) as caught:
        read_element(alone(text).encode(), COUNTY)
    assert caught.value.code == "HL3033"
    assert caught.value.rejections.equals(piece.rejections)
    told = [f"{field} {code} {describe(code)} ({describe(code, 'en')})" for _, field, code in errors([piece])]
    assert "; ".join(told) in caught.value.chinese


SAMPLES: Final = Path(exchange.__file__).parent / "samples"


def test_the_samples_are_accepted_as_they_stand():
    """Both encodings; what is written to the insurer lies beside what it sends, and comes back."""
    names = {path.name for path in SAMPLES.glob("*.xml")}
    assert names == {"INS_PICC_POLICY_20240531_01.xml", "INS_PICC_MIXED_20240531_01.xml", *adapter.writes.values()}
    counts = {}
    for name in sorted(names - set(adapter.writes.values())):
        pieces = read(SAMPLES / name)
        assert errors(pieces) == []
        counts[name] = {piece.type: piece.accepted.height for piece in pieces}
    assert counts == {
        "INS_PICC_MIXED_20240531_01.xml": {"policies": 3, "claims": 4, "period_results": 1},
        "INS_PICC_POLICY_20240531_01.xml": {"policies": 3},
    }
    for contract, name in adapter.writes.items():
        assert adapter.read_back(SAMPLES / name, contract, COUNTY).height > 0


def test_the_sample_with_errors_has_the_errors_stated_beside_it():
    """Everything else in it is taken."""
    path = SAMPLES / "with_errors" / "INS_PICC_MIXED_20240531_02.xml"
    pieces = read(path)
    assert errors(pieces) == pl.read_csv(f"{path}.errors.csv").rows()
    assert sorted(line for piece in pieces for line in piece.accepted["line"]) == [1, 7]


def test_the_adapter_reads_posted_elements_as_messages():
    """One is a piece of one row; a contract of another kind is none of its."""
    piece = adapter.read_message(alone(claim()).encode(), "insurance_element/v1", COUNTY)
    assert (piece.type, piece.rows, piece.accepted.to_dicts()) == ("claims", 1, [CLAIM_RECORD | {"line": 1}])
    with pytest.raises(FileRefused, match="HL3014"):
        adapter.read_message(alone(claim()).encode(), "claims/v1", COUNTY)


WRONG_POSTS = [
    (b"", "HL3006"),
    (policy().encode(), "HL3032"),
    (alone("<Endorsement>1</Endorsement>").encode(), "HL3032"),
    (b'<?xml version="1.0"?><!DOCTYPE Claim [<!ENTITY a "b">]>' + alone(claim()).encode(), "HL3030"),
    (alone(claim()).encode()[:-3], "HL3031"),
    (alone(claim({"Reason": "x" * (1 << 20)})).encode(), "HL3031"),
    (alone(claim()).encode("utf-16"), "HL3007"),
]


@pytest.mark.parametrize(("body", "code"), WRONG_POSTS)
def test_what_is_no_element_of_ours_is_refused(body: bytes, code: str):
    """Before any of its items is looked at."""
    with pytest.raises(FileRefused) as caught:
        read_element(body, AdapterSettings("341599"))
    assert caught.value.code == code


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


PLAIN = st.text(
    st.characters(min_codepoint=0x20, exclude_characters="\x7f\ufffd\ufffe\uffff", exclude_categories=["Cs"]),
    min_size=1,
    max_size=40,
).filter(
    # Which characters are believed, `test_characters` says.
    lambda text: (
        text == text.strip(" \t\r\n\u00a0\u3000\ufeff")
        and all(examined(text, codec) == (text, None, "", False) for codec in ("utf-8", "gb18030"))
    )
)
NUMBERS = st.from_regex(r"[0-9A-Za-z_./()（）-]{1,30}", fullmatch=True).filter(lambda text: not is_no_number(text))
NAMES = PLAIN.filter(lambda text: not is_no_number(text))
DATES = st.dates(dt.date(2015, 1, 1), dt.date(2030, 12, 31))
PAST = st.dates(dt.date(2015, 1, 1), dt.date(2024, 5, 31))
FEN = st.integers(0, 10**11)


@st.composite
def policies(draw: st.DrawFn, number: str) -> tuple[str, dict[str, Any]]:
    """Return a `<Policy>` as the insurer writes it, and the record it must become."""
    shares = {payer: draw(FEN) // 3 for payer in ("finance", "household", "insurer")}
    start, end = sorted((draw(DATES), draw(DATES)))
    record = {
        "policy_no": number,
        "product": draw(NUMBERS)[:20],
        "kind": draw(st.sampled_from(list(POLICY_KIND))),
        "holder_name": draw(NAMES),
        "insured_name": draw(NAMES),
        "insured_number": identity_number(draw(st.integers(0, 9_999))),
        "household_no": draw(NUMBERS),
        "region": draw(st.from_regex(r"341599([0-9]{3}){0,2}", fullmatch=True)),
        "loan_no": draw(st.none() | NUMBERS),
        "sum_insured": _yuan(draw(FEN)),
        "premium": _yuan(sum(shares.values())),
        **{f"premium_{payer}": _yuan(fen) for payer, fen in shares.items()},
        "start_date": start.isoformat(),
        "end_date": end.isoformat(),
    }
    paths = {path: field for path, field in zip(POLICY, record, strict=True) if path != "Kind"}
    changes = {path: record[field] for path, field in paths.items()} | {"Kind": record["kind"].replace("_", "-")}
    return policy(changes), record


@st.composite
def claims(draw: st.DrawFn, number: str) -> tuple[str, dict[str, Any]]:
    """Return a `<Claim>` as the insurer writes it, and the record it must become."""
    happened, paid = sorted((draw(PAST), draw(PAST)))
    record = {
        "claim_no": number,
        "policy_no": draw(NUMBERS),
        "loan_no": draw(st.none() | NUMBERS),
        "event": draw(PLAIN),
        "event_date": happened.isoformat(),
        "force_majeure": draw(st.sampled_from(["yes", "no"])),
        "status": draw(st.sampled_from(list(CLAIM_STATUS))),
        "amount": _yuan(draw(FEN)),
        "paid_date": draw(st.none() | st.just(paid.isoformat())),
        "payee_account_last_four": draw(st.none() | st.from_regex(r"[0-9]{4}", fullmatch=True)),
        "reason": draw(st.none() | PLAIN),
    }
    changes = dict(zip(CLAIM, record.values(), strict=True))
    if record["paid_date"]:
        hour = draw(st.integers(0, 23))
        changes["PaidOn"] = dt.datetime(
            paid.year, paid.month, paid.day, hour, 59, 59, tzinfo=dt.timezone(dt.timedelta(hours=8))
        ).isoformat()
    return claim(changes), record


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), codec=st.sampled_from(["utf-8", "gb18030"]))
def test_what_an_insurer_writes_becomes_equal_records(tmp_path: Path, data: st.DataObject, codec: str):
    """Any policies and claims, in any order, alone or in a package."""
    numbers = data.draw(st.lists(NUMBERS, unique=True, max_size=4))
    makers = [data.draw(st.sampled_from([policies, claims])) for _ in numbers]
    made = [data.draw(maker(number)) for maker, number in zip(makers, numbers, strict=True)]
    total = sum(int(record["premium" if "premium" in record else "amount"].replace(".", "")) for _, record in made)
    file = package(*(text for text, _ in made), total=_yuan(total), codec=codec, declared=codec)
    pieces = read(file.save(tmp_path))
    assert errors(pieces) == []
    found = sorted((row for piece in pieces for row in piece.accepted.to_dicts()), key=lambda row: row["line"])
    assert found == [{"line": line, **record} for line, (_, record) in enumerate(made, start=1)]
    for text, record in made:
        assert read_element(alone(text).encode(), COUNTY)[1] == {"line": 1, **record}
