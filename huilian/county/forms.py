"""Forms on paper: what a query answers, set in a layout and printed as PDF on A4.

A layout is a Typst file beside its service. An office that prints another one puts its own file of the same
name into `forms/` of the data directory: the layout is data, and gets the answer as `sys.inputs.answer`.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

__all__ = ["FOLDER", "Form", "print_form"]


FOLDER: Final = "forms"
"""Where an office keeps layouts of its own, in the data directory."""
_FONTS: Final = files("huilian") / "vendor"


@dataclass(frozen=True)
class Form:
    """A form on paper.

    Args:
        name: of the command: `huilian report <name>`.
        query: the address of the query whose answer it shows; its parameters are the form's.
        layout: a Typst file.
        chinese: what it is.
        english: the same.
    """

    name: str
    query: str
    layout: Traversable
    chinese: str
    english: str


def print_form(form: Form, answer: Mapping[str, Any], *, own: Path, on: dt.date) -> bytes:
    """Return a form as PDF; the same answer on the same day gives the same bytes.

    Args:
        form: which.
        answer: of its query, as JSON has it.
        own: the office's own folder of layouts; it need not exist.
        on: the day that the document bears.

    Raises:
        ConfigurationError: HL6006, the layout cannot be set.
    """
    import typst  # noqa: PLC0415  # heavy, and few commands print

    mine = own / form.layout.name
    moment = dt.datetime.combine(on, dt.time(), dt.UTC)
    with as_file(mine if mine.is_file() else form.layout) as layout, as_file(_FONTS) as fonts:
        try:
            return bytes(
                typst.compile(
                    layout,
                    font_paths=[fonts],
                    ignore_system_fonts=True,
                    sys_inputs={"answer": json.dumps(answer, ensure_ascii=False), "printed": on.isoformat()},
                    timestamp=int(moment.timestamp()),
                )
            )
        except typst.TypstError as error:
            raise ConfigurationError("HL6006", file=layout.name, what=error.message) from None
