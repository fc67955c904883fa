"""Reading forms of applications: which sheets and columns there are, in which units, and what was rejected of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.county_forms.application_layout import (
    COLLATERAL,
    CONDITIONS,
    FORMS,
    GROUNDS,
    NAME,
    PASSED_OVER,
    PURPOSES,
    STEPS,
    Words,
    form_of,
)
from adapters.county_forms.application_rows import Rows
from adapters.county_forms.translating import Area
from adapters.toolkit.file_names import plain
from adapters.toolkit.names import day
from adapters.toolkit.repeats import Repeats
from adapters.toolkit.text import label
from adapters.toolkit.workbook import returns, sheets
from adapters.toolkit.workbook.amounts import UNITS
from adapters.toolkit.workbook.blocks import Data
from adapters.toolkit.workbook.container import Container
from adapters.toolkit.workbook.heading import GROUPED
from huilian.adapters import REJECTIONS, FileIdentity, Setting
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from adapters.county_forms.application_layout import ApplicationForm
    from adapters.toolkit.workbook.sheets import Sheet
    from huilian.adapters import AdapterSettings, Piece

__all__ = ["KINDS", "SETTINGS", "identify", "pieces", "place_refusals", "read", "words", "write_rejections"]

KINDS: Final = tuple(dict.fromkeys(form.kind for form in FORMS))
_ADAPTER: Final = "county_forms"
_EXAMPLE: Final = "业务申请表_341599101201_20240331.xlsx"
_MOST_SHOWN: Final = 6
_LONGEST_SHOWN: Final = 20
"""Of the names of columns, in an error message."""
_REGION: Final = re.compile(r"[1-9][0-9]{5}(?:[0-9]{3}){0,2}")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MEMBER: Final = re.compile(r"[0-9A-Za-z_-]{1,20}")
_TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "purposes": PURPOSES,
    "collateral": COLLATERAL,
    "steps": STEPS,
    "conditions": CONDITIONS,
    "grounds": GROUNDS,
}
SETTINGS: Final[dict[str, Setting]] = {
    "purposes": Setting(dict, "申请表中的贷款用途与用途代码对照，如“肉牛”对应 breeding", {}),
    "collateral": Setting(dict, "申请表中的担保方式与代码对照", {}),
    "steps": Setting(dict, "意见表中的步骤名称与政策文件中的步骤代码对照，如“复核”对应 county_review", {}),
    "conditions": Setting(dict, "符合条件一栏的词语与政策文件中的条件代码对照", {}),
    "grounds": Setting(dict, "否决情形一栏的词语与政策文件中的情形代码对照", {}),
    "banks": Setting(dict, "申请表中的银行名称与机构代码对照，如“农商行”对应 RCB01", {}),
    "columns": Setting(dict, "申请类表格中另有叫法的列，如“借款用途”对应“贷款用途”", {}),
}
"""What an office may add to the words of its forms."""


def identify(file_name: str) -> FileIdentity | None:
    """Return what a name like "申请汇总表_341599101_20240331.xlsx" says, or None."""
    found = NAME.fullmatch(plain(file_name))
    as_of = day(found["day"]) if found else None
    if found is None or as_of is None:
        return None
    # A form of a region may be sent by its station or by the county office; one of a member is that member's.
    owner = None if _REGION.fullmatch(found["of"]) else found["of"]
    return FileIdentity(owner, form_of(found["title"]).kind, as_of)


def words(settings: AdapterSettings) -> Words:
    """Return the words of an office: its own stand before those that every form has.

    Raises:
        FileRefused: HL3112, a setting names no code, no bank or no column.
    """
    own = {name: {label(word): code for word, code in settings.values[name].items()} for name in SETTINGS}
    columns = {column.name for form in FORMS for column in form.columns}
    for name, table in own.items():
        pattern = _MEMBER if name == "banks" else _CODE
        known = columns.__contains__ if name == "columns" else pattern.fullmatch
        wrong = [word for word, code in table.items() if not known(code)]
        if wrong:
            expected = f"应为 {'、'.join(sorted(columns)[:3])} 等约定的列" if name == "columns" else "应为代码"
            listed = "、".join(wrong[:_MOST_SHOWN])
            raise FileRefused("HL3112", adapter=_ADAPTER, setting=name, columns=listed, expected=expected)
    # The first word of a code is the one that is written.
    tables = {name: own[name] | dict(table) | own[name] for name, table in _TABLES.items()}
    return Words(**tables, banks=own["banks"], columns=own["columns"])


def read(source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
    """Translate the sheets of a form in pieces of 5,000 rows; a row may become several records.

    Raises:
        FileRefused: HL3010, it is no workbook; HL3025, HL3026, a sheet is missing or ambiguous; HL3003, HL3004, HL3111
            for its columns; HL3027 for its unit; HL3110, no row says anything; HL3112 for the settings.
    """
    rows = 0
    for sheet, piece, several in pieces(source, identity, settings):
        rows += piece.rows
        if not several:
            yield piece
            continue
        field = pl.concat_str(pl.lit(sheet.field("")), "field")
        yield replace(piece, rejections=piece.rejections.with_columns(field=field))
    if not rows:
        raise FileRefused("HL3110", file=source.name)


def pieces(source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[tuple[Sheet, Piece, bool]]:
    """Yield the pieces of a form, each with its sheet, and whether there are several."""
    form, region = _named(source)
    used = words(settings)
    repeats = {part.message_type: Repeats() for part in form.parts}
    with Container(source) as container:
        found = _sheets(container, form, _names(form, used))
        units = [_checked(sheet, form, used) for sheet in found]
        for sheet, of in zip(found, units, strict=True):
            area = Area(settings.county, region)
            rows = Rows(form, used, of, area=area, as_of=identity.as_of, repeats=repeats)
            for block in Data(container, sheet, form.sheet(of)).blocks():
                for piece in rows.pieces(block):
                    named = piece.rejections.with_columns(pl.col("field").replace(_headed(sheet)))
                    yield sheet, replace(piece, rejections=named), len(found) > 1


def place_refusals(
    source: Path, identity: FileIdentity, refusals: pl.DataFrame, settings: AdapterSettings
) -> pl.DataFrame:
    """Return what the county refused by sheet and column: a record is of the row with its line and its number."""
    form, _ = _named(source)
    placed = [pl.DataFrame(schema=REJECTIONS)]
    for sheet, piece, several in pieces(source, identity, settings):
        part = next(part for part in form.parts if part.message_type == piece.type)
        headed = _headed(sheet)
        columns = {column.target: headed.get(column.name, form.keys[0]) for column in part.columns}
        rows = piece.accepted.select("line", pl.col(part.number).alias("reference"))
        mine = refusals.filter(pl.col("type") == part.message_type)
        found = mine.join(rows, on=["line", "reference"], how="semi", maintain_order="left")
        column = pl.col("field").replace_strict(columns, default=form.keys[0], return_dtype=pl.String())
        named = pl.concat_str(pl.lit(sheet.field("")), column) if several else column
        placed.append(found.with_columns(field=named).select(REJECTIONS.names()))
    return pl.concat(placed)


def write_rejections(source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
    """Write the rejected rows as they came in a workbook of the same shape: see `toolkit.workbook.returns`."""
    form, _ = _named(source)
    # Columns are found by what was wrong in them: an office may call them otherwise.
    fields = rejections["field"].unique().to_list()
    wrong = {*fields, *(field.partition(GROUPED)[2] for field in fields)} - {""}
    with Container(source) as container:
        found = _sheets(container, form, dict.fromkeys(sorted(wrong - {*form.keys}), ()))
        several = len(found) > 1
        parts = [(each.name, each, returns.of_sheet(each, rejections) if several else rejections) for each in found]
        returns.write(container, parts, target, identity.as_of)


def _named(source: Path) -> tuple[ApplicationForm, str]:
    """Return the form and the region that a file's name states; none where it is a member's.

    Raises:
        FileRefused: HL3005, it is named otherwise.
    """
    found = NAME.fullmatch(plain(source.name))
    if found is None:
        raise FileRefused("HL3005", file=source.name, example=_EXAMPLE)
    return form_of(found["title"]), found["of"] if _REGION.fullmatch(found["of"]) else ""


def _headed(sheet: Sheet) -> dict[str, str]:
    """Return what its columns are called in the sheet itself."""
    return {name: sheet.heading.names[place] for name, place in sheet.places.items()}


def _names(form: ApplicationForm, used: Words) -> dict[str, tuple[str, ...]]:
    """Return the columns that a form may have, each with its other names; those of its keys left out."""
    translations = [part.translation(used) for part in form.parts]
    known: dict[str, tuple[str, ...]] = {}
    for translation in translations:
        known |= translation.optional
    known |= dict.fromkeys(form.findings, ())
    return {name: others for name, others in known.items() if name not in form.keys}


def _sheets(container: Container, form: ApplicationForm, names: Mapping[str, tuple[str, ...]]) -> list[Sheet]:
    return sheets.find_all(container, form.title, form.keys, form.keys[:1], names)


def _checked(sheet: Sheet, form: ApplicationForm, used: Words) -> dict[str, int]:
    """Return the units of a sheet's amounts, as the places they stand above the yuan.

    Raises:
        FileRefused: HL3003, a column is missing; HL3111, nobody said what one means; HL3027, the unit is not known.
    """
    missing = [name for name in form.needed if name not in sheet.places]
    if missing:
        raise FileRefused("HL3003", file=sheet.file, columns="、".join(missing[:_MOST_SHOWN]))
    others = [name for place, name in sheet.heading.names.items() if place not in sheet.places.values()]
    passed_over = PASSED_OVER | {ours for ours, theirs in used.columns.items() if theirs in PASSED_OVER}
    strange = [name for name in others if name.rpartition(GROUPED)[2] not in passed_over]
    if strange:
        listed = "、".join(name[:_LONGEST_SHOWN] for name in strange[:_MOST_SHOWN])
        raise FileRefused("HL3111", file=sheet.file, columns=listed, adapter=_ADAPTER)
    return {
        column.name: _unit(sheet, column.name) for column in form.columns if column.unit and column.name in sheet.places
    }


def _unit(sheet: Sheet, column: str) -> int:
    """Return the unit of an amount: of its name, else of the sheet, else yuan."""
    name = sheet.heading.names[sheet.places[column]]
    stated = {unit for unit in UNITS if name.endswith(f"({unit})")} or set(sheet.heading.units) or {"元"}
    if len(stated) > 1 or not stated <= UNITS.keys():
        raise FileRefused("HL3027", file=sheet.file, found="、".join(sorted(stated)))
    return UNITS[stated.pop()]
