"""What stands above the data of a sheet: title, unit and date, and a header of one or two rows.

A column is found by its text, never by its place. Where a heading spans several columns
(被担保人 over 名称 and 证件号码), the column is called after both. It makes no difference
whether a tool that saved the workbook once has undone the merging.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.toolkit.text import label
from adapters.toolkit.workbook.cells import shown

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from adapters.toolkit.workbook.grid import Range, Row

__all__ = ["GROUPED", "TOP_ROWS", "Heading", "find", "seen"]

TOP_ROWS: Final = 30
"""How far down a header is looked for: it should be in row 3."""
GROUPED: Final = "·"
"""Between a heading and the name below it."""

_UNSEEN: Final = "C"
"""The category of what nobody sees: controls, marks of direction, characters without a meaning."""
_UNIT: Final = re.compile(
    r"(?<![\u4e00-\u9fff])(?:金额)?单\s*位:\s*(?:人民币)?([^\s,;、。)]*?)(?=截\s*止|[\s,;、。)]|$)"
)
"""Not 编制单位 or 填报单位, which name whoever made the table."""
_DATE: Final = re.compile(r"截\s*止\s*日\s*期:\s*([0-9]{4})\s*[年./-]\s*([0-9]{1,2})\s*[月./-]\s*([0-9]{1,2})")


@dataclass(frozen=True)
class Heading:
    """What was found above the data.

    Args:
        header: the number of the header's first row.
        first: the number of the first row that can hold data.
        names: column number to column name.
        units: what is stated as the unit of amounts, each text once.
        dates: what is stated as the as-of date, as 2024-05-31.
    """

    header: int
    first: int
    names: dict[int, str]
    units: tuple[str, ...]
    dates: tuple[str, ...]


def seen(text: str) -> str:
    """Return a text without what nobody sees; blanks stay."""
    return "".join(
        character for character in text if character.isspace() or unicodedata.category(character)[0] != _UNSEEN
    )


def find(top: Sequence[Row], merges: Sequence[Range], known: Sequence[str], epoch: dt.date) -> Heading | None:
    """Return the heading with the most of the `known` columns, or None where there is none of them.

    Args:
        top: the rows down to `TOP_ROWS`.
        merges: the sheet's ranges of merged cells.
        known: the columns' names, as `text.label` leaves them.
        epoch: day 0 of the workbook's calendar.
    """
    texts = {
        row.number: {column: label(shown(cell, "", epoch)[0] or "") for column, cell in row.cells.items()}
        for row in top
    }
    below = {name.partition(GROUPED)[2] for name in known} - {""}
    found: tuple[int, int, int, dict[int, str]] | None = None
    for number in texts:
        names, depth = _names(number, texts, merges, below, known)
        count = len(set(known) & set(names.values()))
        if count > (found[0] if found else 0):
            found = count, number, number + depth, names
    if found is None:
        return None
    _, header, first, names = found
    above = [
        seen(unicodedata.normalize("NFKC", "  ".join(shown(cell, "", epoch)[0] or "" for cell in row.cells.values())))
        for row in top
        if row.number < header
    ]
    units = dict.fromkeys(unit for line in above for unit in _UNIT.findall(line))
    dates = dict.fromkeys(
        f"{year}-{int(month):02d}-{int(day):02d}" for line in above for year, month, day in _DATE.findall(line)
    )
    return Heading(header, first, names, tuple(units), tuple(dates))


def _names(
    number: int, texts: dict[int, dict[int, str]], merges: Sequence[Range], below: set[str], known: Sequence[str]
) -> tuple[dict[int, str], int]:
    """Return the names of the columns if the header begins in row `number`, and how many rows it has."""
    upper, lower = dict(texts[number]), texts.get(number + 1, {})
    # A heading may be put over columns whose names are agreed on without one.
    both = any(name in known for name in upper.values()) and any(name in known for name in lower.values())
    # By their first cells, since ranges of a sheet that people made do not overlap.
    reaching = {merge.column: merge for merge in merges if merge.row == number and merge.column in upper}
    width = max((*upper, *lower), default=0)
    for merge in reaching.values():
        for column in range(merge.column + 1, min(merge.last_column, width) + 1):
            upper[column] = upper[merge.column]
    deep = [merge for merge in reaching.values() if merge.last_row > number]
    if not (deep or both or below & set(lower.values())):
        return {column: name for column, name in upper.items() if name}, 1
    taken = {column for merge in deep for column in range(merge.column, min(merge.last_column, width) + 1)}
    names = {}
    group = ""
    for column in sorted({*upper, *lower}):
        name = "" if column in taken else lower.get(column, "")
        # A heading counts for the columns to its right until the next one.
        group = upper.get(column) or group
        if name in known:
            names[column] = name
        elif name in below or (name and upper.get(column)):
            names[column] = f"{group}{GROUPED}{name}" if group else name
        elif upper.get(column) or name:
            names[column] = upper.get(column) or name
    return names, max((merge.last_row - number + 1 for merge in deep), default=2)
