"""Which sheet is which: by the name on its tab, or else by the columns of its header."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.toolkit.names import check_header
from adapters.toolkit.text import clean_name
from adapters.toolkit.workbook import grid, heading
from adapters.toolkit.workbook.heading import TOP_ROWS, Heading
from huilian.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adapters.toolkit.workbook.container import Container, Worksheet
    from adapters.toolkit.workbook.grid import Range, Row

__all__ = ["Sheet", "find", "opened"]

MOST_NAMES: Final = 10
"""Names of sheets that an error message lists."""
LONGEST_NAME: Final = 31
"""Characters a spreadsheet allows on a tab."""


@dataclass(frozen=True)
class Sheet:
    """A sheet that was recognised.

    Args:
        name: on its tab; it may be another than was agreed on.
        file: the file's name with the sheet's, for error messages.
        part: of the archive.
        merges: its ranges of merged cells.
        heading: what stands above its data.
        places: the known columns' names to their numbers.
    """

    name: str
    file: str
    part: str
    merges: Sequence[Range]
    heading: Heading
    places: Mapping[str, int]

    def field(self, column: str) -> str:
        """Return what a rejection calls a column of this sheet: 在保明细·担保金额."""
        return f"{self.name}{heading.GROUPED}{column}"

    def data(self, container: Container) -> Iterator[Row]:
        """Yield the rows below the header."""
        return itertools.dropwhile(lambda row: row.number < self.heading.first, grid.rows(container, self.part))


def find(container: Container, columns: Mapping[str, Sequence[str]]) -> dict[str, Sheet]:
    """Return the sheets by the names that were agreed on.

    Args:
        container: the open workbook.
        columns: the sheets' names, each with the names of the columns it must have.

    Raises:
        FileRefused: HL3025, a sheet is missing; HL3026, several could be the same one;
            HL3003, HL3004, columns are missing or repeated; HL3010, the workbook cannot be read.
    """
    by_name: dict[str, list[Worksheet]] = {}
    for sheet in container.sheets:
        by_name.setdefault(_name(sheet), []).append(sheet)
    others = [sheet for sheet in container.sheets if _name(sheet) not in columns]
    found = {}
    for name, known in columns.items():
        candidates = by_name.get(name) or [sheet for sheet in others if _has_columns(container, sheet, known)]
        if not candidates:
            there = _listed([_name(sheet) for sheet in container.sheets])
            raise FileRefused("HL3025", file=container.file, sheet=name, found=there)
        if len(candidates) > 1:
            there = _listed([_name(sheet) for sheet in candidates])
            raise FileRefused("HL3026", file=container.file, sheet=name, found=there)
        found[name] = opened(container, candidates[0], known)
    return found


def opened(container: Container, sheet: Worksheet, known: Sequence[str]) -> Sheet:
    """Return `sheet` with its heading.

    Raises:
        FileRefused: HL3003, HL3004, columns are missing or repeated; HL3010, it cannot be read.
    """
    file = f"{container.file} 的工作表 {_name(sheet)}"
    merges = grid.merged_ranges(container, sheet.part)
    there = _heading(container, sheet, merges, known)
    names = there.names if there else {}
    check_header(list(names.values()), file, known)
    if there is None:
        raise FileRefused("HL3006", file=file)
    places = {name: column for column, name in names.items()}
    return Sheet(_name(sheet), file, sheet.part, merges, there, {name: places[name] for name in known})


def _heading(container: Container, sheet: Worksheet, merges: Sequence[Range], known: Sequence[str]) -> Heading | None:
    rows = grid.rows(container, sheet.part)
    top = list(itertools.takewhile(lambda row: row.number <= TOP_ROWS, rows))
    return heading.find(top, merges, known, container.epoch)


def _has_columns(container: Container, sheet: Worksheet, known: Sequence[str]) -> bool:
    found = _heading(container, sheet, grid.merged_ranges(container, sheet.part), known)
    return found is not None and set(known) <= set(found.names.values())


def _name(sheet: Worksheet) -> str:
    return clean_name(sheet.name)[:LONGEST_NAME]


def _listed(names: Sequence[str]) -> str:
    return "、".join(names[:MOST_NAMES]) + ("…" if len(names) > MOST_NAMES else "")
