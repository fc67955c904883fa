"""Identity numbers of persons and institutions, checked by python-stdnum.

A person's resident identity number (GB 11643) is accepted when its shape, date of
birth and check character are right. The place of birth is not looked up: codes of
abolished counties stay on the cards of those born there.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

__all__ = ["MASKED", "age_on", "is_credit_code", "is_identity_number", "mask", "mask_name", "mask_within"]


_SHAPE = re.compile(r"^[1-9][0-9]{16}[0-9X]$", re.ASCII)
_WITHIN = re.compile(
    r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]", re.ASCII
)
_PLACE_OF_REGISTRATION = re.compile(r"^[0-9A-Z]{2}[1-9][0-9]{5}", re.ASCII)


def is_identity_number(number: str) -> bool:
    """Return whether `number` is an 18-character resident identity number, X in upper case."""
    if not _SHAPE.fullmatch(number):
        return False
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return bool(ric.calc_check_digit(number) == number[-1])


def age_on(number: str, day: dt.date) -> int:
    """Return how many years somebody with a resident identity number has lived on a day (周岁).

    Whoever was born on 29 February has a birthday on 1 March in other years.
    """
    born = dt.date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def is_credit_code(number: str) -> bool:
    """Return whether `number` is a unified social credit code (GB 32100); an empty field filled with zeros is none."""
    return bool(_PLACE_OF_REGISTRATION.match(number)) and bool(uscc.is_valid(number))


MASKED: Final = r"^(?:[0-9A-Za-z]{6}[*]+[0-9A-Za-z]{4}|[*]+)$"
"""The shape of a masked number."""


def mask(number: str) -> str:
    """Return `number` with all but its first six and last four characters starred."""
    hidden = len(number) - 10
    return number[:6] + "*" * hidden + number[-4:] if hidden > 0 else "*" * len(number)


def mask_name(name: str) -> str:
    """Return a person's name with all but its first character starred, as a public list shows it."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def mask_within(text: str) -> str:
    """Return `text` with all that looks like a person's identity number masked, a mistyped one too."""
    place = 0
    while found := _WITHIN.search(text, place):
        text = text[: found.start()] + mask(found[0]) + text[found.end() :]
        place = found.start() + 1
    return text
