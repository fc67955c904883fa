r"""Writing XML text: every value comes back from a parser as it went in.

XML has no way to write U+FFFE and U+FFFF. Text that holds one of them is written with a backslash
escape and marked as such, `<Text form="escaped">…\uFFFE…</Text>`; no other text ever is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.insurer.parsing import Element

__all__ = ["declaration", "item", "start_tag", "text_of"]

_MARKUP: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_UNWRITABLE: Final = str.maketrans({"\\": "\\\\", "\ufffe": "\\uFFFE", "\uffff": "\\uFFFF"})
_ESCAPE: Final = re.compile(r"\\(?:\\|uFFF([EF]))")
_FORM: Final = "form"
_ESCAPED: Final = "escaped"


def declaration(encoding: str) -> str:
    """Return the XML declaration, its line end included."""
    return f'<?xml version="1.0" encoding="{encoding}"?>\n'


def start_tag(name: str, attributes: Mapping[str, str | None]) -> str:
    """Return a start tag; attributes that are None are left out."""
    stated = "".join(f' {key}="{value.translate(_MARKUP)}"' for key, value in attributes.items() if value is not None)
    return f"<{name}{stated}>"


def item(name: str, text: str | None, attributes: Mapping[str, str | None] | None = None) -> str:
    """Return an element with a text, nothing where there is no text."""
    if text is None:
        return ""
    stated = dict(attributes or {})
    if "\ufffe" in text or "\uffff" in text:
        stated[_FORM], text = _ESCAPED, text.translate(_UNWRITABLE)
    return f"{start_tag(name, stated)}{text.translate(_MARKUP)}</{name}>"


def text_of(element: Element) -> str:
    """Return the text that `item` was given."""
    text = element.text or ""
    return _ESCAPE.sub(_unescaped, text) if element.get(_FORM) == _ESCAPED else text


def _unescaped(escape: re.Match[str]) -> str:
    return {"E": "\ufffe", "F": "\uffff", None: "\\"}[escape[1]]
