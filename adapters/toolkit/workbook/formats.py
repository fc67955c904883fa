r"""What a number format makes people see of a number: a date, a percentage, other digits than are held, a unit.

A workbook keeps a date as a count of days, 20% as 0.2 and, in a Chinese `0!.0,`, 48765.43 where
people see 4.9: only the cell's number format tells. What people see is what they answer for, so a
number is read as something that is consistent with it, or not at all.

A code has up to four sections, for positive and negative numbers, for zero and for text, or
chosen by conditions. In a section `0`, `#` and `?` stand for digits, a comma behind the last of
them divides by a thousand, `%` multiplies by a hundred. What stands in quotes or behind `\` or `!`
is text, also where it looks like a point.
"""

from __future__ import annotations

import functools
import operator
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from openpyxl.styles.numbers import BUILTIN_FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["GENERAL", "UNITS", "Section", "built_in", "section"]

GENERAL: Final = "General"

UNITS: Final = {"元": 0, "百元": 2, "千元": 3, "万": 4, "万元": 4, "百万元": 6, "千万元": 7, "亿": 8, "亿元": 8}
"""Units that a format may write behind a number, and how many places they stand above the yuan."""

_CHINESE_DATES: Final = frozenset((*range(27, 37), *range(50, 59)))
"""Built-in formats of Chinese spreadsheets, which the file names by number only (ECMA-376, 18.8.30, zh-cn)."""
_CHINESE_TIMES: Final = frozenset((32, 33, 34, 35, 55, 56))
"""Those of them that show the time of day alone."""
_CHINESE_TIME: Final = 'h"时"mm"分"'
_CHINESE_DATE: Final = 'yyyy"年"m"月"d"日"'

_ACCOUNTING: Final = 44
_ACCOUNTING_CODE: Final = r"""_("$"* #,##0.00_);_("$"* \(#,##0.00\);_("$"* "-"??_);_(@_)"""
"""Of the format 44 (会计专用), which openpyxl has without the marks that part its sections."""

_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"|[\\!](?P<escaped>.)|[_*].|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General|G/通用格式)|(?P<clock>AM/PM|A/P|上午/下午)|(?P<exponent>E[+-])|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)
_CONDITION: Final = re.compile(r"\s*(<=|>=|<>|<|>|=)\s*(-?[0-9]+(?:\.[0-9]+)?)\s*")
_ELAPSED: Final = re.compile(r"h+|m+|s+", re.IGNORECASE)
_COLOUR: Final = re.compile(r"(?:color ?|颜色) ?[0-9]+|[a-z]+|[黑蓝青绿红白黄]色?|洋红色?|蓝绿色?", re.IGNORECASE)
_COMPARISONS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
_DIGITS: Final = "0#?"
_SIGNS: Final = "-－−(（"
"""What shows that a number is negative."""
_POINTS: Final = ".．。"
_CURRENCY: Final = re.compile(r"[\s¥￥$€,，]|RMB|CNY|人民币")
_MEASURE: Final = re.compile(r"[人户个口名岁笔份次张亩](?:次|民)?")
"""What may stand behind a count."""
_PER_CENT: Final = "%％"
_SECTIONS_WITH_ZERO: Final = 3


class _Token(NamedTuple):
    kind: Literal["text", "digit", "point", "comma", "percent", "date", "time", "exponent", "whole"]
    text: str


@dataclass(frozen=True)
class Section:
    """One section of a code.

    Args:
        kind: "date"; "time", which has no day; "number"; "unseen" shows no digit; "unclear" cannot be understood.
        tokens: its parts, in order.
        condition: the comparison it is chosen by.
        coloured: whether it has a colour.
        shift: by how many places the point that is seen stands to the right of the one that is held.
        before: the text before the digits.
        after: the text behind them.
        broken: whether there is text between them, other than a point.
    """

    kind: Literal["date", "time", "number", "unseen", "unclear"]
    tokens: tuple[_Token, ...] = ()
    condition: tuple[str, Decimal] | None = field(default=None)
    coloured: bool = False
    shift: int = 0
    before: str = ""
    after: str = ""
    broken: bool = False

    @property
    def unit(self) -> int | None:
        """Return the places of the unit behind the number, or None where there is none."""
        return UNITS.get(self._decoration(self.after))

    @property
    def is_percentage(self) -> bool:
        """Return whether a per cent sign is seen, whether it multiplies or is mere text."""
        return any(token.kind == "percent" for token in self.tokens) or self._decoration(self.after) in [*_PER_CENT]

    @property
    def is_plain(self) -> bool:
        """Return whether the text around the digits says nothing of their size: a currency, or what is counted."""
        behind = self._decoration(self.after)
        known = not behind or behind in UNITS or behind in [*_PER_CENT] or _MEASURE.fullmatch(behind) is not None
        return known and not self._decoration(self.before).strip("+")

    @property
    def has_text(self) -> bool:
        """Return whether there is text beside or between the digits, blanks apart."""
        return any(token.kind == "text" and token.text.strip() for token in self.tokens)

    def is_of_negative(self) -> bool:
        """Return whether it shows by itself that a number is negative."""
        return self.coloured or any(sign in self.before for sign in _SIGNS)

    def filled(self, digits: str) -> str | None:
        """Return a whole number with the text between its digits, as `"DB"0000` makes DB0012 of 12.

        Args:
            digits: of the number, without a sign.

        Returns:
            None where the section has more than digits and text.
        """
        if any(token.kind not in ("text", "digit") for token in self.tokens):
            return None
        shown: list[str] = []
        left = digits
        first = next((place for place, token in enumerate(self.tokens) if token.kind == "digit"), 0)
        for place in range(len(self.tokens) - 1, -1, -1):
            token = self.tokens[place]
            if token.kind == "text":
                shown.append(token.text)
            elif place == first:
                shown.append(left or ("0" if token.text == "0" else ""))
            elif left or token.text == "0":
                shown.append(left[-1:] or "0")
            left = left[:-1] if token.kind == "digit" else left
        return "".join(reversed(shown))

    def _decoration(self, text: str) -> str:
        return _CURRENCY.sub("", "".join(character for character in text if character not in "-－−()（）"))


def built_in(number: int) -> str:
    """Return the code of a format that the file names by number only."""
    if number in _CHINESE_DATES:
        return _CHINESE_TIME if number in _CHINESE_TIMES else _CHINESE_DATE
    if number == _ACCOUNTING:
        return _ACCOUNTING_CODE
    return str(BUILTIN_FORMATS.get(number, GENERAL))


def section(code: str, number: Decimal) -> tuple[Section, bool]:
    """Return the section of a code that shows a number, and whether it is one for negative numbers alone."""
    sections = _sections(code)
    if any(part.condition for part in sections):
        for place, part in enumerate(sections):
            if part.condition is None or _COMPARISONS[part.condition[0]](number, part.condition[1]):
                return part, False if part.condition is None and place == 0 else number < 0 and place > 0
        return sections[-1], False
    if number < 0 and len(sections) > 1:
        return sections[1], True
    if not number and len(sections) >= _SECTIONS_WITH_ZERO:
        return sections[2], False
    return sections[0], False


@functools.lru_cache(maxsize=1024)
def _sections(code: str) -> tuple[Section, ...]:
    """Return the sections for numbers: a fourth one is for text."""
    found: list[Section] = []
    tokens: list[_Token] = []
    brackets: list[str] = []
    for match in _TOKEN.finditer(code):
        if match["other"] == ";":
            found.append(_section(tokens, brackets))
            tokens, brackets = [], []
        elif match["bracket"] is not None:
            brackets.append(match["bracket"])
            tokens += _of_bracket(match["bracket"])
        else:
            tokens += _of_match(match)
    return (*found, _section(tokens, brackets))[:3]


def _of_bracket(content: str) -> Iterator[_Token]:
    if content.startswith("$"):
        currency = content[1:].partition("-")[0]
        if currency:
            yield _Token("text", currency)
    elif _ELAPSED.fullmatch(content):
        yield _Token("time", content)


_SINGLE: Final[dict[str, Literal["point", "comma", "percent", "date", "time", "whole"]]] = {
    ".": "point",
    ",": "comma",
    "%": "percent",
    "@": "whole",
    **dict.fromkeys("ymd", "date"),
    **dict.fromkeys("hs", "time"),
}


def _of_match(match: re.Match[str]) -> Iterator[_Token]:
    text = match["quoted"] if match["quoted"] is not None else match["escaped"]
    if text is not None:
        yield _Token("text", text)
    elif match["general"]:
        yield _Token("whole", match[0])
    elif match["clock"]:
        yield _Token("time", match[0])
    elif match["exponent"]:
        yield _Token("exponent", match[0])
    elif match["other"] in [*_DIGITS]:
        yield _Token("digit", match["other"])
    elif match["other"]:
        kind = _SINGLE.get(match["other"].lower())
        yield _Token(kind or "text", match["other"])


def _section(tokens: Sequence[_Token], brackets: Sequence[str]) -> Section:
    condition = next((found for bracket in brackets if (found := _CONDITION.fullmatch(bracket))), None)
    compared = (condition[1], Decimal(condition[2])) if condition else None
    coloured = any(_COLOUR.fullmatch(bracket) and not _ELAPSED.fullmatch(bracket) for bracket in brackets)
    kinds = {token.kind for token in tokens}
    places = [place for place, token in enumerate(tokens) if token.kind in ("digit", "whole")]
    if "date" in kinds or "time" in kinds:
        return Section(_moment(tokens, with_digits=bool(places)), tuple(tokens), compared)
    if not places:
        # "General" may be left out, and no code at all shows the number like it.
        kind: Literal["number", "unseen"] = "number" if brackets and not tokens else "unseen"
        return Section(kind, tuple(tokens), compared, coloured)
    inside = tokens[places[0] : places[-1] + 1]
    text = "".join(token.text for token in inside if token.kind == "text").strip()
    point = _literal_point(inside)
    shift = 2 * sum(token.kind == "percent" for token in tokens) - 3 * _scaling_commas(tokens, places)
    return Section(
        "number",
        tuple(tokens),
        compared,
        coloured,
        shift=shift - (point or 0),
        before=_text(tokens[: places[0]]),
        after=_text(tokens[places[-1] + 1 :]),
        broken=bool(text.strip(",，")) and point is None and "/" not in text,
    )


def _text(tokens: Sequence[_Token]) -> str:
    return "".join(token.text for token in tokens if token.kind == "text")


def _moment(tokens: Sequence[_Token], *, with_digits: bool) -> Literal["date", "time", "unclear"]:
    letters = [token.text.lower() for token in tokens if token.kind in ("date", "time")]
    # An m beside hours or seconds stands for minutes.
    has_time = any(token.kind == "time" for token in tokens)
    if "y" in letters or "d" in letters or not has_time:
        return "unclear" if with_digits and "s" not in letters else "date"
    return "time"


def _scaling_commas(tokens: Sequence[_Token], places: Sequence[int]) -> int:
    """Return how many commas divide by a thousand: those behind the last digit, or behind the last before the point."""
    points = [place for place, token in enumerate(tokens) if token.kind == "point"]
    whole = [place for place in places if not points or place < points[0]]
    ends = {places[-1], *whole[-1:]}
    return sum(
        token.kind == "comma" and max((digit for digit in places if digit < place), default=-1) in ends
        for place, token in enumerate(tokens)
    )


def _literal_point(inside: Sequence[_Token]) -> int | None:
    """Return how many digits stand behind a point that is mere text, or None where there is none."""
    points = [place for place, token in enumerate(inside) if token.kind == "text" and token.text.strip() in [*_POINTS]]
    real = [place for place, token in enumerate(inside) if token.kind == "point"]
    others = any(token.kind == "text" and token.text.strip(" ,，" + _POINTS) for token in inside)
    if len(points) != 1 or real or others:
        return None
    return sum(token.kind == "digit" for token in inside[points[0] :])
