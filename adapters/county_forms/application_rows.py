"""From the rows of a form of applications to records and rejections.

A row may say several things: form 1 has the application and the village's opinion. What is wrong with one of them
rejects the row. A row that says nothing yet, of a list in which opinions are added, is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.county_forms.application_layout import BANK, OPINION
from adapters.toolkit import plausibility
from adapters.toolkit.characters import sound, with_unsound
from adapters.toolkit.encodings import UTF_8
from adapters.toolkit.placeholders import without_placeholders
from adapters.toolkit.rejections import reject
from adapters.toolkit.translation import LINE
from adapters.toolkit.workbook import amounts
from huilian.adapters import REJECTIONS, Piece
from huilian.records.columnar import split
from schemas.submission_kinds import APPLICATIONS, COMPENSATION_CLAIMS, SUBSIDY_CLAIMS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from adapters.county_forms.application_layout import ApplicationForm, Part, Words
    from adapters.county_forms.translating import Area
    from adapters.toolkit.repeats import Repeats
    from adapters.toolkit.translation import Translation
    from adapters.toolkit.workbook.blocks import Block

__all__ = ["Rows"]

_REPEATED: Final = "is_repeated"
_ALIKE: Final = "is_alike"
"""Columns of the frame only, beside the canonical ones."""
_UNITS: Final = {places: unit for unit, places in amounts.UNITS.items()}
_RECORDS: Final = {**APPLICATIONS.records, **SUBSIDY_CLAIMS.records, **COMPENSATION_CLAIMS.records}
_BY_SELF: Final = "{}：{}"
_BETWEEN: Final = "；"


class Rows:
    """Translates the rows of one sheet.

    Args:
        form: what they are.
        words: of the office.
        units: of the columns with amounts that it has, how many places above the yuan.
        area: where borrowers must live.
        as_of: the file's date.
        repeats: by type of record, the numbers that the file's sheets had so far.
    """

    def __init__(
        self,
        form: ApplicationForm,
        words: Words,
        units: Mapping[str, int],
        *,
        area: Area,
        as_of: dt.date,
        repeats: Mapping[str, Repeats],
    ) -> None:
        self._form = form
        self._units = units
        self._area = area
        self._as_of = as_of
        self._repeats = repeats
        self._parts = [(part, part.translation(words)) for part in form.parts]

    def pieces(self, block: Block) -> Iterator[Piece]:
        """Yield a piece for every type of record of the form; what was rejected is in the first."""
        cells, unsound = sound(block.cells, UTF_8)
        faults = with_unsound(pl.concat([block.faults, *self._too_fine(cells)]), unsound)
        cells = cells.with_columns(
            amounts.in_yuan(pl.col(name), _UNITS[places]).alias(name) for name, places in self._units.items()
        )
        numbers: pl.DataFrame | None = None
        found = []
        # Of what a sheet has no column for, its rows say nothing.
        parts = [(part, each) for part, each in self._parts if not {*part.told_by}.isdisjoint(cells.columns)]
        for part, translation in parts:
            canonical = self._canonical(part, translation, cells, faults, numbers)
            numbers = canonical.select(LINE, part.number) if numbers is None else numbers
            found.append(self._judged(part, translation, canonical, faults))
        rejections = pl.concat([rejected for _, rejected in found]).unique(maintain_order=True)
        rejections = rejections.sort(LINE, maintain_order=True)
        wrong = rejections.select(LINE).unique()
        rejected = wrong.height
        for (part, _), (good, _) in zip(parts, found, strict=True):
            accepted = good.join(wrong, on=LINE, how="anti", maintain_order="left")
            yield Piece(accepted.height + rejected, accepted, rejections, block.bytes_read, part.message_type)
            rejections, rejected = pl.DataFrame(schema=REJECTIONS), 0

    def _too_fine(self, cells: pl.DataFrame) -> Iterator[pl.DataFrame]:
        for name, places in self._units.items():
            yield amounts.faults_where_too_fine(cells, [name], _UNITS[places])

    def _canonical(
        self,
        part: Part,
        translation: Translation,
        cells: pl.DataFrame,
        faults: pl.DataFrame,
        numbers: pl.DataFrame | None,
    ) -> pl.DataFrame:
        """Return what the rows say of one type of record, those left out that say nothing of it.

        An application without a number is called after whose it is and its day; so is its step beside it.
        """
        told_by = [name for name in part.told_by if name in cells.columns]
        is_told = pl.any_horizontal(without_placeholders(pl.col(name)).is_not_null() for name in told_by)
        unreadable = faults.filter(pl.col("field").is_in(told_by))[LINE].implode()
        there = cells.filter(is_told | pl.col(LINE).is_in(unreadable))
        stated = there.select(LINE, *self._stated(part, there)).drop(LINE)
        canonical = translation.canonical(there).with_columns(stated.get_columns())
        lacking = {name for name in part.record().fields if name not in canonical.columns}
        canonical = canonical.with_columns(pl.lit(None, pl.String()).alias(name) for name in lacking)
        # Of a column that is not there, too.
        canonical = canonical.with_columns(
            pl.col(column.target).fill_null(column.empty) for column in part.columns if column.empty
        )
        if numbers is not None and part.number in numbers.columns:
            beside = canonical.select(LINE).join(numbers, on=LINE, how="left", maintain_order="left")[part.number]
            return canonical.with_columns(pl.col(part.number).fill_null(beside))
        if part.message_type == "applications":
            made = pl.concat_str("borrower_no", pl.lit("-"), pl.col("date").str.replace_all("-", "", literal=True))
            return canonical.with_columns(pl.col(part.number).fill_null(made))
        return canonical

    def _judged(
        self, part: Part, translation: Translation, canonical: pl.DataFrame, faults: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the good records, and the rejections of the other rows."""
        mine = [column.source for column in translation.columns] + list(part.findings)
        faults = faults.filter(pl.col("field").is_in(mine) & pl.col(LINE).is_in(canonical[LINE].implode()))
        repeated, alike = self._repeats[part.message_type].find_alike(self._key(part, canonical))
        frame = canonical.with_columns(repeated.alias(_REPEATED), alike.alias(_ALIKE))
        good, errors = split(frame, part.record, self._checks(part))
        # A word that stands for no code has no form, either.
        coded = [column.target for column in part.columns if column.words and column.words != BANK]
        no_word = pl.col("field").is_in(coded) & (pl.col("code") == "HL2023")
        errors = errors.with_columns(code=pl.when(no_word).then(pl.lit("HL2005")).otherwise("code"))
        if faults.height:
            good = good.join(faults, on=LINE, how="anti", maintain_order="left")
        rejected = reject(
            errors,
            faults,
            canonical,
            translation=translation,
            record=part.record,
            reference=part.number,
            wording=amounts.WORDING,
        )
        return good, rejected

    @staticmethod
    def _stated(part: Part, cells: pl.DataFrame) -> list[pl.Expr]:
        """Return what the form itself says, and the texts of its findings as one."""
        stated = [pl.lit(value, pl.String()).alias(field) for field, value in part.fixed.items()]
        if not part.findings:
            return stated
        texts = [_finding(name) for name in part.findings if name in cells.columns]
        joined = pl.concat_str(texts, separator=_BETWEEN, ignore_nulls=True) if texts else pl.lit("")
        return [*stated, pl.when(joined != "").then(joined).alias(OPINION)]

    @staticmethod
    def _key(part: Part, canonical: pl.DataFrame) -> pl.Series:
        key = _RECORDS[part.message_type].key
        return canonical.select(pl.concat_str(*key, separator=" ")).to_series()

    def _checks(self, part: Part) -> list[plausibility.Check]:
        checks = [
            *plausibility.checks(part.record, self._as_of),
            (part.number, part.repeated, pl.col(_REPEATED)),
            (part.number, "HL2063", pl.col(_ALIKE)),
        ]
        if part.message_type == "applications":
            in_county = pl.col("region").str.starts_with(self._area.county)
            checks += [
                ("region", "HL2009", ~in_county),
                ("region", "HL2085", in_county & ~pl.col("region").str.starts_with(self._area.region)),
            ]
        return checks


def _finding(name: str) -> pl.Expr:
    text = without_placeholders(pl.col(name))
    return pl.when(text.is_not_null()).then(pl.format(_BY_SELF, pl.lit(name), text))
