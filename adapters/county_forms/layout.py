"""Which forms of rating there are, and what their columns mean.

Every form has a title, a header of two rows (groups over columns) and one row for each household or enterprise. A
column is known by the name at its foot, whatever group stands above it. Columns of indicators and of exclusions may
be left out or added; which code a name stands for is said here, and for further ones in the settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.toolkit.placeholders import without_placeholders
from adapters.toolkit.returning import ADDED_COLUMNS
from adapters.toolkit.translation import Column, Translation, code, date, number
from adapters.toolkit.workbook.blocks import Form
from adapters.toolkit.workbook.cells import NUMBER, ColumnKind
from schemas.ratings import INDICATOR, RATED_HOUSEHOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EXCLUDED", "EXCLUSIONS", "FORMS", "INDICATORS", "NUMBER_OF", "PASSED_OVER", "RatingForm", "form_of"]

_HOUSEHOLD_NO: Final = Column("户编号", "borrower_no", number)
_ENTERPRISE_NO: Final = Column("企业编号", "borrower_no", number)
_NEEDED: Final = (
    Column("村代码", "village"),
    Column("采集日期", "collected_on", date),
    Column("采集人代码", "person", without_placeholders),
)
_HOUSEHOLD_KIND: Final = Column(
    "户类型", "kind", code({chinese: kind for kind, chinese in RATED_HOUSEHOLD.items()} | {"建档立卡贫困户": "poor"})
)
_AGE: Final = Column("申请人年龄", "applicant_age", without_placeholders)

INDICATORS: Final = {chinese: indicator for indicator, chinese in INDICATOR.items()}
"""What a village collects; the codes are those that policies weigh."""
EXCLUSIONS: Final = {
    "恶意拖欠": "malicious_default",
    "违法犯罪": "crime",
    "涉赌涉毒": "gambling_or_drugs",
    "失信被执行人": "dishonest_debtor",
    "非法集资": "illegal_fundraising",
}
EXCLUDED: Final = {"是": True, "有": True, "√": True, "✓": True, "否": False, "无": False, "×": False, "✗": False}
"""What the cells of an exclusion say; an empty one says nothing."""
PASSED_OVER: Final = frozenset(
    {
        *("序号", "乡镇", "村", "行政村", "村名", "组", "村民小组", "户主姓名", "企业名称", "法定代表人", "负责人"),
        *("联系电话", "采集人", "采集人签字", "户主签字", "签字", "备注"),
        *ADDED_COLUMNS,
    }
)
"""Columns that people need and no record has; of any other it must be said what it means."""


@dataclass(frozen=True)
class RatingForm:
    """One form.

    Args:
        title: what file and sheet are called.
        source: whose data it is, as `schemas.ratings.RATING_SOURCE`.
        borrower: what a row is of, as `schemas.ratings.BORROWER`.
        number: the column with its number.
        optional: the columns that a row may do without.
        further: names of indicators that only this form has, with their codes.
    """

    title: str
    source: str
    borrower: str
    number: Column
    optional: tuple[Column, ...]
    further: Mapping[str, str]

    @property
    def translation(self) -> Translation:
        """Return what the columns mean that are no indicators."""
        return Translation((self.number, *_NEEDED, *self.optional))

    @property
    def needed(self) -> list[str]:
        """Return the columns that must be there."""
        return [self.number.source, *(column.source for column in _NEEDED)]

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the columns by which rows of data are known."""
        return self.needed[0], self.needed[1]

    def sheet(self, indicators: Mapping[str, str]) -> Form:
        """Return what the reader must know of a sheet with these indicators."""
        # A day or a village may be merged over the rows that share it; points are one row's.
        kinds = dict.fromkeys(indicators, ColumnKind("number", is_divided=True))
        ages = {column.source: NUMBER for column in self.optional if column is _AGE}
        return Form(self.keys, {self.number.source: ColumnKind("text", is_divided=True), **kinds, **ages})


def _of_others(title: str, source: str) -> RatingForm:
    """Return the form of an authority that knows of some households what adds to their score or takes from it."""
    further = {"加分": f"{source}_added", "扣分": f"{source}_deducted"}
    return RatingForm(f"{title}评级数据", source, "household", _HOUSEHOLD_NO, (), further)


FORMS: Final = (
    RatingForm("评级指标采集表", "village", "household", _HOUSEHOLD_NO, (_HOUSEHOLD_KIND, _AGE), {}),
    RatingForm("企业评级指标采集表", "village", "enterprise", _ENTERPRISE_NO, (), {}),
    _of_others("公安", "police"),
    _of_others("司法", "justice"),
    _of_others("社会", "social"),
    _of_others("银行", "bank"),
)
NUMBER_OF: Final = "borrower_no"
"""The number by which a rejection names its row."""
RETURNED: Final = "(?:退回_)*"
"""What stands before the name of a returned file: put right, it is sent as it is."""
_BY_TITLE: Final = {form.title: form for form in FORMS}
NAME: Final = re.compile(
    rf"{RETURNED}(?P<title>{'|'.join(_BY_TITLE)})_(?P<region>[1-9][0-9]{{5}}(?:[0-9]{{3}}){{0,2}})_(?P<day>[0-9]{{8}})\.xlsx",
    re.IGNORECASE,
)


def form_of(title: str) -> RatingForm:
    """Return the form that a file's name begins with."""
    return _BY_TITLE[title]
