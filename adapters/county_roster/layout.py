"""What the roster's columns mean."""

from __future__ import annotations

from typing import Final

from adapters.toolkit.translation import Column, Translation, code, identity, money, whole

__all__ = ["IDENTITY_COLUMN", "TRANSLATION"]

IDENTITY_COLUMN: Final = "证件号码"

_CATEGORIES: Final = {"脱贫户": "out_of_poverty", "监测户": "monitored", "一般农户": "ordinary"}
_YES_OR_NO: Final = {"是": "yes", "否": "no"}

TRANSLATION: Final = Translation(
    (
        Column("户编号", "household_no"),
        Column("户主姓名", "head_name"),
        Column("成员姓名", "person_name"),
        Column(IDENTITY_COLUMN, "identity_number", identity),
        Column("与户主关系", "relation_to_head"),
        Column("行政区划代码", "region"),
        Column("户类型", "category", code(_CATEGORIES)),
        Column("是否户主", "is_head", code(_YES_OR_NO)),
        Column("健康状况", "health"),
        Column("劳动技能", "labour_skill"),
        Column("家庭人口", "household_size", whole),
        Column("家庭年收入", "annual_income", money),
        Column("联系电话", "phone"),
        Column("开户银行卡号后四位", "account_last_four"),
    )
)
