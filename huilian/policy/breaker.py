"""Breakers: months of a region in order, and in which of them lending is stopped, observed or free."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError, fields, validates_schema

from huilian.core import money
from huilian.core.clock import first_day, following_month, last_day
from huilian.core.regions import LEVELS
from huilian.policy.case_fields import Amount, CaseSchema, Words
from huilian.policy.reading import Reading, Reason
from huilian.policy.tables import MissingFactError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from huilian.policy.policies import Policy
    from huilian.policy.tables import Entry

__all__ = ["CASE", "REASONS", "BreakerCase", "BreakerMonth", "Breakers", "RegionState", "follow"]


REASONS: Final = MappingProxyType(
    {
        "recovery_rate_below": ("到期贷款收回率连续低于界限", "The due-loan recovery rate was under the limit"),
        "bad_ratio_rising": ("不良贷款率连续上升", "The bad-loan ratio went on rising"),
        "bad_ratio_above": ("不良贷款率超过界限", "The bad-loan ratio is above the limit"),
        "fund_in_default": ("风险补偿金未按约定代偿", "The fund has not paid what it owes"),
    }
)
"""Why lending is stopped, by the kind of breaker, in Chinese and English."""

_HUNDRED: Final = Decimal(100)
_SIX_PLACES: Final = Decimal("0.000001")
_MONTH: Final = re.compile(r"(19|2[01])[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII)
_NO_MONTH: Final = '必须是月份，如 "2024-05" (must be a month)'
_IN_ORDER: Final = "月份必须依次给出：已有 {last} (months of a region come in order)"
_MORE_THAN_ALL: Final = "不能大于 {whole} (cannot be more than the whole)"


@dataclass(frozen=True)
class BreakerCase:
    """The figures of a region at the end of a month; those that no breaker asks for may be None.

    Args:
        region: any text.
        level: "village", "township" or "county".
        month: like "2024-05".
        balance: of all loans.
        bad_balance: of it, in the bad classes.
        due_principal: that fell due this year to date.
        due_repaid: of it, what was repaid.
        fund_in_default: whether the fund has not paid what it owes.
    """

    region: str
    level: str
    month: str
    balance: Decimal | None = None
    bad_balance: Decimal | None = None
    due_principal: Decimal | None = None
    due_repaid: Decimal | None = None
    fund_in_default: bool | None = None


class _Month(fields.Field[str]):
    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:  # noqa: ANN401  # marshmallow's
        del attr, data, kwargs
        if not isinstance(value, str) or not _MONTH.fullmatch(value):
            raise ValidationError(_NO_MONTH)
        return value


class _BreakerCaseSchema(CaseSchema):
    of = BreakerCase

    region = Words(required=True)
    level = Words(*LEVELS.values(), required=True)
    month = _Month(required=True)
    balance = Amount(allow_none=True)
    bad_balance = Amount(allow_none=True)
    due_principal = Amount(allow_none=True)
    due_repaid = Amount(allow_none=True)
    fund_in_default = fields.Boolean(truthy={True}, falsy={False}, allow_none=True)

    @validates_schema
    def refuse_more_than_all(self, data: dict[str, Any], **_: object) -> None:
        """Let pass a part that is no more than the whole."""
        for part, whole in (("bad_balance", "balance"), ("due_repaid", "due_principal")):
            if data.get(part) is not None and data.get(whole) is not None and data[part] > data[whole]:
                raise ValidationError({part: [_MORE_THAN_ALL.format(whole=whole)]})


CASE: Final = _BreakerCaseSchema()


@dataclass(frozen=True)
class _BreakerState:
    """Where one breaker stands: bad months running, the month since which it stops lending, months observed."""

    run: int = 0
    since: str | None = None
    observed: int = 0


@dataclass(frozen=True)
class RegionState:
    """What is remembered of a region from one month to the next.

    Args:
        month: the last one.
        since: the month since which lending is stopped without a break.
        ratio: bad balance and balance, in fen, of the last month that had one.
        breakers: by kind, and by place among those of one kind.
    """

    month: str = ""
    since: str | None = None
    ratio: tuple[int, int] | None = None
    breakers: Mapping[str, _BreakerState] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it to be kept."""
        return {
            "month": self.month,
            "since": self.since,
            "ratio": list(self.ratio) if self.ratio else None,
            "breakers": {
                key: {"run": each.run, "since": each.since, "observed": each.observed}
                for key, each in self.breakers.items()
            },
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> RegionState:
        """Return what was kept."""
        ratio = None if raw["ratio"] is None else (raw["ratio"][0], raw["ratio"][1])
        breakers = {key: _BreakerState(**each) for key, each in raw["breakers"].items()}
        return cls(raw["month"], raw["since"], ratio, breakers)


@dataclass(frozen=True)
class BreakerMonth:
    """What the figures of a month decide for a region.

    Args:
        case: the figures.
        reasons: by which breakers lending is stopped, in the policy's order; none: it is not.
        observing: whether all that stops lending is good again and only observed.
        state: to go on from with the next month.
        stops_from: the next month, where the figures of this one stop lending from then on.
        steps: each breaker's figure, bad months running and months observed.
        reading: of the policy.
    """

    case: BreakerCase
    reasons: tuple[Reason, ...]
    observing: bool
    state: RegionState
    stops_from: str | None
    steps: tuple[Mapping[str, Any], ...]
    reading: Reading = field(repr=False)

    @property
    def suspended(self) -> bool:
        """Whether lending is stopped."""
        return bool(self.reasons)

    def as_json(self) -> dict[str, Any]:
        """Return it for a program, with every breaker that was read."""
        return {
            "region": self.case.region,
            "level": self.case.level,
            "month": self.case.month,
            "suspended": self.suspended,
            "reason": self.reasons[0].code if self.reasons else None,
            "since": self.state.since,
            "observing": self.observing,
            "stops_from": self.stops_from,
            "reasons": [reason.as_json() for reason in self.reasons],
            **self.reading.as_json(),
            "steps": list(self.steps),
        }


def follow(policy: Policy, case: BreakerCase, state: RegionState) -> BreakerMonth:
    """Return what a month decides for a region.

    Args:
        policy: whose breakers hold.
        case: the figures of the month.
        state: of the region after the month before; `RegionState()` for its first.

    Raises:
        ValidationError: the month does not come after the last one.
        MissingFactError: a breaker asks for a figure that the case does not give.
    """
    if case.month <= state.month:
        raise ValidationError({"month": [_IN_ORDER.format(last=state.month)]})
    reading = Reading(policy, None)
    situation = {"level": case.level, "event": last_day(first_day(case.month))}
    breakers: dict[str, _BreakerState] = {}
    stopping: list[tuple[Reason, _BreakerState]] = []
    coming: list[str] = []
    steps = []
    for key, entry in _keyed(reading.entries("breakers", situation)):
        kind = entry["kind"]
        figure = _figure(entry, case, state)
        breaker = state.breakers.get(key, _BreakerState())
        breakers[key] = breaker if figure is None else _moved(breaker, entry, figure, case.month)
        steps.append(
            {
                "breaker": kind,
                "figure": None if figure is None else figure.text,
                "bad_months": breakers[key].run,
                "months_observed": breakers[key].observed,
                "since": breakers[key].since,
                "source": entry.source,
            }
        )
        since = breakers[key].since
        if since is not None and since > case.month:
            coming.append(since)
        elif since is not None:
            stopping.append((Reason(kind, REASONS[kind][0], entry.source), breakers[key]))
    first = min((breaker.since for _, breaker in stopping if breaker.since), default=None)
    ratio = state.ratio
    if case.balance and case.bad_balance is not None:
        ratio = (money.to_fen(case.bad_balance), money.to_fen(case.balance))
    return BreakerMonth(
        case,
        tuple(reason for reason, _ in stopping),
        bool(stopping) and all(breaker.observed for _, breaker in stopping),
        RegionState(case.month, first and (state.since or first), ratio, breakers),
        min(coming, default=None) if not stopping else None,
        tuple(steps),
        reading,
    )


class Breakers:
    """The breakers of a policy over many regions, a month after the other."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._states: dict[tuple[str, str], RegionState] = {}

    def follow(self, case: BreakerCase) -> BreakerMonth:
        """Return what a month decides for its region, and remember it; see `follow` for what it raises."""
        region = (case.level, case.region)
        month = follow(self._policy, case, self._states.get(region, RegionState()))
        self._states[region] = month.state
        return month


@dataclass(frozen=True)
class _Figure:
    """A breaker's figure of a month: bad months stop lending, good ones lift the stop; one may be neither."""

    bad: bool
    good: bool
    text: str


def _keyed(entries: Iterable[Entry]) -> Iterable[tuple[str, Entry]]:
    """Yield breakers by kind and place among their kind, so that a new limit goes on where the old one stood."""
    seen: dict[str, int] = {}
    for entry in entries:
        place = seen[entry["kind"]] = seen.get(entry["kind"], 0) + 1
        yield f"{entry['kind']}.{place}", entry


def _figure(entry: Entry, case: BreakerCase, state: RegionState) -> _Figure | None:
    """Return a breaker's figure; None where the month has none and so does not count."""
    kind, limit = entry["kind"], entry["limit"]
    if kind == "fund_in_default":
        if case.fund_in_default is None:
            raise MissingFactError(entry.rule, "fund_in_default")
        return _Figure(case.fund_in_default, not case.fund_in_default, str(case.fund_in_default).lower())
    if kind == "recovery_rate_below":
        repaid, due = _both(entry, case, "due_repaid", "due_principal")
        if not due:
            return None
        return _Figure(repaid * _HUNDRED < limit * due, repaid * _HUNDRED > limit * due, _percent(repaid, due))
    bad, balance = _both(entry, case, "bad_balance", "balance")
    if not balance:
        return None
    within = limit is None or bad * _HUNDRED <= limit * balance
    if kind == "bad_ratio_above":
        return _Figure(not within, within, _percent(bad, balance))
    rising = state.ratio is not None and bad * state.ratio[1] > state.ratio[0] * balance
    return _Figure(rising, within and not rising, _percent(bad, balance))


def _both(entry: Entry, case: BreakerCase, part: str, whole: str) -> tuple[int, int]:
    """Return two figures in fen: products of whole numbers are exact, however large."""
    found = []
    for name in (part, whole):
        if (value := getattr(case, name)) is None:
            raise MissingFactError(entry.rule, name)
        found.append(money.to_fen(value))
    return found[0], found[1]


def _moved(breaker: _BreakerState, entry: Entry, figure: _Figure, month: str) -> _BreakerState:
    """Return where a breaker stands after a month that counts."""
    run = breaker.run + 1 if figure.bad else 0
    if breaker.since is None:
        if run < (entry["months"] or 1):
            return _BreakerState(run)
        # A recovery rate is judged when its months are over: February to April stop lending in May.
        over = entry["kind"] == "recovery_rate_below"
        return _BreakerState(run, f"{following_month(first_day(month)):%Y-%m}" if over else month)
    if not figure.good:
        return replace(breaker, run=run, observed=0)
    if breaker.observed < (entry["observation"] or 0):
        return replace(breaker, run=run, observed=breaker.observed + 1)
    return _BreakerState(run)


def _percent(part: int, whole: int) -> str:
    return f"{(part * _HUNDRED / whole).quantize(_SIX_PLACES):f}%"
