"""The adapter: reading forms of rating and of applications, and giving rejected rows back in the same form."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from adapters.county_forms import application_reading as applications
from adapters.county_forms import lists
from adapters.county_forms.layout import EXCLUSIONS, INDICATORS, NAME, NUMBER_OF, PASSED_OVER, form_of
from adapters.county_forms.translating import Area, Translator
from adapters.toolkit import payment_files, returning
from adapters.toolkit.file_names import plain
from adapters.toolkit.names import day
from adapters.toolkit.repeats import Repeats
from adapters.toolkit.text import label
from adapters.toolkit.workbook import returns, sheets
from adapters.toolkit.workbook.blocks import Data
from adapters.toolkit.workbook.container import Container
from adapters.toolkit.workbook.heading import GROUPED
from huilian.adapters import REJECTIONS, Adapter, AdapterSettings, FileIdentity, Outgoing, Piece, Setting
from huilian.core.errors import FileRefused
from schemas.ratings import CODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from adapters.county_forms.layout import RatingForm
    from adapters.toolkit.workbook.sheets import Sheet

__all__ = ["CountyForms"]

_KIND: Final = "rating_indicators"
_INDICATORS: Final = "indicators"
_EXCLUSIONS: Final = "exclusions"
"""The settings with further columns."""
_NO_INDICATOR: Final = "指标列或否决情形列"
_MOST_SHOWN: Final = 6
_LONGEST_SHOWN: Final = 20
"""Of the names of columns, in an error message."""


class CountyForms(Adapter):
    """The county's forms: of rating, with data of police, justice and others for it, and of applications.

    Applications come as form 1 with the village's opinion, their steps as form 2, the bank's findings, form 3 and lists
    of opinions (`application_layout`). Lists of what waits for a step go out with what is known, to be filled in;
    notices and receipts for stations, and for whoever has no adapter of its own.
    """

    name: ClassVar[str] = "county_forms"
    version: ClassVar[str] = "1.0"
    chinese: ClassVar[str] = "评级、申请表格"
    institution_kinds: ClassVar[frozenset[str]] = frozenset(
        {
            *("auditor", "bank", "county", "finance", "guarantor", "insurer", "reguarantor", "supervisor"),
            *("township", "village"),
        }
    )
    reads: ClassVar[dict[str, str]] = {
        _KIND: "评级指标采集表_341599101201_20240331.xlsx",
        "applications": "业务申请表_341599101201_20240331.xlsx",
        "subsidy_claims": "贴息申报表_341599101_20240331.xlsx",
        "compensation_claims": "风险补偿资金审批表_341599101201_20240331.xlsx",
        payment_files.KIND: payment_files.RESULTS_NAME,
    }
    parts: ClassVar[dict[str, tuple[str, ...]]] = {
        _KIND: (f"{_KIND}/v1",),
        "applications": ("consents/v1", "applications/v1", "application_steps/v1"),
        "subsidy_claims": ("subsidy_claims/v1",),
        "compensation_claims": ("compensation_claims/v1",),
        payment_files.KIND: (payment_files.RESULTS.contract,),
    }
    totals: ClassVar[dict[str, tuple[str, ...]]] = {
        _KIND: (),
        "applications": ("amount",),
        "subsidy_claims": ("amount",),
        "compensation_claims": ("principal", "interest"),
        payment_files.KIND: payment_files.RESULTS.totals,
    }
    writes: ClassVar[dict[str, str]] = lists.WRITES
    exempt: ClassVar[dict[str, str]] = {
        "control_totals": "表格没有合计，金额由各步核定 (forms have no totals: each step looks at the amounts)"
    }
    settings: ClassVar[dict[str, Setting]] = {
        _INDICATORS: Setting(dict, "采集表中另加的指标列与指标代码对照，如“种养技能”对应 skill", {}),
        _EXCLUSIONS: Setting(dict, "采集表中另加的否决情形列与情形代码对照，如“黑名单”对应 blacklisted", {}),
        **applications.SETTINGS,
    }

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Return what a name like "评级指标采集表_341599101201_20240331.xlsx" says, or None."""
        found = NAME.fullmatch(plain(file_name))
        as_of = day(found["day"]) if found else None
        if as_of is not None:
            return FileIdentity(None, _KIND, as_of)
        return applications.identify(file_name) or payment_files.recognise(file_name)

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Translate the sheets of a form in pieces of 5,000 rows.

        Forms have no control totals. Of rows with the same number the first is taken and the others are rejected.

        Raises:
            FileRefused: HL3010, it is no workbook; HL3025, HL3026, a sheet is missing or ambiguous; HL3003, HL3004
                for its columns; HL3006, there are no rows; HL3067, HL3068, nobody said what a column means.
        """
        if identity.kind == payment_files.KIND:
            yield from payment_files.read(source, identity, settings.county)
            return
        if identity.kind in applications.KINDS:
            yield from applications.read(source, identity, settings)
            return
        rows = 0
        for sheet, piece, several in self._pieces(source, identity, settings):
            rows += piece.rows
            yield _of_sheet(piece, sheet) if several else piece
        if not rows:
            raise FileRefused("HL3006", file=source.name)

    def _pieces(
        self, source: Path, identity: FileIdentity, settings: AdapterSettings
    ) -> Iterator[tuple[Sheet, Piece, bool]]:
        """Yield the pieces of a form, each with its sheet, and whether there are several."""
        form, region = _named(source)
        indicators, exclusions = _meanings(form, settings.values)
        repeats = Repeats()
        with Container(source) as container:
            found = _sheets(container, form, (*indicators, *exclusions))
            translators = [
                Translator(
                    form,
                    _read(sheet, indicators),
                    _read(sheet, exclusions),
                    area=Area(settings.county, region),
                    as_of=identity.as_of,
                    repeats=repeats,
                )
                for sheet in found
            ]
            for sheet in found:
                _check(sheet, indicators | exclusions, self.name)
            for sheet, translator in zip(found, translators, strict=True):
                for block in Data(container, sheet, form.sheet(indicators)).blocks():
                    yield sheet, translator.piece(block), len(found) > 1

    def place_refusals(
        self, source: Path, identity: FileIdentity, refusals: pl.DataFrame, settings: AdapterSettings
    ) -> pl.DataFrame:
        """Return what the county refused by sheet and column: a record is of the row with its line and its number."""
        if identity.kind == payment_files.KIND:
            return super().place_refusals(source, identity, refusals, settings)
        if identity.kind in applications.KINDS:
            return applications.place_refusals(source, identity, refusals, settings)
        form, _ = _named(source)
        columns = {column.target: column.source for column in form.translation.columns}
        placed = [pl.DataFrame(schema=REJECTIONS)]
        for sheet, piece, several in self._pieces(source, identity, settings):
            rows = piece.accepted.select("line", pl.col(NUMBER_OF).alias("reference"))
            found = refusals.join(rows, on=["line", "reference"], how="semi", maintain_order="left")
            column = pl.col("field").replace_strict(columns, default=form.number.source, return_dtype=pl.String())
            named = pl.concat_str(pl.lit(sheet.field("")), column) if several else column
            placed.append(found.with_columns(field=named).select(REJECTIONS.names()))
        return pl.concat(placed)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:
        """Write the rejected rows as they came in a workbook of the same shape: see `toolkit.workbook.returns`."""
        if identity.kind == payment_files.KIND:
            returning.write(source, payment_files.RESULTS.translation.sources, rejections, target)
            return
        if identity.kind in applications.KINDS:
            applications.write_rejections(source, identity, rejections, target)
            return
        form, _ = _named(source)
        # Columns that only a setting names are found by what was wrong in them.
        fields = rejections["field"].unique().to_list()
        wrong = {*fields, *(field.partition(GROUPED)[2] for field in fields)} - {""}
        with Container(source) as container:
            found = _sheets(container, form, sorted({*INDICATORS, *EXCLUSIONS, *form.further} | wrong))
            several = len(found) > 1
            parts = [(each.name, each, returns.of_sheet(each, rejections) if several else rejections) for each in found]
            returns.write(container, parts, target, identity.as_of)

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return the name of a workbook; of a list, that of the form which it becomes when it is filled in."""
        return lists.file_name(outgoing)

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
        """Write a list of what waits for a step, or of households in need, to be filled in; notices; a receipt."""
        lists.write(outgoing, applications.words(settings), target)

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:
        """Return the records that a workbook was made of."""
        return lists.read_back(source, dataschema, applications.words(settings))


def _named(source: Path) -> tuple[RatingForm, str]:
    """Return the form and the region that a file's name states.

    Raises:
        FileRefused: HL3005, it is named otherwise.
    """
    found = NAME.fullmatch(plain(source.name))
    if found is None:
        raise FileRefused("HL3005", file=source.name, example=CountyForms.reads[_KIND])
    return form_of(found["title"]), found["region"]


def _meanings(form: RatingForm, values: Mapping[str, Mapping[str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Return which columns are indicators and which are exclusions, each with its code.

    Raises:
        FileRefused: HL3068, a setting names no code, or a column twice.
    """
    further = [{label(name): code for name, code in values[setting].items()} for setting in (_INDICATORS, _EXCLUSIONS)]
    indicators, exclusions = INDICATORS | dict(form.further) | further[0], EXCLUSIONS | further[1]
    wrong = [name for name, code in (further[0] | further[1]).items() if not re.fullmatch(CODE, code)]
    wrong += [name for name in indicators if name in exclusions or name in form.translation.sources]
    if wrong:
        raise FileRefused("HL3068", adapter=CountyForms.name, columns="、".join(wrong))
    return indicators, exclusions


def _sheets(container: Container, form: RatingForm, optional: Sequence[str]) -> list[Sheet]:
    others = [*(column.source for column in form.optional), *(name for name in optional if name not in form.needed)]
    return sheets.find_all(container, form.title, form.needed, form.keys, dict.fromkeys(others, ()))


def _read(sheet: Sheet, meanings: Mapping[str, str]) -> dict[str, str]:
    return {name: code for name, code in meanings.items() if name in sheet.places}


def _check(sheet: Sheet, meanings: Mapping[str, str], adapter: str) -> None:
    """Refuse a sheet with a column of which nobody said what it means: it may be an indicator.

    Raises:
        FileRefused: HL3067, naming such columns; HL3003, there is no indicator; HL3004, two are one indicator.
    """
    names = [name for place, name in sheet.heading.names.items() if place not in sheet.places.values()]
    strange = [name for name in names if name.rpartition(GROUPED)[2] not in PASSED_OVER]
    if strange:
        listed = "、".join(name[:_LONGEST_SHOWN] for name in strange[:_MOST_SHOWN])
        raise FileRefused("HL3067", file=sheet.file, columns=listed, adapter=adapter)
    there = _read(sheet, meanings)
    if not there:
        raise FileRefused("HL3003", file=sheet.file, columns=_NO_INDICATOR)
    codes = list(there.values())
    repeated = [name for name, code in there.items() if codes.count(code) > 1]
    if repeated:
        raise FileRefused("HL3004", file=sheet.file, columns="、".join(repeated))


def _of_sheet(piece: Piece, sheet: Sheet) -> Piece:
    """Return a piece whose rejections name the sheet, since the file has several."""
    return replace(
        piece,
        rejections=piece.rejections.with_columns(field=pl.concat_str(pl.lit(sheet.field("")), "field")),
    )
