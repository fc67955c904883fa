"""From a bank's name, as the company writes it, to the bank's code among the members."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit.reading import FAULTS
from adapters.toolkit.translation import LINE
from huilian.core.errors import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["as_codes", "faults_where_unknown"]

_LIKE_A_BANK: Final = re.compile(r"[\u4e00-\u9fff()（）·]{0,30}(?:银行|信用社|联社|农商行)[\u4e00-\u9fff()（）·]{0,30}")
"""What may be quoted. Columns get mixed up, and then persons and their numbers stand where a bank should."""


def as_codes(name: pl.Expr, table: Mapping[str, str]) -> pl.Expr:
    """Return the banks' codes; null where a name is not in the table."""
    return name.replace_strict(dict(table), default=None, return_dtype=pl.String())


def faults_where_unknown(cells: pl.DataFrame, column: str, table: Mapping[str, str]) -> pl.DataFrame:
    """Return, as `toolkit.reading.FAULTS`, the rows whose bank is not in the table (HL2040).

    Args:
        cells: clean, with their `line`.
        column: the one with the banks' names.
        table: name to code.
    """
    strangers = cells.filter(pl.col(column).is_not_null() & ~pl.col(column).is_in(list(table)))
    if strangers.is_empty():
        return pl.DataFrame(schema=FAULTS)
    messages = {name: describe("HL2040", bank=_quoted(name)) for name in strangers[column].unique()}
    message = pl.col(column).replace_strict(messages, return_dtype=pl.String())
    return strangers.select(LINE, field=pl.lit(column), code=pl.lit("HL2040"), message=message)


def _quoted(name: str) -> str:
    return f"“{name}”" if _LIKE_A_BANK.fullmatch(name) else "（此格内容不像银行名称，不予引用）"
