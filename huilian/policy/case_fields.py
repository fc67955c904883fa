"""Fields of the cases that policy functions judge, as JSON has them: money is text, dates are ISO, rates are text.

What is wrong is told in Chinese, with the English in brackets behind it.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load

from huilian.core import money, regions
from huilian.core.errors import UsageError

__all__ = ["Amount", "CaseSchema", "Date", "Number", "Region", "Told", "Whole", "Words"]


_YEARS: Final = range(1900, 2200)
"""Of dates: times can be added to them."""
_MOST_COUNTED: Final = 999_999
_AMOUNT: Final = '必须是两位小数的金额文本，如 "50000.00" (must be yuan as a text with two decimals)'
_NUMBER: Final = '必须是 0 至 {most} 的数，如 "4.35" (must be a number from 0 to {most}, as a text)'
_DATE: Final = '必须是 1900 至 2199 年的日期，如 "2024-05-31" (must be a date from 1900 to 2199)'
_WHOLE: Final = f"必须是 0 至 {_MOST_COUNTED} 的整数 (must be a whole number from 0 to {_MOST_COUNTED})"
_REGION: Final = "必须是 6、9 或 12 位区划代码 (must be a region's code of 6, 9 or 12 digits)"
_TOLD: Final = "必须是 true、false 或文本 (must be true, false or a text)"
_WORDS: Final = "必须是 {known} (must be {english})"


class CaseSchema(Schema):
    """A case: loaded into the dataclass `of`; keys it does not know are left out, and named by `ignored`."""

    of: type = dict

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    @pre_load
    def without_nulls(self, raw: Any, **_: object) -> Any:  # noqa: ANN401  # whatever JSON has
        """Leave out what is null and may be missing: both mean the same."""
        if not isinstance(raw, dict):
            return raw
        needed = {name for name, each in self.fields.items() if each.required or each.allow_none}
        return {name: each for name, each in raw.items() if each is not None or name in needed}

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> Any:  # noqa: ANN401  # the dataclass
        """Return the case."""
        return self.of(**data)

    def ignored(self, raw: dict[str, Any]) -> list[str]:
        """Return the keys that it does not know."""
        return sorted(set(raw) - set(self.fields))


class Amount(fields.Field[Decimal]):
    """Yuan as a text with two decimals, not negative."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Decimal:  # noqa: ANN401  # marshmallow's
        del attr, data, kwargs
        if not isinstance(value, str) or not re.fullmatch(money.MONEY_PATTERN, value) or value.startswith("-"):
            raise ValidationError(_AMOUNT)
        return money.parse(value)


class Number(fields.Field[Decimal]):
    """A number as a text, or as JSON writes it, from 0 to `most`."""

    def __init__(self, *, most: int = 1_000_000_000, **kwargs: Any) -> None:  # noqa: ANN401  # marshmallow's
        super().__init__(**kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Decimal:  # noqa: ANN401  # marshmallow's
        del attr, data, kwargs
        try:
            # A number with a point is read as it is written: 4.35 is 4.35.
            number = None if isinstance(value, bool) else Decimal(repr(value) if isinstance(value, float) else value)
        except (InvalidOperation, TypeError, ValueError):
            number = None
        if number is None or not number.is_finite() or not 0 <= number <= self.most:
            raise ValidationError(_NUMBER.format(most=self.most))
        return number


class Date(fields.Field[dt.date]):
    """A date like "2024-05-31"."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dt.date:  # noqa: ANN401  # marshmallow's
        del attr, data, kwargs
        try:
            date = dt.date.fromisoformat(value)
        except (TypeError, ValueError):
            date = None
        if date is None or date.isoformat() != value or date.year not in _YEARS:
            raise ValidationError(_DATE)
        return date


class Whole(fields.Field[int]):
    """A whole number from 0 to 999,999."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:  # noqa: ANN401  # marshmallow's
        del attr, data, kwargs
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_COUNTED:
            raise ValidationError(_WHOLE)
        return value


class Region(fields.Field[str]):
    """A region's code of 6, 9 or 12 digits; zeros that pad it are left out."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:  # noqa: ANN401  # marshmallow's
        del attr, data, kwargs
        try:
            return regions.normalise(value)
        except (TypeError, UsageError):
            raise ValidationError(_REGION) from None


class Told(fields.Field[bool | str]):
    """True or false; a text is true and says more."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool | str:  # noqa: ANN401  # marshmallow's
        del attr, data, kwargs
        if not isinstance(value, bool | str) or value == "":
            raise ValidationError(_TOLD)
        return value


class Words(fields.Field[str]):
    """One of some words; without any, a text."""

    def __init__(self, *known: str, **kwargs: Any) -> None:  # noqa: ANN401  # marshmallow's
        super().__init__(**kwargs)
        self.known = known

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:  # noqa: ANN401  # marshmallow's
        del attr, data, kwargs
        if not isinstance(value, str) or not value or (self.known and value not in self.known):
            known = " | ".join(self.known)
            raise ValidationError(_WORDS.format(known=known or "文本", english=known or "a text"))
        return value
