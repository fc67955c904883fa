"""Judging records by a policy without a county: a line in, a line out, and what is wrong with a line in its place.

The functions are those that the services use, so that what is said here is what will be paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError

from huilian.core import strict_json
from huilian.core.errors import HuilianError
from huilian.policy import breaker, eligibility, insurance_period, loss, rating, subsidy
from huilian.policy.facts import FACTS
from huilian.policy.reference_rates import UnknownRateError
from huilian.policy.tables import MissingFactError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from huilian.policy.case_fields import CaseSchema
    from huilian.policy.policies import Policy
    from huilian.policy.reference_rates import ReferenceRates
    from huilian.policy.working_days import WorkingDays

__all__ = ["FUNCTIONS", "SPANNED", "Trial"]


FUNCTIONS: Final = ("rating", "eligibility", "subsidy", "loss", "breaker", "insurance")
SPANNED: Final = ("subsidy",)
"""The functions that take a span of days."""
LONGEST_BYTES: Final = 1024 * 1024
"""Of a line; a longer one is no record."""

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "not_json": ("不是一个 JSON 对象：{what}", "no JSON object: {what}"),
    "too_long": ("一行超过 {most} 字节", "the line has more than {most} bytes"),
    "too_deep": ("嵌套过深", "is nested too deeply"),
    "missing": ("缺少这一项", "is missing"),
    "null": ("不能为 null", "must not be null"),
    "missing_fact": (
        "政策的 {rule} 要看 {fact}（{title}），这一行没有",
        "{rule} of the policy asks for {fact}, which the line does not give",
    ),
    "unknown_rate": (
        "{day} 没有已公布的 {series}；请录入数据目录的 rates.toml",
        "no {series} is known on {day}; enter it in rates.toml of the data directory",
    ),
}
"""Chinese and English by code of an error; further codes are those of the error catalogue."""
_OF_MARSHMALLOW: Final = {"Missing data for required field.": "missing", "Field may not be null.": "null"}


@dataclass(frozen=True)
class Trial:
    """One policy function, ready to judge.

    Args:
        function: of `FUNCTIONS`.
        policy: by which it judges.
        rates: published rates.
        working_days: for times that count them.
        since: the first day of the span, where the function takes one.
        until: the day after its last.
    """

    function: str
    policy: Policy
    rates: ReferenceRates
    working_days: WorkingDays
    since: dt.date | None = None
    until: dt.date | None = None

    def answers(self, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        """Yield what each line is answered, in order; of an empty line nothing.

        Args:
            lines: JSON, one object each; a line longer than `LONGEST_BYTES` may be cut off.
        """
        judge = self.judge()
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _answer(judge, number, line)

    def judge(self) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """Return what judges one record, given as JSON has it, and answers as JSON has it.

        It raises as the function does that it calls; of a breaker it remembers the months before.
        """
        schema, call = self._function()

        def answer(raw: dict[str, Any]) -> dict[str, Any]:
            result: dict[str, Any] = call(schema.load(raw)).as_json()
            result["ignored"] = schema.ignored(raw)
            return result

        return answer

    def _function(self) -> tuple[CaseSchema, Callable[[Any], Any]]:
        match self.function:
            case "rating":
                return rating.CASE, lambda case: rating.rate(self.policy, case)
            case "eligibility":
                return eligibility.CASE, lambda case: eligibility.judge(self.policy, case, self.rates)
            case "loss":
                return loss.CASE, lambda case: loss.share(self.policy, case, self.working_days)
            case "insurance":
                return insurance_period.CASE, lambda case: insurance_period.settle(self.policy, case)
            case "subsidy":
                subsidies = subsidy.Subsidies(self.policy, self.rates)
                return subsidy.CASE, lambda case: subsidies.assess(case, self.since, self.until)
        return breaker.CASE, breaker.Breakers(self.policy).follow


def errors_of(judge: Callable[[dict[str, Any]], dict[str, Any]], raw: object) -> dict[str, Any]:
    """Return what a record is answered, or `errors`: why it cannot be judged."""
    if not isinstance(raw, dict):
        return {"errors": [_error(None, "not_json", what=type(raw).__name__)]}
    try:
        return judge(raw)
    except (ValidationError, MissingFactError, UnknownRateError, HuilianError) as error:
        return {"errors": list(_why(error))}


def _why(error: Exception) -> Iterator[dict[str, Any]]:
    if isinstance(error, ValidationError):
        yield from _wrong_fields(error.messages, "")
    elif isinstance(error, MissingFactError):
        fact = FACTS.get(error.fact)
        title = fact.title if fact else error.fact
        yield _error(error.fact, "missing_fact", rule=error.rule, fact=error.fact, title=title)
    elif isinstance(error, UnknownRateError) and error.series == "contract":
        yield _error("annual_rate_percent", "null")
    elif isinstance(error, UnknownRateError):
        yield _error(None, "unknown_rate", series=error.series, day=error.day)
    elif isinstance(error, HuilianError):
        yield {"field": None, "code": error.code, "chinese": error.chinese, "english": error.english}


def _answer(judge: Callable[[dict[str, Any]], dict[str, Any]], number: int, line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_BYTES:
        return {"line": number, "errors": [_error(None, "too_long", most=LONGEST_BYTES)]}
    try:
        raw = strict_json.loads(line.removeprefix(b"\xef\xbb\xbf").strip())
    except ValueError as error:
        return {"line": number, "errors": [_error(None, "not_json", what=error)]}
    except RecursionError:
        return {"line": number, "errors": [_error(None, "too_deep")]}
    answer = errors_of(judge, raw)
    return {"line": number, **answer} if "errors" in answer else answer


def _error(field: str | None, code: str, **facts: object) -> dict[str, Any]:
    chinese, english = _TEXTS[code]
    return {"field": field, "code": code, "chinese": chinese.format(**facts), "english": english.format(**facts)}


def _wrong_fields(messages: Any, path: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401  # marshmallow's, nested
    if isinstance(messages, dict):
        for key, each in messages.items():
            # Where a dictionary's value is wrong, marshmallow puts "key" or "value" between.
            inner = path if key in ("_schema", "value", "key") and path else f"{path}.{key}" if path else str(key)
            yield from _wrong_fields(each, f"{path}[{key}]" if isinstance(key, int) else inner)
        return
    for text in messages if isinstance(messages, list) else [messages]:
        code = _OF_MARSHMALLOW.get(text)
        if code:
            yield _error(path, code)
            continue
        # Texts of fields are Chinese, with the English in brackets behind it.
        chinese, bracket, english = str(text).removesuffix(")").partition(" (")
        told = {"chinese": chinese, "english": english} if bracket else {"chinese": text, "english": text}
        yield {"field": path or None, "code": "wrong", **told}
