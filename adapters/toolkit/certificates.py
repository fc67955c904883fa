"""Numbers of certificates: what a number is by its own form, and what is wrong with one.

Four mistakes come again and again where a resident identity number should stand: the number
of 15 digits that was in use until 1999, the number of a disability certificate (20 characters that begin
with the identity number), a number whose last digits a spreadsheet has rounded off, and a character inside
that nobody sees. Each has a message of its own, since "wrong check character" leads nobody to it.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from huilian.core.identity import is_credit_code
from huilian.records.fields import IDENTITY_PATTERN, IdentityNumber

__all__ = [
    "BY_NUMBER",
    "CREDIT_CODE",
    "OTHER",
    "RESIDENT",
    "explained",
    "is_no_certificate",
    "is_no_credit_code",
    "is_no_resident",
    "with_types_by_number",
]

RESIDENT: Final = "resident_identity_card"
CREDIT_CODE: Final = "unified_social_credit_code"
OTHER: Final = "other"
BY_NUMBER: Final = "by number"
"""What a code table says of a code that other tables read differently: the number beside it decides."""

_TYPE: Final = "identity_type"
_NUMBERS: Final = ("identity_number", "guaranteed_number", "insured_number")
"""The fields of records that hold numbers of certificates."""
_PERSONS: Final = {_TYPE: RESIDENT, "subject": "household"}
"""Fields that say whose number it is, and what they say of persons."""

_FIFTEEN_DIGITS: Final = r"^[1-9][0-9]{7}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}$"
_DISABILITY_CERTIFICATE: Final = r"^[1-9][0-9]{16}[0-9X][1-7][1-4](B[0-9])?$"
"""The identity number, the kind of disability, its grade; and how often the card was issued again."""
_DIGITS_LOST: Final = r"^([0-9](\.[0-9]+)?E\+?[0-9]+|[1-9][0-9]{14}000(\.0+)?)$"
_INVISIBLE: Final = r"[\s\x{00AD}\x{200B}-\x{200F}\x{2028}-\x{202F}\x{2060}-\x{206F}\x{FEFF}\x{FE00}-\x{FE0F}]"
_EIGHTEEN: Final = r"^[0-9A-Z]{18}$"
_ONLY_DIGITS: Final = r"^[0-9]+$"
_DIGITS_OF_A_TAIWAN_PERMIT: Final = 8
"""The one certificate of persons whose number is nothing but digits, and not 15 or 18 of them."""
_SHORTEST: Final = 7
"""Characters of the shortest number of a certificate of persons."""

_EXPLANATIONS: Final = {
    "HL2077": _INVISIBLE,
    "HL2075": _FIFTEEN_DIGITS,
    "HL2076": _DISABILITY_CERTIFICATE,
    "HL2038": _DIGITS_LOST,
}
"""Code to the form of what it names."""
_TO_BE_EXPLAINED: Final = ("HL2007", "HL2023")


def is_no_credit_code(number: pl.Expr) -> pl.Expr:
    """Return where `number` is no unified social credit code, by python-stdnum; null where there is none.

    The numbers of a column are taken one by one: pass null where nothing is to be looked at.
    """
    return number.map_batches(_is_no_credit_code, return_dtype=pl.Boolean(), is_elementwise=True)


def _is_no_credit_code(numbers: pl.Series) -> pl.Series:
    known = {number: not is_credit_code(number) for number in numbers.drop_nulls().unique()}
    if not known:
        return pl.repeat(None, numbers.len(), dtype=pl.Boolean(), eager=True)
    return numbers.replace_strict(known, default=None, return_dtype=pl.Boolean())


def is_no_resident(column: str) -> pl.Expr:
    """Return where a column's number is no resident identity number."""
    return next(expression for _, expression in IdentityNumber().checks(column))


def is_no_certificate(column: str, *, of_institution: pl.Expr) -> pl.Expr:
    """Return where a number without a stated kind is wrong as any: a resident's, a credit code, another certificate.

    An institution's is a credit code, or the number of the resident who runs it. A person's may be
    of a certificate whose form nobody here knows; what looks like a resident's or a credit code has to be one.

    Args:
        column: the numbers.
        of_institution: where they are institutions'.
    """
    number = pl.col(column)
    digits = number.str.contains(_ONLY_DIGITS) & (number.str.len_bytes() != _DIGITS_OF_A_TAIWAN_PERMIT)
    damaged = number.str.contains(_DISABILITY_CERTIFICATE) | (number.str.len_bytes() < _SHORTEST)
    doubtful = of_institution | digits | damaged | number.str.contains(_EIGHTEEN)
    # One by one are taken those only that are no resident's, which are few.
    stranger = is_no_resident(column) & doubtful
    return stranger & is_no_credit_code(pl.when(stranger).then(number))


def with_types_by_number(canonical: pl.DataFrame) -> pl.DataFrame:
    """Return `canonical` with a kind of certificate wherever `BY_NUMBER` stands.

    A number that is right as a resident's or as a credit code is that, whatever code stands beside it. What
    looks like a damaged number of a resident is taken for one, so that it is rejected and not let in
    unchecked. Anything else is the number of another certificate.
    """
    kind = canonical[_TYPE]
    if not (kind == BY_NUMBER).any():
        return canonical
    number = pl.col("identity_number")
    asked = pl.col(_TYPE) == BY_NUMBER
    looks = pl.any_horizontal(number.str.contains(form) for form in (IDENTITY_PATTERN, *_EXPLANATIONS.values()))
    is_code = is_no_credit_code(pl.when(asked & number.str.contains(_EIGHTEEN)).then(number)).not_()
    found = (
        pl.when(~is_no_resident("identity_number"))
        .then(pl.lit(RESIDENT))
        .when(is_code.fill_null(value=False))
        .then(pl.lit(CREDIT_CODE))
        .when(looks)
        .then(pl.lit(RESIDENT))
        .otherwise(pl.lit(OTHER))
    )
    return canonical.with_columns(pl.when(asked).then(found).otherwise(pl.col(_TYPE)).alias(_TYPE))


def explained(errors: pl.DataFrame, canonical: pl.DataFrame) -> pl.DataFrame:
    """Return `errors` with a code that says what a person's number is instead, where that can be seen.

    Args:
        errors: as `huilian.records.columnar.ERRORS`.
        canonical: the rows they speak of.
    """
    for column in _NUMBERS:
        wrong = (pl.col("field") == column) & pl.col("code").is_in(_TO_BE_EXPLAINED)
        if column in canonical.columns and errors.select(wrong.any()).item():
            codes = canonical.select("line", _explanation(column, canonical.columns).alias("instead"))
            errors = (
                errors.join(codes, on="line", how="left", maintain_order="left")
                .with_columns(pl.when(wrong).then(pl.coalesce("instead", "code")).otherwise("code").alias("code"))
                .drop("instead")
                .unique(maintain_order=True)
            )
    return errors


def _explanation(column: str, columns: list[str]) -> pl.Expr:
    """Return the code that says what a number is instead, null where nobody can tell."""
    number = pl.col(column)
    said = pl.coalesce(pl.when(number.str.contains(form)).then(pl.lit(code)) for code, form in _EXPLANATIONS.items())
    of_persons = [pl.col(field) == person for field, person in _PERSONS.items() if field in columns]
    return pl.when(of_persons[0]).then(said) if of_persons else said
