"""Records that keep a contract, drawn by hypothesis for any schema of fields by themselves."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from hypothesis import strategies as st
from stdnum.cn import uscc

from adapters.toolkit import characters
from huilian.records import fields as f
from huilian.records.columnar import wire_types

if TYPE_CHECKING:
    from collections.abc import Callable

    import marshmallow as ma

CHARACTERS: Final = st.characters(
    min_codepoint=0x20, exclude_characters=["\x7f", *characters._STANDARD], exclude_categories=["Cs"]
)
"""Whatever text may hold: all of Unicode but control characters, and but the private characters of which GB18030 has
standard ones: no record holds those, since they are read as the standard ones."""
AWKWARD: Final = st.text(st.sampled_from("=+-@＝＋－＠' \u00a0\u3000\u200b\ufeff,;|\"䶮𠅤1a"), min_size=1, max_size=12)
"""Text of what spreadsheets, separators and encodings stumble over."""


def _text(field: f.Text) -> st.SearchStrategy[str]:
    if field.pattern:
        return st.from_regex(field.pattern, fullmatch=True).filter(lambda text: 0 < len(text) <= field.longest)
    longest = st.text(CHARACTERS, min_size=1, max_size=field.longest)
    return longest | AWKWARD.map(lambda text: text[: field.longest])


def _money(field: f.Money) -> st.SearchStrategy[str]:
    most = 10 ** (field.digits + 2) - 1
    return st.integers(-most if field.may_be_negative else 0, most).map(
        lambda fen: f"{'-' * (fen < 0)}{abs(fen) // 100}.{abs(fen) % 100:02d}"
    )


def _identity(place: int, born: dt.date, order: int) -> str:
    body = f"{place}{born:%Y%m%d}{order:03d}"
    total = sum(int(digit) * 2 ** (17 - position) for position, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def _credit_code(body: str) -> str:
    return body + uscc.calc_check_digit(body)


_BY_KIND: Final[dict[type, Callable[[Any], st.SearchStrategy[Any]]]] = {
    f.Code: lambda field: st.sampled_from(list(field.labels)),
    f.Money: _money,
    f.Date: lambda _: st.dates(dt.date(1900, 1, 1)).map(dt.date.isoformat),
    f.Whole: lambda _: st.integers(0, f.WHOLE_LIMIT),
    f.RegionCode: lambda _: st.from_regex(f.REGION_PATTERN, fullmatch=True),
    f.IdentityNumber: lambda _: st.builds(
        _identity, st.integers(110000, 659999), st.dates(dt.date(1900, 1, 1), dt.date(2024, 1, 1)), st.integers(0, 999)
    ),
    f.CreditCode: lambda _: st.integers(0, 99_999).map(lambda number: _credit_code(f"93341599MA2H{number:05d}")),
    f.Text: _text,
    f.Digest: _text,
}


def _values(field: ma.fields.Field[Any]) -> st.SearchStrategy[Any]:
    found = _BY_KIND[type(field)](field)
    return st.none() | found if field.allow_none else found


@functools.cache  # made once: making a strategy takes as long as drawing from it
def frames(schema: type[ma.Schema], *, most: int = 5) -> st.SearchStrategy[pl.DataFrame]:
    """Return frames in wire types of at most `most` records that keep `schema`."""
    types = wire_types(schema)
    record = st.fixed_dictionaries({name: _values(field) for name, field in schema().fields.items()})
    return st.lists(record, max_size=most).map(lambda records: pl.DataFrame(records, schema=types))
