"""What the roster's columns mean."""

from __future__ import annotations

from typing import Final

import polars as pl

from adapters.toolkit.placeholders import without_placeholders
from adapters.toolkit.translation import Column, Kind, Translation, code, identity, money, name, number, whole
from adapters.toolkit.workbook.blocks import Form
from adapters.toolkit.workbook.cells import NUMBER, ColumnKind, amount

__all__ = ["FLAGS", "FORM", "IDENTITY_COLUMN", "NAME_COLUMN", "SHEET", "TRANSLATION", "canonical"]

SHEET: Final = "花名册"
"""What a workbook's sheet should be called; it is known by its columns."""
IDENTITY_COLUMN: Final = "证件号码"
NAME_COLUMN: Final = "成员姓名"

_CATEGORY_COLUMN: Final = "户类型"
_WITH_ALLOWANCE: Final = "低保户"
_CATEGORIES: Final = {
    spelled: canonical
    for canonical, spellings in (
        ("poor", ("贫困户", "未脱贫户", "建档立卡贫困户")),
        ("out_of_poverty", ("脱贫户", "已脱贫户", "稳定脱贫户")),
        ("monitored", ("监测户", "监测对象", "脱贫监测户", "脱贫不稳定户", "突发严重困难户")),
        ("marginal", ("边缘户", "边缘易致贫户")),
        # Listed as nothing else, it is neither registered as poor nor watched.
        ("ordinary", ("一般农户", "一般户", _WITH_ALLOWANCE)),
    )
    for spelled in spellings
}
_ASKED_CATEGORIES: Final = "贫困户、脱贫户、监测户、边缘户、一般农户、低保户"
_YES_OR_NO: Final = {"是": "yes", "否": "no"}
_FLAG: Final = code(
    {**dict.fromkeys(("是", "有", "1", "√", "Y", "y"), "yes"), **dict.fromkeys(("否", "无", "0", "×", "N", "n"), "no")},
    "是、否",
)
_YEAR: Final = r"^([0-9]{4})(?:年度?|[-/.年][0-9./月日-]+|[0-9]{2}|[0-9]{4})?$"
FLAGS: Final = ("has_subsistence_allowance", "has_disabled_member", "is_destitute_at_home")
"""What holds for a household when one of its rows says so."""


def year(cell: pl.Expr) -> pl.Expr:
    """A year, also of a day: "2019年", "2019-12" and "2019年12月31日" become "2019"."""
    return without_placeholders(cell).str.replace(_YEAR, "$1")


def _optional(source: str, target: str, kind: Kind, *others: str) -> Column:
    return Column(source, target, kind, is_optional=True, also_called=others)


TRANSLATION: Final = Translation(
    (
        Column("户编号", "household_no", number),
        Column("户主姓名", "head_name", name),
        Column(NAME_COLUMN, "person_name", name),
        Column(IDENTITY_COLUMN, "identity_number", identity),
        Column("与户主关系", "relation_to_head"),
        Column("行政区划代码", "region"),
        Column(_CATEGORY_COLUMN, "category", code(_CATEGORIES, _ASKED_CATEGORIES)),
        Column("是否户主", "is_head", code(_YES_OR_NO)),
        Column("健康状况", "health"),
        Column("劳动技能", "labour_skill"),
        Column("家庭人口", "household_size", whole),
        Column("家庭年收入", "annual_income", money),
        Column("联系电话", "phone", number),
        Column("开户银行卡号后四位", "account_last_four", without_placeholders),
        _optional("村民小组", "village_group", without_placeholders, "村民组", "村组", "小组", "组别", "组"),
        _optional("低保", FLAGS[0], _FLAG, "是否低保", "是否低保户", "低保户", "是否享受低保", "享受低保"),
        _optional("残疾", FLAGS[1], _FLAG, "是否残疾", "是否残疾户", "残疾户", "是否残疾人", "有无残疾人"),
        _optional("散居特困", FLAGS[2], _FLAG, "是否散居特困", "散居特困户", "散居特困人员", "是否散居特困人员"),
        _optional("脱贫年度", "out_of_poverty_year", year, "脱贫年份", "脱贫年", "脱贫时间"),
        _optional("致贫原因", "poverty_cause", without_placeholders, "主要致贫原因", "致贫返贫原因"),
        _optional("需求", "needs", without_placeholders, "帮扶需求", "发展需求", "主要需求"),
        _optional("家庭资产", "assets", money, "家庭总资产", "资产"),
        _optional("家庭年支出", "annual_outlay", money, "家庭总支出", "年支出"),
    )
)


def canonical(cells: pl.DataFrame) -> pl.DataFrame:
    """Return `cells` as canonical strings; a household of the kind 低保户 has the allowance, whatever else it says."""
    frame = TRANSLATION.canonical(cells)
    by_category = (cells[_CATEGORY_COLUMN] == _WITH_ALLOWANCE).fill_null(value=False)
    return frame.with_columns(pl.when(by_category).then(pl.lit("yes")).otherwise(FLAGS[0]).alias(FLAGS[0]))


FORM: Final = Form(
    keys=(NAME_COLUMN, IDENTITY_COLUMN),
    kinds={
        # What a household states may be merged over its members; a name and a number are one person's.
        NAME_COLUMN: ColumnKind("text", is_divided=True),
        IDENTITY_COLUMN: ColumnKind("identity", is_divided=True),
        "家庭人口": NUMBER,
        "家庭年收入": amount(0, is_divided=False),
        "家庭资产": amount(0, is_divided=False),
        "家庭年支出": amount(0, is_divided=False),
    },
)
