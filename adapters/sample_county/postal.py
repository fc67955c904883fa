"""The postal savings bank's monthly file as its system writes it: records of 240 bytes, fields counted in bytes."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from adapters.sample_county.lending import NORMAL, OVERDUE, SETTLED, WRITTEN_OFF, Loan, State, ledger
from adapters.sample_county.written import DirtyRow, SampleFile

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from adapters.sample_county.county import County

__all__ = ["POSTAL_BANK", "write_postal_ledger"]

POSTAL_BANK: Final = "PSBC1522"
_ENCODING: Final = "gb18030"
"""GBK, with the rare characters of names that only its successor has."""
_RECORD: Final = 240
_CLASSES: Final = "ABCDE"
_STATUSES: Final = {NORMAL: "N", OVERDUE: "O", SETTLED: "S", WRITTEN_OFF: "W"}
_METHODS: Final = {"按季付息到期还本": "1", "分期还本按季付息": "2"}
_BASIS_POINTS_TO_MONTHLY: Final = 10, 12
"""A basis point is ten hundred-thousandths; a year has twelve months."""
_WRONG_CLASS_IN: Final = frozenset({4, 9})
"""Months whose file has a loan with a class that does not exist."""


def write_postal_ledger(directory: Path, sample: County, as_of: dt.date) -> SampleFile:
    """Write the file of `as_of` into `directory`."""
    rows = ledger(sample.postal_loans, as_of)
    faulty = len(rows) // 2 if rows and as_of.month in _WRONG_CLASS_IN else None
    details = [_detail(loan, state, wrong=place == faulty) for place, (loan, state) in enumerate(rows)]
    body = b"".join(detail + b"\n" for detail in details)
    header = b"H" + POSTAL_BANK.encode() + f"{as_of:%Y%m%d}0001".encode()
    trailer = (
        f"T{len(rows):08}{sum(loan.principal for loan, _ in rows):015}{sum(state.balance for _, state in rows):015}"
        f"{zlib.crc32(body):08X}"
    ).encode()
    path = directory / f"{POSTAL_BANK}_{as_of:%Y%m%d}_0001.dat"
    path.write_bytes(header.ljust(_RECORD) + b"\n" + body + trailer.ljust(_RECORD) + b"\n")
    dirt = () if faulty is None else (DirtyRow(faulty + 2, "五级分类", "HL2005"),)
    return SampleFile(path, "postal_savings_bank", POSTAL_BANK, "loan_ledger", as_of, len(rows), dirt)


def _detail(loan: Loan, state: State, *, wrong: bool) -> bytes:
    times, parts = _BASIS_POINTS_TO_MONTHLY
    return (
        b"D"
        + _text(loan.number, 20)
        + _text(loan.contract, 20)
        + _text(loan.household.number, 16)
        + _text(loan.borrower.name, 30)
        + _text(loan.borrower.identity_number, 18)
        + _text(loan.household.region, 12)
        + _text(loan.product, 6)
        + _number(loan.principal, 13)
        + _number(state.balance, 13)
        + _number(loan.rate * times // parts, 6)
        + _day(loan.start)
        + _day(loan.due)
        + _day(state.settled)
        + _text(_METHODS[loan.method], 1)
        + _text(loan.purpose, 20)
        + _text("Z" if wrong else _CLASSES[state.five_tier_class - 1], 1)
        + _number(state.overdue_days, 4)
        + _number(state.overdue_principal, 13)
        + _number(state.overdue_interest, 13)
        + _text(_STATUSES[state.status], 1)
        + _day(loan.signed)
    ).ljust(_RECORD)


def _text(value: str, width: int) -> bytes:
    return value.encode(_ENCODING)[:width].ljust(width)


def _number(value: int, width: int) -> bytes:
    return f"{value:0{width}}".encode()


def _day(day: dt.date | None) -> bytes:
    return f"{day:%Y%m%d}".encode() if day else b"0" * 8
