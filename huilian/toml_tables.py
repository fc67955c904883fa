"""Writing tables of settings back into a TOML file, with the comments people put beside them."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["as_toml", "kept"]

_HEADER: Final = re.compile(r"^[ \t]*\[", re.MULTILINE)
_COMMENTS_BEFORE: Final = re.compile(r"(?:^[ \t]*(?:#[^\n]*)?\n)*\Z", re.MULTILINE)


def kept(content: str, name: str, tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of `tables`, as `content` has it where it says the same.

    Args:
        content: the file so far; tables stand at its end.
        name: what the tables are called: "adapters" for `[adapters.guarantee_company]`.
        tables: what the text has to say.
    """
    if not tables:
        return ""
    found = _HEADER.search(content)
    if found:
        # Comments above the first header are about it, and stay with it.
        before = _COMMENTS_BEFORE.search(content[: found.start()])
        text = "\n" + content[before.start() if before else found.start() :].lstrip("\n")
        try:
            if tomllib.loads(text) == {name: tables}:
                return text
        except tomllib.TOMLDecodeError:
            pass  # the bracket stood inside a text
    return "".join(
        f"\n[{name}.{_text(table)}]\n" + "".join(f"{_text(key)} = {as_toml(value)}\n" for key, value in values.items())
        for table, values in tables.items()
    )


def as_toml(value: Any) -> str:  # noqa: ANN401  # a text, a number, true or false, a list or a table of such
    """Return a value as TOML: JSON's texts, numbers and truths are TOML's."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)} = {as_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def _text(value: str) -> str:
    return value if re.fullmatch(r"[A-Za-z0-9_-]+", value) else json.dumps(value, ensure_ascii=False)
