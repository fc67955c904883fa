"""The sample files of the other institutions agree with themselves and with the loans, read without our adapters."""

from __future__ import annotations

import hashlib
import re
import zlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from openpyxl import load_workbook

from adapters.sample_county import SampleFile, make, write_rating_forms
from adapters.sample_county.county import county
from huilian.adapters import loading

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = "{urn:insurer:rural:v1}"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[SampleFile]:
    """Return the files of the county as it is by default."""
    return make(tmp_path_factory.mktemp("institutions"))


def of(files: list[SampleFile], kind: str) -> list[SampleFile]:
    """Return the files a certain adapter reads, by date."""
    found = [file for file in files if file.adapter == kind]
    assert len(found) == 12
    return found


def test_postal_trailers_agree_with_their_records(files: list[SampleFile]):
    """Count, both sums and the check sum over the details' bytes; only the class that is meant to be wrong is."""
    for file in of(files, "postal_savings_bank"):
        content = file.path.read_bytes()
        assert {len(line) for line in content.splitlines()} == {240}
        header, *details, trailer = content.splitlines(keepends=True)
        assert header.startswith(b"HPSBC1522" + f"{file.as_of:%Y%m%d}0001".encode())
        assert int(trailer[1:9]) == len(details) == file.rows
        assert int(trailer[9:24]) == sum(int(line[123:136]) for line in details)
        assert int(trailer[24:39]) == sum(int(line[136:149]) for line in details)
        assert int(trailer[39:47], 16) == zlib.crc32(b"".join(details))
        wrong = [line for line, record in enumerate(details, 2) if record[200:201] not in b"ABCDE"]
        assert wrong == [row.line for row in file.dirt]


def rows_of(path: Path, sheet: str) -> tuple[list[list[Any]], list[Any]]:
    """Return the data rows of a sheet and its row of sums."""
    rows = [list(row) for row in load_workbook(path)[sheet].iter_rows(min_row=5, values_only=True)]
    last = next(place for place, row in enumerate(rows) if row[0] == "合计")
    return rows[:last], rows[last]


def fen(cell: float | str) -> int:
    """Return an amount in ten thousand yuan as whole fen."""
    exact = Decimal(str(cell)) * 1_000_000
    assert exact == exact.to_integral_value()
    return int(exact)


def test_guarantee_books_tell_of_the_postal_banks_loans(files: list[SampleFile]):
    """Every open loan is guaranteed for what it is; sums agree; the row that is meant to be wrong has a number."""
    loans = {loan.number: loan for loan in county().postal_loans}
    compensations = releases = 0
    for file in of(files, "guarantee_company"):
        rows, sums = rows_of(file.path, "在保明细")
        compensated, _ = rows_of(file.path, "代偿明细")
        released, _ = rows_of(file.path, "解保明细")
        assert len(rows) + len(compensated) + len(released) == file.rows
        open_loans = {number: loan for number, loan in loans.items() if loan.reported(file.as_of)}
        expected = {n: open_loans[n].at(file.as_of).balance for n in open_loans if open_loans[n].at(file.as_of).balance}
        assert {row[6]: fen(row[9]) for row in rows} == expected
        assert fen(sums[9]) == sum(expected.values())
        assert [line for line, row in enumerate(rows, 5) if not isinstance(row[3], str)] == [d.line for d in file.dirt]
        assert all(fen(row[3]) * 2 <= loans[row[1]].principal for row in compensated)
        compensations += len(compensated)
        releases += len(released)
    assert compensations > 0
    assert releases > 0


def test_insurance_packages_agree_with_their_heads(files: list[SampleFile]):
    """Count, total and the digest over the bytes of the Body; every policy's shares add up to its premium."""
    claims = 0
    for file in of(files, "insurer"):
        content = file.path.read_bytes()
        body = re.search(rb"<Body>.*</Body>", content, re.DOTALL)
        assert body is not None
        package = ET.fromstring(content)  # noqa: S314  # our own sample
        head = {element.tag.removeprefix(NAMESPACE): element.text for element in package.find(f"{NAMESPACE}Head") or ()}
        assert head["Digest"] == hashlib.sha256(body[0]).hexdigest()
        elements = list(package.find(f"{NAMESPACE}Body") or ())
        assert head["Count"] == str(len(elements)) == str(file.rows)
        policies = package.findall(f".//{NAMESPACE}Policy")
        premiums = [Decimal(policy.findtext(f"{NAMESPACE}Premium/{NAMESPACE}Amount") or "") for policy in policies]
        paid = [Decimal(amount.text or "") for amount in package.findall(f".//{NAMESPACE}Claim/{NAMESPACE}Amount")]
        assert Decimal(head["TotalAmount"] or "") == sum(premiums) + sum(paid)
        for policy, premium in zip(policies, premiums, strict=True):
            shares = policy.findall(f"{NAMESPACE}Premium/{NAMESPACE}Share")
            assert sum(Decimal(share.text or "") for share in shares) == premium
        unknown = [
            number
            for number, policy in enumerate(policies, 1)
            if policy.findtext(f"{NAMESPACE}Kind") != "loan-guarantee"
        ]
        assert unknown == [row.line for row in file.dirt]
        claims += len(paid)
    assert claims > 0


def test_forms_of_rating_have_every_household_once(tmp_path: Path):
    """A sheet for each township, a row for each household; one has a point too many, and the police know some."""
    form, police = write_rating_forms(tmp_path, county())
    book = load_workbook(form.path)
    assert book.sheetnames == ["甲禾镇", "乙溪镇", "丙岭乡"]
    rows = [row for page in book for row in page.iter_rows(min_row=4, values_only=True)]
    assert len({row[1] for row in rows}) == len(rows) == form.rows == 1400
    [wrong] = [row for row in rows if row[6] > 100]
    [dirty] = form.dirt
    assert (wrong[6], dirty.column, dirty.code) == (105, "丙岭乡·诚信", "HL2083")
    assert book["丙岭乡"].cell(dirty.line, 7).value == 105
    assert (police.path.name, police.rows) == ("公安评级数据_341599_20240331.xlsx", 35)
    again, _ = write_rating_forms(tmp_path / "..", county())
    assert again.path.read_bytes() == form.path.read_bytes()


def test_forms_of_rating_are_read_but_for_what_is_wrong_in_them(tmp_path: Path):
    """By the adapter that they name."""
    for file in write_rating_forms(tmp_path, county()):
        adapter = loading.find(file.adapter)
        identity = adapter.recognise(file.path.name)
        assert identity is not None
        assert (identity.kind, identity.as_of) == (file.kind, file.as_of)
        read = list(adapter.read(file.path, identity, loading.settings_for(adapter, file.member, {})))
        errors = pl.concat([piece.rejections for piece in read]).select("line", "field", "code").rows()
        assert errors == [(row.line, row.column, row.code) for row in file.dirt]
        assert sum(piece.rows for piece in read) == file.rows
