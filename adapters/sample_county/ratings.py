"""What the sample county's villages collected for the rating of its households, and what its police added."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Any, Final

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from adapters.sample_county.guarantees import save
from adapters.sample_county.population import COUNTY, REGION_NAMES, TOWNSHIPS
from adapters.sample_county.written import DirtyRow, SampleFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from adapters.sample_county.county import County
    from adapters.sample_county.population import Household

__all__ = ["COLLECTED_ON", "PERSON", "RATED_ON", "defaulters", "write_rating_forms", "write_village_form"]

COLLECTED_ON: Final = dt.date(2024, 3, 20)
RATED_ON: Final = dt.date(2024, 3, 31)
"""The day that the forms state."""

_COLLECTED: Final = (("采集", "采集日期"), ("采集", "采集人代码"))
_VILLAGES_FORM: Final = (
    *(
        (None, "序号"),
        ("农户", "户编号"),
        ("农户", "户主姓名"),
        ("农户", "村代码"),
        ("农户", "户类型"),
        ("农户", "申请人年龄"),
    ),
    *(("评级指标", name) for name in ("诚信", "劳动能力", "收入", "基本情况", "文明", "技能", "信用")),
    *(("否决情形", "恶意拖欠"), ("否决情形", "违法犯罪")),
    *_COLLECTED,
    (None, "备注"),
)
_POLICES_FORM: Final = (
    *((None, "序号"), ("农户", "户编号"), ("农户", "村代码")),
    *(("评分", "加分"), ("评分", "扣分"), ("否决情形", "违法犯罪")),
    *_COLLECTED,
)
_DATA_FROM: Final = 4
_INCOME_AT_BEST: Final = 60_000_00
_HEALTHY: Final = "健康"
_ONE_DEFAULTED_IN: Final = 90
_ONE_KNOWN_TO_POLICE_IN: Final = 40
_TOO_MANY_POINTS: Final = 105
PERSON: Final = "P01"
"""Who collects, at every station."""

_Column = tuple[str | None, str]


def write_rating_forms(directory: Path, sample: County) -> list[SampleFile]:
    """Write the villages' form, a sheet for each township, and the police's; return both in the order to push them."""
    return [_write_villages(directory, sample), _write_polices(directory, sample)]


def write_village_form(directory: Path, sample: County, village: str, member: str) -> SampleFile:
    """Write what one village collected, as its station sends it."""
    rows = _village_rows(sample, village)
    book = Workbook()
    book.remove(book.worksheets[0])
    name = REGION_NAMES[village]
    _sheet(book, name, f"{name}农户评级指标采集表", _VILLAGES_FORM, rows)
    path = directory / f"评级指标采集表_{village}_{RATED_ON:%Y%m%d}.xlsx"
    save(book, path, RATED_ON)
    return SampleFile(path, "county_forms", member, "rating_indicators", RATED_ON, len(rows), ())


def defaulters(sample: County, village: str) -> set[str]:
    """Return the households that a village's form says have defaulted maliciously: they are not rated."""
    place, number = (_VILLAGES_FORM.index(column) for column in (("否决情形", "恶意拖欠"), ("农户", "户编号")))
    return {row[number] for row in _village_rows(sample, village) if row[place] == "是"}


def _village_rows(sample: County, village: str) -> list[list[Any]]:
    draw = random.Random(f"{len(sample.households)} ratings {village}")  # noqa: S311  # reproducible, nothing secret
    households = [each for each in sample.households if each.region == village]
    return [_collected(place, each, draw) for place, each in enumerate(households, 1)]


def _write_villages(directory: Path, sample: County) -> SampleFile:
    draw = random.Random(f"{len(sample.households)} ratings")  # noqa: S311  # reproducible sample data, nothing secret
    book = Workbook()
    book.remove(book.worksheets[0])
    dirt = []
    for township in TOWNSHIPS:
        name = REGION_NAMES[township]
        households = [each for each in sample.households if each.region.startswith(township)]
        rows = [_collected(place, each, draw) for place, each in enumerate(households, 1)]
        if township == TOWNSHIPS[-1]:
            # A point too many, as people type it.
            rows[-1][_VILLAGES_FORM.index(("评级指标", "诚信"))] = _TOO_MANY_POINTS
            dirt.append(DirtyRow(_DATA_FROM + len(rows) - 1, f"{name}·诚信", "HL2083"))
        _sheet(book, name, f"{name}农户评级指标采集表", _VILLAGES_FORM, rows)
    path = directory / f"评级指标采集表_{COUNTY}_{RATED_ON:%Y%m%d}.xlsx"
    save(book, path, RATED_ON)
    return _file(path, len(sample.households), dirt)


def _write_polices(directory: Path, sample: County) -> SampleFile:
    known = sample.households[::_ONE_KNOWN_TO_POLICE_IN]
    rows = [
        [
            place,
            each.number,
            each.region,
            5 if place % 3 else None,
            None if place % 3 else 10,
            "否",
            COLLECTED_ON,
            PERSON,
        ]
        for place, each in enumerate(known, 1)
    ]
    book = Workbook()
    book.remove(book.worksheets[0])
    _sheet(book, "公安评级数据", f"{REGION_NAMES[COUNTY]}公安评级数据", _POLICES_FORM, rows)
    path = directory / f"公安评级数据_{COUNTY}_{RATED_ON:%Y%m%d}.xlsx"
    save(book, path, RATED_ON)
    return _file(path, len(rows), [])


def _file(path: Path, rows: int, dirt: Sequence[DirtyRow]) -> SampleFile:
    return SampleFile(path, "county_forms", COUNTY, "rating_indicators", RATED_ON, rows, tuple(dirt))


def _collected(place: int, household: Household, draw: random.Random) -> list[Any]:
    able = [person for person in household.members if person.skill != "无劳动能力" and person.health == _HEALTHY]
    skilled = any(person.skill == "技能劳动力" for person in household.members)
    defaulted = not draw.randrange(_ONE_DEFAULTED_IN)
    return [
        place,
        household.number,
        household.head.name,
        household.region,
        household.category,
        household.head.age_on(COLLECTED_ON),
        draw.randint(60, 100),
        min(100, 40 + 20 * len(able)),
        min(100, household.income * 100 // _INCOME_AT_BEST),
        draw.randint(50, 100),
        draw.randint(50, 100),
        80 if skilled else 50,
        draw.randint(30, 60) if defaulted else draw.randint(70, 100),
        "是" if defaulted else "否",
        "否",
        COLLECTED_ON,
        PERSON,
        None,
    ]


def _sheet(book: Workbook, name: str, title: str, columns: Sequence[_Column], rows: Sequence[Sequence[Any]]) -> None:
    """Add a sheet: a title over all columns, groups over columns, a row for each household."""
    sheet = book.create_sheet(name)
    sheet.append([title])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(columns))
    groups = [group for group, _ in columns]
    sheet.append([group or column for group, column in columns])
    sheet.append([column if group else None for group, column in columns])
    for place, (group, _) in enumerate(columns, 1):
        letter = get_column_letter(place)
        if group is None:
            sheet.merge_cells(f"{letter}2:{letter}3")
        elif groups.index(group) == place - 1:
            sheet.merge_cells(f"{letter}2:{get_column_letter(place + groups.count(group) - 1)}2")
    for row in rows:
        sheet.append(list(row))
