"""Makes forms of applications as offices lay them out: a title, groups over columns, a row for each household."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import openpyxl

from huilian.adapters import AdapterSettings, loading
from tests.support.builders.rating_forms import tab
from tests.support.builders.workbooks import Archive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.builders.workbooks import Content

COUNTY: Final = "341599"
VILLAGE: Final = "341599101201"
TOWNSHIP: Final = "341599101"
FORM_1: Final = f"业务申请表_{VILLAGE}_20240331.xlsx"
FORM_2: Final = f"申请汇总表_{TOWNSHIP}_20240410.xlsx"
APPLICANTS: Final = ("11010119900307002X", "110101199003070038", "110101199003070046", "110101199003070054")
"""Numbers that pass the check, of nobody."""
_APPLICATION: Final[dict[str, Content]] = {
    "户编号": f"{VILLAGE}-0001",
    "申请人姓名": "胡田菽",
    "申请人证件号码": APPLICANTS[0],
    "村代码": VILLAGE,
    "贷款银行": "PSB01",
    "申请金额": 30000,
    "期限(月)": 12,
    "贷款用途": "养殖",
    "其他贷款余额": "无",
    "本人签字": "是",
    "成年家庭成员人数": 2,
    "已签字家庭成员人数": 2,
    "申请日期": "2024年3月20日",
    "经办人代码": "v01",
}
_OPINION: Final[dict[str, Content]] = {
    "生产经营情况": "养羊二十只",
    "个人信誉情况": "良好",
    "推荐意见": "同意",
    "推荐盖章": "是",
    "推荐日期": "2024-03-25",
    "推荐人代码": "v02",
}
GROUPS_1: Final = (
    {"序号": ""} | dict.fromkeys(_APPLICATION, "农牧户申请") | dict.fromkeys(_OPINION, "嘎查村调查推荐") | {"备注": ""}
)
"""Columns of form 1 to the group above them."""
_REVIEW: Final[dict[str, Content]] = {
    "户编号": f"{VILLAGE}-0001",
    "申请人": "胡田菽",
    "申请金额": 3,
    "户属性审核": "脱贫户",
    "集体信用等级": "良好",
    "两委班子评价": "有力",
    "审核意见": "同意",
    "核定金额": None,
    "退回到": None,
    "理由": None,
    "盖章": "是",
    "审核日期": "2024-04-02",
    "审核人代码": "t01",
}
GROUPS_2: Final = {"序号": "", "申请编号": ""} | dict.fromkeys(_REVIEW, "")


def applicant(number: int, **changes: Content) -> dict[str, Content]:
    """Return the cells of form 1 of an invented household, with the village's opinion."""
    own: dict[str, Content] = {
        "序号": number,
        "户编号": f"{VILLAGE}-{number:04d}",
        "申请人证件号码": APPLICANTS[(number - 1) % len(APPLICANTS)],
    }
    return _APPLICATION | _OPINION | own | changes


def review(number: int, **changes: Content) -> dict[str, Content]:
    """Return the cells of form 2 of an application."""
    own: dict[str, Content] = {
        "序号": number, "申请编号": f"{VILLAGE}-{number:04d}-20240320", "户编号": f"{VILLAGE}-{number:04d}",
    }  # fmt: skip
    return _REVIEW | own | changes


def form_1(
    folder: Path, *rows: Mapping[str, Content], file: str = FORM_1, groups: Mapping[str, str] = GROUPS_1
) -> Path:
    """Write form 1 with one sheet of these rows."""
    return Archive([tab(*rows, groups=groups, name="甲村")]).save(folder / file)


def form_2(
    folder: Path, *rows: Mapping[str, Content], file: str = FORM_2, groups: Mapping[str, str] = GROUPS_2
) -> Path:
    """Write form 2, or another list of opinions, with one sheet of these rows."""
    return Archive([tab(*rows, groups=groups, name="汇总")]).save(folder / file)


def settings(**further: Mapping[str, str]) -> AdapterSettings:
    """Return the adapter's settings, with further words."""
    found = loading.find("county_forms")
    return loading.settings_for(found, COUNTY, {found.name: further})


def fill_in(path: Path, cells: Mapping[str, Mapping[str, Any]], *, by: str = "申请编号") -> None:
    """Fill in rows of a list or a returned form by the number of the application, as people do.

    Args:
        path: a workbook with one sheet, its header in row 3, or in rows 2 and 3.
        cells: by that number what is written into the row, by the names of columns.
        by: the column with the number.
    """
    book = openpyxl.load_workbook(path)
    [sheet] = book.worksheets
    places = {(lower.value or upper.value): lower.column for upper, lower in zip(sheet[2], sheet[3], strict=True)}
    for row in range(4, sheet.max_row + 1):
        for name, value in cells.get(sheet.cell(row, places[by]).value, {}).items():
            sheet.cell(row, places[name]).value = value
    book.save(path)
