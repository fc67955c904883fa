"""Forms on paper: an answer set in a layout, as PDF."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import pypdf
import pytest

from huilian.core.errors import ConfigurationError
from huilian.county.forms import Form, print_form

if TYPE_CHECKING:
    from pathlib import Path

A4: Final = [0, 0, 595, 842]
"""Points."""
DAY: Final = dt.date(2024, 5, 31)
LAYOUT: Final = """\
#let answer = json(bytes(sys.inputs.answer))
#set page(paper: "a4")
#set text(font: "Noto Sans SC")
#answer.name #sys.inputs.printed
"""


@pytest.fixture
def form(tmp_path: Path) -> Form:
    """Return a form with a small layout."""
    layout = tmp_path / "small.typ"
    layout.write_text(LAYOUT, "utf-8")
    return Form("small", "nothing", layout, "小表", "a small form")


def page(printed: bytes) -> pypdf.PageObject:
    """Return the only page of a PDF."""
    [found] = pypdf.PdfReader(io.BytesIO(printed)).pages
    return found


def test_the_same_answer_on_the_same_day_prints_the_same_bytes_on_a4(form: Form, tmp_path: Path):
    """Who prints again gets what she had."""
    printed = print_form(form, {"name": "农户"}, own=tmp_path / "forms", on=DAY)
    assert [round(float(each)) for each in page(printed).mediabox] == A4
    assert print_form(form, {"name": "农户"}, own=tmp_path / "forms", on=DAY) == printed
    assert print_form(form, {"name": "别户"}, own=tmp_path / "forms", on=DAY) != printed


def test_rare_characters_of_names_are_in_the_font_that_comes_with_huilian(form: Form, tmp_path: Path):
    """A character that the font lacks is read as U+0000."""
    printed = print_form(form, {"name": "䶮𠅤"}, own=tmp_path / "forms", on=DAY)
    assert page(printed).extract_text() == "䶮𠅤 2024-05-31"


def test_an_office_prints_its_own_layout_instead(form: Form, tmp_path: Path):
    """A layout is data."""
    own = tmp_path / "forms"
    own.mkdir()
    (own / "small.typ").write_text(LAYOUT.replace('"a4"', '"a5"'), "utf-8")
    printed = print_form(form, {"name": "x"}, own=own, on=DAY)
    assert [round(float(each)) for each in page(printed).mediabox] != A4


def test_a_layout_that_cannot_be_set_is_named(form: Form, tmp_path: Path):
    """The office sees which file to mend."""
    with pytest.raises(ConfigurationError, match=r"HL6006 .*small\.typ is wrong: dictionary does not"):
        print_form(form, {"no_name": "x"}, own=tmp_path / "forms", on=DAY)


def test_what_others_made_is_what_the_table_says():
    """No file without version, licence and hash."""
    folder = files("huilian") / "vendor"
    table = (folder / "README.md").read_text("utf-8")
    for name, digest in re.findall(r"`([^`]+\.ttf)`.*`([0-9a-f]{64})`", table):
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert {each.name for each in folder.iterdir()} == {"README.md", "NotoSansSC-LICENSE.txt", "NotoSansSC-Regular.ttf"}
