"""The kinds of value that answers are made of, each as it is described in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from huilian.money import MONEY_PATTERN

__all__ = ["count", "date", "money", "ratio", "text"]

_RATIO_PATTERN: Final = r"^[0-9]+\.[0-9]{6}$"


def money(description: str, **kwargs: Any) -> fields.String:  # noqa: ANN401  # marshmallow's own
    """Return an amount in yuan, a decimal string with two places."""
    metadata = {"pattern": MONEY_PATTERN, "description": f"{description} (yuan)"}
    return fields.String(required=True, metadata=metadata, **kwargs)


def ratio(description: str) -> fields.String:
    """Return a ratio, a decimal string with six places, or null."""
    metadata = {"pattern": _RATIO_PATTERN, "description": f"{description}; null without a denominator"}
    return fields.String(required=True, allow_none=True, metadata=metadata)


def text(description: str = "", **kwargs: Any) -> fields.String:  # noqa: ANN401  # marshmallow's own
    """Return a text that is always there."""
    metadata = {"description": description} if description else {}
    return fields.String(required=True, metadata=metadata, **kwargs)


def count(description: str, **kwargs: Any) -> fields.Integer:  # noqa: ANN401  # marshmallow's own
    """Return a whole number."""
    return fields.Integer(required=True, strict=True, metadata={"description": description}, **kwargs)


def date(description: str = "", **kwargs: Any) -> fields.Date:  # noqa: ANN401  # marshmallow's own
    """Return an ISO date."""
    return fields.Date(required=True, metadata={"description": description} if description else {}, **kwargs)
