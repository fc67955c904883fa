"""Numbers of papers: masked in every answer and message, but where the documentation says why, and to whom."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import marshmallow as ma
import pytest

from huilian.core import identity
from huilian.county import service
from huilian.records.fields import IdentityNumber
from huilian.wire import access
from schemas.catalogue import contracts

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
HEADING = "### Where an identity number is not masked"
NUMBER = "110101199003070134"
"""An identity number that nobody has."""


def test_only_what_is_documented_carries_a_number_that_is_not_masked():
    """A new query or message that does, fails here until the table says to whom it goes, and why."""
    assert sorted(_unmasked()) == _documented()


def test_what_is_masked_fits_the_shape_of_masked_numbers():
    """And no number as it is does."""
    for number in (NUMBER, "91341500MA2N0X0X0X", "HK1234567"):
        assert re.fullmatch(identity.MASKED, identity.mask(number))
        assert not re.fullmatch(identity.MASKED, number)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (NUMBER, "110101********0134"),
        (f"a{NUMBER}b", "a110101********0134b"),
        (f"1{NUMBER}", "1110101********0134"),
        ("11010119900307013x 110101199003070135", "110101********013x 110101********0135"),
        ("341599101001000012", "341599101001000012"),
        ("HH00001", "HH00001"),
        ("", ""),
    ],
)
def test_a_number_within_a_text_is_masked(text: str, masked: str):
    """Whatever stands around it, mistyped too; a household's long number is none."""
    assert identity.mask_within(text) == masked


def _unmasked() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield query or message, its field and whom it is for."""
    for address, query in service.queries().items():
        for name in _numbers(query.row):
            yield address, name, ("token",)
    rules = access.load()
    for contract in contracts():
        receivers = tuple(sorted(rules.receive[contract.type] - {"platform"}))
        for name in _numbers(contract.schema) if receivers else ():
            yield contract.type, name, receivers


def _numbers(schema: type[ma.Schema]) -> Iterator[str]:
    """Yield the fields, nested ones too, that may hold a number of somebody's papers as it is."""
    for name, field in schema().fields.items():
        inner = field.inner if isinstance(field, ma.fields.List) else field
        if isinstance(inner, ma.fields.Nested):
            yield from _numbers(inner.schema.__class__)
        elif isinstance(field, IdentityNumber) or re.search("证件号|身份证", field.metadata.get("zh", "")):
            pattern = field.metadata.get("pattern") or getattr(field, "pattern", None) or ".*"
            if re.fullmatch(pattern, NUMBER):
                yield name


def _documented() -> list[tuple[str, str, tuple[str, ...]]]:
    """Return what the table says: query or message, field, to whom."""
    lines = OPERATIONS.read_text("utf-8").partition(HEADING)[2].partition("\n#")[0].splitlines()
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return sorted((name, field, tuple(sorted(kinds.split(", ")))) for name, field, kinds, *_ in cells[2:])
