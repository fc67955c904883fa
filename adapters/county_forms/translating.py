"""From a form's rows to records and rejections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.county_forms.layout import EXCLUDED, NUMBER_OF
from adapters.toolkit import plausibility
from adapters.toolkit.characters import sound, with_unsound
from adapters.toolkit.encodings import UTF_8
from adapters.toolkit.placeholders import without_placeholders
from adapters.toolkit.reading import FAULTS
from adapters.toolkit.rejections import reject
from adapters.toolkit.translation import LINE
from huilian.adapters import Piece
from huilian.core.errors import describe
from huilian.records.columnar import split
from schemas.ratings import NO_EXCLUSION, POINTS, VILLAGE_DIGITS, RatingIndicatorsRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from adapters.county_forms.layout import RatingForm
    from adapters.toolkit.repeats import Repeats
    from adapters.toolkit.workbook.blocks import Block

__all__ = ["Area", "Translator"]

_REPEATED: Final = "is_repeated"
_ALIKE: Final = "is_alike"
"""Columns of the frame only, beside the canonical ones."""
_POINTS: Final = f"^{POINTS}$"
_UNKNOWN_ANSWER: Final = f"{describe('HL2005')}（应为 {'、'.join(EXCLUDED)}）"


@dataclass(frozen=True)
class Area:
    """Where the households of a file live.

    Args:
        county: of this installation.
        region: that the file's name states.
    """

    county: str
    region: str


class Translator:
    """Translates the sheets of one file block by block.

    Args:
        form: what they are.
        indicators: the columns of indicators that it has, with their codes.
        exclusions: the columns of exclusions, likewise.
        area: where villages must lie.
        as_of: the file's date.
        repeats: the numbers that its sheets had so far.
    """

    def __init__(
        self,
        form: RatingForm,
        indicators: Mapping[str, str],
        exclusions: Mapping[str, str],
        *,
        area: Area,
        as_of: dt.date,
        repeats: Repeats,
    ) -> None:
        self._form = form
        # In the order of their codes, so that the same points are the same text in any order of columns.
        self._indicators = sorted(indicators.items(), key=lambda each: each[1])
        self._exclusions = sorted(exclusions.items(), key=lambda each: each[1])
        village = pl.col("village")
        elsewhere = ~village.str.starts_with(area.region) & (village.str.len_bytes() == VILLAGE_DIGITS)
        in_county = village.str.starts_with(area.county)
        self._checks = [
            *plausibility.checks(RatingIndicatorsRecord, as_of),
            ("village", "HL2009", ~in_county),
            ("village", "HL2085", in_county & elsewhere),
            (NUMBER_OF, "HL2086", pl.col(_REPEATED)),
            (NUMBER_OF, "HL2063", pl.col(_ALIKE)),
        ]
        self._repeats = repeats

    def piece(self, block: Block) -> Piece:
        """Return the accepted rows of `block` and the rejections of the others."""
        translation = self._form.translation
        cells, unsound = sound(block.cells, UTF_8)
        absent = [pl.lit(None, pl.String()).alias(name) for name in translation.sources if name not in cells.columns]
        cells = cells.with_columns(*absent, *self._answers())
        faults = with_unsound(pl.concat([block.faults, *self._faults(cells)]), unsound)
        canonical = pl.concat([translation.canonical(cells), cells.select(self._stated())], how="horizontal")
        faults = pl.concat([faults, self._where_nothing_is_stated(canonical, faults)])
        repeated, alike = self._repeats.find_alike(canonical[NUMBER_OF])
        frame = canonical.with_columns(repeated.alias(_REPEATED), alike.alias(_ALIKE))
        good, errors = split(frame, RatingIndicatorsRecord, self._checks)
        if faults.height:
            good = good.join(faults, on=LINE, how="anti", maintain_order="left")
        rejections = reject(
            errors,
            faults,
            canonical,
            translation=translation,
            record=RatingIndicatorsRecord,
            reference=NUMBER_OF,
        )
        return Piece(block.rows, good, rejections, block.bytes_read)

    def _answers(self) -> list[pl.Expr]:
        """Return the cells of indicators and exclusions, those that only say that there is nothing empty."""
        points = [without_placeholders(pl.col(name)).alias(name) for name, _ in self._indicators]
        # 无 is an answer here.
        answers = [
            pl.when(pl.col(name).is_in(list(EXCLUDED)))
            .then(pl.col(name))
            .otherwise(without_placeholders(pl.col(name)))
            .alias(name)
            for name, _ in self._exclusions
        ]
        return [*points, *answers]

    def _faults(self, cells: pl.DataFrame) -> list[pl.DataFrame]:
        wrong = [(name, ~pl.col(name).str.contains(_POINTS), "HL2083") for name, _ in self._indicators]
        wrong += [(name, ~pl.col(name).is_in(list(EXCLUDED)), "HL2005") for name, _ in self._exclusions]
        return [
            cells.filter(is_wrong).select(
                LINE,
                field=pl.lit(name),
                code=pl.lit(code),
                message=pl.lit(_UNKNOWN_ANSWER if code == "HL2005" else describe(code)),
            )
            for name, is_wrong, code in wrong
        ]

    def _stated(self) -> list[pl.Expr]:
        """Return what the form itself says of every row, and its indicators and exclusions as the record has them."""
        return [
            pl.lit(self._form.source).alias("source"),
            pl.lit(self._form.borrower).alias("borrower"),
            _texts(pl.format("{}={}", pl.lit(code), _points(name)) for name, code in self._indicators).alias(
                "indicators"
            ),
            self._met().alias("exclusions"),
            *(
                pl.lit(None, pl.String()).alias(field)
                for field in ("kind", "applicant_age")
                if field not in {column.target for column in self._form.optional}
            ),
        ]

    def _met(self) -> pl.Expr:
        met, looked_at = [], []
        for name, code in self._exclusions:
            answer = pl.col(name).replace_strict(EXCLUDED, default=None, return_dtype=pl.Boolean())
            met.append(pl.when(answer).then(pl.lit(code)))
            looked_at.append(answer.is_not_null())
        if not met:
            return pl.lit(None, pl.String())
        return pl.coalesce(_texts(met), pl.when(pl.any_horizontal(looked_at)).then(pl.lit(NO_EXCLUSION)))

    def _where_nothing_is_stated(self, canonical: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that state neither an indicator nor an exclusion, nor tried to."""
        names = [name for name, _ in (*self._indicators, *self._exclusions)]
        tried = faults.filter(pl.col("field").is_in(names))[LINE]
        silent = pl.col("indicators").is_null() & pl.col("exclusions").is_null() & ~pl.col(LINE).is_in(tried.implode())
        return (
            canonical.filter(silent)
            .select(LINE, field=pl.lit(names[0]), code=pl.lit("HL2084"), message=pl.lit(describe("HL2084")))
            .cast(FAULTS)
        )


def _points(name: str) -> pl.Expr:
    """Return the points of a column without zeros behind the point, so that equal ones are equal texts."""
    cell = pl.col(name)
    shortened = cell.str.strip_chars_end("0").str.strip_chars_end(".")
    plain = pl.when(cell.str.contains(".", literal=True)).then(shortened).otherwise(cell)
    return pl.when(cell.str.contains(_POINTS)).then(plain)


def _texts(parts: Iterable[pl.Expr]) -> pl.Expr:
    """Return texts that are there with ";" between; null where none is."""
    joined = pl.concat_str(list(parts), separator=";", ignore_nulls=True)
    return pl.when(joined != "").then(joined)
