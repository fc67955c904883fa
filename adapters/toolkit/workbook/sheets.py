"""Which sheet is which: by the name on its tab, or else by the columns of its header.

No sheet of the kind that is wanted is passed over in silence: neither a second one, nor one that
lacks a column, nor one that goes on where another ends, without a header of its own, nor one that is
named like the wanted one, or lists persons by their numbers, under a header that is not understood.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.toolkit.names import as_agreed, check_header
from adapters.toolkit.text import BLANKS, label
from adapters.toolkit.workbook import grid, heading
from adapters.toolkit.workbook.cells import is_blank
from adapters.toolkit.workbook.heading import TOP_ROWS, Heading
from huilian.core.errors import FileRefused
from huilian.core.identity import is_identity_number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from adapters.toolkit.workbook.cells import Cell
    from adapters.toolkit.workbook.container import Container, Worksheet
    from adapters.toolkit.workbook.grid import Range, Row

__all__ = ["Sheet", "find", "find_all"]

MOST_NAMES: Final = 10
"""Names of sheets that an error message lists."""
LONGEST_NAME: Final = 31
"""Characters a spreadsheet allows on a tab."""
_HIDDEN: Final = "已隐藏"
_SPACED: Final = "名称带空格或看不见的字符"
_WITHOUT_HEADER: Final = "没有表头"
_NAMED_ALIKE: Final = "名称相近，表头不是约定的"
_OF_PERSONS: Final = "有身份证号码，表头不是约定的"
_SHORTEST: Final = 3
"""Characters of the number of a contract or a loan."""


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


def find(container: Container, columns: Mapping[str, Sequence[str]], keys: Sequence[str] = ()) -> dict[str, Sheet]:
    """Return the sheets by the names that were agreed on.

    Args:
        container: the open workbook.
        columns: the sheets' names, each with the names of the columns it must have.
        keys: the columns by which rows of data are told from others where there is no header.

    Raises:
        FileRefused: HL3006, nothing is in any sheet; HL3025, a sheet is missing; HL3026, several could be the same
            one; HL3003, HL3004, columns are missing or repeated; HL3010, the workbook cannot be read.
    """
    tops = _tops(container)
    others = [top for top in tops if label(top.sheet.name) not in columns]
    found = {}
    for name, known in columns.items():
        named = [top for top in tops if label(top.sheet.name) == name]
        alike = [top for top in others if top.has_all(known)]
        with_data = [top for top in alike if top.has_data(known)]
        candidates = [*named, *(with_data or ([] if named else alike))]
        if not candidates:
            raise FileRefused("HL3025", file=container.file, sheet=name, found=_listed(container.sheets))
        if len(candidates) > 1:
            there = _listed([top.sheet for top in candidates])
            raise FileRefused("HL3026", file=container.file, sheet=name, found=there)
        found[name] = _opened(container, candidates[0], known)
        _refuse_lost(container, others, [found[name]], named=name, known=known, keys=keys)
    parts = {sheet.part for sheet in found.values()}
    for name, known in columns.items():
        for top in others:
            if top.sheet.part not in parts and label(top.sheet.name).startswith(name) and top.has_rows(known):
                raise _lost(container, name, {found[name].part}, top, _NAMED_ALIKE)
    return found


def find_all(
    container: Container,
    name: str,
    known: Sequence[str],
    keys: Sequence[str],
    optional: Mapping[str, Sequence[str]] | None = None,
) -> list[Sheet]:
    """Return every sheet with the columns of one kind, in the workbook's order, those without data left out.

    Where there is no data at all, the first of them is returned.

    Args:
        container: the open workbook.
        name: what the sheet should be called, for error messages.
        known: the names of its columns.
        keys: the columns by which rows of data are told from others where there is no header.
        optional: the names of columns that may be there, each with its other names.

    Raises:
        FileRefused: HL3026, a hidden sheet has data like the others, two have one name, or another one would be lost;
            HL3003, HL3004, columns are missing or repeated, named with the sheet that has most of them; HL3006, HL3025,
            no sheet has any; HL3010, it cannot be read.
    """
    tops = _tops(container, _all_names(optional))
    alike = [top for top in tops if top.has_all(known)]
    if not alike:
        best = max(tops, key=lambda top: top.count(known))
        if not best.count(known):
            raise FileRefused("HL3025", file=container.file, sheet=name, found=_listed(container.sheets))
        return [_opened(container, best, known, optional)]
    with_data = [top for top in alike if top.has_data(known)] or alike[:1]
    names = {_name(top.sheet) for top in with_data}
    if len(with_data) > 1 and (any(top.sheet.hidden for top in with_data) or len(names) < len(with_data)):
        raise FileRefused("HL3026", file=container.file, sheet=name, found=_listed([top.sheet for top in with_data]))
    found = [_opened(container, top, known, optional) for top in with_data]
    others = [top for top in tops if top not in alike]
    _refuse_lost(container, others, found, named=name, known=known, keys=keys)
    for top in others:
        if not top.sheet.hidden and top.has_persons():
            raise _lost(container, name, {sheet.part for sheet in found}, top, _OF_PERSONS)
    return found


def _all_names(optional: Mapping[str, Sequence[str]] | None) -> list[str]:
    return [name for agreed, also in (optional or {}).items() for name in (agreed, *also)]


def _tops(container: Container, optional: Sequence[str] = ()) -> list[_Top]:
    """Return the tops of all sheets.

    Raises:
        FileRefused: HL3006, nothing is in any of them.
    """
    tops = [_Top(container, sheet, optional) for sheet in container.sheets]
    if all(top.is_blank() for top in tops):
        raise FileRefused("HL3006", file=container.file)
    return tops


def _opened(
    container: Container, top: _Top, known: Sequence[str], optional: Mapping[str, Sequence[str]] | None = None
) -> Sheet:
    sheet = top.sheet
    file = f"{container.file} 的工作表 {_name(sheet)}"
    there = top.heading([*known, *_all_names(optional)])
    names = as_agreed(list(there.names.values()), optional or {}) if there else ()
    check_header(names, file, known, optional=optional or {})
    if there is None:
        raise FileRefused("HL3006", file=file)
    places = dict(zip(names, there.names, strict=True))
    present = {name: places[name] for name in (*known, *(optional or {})) if name in places}
    return Sheet(_name(sheet), file, sheet.part, top.merges, there, present)


class _Top:
    """The rows at the top of a sheet, where its header is.

    Args:
        container: the open workbook.
        sheet: one of its sheets.
        optional: the names of columns that may be there besides those that are asked for.
    """

    def __init__(self, container: Container, sheet: Worksheet, optional: Sequence[str] = ()) -> None:
        self.sheet = sheet
        self.merges = grid.merged_ranges(container, sheet.part)
        rows = grid.rows(container, sheet.part)
        self.rows = [
            row
            for row in itertools.takewhile(lambda row: row.number <= TOP_ROWS, rows)
            if any(not is_blank(cell) for cell in row.cells.values())
        ]
        self._container = container
        self._optional = optional

    def is_blank(self) -> bool:
        """Return whether nothing is in the sheet, however far down."""
        cells = (cell for row in grid.rows(self._container, self.sheet.part) for cell in row.cells.values())
        return not self.rows and all(is_blank(cell) for cell in cells)

    def heading(self, known: Sequence[str]) -> Heading | None:
        """Return the heading with the most of the columns, or None where there is none of them."""
        return heading.find(self.rows, self.merges, [*known, *self._optional], self._container.epoch)

    def count(self, known: Sequence[str]) -> int:
        """Return how many of the columns it has."""
        found = self.heading(known)
        return len(set(known) & set(found.names.values())) if found else 0

    def has_all(self, known: Sequence[str]) -> bool:
        """Return whether it has all columns."""
        return self.count(known) == len(known)

    def has_most(self, known: Sequence[str]) -> bool:
        """Return whether it has two thirds of the columns or more."""
        return 3 * self.count(known) >= 2 * len(known)

    def has_data(self, known: Sequence[str]) -> bool:
        """Return whether a row below the header has something in two of the columns or more."""
        found = self.heading(known)
        if found is None:
            return False
        places = {place for place, name in found.names.items() if name in known}
        rows = itertools.dropwhile(lambda row: row.number < found.first, grid.rows(self._container, self.sheet.part))
        return any(sum(not is_blank(row.cells[place]) for place in places & row.cells.keys()) > 1 for row in rows)

    def has_rows(self, known: Sequence[str]) -> bool:
        """Return whether it has rows as full as data, one at least below what may be its header."""
        found = self.heading(known)
        rows = [row for row in self.rows if found is None or row.number >= found.first]
        filled = [row for row in rows if 2 * sum(not is_blank(cell) for cell in row.cells.values()) >= len(known)]
        return len(filled) > (found is None)

    def has_persons(self) -> bool:
        """Return whether a column has the identity numbers of residents in two rows or more."""
        numbers = Counter(
            column
            for row in self.rows
            for column, cell in row.cells.items()
            if cell.kind == "text" and is_identity_number(cell.raw.strip(BLANKS).upper())
        )
        return any(count > 1 for count in numbers.values())

    def goes_on(self, other: Sheet, keys: Sequence[str]) -> bool:
        """Return whether it has rows like those of another sheet: its keys are numbers, most columns are filled."""
        places = set(other.places.values())
        numbers = [other.places[key] for key in keys]
        return any(
            3 * sum(not is_blank(row.cells[place]) for place in places & row.cells.keys()) >= 2 * len(places)
            and all(place in row.cells and _is_number_of_a_thing(row.cells[place]) for place in numbers)
            for row in self.rows
        )


def _is_number_of_a_thing(cell: Cell) -> bool:
    return len(cell.raw) >= _SHORTEST and any(character.isdigit() for character in cell.raw)


def _refuse_lost(
    container: Container,
    tops: Sequence[_Top],
    found: Sequence[Sheet],
    *,
    named: str,
    known: Sequence[str],
    keys: Sequence[str],
) -> None:
    """Refuse a workbook with another sheet that holds the same kind of data and would not be read.

    Raises:
        FileRefused: HL3026, naming both.
    """
    parts = {sheet.part for sheet in found}
    for top in tops:
        if top.sheet.part in parts:
            continue
        without = keys and not top.count(known) and any(top.goes_on(sheet, keys) for sheet in found)
        if without or (top.has_most(known) and not top.has_all(known) and top.has_data(known)):
            raise _lost(container, named, parts, top, _WITHOUT_HEADER if without else "缺列")


def _lost(container: Container, named: str, parts: Collection[str], top: _Top, note: str) -> FileRefused:
    """Return the error that names the sheets that were found, and the one that would be lost."""
    sheets = [sheet for sheet in container.sheets if sheet.part in parts]
    there = _listed([*sheets, top.sheet], {top.sheet.part: note})
    return FileRefused("HL3026", file=container.file, sheet=named, found=there)


def _name(sheet: Worksheet) -> str:
    return heading.seen(sheet.name).strip()[:LONGEST_NAME]


def _listed(sheets: Sequence[Worksheet], notes: Mapping[str, str] | None = None) -> str:
    """Return the names of sheets, each with what its name does not show."""
    return "、".join(_described(sheet, notes or {}) for sheet in sheets[:MOST_NAMES]) + (
        "…" if len(sheets) > MOST_NAMES else ""
    )


def _described(sheet: Worksheet, notes: Mapping[str, str]) -> str:
    shown = _name(sheet)
    remarks = [_HIDDEN] if sheet.hidden else []
    remarks += [_SPACED] if sheet.name != label(sheet.name) else []
    remarks += [notes[sheet.part]] if sheet.part in notes else []
    return f"“{shown}”（{'，'.join(remarks)}）" if remarks else shown
