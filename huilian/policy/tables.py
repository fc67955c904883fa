"""Tables of a policy: rows that depend on facts, none of which leaves a case open or says it twice."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.policy.facts import FACTS, NO_GRADE, OTHER, Cut, Fact, Interval, Words, boundaries, describe
from huilian.policy.values import text_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from huilian.policy.facts import Vocabulary

__all__ = ["Entry", "MissingFactError", "Row", "Table", "meet", "open_and_doubled"]


class MissingFactError(Exception):
    """A table asks for a fact that is not known of this case.

    Args:
        rule: the table.
        fact: what it asks for.
    """

    def __init__(self, rule: str, fact: str) -> None:
        super().__init__(f"{rule} needs {fact}")
        self.rule = rule
        self.fact = fact


@dataclass(frozen=True)
class Row:
    """One row: a value, for the cases that it names.

    Args:
        rule: where its table stands, as in `products.old.subsidy.share`.
        when: what it asks of each fact.
        value: as its rule has it; None where the plan says nothing or sets no limit.
        source: the clause it comes from.
        assumed: whether the plan is silent and the value is ours.
        line: in the file.
    """

    rule: str
    when: Mapping[str, Interval | Words]
    value: Any
    source: str
    assumed: bool
    line: int

    def as_json(self) -> dict[str, Any]:
        """Return it for a program, and for people who follow a figure back."""
        return {
            "rule": self.rule,
            "when": {fact: str(condition) for fact, condition in self.when.items()},
            "value": text_of(self.value),
            "source": self.source,
            "assumed": self.assumed,
            "line": self.line,
        }


@dataclass(frozen=True)
class Table:
    """A rule of a policy.

    Args:
        rule: where it stands.
        rows: at least one; all name the same facts.
    """

    rule: str
    rows: tuple[Row, ...]
    facts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Take the facts from the first row."""
        object.__setattr__(self, "facts", tuple(self.rows[0].when))

    def row(self, situation: Mapping[str, Any]) -> Row:
        """Return the row that holds in a situation: every fact by name that the row asks for.

        Where all rows that may hold say the same, the fact that they differ in is not asked for.

        Raises:
            MissingFactError: a fact is not known, and rows that may hold differ by it.
        """
        possible: list[Row] = []
        asked = ""
        for row in self.rows:
            missing = ""
            for fact in self.facts:
                condition = row.when[fact]
                value = situation.get(fact)
                if value is None and fact == "grade" and fact in situation:
                    value = NO_GRADE
                if value is None:
                    missing = missing or ("" if condition.anything else fact)
                elif not _holds(condition, value, self.rows, fact):
                    break
            else:
                if not missing:
                    return row
                possible.append(row)
                asked = asked or missing
        if possible and all(row.value == possible[0].value for row in possible):
            return possible[0]
        # Nothing possible: a value outside what the fact can be; the partition was checked when the file was read.
        raise MissingFactError(self.rule, asked or ", ".join(self.facts))

    def of_policy(self, name: str) -> Table:
        """Return it as another policy shows it that takes it over: its rows name the policy they stand in."""
        return Table(f"{name}:{self.rule}", tuple(replace(row, rule=f"{name}:{row.rule}") for row in self.rows))

    def rows_for(self, known: Mapping[str, Any]) -> list[Row]:
        """Return the rows that can hold where only some facts are known."""
        facts = [fact for fact in self.facts if fact in known]
        return [row for row in self.rows if all(_holds(row.when[each], known[each], self.rows, each) for each in facts)]

    def slices(self, fact: str, situation: Mapping[str, Any]) -> list[tuple[Decimal, Decimal | None, Row]]:
        """Return the pieces of a slice in order, each with the row that holds there: low, high (None: no end), row."""
        if fact not in self.facts:
            return [(Decimal(0), None, self.row(situation))]
        pieces = boundaries(FACTS[fact], _intervals(self.rows, fact))
        found = []
        for low, high in pieces:
            start = Decimal(0) if low is None else low[0]
            row = self.row({**situation, fact: start})
            found.append((start, None if high is None else high[0], row))
        return found

    def changes(self, fact: str, after: dt.date, before: dt.date) -> set[dt.date]:
        """Return the days between two at which another row begins to hold because of a fact that is a date."""
        if fact not in self.facts:
            return set()
        cuts = (cut for each in _intervals(self.rows, fact) for cut in (each.low, each.high))
        return {cut[0] for cut in cuts if cut is not None and after < cut[0] < before}


@dataclass(frozen=True)
class Entry:
    """An entry of a list.

    Args:
        rule: where it stands, as in `breakers[0]`.
        fields: by name, those the file gives.
        when: the facts for which it holds.
        source: the clause it comes from.
        assumed: whether the plan is silent and the entry is ours.
        line: in the file.
    """

    rule: str
    fields: Mapping[str, Any]
    when: Mapping[str, Interval | Words]
    source: str
    assumed: bool
    line: int

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # of the field's kind
        """Return a field; None where the file does not give it."""
        return self.fields.get(name)

    def holds(self, situation: Mapping[str, Any]) -> bool:
        """Return whether it holds in a situation.

        Raises:
            MissingFactError: a fact it asks for is not known, and the known ones hold.
        """
        missing = ""
        for fact, condition in self.when.items():
            value = situation.get(fact)
            if value is None and fact == "grade" and fact in situation:
                value = NO_GRADE
            if value is None:
                missing = missing or ("" if condition.anything else fact)
            elif not condition.has(value):
                return False
        if missing:
            raise MissingFactError(self.rule, missing)
        return True

    def may_hold(self, known: Mapping[str, Any]) -> bool:
        """Return whether it can hold where only some facts are known."""
        return all(condition.has(known[fact]) for fact, condition in self.when.items() if fact in known)

    def as_json(self) -> dict[str, Any]:
        """Return it for a program, and for people who follow a figure back."""
        return {
            "rule": self.rule,
            "when": {fact: str(condition) for fact, condition in self.when.items()},
            "value": {name: text_of(value) for name, value in self.fields.items()},
            "source": self.source,
            "assumed": self.assumed,
            "line": self.line,
        }


def _intervals(rows: Sequence[Row], fact: str) -> Iterator[Interval]:
    return (each for row in rows if isinstance(each := row.when[fact], Interval))


def _holds(condition: Interval | Words, value: Any, rows: Sequence[Row], fact: str) -> bool:  # noqa: ANN401
    if isinstance(condition, Interval):
        return condition.has(value)
    if condition.words == (OTHER,) or OTHER in condition.words:
        named = {word for row in rows if isinstance(each := row.when[fact], Words) for word in each.words}
        return value in condition.words or value not in named
    return condition.has(value)


def meet(one: Row | Entry, other: Row | Entry) -> bool:
    """Return whether there is a case for which both hold, as far as both name its facts."""
    return all(_overlap(condition, other.when[fact]) for fact, condition in one.when.items() if fact in other.when)


def _overlap(one: Interval | Words, other: Interval | Words) -> bool:
    if isinstance(one, Interval) and isinstance(other, Interval):
        lows = [each.low for each in (one, other) if each.low is not None]
        highs = [each.high for each in (one, other) if each.high is not None]
        return not lows or not highs or max(lows) < min(highs)
    words = [each.words for each in (one, other) if isinstance(each, Words)]
    return not all(words) or not set(words[0]).isdisjoint(words[-1])


_Piece = tuple[Cut | None, Cut | None] | str
_MOST_CASES: Final = 200_000


def open_and_doubled(
    rows: Sequence[Mapping[str, Interval | Words]], vocabulary: Vocabulary
) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Return the cases that no row names, and the rows that name the same one.

    Args:
        rows: what each row asks of the facts, the same ones in each.
        vocabulary: the policy's own words.

    Returns:
        the open cases in words; the places of two rows that overlap, each pair once, with a case.
    """
    facts = [FACTS[name] for name in rows[0]]
    pieces = [_pieces(fact, [row[fact.name] for row in rows], vocabulary) for fact in facts]
    gaps: list[tuple[_Piece, ...]] = []
    doubled: dict[tuple[int, int], str] = {}
    for case in itertools.islice(itertools.product(*pieces), _MOST_CASES):
        holding = [
            place
            for place, row in enumerate(rows)
            if all(_covers(row[fact.name], piece) for fact, piece in zip(facts, case, strict=True))
        ]
        if not holding:
            gaps.append(case)
        elif len(holding) > 1:
            doubled.setdefault((holding[0], holding[1]), _in_words(facts, case))
    return _together(facts, gaps), [(first, second, case) for (first, second), case in doubled.items()]


def _pieces(fact: Fact, conditions: Sequence[Interval | Words], vocabulary: Vocabulary) -> Sequence[_Piece]:
    if fact.kind == "words":
        known = vocabulary.words(fact)
        if known is None:
            named = (word for each in conditions if isinstance(each, Words) for word in each.words)
            known = (*dict.fromkeys(named), OTHER)
        return tuple(dict.fromkeys(known))
    return boundaries(fact, (each for each in conditions if isinstance(each, Interval)))


def _covers(condition: Interval | Words, piece: _Piece) -> bool:
    if isinstance(condition, Words):
        return condition.has(str(piece))
    return not isinstance(piece, str) and condition.covers(*piece)


def _together(facts: Sequence[Fact], cases: Sequence[tuple[_Piece, ...]]) -> list[str]:
    """Return cases in words, as one those that differ only in words: they are one gap to the reader."""
    found: list[tuple[_Piece, ...]] = list(cases)
    for place, fact in enumerate(facts):
        groups: dict[tuple[_Piece, ...], list[_Piece]] = {}
        for case in found if fact.kind == "words" else ():
            groups.setdefault((*case[:place], *case[place + 1 :]), []).append(case[place])
        if groups:
            found = [(*rest[:place], "/".join(map(str, words)), *rest[place:]) for rest, words in groups.items()]
    return [_in_words(facts, case) for case in found]


def _in_words(facts: Sequence[Fact], case: Sequence[_Piece]) -> str:
    parts = [
        f"{fact.name} = {piece if isinstance(piece, str) else describe(fact, *piece)}"
        for fact, piece in zip(facts, case, strict=True)
    ]
    return ", ".join(parts) or "*"
