"""The adapter: reading the bank's ledger in pieces, and writing in its layout what it is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from adapters.postal_savings_bank import reading, returning, writing
from adapters.postal_savings_bank.claims import DETAILS
from adapters.postal_savings_bank.forms import FORMS
from adapters.postal_savings_bank.layout import DETAIL_WITH_SIGNED
from adapters.postal_savings_bank.ledger import WORDING, with_identity_types
from adapters.toolkit import payment_files, plausibility
from adapters.toolkit import returning as returning_text
from adapters.toolkit.control_totals import ControlTotals
from adapters.toolkit.file_layouts import repeats_of
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
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.postal_savings_bank.ends import Trailer
    from adapters.postal_savings_bank.layout import Details
    from adapters.postal_savings_bank.reading import Block

__all__ = ["PostalSavingsBank"]

_NAME: Final = re.compile(
    r"(?P<owner>[0-9A-Za-z][0-9A-Za-z.-]{0,7})_(?:(?P<kind>[BK])_)?(?P<day>[0-9]{8})_(?P<sequence>[0-9]{4})\.dat",
    re.IGNORECASE | re.ASCII,
)
_LEDGER: Final = "loan_ledger"
_KINDS: Final = {details.kind: kind for kind, details in DETAILS.items()}
_SIGNED: Final = "signed_in_spare"
"""The setting that says whether the bank keeps the day of the contract in the last bytes of a detail."""
_REFERENCE: Final = "loan_no"
"""The number by which a rejection names its row."""


class PostalSavingsBank(Adapter):
    """Fixed-length records from a postal savings bank's core system (邮储银行)."""

    name: ClassVar[str] = "postal_savings_bank"
    version: ClassVar[str] = "1.0"
    chinese: ClassVar[str] = "邮储银行"
    institution_kinds: ClassVar[frozenset[str]] = frozenset({"bank"})
    reads: ClassVar[dict[str, str]] = {
        kind: f"PSBC1522_{'' if kind == _LEDGER else f'{details.kind}_'}20240531_0001.dat"
        for kind, details in DETAILS.items()
    } | {payment_files.KIND: payment_files.RESULTS_NAME}
    parts: ClassVar[dict[str, tuple[str, ...]]] = {
        kind: (each.contract,) for kind, each in (DETAILS | {payment_files.KIND: payment_files.RESULTS}).items()
    }
    totals: ClassVar[dict[str, tuple[str, ...]]] = {
        kind: each.totals for kind, each in (DETAILS | {payment_files.KIND: payment_files.RESULTS}).items()
    }
    settings: ClassVar[dict[str, Setting]] = {
        _SIGNED: Setting(bool, "明细末 8 字节是否为合同签订日期（否则为备用）", default=False),
    }
    writes: ClassVar[dict[str, str]] = {
        contract: f"PSBC1522_{form.kinds[0]}_20240531_0001.dat" for contract, form in FORMS.items()
    } | {payment_files.ORDERS: payment_files.ORDERS_NAME}

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Return what a name like "PSBC1522_20240531_0001.dat" says, or None."""
        found = _NAME.fullmatch(plain(file_name))
        if found is None:
            return payment_files.recognise(file_name)
        as_of = day(found["day"])
        if as_of is None or not int(found["sequence"]):
            return None
        return FileIdentity(found["owner"], _KINDS[(found["kind"] or "D").upper()], as_of, int(found["sequence"]))

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Translate the file in pieces of at most 20,000 records; memory does not grow with it.

        Of records that share a loan number the first is taken, the others are rejected.

        Raises:
            FileRefused: as `reading.read`; HL3001, HL3002 or HL3011, count or sums disagree, are missing or
                cannot be read, see `toolkit.control_totals`; HL3021, the check sum disagrees; for what became of
                payments as `toolkit.payment_files.read`.
        """
        if identity.kind == payment_files.KIND:
            yield from payment_files.read(source, identity, settings.county)
            return
        details = DETAILS[identity.kind]
        translator = _Translator(details, identity, settings.county)
        fields = details.fields
        if identity.kind == _LEDGER and settings.values.get(_SIGNED):
            fields = DETAIL_WITH_SIGNED
        # By `map`, since the variable of a loop would keep a piece in memory while the next is made.
        yield from map(translator.piece, ahead(reading.read(source, identity, fields, details.kind.encode())))
        translator.verify(source.name)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write a record of kind R for each error, the original behind it: see `returning`; of payments their rows."""
        if identity.kind == payment_files.KIND:
            returning_text.write(source, payment_files.RESULTS.translation.sources, rejections, target)
            return
        returning.write(source, identity, rejections, target)

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return a name like "PSBC1522_C_20240531_0001.dat"; payments have the county's own."""
        if outgoing.dataschema == payment_files.ORDERS:
            return payment_files.file_name(outgoing)
        kind = writing.form(outgoing.dataschema, self.name).kinds[0]
        return f"{outgoing.member}_{kind}_{outgoing.day:%Y%m%d}_{outgoing.number:04d}.dat"

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:  # noqa: ARG002  # it has none
        """Write what the county sends as records of the contract's kinds: see `forms`."""
        if outgoing.dataschema == payment_files.ORDERS:
            payment_files.write(outgoing, target)
            return
        writing.write(outgoing, writing.form(outgoing.dataschema, self.name), target)

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:  # noqa: ARG002  # it has none
        """Return the records in a file that `write` made; who they are for stands in its header alone."""
        if dataschema == payment_files.ORDERS:
            return payment_files.read_back(source)
        return writing.read_back(source, writing.form(dataschema, self.name))


class _Translator:
    """Translates one file block by block, and keeps what the file as a whole is held against."""

    def __init__(self, details: Details, identity: FileIdentity, county: str) -> None:
        self._details = details
        self._owner = identity.owner
        self._checks = plausibility.checks(details.record, identity.as_of)
        if details.has_region:
            self._checks.insert(0, ("region", "HL2009", ~pl.col("region").str.starts_with(county)))
        self._totals = ControlTotals([(field, details.translation.source_of(field)) for field in details.totals])
        self._repeats = Repeats()
        self._trailer: Trailer | None = None

    def piece(self, block: Block) -> Piece:
        """Return the accepted records of `block` and the rejections of the others."""
        details = self._details
        rows = with_identity_types(details.translation.canonical(block.cells))
        if details.of_owner:
            rows = rows.with_columns(pl.lit(self._owner, pl.String()).alias(details.of_owner))
        self._trailer = block.trailer or self._trailer
        self._totals.add(block.rows, rows, block.faults)
        repeated, checks = repeats_of(self._repeats, rows, details.unique)
        good, errors = split(rows.with_columns(repeated), details.record, [*self._checks, *checks])
        if block.faults.height:
            good = good.join(block.faults, on=LINE, how="anti", maintain_order="left")
        rejections = reject(
            errors,
            block.faults,
            rows,
            translation=details.translation,
            record=details.record,
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
