"""Reading JSON exactly: two readers must not disagree on what a text says."""

from __future__ import annotations

import json
from typing import Any, NoReturn

__all__ = ["loads"]


def loads(text: str | bytes, *, values_checked: bool = False) -> Any:  # noqa: ANN401  # JSON is any
    """Return what a text says in JSON, of bytes in UTF-8.

    Args:
        text: what to read.
        values_checked: the caller checks every value and names the field that is wrong; NaN, Infinity and half of a
            surrogate pair are left to the caller.

    Raises:
        ValueError: it is no JSON, names a member of an object twice, or has NaN, Infinity or half of a surrogate pair.
        RecursionError: it is nested too deeply.
    """
    text = text.decode() if isinstance(text, bytes) else text
    if values_checked:
        return json.loads(text, object_pairs_hook=_once)
    found = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    if "\\u" in text:
        # Half of a surrogate pair is JSON, but no text that could be kept.
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(pairs)
    if len(names) != len(pairs):
        message = "a name appears twice"
        raise ValueError(message)
    return names


def _refuse(name: str) -> NoReturn:
    """NaN and Infinity are Python's, not JSON's."""
    message = f"{name} is not JSON"
    raise ValueError(message)
