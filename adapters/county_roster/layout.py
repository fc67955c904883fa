"""What the roster's columns mean."""

from __future__ import annotations

from typing import Final

from adapters.toolkit.placeholders import without_placeholders
from adapters.toolkit.translation import Column, Translation, code, identity, money, name, number, whole
from adapters.toolkit.workbook.blocks import Form
from adapters.toolkit.workbook.cells import NUMBER, ColumnKind, amount

__all__ = ["FORM", "IDENTITY_COLUMN", "NAME_COLUMN", "SHEET", "TRANSLATION"]

SHEET: Final = "花名册"
"""What a workbook's sheet should be called; it is known by its columns."""
IDENTITY_COLUMN: Final = "证件号码"
NAME_COLUMN: Final = "成员姓名"

_CATEGORIES: Final = {"脱贫户": "out_of_poverty", "监测户": "monitored", "一般农户": "ordinary"}
_YES_OR_NO: Final = {"是": "yes", "否": "no"}

TRANSLATION: Final = Translation(
    (
        Column("户编号", "household_no", number),
        Column("户主姓名", "head_name", name),
        Column(NAME_COLUMN, "person_name", name),
        Column(IDENTITY_COLUMN, "identity_number", identity),
        Column("与户主关系", "relation_to_head"),
        Column("行政区划代码", "region"),
        Column("户类型", "category", code(_CATEGORIES)),
        Column("是否户主", "is_head", code(_YES_OR_NO)),
        Column("健康状况", "health"),
        Column("劳动技能", "labour_skill"),
        Column("家庭人口", "household_size", whole),
        Column("家庭年收入", "annual_income", money),
        Column("联系电话", "phone", number),
        Column("开户银行卡号后四位", "account_last_four", without_placeholders),
    )
)

FORM: Final = Form(
    keys=(NAME_COLUMN, IDENTITY_COLUMN),
    kinds={
        # What a household states may be merged over its members; a name and a number are one person's.
        NAME_COLUMN: ColumnKind("text", is_divided=True),
        IDENTITY_COLUMN: ColumnKind("identity", is_divided=True),
        "家庭人口": NUMBER,
        "家庭年收入": amount(0, is_divided=False),
    },
)
