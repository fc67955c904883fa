"""Answers in JSON: UTF-8 as it is written, compact, never kept by a cache in between."""

from __future__ import annotations

import json
from typing import Final

from flask import Response

__all__ = ["JSON", "as_json"]

JSON: Final = "application/json"


def as_json(value: object, status: int = 200) -> Response:
    """Return `value` as a JSON answer."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status, mimetype=JSON)
