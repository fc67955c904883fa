"""Makes workbooks part by part, as programs write them that no library imitates, with invented persons."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from tests.support.builders.delimited_files import ROSTER, identity_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ROSTER_BOOK: Final = "花名册_341599_20240101.xlsx"
MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_MAIN: Final = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_OFFICE: Final = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Content = str | int | None
"""A cell: a text, a number, nothing; or XML that begins with `<c`, with {place} for its place."""


@dataclass(frozen=True)
class Tab:
    """A sheet in the making.

    Args:
        rows: the cells of each row; an empty row is left out.
        name: on its tab.
        merges: ranges of merged cells.
        before: XML before the rows.
        state: "hidden" or "veryHidden".
        placed: whether rows and cells say where they are.
    """

    rows: Sequence[Sequence[Content]]
    name: str = "花名册"
    merges: Sequence[str] = ()
    before: str = ""
    state: str = "visible"
    placed: bool = True

    def xml(self, main: str) -> str:
        """Return the part."""
        rows = "".join(self._row(number, cells) for number, cells in enumerate(self.rows, 1) if cells)
        merges = "".join(f'<mergeCell ref="{merge}"/>' for merge in self.merges)
        after = f"<mergeCells>{merges}</mergeCells>" if merges else ""
        return f'{_DECLARATION}<worksheet xmlns="{main}">{self.before}<sheetData>{rows}</sheetData>{after}</worksheet>'

    def _row(self, number: int, cells: Sequence[Content]) -> str:
        written = "".join(self._cell(f"{_ALPHABET[column]}{number}", content) for column, content in enumerate(cells))
        return f'<row r="{number}">{written}</row>' if self.placed else f"<row>{written}</row>"

    def _cell(self, place: str, content: Content) -> str:
        at = f' r="{place}"' if self.placed else ""
        if content is None:
            return "" if self.placed else "<c/>"
        if isinstance(content, int):
            return f"<c{at}><v>{content}</v></c>"
        if content.startswith("<c"):
            return content.replace("{place}", place)
        return f'<c{at} t="inlineStr"><is><t xml:space="preserve">{escape(content)}</t></is></c>'


@dataclass(frozen=True)
class Archive:
    """A workbook in the making; every part of it can be spoilt.

    Args:
        tabs: its sheets.
        formats: codes of number formats; the first is style 1.
        texts: what its sheets share, as XML of each `si`.
        inside: XML inside the workbook's part, before the sheets and behind them.
        strict: whether it keeps ISO/IEC 29500 strict.
        names: other names for parts, by the usual ones.
        targets: other targets of relations, by the usual ones.
        further: parts more, by name.
    """

    tabs: Sequence[Tab]
    formats: Sequence[str] = ()
    texts: Sequence[str] = ()
    inside: tuple[str, str] = ("<workbookPr/>", "")
    strict: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    further: Mapping[str, bytes] = field(default_factory=dict)

    def save(self, path: Path) -> Path:
        """Write the workbook."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in (self._parts() | dict(self.further)).items():
                archive.writestr(self.names.get(name, name), content)
        return path

    def _parts(self) -> dict[str, str | bytes]:
        main, office = (STRICT_MAIN, STRICT_OFFICE) if self.strict else (MAIN, OFFICE)
        sheets = [f"worksheets/sheet{number}.xml" for number in range(1, len(self.tabs) + 1)]
        listed = "".join(
            f'<sheet name={quoteattr(tab.name)} sheetId="{number}" state="{tab.state}" r:id="rId{number}"/>'
            for number, tab in enumerate(self.tabs, 1)
        )
        before, behind = self.inside
        related = [(sheet, "worksheet") for sheet in sheets]
        related += [("styles.xml", "styles"), ("sharedStrings.xml", "sharedStrings")]
        codes = "".join(
            f'<numFmt numFmtId="{164 + place}" formatCode={quoteattr(code)}/>'
            for place, code in enumerate(self.formats)
        )
        styles = "".join(f'<xf numFmtId="{164 + place}"/>' for place in range(len(self.formats)))
        return {
            "_rels/.rels": self._relations([("xl/workbook.xml", "officeDocument")], office),
            "xl/workbook.xml": f'{_DECLARATION}<workbook xmlns="{main}" xmlns:r="{office}">{before}'
            f"<sheets>{listed}</sheets>{behind}</workbook>",
            "xl/_rels/workbook.xml.rels": self._relations(related, office),
            "xl/styles.xml": f'<styleSheet xmlns="{main}"><numFmts>{codes}</numFmts>'
            f'<cellXfs><xf numFmtId="0"/>{styles}</cellXfs></styleSheet>',
            "xl/sharedStrings.xml": f'<sst xmlns="{main}">{"".join(self.texts)}</sst>',
            **{f"xl/{sheet}": tab.xml(main) for sheet, tab in zip(sheets, self.tabs, strict=True)},
        }

    def _relations(self, related: Sequence[tuple[str, str]], office: str) -> str:
        listed = "".join(
            f'<Relationship Id="rId{number}" Type="{office}/{kind}" Target="{self.targets.get(target, target)}"/>'
            for number, (target, kind) in enumerate(related, 1)
        )
        return f'<Relationships xmlns="{PACKAGE}">{listed}</Relationships>'


def person(number: int, **changes: Content) -> list[Content]:
    """Return the cells of the invented person `number`, alone in a household."""
    own = {"户编号": f"341599101200-{number:04d}", "证件号码": identity_number(number), "家庭人口": "1"}
    return list((ROSTER | own | changes).values())


def persons(*changes: Mapping[str, Content], name: str = "花名册", first: int = 1, **parts: object) -> Tab:
    """Return a sheet of the header and a row for each of `changes`."""
    rows = [person(number, **change) for number, change in enumerate(changes, first)]
    return Tab([list(ROSTER), *rows], name, **parts)  # type: ignore[arg-type]
