"""What ledgers say of a loan's agreement where the bank can: its day, the confirmation, what it goes on from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from adapters.postal_savings_bank import adapter as postal_savings_bank
from adapters.rural_commercial_bank import adapter as rural_commercial_bank
from huilian.adapters import AdapterSettings
from huilian.core.errors import FileRefused, describe
from tests.support.builders import postal_files
from tests.support.builders.delimited_files import LEDGER, changed, errors, ledger, read, row, trailer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from huilian.adapters import Piece

NAME: Final = "RCB01_LOAN_20240531.csv"
AGREEMENT: Final = {
    "签订日期": "20240103",
    "确认编号": "QR2023-0001",
    "展期续贷标志": "续贷",
    "原借据号": "J2021000009",
}
FIELDS: Final = ("signed", "confirmation_no", "continuation", "original_loan_no")
CANONICAL: Final = ("2024-01-03", "QR2023-0001", "renewal", "J2021000009")


def taken(tmp_path: Path, change: Mapping[str, str], header: Mapping[str, str] | None = None) -> Piece:
    """Return what a ledger of one loan is read as; it has the columns that `change` names besides the usual ones."""
    base = dict(LEDGER) | change
    names = [(header or {}).get(name, name) for name in base]
    file = changed(ledger({}), header=names, rows=[row(base)], trailer=trailer(1, "50,000.00", "30,000.00", len(names)))
    (piece,) = read(rural_commercial_bank, file.save(tmp_path / NAME))
    return piece


def agreement(piece: Piece) -> tuple[str | None, ...]:
    """Return what is said of the agreement of the only accepted loan."""
    (found,) = piece.accepted.select(FIELDS).rows()
    return found


def test_what_a_ledger_says_of_a_loans_agreement_is_read(tmp_path: Path):
    """The columns stand beside the usual ones, in any order."""
    piece = taken(tmp_path, AGREEMENT)
    assert errors(piece.rejections) == []
    assert agreement(piece) == CANONICAL


HEADERS: Final = [
    {"签订日期": "合同签订日期", "确认编号": "确认书编号", "展期续贷标志": "展期标志", "原借据号": "原贷款借据号"},
    {"签订日期": "签 约 日 期", "展期续贷标志": "续贷展期标志", "原借据号": "展期前借据号"},
]


@pytest.mark.parametrize("header", HEADERS)
def test_the_columns_may_bear_their_other_names(tmp_path: Path, header: Mapping[str, str]):
    """Banks call them differently."""
    assert agreement(taken(tmp_path, AGREEMENT, header)) == CANONICAL


CONTINUATIONS: Final = [
    ("", "none"),
    ("0", "none"),
    ("无", "none"),
    ("1", "extension"),
    ("展期", "extension"),
    ("2", "renewal"),
    ("无还本续贷", "renewal"),
    ("3", "moratorium"),
    ("延期还本付息", "moratorium"),
]


@pytest.mark.parametrize(("cell", "continuation"), CONTINUATIONS)
def test_a_moratorium_is_told_from_an_extension_and_a_renewal(tmp_path: Path, cell: str, continuation: str):
    """Where the column is there, an empty cell says that there is none; without the column nobody knows."""
    assert agreement(taken(tmp_path, {"展期续贷标志": cell})) == (None, None, continuation, None)
    assert agreement(taken(tmp_path, {})) == (None, None, None, None)


WRONG: Final = [
    ({"签订日期": "20240601"}, ("签订日期", "HL2025")),
    ({"签订日期": "2024年1月3日"}, ("签订日期", "HL2003")),
    ({"签订日期": "19010101"}, ("签订日期", "HL2074")),
    ({"展期续贷标志": "借新还旧"}, ("展期续贷标志", "HL2005")),
    ({"确认编号": "第 1 号"}, ("确认编号", "HL2023")),
    ({"原借据号": "J" * 41}, ("原借据号", "HL2006")),
]


@pytest.mark.parametrize(("changes", "found"), WRONG)
def test_a_wrong_value_rejects_its_row_by_its_column(
    tmp_path: Path, changes: Mapping[str, str], found: tuple[str, str]
):
    """A contract to come, an unknown word, a number that is none."""
    assert errors(taken(tmp_path, changes).rejections) == [(2, *found)]


def test_a_message_names_the_marks_that_are_asked_for(tmp_path: Path):
    """Whoever mends the file has to know them."""
    (message,) = taken(tmp_path, {"展期续贷标志": "借新还旧"}).rejections["message"]
    assert message == f"{describe('HL2005')}（应为 0 无、1 展期、2 续贷、3 延期还本付息）"


def test_an_optional_column_that_stands_there_twice_refuses_the_file(tmp_path: Path):
    """Nobody could say which is meant."""
    with pytest.raises(FileRefused) as refused:
        taken(tmp_path, AGREEMENT, {"原借据号": "签订日期"})
    assert (refused.value.code, refused.value.facts["columns"]) == ("HL3004", "签订日期")


def test_a_repeated_header_is_known_by_the_names_that_stand_there(tmp_path: Path):
    """Files that were joined have it in the middle, with the bank's own names."""
    names = [*LEDGER, "合同签订日期"]
    rows = [
        row(dict(LEDGER) | {"合同签订日期": "20240103"}, {"借据号": number})
        for number in ("J0000000001", "J0000000002")
    ]
    file = changed(
        ledger({}),
        header=names,
        rows=[rows[0], ",".join(names), rows[1]],
        trailer=trailer(2, "100,000.00", "60,000.00", len(names)),
    )
    (piece,) = read(rural_commercial_bank, file.save(tmp_path / NAME))
    assert (piece.rows, errors(piece.rejections)) == (2, [])
    assert piece.accepted["signed"].to_list() == ["2024-01-03"] * 2


def postal(tmp_path: Path, values: Sequence[bytes], *, signed: bool) -> Piece:
    """Return what the postal savings bank's details with these last bytes are read as."""
    path = postal_files.ledger(*({"签订日期": value} for value in values)).save(tmp_path / "PSBC1522_20240531_0001.dat")
    identity = postal_savings_bank.recognise(path.name)
    assert identity is not None
    settings = AdapterSettings("341599", {"signed_in_spare": signed})
    (piece,) = postal_savings_bank.read(path, identity, settings)
    return piece


def test_a_postal_bank_that_keeps_the_day_in_its_spare_bytes_says_so(tmp_path: Path):
    """The layout has no room for more; blanks and zeros are no day, and anything else is wrong."""
    values = [b"20240103", b"        ", b"00000000", b"2024x103", b"20240601"]
    piece = postal(tmp_path, values, signed=True)
    assert piece.accepted["signed"].to_list() == ["2024-01-03", None, None]
    assert errors(piece.rejections) == [(5, "签订日期", "HL2003"), (6, "签订日期", "HL2025")]


def test_spare_bytes_are_not_looked_at_without_that(tmp_path: Path):
    """Whatever the bank has there was never agreed on."""
    piece = postal(tmp_path, [b"20240103", b"2024x103"], signed=False)
    assert errors(piece.rejections) == []
    assert piece.accepted["signed"].to_list() == [None, None]
