"""The adapter: reading the company's workbook sheet by sheet, and giving back what the company is sent."""

from __future__ import annotations

import calendar
import datetime as dt
import functools
import re
from typing import TYPE_CHECKING, ClassVar, Final

from adapters.guarantee_company import outgoing as out
from adapters.guarantee_company import reading_back, writing
from adapters.guarantee_company.layouts import KEYS, LAYOUTS
from adapters.guarantee_company.translating import Translator
from adapters.toolkit.control_totals import with_stated
from adapters.toolkit.file_names import plain
from adapters.toolkit.names import EARLIEST_YEAR
from adapters.toolkit.workbook import returns, sheets
from adapters.toolkit.workbook.amounts import UNITS
from adapters.toolkit.workbook.blocks import Data
from adapters.toolkit.workbook.container import Container
from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Outgoing, Piece, Setting
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from adapters.guarantee_company.outgoing import ReturnedSheet
    from adapters.toolkit.workbook.sheets import Sheet

__all__ = ["GuaranteeCompany"]

_NAME: Final = re.compile(r"担保业务明细表_(?P<year>[0-9]{4})年(?P<month>0?[1-9]|1[0-2])月\.xlsx", re.IGNORECASE)
_KIND: Final = "guarantee_book"
_BANKS: Final = "banks"
"""The setting with the banks' names and codes."""
_NOT_STATED: Final = "未写明"


class GuaranteeCompany(Adapter):
    """A financing guarantee company's workbook (融资担保公司)."""

    name: ClassVar[str] = "guarantee_company"
    version: ClassVar[str] = "1.0"
    chinese: ClassVar[str] = "融资担保公司"
    institution_kinds: ClassVar[frozenset[str]] = frozenset({"guarantor", "reguarantor"})
    reads: ClassVar[dict[str, str]] = {_KIND: "担保业务明细表_2024年5月.xlsx"}
    parts: ClassVar[dict[str, tuple[str, ...]]] = {_KIND: tuple(f"{layout.message_type}/v2" for layout in LAYOUTS)}
    totals: ClassVar[dict[str, tuple[str, ...]]] = {
        _KIND: tuple(f"{layout.message_type}.{field}" for layout in LAYOUTS for field in layout.totals)
    }
    writes: ClassVar[dict[str, str]] = {
        contract: f"GC01_{sheet.title}_20240531_001.xlsx" for contract, sheet in out.RETURNS.items()
    }
    settings: ClassVar[dict[str, Setting]] = {
        _BANKS: Setting(dict, "债权银行在明细表中的写法与机构代码对照，如“示范农村商业银行”对应 RCB01")
    }

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Return what a name like "担保业务明细表_2024年5月.xlsx" says, or None; the date is the month's last day."""
        found = _NAME.fullmatch(plain(file_name))
        if found is None or int(found["year"]) < EARLIEST_YEAR:
            return None
        year, month = int(found["year"]), int(found["month"])
        return FileIdentity(None, _KIND, dt.date(year, month, calendar.monthrange(year, month)[1]))

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Translate the workbook in pieces of 5,000 rows; memory grows with the texts its sheets share only.

        Raises:
            FileRefused: HL3010, it is no workbook; HL3025, HL3026, a sheet is missing or ambiguous;
                HL3003, HL3004 for its columns; HL3027, HL3028 for its unit and date; HL3001, HL3002, HL3009,
                HL3011 or HL3029 for its sums.
        """
        with Container(source) as container:
            found = _sheets(container)
            # What is wrong with any sheet's heading is said before the first row is translated.
            units = {name: _unit(sheet) for name, sheet in found.items()}
            for sheet in found.values():
                _check_date(sheet, identity.as_of)
            for layout in LAYOUTS:
                translator = Translator(
                    layout,
                    found[layout.name],
                    unit=units[layout.name],
                    banks=settings.values[_BANKS],
                    county=settings.county,
                    as_of=identity.as_of,
                    epoch=container.epoch,
                )
                data = Data(container, found[layout.name], layout.form(units[layout.name]))
                pieces = map(translator.piece, data.blocks())
                yield from with_stated(pieces, functools.partial(_stated, translator, data))
                translator.verify(data.total)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write the rejected rows as they came in a workbook of the same shape: see `toolkit.workbook.returns`."""
        with Container(source) as container:
            found = [(name, sheet, returns.of_sheet(sheet, rejections)) for name, sheet in _sheets(container).items()]
            returns.write(container, found, target, identity.as_of)

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return a name such as "GC01_回执_20240531_001.xlsx"; the number counts the day's files of the kind."""
        title = self._returned(outgoing.dataschema).title
        return f"{outgoing.member}_{title}_{outgoing.day:%Y%m%d}_{outgoing.number:03d}.xlsx"

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
        """Write a receipt, the confirmed list or notices as a workbook, whole or not at all.

        Raises:
            FileRefused: HL3014, the company is not sent that contract; HL3039, the file cannot be written.
        """
        writing.write(outgoing, self._returned(outgoing.dataschema), settings.values[_BANKS], target)

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:  # noqa: ARG002  # codes stand beside names
        """Return the records in a workbook that `write` made.

        Raises:
            FileRefused: HL3014, the company is not sent that contract; HL3003, HL3010 or HL3025, it is
                another workbook.
        """
        return reading_back.read(source, self._returned(dataschema))

    def _returned(self, dataschema: str) -> ReturnedSheet:
        if dataschema not in out.RETURNS:
            raise FileRefused("HL3014", adapter=self.name, file=dataschema)
        return out.RETURNS[dataschema]


def _stated(translator: Translator, data: Data) -> dict[str, str]:
    """Return what the row of sums states, once the rows before it are read."""
    return translator.stated(data.total)


def _sheets(container: Container) -> dict[str, Sheet]:
    return sheets.find(container, {layout.name: layout.translation.sources for layout in LAYOUTS}, KEYS)


def _unit(sheet: Sheet) -> str:
    """Return the unit a sheet states.

    Raises:
        FileRefused: HL3027, it states none, more than one, or one that is not known.
    """
    stated = sheet.heading.units
    if len(stated) != 1 or stated[0] not in UNITS:
        raise FileRefused("HL3027", file=sheet.file, found="、".join(stated) or _NOT_STATED)
    return stated[0]


def _check_date(sheet: Sheet, as_of: dt.date) -> None:
    """Hold the date a sheet states against that of the file's name.

    Raises:
        FileRefused: HL3028, it states none or another.
    """
    stated = sheet.heading.dates
    if stated != (as_of.isoformat(),):
        raise FileRefused("HL3028", file=sheet.file, found="、".join(stated) or _NOT_STATED, expected=as_of.isoformat())
