"""Makes forms of rating as offices lay them out: a title, groups over columns, a row for each invented household."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.adapters import AdapterSettings
from tests.support.builders.workbooks import Archive, Tab

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.support.builders.workbooks import Content

COUNTY: Final = "341599"
VILLAGE: Final = "341599101201"
FORM: Final = f"评级指标采集表_{VILLAGE}_20240331.xlsx"
GROUPS: Final = {
    "序号": "",
    "户编号": "农户",
    "户主姓名": "农户",
    "村代码": "农户",
    "户类型": "农户",
    "申请人年龄": "农户",
    "诚信": "评级指标",
    "劳动能力": "评级指标",
    "收入": "评级指标",
    "恶意拖欠": "否决情形",
    "违法犯罪": "否决情形",
    "采集日期": "采集",
    "采集人代码": "采集",
    "备注": "",
}
"""Column to the group above it."""
_ROW: Final[dict[str, Content]] = {
    "户主姓名": "胡田菽",
    "村代码": VILLAGE,
    "户类型": "脱贫户",
    "申请人年龄": 45,
    "诚信": 85,
    "劳动能力": "70.5",
    "收入": 60,
    "恶意拖欠": "否",
    "违法犯罪": "否",
    "采集日期": "2024-03-20",
    "采集人代码": "p01",
}
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def household(number: int, **changes: Content) -> dict[str, Content]:
    """Return the cells of an invented household by the names of their columns."""
    return {"序号": number, "户编号": f"{VILLAGE}-{number:04d}"} | _ROW | changes


def tab(
    *rows: Mapping[str, Content],
    groups: Mapping[str, str] = GROUPS,
    name: str = "评级指标采集表",
    merged: bool = True,
    further: Sequence[str] = (),
) -> Tab:
    """Return a sheet with these rows.

    Args:
        rows: cells by the names of their columns.
        groups: column to the group above it; "" where it has none.
        name: on its tab.
        merged: whether groups are merged over their columns, and the title over all.
        further: ranges that are merged besides.
    """
    upper: list[Content] = []
    lower: list[Content] = []
    merges: list[str] = [f"A1:{_LETTERS[len(groups) - 1]}1"] if merged else []
    before, first = "", 0
    for place, (column, group) in enumerate([*groups.items(), ("", "\n")]):
        if group != before or not group:
            if before and place - first > 1 and merged:
                merges.append(f"{_LETTERS[first]}2:{_LETTERS[place - 1]}2")
            before, first = group, place
            upper.append(group or column)
        else:
            upper.append(None)
        if not group and merged:
            merges.append(f"{_LETTERS[place]}2:{_LETTERS[place]}3")
        lower.append(column if group else None)
    cells = [[row.get(column) for column in groups] for row in rows]
    return Tab([["农户评级指标采集表"], upper[:-1], lower[:-1], *cells], name, [*merges, *further])


def form(folder: Path, *rows: Mapping[str, Content], file: str = FORM, **parts: Any) -> Path:  # noqa: ANN401  # as `tab`
    """Write a form with one sheet of these rows."""
    return Archive([tab(*rows, **parts)]).save(folder / file)


def settings(**further: Mapping[str, str]) -> AdapterSettings:
    """Return the adapter's settings, with further indicators or exclusions."""
    return AdapterSettings(COUNTY, {"indicators": {}, "exclusions": {}} | further)
