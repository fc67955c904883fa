"""Records and receipts made up for a contract, from nothing but its schema."""

from __future__ import annotations

import datetime as dt
import functools
import random
import re
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma
import polars as pl

from huilian.adapters import Outgoing
from huilian.wire import catalogue
from huilian.wire.batches import wire_types

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.wire.catalogue import Contract

__all__ = ["CONTRACT", "MEMBER", "own_number", "receipt_of", "records", "schema_of"]


_NUMBERS: Final = ("_no", "_number", "submission")
"""How the names of fields end that say which record it is."""


@functools.cache
def schema_of(contract: Contract) -> ma.Schema:
    """Return the schema by which a contract's records are judged one by one; making it takes long."""
    return contract.schema()


def own_number(contract: Contract) -> str | None:
    """Return the field by which a record is told from others: the first number of its own that is never empty."""
    for name, field in contract.schema().fields.items():
        if name.endswith(_NUMBERS) and not field.allow_none:
            return str(name)
    return None


Drawn = tuple[Any, Any]
"""A value as it travels, and loaded."""

MEMBER: Final = "RCB01"
_TRIES: Final = 5_000
_TRIES_AT_WILL: Final = 200
"""Draws for one record, and how many of them are from the whole pools; checks across fields rule some of them out."""
_YEARS: Final = ("2016", "2020")
_ROUND: Final = ("0.00", "100.00", "0", "50", "100")
"""Amounts and shares of which some add up to others."""
_CODES: Final = ("planting", "breeding", "village_review", "township_review", "county_review")
_LISTED: Final = re.compile(r"[a-z][a-z0-9_]+", re.ASCII)
_WEIGHT: Final = 4
"""How many times every extreme value is held out."""
_SHAPES: Final = 24
"""Values of each shape that are held out."""
_ALWAYS: Final = {"institution": MEMBER, "member": MEMBER}
"""What is sent to a member speaks of that member."""
_CHINESE: Final = "张王李赵陈杨黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
_AWKWARD: Final = (
    "王䶮",
    "𠅤三",
    "甲,乙",
    '说"好"',
    "'0123",
    "=1+1",
    "a\\b",
    "a|b;c",
    "<甲>&乙",
    "]]>",
    "零　一",
    "é",
    "，。；：",
)
"""Texts that separators, quotes, formulas, mark-up and narrow character sets stumble over."""


def records(contract: Contract, count: int, *, seed: int, plain: bool, county: str) -> pl.DataFrame:
    """Return `count` records in wire types, the same ones for the same seed.

    Args:
        contract: what they are.
        count: how many.
        seed: of the choice.
        plain: only what is met every day; otherwise also the longest texts, rare characters and separators.
        county: in which the regions lie.

    Raises:
        ValueError: no record could be made that keeps the contract.
    """
    chance = random.Random(seed)  # noqa: S311  # a choice of values, nothing secret
    schema = contract.schema()
    pools = _pools(contract.schema, plain=plain, county=county)
    rows = [_record(contract, schema, pools, line, chance) for line in range(1, count + 1)]
    return pl.DataFrame(rows, schema=wire_types(contract.schema))


@functools.cache
def _pools(schema: type[ma.Schema], *, plain: bool, county: str) -> dict[str, list[Drawn]]:
    """Return what each field is drawn from, by its name. Finding it takes longer than drawing from it."""
    chance = random.Random(county)  # noqa: S311  # a choice of values, nothing secret
    return {
        name: [(value, field.deserialize(value)) for value in _pool(name, field, chance, plain=plain, county=county)]
        for name, field in schema().fields.items()
    }


def _record(
    contract: Contract, schema: ma.Schema, pools: dict[str, list[Drawn]], line: int, chance: random.Random
) -> dict[str, Any]:
    round_ones = {name: [each for each in pool if each[0] in _ROUND] or pool for name, pool in pools.items()}
    for drawn in range(_TRIES if all(pools.values()) else 0):
        # Shares that add up to a whole are not met by chance, unless there are few to choose from.
        held_out = pools if drawn < _TRIES_AT_WILL else round_ones
        row = {name: (line, line) if name == "line" else chance.choice(pool) for name, pool in held_out.items()}
        if _may_go_together(schema, row):
            record = {name: value for name, (value, _) in row.items()}
            if not schema.validate(record):
                return record
    message = f"no record of {contract.dataschema} could be made"
    raise ValueError(message)


def _may_go_together(schema: ma.Schema, row: dict[str, Drawn]) -> bool:
    """Return whether nothing is seen to be wrong across the fields: most draws are ruled out by that alone."""
    # A contract of one record has no such checks in a form of their own.
    wrong = getattr(schema, "wrong_across_fields", None)
    return wrong is None or next(wrong({name: loaded for name, (_, loaded) in row.items()}), None) is None


def _pool(name: str, field: ma.fields.Field[Any], chance: random.Random, *, plain: bool, county: str) -> list[Any]:
    longest = getattr(field, "longest", None)
    extremes = [] if plain else list(_extremes(longest, chance))
    taken = [value for value in (*_offered(chance, county), *extremes * _WEIGHT) if _takes(field, value)]
    # Codes that are words of their own are offered where nothing else is one: some, and those that its pattern lists.
    codes = (*_CODES, *_LISTED.findall(getattr(field, "pattern", None) or ""))
    taken = taken or [code for code in codes if _takes(field, code)]
    if _ALWAYS.get(name) in taken:
        return [_ALWAYS[name]]
    # What a field lists is all it takes: codes are not guessed.
    taken = list(getattr(field, "labels", taken))
    # A field that takes any text is given words, one that takes none of them whatever it takes.
    if any(_is_word(value) for value in taken) and not hasattr(field, "labels"):
        taken = [value for value in taken if _is_word(value) or value in extremes]
    # Where nothing that is offered is taken, nothing is said.
    return taken + [None] * (max(len(taken) // 4, not taken) if field.allow_none else 0)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and not value.isascii()


def _takes(field: ma.fields.Field[Any], value: Any) -> bool:  # noqa: ANN401  # whatever is held out
    try:
        field.deserialize(value)
    except ma.ValidationError:
        return False
    return True


def _offered(chance: random.Random, county: str) -> Iterator[Any]:
    yield MEMBER
    yield from _ROUND
    yield from _YEARS
    for _ in range(_SHAPES):
        yield chance.randrange(1, 90)
        yield f"{chance.randrange(10**7)}.{chance.randrange(100):02d}"
        yield f"{chance.randrange(13)}.{chance.randrange(1, 100):02d}"
        yield f"{chance.randrange(2023, 2027)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
        yield county + f"{chance.randrange(100, 120)}{chance.randrange(200, 230)}"
        yield f"NO{chance.randrange(10**8):08d}"
        yield f"0{chance.randrange(1000):03d}"
        yield f"HL2{chance.randrange(1, 33):03d}"
        yield f"{county}********{chance.randrange(1000, 10000)}"
        yield f"{chance.getrandbits(256):064x}"
        yield f"{chance.randrange(2020, 2026)}-{chance.randrange(1, 13):02d}"
        yield _identity_number(county, chance)
        yield "".join(chance.sample(_CHINESE, chance.randrange(2, 5)))
    yield from (_credit_code(f"93{county}MA2H{number:05d}") for number in range(_SHAPES))


def _extremes(longest: int | None, chance: random.Random) -> Iterator[Any]:
    yield from (0, 2_147_483_647, "0.00", "0.01", "9999999999.99", "0", "99.999999", "1900-01-01", "9999-12-31")
    yield from _AWKWARD
    if longest is not None:
        for character in ("A", "长", "𠅤"):
            yield character * longest
        yield "".join(chance.choices(_CHINESE, k=longest))
        yield "Z"


def _identity_number(county: str, chance: random.Random) -> str:
    digits = f"{county}{chance.randrange(1950, 2005)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}"
    digits += f"{chance.randrange(1000):03d}"
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(digits))
    return digits + "10X98765432"[total % 11]


def _credit_code(body: str) -> str:
    total = sum(_CREDIT_CODE.index(character) * pow(3, place, 31) for place, character in enumerate(body))
    return body + _CREDIT_CODE[-total % 31]


_CREDIT_CODE: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The characters of GB 32100, by their values."""
CONTRACT: Final = "receipt/v2"
DAY: Final = dt.date(2024, 5, 31)


def receipt_of(source: Path, rejections: pl.DataFrame, *, rows: int, refused: bool = False) -> Outgoing:
    """Return the receipt of a file on its way to its sender.

    Args:
        source: the file.
        rejections: what was rejected of it, as `huilian.adapters.REJECTIONS`, by line.
        rows: how many it has.
        refused: whether the county refused all of it.
    """
    rejected = rows if refused else rejections["line"].n_unique()
    stated: dict[str, Any] = {
        "status": "refused" if refused else "accepted",
        "rows": rows,
        "accepted": rows - rejected,
        "rejected": rejected,
        "code": "HL3012" if refused else None,
        "message": "明细与清单合计不符" if refused else None,
    }
    record = _receipt_record().with_columns(
        **{name: pl.lit(value, _receipt_record().schema[name]) for name, value in stated.items()}
    )
    return Outgoing(CONTRACT, MEMBER, DAY, 1, record, source.name, source, rejections)


@functools.cache
def _receipt_record() -> pl.DataFrame:
    return records(catalogue.installed().contracts[CONTRACT], 1, seed=1, plain=True, county="341599")
