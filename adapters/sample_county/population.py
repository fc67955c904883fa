"""Who lives in the sample county: regions, households and persons, all made up.

County 341599 does not exist, its villages are the 24 solar terms, given names are
farm words and telephone numbers begin with 000: nobody can be meant by any of it.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final, TypeVar

__all__ = [
    "CHECK_CHARACTERS",
    "COUNTY",
    "GIVEN",
    "REGION_NAMES",
    "ROSTER_DATE",
    "SURNAMES",
    "TOWNSHIPS",
    "VILLAGES",
    "Household",
    "Person",
    "check_character",
    "check_sum",
    "make_households",
]

COUNTY: Final = "341599"
"""No county carries this code, so no identity number that begins with it was ever issued."""
ROSTER_DATE: Final = dt.date(2024, 1, 1)
"""The roster's as-of date; ages are counted to it."""

_TOWNSHIP_NAMES: Final = {"341599101": "甲禾镇", "341599102": "乙溪镇", "341599201": "丙岭乡"}
_SOLAR_TERMS: Final = re.findall(
    "..", "立春雨水惊蛰春分清明谷雨立夏小满芒种夏至小暑大暑立秋处暑白露秋分寒露霜降立冬小雪大雪冬至小寒大寒"
)
_VILLAGES_PER_TOWNSHIP: Final = len(_SOLAR_TERMS) // len(_TOWNSHIP_NAMES)

TOWNSHIPS: Final = tuple(_TOWNSHIP_NAMES)
"""Nine-digit codes, in order."""
VILLAGES: Final = tuple(f"{township}{201 + place}" for township in TOWNSHIPS for place in range(_VILLAGES_PER_TOWNSHIP))
"""Twelve-digit codes, in order: eight to a township."""
REGION_NAMES: Final[dict[str, str]] = {
    COUNTY: "惠示县（虚构）",
    **_TOWNSHIP_NAMES,
    **{village: f"{term}村" for village, term in zip(VILLAGES, _SOLAR_TERMS, strict=True)},
}
"""Every region's Chinese name by its code."""

SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
# Given names are farm words: plainly no one's.
GIVEN: Final = "禾麦豆稻粟谷穗苗田垄犁桑麻棉菽黍芝藕菱荞"
_RARE: Final = "䶮𠅤"
"""Characters of real registers that GBK lacks and GB18030 has."""
_ONE_RARE_NAME_IN: Final = 150

_SIZES: Final = {1: 3, 2: 15, 3: 25, 4: 33, 5: 17, 6: 7}
"""Persons in a household to its weight; 3.7 on average."""
_CATEGORIES: Final = {"脱贫户": 60, "监测户": 8, "一般农户": 32}
_ONE_MARGINAL_IN: Final = 30
_ONE_STILL_POOR_IN: Final = 90
"""Of households that would be 一般农户 and 脱贫户, by their numbers."""
_HEALTH: Final = {"健康": 80, "长期慢性病": 14, "残疾": 4, "患有大病": 2}
_SKILLS: Final = {"普通劳动力": 70, "技能劳动力": 15, "弱劳动力或半劳动力": 15}
_WORKING_AGE: Final = range(16, 65)
_DAYS_A_YEAR: Final = 365.25

CHECK_CHARACTERS: Final = "10X98765432"
"""By the weighted sum of the seventeen digits before, modulo eleven (GB 11643)."""

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Person:
    """A made-up person; `relation` is to the head (户主), who has "户主" there."""

    name: str
    identity_number: str
    born: dt.date
    relation: str
    health: str
    skill: str
    phone: str

    def age_on(self, day: dt.date) -> int:
        """Return the age in completed years."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


@dataclass(frozen=True)
class Household:
    """A made-up household; its head is the first of its members, `income` is fen a year."""

    number: str
    region: str
    category: str
    income: int
    account_last_four: str
    members: tuple[Person, ...]

    @property
    def head(self) -> Person:
        """Return the head of the household (户主)."""
        return self.members[0]

    @property
    def serial(self) -> int:
        """Return the last part of its number, from which all follows that is not drawn."""
        return int(self.number[-4:])


def _category(drawn: str, serial: int) -> str:
    if drawn == "一般农户" and serial % _ONE_MARGINAL_IN == 0:
        return "边缘户"
    return "贫困户" if drawn == "脱贫户" and serial % _ONE_STILL_POOR_IN == 1 else drawn


def check_character(first_seventeen: str) -> str:
    """Return the eighteenth character of an identity number (GB 11643)."""
    return CHECK_CHARACTERS[check_sum(first_seventeen) % len(CHECK_CHARACTERS)]


def check_sum(digits: str, first_place: int = 0) -> int:
    """Return what `digits`, the first of them at `first_place`, add to the weighted sum of GB 11643."""
    return sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(digits, first_place))


def make_households(seed: int, count: int) -> tuple[Household, ...]:
    """Return `count` households, spread over the villages as evenly as they go.

    Raises:
        ValueError: fewer households than villages; every village is to have one.
    """
    if count < len(VILLAGES):
        message = f"{count} households for {len(VILLAGES)} villages: ask for at least {len(VILLAGES)}"
        raise ValueError(message)
    maker = _Maker(seed)
    return tuple(maker.household(VILLAGES[place * len(VILLAGES) // count], place + 1) for place in range(count))


class _Maker:
    """Draws households one after the other and never the same identity number twice."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(f"{seed} population")  # noqa: S311  # reproducible sample data, nothing secret
        self.born_on: Counter[dt.date] = Counter()
        self.persons = 0

    def household(self, region: str, serial: int) -> Household:
        surname = self.draw.choice(SURNAMES)
        age = self.draw.randint(28, 64)
        members = [
            self._person(surname if own_surname else self.draw.choice(SURNAMES), relation, max(0, age + gap))
            for relation, gap, own_surname in self._roles(self._one_of(_SIZES))
        ]
        return Household(
            number=f"{region}{serial:04}",
            region=region,
            category=_category(self._one_of(_CATEGORIES), serial),
            income=self.draw.randrange(8_000_00, 60_000_00) * len(members) // 3,
            account_last_four=f"{self.draw.randrange(10_000):04}",
            members=tuple(members),
        )

    def _roles(self, size: int) -> list[tuple[str, int, bool]]:
        """Return (relation, years older than the head, whether of the head's surname) for `size` persons."""
        draw = self.draw
        others = [
            ("配偶", draw.randint(-4, 3), False),
            (draw.choice(["儿子", "女儿"]), -draw.randint(22, 30), True),
            (draw.choice(["儿子", "女儿"]), -draw.randint(24, 34), True),
            ("母亲", draw.randint(20, 28), False),
            ("父亲", draw.randint(21, 30), True),
        ]
        return [("户主", 0, True), *others[: size - 1]]

    def _person(self, surname: str, relation: str, age: int) -> Person:
        born = ROSTER_DATE - dt.timedelta(days=round(age * _DAYS_A_YEAR) + self.draw.randint(1, 364))
        # Odd sequence numbers are men's; counting by twos keeps both kinds apart.
        sequence = 2 * self.born_on[born] + (relation in {"户主", "儿子", "父亲"})
        self.born_on[born] += 1
        seventeen = f"{COUNTY}{born:%Y%m%d}{sequence:03}"
        self.persons += 1
        grown = age in _WORKING_AGE
        return Person(
            name=surname + self._given_name(),
            identity_number=seventeen + check_character(seventeen),
            born=born,
            relation=relation,
            health=self._one_of(_HEALTH),
            skill=self._one_of(_SKILLS) if grown else "无劳动能力",
            phone=f"000{self.persons:08}" if grown else "",
        )

    def _given_name(self) -> str:
        if not self.draw.randrange(_ONE_RARE_NAME_IN):
            return self.draw.choice(_RARE)
        return "".join(self.draw.sample(GIVEN, 2))

    def _one_of(self, weights: dict[Choice, int]) -> Choice:
        return self.draw.choices(list(weights), list(weights.values()))[0]
