"""The adapter: recognising, reading and writing the files that `layout` describes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl
from adapters.toolkit import delimited, plausibility, returning, writing
from adapters.toolkit.control_totals import ControlTotals
from adapters.toolkit.file_names import plain
from adapters.toolkit.names import day
from adapters.toolkit.rejections import reject
from adapters.toolkit.repeats import Repeats
from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Outgoing, Piece, Setting
from huilian.records.columnar import split
from schemas.records import LoanLedgerRecord

from village_bank.layout import CONFIRMATIONS, LEDGER, TOTALS, TRAILER_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.toolkit.encodings import Encoding

__all__ = ["VillageBank"]

_KIND: Final = "loan_ledger"
_NAME: Final = re.compile(r"(?P<owner>[0-9A-Za-z]{1,20})_LOAN_(?P<day>[0-9]{8})\.csv")


class VillageBank(Adapter):
    """Delimited text with the bank's loan ledger."""

    name: ClassVar[str] = "village_bank"
    version: ClassVar[str] = "0.1"
    chinese: ClassVar[str] = "示例机构（请改）"
    institution_kinds: ClassVar[frozenset[str]] = frozenset({"bank"})
    reads: ClassVar[dict[str, str]] = {_KIND: "BANK01_LOAN_20240531.csv"}
    parts: ClassVar[dict[str, tuple[str, ...]]] = {_KIND: ("loan_ledger/v3",)}
    totals: ClassVar[dict[str, tuple[str, ...]]] = {_KIND: TOTALS}
    writes: ClassVar[dict[str, str]] = {"confirmations/v1": "BANK01_CONFIRM_20240531_001.csv"}
    settings: ClassVar[dict[str, Setting]] = {
        "utf_8": Setting(bool, "写给机构的文件用 UTF-8（否则用 GB18030）", default=False),
    }

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Return what a name like "BANK01_LOAN_20240531.csv" says, or None."""
        found = _NAME.fullmatch(plain(file_name))
        as_of = day(found["day"]) if found else None
        return FileIdentity(found["owner"], _KIND, as_of) if found and as_of else None

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Translate the file in pieces; of rows that share a loan number the first is taken.

        Raises:
            FileRefused: the file is not delimited text with these columns, or its totals disagree.
        """
        totals = ControlTotals([(field, LEDGER.source_of(field)) for field in TOTALS])
        repeats = Repeats()
        trailer = None
        checks = [
            ("region", "HL2009", ~pl.col("region").str.starts_with(settings.county)),
            *plausibility.checks(LoanLedgerRecord, identity.as_of),
            ("loan_no", "HL2014", pl.col("is_repeated")),
        ]
        for block in delimited.read(source, LEDGER.sources, TRAILER_MARK, optional=LEDGER.optional):
            trailer = block.trailer or trailer
            canonical = LEDGER.canonical(block.cells)
            totals.add(block.rows, canonical, block.faults)
            repeated = repeats.find(canonical["loan_no"]).alias("is_repeated")
            good, errors = split(canonical.with_columns(repeated), LoanLedgerRecord, checks)
            good = good.join(block.faults, on="line", how="anti", maintain_order="left")
            rejections = reject(
                errors, block.faults, canonical, translation=LEDGER, record=LoanLedgerRecord, reference="loan_no"
            )
            yield Piece(block.rows, good, rejections, block.bytes_read)
        totals.verify(trailer, source.name)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write the rejected rows as they were sent, with two columns more: 错误代码 and 错误说明."""
        del identity  # there is one layout
        returning.write(source, LEDGER.sources, rejections, target)

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return a name like "BANK01_CONFIRM_20240531_001.csv"."""
        return f"{outgoing.member}_CONFIRM_{outgoing.day:%Y%m%d}_{outgoing.number:03d}.csv"

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
        """Write the confirmed list."""
        writing.write(outgoing.records, CONFIRMATIONS, target, _encoding(settings))

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:
        """Return what `write` wrote."""
        del dataschema  # there is one layout
        return writing.read_back(source, CONFIRMATIONS, _encoding(settings))


def _encoding(settings: AdapterSettings) -> Encoding:
    return writing.ENCODINGS["UTF-8" if settings.values["utf_8"] else "GB18030"]
