"""From records to texts: fields are cut by bytes first and decoded afterwards, a column at a time.

The other order would be wrong: half a character at the end of one field would take the
first byte of the next one with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.postal_savings_bank.layout import DETAIL, ENCODING, FREE_TEXTS, whole_characters
from adapters.toolkit.characters import is_utf_8, sound, with_unsound
from adapters.toolkit.text import clean
from adapters.toolkit.translation import FAULTS, LINE
from huilian.core.errors import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adapters.postal_savings_bank.layout import Place

__all__ = ["RECORD", "cells"]

RECORD: Final = "record"
"""The column of a frame that holds the bytes of a record, without its line end."""

_UNREADABLE: Final = "\ufffd"
_NUL: Final = b"\x00"
_WIDTHS: Final = {place.name: place.width for place in DETAIL if place.name in FREE_TEXTS}

_Fault = tuple[int, str, str, str]


def cells(records: pl.DataFrame, fields: Sequence[Place] = DETAIL) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the fields of details as texts, and what of them cannot be read.

    Args:
        records: `line` and `record`, all of full length.
        fields: of a detail.

    Returns:
        `line` and a column for each of the fields, clean, null where empty; and the faults, as `reading.FAULTS`.
    """
    record = pl.col(RECORD)
    cut = (
        records.lazy()
        .select(LINE, *(record.bin.slice(p.start, p.width).alias(p.name) for p in fields))
        .collect(engine="in-memory")
    )
    found: list[_Fault] = []
    texts = [_texts(cut[place.name], cut[LINE], found) for place in fields]
    faults = pl.DataFrame(found, schema=FAULTS, orient="row")
    frame = clean(pl.DataFrame([cut[LINE], *texts]), LINE, wrappers=False)
    controls = records.select(record.bin.contains(_NUL).any()).item()
    frame, unsound = sound(frame, ENCODING, data=_NUL if controls else b"", widths=_WIDTHS)
    return frame, with_unsound(faults, unsound)


def _texts(column: pl.Series, lines: pl.Series, faults: list[_Fault]) -> pl.Series:
    """Return `column` decoded, noting faults: most columns are ASCII, and most others free of faults."""
    try:
        ascii_texts = column.cast(pl.String)
    except pl.exceptions.ComputeError:
        pass
    else:
        # Two characters in GBK may look like UTF-8; ASCII is the same in both.
        if (ascii_texts.str.len_bytes() == ascii_texts.str.len_chars()).all():
            return ascii_texts
    found: list[bytes] = column.to_list()
    try:
        # No field holds the LF that parts them here, since records end with it.
        return pl.Series(column.name, b"\n".join(found).decode(ENCODING).split("\n"))
    except UnicodeDecodeError:
        return pl.Series(column.name, _one_by_one(column.name, zip(lines, found, strict=True), faults))


def _one_by_one(name: str, column: Iterable[tuple[int, bytes]], faults: list[_Fault]) -> list[str]:
    texts = []
    for line, cell in column:
        try:
            text = cell.decode(ENCODING)
        except UnicodeDecodeError:
            text, code = _damaged(cell.rstrip(b" "), is_free_text=name in FREE_TEXTS)
            if code is not None:
                faults.append((line, name, code, describe(code)))
        texts.append(text)
    return texts


def _damaged(cell: bytes, *, is_free_text: bool) -> tuple[str, str | None]:
    """Return what can be read of `cell`, and the code of its fault, if it is one.

    A name or purpose that was cut where its field ends has lost its end to the layout already;
    the half character goes with it. A number without its end would be another number, and an odd number of
    bytes may be UTF-8 as well.
    """
    try:
        text = whole_characters(cell)
    except UnicodeDecodeError:
        return cell.decode(ENCODING, "replace"), "HL2016"
    if not is_free_text:
        return text + _UNREADABLE, "HL2034"
    return text, "HL2016" if is_utf_8(cell) else None
