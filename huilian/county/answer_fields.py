"""The kinds of value that answers are made of.

Each field has its Chinese name: tables and CSV headers call the column by it, and the OpenAPI
document describes the field with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma
from marshmallow import fields, validate

from huilian.core import identity
from huilian.core.money import MONEY_PATTERN

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Source",
    "Taken",
    "code",
    "coded",
    "count",
    "date",
    "masked",
    "moment",
    "money",
    "nested",
    "ratio",
    "text",
]


_RATIO_PATTERN: Final = r"^[0-9]+\.[0-9]{6}$"


def text(chinese: str, english: str = "", **kwargs: Any) -> fields.String:  # noqa: ANN401  # marshmallow's own
    """Return a text that is always there."""
    return fields.String(required=True, metadata=_named(chinese, english), **kwargs)


def masked(chinese: str, **kwargs: Any) -> fields.String:  # noqa: ANN401  # marshmallow's own
    """Return a number of a person's or institution's papers, as `identity.mask` leaves it."""
    metadata = _named(f"{chinese}（已脱敏）", "Masked.") | {"pattern": identity.MASKED}
    return fields.String(required=True, metadata=metadata, **kwargs)


def coded(chinese: str, codes: Mapping[str, str], english: str = "", **kwargs: Any) -> fields.String:  # noqa: ANN401
    """Return one of some codes; tables show its Chinese name."""
    metadata = _named(chinese, english) | {"codes": codes}
    return fields.String(required=True, validate=validate.OneOf(tuple(codes)), metadata=metadata, **kwargs)


def code(chinese: str, english: str = "", **kwargs: Any) -> fields.String:  # noqa: ANN401  # marshmallow's own
    """Return a code for programs; tables leave it out, as another field says what people call it."""
    return fields.String(required=True, metadata=_named(chinese, english) | {"for_programs": True}, **kwargs)


def count(chinese: str, english: str = "", **kwargs: Any) -> fields.Integer:  # noqa: ANN401  # marshmallow's own
    """Return a whole number."""
    return fields.Integer(required=True, strict=True, metadata=_named(chinese, english), **kwargs)


def money(chinese: str, english: str = "", **kwargs: Any) -> fields.String:  # noqa: ANN401  # marshmallow's own
    """Return an amount in yuan, a decimal string with two places."""
    metadata = _named(chinese, f"{english} (yuan)" if english else "In yuan.") | {"pattern": MONEY_PATTERN}
    return fields.String(required=True, metadata=metadata, **kwargs)


def ratio(chinese: str, english: str) -> fields.String:
    """Return a ratio, a decimal string with six places, or null."""
    metadata = _named(chinese, f"{english}; null without a denominator") | {"pattern": _RATIO_PATTERN}
    return fields.String(required=True, allow_none=True, metadata=metadata)


def date(chinese: str, english: str = "", **kwargs: Any) -> fields.Date:  # noqa: ANN401  # marshmallow's own
    """Return an ISO date."""
    return fields.Date(required=True, metadata=_named(chinese, english), **kwargs)


def moment(chinese: str, english: str = "", **kwargs: Any) -> fields.AwareDateTime:  # noqa: ANN401  # marshmallow's own
    """Return a moment, ISO, with its distance from UTC."""
    return fields.AwareDateTime(required=True, metadata=_named(chinese, english), **kwargs)


def nested(schema: type[ma.Schema], chinese: str, english: str = "", *, many: bool = False) -> fields.Field[Any]:
    """Return an object within the object, or a list of them."""
    if many:
        return fields.List(fields.Nested(schema), required=True, metadata=_named(chinese, english))
    return fields.Nested(schema, required=True, metadata={"zh": chinese})


def _named(chinese: str, english: str) -> dict[str, Any]:
    return {"zh": chinese, "description": f"{chinese}。 {english}".strip()}


class Source(ma.Schema):
    """Where a record was first read."""

    submission = text("提交编号")
    message = text("报文编号", "The message that carried it.", allow_none=True)
    file_name = text("文件名")
    file_sha256 = text("文件SHA-256", "The file's SHA-256.")
    line = count("行号", "The line in the file.")


class Taken(ma.Schema):
    """How much of what an institution's newest files state of themselves was taken."""

    institution = text("机构")
    kind = text("种类", "The kind of submission.")
    as_of = date("截止日期", "The newest date.")
    stated_rows = count("自列行数", "Rows by the files' own count.")
    taken_rows = count("入账行数", "Rows taken.")
    untaken_rows = count("未入账行数", "Rows not taken.")
    amount = text("金额项目", "Which amount is compared.", allow_none=True)
    stated_amount = money("自列金额", "By the files' own totals; null where one states none", allow_none=True)
    taken_amount = money("入账金额", "Taken", allow_none=True)
    untaken_amount = money("未入账金额", "Not taken", allow_none=True)
