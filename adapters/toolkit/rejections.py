"""Turning errors in canonical terms into rejections in the source's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit.certificates import explained
from adapters.toolkit.translation import LINE, Codes, Translation
from huilian.adapters import REJECTIONS
from huilian.core.errors import describe
from huilian.records.fields import _Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.records.record import Record

__all__ = ["reject", "unknown_code"]

_OF_FILES: Final = {"HL2003": "不是有效日期（应为 20240531、2024-05-31 或 2024/5/31，不带时间）"}
"""Chinese messages by code where files may say more than records: the forms that `translation.any_day` reads."""


def reject(
    errors: pl.DataFrame,
    faults: pl.DataFrame,
    canonical: pl.DataFrame,
    *,
    translation: Translation,
    record: type[Record],
    reference: str,
    wording: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return all errors of a piece's rows as `huilian.adapters.REJECTIONS`, by line, then by column.

    Args:
        errors: as `huilian.records.columnar.ERRORS`.
        faults: as `adapters.toolkit.reading.FAULTS`.
        canonical: the rows both speak of.
        translation: names the source's column of every canonical field.
        record: what the rows were held against.
        reference: the field that carries a row's own number; it is shown where it is well formed.
        wording: Chinese messages by code in place of the catalogue's, where the source's units are its own.
    """
    if errors.is_empty() and faults.is_empty():
        return pl.DataFrame(schema=REJECTIONS)
    errors = explained(errors, canonical)
    sources = {column.target: column.source for column in translation.columns}
    texts = {code: describe(code) for code in errors["code"].unique().to_list()} | _OF_FILES | dict(wording or {})
    message = pl.col("code").replace_strict(texts, return_dtype=pl.String)
    for column in translation.columns:
        if isinstance(column.kind, Codes):
            unknown = (pl.col("field") == column.target) & (pl.col("code") == "HL2005")
            message = pl.when(unknown).then(pl.lit(unknown_code(column.kind))).otherwise(message)
    named = errors.select(LINE, pl.col("field").replace(sources), "code", message.alias("message"))
    # What is wrong with a cell that could not even be read says nothing more.
    named = named.join(faults, on=[LINE, "field"], how="anti")
    order = {name: place for place, name in enumerate(sources.values())}
    return (
        pl.concat([faults, named])
        .join(_references(canonical, record, reference), on=LINE, how="left")
        .with_columns(pl.col("field").replace_strict(order, default=-1, return_dtype=pl.Int64).alias("place"))
        .sort(LINE, "place", maintain_order=True)
        .select(REJECTIONS.names())
        .cast(REJECTIONS)
    )


def unknown_code(kind: Codes) -> str:
    """Return the message for a cell with none of the codes that its column may have."""
    return f"{describe('HL2005')}（应为 {kind.asked}）"


def _references(canonical: pl.DataFrame, record: type[Record], field: str) -> pl.DataFrame:
    kind = record().fields[field]
    assert isinstance(kind, _Field)  # noqa: S101  # narrows the type; every record is made of ours
    malformed = pl.any_horizontal([expression for _, expression in kind.checks(field)])
    return canonical.select(LINE, pl.when(~malformed).then(pl.col(field)).alias("reference"))
