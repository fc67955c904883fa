"""What may be asked: the query parameters of every address."""

from __future__ import annotations

from typing import Final

import marshmallow as ma
from marshmallow import fields, validate

__all__ = [
    "BREAKDOWNS",
    "FORMATS",
    "BesideLoansQuery",
    "DifferencesQuery",
    "FeedQuery",
    "FiguresQuery",
    "ScoreboardFeedQuery",
    "ScoreboardQuery",
    "SubmissionsQuery",
]

FORMATS: Final = ("ndjson", "csv")
BREAKDOWNS: Final = ("institution", "product", "township", "village")

_LONGEST: Final = 60
_PLAIN_TEXT: Final = validate.And(
    validate.Length(min=1, max=_LONGEST),
    validate.Regexp(r"^[^\x00-\x1f\x7f]+$", error="Control characters are not allowed."),
)


def _text(description: str, **kwargs: object) -> fields.String:
    return fields.String(validate=_PLAIN_TEXT, metadata={"description": description, **kwargs})


def _region() -> fields.String:
    return _text(
        "统计用区划代码：县 6 位、乡镇 9 位、村 12 位。 Code of a county, township or village; "
        "without it all that the token may read.",
        example="341599",
    )


def _institution() -> fields.String:
    return _text("机构代码。 Only this member's.", example="RCB01")


def _format() -> fields.String:
    return fields.String(
        validate=validate.OneOf(FORMATS),
        metadata={
            "description": "NDJSON, one object a line, or CSV with a header row and UTF-8 BOM. "
            "Without it the Accept header decides, and without that it is NDJSON."
        },
    )


class FeedQuery(ma.Schema):
    """Which loans, and how they are written."""

    region = _region()
    since = _text("上次返回的游标。 The cursor the last answer gave; without it every loan.", example="12")
    institution = _institution()
    format = _format()


class BesideLoansQuery(ma.Schema):
    """Which guarantees, policies or claims, and how they are written."""

    region = _region()
    institution = _text("机构代码。 Only what this member stated, and what is beside its loans.", example="RCB01")
    format = _format()


class DifferencesQuery(ma.Schema):
    """Within which region, and how they are written."""

    region = _region()
    institution = _institution()
    format = _format()


class FiguresQuery(ma.Schema):
    """Which figures, and by what they are broken down."""

    region = _region()
    month = fields.String(
        required=True,
        validate=_PLAIN_TEXT,
        metadata={"description": "月份。 The month at whose end the figures stand.", "example": "2024-05"},
    )
    by = fields.String(
        validate=validate.OneOf(BREAKDOWNS),
        metadata={"description": "分组。 What the figures are broken down by; adds `rows`."},
    )
    institution = _institution()
    product = _text("产品代码。 Only loans of this product.")


class ScoreboardQuery(ma.Schema):
    """Which month's, and whose."""

    month = fields.String(
        required=True,
        validate=_PLAIN_TEXT,
        metadata={"description": "月份。 Files dated within it.", "example": "2024-05"},
    )
    institution = _institution()


class ScoreboardFeedQuery(ma.Schema):
    """Which month's, and whose, and how they are written."""

    month = _text("月份。 Files dated within it; without it the last month that is over.", example="2024-05")
    institution = _institution()
    format = _format()


class SubmissionsQuery(ma.Schema):
    """Whose submissions."""

    member = _text("机构代码。 Only this member's.", example="RCB01")


class OutgoingQuery(ma.Schema):
    """From where on."""

    after = _text(
        "已妥存的最后一条报文的游标。 The cursor of the last message that is kept safely; "
        "without it from the beginning.",
        example="12-0a1b2c3d",
    )
