"""The kinds of value, each defined once: row by row for marshmallow, column by column for polars.

`checks(column)` yields (error code, expression) pairs; an expression is true where the
value is wrong. It looks at strings as they stand in NDJSON and never at nulls: whether
a null is allowed is the schema's business (`required` and `allow_none`).
A property test holds both forms of every field to the same verdicts.
"""

# ruff: noqa: ANN401 - marshmallow's own signatures are in Any.
from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import marshmallow as ma
import polars as pl

from huilian.core import identity, money
from huilian.core.errors import describe

__all__ = [
    "Code",
    "CreditCode",
    "Date",
    "Digest",
    "IdentityNumber",
    "Money",
    "RatePercent",
    "RegionCode",
    "Text",
    "Whole",
    "error_code",
]

Checks = Iterator[tuple[str, pl.Expr]]

RATE_PATTERN: Final = r"^(0|[1-9][0-9]{0,2})(\.[0-9]{1,6})?$"
DATE_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
DAY_OF_ANY_YEAR: Final = (
    r"^(19|20)[0-9]{2}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$"
)
"""From 1900 to 2099; of the days there are, only the 29th of February is left out."""
REGION_PATTERN: Final = r"^[1-9][0-9]{5}([0-9]{3}){0,2}$"
IDENTITY_PATTERN: Final = r"^[1-9][0-9]{16}[0-9X]$"
CREDIT_CODE_PATTERN: Final = r"^[0-9]{2}[1-9][0-9]{5}[0-9A-HJ-NPQRTUWXY]{10}$"
DIGEST_PATTERN: Final = r"^[0-9a-f]{64}$"
CONTROL_CHARACTERS: Final = r"[\x00-\x1f\x7f]"
NO_CONTROL_CHARACTERS: Final = r"^[^\x00-\x1f\x7f]+$"
WHOLE_LIMIT: Final = 2_147_483_647
"""The largest whole number a record carries: what a four-byte column holds."""

_IDENTITY_WEIGHTS: Final = [2 ** (place + 1) % 11 for place in range(17)]
"""Of the seventeen digits before the check character, from the last to the first (GB 11643)."""
_IDENTITY_PREFIX_WEIGHTS: Final = [
    (weight + right) % 11 for weight, right in zip(_IDENTITY_WEIGHTS, [0, *_IDENTITY_WEIGHTS], strict=False)
]
"""The same sum over the number's prefixes: a digit is its prefix less ten times the next shorter
one, and -10 is 1 modulo 11. Weights below 11 keep the sum within 64 bits."""


_CREDIT_CODE_PLACES: Final = {character: place for place, character in enumerate("0123456789ABCDEFGHJKLMNPQRTUWXY")}
"""What each character of a unified social credit code counts (GB 32100); its check character makes 0 modulo 31."""


def _fail(*codes: str) -> ma.ValidationError:
    return ma.ValidationError([f"{code} {describe(code, 'en')}" for code in codes])


def error_code(message: str) -> str:
    """Return the code that a message raised by one of these fields begins with."""
    return message.split(" ", 1)[0]


class _Field(ma.fields.Field[Any]):
    """A value that is a string in JSON unless it says otherwise."""

    column_type: pl.DataType = pl.String()

    default_error_messages: Mapping[str, str] = {  # type: ignore[assignment]  # marshmallow annotates a dict
        "required": f"HL2001 {describe('HL2001', 'en')}",
        "null": f"HL2001 {describe('HL2001', 'en')}",
    }

    def checks(self, column: str) -> Checks:
        """Yield (code, expression true where wrong) for a column of non-null strings."""
        raise NotImplementedError

    def plausible(self, column: str) -> pl.Expr:
        """Return an expression that is true only where no check finds anything.

        A quick look that settles nearly every row; where it is false, the checks decide.
        """
        return ~pl.any_horizontal(expression for _, expression in self.checks(column))

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002  # marshmallow's signature
        return None if value is None else str(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002  # marshmallow's signature
        if not isinstance(value, str):
            raise _fail("HL2023")
        return self.read(value)

    def read(self, value: str) -> Any:
        """Return the Python value of a string, or raise with a code."""
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        """Return this field's JSON Schema, nullability apart."""
        return {"type": "string"}


class Text(_Field):
    """Text of at most `longest` characters, without control characters, not blank.

    Args:
        longest: in characters.
        pattern: the form of the whole text, anchored at both ends; it lets no control character through.
    """

    def __init__(self, longest: int, *, pattern: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = longest
        self.pattern = pattern

    def checks(self, column: str) -> Checks:
        """Yield the length check, then the form check."""
        value = pl.col(column)
        yield "HL2006", value.str.len_chars() > self.longest
        bad = value.str.contains(CONTROL_CHARACTERS) | (value == "")
        if self.pattern:
            bad = bad | ~value.str.contains(self.pattern)
        yield "HL2023", bad

    def plausible(self, column: str) -> pl.Expr:
        """Return whether it has the form and the length."""
        value = pl.col(column)
        formed = value.str.contains(self.pattern) if self.pattern else ~value.str.contains(CONTROL_CHARACTERS)
        return formed & value.str.len_chars().is_between(1, self.longest)

    def read(self, value: str) -> str:
        """Return the text itself."""
        wrong = []
        if len(value) > self.longest:
            wrong.append("HL2006")
        if not value or re.search(CONTROL_CHARACTERS, value) or (self.pattern and not re.search(self.pattern, value)):
            wrong.append("HL2023")
        if wrong:
            raise _fail(*wrong)
        return value

    def json_schema(self) -> dict[str, Any]:
        """Return the bounds on length, and the pattern: its own, or that of text without control characters."""
        bounds: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": self.longest}
        return bounds | {"pattern": self.pattern or NO_CONTROL_CHARACTERS}


class Code(_Field):
    """One of an agreed list; `labels` gives each code's Chinese name."""

    def __init__(self, labels: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.labels = dict(labels)

    def checks(self, column: str) -> Checks:
        """Yield the membership check."""
        yield "HL2005", ~pl.col(column).is_in(list(self.labels))

    def read(self, value: str) -> str:
        """Return the code itself."""
        if value not in self.labels:
            raise _fail("HL2005")
        return value

    def json_schema(self) -> dict[str, Any]:
        """Return the enumeration, its Chinese names as the description."""
        names = ", ".join(f"{code} {label}" for code, label in self.labels.items())
        return {"type": "string", "enum": list(self.labels), "description": names}


_AMOUNT: Final = r"^-?(0|[1-9][0-9]*)\.[0-9]{2}$"
"""However large: it is told that it is too large, not that it is none."""


class Money(_Field):
    """An amount in yuan: a decimal string with two places; not negative unless it says so.

    Args:
        may_be_negative: whether it may.
        digits: at most so many before the point. Ten, below ten billion, is beyond any loan to a
            household or what leads it, and keeps sums of nine million of them exact in 64 bits of fen.
    """

    def __init__(self, *, may_be_negative: bool = False, digits: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.may_be_negative = may_be_negative
        self.digits = digits
        self.too_large = rf"^-?[0-9]{{{digits + 1},}}\."

    def checks(self, column: str) -> Checks:
        """Yield the form check, then the sign check."""
        value = pl.col(column)
        is_amount = value.str.contains(_AMOUNT)
        yield "HL2002", ~is_amount
        yield "HL2027", is_amount & value.str.contains(self.too_large)
        if not self.may_be_negative:
            yield "HL2010", is_amount & value.str.starts_with("-")

    def plausible(self, column: str) -> pl.Expr:
        """Return whether it has the form of an amount that is not too large."""
        sign = "-?" if self.may_be_negative else ""
        return pl.col(column).str.contains(rf"^{sign}(0|[1-9][0-9]{{0,{self.digits - 1}}})\.[0-9]{{2}}$")

    def read(self, value: str) -> Decimal:
        """Return the amount."""
        if not re.fullmatch(_AMOUNT, value, re.ASCII):
            raise _fail("HL2002")
        wrong = ["HL2027"] if re.search(self.too_large, value) else []
        if not self.may_be_negative and value.startswith("-"):
            wrong.append("HL2010")
        if wrong:
            raise _fail(*wrong)
        return Decimal(value)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002  # marshmallow's signature
        return None if value is None else money.text(value)

    def json_schema(self) -> dict[str, Any]:
        """Return the pattern of a money string."""
        pattern = money.MONEY_PATTERN if self.may_be_negative else money.MONEY_PATTERN.replace("-?", "")
        pattern = pattern.replace("{0,15}", f"{{0,{self.digits - 1}}}")
        return {"type": "string", "pattern": pattern, "description": "yuan, two decimals"}


class RatePercent(_Field):
    """A yearly rate in per cent, at most six decimals: "4.35" is 4.35 % a year."""

    def checks(self, column: str) -> Checks:
        """Yield the form check."""
        yield "HL2017", ~pl.col(column).str.contains(RATE_PATTERN)

    def read(self, value: str) -> Decimal:
        """Return the rate in per cent."""
        if not re.fullmatch(RATE_PATTERN, value, re.ASCII):
            raise _fail("HL2017")
        return Decimal(value)

    def json_schema(self) -> dict[str, Any]:
        """Return the pattern of a rate."""
        return {"type": "string", "pattern": RATE_PATTERN, "description": "per cent a year"}


class Date(_Field):
    """A calendar day, ISO 8601: "2024-05-31"."""

    def checks(self, column: str) -> Checks:
        """Yield the check of form and calendar together."""
        value = pl.col(column)
        real = value.str.to_date("%Y-%m-%d", strict=False).is_not_null()
        yield "HL2003", ~(value.str.contains(DATE_PATTERN) & real & (value >= "1900-01-01"))

    def plausible(self, column: str) -> pl.Expr:
        """Return whether it is a day of our centuries that every year has."""
        return pl.col(column).str.contains(DAY_OF_ANY_YEAR)

    def read(self, value: str) -> dt.date:
        """Return the day."""
        if not re.fullmatch(DATE_PATTERN, value, re.ASCII) or value < "1900-01-01":
            raise _fail("HL2003")
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise _fail("HL2003") from None

    def json_schema(self) -> dict[str, Any]:
        """Return the date format."""
        return {"type": "string", "format": "date", "pattern": DATE_PATTERN}


class Whole(_Field):
    """A whole number, not negative; a number in JSON."""

    column_type = pl.Int64()

    def plausible(self, column: str) -> pl.Expr:
        """Return whether it is of at most nine digits."""
        return pl.col(column).str.contains(r"^[0-9]{1,9}$")

    def checks(self, column: str) -> Checks:
        """Yield the form check, then the sign check, over the number written as a string."""
        value = pl.col(column)
        negative = value.str.contains(r"^-[0-9]*[1-9][0-9]*$")
        # A number that does not fit 64 bits casts to null, and is too large as well.
        number = value.cast(pl.Int64, strict=False).fill_null(WHOLE_LIMIT + 1)
        yield "HL2004", ~negative & (~value.str.contains(r"^-?[0-9]+$") | (number > WHOLE_LIMIT))
        yield "HL2010", negative

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:  # noqa: ARG002  # marshmallow's signature
        if isinstance(value, bool) or not isinstance(value, int) or value > WHOLE_LIMIT:
            raise _fail("HL2004")
        if value < 0:
            raise _fail("HL2010")
        return value

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002  # marshmallow's signature
        return value

    def json_schema(self) -> dict[str, Any]:
        """Return the bounds."""
        return {"type": "integer", "minimum": 0, "maximum": WHOLE_LIMIT}


class RegionCode(_Field):
    """A statistical region code of 6, 9 or 12 digits (统计用区划代码)."""

    def checks(self, column: str) -> Checks:
        """Yield the form check."""
        yield "HL2008", ~pl.col(column).str.contains(REGION_PATTERN)

    def read(self, value: str) -> str:
        """Return the code itself."""
        if not re.fullmatch(REGION_PATTERN, value, re.ASCII):
            raise _fail("HL2008")
        return value

    def json_schema(self) -> dict[str, Any]:
        """Return the pattern."""
        return {"type": "string", "pattern": REGION_PATTERN}


class IdentityNumber(_Field):
    """A resident identity number (GB 11643): shape, date of birth and check character."""

    def checks(self, column: str) -> Checks:
        """Yield one check of all three, as `huilian.core.identity.is_identity_number` does row by row."""
        value = pl.col(column)
        first = value.str.slice(0, 17).cast(pl.Int64, strict=False)
        last = value.str.slice(17, 1)
        check = pl.when(last == "X").then(10).otherwise(last.cast(pl.Int64, strict=False))
        total = pl.sum_horizontal(
            (first // 10**place) * weight for place, weight in enumerate(_IDENTITY_PREFIX_WEIGHTS)
        )
        born = value.str.slice(6, 8)
        # The calendar of polars has a year 0, that of Python and of people has not.
        lived = born.str.to_date("%Y%m%d", strict=False).is_not_null() & ~born.str.starts_with("0000")
        right = value.str.contains(IDENTITY_PATTERN) & lived & ((total + check) % 11 == 1)
        yield "HL2007", ~right.fill_null(value=False)

    def read(self, value: str) -> str:
        """Return the number itself."""
        if not identity.is_identity_number(value):
            raise _fail("HL2007")
        return value

    def json_schema(self) -> dict[str, Any]:
        """Return the pattern; the check character is beyond JSON Schema."""
        return {"type": "string", "pattern": IDENTITY_PATTERN, "description": "GB 11643, with check character"}


class CreditCode(_Field):
    """A unified social credit code (GB 32100): shape and check character."""

    def checks(self, column: str) -> Checks:
        """Yield one check of both, as `huilian.core.identity.is_credit_code` does row by row."""
        value = pl.col(column)
        places = (
            value.str.slice(place, 1).replace_strict(_CREDIT_CODE_PLACES, default=None, return_dtype=pl.Int64)
            * pow(3, place, 31)
            for place in range(17)
        )
        last = value.str.slice(17, 1).replace_strict(_CREDIT_CODE_PLACES, default=None, return_dtype=pl.Int64)
        right = value.str.contains(CREDIT_CODE_PATTERN) & ((pl.sum_horizontal(*places) + last) % 31 == 0)
        yield "HL2007", ~right.fill_null(value=False)

    def read(self, value: str) -> str:
        """Return the code itself."""
        if not re.fullmatch(CREDIT_CODE_PATTERN, value, re.ASCII) or not identity.is_credit_code(value):
            raise _fail("HL2007")
        return value

    def json_schema(self) -> dict[str, Any]:
        """Return the pattern; the check character is beyond JSON Schema."""
        return {"type": "string", "pattern": CREDIT_CODE_PATTERN, "description": "GB 32100, with check character"}


class Digest(Text):
    """A SHA-256 in lower-case hexadecimal."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(64, pattern=DIGEST_PATTERN, **kwargs)
