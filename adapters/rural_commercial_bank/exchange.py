"""The adapter: reading the bank's files in pieces, and giving back what it is sent in its own layout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from adapters.rural_commercial_bank.layouts import (
    IDENTITY_TYPES,
    LAYOUTS,
    TRAILER_MARK,
    USUAL_IDENTITY_TYPES,
    FileLayout,
)
from adapters.rural_commercial_bank.returns import RETURNS
from adapters.toolkit import certificates, delimited, plausibility, returning, writing
from adapters.toolkit.control_totals import ControlTotals
from adapters.toolkit.file_names import plain
from adapters.toolkit.names import day
from adapters.toolkit.rejections import reject
from adapters.toolkit.repeats import Repeats
from adapters.toolkit.translation import LINE
from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Outgoing, Piece, Setting
from huilian.core.concurrency import ahead
from huilian.core.errors import FileRefused
from huilian.records.columnar import split

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.rural_commercial_bank.returns import ReturnedFile
    from adapters.toolkit.delimited import Block, Trailer
    from adapters.toolkit.encodings import Encoding

__all__ = ["RuralCommercialBank"]

_NAME: Final = re.compile(
    r"(?P<owner>[0-9A-Za-z][0-9A-Za-z_.-]{0,19})_(?P<word>LOAN|REPAY)_(?P<day>[0-9]{8})\.csv", re.IGNORECASE
)
_REFERENCE: Final = "loan_no"
"""The number by which a rejection names its row."""
_REPEATED: Final = "is_repeated"
_ALIKE: Final = "is_alike"
"""Columns of the frame only, beside the canonical ones."""
_ENCODING: Final = "encoding"
"""The setting that says what the bank's files are written in; how they are read, they say themselves."""
_IDENTITY_TYPES: Final = "identity_types"
"""The setting that says which table the bank's codes for kinds of certificates are of."""


class RuralCommercialBank(Adapter):
    """Delimited text from a rural commercial bank's core system (农村商业银行)."""

    name: ClassVar[str] = "rural_commercial_bank"
    version: ClassVar[str] = "1.0"
    chinese: ClassVar[str] = "农村商业银行"
    institution_kinds: ClassVar[frozenset[str]] = frozenset({"bank"})
    reads: ClassVar[dict[str, str]] = {kind: f"RCB01_{layout.word}_20240531.csv" for kind, layout in LAYOUTS.items()}
    parts: ClassVar[dict[str, tuple[str, ...]]] = {kind: (layout.contract,) for kind, layout in LAYOUTS.items()}
    totals: ClassVar[dict[str, tuple[str, ...]]] = {kind: layout.totals for kind, layout in LAYOUTS.items()}
    writes: ClassVar[dict[str, str]] = {
        contract: f"RCB01_{file.word}_20240531_001.csv" for contract, file in RETURNS.items()
    }
    settings: ClassVar[dict[str, Setting]] = {
        _ENCODING: Setting(str, "返还文件的编码", default="GB18030", choices=tuple(writing.ENCODINGS)),
        _IDENTITY_TYPES: Setting(
            str,
            "证件类型代码表：core 核心系统（1 居民身份证、2 信用代码）或 credit_registry 征信（1 户口簿、2 护照）",
            default=USUAL_IDENTITY_TYPES,
            choices=tuple(IDENTITY_TYPES),
        ),
    }

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Return what a name like "RCB01_LOAN_20240531.csv" says, or None; upper and lower case are one."""
        found = _NAME.fullmatch(plain(file_name))
        as_of = day(found["day"]) if found else None
        if found is None or as_of is None:
            return None
        kind = next(kind for kind, layout in LAYOUTS.items() if layout.word == found["word"].upper())
        return FileIdentity(found["owner"], kind, as_of)

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Translate the file in pieces of some 40,000 rows; memory does not grow with it.

        Of rows that share a loan number (or transaction number) the first is taken, the others are rejected; so they
        are where numbers differ in the case or width of characters only.

        Raises:
            FileRefused: as `toolkit.delimited.read`; HL3001, HL3002 or HL3011, the trailer is
                missing, disagrees or cannot be read. See `toolkit.control_totals` for how it is
                held against rows that are rejected.
        """
        identity_types = settings.values.get(_IDENTITY_TYPES, USUAL_IDENTITY_TYPES)
        translator = _Translator(LAYOUTS[identity.kind], settings.county, identity.as_of, identity_types)
        # By `map`, since the variable of a loop would keep a piece in memory while the next is made.
        blocks = ahead(delimited.read(source, translator.columns, TRAILER_MARK, optional=translator.optional))
        yield from map(translator.piece, blocks)
        translator.verify(source.name)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write the rejected rows as the bank sent them, with two columns more: see `toolkit.returning`."""
        returning.write(source, LAYOUTS[identity.kind].translation.sources, rejections, target)

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return a name such as "RCB01_CONFIRM_20240531_001.csv"; the number counts the day's files of the kind."""
        word = self._returned(outgoing.dataschema).word
        return f"{outgoing.member}_{word}_{outgoing.day:%Y%m%d}_{outgoing.number:03d}.csv"

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
        """Write a receipt, the confirmed list, results or notices as `returns` says, whole or not at all.

        Raises:
            FileRefused: HL3014, the bank is not sent that contract; HL3039, the file cannot be written.
        """
        table = self._returned(outgoing.dataschema).table
        writing.write(outgoing.records, table, target, self._encoding(settings))

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:
        """Return the records in a file that `write` made with the same settings.

        Raises:
            FileRefused: HL3014, the bank is not sent that contract; or as `toolkit.writing.read_back`.
        """
        return writing.read_back(source, self._returned(dataschema).table, self._encoding(settings))

    def _returned(self, dataschema: str) -> ReturnedFile:
        if dataschema not in RETURNS:
            raise FileRefused("HL3014", adapter=self.name, file=dataschema)
        return RETURNS[dataschema]

    def _encoding(self, settings: AdapterSettings) -> Encoding:
        return writing.ENCODINGS[settings.values[_ENCODING]]


class _Translator:
    """Translates one file block by block, and keeps what the file as a whole is held against."""

    def __init__(self, layout: FileLayout, county: str, as_of: dt.date, identity_types: str) -> None:
        self._translation = layout.translation_with(identity_types)
        self.columns = self._translation.sources
        self.optional = self._translation.optional
        self._layout = layout
        self._checks = plausibility.checks(layout.record, as_of)
        if layout.has_region:
            self._checks.append(("region", "HL2009", ~pl.col("region").str.starts_with(county)))
        self._totals = ControlTotals([(field, self._translation.source_of(field)) for field in layout.totals])
        self._repeats = Repeats()
        self._trailer: Trailer | None = None

    def piece(self, block: Block) -> Piece:
        """Return the accepted rows of `block` and the rejections of the others."""
        layout = self._layout
        canonical = self._translation.canonical(block.cells)
        if layout.has_certificates:
            canonical = certificates.with_types_by_number(canonical)
        self._trailer = block.trailer or self._trailer
        self._totals.add(block.rows, canonical, block.faults)
        field, code = layout.unique
        repeated, alike = self._repeats.find_alike(canonical[field])
        checks = [*self._checks, (field, code, pl.col(_REPEATED)), (field, "HL2063", pl.col(_ALIKE))]
        frame = canonical.with_columns(repeated.alias(_REPEATED), alike.alias(_ALIKE))
        good, errors = split(frame, layout.record, checks)
        if block.faults.height:
            good = good.join(block.faults, on=LINE, how="anti", maintain_order="left")
        rejections = reject(
            errors,
            block.faults,
            canonical,
            translation=self._translation,
            record=layout.record,
            reference=_REFERENCE,
        )
        stated = self._totals.stated(block.trailer)
        return Piece(block.rows, good, rejections, block.bytes_read, stated=stated)

    def verify(self, file: str) -> None:
        """Hold the trailer against the rows, once all are translated.

        Raises:
            FileRefused: HL3001, HL3002 or HL3011.
        """
        self._totals.verify(self._trailer, file)
