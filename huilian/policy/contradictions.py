"""Where the rules of a policy contradict each other, though each is right by itself."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from huilian.core.regions import LEVELS
from huilian.policy import tables
from huilian.policy.facts import FACTS, Interval, boundaries
from huilian.policy.reading import step_takes
from huilian.policy.values import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from huilian.policy.policies import Policy, Product
    from huilian.policy.tables import Entry, Row, Table

__all__ = ["contradictions"]


_HUNDRED: Final = 100
_Contradiction = tuple[int, str, str, dict[str, object]]
"""The line, the place, the key of its text, what the text names."""
_NEEDED: Final = {
    "breakers": (
        "kind",
        {"recovery_rate_below": "limit months", "bad_ratio_rising": "months", "bad_ratio_above": "limit"},
    ),
    "lending.conditions": (
        "condition",
        {"other": "name", "on_roster_of_day": "day", "in_region_list": "list", "of_household_kind": "kinds",
         "programme_scale": "amount", "programme_end": "day"},
    ),
}  # fmt: skip
"""By list and by the word of a field: the fields that such an entry cannot do without."""


def contradictions(policy: Policy) -> Iterator[_Contradiction]:
    """Yield where rules do not agree that are right one by one."""
    for prefix, part in policy.parts():
        for least, most in (("amount_minimum", "amount_maximum"), ("term_minimum", "term_maximum")):
            yield from _bounds(part.rules.get(f"lending.{least}"), part.rules.get(f"lending.{most}"))
        yield from _tiers(part, prefix)
        for name, entries in part.lists.items():
            if name.endswith("steps"):
                yield from _steps_back(entries)
            if name == "application_steps":
                yield from _steps_in_order(entries)
            yield from _fields_needed(name, entries)
    yield from _weights_of_assessment(policy.general.lists.get("assessment", ()))
    for change in policy.general.lists.get("region_changes", ()):
        codes = [change[key] for key in ("old", "new") if change[key] is not None]
        wrong = [code for code in codes if not code.isdecimal() or len(code) not in LEVELS]
        yield from ((change.line, change.rule, "level_of_region", {"word": code}) for code in wrong)
        if not wrong and len({len(code) for code in codes}) > 1:
            yield change.line, change.rule, "levels_differ", {"old": codes[0], "new": codes[1]}


def _fields_needed(name: str, entries: Sequence[Entry]) -> Iterator[_Contradiction]:
    field, needed = _NEEDED.get(name, ("", {}))
    for entry in entries:
        for key in needed.get(str(entry[field]), "").split():
            if entry[key] is None:
                yield entry.line, entry.rule, "needs", {"key": entry[field], "other": key}


def _bounds(least: Table | None, most: Table | None) -> Iterator[_Contradiction]:
    if least is None or most is None or least.facts or most.facts:
        return
    low, high = least.rows[0].value, most.rows[0].value
    if low is not None and high is not None and low > high:
        yield most.rows[0].line, most.rule, "bounds", {"what": f"{text_of(low)} > {text_of(high)}"}


def _rows(part: Product, rule: str) -> tuple[Row, ...]:
    return part.rules[rule].rows if rule in part.rules else ()


def _tiers(part: Product, prefix: str) -> Iterator[_Contradiction]:
    """Yield what the shares of a loss lack: each rule that needs another has it for the same cases."""
    for rule, other, asks in (
        ("recovery", "recovery_shares", lambda value: value == "shares"),
        ("second_tier", "second_tier_of", lambda value: value is not None),
        ("second_tier_of", "second_tier", lambda value: value is not None),
    ):
        there = [row for row in _rows(part, f"loss.{other}") if row.value is not None]
        for row in _rows(part, f"loss.{rule}"):
            if asks(row.value) and not any(tables.meet(row, each) for each in there):
                key = f"{rule} = {row.value}" if isinstance(row.value, str) else rule
                yield row.line, row.rule, "needs", {"key": key, "other": f"{prefix}loss.{other}"}
    for row in _rows(part, "loss.second_tier_of"):
        for shares in _rows(part, "loss.shares"):
            if row.value and shares.value and tables.meet(row, shares) and row.value not in shares.value:
                yield row.line, row.rule, "unknown_word", {"word": row.value, "known": ", ".join(shares.value)}


def _steps_back(steps: Sequence[Entry]) -> Iterator[_Contradiction]:
    for place, step in enumerate(steps):
        before = [str(earlier["step"]) for earlier in steps[:place]]
        for word in step["back_to"] or ():
            if word not in before:
                yield step.line, step.rule, "step_unknown", {"word": word, "known": ", ".join(before) or "-"}


_ORDER: Final = ("request", "review", "loan", "cover")
"""What steps of an application take, in this order; a confirmation is a review, too."""


def _steps_in_order(steps: Sequence[Entry]) -> Iterator[_Contradiction]:
    """Yield where the steps of an application are no way from the request to the loan."""
    if steps and step_takes(steps[0]) != "request":
        yield steps[0].line, steps[0].rule, "steps_begin", {}
    for place, step in enumerate(steps):
        takes, rank = step_takes(step), _rank(step)
        before = [earlier for earlier in steps[:place] if tables.meet(earlier, step)]
        same = next((each for each in before if step_takes(each) == takes), None)
        later = next((each for each in before if _rank(each) > rank), None)
        if same is not None and takes in {"request", "confirmation", "loan"}:
            yield step.line, step.rule, "steps_one", {"takes": takes, "line": same.line}
        elif later is not None:
            yield step.line, step.rule, "steps_order", {"takes": takes, "other": later["step"], "line": later.line}
        elif takes == "cover" and not any(step_takes(each) == "loan" for each in before):
            yield step.line, step.rule, "needs", {"key": 'takes = "cover"', "other": 'takes = "loan"'}


def _rank(step: Entry) -> int:
    takes = step_takes(step)
    return _ORDER.index("review" if takes == "confirmation" else takes)


def _weights_of_assessment(entries: Sequence[Entry]) -> Iterator[_Contradiction]:
    """Yield the groups of which the weights do not add up to a hundred, on any day."""
    for of in dict.fromkeys(entry["of"] for entry in entries):
        group = [entry for entry in entries if entry["of"] == of]
        spans = [each for entry in group if isinstance(each := entry.when.get("event"), Interval)]
        for low, _ in boundaries(FACTS["event"], spans):
            day = dt.date.min if low is None else low[0]
            holding = [entry for entry in group if entry.may_hold({"event": day})]
            total = sum(entry["weight"] or 0 for entry in holding)
            if holding and total != _HUNDRED:
                yield holding[0].line, holding[0].rule, "shares_total", {"total": total}
                break
