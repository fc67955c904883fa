"""The delimited text that county systems write: GB18030, CRLF, quotes only where a cell needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["ENCODING", "NEWLINE", "Row", "money_text", "trailer_line", "write"]

ENCODING: Final = "gb18030"
NEWLINE: Final = "\r\n"
TRAILER: Final = "合计"
_WRAPPERS: Final = ('="', '"=""')
"""How a cell begins that was wrapped to stay text in a spreadsheet, bare and quoted: it is written as it stands."""


@dataclass(frozen=True)
class Row:
    """One data row.

    Args:
        cells: what is printed, by column; a column that is not named is printed empty.
        amounts: the fen the institution counts in its trailer, whatever the cells say.
    """

    cells: Mapping[str, str]
    amounts: tuple[int, ...] = ()

    def with_cell(self, column: str, text: str) -> Row:
        """Return the row with another text in `column`; what is counted stays."""
        return Row({**self.cells, column: text}, self.amounts)


def money_text(fen: int) -> str:
    """Return `fen` as yuan the way a core system prints them: "50,000.00"."""
    return f"{fen // 100:,}.{fen % 100:02}"


def write(
    path: Path,
    header: Sequence[str],
    rows: Sequence[Row],
    *,
    sums: int | None = 2,
    repeat_header_before: int | None = None,
    blank_lines: int = 0,
) -> list[int]:
    """Write a table and return the physical line each row begins on, the header being line 1.

    Args:
        path: the file; one of that name is overwritten.
        header: the columns, in the order they are printed.
        rows: what stands below it.
        sums: how many amounts the line of totals adds up; None when there is no such line.
        repeat_header_before: print the header once more before the row at this position.
        blank_lines: how many empty lines follow the last.
    """
    printed = [_line(header)]
    line = 2
    begins = []
    for position, row in enumerate(rows):
        if position == repeat_header_before:
            printed.append(_line(header))
            line += 1
        begins.append(line)
        text = _line([row.cells.get(column, "") for column in header])
        printed.append(text)
        line += 1 + text.count("\n")
    if sums is not None:
        totals = [sum(row.amounts[place] for row in rows) for place in range(sums)]
        printed.append(trailer_line(len(rows), totals, len(header)))
    text = NEWLINE.join([*printed, *[""] * (1 + blank_lines)])
    path.write_bytes(text.encode(ENCODING))
    return begins


def trailer_line(rows: int, sums: Sequence[int], width: int) -> str:
    """Return the line of totals (合计): the number of rows, the sums in fen, and empty cells up to `width`."""
    totals = [TRAILER, str(rows), *(money_text(fen) for fen in sums)]
    return _line([*totals, *[""] * (width - len(totals))])


def _line(cells: Sequence[str]) -> str:
    return ",".join(_quoted(cell) for cell in cells)


def _quoted(cell: str) -> str:
    if cell.startswith(_WRAPPERS) or not any(mark in cell for mark in ',"\r\n'):
        return cell
    return '"' + cell.replace('"', '""') + '"'
