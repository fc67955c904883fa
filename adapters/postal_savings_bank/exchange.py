"""The adapter: reading the bank's ledger in pieces, and writing in its layout what it is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from adapters.postal_savings_bank import reading, returning, writing
from adapters.postal_savings_bank.forms import FORMS
from adapters.postal_savings_bank.layout import DETAIL, DETAIL_WITH_SIGNED
from adapters.postal_savings_bank.ledger import TRANSLATION, WORDING, canonical, checks
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
from schemas.records import LoanLedgerRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.postal_savings_bank.ends import Trailer
    from adapters.postal_savings_bank.reading import Block

__all__ = ["PostalSavingsBank"]

_NAME: Final = re.compile(
    r"(?P<owner>[0-9A-Za-z][0-9A-Za-z.-]{0,7})_(?P<day>[0-9]{8})_(?P<sequence>[0-9]{4})\.dat", re.IGNORECASE | re.ASCII
)
_KIND: Final = "loan_ledger"
_TOTALS: Final = ("principal", "balance")
_SIGNED: Final = "signed_in_spare"
"""The setting that says whether the bank keeps the day of the contract in the last bytes of a detail."""
_REFERENCE: Final = "loan_no"
"""The number by which a rejection names its row."""
_REPEATED: Final = "is_repeated"
_ALIKE: Final = "is_alike"
"""Columns of the frame only, beside the canonical ones."""


class PostalSavingsBank(Adapter):
    """Fixed-length records from a postal savings bank's core system (邮储银行)."""

    name: ClassVar[str] = "postal_savings_bank"
    version: ClassVar[str] = "1.0"
    chinese: ClassVar[str] = "邮储银行"
    institution_kinds: ClassVar[frozenset[str]] = frozenset({"bank"})
    reads: ClassVar[dict[str, str]] = {_KIND: "PSBC1522_20240531_0001.dat"}
    parts: ClassVar[dict[str, tuple[str, ...]]] = {_KIND: ("loan_ledger/v3",)}
    totals: ClassVar[dict[str, tuple[str, ...]]] = {_KIND: _TOTALS}
    settings: ClassVar[dict[str, Setting]] = {
        _SIGNED: Setting(bool, "明细末 8 字节是否为合同签订日期（否则为备用）", default=False),
    }
    writes: ClassVar[dict[str, str]] = {
        contract: f"PSBC1522_{form.kinds[0]}_20240531_0001.dat" for contract, form in FORMS.items()
    }

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Return what a name like "PSBC1522_20240531_0001.dat" says, or None."""
        found = _NAME.fullmatch(plain(file_name))
        as_of = day(found["day"]) if found else None
        if found is None or as_of is None or not int(found["sequence"]):
            return None
        return FileIdentity(found["owner"], _KIND, as_of, int(found["sequence"]))

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Translate the file in pieces of at most 20,000 records; memory does not grow with it.

        Of records that share a loan number the first is taken, the others are rejected.

        Raises:
            FileRefused: as `reading.read`; HL3001, HL3002 or HL3011, count or sums disagree, are missing or
                cannot be read, see `toolkit.control_totals`; HL3021, the check sum disagrees.
        """
        translator = _Translator(settings.county, identity.as_of)
        fields = DETAIL_WITH_SIGNED if settings.values.get(_SIGNED) else DETAIL
        # By `map`, since the variable of a loop would keep a piece in memory while the next is made.
        yield from map(translator.piece, ahead(reading.read(source, identity, fields)))
        translator.verify(source.name)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write a record of kind R for each error, the original behind it: see `returning`."""
        returning.write(source, identity, rejections, target)

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return a name like "PSBC1522_C_20240531_0001.dat"."""
        kind = writing.form(outgoing.dataschema, self.name).kinds[0]
        return f"{outgoing.member}_{kind}_{outgoing.day:%Y%m%d}_{outgoing.number:04d}.dat"

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:  # noqa: ARG002  # it has none
        """Write what the county sends as records of the contract's kinds: see `forms`."""
        writing.write(outgoing, writing.form(outgoing.dataschema, self.name), target)

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:  # noqa: ARG002  # it has none
        """Return the records in a file that `write` made; who they are for stands in its header alone."""
        return writing.read_back(source, writing.form(dataschema, self.name))


class _Translator:
    """Translates one file block by block, and keeps what the file as a whole is held against."""

    def __init__(self, county: str, as_of: dt.date) -> None:
        self._checks = checks(county, as_of)
        self._totals = ControlTotals([(field, TRANSLATION.source_of(field)) for field in _TOTALS])
        self._repeats = Repeats()
        self._trailer: Trailer | None = None

    def piece(self, block: Block) -> Piece:
        """Return the accepted records of `block` and the rejections of the others."""
        rows = canonical(block.cells)
        self._trailer = block.trailer or self._trailer
        self._totals.add(block.rows, rows, block.faults)
        repeated, alike = self._repeats.find_alike(rows["loan_no"])
        also = [*self._checks, ("loan_no", "HL2014", pl.col(_REPEATED)), ("loan_no", "HL2063", pl.col(_ALIKE))]
        frame = rows.with_columns(repeated.alias(_REPEATED), alike.alias(_ALIKE))
        good, errors = split(frame, LoanLedgerRecord, also)
        if block.faults.height:
            good = good.join(block.faults, on=LINE, how="anti", maintain_order="left")
        rejections = reject(
            errors,
            block.faults,
            rows,
            translation=TRANSLATION,
            record=LoanLedgerRecord,
            reference=_REFERENCE,
            wording=WORDING,
        )
        stated = self._totals.stated(block.trailer.totals() if block.trailer else None)
        return Piece(block.rows, good, rejections, block.bytes_read, stated=stated)

    def verify(self, file: str) -> None:
        """Hold the trailer against the records, once all are translated.

        Raises:
            FileRefused: HL3001, HL3002, HL3011 or HL3021.
        """
        if self._trailer is None:
            raise FileRefused("HL3002", file=file)
        self._totals.verify(self._trailer.totals(), file)
        self._trailer.check_bytes(file)
