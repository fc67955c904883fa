"""The adapter: reading the bank's files in pieces, and giving back what it is sent in its own layout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from adapters.rural_commercial_bank.layouts import (
    IDENTITY_TYPES,
    LAYOUTS,
    USUAL_IDENTITY_TYPES,
    translation_with,
)
from adapters.rural_commercial_bank.returns import RETURNS
from adapters.toolkit import file_layouts, payment_files, returning, writing
from adapters.toolkit.file_names import plain
from adapters.toolkit.names import day, last_day
from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Outgoing, Piece, Setting
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from adapters.rural_commercial_bank.returns import ReturnedFile
    from adapters.toolkit.encodings import Encoding

__all__ = ["RuralCommercialBank"]

_NAME: Final = re.compile(
    r"(?P<owner>[0-9A-Za-z][0-9A-Za-z_.-]{0,19})_(?P<word>LOAN|REPAY|SUBCLAIM|COMPCLAIM|RECOVER)"
    r"_(?P<day>[0-9]{4}[0-9QHqh]{0,4})\.csv",
    re.IGNORECASE,
)
_OF_PERIODS: Final = "SUBCLAIM"
"""What is claimed for a period: such a file is named after it, not after a day."""
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
    reads: ClassVar[dict[str, str]] = {
        kind: f"RCB01_{layout.word}_{'2021Q2' if layout.word == _OF_PERIODS else '20240531'}.csv"
        for kind, layout in LAYOUTS.items()
    } | {payment_files.KIND: payment_files.RESULTS_NAME}
    parts: ClassVar[dict[str, tuple[str, ...]]] = {kind: (layout.contract,) for kind, layout in LAYOUTS.items()}
    totals: ClassVar[dict[str, tuple[str, ...]]] = {
        kind: layout.totals if layout.needs_trailer else () for kind, layout in LAYOUTS.items()
    }
    writes: ClassVar[dict[str, str]] = {
        contract: f"RCB01_{file.word}_20240531_001.csv" for contract, file in RETURNS.items()
    } | {payment_files.ORDERS: payment_files.ORDERS_NAME}
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
        if found is None:
            return payment_files.recognise(file_name)
        word = found["word"].upper()
        as_of = (last_day(found["day"]) if word == _OF_PERIODS else None) or day(found["day"])
        if as_of is None:
            return None
        kind = next(kind for kind, layout in LAYOUTS.items() if layout.word == word)
        return FileIdentity(found["owner"], kind, as_of)

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Translate the file in pieces of some 40,000 rows; memory does not grow with it.

        Of rows that share a loan number (or transaction number) the first is taken, the others are rejected; so they
        are where numbers differ in the case or width of characters only.

        Raises:
            FileRefused: as `toolkit.file_layouts.read`; what became of payments, as `toolkit.payment_files.read`.
        """
        if identity.kind == payment_files.KIND:
            yield from payment_files.read(source, identity, settings.county)
            return
        types = settings.values.get(_IDENTITY_TYPES, USUAL_IDENTITY_TYPES)
        translation = translation_with(identity.kind, types)
        yield from file_layouts.read(source, LAYOUTS[identity.kind], identity, settings.county, translation)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write the rejected rows as the bank sent them, with two columns more: see `toolkit.returning`."""
        returning.write(source, LAYOUTS[identity.kind].translation.sources, rejections, target)

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return a name such as "RCB01_CONFIRM_20240531_001.csv"; the number counts the day's files of the kind."""
        if outgoing.dataschema == payment_files.ORDERS:
            return payment_files.file_name(outgoing)
        word = self._returned(outgoing.dataschema).word
        return f"{outgoing.member}_{word}_{outgoing.day:%Y%m%d}_{outgoing.number:03d}.csv"

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
        """Write a receipt, the confirmed list, results or notices as `returns` says, whole or not at all.

        Raises:
            FileRefused: HL3014, the bank is not sent that contract; HL3039, the file cannot be written.
        """
        if outgoing.dataschema == payment_files.ORDERS:
            payment_files.write(outgoing, target)
            return
        table = self._returned(outgoing.dataschema).table
        writing.write(outgoing.records, table, target, self._encoding(settings))

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:
        """Return the records in a file that `write` made with the same settings.

        Raises:
            FileRefused: HL3014, the bank is not sent that contract; or as `toolkit.writing.read_back`.
        """
        if dataschema == payment_files.ORDERS:
            return payment_files.read_back(source)
        return writing.read_back(source, self._returned(dataschema).table, self._encoding(settings))

    def _returned(self, dataschema: str) -> ReturnedFile:
        if dataschema not in RETURNS:
            raise FileRefused("HL3014", adapter=self.name, file=dataschema)
        return RETURNS[dataschema]

    def _encoding(self, settings: AdapterSettings) -> Encoding:
        return writing.ENCODINGS[settings.values[_ENCODING]]
