"""The insurer's package is answered with one document: the county's receipt, and a result for each element."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.insurer import adapter, documents
from adapters.insurer.acknowledgement import RECEIPT
from huilian.adapters import REJECTIONS, Outgoing
from huilian.core.errors import FileRefused, describe
from tests.adapters.test_insurer_hostile import BODY_BYTES, large
from tests.support.builders.delimited_files import COUNTY
from tests.support.builders.insurer_packages import (
    CLAIM,
    NAME,
    NAMESPACE,
    POLICY,
    claim,
    package,
    policy,
    read,
    result,
    results,
)
from tests.support.builders.valid_records import frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.builders.insurer_packages import Package

DAY: Final = dt.date(2024, 6, 3)
ITEM: Final = f"{{{NAMESPACE}}}"
ENCODINGS: Final = [("utf-8", "UTF-8"), ("gb18030", "GB18030")]
MIXED: Final = (
    policy(),
    policy({"PolicyNo": "P2", "Region": "110101", "Holder": "王䶮" * 40}),
    claim(),
    "<Seat/>",
    result(),
    claim({"ClaimNo": None}),
)
"""Three elements that are taken and three that are not."""
MOST_MEGABYTES: Final = 300


def rejections(path: Path) -> pl.DataFrame:
    """Return what is rejected of a package."""
    found = pl.concat([pl.DataFrame(schema=REJECTIONS), *(piece.rejections for piece in read(path))])
    return found.sort("line", maintain_order=True)


def receipt(path: Path, **changes: Any) -> pl.DataFrame:  # noqa: ANN401  # whatever the field holds
    """Return the county's receipt of a package, as it is unless a field is changed."""
    count, wrong = sum(piece.rows for piece in read(path)), rejections(path)["line"].n_unique()
    stated = {
        "submission": "INS_PICC-insurance_package-20240531-0123456789abcdef",
        "member": "INS_PICC",
        "kind": "insurance_package",
        "as_of": "2024-05-31",
        "status": "accepted",
        "rows": count,
        "accepted": count - wrong,
        "rejected": wrong,
        "changed": count - wrong,
        "unchanged": 0,
        "missing": 0,
        "code": None,
        "message": None,
        "file_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    if changes.get("status") == "refused":
        stated |= {"accepted": 0, "rejected": count, "changed": 0, "code": "HL3012", "message": "明细与清单合计不符"}
    return pl.DataFrame([stated | changes], schema=documents.KINDS[RECEIPT].types)


def acknowledged(made: Package, folder: Path, **changes: Any) -> bytes:  # noqa: ANN401  # as in `receipt`
    """Return the acknowledgement of a package, and see that the receipt in it can be read."""
    path, target = made.save(folder), folder / "ack.xml"
    sent = receipt(path, **changes)
    adapter.write(Outgoing(RECEIPT, "INS_PICC", DAY, 1, sent, NAME, path, rejections(path)), COUNTY, target)
    assert adapter.read_back(target, RECEIPT, COUNTY).equals(sent)
    return target.read_bytes()


@pytest.mark.parametrize(("codec", "declared"), ENCODINGS)
def test_every_element_has_its_result_in_the_packages_encoding(tmp_path: Path, codec: str, declared: str):
    """By name, place and number, with all its errors, below the county's verdict; its contents are not repeated."""
    made = package(*MIXED, total="60240", codec=codec, declared=declared)
    digest = hashlib.sha256(made.data).hexdigest()
    assert acknowledged(made, tmp_path).decode(codec) == (
        f'<?xml version="1.0" encoding="{declared}"?>\n'
        f'<Ack xmlns="{NAMESPACE}">\n'
        "<Head><Sender>341599</Sender><Receiver>INS_PICC</Receiver><Date>2024-06-03</Date><Number>1</Number>"
        f"<RegardingFile>{NAME}</RegardingFile><RegardingMessage>M20240531-01</RegardingMessage><Count>6</Count>\n"
        "<Receipt><Submission>INS_PICC-insurance_package-20240531-0123456789abcdef</Submission>"
        "<Member>INS_PICC</Member><Kind>insurance-package</Kind><AsOf>2024-05-31</AsOf><Status>accepted</Status>"
        "<Rows>6</Rows><Accepted>3</Accepted><Rejected>3</Rejected><Changed>3</Changed><Unchanged>0</Unchanged>"
        f"<Missing>0</Missing><FileSha256>{digest}</FileSha256></Receipt>\n"
        "</Head>\n"
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


@pytest.mark.parametrize(("codec", "declared"), ENCODINGS)
def test_a_package_that_is_wholly_taken_has_a_result_for_each_element(tmp_path: Path, codec: str, declared: str):
    """An empty one has none."""
    made = package(policy(), claim(), total="30120", codec=codec, declared=declared, mark=b"")
    assert results(acknowledged(made, tmp_path)) == [
        ("Policy", "1", "P2024000001", "accepted", []),
        ("Claim", "2", "C2024000001", "accepted", []),
    ]
    assert results(acknowledged(package(), tmp_path)) == []


@pytest.mark.parametrize(("codec", "declared"), ENCODINGS)
def test_of_a_package_that_the_county_refused_nothing_is_accepted(tmp_path: Path, codec: str, declared: str):
    """Every element has the receipt's code, those with errors of their own beside them."""
    found = acknowledged(package(*MIXED, total="60240", codec=codec, declared=declared), tmp_path, status="refused")
    assert results(found) == [
        ("Policy", "1", "P2024000001", "rejected", ["HL3012"]),
        ("Policy", "2", "P2", "rejected", ["HL2006", "HL2009", "HL3012"]),
        ("Claim", "3", "C2024000001", "rejected", ["HL3012"]),
        ("Seat", "4", None, "rejected", ["HL2043", "HL3012"]),
        ("PeriodResult", "5", "2024-05", "rejected", ["HL3012"]),
        ("Claim", "6", None, "rejected", ["HL2001", "HL3012"]),
    ]
    assert found.decode(codec).count('<Error code="HL3012">明细与清单合计不符</Error>') == len(MIXED)


def test_no_person_and_no_account_is_in_an_acknowledgement(tmp_path: Path):
    """Neither of elements that were taken nor of those that were not, whatever is wrong with them."""
    account = "6228480402564890018"
    wrong = (
        policy({"PolicyNo": "P2", "Insured/@idNo": "34159919900101001X", "Premium/Amount": "-"}),
        claim({"ClaimNo": "C2", "PayeeAccount": account, "Reason": "收款人李四" * 60}),
    )
    for status in ("accepted", "refused"):
        text = acknowledged(package(policy(), claim(), *wrong, total="1"), tmp_path, status=status).decode()
        assert [found[-2] for found in results(text.encode())].count("rejected") == (2 if status == "accepted" else 4)
        personal = (POLICY["Holder"], POLICY["Insured/@idNo"], "34159919900101001X", account, "李四", CLAIM["Reason"])
        assert [word for word in personal if word in text] == []


def test_an_only_element_has_its_result_without_its_package(tmp_path: Path):
    """As one that was posted by itself: the receipt says what became of it. Of more the receipt stands alone."""
    path = package(policy(), claim(), total="30120").save(tmp_path)
    target = tmp_path / "ack.xml"

    def alone(**changes: Any) -> tuple[str, list[Any]]:  # noqa: ANN401  # whatever the field holds
        sent = receipt(path, **changes)
        adapter.write(Outgoing(RECEIPT, "INS_PICC", DAY, 1, sent), COUNTY, target)
        assert adapter.read_back(target, RECEIPT, COUNTY).equals(sent)
        count = etree.fromstring(target.read_bytes()).findtext(f"{ITEM}Head/{ITEM}Count")
        return count, results(target.read_bytes())

    assert alone() == ("0", [])
    assert alone(rows=1, accepted=1) == ("1", [(None, "1", None, "accepted", [])])
    assert alone(rows=1, status="refused") == ("1", [(None, "1", None, "rejected", ["HL3012"])])
    # Its errors are with whoever has the package.
    assert alone(rows=1, accepted=0, rejected=1) == ("0", [])


def test_before_the_county_answers_only_what_is_wrong_is_told(tmp_path: Path):
    """In a document that is no acknowledgement: nothing is accepted yet."""
    path, target = package(*MIXED, total="60240").save(tmp_path), tmp_path / "rejections.xml"
    identity = adapter.recognise(NAME)
    assert identity is not None
    adapter.write_rejections(path, identity, rejections(path), target)
    assert target.read_text(encoding="utf-8") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Rejections xmlns="{NAMESPACE}">\n'
        f"<Head><Receiver>INS_PICC</Receiver><RegardingFile>{NAME}</RegardingFile>"
        "<RegardingMessage>M20240531-01</RegardingMessage><Count>3</Count></Head>\n"
        "<Body>\n"
        '<Result element="Policy" number="2" reference="P2" status="rejected">'
        f'<Error field="Policy/Holder" code="HL2006">{describe("HL2006")}</Error>'
        f'<Error field="Policy/Region" code="HL2009">{describe("HL2009")}</Error></Result>\n'
        '<Result element="Seat" number="4" status="rejected">'
        f'<Error field="Body/Seat" code="HL2043">{describe("HL2043")}</Error></Result>\n'
        '<Result element="Claim" number="6" status="rejected">'
        f'<Error field="Claim/ClaimNo" code="HL2001">{describe("HL2001")}</Error></Result>\n'
        "</Body>\n</Rejections>\n"
    )


def test_an_acknowledgement_that_lost_a_result_is_not_read(tmp_path: Path):
    """Its count says how many there were; nor is one written of a package with another count."""
    found = acknowledged(package(policy(), claim(), total="30120"), tmp_path)
    (tmp_path / "ack.xml").write_bytes(b"".join(line for line in found.splitlines(keepends=True) if b'"2"' not in line))
    with pytest.raises(FileRefused, match="HL3035"):
        adapter.read_back(tmp_path / "ack.xml", RECEIPT, COUNTY)
    path = package(policy(), total="120").save(tmp_path)
    sent, none = receipt(path), rejections(path)
    package(policy(), total="120", count="2").save(tmp_path)
    (tmp_path / "ack.xml").unlink()
    with pytest.raises(FileRefused, match="HL3035"):
        adapter.write(Outgoing(RECEIPT, "INS_PICC", DAY, 1, sent, NAME, path, none), COUNTY, tmp_path / "ack.xml")
    assert sorted(tmp_path.iterdir()) == [path]


def _element(make: Callable[[dict[str, str | None]], str], number: str) -> st.SearchStrategy[tuple[str, str, bool]]:
    """Return elements of one kind: the text, the name and whether it is sound."""
    name = number.removesuffix("No")
    sound = st.just(({}, True))
    wrong = st.sampled_from([{"PolicyNo": None}, {"PolicyNo": "不 是 编 号"}]).map(lambda changes: (changes, False))
    return (sound | wrong).map(lambda chosen: (make(chosen[0]), name, chosen[1]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
@given(
    drawn=st.lists(_element(policy, "PolicyNo") | _element(claim, "ClaimNo"), max_size=8),
    sent=frames(documents.KINDS[RECEIPT].schema, most=1).filter(lambda frame: frame.height == 1),
    encoding=st.sampled_from(ENCODINGS),
    between=st.sampled_from(["", "\n", "\n<!-- <Policy> -->\n", "<?skip <Claim>?>"]),
)
def test_results_follow_the_elements_whatever_the_package_holds(
    tmp_path: Path, drawn: list[tuple[str, str, bool]], sent: pl.DataFrame, encoding: tuple[str, str], between: str
):
    """Element, place and status of each in order, whatever the receipt says; and the receipt comes back as it was."""
    numbered = [
        (text.replace("P2024000001", f"P{place}").replace("C2024000001", f"C{place}"), name, sound)
        for place, (text, name, sound) in enumerate(drawn)
    ]
    codec, declared = encoding
    total = sum(120 if name == "Policy" else 30_000 for _, name, _ in numbered)
    made = package(*(text for text, _, _ in numbered), total=str(total), codec=codec, declared=declared)
    path = package(*made.elements, total=str(total), codec=codec, declared=declared, between=between).save(tmp_path)
    first, second = tmp_path / "first.xml", tmp_path / "second.xml"
    for target in (first, second):
        adapter.write(Outgoing(RECEIPT, "INS_PICC", DAY, 1, sent, NAME, path, rejections(path)), COUNTY, target)
    assert first.read_bytes() == second.read_bytes()
    assert adapter.read_back(first, RECEIPT, COUNTY).equals(sent)
    refused = sent["status"][0] == "refused"
    assert [found[:2] + found[3:4] for found in results(first.read_bytes())] == [
        (name, str(number), "accepted" if sound and not refused else "rejected")
        for number, (_, name, sound) in enumerate(numbered, start=1)
    ]


_WRITE: Final = """
import datetime, json, pathlib, sys
import polars as pl
from adapters.insurer import adapter, documents
from huilian.adapters import REJECTIONS, AdapterSettings, Outgoing
path, target, record = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), json.loads(sys.argv[3])
records = pl.DataFrame([record], schema=documents.KINDS["receipt/v2"].types)
# Every second element is wrong in two ways.
lines = pl.int_range(1, record["rows"] + 1, 2, eager=True).repeat_by(2).explode()
wrong = {"line": lines, "field": "Policy/Region", "code": "HL2009", "message": "不在本县" * 10, "reference": "P1"}
wrong = pl.DataFrame({"line": lines}).with_columns(**{k: pl.lit(v) for k, v in wrong.items() if k != "line"})
outgoing = Outgoing("receipt/v2", "INS_PICC", datetime.date(2024, 6, 3), 1, records, path.name, path, wrong)
adapter.write(outgoing, AdapterSettings("341599"), target)
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]))
"""


@pytest.mark.timeout(240)
def test_a_hundred_megabytes_are_acknowledged_in_bounded_memory(tmp_path: Path):
    """Every element has its result, every error is in it, and memory holds neither the package nor the answer."""
    path, target = tmp_path / NAME, tmp_path / "ack.xml"
    pairs = large(path)
    assert path.stat().st_size > BODY_BYTES * 0.99
    small = package(policy(), total="120").save(tmp_path, "INS_PICC_POLICY_20240531_02.xml")
    record = receipt(small, rows=2 * pairs, accepted=pairs, rejected=pairs).to_dicts()[0]
    done = subprocess.run(
        [sys.executable, "-P", "-c", _WRITE, path, target, json.dumps(record)],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
        timeout=200,
    )
    assert int(done.stdout.splitlines()[-1]) / 1024 < MOST_MEGABYTES
    written = target.read_bytes()
    assert f"<Count>{2 * pairs}</Count>".encode() in written
    assert [written.count(f'status="{status}"'.encode()) for status in ("accepted", "rejected")] == [pairs, pairs]
    assert written.count(b"<Error ") == 2 * pairs
