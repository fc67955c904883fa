"""What a policy says on a day and from which clause, and what two policies, or two days of one, say differently."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.policy.facts import FACTS, Interval, Vocabulary, boundaries, describe, read_date
from huilian.policy.faults import WrongValueError
from huilian.policy.structure import HEADER, POLICY, PRODUCT, Field, Listing, Rule, Section
from huilian.policy.tables import Entry
from huilian.policy.values import ValueKind, text_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from huilian.policy.policies import Policy, Product
    from huilian.policy.reference_rates import ReferenceRates
    from huilian.policy.tables import Row

__all__ = [
    "DATES",
    "OF_THE_DAY",
    "Difference",
    "Statement",
    "compare",
    "defaults",
    "published_rates",
    "read_fact",
    "statements",
]


OF_THE_DAY: Final = ("accrued", "event")
"""The facts that are the day of which somebody asks."""
DATES: Final = ("signed", *OF_THE_DAY)
NONE: Final = "无 (none)"
"""Shown where the plan says that there is none, or no limit."""


@dataclass(frozen=True)
class Statement:
    """One row of a rule, one entry of a list, or what the head of a part says.

    Args:
        product: whose it is; empty for what holds for all products.
        rule: as in "subsidy.share".
        title: of the rule.
        when: what it asks of each fact.
        value: as the file has it; None where the plan says that there is none.
        source: the clause; empty in the head of a part.
        assumed: whether the plan is silent and the value is ours.
        line: in the file; 0 in the head of a part.
        place: in the file, with the policy whose file it is where the product is taken over from there.
    """

    product: str
    rule: str
    title: str
    when: Mapping[str, str]
    value: Any
    source: str = ""
    assumed: bool = False
    line: int = 0
    place: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        return vars(self) | {"product": self.product or None, "when": dict(self.when)}

    def shown_when(self) -> str:
        """Return for which facts it holds, for people."""
        return ", ".join(f"{fact} {condition}" for fact, condition in self.when.items())

    def shown_value(self) -> str:
        """Return its value for people."""
        return shown(self.value)


def shown(value: object) -> str:
    """Return a value for people: lists and shares on one line."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(f"{key} {shown(each)}" for key, each in value.items())
    if isinstance(value, list):
        return "、".join(map(shown, value))
    return str(value)


def _members(specs: Mapping[str, Rule | Listing | Section | Field]) -> Iterator[tuple[str, Rule | Listing]]:
    for name, spec in specs.items():
        if isinstance(spec, Section):
            yield from ((f"{name}.{key}", member) for key, member in spec.members.items())
        elif not isinstance(spec, Field):
            yield name, spec


_SPECS: Final = dict((*_members(POLICY), *_members(PRODUCT)))


def _as_written(kind: ValueKind, value: Any) -> Any:  # noqa: ANN401  # what JSON has
    """Return a value in plain JSON, written as the file has it."""
    if kind.name == "percent" and value is not None:
        return f"{value.normalize():f}%"
    if kind.name == "days_of_year" and value is not None:
        return [f"{month:02}-{day:02}" for month, day in value]
    return text_of(value)


def read_fact(name: str, text: str, vocabulary: Vocabulary) -> Any:  # noqa: ANN401  # of the fact's type
    """Return the value of a fact that somebody names: a date, a number, a word.

    Raises:
        WrongValueError: there is no such fact, or it cannot be this.
    """
    fact = FACTS.get(name)
    if fact is None:
        raise WrongValueError("unknown_word", word=name, known=", ".join(FACTS))
    if fact.kind == "date":
        return read_date(text)
    if fact.kind == "words":
        known = vocabulary.words(fact)
        if known is not None and text not in known:
            raise WrongValueError("unknown_word", word=text, known=", ".join(known))
        return text
    number = text.removesuffix("%") if fact.unit == "per cent" else text
    if not number.replace(".", "", fact.kind != "whole").isdecimal() or not number.isascii():
        key = "whole" if fact.kind == "whole" else "number"
        raise WrongValueError(key, least=fact.least, found=repr(text))
    return int(number) if fact.kind == "whole" else Decimal(number)


def statements(policy: Policy, *, known: Mapping[str, Any], product: str | None = None) -> list[Statement]:
    """Return what a policy says where some facts are known, in the order of the structure.

    Args:
        policy: which.
        known: facts by name. Of the facts that nobody named every row is told. `accrued` also shuts out what is said
            of contracts that are signed later, and of years that do not hold it.
        product: only this one, beside what holds for all; None: every product that there is by then.
    """
    found: list[Statement] = []
    for part in _parts(policy, known, product):
        found += _head(policy, part)
        for name, spec in _SPECS.items():
            if name in part.rules and isinstance(spec, Rule):
                rows = (row for row in part.rules[name].rows_for(_with_county(policy, known)) if _is_of(row, known))
                found += [_statement(part, name, spec, row, _as_written(spec.kind, row.value)) for row in rows]
            elif name in part.lists and isinstance(spec, Listing):
                for entry in part.lists[name]:
                    if entry.may_hold(_with_county(policy, known)) and _is_of(entry, known):
                        written = {
                            key: _as_written(spec.fields[key].kind, value) for key, value in entry.fields.items()
                        }
                        found.append(_statement(part, name, spec, entry, written))
    return found


def defaults(policy: Policy, *, known: Mapping[str, Any], product: str | None = None) -> list[Statement]:
    """Return what holds because the file does not have a rule: Huilian's own default, in sections the file has."""
    return [
        Statement(part.name, name, spec.title, {}, spec.absent)
        for part in _parts(policy, known, product)
        for name, spec in _SPECS.items()
        if isinstance(spec, Rule) and name not in part.rules and part.has(name.partition(".")[0])
    ]


def _parts(policy: Policy, known: Mapping[str, Any], product: str | None) -> Iterator[Product]:
    day = known.get("signed") or known.get("accrued")
    for _, part in policy.parts():
        opens = part.open.low if part.open is not None else None
        there = day is None or opens is None or opens <= (day, 0)
        if "signed" in known and part.open is not None:
            there = part.open.has(known["signed"])
        if not part.name or (part.name == product if product else there):
            yield part


def _with_county(policy: Policy, known: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = policy.county_kind
    return known if kind is None or not known else {"county_kind": kind, **known}


def _is_of(said: Row | Entry, known: Mapping[str, Any]) -> bool:
    """Return whether a row or an entry is said of a day at all: of contracts signed by then, of a year that has it."""
    day = known.get("accrued")
    if day is None:
        return True
    signed = said.when.get("signed")
    if isinstance(signed, Interval) and signed.low is not None and signed.low > (day, 0):
        return False
    year = said["year"] if isinstance(said, Entry) else None
    return not isinstance(year, Interval) or year.has(day)


def _statement(part: Product, name: str, spec: Rule | Listing, said: Row | Entry, written: object) -> Statement:
    when = {fact: str(condition) for fact, condition in said.when.items()}
    return Statement(part.name, name, spec.title, when, written, said.source, said.assumed, said.line, said.rule)


def _head(policy: Policy, part: Product) -> Iterator[Statement]:
    if part.name:
        given: dict[str, object] = {"title": part.title, "borrowers": part.borrowers, "open": part.open}
        titles = {key: spec.title for key, spec in PRODUCT.items()}
    else:
        given = {"title": policy.title, "plans": policy.plans, "grades": policy.vocabulary.grades}
        given |= {"county_kind": policy.county_kind}
        titles = {key: spec.title for key, spec in HEADER.items()}
    for key, value in given.items():
        if value:
            yield Statement(part.name, key, titles[key], {}, text_of(value))


def published_rates(rates: ReferenceRates, day: dt.date) -> list[dict[str, Any]]:
    """Return the rates that were published last before a day, by series and term, each with until when it is known."""
    found = []
    fact = FACTS["term"]
    for series, published in rates.rates.items():
        until = rates.known_until[series]
        past = [rate for rate in published if rate.since <= day]
        spans: dict[tuple[dt.date, Decimal], list[Any]] = {}
        for low, high in boundaries(fact, (rate.term for rate in past)):
            rate = next((each for each in past if each.term.covers(low, high)), None)
            if rate is not None:
                span = spans.setdefault((rate.since, rate.percent), [low, high])
                span[1] = high
        for (since, percent), (low, high) in spans.items():
            term = describe(fact, low, high)
            facts = {"series": series, "term": term, "percent": f"{percent:f}", "since": since.isoformat()}
            found.append(facts | {"known_until": until.isoformat(), "passed": day > until})
    return found


@dataclass(frozen=True)
class Difference:
    """What two sides say differently of one rule.

    Args:
        product: whose rule; empty for what holds for all products.
        rule: as in "subsidy.share".
        title: of the rule.
        one: what only the first side says.
        other: what only the second says.
    """

    product: str
    rule: str
    title: str
    one: tuple[Statement, ...]
    other: tuple[Statement, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        sides = {name: [each.as_json() for each in getattr(self, name)] for name in ("one", "other")}
        return {"product": self.product or None, "rule": self.rule, "title": self.title} | sides


def compare(
    one: Iterable[Statement], other: Iterable[Statement], *, decided: Sequence[str] = ()
) -> tuple[list[Difference], int]:
    """Return what two sides say differently, and of how many rules only the source differs.

    Args:
        one: what the first side says, with its defaults.
        other: what the second side says.
        decided: facts that are known on both sides, so that rows need not agree in them.
    """
    sides: list[dict[tuple[str, str], list[Statement]]] = [{}, {}]
    for side, said in zip(sides, (one, other), strict=True):
        for each in said:
            side.setdefault((each.product, each.rule), []).append(each)
    found, sources = [], 0
    order = {name: place for place, name in enumerate(_SPECS)}
    products = list(dict.fromkeys(product for side in sides for product, _ in side))
    keys = {key for side in sides for key in side}
    for key in sorted(keys, key=lambda key: (products.index(key[0]), order.get(key[1], -1), key[1])):
        here, there = (side.get(key, []) for side in sides)
        # Of a section that only one side has, the defaults say nothing.
        if not (here and there) and key[1] in order and not any(each.line for each in (*here, *there)):
            continue
        meant = [{_meaning(each, decided) for each in side} for side in (here, there)]
        if meant[0] != meant[1]:
            only = [
                tuple(each for each in side if _meaning(each, decided) not in others)
                for side, others in ((here, meant[1]), (there, meant[0]))
            ]
            found.append(Difference(*key, (here or there)[0].title, only[0], only[1]))
        elif {(each.source, each.assumed) for each in here} != {(each.source, each.assumed) for each in there}:
            sources += 1
    return found, sources


def _meaning(said: Statement, decided: Sequence[str]) -> str:
    when = sorted((fact, condition) for fact, condition in said.when.items() if fact not in decided)
    return f"{when} {said.shown_value()}"
