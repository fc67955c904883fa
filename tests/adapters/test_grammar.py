"""What a row is: quotes, line breaks within them, and quotes that are broken."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.toolkit import grammar
from adapters.toolkit.cutting import RawPiece
from adapters.toolkit.encodings import Encoding
from adapters.toolkit.header import Layout
from adapters.toolkit.reading import Form, Rows, exactly, fast

ROWS = [
    ("a,b,c", ["a", "b", "c"]),
    (",,", ["", "", ""]),
    ('"a,b",c', ["a,b", "c"]),
    ('"a\nb",c', ["a\nb", "c"]),
    ('"he said ""no""",c', ['he said "no"', "c"]),
    ('="341599",c', ['="341599"', "c"]),
    ('"=""341599""",c', ['="341599"', "c"]),
    ('5" pipe,c', ['5" pipe', "c"]),
    ('"",c', ["", "c"]),
]


@pytest.mark.parametrize(("text", "cells"), ROWS)
def test_a_row_has_these_cells(text: str, cells: list[str]):
    """Quotes hold a cell together; inside another cell they are text."""
    assert grammar.cells(text) == cells


def test_text_after_a_closing_quote_makes_a_row_unbalanced():
    """Only a comma or the end of the row may follow a closing quote."""
    assert grammar.extent(['"a"b,c'], 0, at_end=True) == grammar.Extent(1, None)


def test_a_quoted_cell_may_go_on_in_later_lines():
    """A row reaches as far as its quotes do, its line ends kept."""
    found = grammar.extent(['a,"b\r', "", 'c",d\r', "e"], 0, at_end=True)
    assert found == grammar.Extent(3, ["a", "b\r\n\nc", "d"])


def test_an_open_quote_costs_its_own_line_only():
    """Where no closing quote comes, reading goes on at the next line."""
    found = list(grammar.rows(['a,"b', "c,d", "e,f"], 2, at_end=True))
    assert found == [grammar.Row(2, None), grammar.Row(3, ["c", "d"]), grammar.Row(4, ["e", "f"]), 3]


def test_an_open_quote_is_not_closed_by_the_quote_that_opens_a_later_cell():
    """What follows the quote shows that it opened a cell and closed none."""
    found = list(grammar.rows(['a,"b', 'c,"50,000.00"'], 2, at_end=True))
    assert found == [grammar.Row(2, None), grammar.Row(3, ["c", "50,000.00"]), 2]


def test_a_quote_is_taken_for_open_no_longer_than_a_cell_can_be():
    """After `LONGEST_ROW_LINES` lines the line with the open quote is unbalanced."""
    lines = ['a,"b', *["x"] * grammar.LONGEST_ROW_LINES, 'y"']
    assert grammar.extent(lines, 0, at_end=False) == grammar.Extent(1, None)


def test_a_row_that_is_open_at_the_end_of_a_piece_waits_for_more():
    """Nothing is decided of a row before the lines that may end it are there."""
    assert grammar.extent(['a,"b', "c"], 0, at_end=False) is None
    assert list(grammar.rows(["a,b", 'a,"b', "c"], 1, at_end=False)) == [grammar.Row(1, ["a", "b"]), 1]


GOOD_CELLS = [
    "a",
    "",
    " b",
    "x\t",
    '="x"',
    '"a,b"',
    '"a\nb"',
    '"a\r\nb"',
    '""',
    '"a""b"',
    '"=""x"""',
    "户",
    '"户,"',
    "\ra",
    "a\r",
]
BAD_CELLS = ["\udcff", '"', ",", "\n", "\r", "=", 'a"b', '"a"b', '5" x', '","', '"A,"B",C"', '"a', "合计"]


@settings(max_examples=400)
@given(
    width=st.integers(1, 4),
    codec=st.sampled_from(["utf-8", "gb18030"]),
    data=st.data(),
)
def test_every_way_of_reading_agrees_with_the_grammar_or_is_not_taken(width: int, codec: str, data: st.DataObject):
    """Whatever the text, polars' reading is used only where it is what the grammar says."""
    good = st.lists(st.sampled_from(GOOD_CELLS), min_size=width, max_size=width)
    any_row = st.lists(st.sampled_from(GOOD_CELLS + BAD_CELLS), max_size=width + 1)
    line = st.tuples(st.one_of(good, good, any_row).map(",".join), st.sampled_from(["\n", "\r\n"])).map("".join)
    text = data.draw(st.lists(line, min_size=1, max_size=5).map("".join))
    raw = text.encode(codec, "surrogateescape")
    piece = RawPiece(raw, first_line=2, lines=raw.count(b"\n"), end=len(raw), at_end=True)
    names = tuple("ABCD"[:width])
    form = Form("file", Layout(Encoding(codec), names, names, b"", 1, 0, 0), names, None)
    exact = exactly(piece, form, in_bulk=False)
    in_bulk = exactly(piece, form)
    assert in_bulk.cells.equals(exact.cells)
    assert (in_bulk.left, in_bulk.faults.rows()) == (exact.left, exact.faults.rows())
    found = fast(piece, form)
    if found is not None:
        assert (exact.left, exact.faults.height) == (0, 0)
        assert _rows(found) == _rows(exact)


def _rows(found: Rows) -> list[tuple[object, ...]]:
    """Return (line, cells) of the rows that are not blank."""
    return [(line, *cells) for line, *cells in found.cells.select("line", pl.exclude("line")).rows() if any(cells)]
