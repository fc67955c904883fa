"""The beginning of a delimited file: its encoding, its header row, and where the rows start.

The header is the first row in which the agreed names stand; what stands above it, a title, a unit, a
date, is passed over. Names are compared without blanks and invisible characters, full-width ones as
ASCII: `年利率（％）` is `年利率(%)`. Where no header is found, the refusal says what was read instead, in
words that name nobody: a first line may as well be a loan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.toolkit import encodings, grammar
from adapters.toolkit.foreign import refuse_foreign
from adapters.toolkit.names import as_agreed, check_header
from adapters.toolkit.text import clean_name, folded
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.toolkit.cutting import RawPiece
    from adapters.toolkit.encodings import Encoding

__all__ = ["MOST_COLUMNS", "Layout", "read_layout"]

MOST_COLUMNS: Final = 1_000
"""Columns a header may have; time and memory grow with them, whether they are read or not."""
TOP_ROWS: Final = 20
"""Rows that are not blank in which a header is looked for."""
_MOST_IN_TITLE: Final = 4
"""Cells that say something in a row above the header; a row with more may be data."""
_NAMES_SHOWN: Final = 6
_SEPARATORS: Final = {
    "\t": "制表符 (tab)",
    ";": "分号“;” (semicolon)",
    "；": "全角分号“；” (full-width semicolon)",
    "|": "竖线“|” (vertical bar)",
    "｜": "全角竖线“｜” (full-width vertical bar)",
    "，": "全角逗号“，” (full-width comma)",
    "、": "顿号“、” (enumeration comma)",
    "^": "“^” (caret)",
    "~": "“~” (tilde)",
    "\x01": "控制字符 U+0001 (control character)",
    "\x1b": "控制字符 U+001B (control character)",
    "\x1f": "控制字符 U+001F (control character)",
    " ": "空格 (blanks)",
}


@dataclass(frozen=True)
class Layout:
    """What the beginning of a file says of the rest.

    Args:
        encoding: how its bytes become text.
        names: the header's names, clean, in order; those that were agreed on as they were agreed on.
        written: the names as they stand there, clean.
        header: the header row's bytes, without mark and line end.
        line: the physical line the header begins on.
        size: bytes up to the end of the header row, mark and line end included.
        lines: physical lines up to there.
    """

    encoding: Encoding
    names: tuple[str, ...]
    written: tuple[str, ...]
    header: bytes
    line: int
    size: int
    lines: int


class _Row(NamedTuple):
    """One of the first rows.

    Args:
        line: the physical line it begins on.
        start: bytes before it.
        end: bytes up to its end, line end included.
        lines: physical lines it spans.
        cells: in Latin-1; None where its quotes are unbalanced.
    """

    line: int
    start: int
    end: int
    lines: int
    cells: list[str] | None


def read_layout(
    piece: RawPiece | None, file: str, known: Sequence[str], optional: Mapping[str, Sequence[str]] | None = None
) -> Layout:
    """Return the layout that the first piece of a file shows.

    Args:
        piece: the first, or None when the file has none.
        file: its name, for error messages.
        known: the column names that were agreed on.
        optional: the names of columns that may be there besides, each with its other names.

    Raises:
        FileRefused: HL3006, the file is empty; HL3050, it is no text; HL3051, something else than commas parts its
            cells; HL3052, what may be data stands above the header; HL3017, the header's quotes are
            unbalanced; HL3007, its encoding is not known; HL3018, it has too many columns; HL3003,
            HL3004, columns are missing or repeated.
    """
    data = b"" if piece is None else piece.data
    refuse_foreign(data, file)
    mark = data[: len(data) - len(encodings.without_mark(data))]
    rows = _top(data, len(mark))
    if not rows:
        raise FileRefused("HL3006", file=file)
    place, encoding = _header(data, mark, rows, known)
    row = rows[place]
    if row.cells is None:
        raise FileRefused("HL3017", file=file, line=row.line)
    if encoding is None:
        raise FileRefused("HL3007", file=file, encodings=encodings.ENCODINGS)
    if len(row.cells) > MOST_COLUMNS:
        raise FileRefused("HL3018", file=file, found=len(row.cells), limit=MOST_COLUMNS)
    agreed = {folded(name): name for name in known}
    written = tuple(clean_name(cell.encode("latin-1").decode(encoding.codec, "replace")) for cell in row.cells)
    names = as_agreed([agreed.get(folded(cell), cell) for cell in written], optional or {})
    if not agreed.keys() & {folded(name) for name in names}:
        _refuse_separator(data, rows, file, known)
    check_header(names, file, known, optional=optional or {}, read=_told(row, names, known))
    for above in rows[:place]:
        if above.cells is None or sum(bool(cell.strip()) for cell in above.cells) > _MOST_IN_TITLE:
            raise FileRefused("HL3052", file=file, line=above.line, header=row.line)
    header = data[row.start : row.end].removesuffix(b"\n").removesuffix(b"\r")
    return Layout(encoding, names, written, header, row.line, row.end, row.line + row.lines - 1)


def _top(data: bytes, start: int) -> list[_Row]:
    """Return the first rows that are not blank."""
    lines = [part.decode("latin-1") for part in data[start : start + grammar.LONGEST_ROW].split(b"\n")]
    rows: list[_Row] = []
    place = 0
    # Behind the last line's end stands nothing.
    while place < max(len(lines) - 1, 1) and len(rows) < TOP_ROWS:
        if not lines[place].strip(" \t\r"):
            start, place = start + len(lines[place]) + 1, place + 1
            continue
        found = grammar.extent(lines, place, at_end=True)
        spans, cells = (1, None) if found is None else (found.lines, found.cells)
        end = start + sum(len(part) + 1 for part in lines[place : place + spans])
        rows.append(_Row(place + 1, start, min(end, len(data)), spans, cells))
        start, place = end, place + spans
    return rows


def _header(data: bytes, mark: bytes, rows: Sequence[_Row], known: Sequence[str]) -> tuple[int, Encoding | None]:
    """Return which of `rows` has most of the agreed names, the first where there is none, and its encoding."""
    best, found = 0, 0
    for place, row in enumerate(rows):
        names = encodings.names_in(data[row.start : row.end], known)
        if names > found:
            best, found = place, names
        if found == len(known):
            break
    row = rows[best]
    return best, encodings.detect(mark + data[row.start : row.end], known)


def _refuse_separator(data: bytes, rows: Sequence[_Row], file: str, known: Sequence[str]) -> None:
    """Refuse a file whose header shows when something else than a comma parts it.

    Raises:
        FileRefused: HL3051.
    """
    agreed = {folded(name): name for name in known}
    for row in rows:
        for codec in encodings.CODECS:
            text = data[row.start : row.end].decode(codec, "replace")
            for separator, chinese in _SEPARATORS.items():
                cells = [folded(clean_name(cell.strip().strip('"'))) for cell in text.split(separator)]
                names = [agreed[cell] for cell in cells if cell in agreed]
                if len(names) > 1:
                    columns = sum(bool(cell) for cell in cells)
                    raise FileRefused(
                        "HL3051", file=file, line=row.line, separator=chinese, found=columns, columns=_some(names)
                    )


def _told(row: _Row, names: Sequence[str], known: Sequence[str]) -> str:
    """Return in words what was read as the header; names that nobody agreed on may as well be persons'."""
    there = [name for name in known if name in names]
    return f"第 {row.line} 行读到 {len(names)} 列，其中约定的 {len(there)} 列" + (f"：{_some(there)}" if there else "")


def _some(names: Sequence[str]) -> str:
    return "、".join(names[:_NAMES_SHOWN]) + (" 等" if len(names) > _NAMES_SHOWN else "")
