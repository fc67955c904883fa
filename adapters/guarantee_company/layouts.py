"""What the company's sheets look like: one layout for each, every column with its meaning.

A column below a merged heading is called after both: 被担保人·名称. Amounts are in yuan and
banks are codes before a translation sees them: see `translating`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.toolkit.translation import Column, Translation, code, identity, name, number
from adapters.toolkit.workbook.amounts import UNITS, date, per_cent
from adapters.toolkit.workbook.blocks import Form
from adapters.toolkit.workbook.cells import IDENTITY, NUMBER, amount
from schemas.guarantees import (
    GUARANTEED_SUBJECT,
    GuaranteeCompensationRecord,
    GuaranteeRecord,
    GuaranteeReleaseRecord,
)

if TYPE_CHECKING:
    from huilian.records.record import Record

__all__ = ["KEYS", "LAYOUTS", "REFERENCE", "TOTAL_MARK", "SheetLayout"]

TOTAL_MARK: Final = "合计"
"""The first text of the last row, which holds the sums."""
REFERENCE: Final = "guarantee_no"
"""The number by which a rejection names its row."""

KEYS: Final = ("担保合同号", "借据号")
"""The columns that every row of data has in every sheet."""

_SUBJECTS: Final = {chinese: subject for subject, chinese in GUARANTEED_SUBJECT.items()}


@dataclass(frozen=True)
class SheetLayout:
    """One sheet.

    Args:
        name: on its tab.
        message_type: what its rows become, "guarantees".
        record: what they are held against.
        translation: what its columns mean.
        totals: the amounts that its last row adds up and the manifest states.
        further_amounts: other amounts; they are held against the last row where it states them.
        key: the fields that no two rows may share all of.
        numbers: the column where anything stored as a number has lost digits, if there is one.
        bank: the column with a bank's name, if there is one.
        has_region: whether its rows state a region, which must lie in the county.
    """

    name: str
    message_type: str
    record: type[Record]
    translation: Translation
    totals: tuple[str, ...]
    further_amounts: tuple[str, ...]
    key: tuple[str, ...]
    numbers: str | None = None
    bank: str | None = None
    has_region: bool = False

    def form(self, unit: str) -> Form:
        """Return what the reader must know of a sheet whose amounts are stated in `unit`.

        Args:
            unit: one of `amounts.UNITS`.
        """
        kinds = dict.fromkeys(self.amounts, amount(UNITS[unit]))
        rates = {column.source: NUMBER for column in self.translation.columns if column.kind is per_cent}
        numbers = {self.numbers: IDENTITY} if self.numbers else {}
        return Form(KEYS, kinds | rates | numbers, has_sums=True)

    @property
    def amounts(self) -> list[str]:
        """Return the names of all columns with amounts."""
        return [self.translation.source_of(field) for field in (*self.totals, *self.further_amounts)]


_GUARANTEE_NO: Final = Column("担保合同号", REFERENCE, number)
_LOAN_NO: Final = Column("借据号", "loan_no", number)

LAYOUTS: Final = (
    SheetLayout(
        name="在保明细",
        message_type="guarantees",
        record=GuaranteeRecord,
        translation=Translation(
            (
                _GUARANTEE_NO,
                Column("被担保人·名称", "guaranteed_name", name),
                Column("被担保人·证件号码", "guaranteed_number", identity),
                Column("主体类型", "subject", code(_SUBJECTS)),
                Column("债权银行", "institution"),
                _LOAN_NO,
                Column("行政区划", "region"),
                Column("担保金额", "guaranteed_amount"),
                Column("在保余额", "outstanding_amount"),
                Column("担保费率(%)", "fee_rate_percent", per_cent),
                Column("起保日", "start_date", date),
                Column("到期日", "due_date", date),
                Column("反担保方式", "counter_guarantee"),
                Column("分险比例·政府", "government_share_percent", per_cent),
                Column("分险比例·银行", "bank_share_percent", per_cent),
                Column("分险比例·担保", "guarantor_share_percent", per_cent),
                Column("分险比例·再担保", "re_guarantor_share_percent", per_cent),
            )
        ),
        totals=("guaranteed_amount", "outstanding_amount"),
        further_amounts=(),
        key=("guarantee_no", "loan_no"),
        has_region=True,
        numbers="被担保人·证件号码",
        bank="债权银行",
    ),
    SheetLayout(
        name="代偿明细",
        message_type="guarantee_compensations",
        record=GuaranteeCompensationRecord,
        translation=Translation(
            (
                _GUARANTEE_NO,
                _LOAN_NO,
                Column("代偿日期", "compensated_date", date),
                Column("代偿本金", "principal"),
                Column("代偿利息", "interest"),
                Column("累计追回", "recovered"),
            )
        ),
        totals=("principal", "interest"),
        further_amounts=("recovered",),
        key=("guarantee_no", "loan_no", "compensated_date"),
    ),
    SheetLayout(
        name="解保明细",
        message_type="guarantee_releases",
        record=GuaranteeReleaseRecord,
        translation=Translation(
            (
                _GUARANTEE_NO,
                _LOAN_NO,
                Column("解保日期", "released_date", date),
                Column("解保金额", "released_amount"),
                Column("解保原因", "reason"),
            )
        ),
        totals=("released_amount",),
        further_amounts=(),
        key=("guarantee_no", "loan_no", "released_date"),
    ),
)
"""In the order of the workbook's tabs."""
