"""Rating: indicators to a score, the score to a grade and a line, or the grounds on which there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError, fields

from huilian.core import money
from huilian.policy.case_fields import CaseSchema, Date, Number, Region, Whole, Words
from huilian.policy.facts import FACTS
from huilian.policy.reading import Reading, Reason
from huilian.policy.tables import MissingFactError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from huilian.policy.policies import Entry, Policy

__all__ = ["CASE", "REASONS", "Rating", "RatingCase", "rate", "weighed_indicators"]


REASONS: Final = MappingProxyType(
    {
        "age": ("年龄不在规定范围内", "The age is outside the limits"),
        "score_too_low": ("评分未达到最低一档", "The score is under the lowest band"),
    }
)
"""Codes of refusals beside the policy's own grounds, in Chinese and English."""

_MOST_POINTS: Final = Decimal(100)
_HUNDRED: Final = Decimal(100)
_NO_POINTS: Final = Decimal(0)
_SIGNS: Final = MappingProxyType({"add": Decimal(1), "subtract": Decimal(-1)})
_TWO_PLACES: Final = Decimal("0.01")
_MISSING: Final = "缺少这项指标 (this indicator is missing)"
_UNKNOWN: Final = "政策没有这项指标；可用：{known} (the policy has no such indicator)"


@dataclass(frozen=True)
class RatingCase:
    """A household or enterprise to be rated.

    Args:
        household_no: of the household.
        kind: of household, or "enterprise".
        indicators: points from 0 to 100, by the indicator's code.
        age: of the head, where the policy asks.
        exclusions: grounds that were found, as the policy calls them.
        event: the day of the rating, where the policy asks.
        region: its code, where the policy asks.
    """

    household_no: str
    kind: str
    indicators: Mapping[str, Decimal]
    age: int | None = None
    exclusions: tuple[str, ...] = ()
    event: dt.date | None = None
    region: str | None = None


class _RatingCaseSchema(CaseSchema):
    of = RatingCase

    household_no = Words(required=True)
    kind = Words(*(FACTS["household_kind"].words or ()), "enterprise", required=True)
    indicators = fields.Dict(keys=Words(), values=Number(most=100), load_default=dict)
    age = Whole(allow_none=True, load_default=None)
    exclusions = fields.List(Words(), load_default=list)
    event = Date(allow_none=True, load_default=None)
    region = Region(allow_none=True, load_default=None)


CASE: Final = _RatingCaseSchema()


@dataclass(frozen=True)
class Rating:
    """What a policy makes of a case.

    Args:
        household_no: of the household.
        score: with two decimals; None where a barred household has no indicators.
        grade: None where the policy has no grades, or gives none.
        line: yuan; None where the bank sets it, or where there is none.
        refusals: why there is no grade, or no line; empty where nothing is refused.
        weights: per cent by indicator.
        indicators: points by indicator.
        extra_points: that the policy adds.
        adjustments: points that other indicators add, or take where they are below zero.
        reading: of the policy.
    """

    household_no: str
    score: Decimal | None
    grade: str | None
    line: Decimal | None
    refusals: tuple[Reason, ...]
    weights: Mapping[str, Decimal]
    indicators: Mapping[str, Decimal]
    extra_points: Decimal
    adjustments: Mapping[str, Decimal]
    reading: Reading = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return it for a program, with every rule and every step."""
        return {
            "household_no": self.household_no,
            "score": None if self.score is None else f"{self.score:.2f}",
            "grade": self.grade,
            "line": None if self.line is None else money.text(self.line),
            "refused": [reason.code for reason in self.refusals],
            "refusals": [reason.as_json() for reason in self.refusals],
            **self.reading.as_json(),
            "steps": self._steps(),
        }

    def _steps(self) -> list[dict[str, Any]]:
        if self.score is None:
            return []
        steps: list[dict[str, Any]] = [
            {
                "step": "indicator",
                "indicator": indicator,
                "points": f"{self.indicators[indicator]:f}",
                "weight_percent": f"{weight:f}",
                "adds": f"{self.indicators[indicator] * weight / _HUNDRED:f}",
            }
            for indicator, weight in self.weights.items()
        ]
        exact = _exact(self.weights, self.indicators, self.extra_points, self.adjustments)
        return [
            *steps,
            {"step": "extra_points", "adds": f"{self.extra_points:f}"},
            *(
                {"step": "adjustment", "indicator": indicator, "adds": f"{points:f}"}
                for indicator, points in self.adjustments.items()
            ),
            {"step": "score", "exact": f"{exact:f}", "rounded": f"{self.score:.2f}"},
        ]


def rate(policy: Policy, case: RatingCase) -> Rating:
    """Rate a household or an enterprise by a policy.

    Raises:
        ValidationError: an indicator is missing or unknown, or a ground that the policy does not have.
        MissingFactError: the policy asks for a fact that the case does not give.
        ConfigurationError: HL6007, the policy has no weights for such a case.
    """
    enterprise = case.kind == "enterprise"
    reading = Reading(policy, None)
    situation: dict[str, Any] = {
        "borrower": "enterprise" if enterprise else "household",
        "household_kind": None if enterprise else case.kind,
        "event": case.event,
        "region_list": policy.vocabulary.region_list_of(case.region),
    }
    weights: Mapping[str, Decimal] = reading.required("rating.weights", situation)
    excluded = reading.exclusions("rating.exclusions", case.exclusions, situation)
    barred = [_refusal(entry) for entry in excluded if entry["bars"] != "line"]
    if not enterprise:
        barred += _age_refusals(reading, case, situation)
    line_barred = [_refusal(entry) for entry in excluded if entry["bars"] == "line"]
    extra_points = reading.value("rating.extra_points", situation) or _NO_POINTS
    adjusting = reading.entries("rating.adjustments", situation)
    adjustments = {
        entry["indicator"]: case.indicators[entry["indicator"]] * _SIGNS[entry["effect"]]
        for entry in adjusting
        if entry["indicator"] in case.indicators
    }
    score = None
    if case.indicators or not barred:
        _refuse_other_indicators(weights, case.indicators, [entry["indicator"] for entry in adjusting])
        exact = _exact(weights, case.indicators, extra_points, adjustments)
        score = max(_NO_POINTS, min(_MOST_POINTS, exact)).quantize(_TWO_PLACES, rounding=ROUND_HALF_UP)
    parts = (weights, case.indicators, extra_points, adjustments, reading)
    if barred:
        return Rating(case.household_no, score, None, None, (*barred, *line_barred), *parts)
    situation["score"] = score
    grading = reading.row("rating.grade", situation)
    situation["grade"] = grade = None if grading is None else grading.value
    lines = reading.row("rating.line", situation)
    line = None if lines is None or line_barred else lines.value
    # Without grades, the lowest band is the one that has no line.
    band = grading or lines
    too_low = [] if band is None or band.value else [_reason("score_too_low", band.source)]
    return Rating(case.household_no, score, grade, line, (*line_barred, *too_low), *parts)


def weighed_indicators(policy: Policy, situation: Mapping[str, Any]) -> frozenset[str]:
    """Return the indicators that count in a situation: those with a weight, and those that add or take points.

    Raises:
        MissingFactError: the policy asks for a fact that is not known.
        ConfigurationError: HL6007, the policy has no weights for such a situation.
    """
    reading = Reading(policy, None)
    weights = reading.required("rating.weights", situation)
    adjusting = reading.entries("rating.adjustments", situation)
    return frozenset(weights).union(entry["indicator"] for entry in adjusting)


def _exact(
    weights: Mapping[str, Decimal],
    indicators: Mapping[str, Decimal],
    extra_points: Decimal,
    adjustments: Mapping[str, Decimal],
) -> Decimal:
    weighed = sum((indicators[key] * weight for key, weight in weights.items()), _NO_POINTS) / _HUNDRED
    return weighed + extra_points + sum(adjustments.values(), _NO_POINTS)


def _refuse_other_indicators(
    weights: Mapping[str, Decimal], indicators: Mapping[str, Decimal], adjusting: Sequence[str]
) -> None:
    if indicators.keys() == weights.keys():
        return
    known = dict.fromkeys((*weights, *adjusting))
    faults = {key: [_MISSING] for key in weights if key not in indicators}
    faults |= {key: [_UNKNOWN.format(known=", ".join(known))] for key in indicators if key not in known}
    if faults:
        raise ValidationError({"indicators": faults})


def _age_refusals(reading: Reading, case: RatingCase, situation: Mapping[str, Any]) -> list[Reason]:
    row = reading.row("rating.age", situation)
    if row is None or row.value is None:
        return []
    if case.age is None:
        raise MissingFactError(row.rule, "age")
    return [] if row.value.has(case.age) else [_reason("age", row.source)]


def _reason(code: str, clause: str) -> Reason:
    return Reason(code, REASONS[code][0], clause)


def _refusal(entry: Entry) -> Reason:
    return Reason(entry["ground"], entry["title"], entry.source)
