"""Two adapters side by side: the same loans as delimited text and as fixed-length records, translated only.

The fixed-length file is made from the delimited one's accepted rows, so that both hold the same.
"""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

import polars as pl

from bench.data import COUNTY, FIRST
from huilian.adapters import loading

if TYPE_CHECKING:
    from pathlib import Path

BANK = "PSBC1522"
RECORD = 240
CLASSES = {"normal": "A", "special_mention": "B", "substandard": "C", "doubtful": "D", "loss": "E"}
STATUSES = {"normal": "N", "overdue": "O", "settled": "S", "written_off": "W"}


def measure(ledger: Path, folder: Path) -> tuple[float, float]:
    """Return the seconds it takes to translate a ledger as delimited text, and its loans as fixed-length records."""
    folder.mkdir(parents=True, exist_ok=True)
    fixed = folder / f"{BANK}_{FIRST:%Y%m%d}_0001.dat"
    _write(ledger, fixed)
    return _translate("rural_commercial_bank", ledger), _translate("postal_savings_bank", fixed)


def _translate(name: str, source: Path) -> float:
    adapter = loading.find(name)
    identity = adapter.recognise(source.name)
    assert identity is not None  # noqa: S101  # we named it
    settings = loading.settings_for(adapter, COUNTY, {})
    started = time.perf_counter()
    rows = accepted = 0
    for piece in adapter.read(source, identity, settings):
        rows += piece.rows
        accepted += piece.accepted.height
    assert rows == accepted > 0  # noqa: S101  # rejecting would be less work
    return time.perf_counter() - started


def _write(ledger: Path, target: Path) -> None:
    adapter = loading.find("rural_commercial_bank")
    identity = adapter.recognise(ledger.name)
    assert identity is not None  # noqa: S101  # we named it
    rows = principal = balance = checksum = 0
    with target.open("wb") as file:
        file.write(f"H{BANK}{FIRST:%Y%m%d}0001".encode().ljust(RECORD) + b"\n")
        for piece in adapter.read(ledger, identity, loading.settings_for(adapter, COUNTY, {})):
            body = "".join(f"{record}\n" for record in piece.accepted.select(_record()).to_series()).encode("gbk")
            checksum = zlib.crc32(body, checksum)
            rows += piece.accepted.height
            principal += int(piece.accepted.select(_fen("principal").sum()).item())
            balance += int(piece.accepted.select(_fen("balance").sum()).item())
            file.write(body)
        trailer = f"T{rows:08}{principal:015}{balance:015}{checksum:08X}".encode()
        file.write(trailer.ljust(RECORD) + b"\n")


def _record() -> pl.Expr:
    """Return a detail as text; every character outside ASCII takes two bytes, which the padding allows for."""
    nothing = pl.lit("")
    fields = [
        pl.lit("D"),
        _text(pl.col("loan_no"), 20),
        _text(pl.col("contract_no"), 20),
        # One character more than the bank's field has.
        _text(pl.col("household_no").str.slice(-16), 16),
        _text(pl.col("borrower_name"), 30),
        _text(pl.col("identity_number"), 18),
        _text(pl.col("region"), 12),
        _text(pl.col("product"), 6),
        _number(_fen("principal"), 13),
        _number(_fen("balance"), 13),
        pl.lit("000400"),
        pl.col("start_date").str.replace_all("-", "", literal=True),
        pl.col("due_date").str.replace_all("-", "", literal=True),
        pl.col("settled_date").str.replace_all("-", "", literal=True).fill_null("00000000"),
        pl.lit("1"),
        _text(pl.col("purpose").fill_null(nothing), 20),
        pl.col("five_tier_class").replace_strict(CLASSES),
        _number(pl.col("overdue_days"), 4),
        _number(_fen("overdue_principal"), 13),
        _number(_fen("overdue_interest"), 13),
        pl.col("status").replace_strict(STATUSES),
    ]
    return _text(pl.concat_str(fields), RECORD)


def _text(value: pl.Expr, width: int) -> pl.Expr:
    # In UTF-8 such a character takes three bytes and counts as one: half the difference more than its one.
    narrow = value.str.len_chars()
    wide = (value.str.len_bytes() - narrow) // 2
    return value + pl.lit(" " * width).str.slice(0, width - narrow - wide)


def _number(value: pl.Expr, width: int) -> pl.Expr:
    return value.cast(pl.String).str.zfill(width)


def _fen(name: str) -> pl.Expr:
    return pl.col(name).str.replace(".", "", literal=True).cast(pl.Int64)
