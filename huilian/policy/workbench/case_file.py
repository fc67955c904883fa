"""Cases beside a policy: what is given, what must come out, from which clause; a lawyer reads and writes them.

They stand in `<name>.cases.toml` beside `<name>.toml`::

    [[cases]]
    title = "五万元一年，按期还清"
    function = "subsidy"
    source = "篇一 三(四)"
    from = "2019-01-01"
    to = "2021-01-01"
    given = { loan_no = "1", kind = "household", start = "2019-03-01", … }
    expected = { amount = "2211.25" }

`given` has the keys of an input line of `huilian policy try`; of a breaker it has `months`, a list of them. Only the
keys that `expected` names are compared; a list of reasons is compared by their codes. TOML has no null: "none" is it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.policy import positions
from huilian.policy.facts import read_date
from huilian.policy.faults import Fault, WrongValueError
from huilian.policy.policies import CASES
from huilian.policy.workbench.trial import FUNCTIONS, SPANNED, Trial, errors_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from huilian.policy.policies import Policy
    from huilian.policy.reference_rates import ReferenceRates
    from huilian.policy.working_days import WorkingDays

__all__ = ["SUFFIX", "Case", "Outcome", "read", "run"]


SUFFIX: Final = f"{CASES}.toml"
_NULL: Final = "none"
_KEYS: Final = ("title", "function", "source", "from", "to", "given", "expected", "note", "assumed")
_NEEDED: Final = ("title", "function", "source", "given", "expected")
_ABSENT: Final = object()


@dataclass(frozen=True)
class Case:
    """One case.

    Args:
        title: what it is about.
        function: of `trial.FUNCTIONS`.
        source: the clause, or the example, that it comes from.
        given: an input line; of a breaker, `months`.
        expected: what must come out, only what is named.
        since: the first day of the span, where the function takes one.
        until: the day after its last.
        line: in the file.
    """

    title: str
    function: str
    source: str
    given: Mapping[str, Any]
    expected: Mapping[str, Any]
    since: dt.date | None
    until: dt.date | None
    line: int


@dataclass(frozen=True)
class Outcome:
    """What came out of a case.

    Args:
        case: which.
        found: everything that came out.
        wrong: the keys that are not as expected, with what was expected and what was found.
    """

    case: Case
    found: Mapping[str, Any]
    wrong: Mapping[str, tuple[Any, Any]]

    def as_json(self) -> dict[str, Any]:
        """Return it for a program; what came out in full only where the case fails."""
        facts = {key: getattr(self.case, key) for key in ("title", "function", "source", "line")}
        wrong = {key: {"expected": expected, "found": found} for key, (expected, found) in self.wrong.items()}
        return facts | {"passed": not wrong, "wrong": wrong} | ({"found": dict(self.found)} if wrong else {})


def read(source: Traversable) -> tuple[list[Case], tuple[Fault, ...]]:
    """Read a file of cases; return those that can be run, and every fault in the order of the lines."""
    name = source.name
    told = positions.load(source)
    if isinstance(told, Fault):
        return [], (told,)
    raw, lines = told
    faults = [
        Fault(name, positions.line_of(lines, (key,)), key, "unknown_key", {"known": "cases"})
        for key in raw
        if key != "cases"
    ]
    listed = raw.get("cases")
    if not isinstance(listed, list) or not listed:
        return [], (*faults, Fault(name, 1, "cases", "missing", {"key": "[[cases]]"}))
    cases = []
    for place, each in enumerate(listed):
        case, wrong = _case(each, positions.line_of(lines, ("cases", place)))
        for key, text, facts in wrong:
            line = positions.line_of(lines, ("cases", place, *([key] if key else [])))
            faults.append(Fault(name, line, f"cases[{place}]{f'.{key}' if key else ''}", text, facts))
        if case is not None:
            cases.append(case)
    return cases, tuple(sorted(faults, key=lambda fault: fault.line))


_Wrong = tuple[str, str, dict[str, object]]
"""The key, the key of the fault's text, what the text names."""


def _case(raw: object, line: int) -> tuple[Case | None, list[_Wrong]]:
    if not isinstance(raw, dict):
        return None, [("", "table", {"known": ", ".join(_KEYS)})]
    wrong: list[_Wrong] = [(key, "unknown_key", {"known": ", ".join(_KEYS)}) for key in raw if key not in _KEYS]
    wrong += [("", "missing", {"key": key}) for key in _NEEDED if key not in raw]
    wrong += [
        (key, "text", {"found": repr(raw[key])})
        for key in ("title", "source")
        if key in raw and (not isinstance(raw[key], str) or not raw[key].strip())
    ]
    wrong += [
        (key, "table", {"known": "…"})
        for key in ("given", "expected")
        if key in raw and (not isinstance(raw[key], dict) or not raw[key])
    ]
    function = raw.get("function")
    if "function" in raw and function not in FUNCTIONS:
        wrong.append(("function", "unknown_word", {"word": function, "known": ", ".join(FUNCTIONS)}))
    span: dict[str, dt.date] = {}
    for key in ("from", "to"):
        if key in raw:
            try:
                span[key] = read_date(_with_null(raw[key]))
            except WrongValueError as error:
                wrong.append((key, error.key, dict(error.facts)))
            if function in FUNCTIONS and function not in SPANNED:
                wrong.append((key, "unknown_key", {"known": ", ".join(each for each in _KEYS if each not in span)}))
    if wrong:
        return None, wrong
    texts = (raw["title"], raw["function"], raw["source"])
    given, expected = (_with_null(raw[key]) for key in ("given", "expected"))
    return Case(*texts, given, expected, span.get("from"), span.get("to"), line), []


def _with_null(raw: Any) -> Any:  # noqa: ANN401  # what TOML has
    """Return what TOML says as JSON would: "none" is null, a date is a text."""
    if isinstance(raw, dict):
        return {key: _with_null(each) for key, each in raw.items()}
    if isinstance(raw, list):
        return [_with_null(each) for each in raw]
    if isinstance(raw, dt.date | dt.time):
        return raw.isoformat()
    return None if raw == _NULL else raw


def run(case: Case, policy: Policy, rates: ReferenceRates, working_days: WorkingDays) -> Outcome:
    """Run a case."""
    judge = Trial(case.function, policy, rates, working_days, case.since, case.until).judge()
    found: dict[str, Any]
    if case.function == "breaker" and isinstance(case.given.get("months"), list):
        found = {"months": [errors_of(judge, month) for month in case.given["months"]]}
    else:
        found = errors_of(judge, dict(case.given))
    if "errors" in found and "errors" not in case.expected:
        return Outcome(case, found, {"errors": (None, found["errors"])})
    pairs = {key: (expected, found.get(key, _ABSENT)) for key, expected in case.expected.items()}
    wrong = {
        key: (expected, _short(expected, None if there is _ABSENT else there))
        for key, (expected, there) in pairs.items()
        if not _agree(expected, there)
    }
    return Outcome(case, found, wrong)


def _agree(expected: Any, found: Any) -> bool:  # noqa: ANN401  # what JSON has
    """Return whether what was found is what was expected: lists in order, reasons by their codes, entries by keys."""
    if not isinstance(expected, list) or not isinstance(found, list):
        return bool(expected == found)
    return len(expected) == len(found) and all(map(_agree_each, expected, found))


def _agree_each(expected: Any, found: Any) -> bool:  # noqa: ANN401  # what JSON has
    if isinstance(expected, str) and isinstance(found, dict):
        return expected == found.get("code")
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(_agree(each, found.get(key, _ABSENT)) for key, each in expected.items())
    return bool(expected == found)


def _short(expected: Any, found: Any) -> Any:  # noqa: ANN401  # what JSON has
    """Return what was found as it was asked: codes of reasons, and only the keys that were named."""
    if not isinstance(expected, list) or not isinstance(found, list):
        return found
    names = {key for each in expected if isinstance(each, dict) for key in each} or {"code"}
    short = ({key: each[key] for key in each if key in names} if isinstance(each, dict) else each for each in found)
    return [each["code"] if isinstance(each, dict) and set(each) == {"code"} else each for each in short]
