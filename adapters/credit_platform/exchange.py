"""The adapter: writing the platform's files, and refusing to write what must not be published."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from adapters.credit_platform.layouts import CREDIT_RECORDS, TABLES
from adapters.toolkit import writing
from huilian.adapters import Adapter, AdapterSettings, Outgoing
from huilian.core.errors import FileRefused
from huilian.records.fields import Text
from schemas.outgoing import CreditRecord

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.toolkit.writing import Table

__all__ = ["CreditPlatform"]

_ENCODING: Final = writing.ENCODINGS["UTF-8"]
_NUMBER: Final = "masked_number"


class CreditPlatform(Adapter):
    """Delimited text for the credit-information platform (信用信息平台), which sends nothing itself."""

    name: ClassVar[str] = "credit_platform"
    version: ClassVar[str] = "1.0"
    chinese: ClassVar[str] = "信用信息平台"
    institution_kinds: ClassVar[frozenset[str]] = frozenset({"credit_bureau"})
    writes: ClassVar[dict[str, str]] = {
        contract: "XY_341599_20240531.csv" if contract == CREDIT_RECORDS else "XY_341599_NOTICE_20240531_001.csv"
        for contract in TABLES
    }

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return a name such as "XY_341599_20240531.csv", which begins with the member's code, XY_341599.

        The platform expects one file of credit records a day; of more, the second is "XY_341599_20240531_002.csv".
        """
        self._table(outgoing.dataschema)
        day, number = f"{outgoing.day:%Y%m%d}", f"_{outgoing.number:03d}"
        if outgoing.dataschema == CREDIT_RECORDS:
            return f"{outgoing.member}_{day}{number if outgoing.number > 1 else ''}.csv"
        return f"{outgoing.member}_NOTICE_{day}{number}.csv"

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:  # noqa: ARG002  # there are none
        """Write credit records or notices as `layouts` says, whole or not at all.

        Raises:
            FileRefused: HL3014, the platform is not sent that contract; HL3037, a number is not masked;
                HL3039, the file cannot be written.
        """
        table = self._table(outgoing.dataschema)
        if outgoing.dataschema == CREDIT_RECORDS:
            _check_masked(outgoing.records, target.name)
        writing.write(outgoing.records, table, target, _ENCODING)

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:  # noqa: ARG002  # there are none
        """Return the records in a file that `write` made; those of credit have no `line` there.

        Raises:
            FileRefused: HL3014, the platform is not sent that contract; or as `toolkit.writing.read_back`.
        """
        return writing.read_back(source, self._table(dataschema), _ENCODING)

    def _table(self, dataschema: str) -> Table:
        if dataschema not in TABLES:
            raise FileRefused("HL3014", adapter=self.name, file=dataschema)
        return TABLES[dataschema]


def _check_masked(records: pl.DataFrame, file: str) -> None:
    """Let pass records whose numbers are masked as the contract says; what is published cannot be called back.

    Raises:
        FileRefused: HL3037, one is not. It names the line and nothing of the record.
    """
    field = CreditRecord().fields[_NUMBER]
    assert isinstance(field, Text)  # noqa: S101  # narrows the type; the contract says so
    wrong = pl.any_horizontal(pl.col(_NUMBER).is_null(), *(expression for _, expression in field.checks(_NUMBER)))
    unmasked = records.filter(wrong)
    if unmasked.height:
        raise FileRefused("HL3037", line=unmasked.item(0, "line"), file=file)
