"""The breaker: where lending stops and goes on again, as the county's policy judges the figures of each month.

A month is judged once, when it is over: as soon as every bank has reported for its last day, at the latest when the
time for reports has passed and any bank has reported. What is corrected later counts in the months that follow.
Figures of the running month stop lending at once; they let it go on only when their month is over. Where the fund is
in default, which is one fact for all regions, only the widest region that it stops is told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core import money
from huilian.core.clock import first_day, following_month, last_day, months_later, previous_month
from huilian.core.regions import LEVELS
from huilian.county import changes as county_changes
from huilian.county.changes import Changes, Event, Fold
from huilian.county.members import directory
from huilian.county.schedule import Calendar, Job
from huilian.county.service import Gauge
from huilian.county.submissions.scoreboard import DUE_DAY
from huilian.policy import breaker
from huilian.policy.breaker import REASONS, BreakerCase, RegionState
from huilian.policy.reading import Reading
from huilian.wire.access import service_code
from huilian.wire.names import PLATFORM
from schemas.breakers import LendingSuspended
from services.statistics.domain import BAD_CLASSES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from huilian.county.context import Context
    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.wire.envelope import Draft, Message

    Steps = Mapping[str, Mapping[str, Any]]

__all__ = [
    "CASES", "EVENT", "FIGURES", "JOB", "Month", "follow_figures", "follow_reports", "gauges",
    "on_compensations_changed", "running", "stopping", "tell", "words",
]  # fmt: skip

EVENT: Final = Event("lending_suspended", 1, LendingSuspended)
CASES: Final = Fold("statistics.case_change", key=("claim_no", "as_of"), state=("fund_share", "fund_paid", "fund_due"))
_FIGURES: Final = """
    SELECT left(region, {digits}) AS region, sum(balance)::bigint AS balance, sum(bad_balance)::bigint AS bad_balance,
           coalesce(sum(lent) FILTER (WHERE {due}), 0)::bigint AS due_principal,
           coalesce(sum(repaid) FILTER (WHERE {due}), 0)::bigint AS due_repaid
    FROM statistics.roll_up {narrowed}
    WHERE month <= %(month)s AND length(region) >= {digits} AND left(region, {digits}) NOT LIKE '%%000'
    GROUP BY 1
"""
_NARROWED: Final = "JOIN unnest(%(regions)s::text[]) asked (code) ON region >= code AND region < code || ':'"
"""Only what lies in some regions; ":" sorts after the digits."""
_OF_CLASSES: Final = """
    SELECT left(region, {digits}) AS region,
           sum(CASE WHEN five_tier_class = ANY(%(bad)s) THEN balance ELSE -balance END)::bigint AS balance
    FROM statistics.class_balance
    WHERE month <= %(month)s AND five_tier_class = ANY(%(bad)s) <> (five_tier_class = ANY(%(known)s)) GROUP BY 1
"""
"""What the classes that the policy calls bad differ by from those that the roll-up does."""
_DUE: Final = "due_month BETWEEN date_trunc('year', %(month)s::date)::date AND %(month)s"
# A payment on the last day is in time.
_IN_DEFAULT: Final = """
    SELECT EXISTS (
        SELECT FROM statistics.case_change WHERE as_of <= %(day)s AND fund_due < %(day)s AND fund_paid < fund_share
        GROUP BY claim_no, fund_share, fund_paid, fund_due HAVING sum(n) > 0)
"""
_OF_ALL: Final = "fund_in_default"
"""The kind of breaker whose figure is the same in all regions."""
_TEXT_LONGEST: Final = 500
_CLAUSE_LONGEST: Final = 200
FIGURES: Final = ("balance", "bad_balance", "due_principal", "due_repaid")
"""The amounts of a month."""
_STARTED: Final = "SELECT s.region, s.policy, s.reason, s.text, s.clause, s.from_date, NULL::date AS until_date"
_CHANGES: Final = f"""
    SELECT s.suspension_no, c.as_of, NULL, row_number() OVER (ORDER BY c.as_of, s.suspension_no, c.is_end),
           {EVENT.columns("b", "a")}
    FROM statistics.lending_stop s
    CROSS JOIN LATERAL (VALUES (s.from_date, false), (s.until_date, true)) c (as_of, is_end)
    LEFT JOIN LATERAL ({_STARTED} WHERE c.is_end) b ON true
    CROSS JOIN LATERAL (SELECT s.region, s.policy, s.reason, s.text, s.clause, s.from_date,
                               CASE WHEN c.is_end THEN s.until_date END AS until_date) a
    WHERE c.as_of IS NOT NULL AND {{told}} ORDER BY c.as_of, s.suspension_no, c.is_end
"""
"""Of each stop its beginning and its end, as changes."""


@dataclass(frozen=True)
class Month:
    """The figures of a region in a month, and what the policy makes of them.

    Args:
        case: the figures.
        steps: by key of each breaker its month, figure, bad months running, months observed, and since when it stops.
        state: what the next month is judged from, as `RegionState` gives it.
    """

    case: BreakerCase
    steps: Steps
    state: Mapping[str, Any]


def stopping(steps: Steps, month: str) -> dict[str, Mapping[str, Any]]:
    """Return of the steps of a region's newest month those that stop lending in a month, by key."""
    return {key: step for key, step in steps.items() if step["since"] and step["since"] <= month}


def hold(transaction: Transaction) -> None:
    """Keep others from judging until the transaction ends."""
    transaction.lock("statistics.breaker")


def follow_figures(transaction: Transaction, context: Context, cells: pl.DataFrame) -> Iterator[Draft]:
    """Stop lending where the figures of the running month say so; yield what is told of it.

    A ledger that is older than the month before is history: the ones after it may be on their way.

    Args:
        transaction: in which the figures have changed.
        context: clock and policy.
        cells: what was added to the roll-up.
    """
    month = context.clock.today().replace(day=1)
    recent = pl.col("month").is_between(first_day(previous_month(month)), month)
    if not cells.filter(recent).is_empty():
        yield from _follow(transaction, context, cells["region"].unique().to_list())


def _follow(transaction: Transaction, context: Context, regions: Collection[str] | None) -> Iterator[Draft]:
    hold(transaction)
    yield from _told(transaction, _decide(transaction, context.policy, context.clock.today(), regions))


def follow_reports(transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Judge the months for which every bank has reported now; yield what is told of it."""
    hold(transaction)
    day = context.clock.today()
    if months := list(_over(transaction, day, is_due=False)):
        yield from _judge(transaction, context.policy, months, day)


def _judge(transaction: Transaction, policy: Policy, months: Iterable[dt.date], day: dt.date) -> Iterator[Draft]:
    for month in months:
        _close(transaction, policy, month, day)
    last = transaction.value("SELECT max(month) FROM statistics.breaker_month")
    # Where the months between are not known, what was judged last says nothing of today.
    if last is None or months_later(last, 2) >= day.replace(day=1):
        yield from _told(transaction, _decide(transaction, policy, day, None))


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all stops there were as changes; nothing changes until the transaction ends."""
    hold(transaction)
    return county_changes.tell(EVENT, transaction.copy_out(_CHANGES.format(told="true")), "statistics.breaker")


def gauges(transaction: Transaction, _context: Context) -> Iterator[Gauge]:
    """Yield in how many regions of each level lending is stopped."""
    regions = list(_open(transaction))
    stops = [([level], sum(len(region) == digits for region in regions)) for digits, level in LEVELS.items()]
    yield Gauge("huilian_lending_stops", "Regions where the breaker has stopped lending.", ("level",), stops)


def on_compensations_changed(message: Message, transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Note what the fund owes, and stop lending where it has not paid in time."""
    CASES.take(transaction, message)
    if message.source != PLATFORM:
        yield from _follow(transaction, context, None)


def running(
    transaction: Transaction, policy: Policy, day: dt.date, regions: Collection[str] | None = None
) -> Iterator[Month]:
    """Yield the running month, as its figures are so far, of each region that a breaker of the policy looks at.

    Args:
        transaction: in which they are read.
        policy: whose breakers hold.
        day: today; the fund is in default, if it is on this day.
        regions: only these, and those in which they lie; None: all.
    """
    known = _newest(transaction)
    for case in _cases(transaction, policy, day.replace(day=1), day, regions):
        yield _judged(policy, case, known.get(case.region, _NEW).state)


def _judged(policy: Policy, case: BreakerCase, state: Mapping[str, Any]) -> Month:
    found = breaker.follow(policy, case, RegionState.from_json(state))
    kept = found.state.as_json()
    steps = ({"month": case.month, **step} for step in found.steps)
    return Month(case, dict(zip(kept["breakers"], steps, strict=True)), kept)


def _cases(
    transaction: Transaction, policy: Policy, month: dt.date, day: dt.date, regions: Collection[str] | None
) -> Iterator[BreakerCase]:
    """Yield the figures of regions in a month, the widest first, of the levels for which the policy has breakers."""
    in_default: bool = transaction.value(_IN_DEFAULT, {"day": day})
    for digits, level in _levels(policy, month).items():
        others = _of_other_classes(transaction, policy, month, digits)
        facts: dict[str, Any] = {"month": month}
        if regions is not None:
            facts["regions"] = sorted({region[:digits] for region in regions if len(region) >= digits})
        narrowed = "" if regions is None else _NARROWED
        for row in transaction.rows(_FIGURES.format(digits=digits, due=_DUE, narrowed=narrowed), facts):
            row["bad_balance"] += others.get(row["region"], 0)
            amounts = {name: money.from_fen(row[name]) for name in FIGURES}
            yield BreakerCase(row["region"], level, f"{month:%Y-%m}", **amounts, fund_in_default=in_default)


def _of_other_classes(transaction: Transaction, policy: Policy, month: dt.date, digits: int) -> dict[str, int]:
    """Return by region what is bad by the policy more than by the roll-up; less is below nought."""
    bad = Reading(policy, None).value("classification.bad_classes", {"event": last_day(month)}) or BAD_CLASSES
    if set(bad) == set(BAD_CLASSES):
        return {}
    facts = {"month": month, "bad": list(bad), "known": list(BAD_CLASSES)}
    rows = transaction.rows(_OF_CLASSES.format(digits=digits), facts)
    return {row["region"]: row["balance"] for row in rows}


def _levels(policy: Policy, month: dt.date) -> dict[int, str]:
    """Return the levels for which a policy has breakers in a month, by the digits of their codes."""

    def has(level: str) -> bool:
        return any(True for _ in Reading(policy, None).entries("breakers", {"level": level, "event": last_day(month)}))

    return {digits: level for digits, level in LEVELS.items() if has(level)}


@dataclass(frozen=True)
class _Newest:
    """What the last month that was judged says of a region."""

    steps: Steps
    state: Mapping[str, Any]


_NEW: Final = _Newest({}, RegionState().as_json())


def _newest(transaction: Transaction) -> dict[str, _Newest]:
    rows = transaction.rows(
        "SELECT DISTINCT ON (region) region, steps, state FROM statistics.breaker_month ORDER BY region, month DESC"
    )
    return {row["region"]: _Newest(row["steps"], row["state"]) for row in rows}


def _over(transaction: Transaction, day: dt.date, *, is_due: bool) -> Iterator[dt.date]:
    """Yield the months that are to be judged, in order, each by its first day.

    Args:
        transaction: in which they are.
        day: today.
        is_due: whether a month for which the time for reports has passed is not waited for.
    """
    last = transaction.value("SELECT max(month) FROM statistics.breaker_month")
    reports = transaction.row("SELECT min(as_of) AS first, max(as_of) AS newest FROM statistics.report")
    if reports is None or reports["first"] is None:
        return
    month = following_month(last) if last else reports["first"].replace(day=1)
    # Of a month for which nobody has reported yet nothing is known.
    while following_month(month) <= day and month <= reports["newest"]:
        due = following_month(month).replace(day=DUE_DAY)
        if not (is_due and day > due) and not _is_reported(transaction, last_day(month)):
            return
        yield month
        month = following_month(month)


def _is_reported(transaction: Transaction, day: dt.date) -> bool:
    """Return whether every bank has reported how its loans stood on a day, or later."""
    rows = transaction.rows("SELECT DISTINCT institution FROM statistics.report WHERE as_of >= %s", [day])
    reported = {row["institution"] for row in rows}
    banks = [each for each in directory.all_members(transaction) if each.kind == "bank" and each.takes_part]
    return all(bank.code in reported for bank in banks)


def _close(transaction: Transaction, policy: Policy, month: dt.date, day: dt.date) -> None:
    """Judge a month that is over; what was stopped within it is judged from there."""
    known, stops, named = _newest(transaction), _open(transaction), f"{month:%Y-%m}"
    for case in _cases(transaction, policy, month, last_day(month), None):
        state = known.get(case.region, _NEW).state
        breakers = dict(state["breakers"])
        for key, each in (stops[case.region]["held"] if case.region in stops else {}).items():
            before = breakers.get(key, {"run": 0, "since": None})
            if each["since"] == named and before["since"] is None:
                # Bad months running are those before: this one is counted when it is judged.
                breakers[key] = {**each, "run": before["run"]}
        judged = _judged(policy, case, {**state, "breakers": breakers})
        facts = {
            "region": case.region,
            "month": month,
            **{name: money.to_fen(getattr(case, name)) for name in FIGURES},
            "fund_in_default": case.fund_in_default,
            "policy": policy.name,
            "steps": json.dumps(judged.steps, ensure_ascii=False),
            "state": json.dumps(judged.state),
            "judged": day,
        }
        values = ", ".join(f"%({name})s" for name in facts)
        transaction.execute(f"INSERT INTO statistics.breaker_month ({', '.join(facts)}) VALUES ({values})", facts)
    transaction.execute(
        "UPDATE statistics.lending_stop SET held = coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(held)"
        " WHERE value ->> 'since' > %s), '{}') WHERE until_date IS NULL",
        [named],
    )


def _open(transaction: Transaction) -> dict[str, dict[str, Any]]:
    """Return the stops that stand, by region."""
    rows = transaction.rows("SELECT * FROM statistics.lending_stop WHERE until_date IS NULL")
    return {row["region"]: row for row in rows}


def _decide(
    transaction: Transaction, policy: Policy, day: dt.date, regions: Collection[str] | None
) -> Iterator[tuple[str, bool]]:
    """Stop lending where the months say so, and let it go on; yield the number of each stop, and whether it ends."""
    named, stops, known = f"{day:%Y-%m}", _open(transaction), _newest(transaction)
    for month in running(transaction, policy, day, regions):
        region = month.case.region
        stop, steps = stops.get(region), stopping(known.get(region, _NEW).steps, named)
        held = stop["held"] if stop else {}
        new = {key: step for key, step in stopping(month.steps, named).items() if key not in {*steps, *held}}
        kept = held | {key: month.state["breakers"][key] for key in new}
        if stop is None and (steps or new):
            stop = _stop(policy, region, day, {**steps, **new}) | {"held": kept}
            if not _is_covered(stop, stops):
                stops[region] = stop
                yield _enter(transaction, stop), False
        elif stop is not None and new:
            transaction.execute(
                "UPDATE statistics.lending_stop SET held = %s::jsonb WHERE suspension_no = %s",
                [json.dumps(kept), stop["suspension_no"]],
            )
        elif stop is not None and not steps and not held:
            del stops[region]
            yield _lift(transaction, stop, day), True
    levels = _levels(policy, day)
    for stop in [each for each in stops.values() if len(each["region"]) not in levels]:
        # The policy has no breaker any more that could lift it.
        yield _lift(transaction, stop, day), True


def _is_covered(stop: Mapping[str, Any], stops: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether the region around another is stopped for the same fact, and the other for nothing else."""
    around = (stops.get(stop["region"][:digits]) for digits in LEVELS if digits < len(stop["region"]))
    return stop["reason"] == _OF_ALL and any(each and _OF_ALL in each["reason"].split(";") for each in around)


def _stop(policy: Policy, region: str, day: dt.date, steps: Steps) -> dict[str, Any]:
    reasons = dict.fromkeys(step["breaker"] for step in steps.values())
    clauses = dict.fromkeys(step["source"] for step in steps.values() if step["source"])
    return {
        "region": region,
        "policy": policy.name,
        "reason": ";".join(reasons),
        "text": "；".join(map(words, steps.values()))[:_TEXT_LONGEST],
        "clause": "；".join(clauses)[:_CLAUSE_LONGEST] or None,
        "from_date": day,
    }


def words(step: Mapping[str, Any]) -> str:
    """Return why a breaker stops lending: "不良贷款率超过界限（2024-05 为 5.2%）"."""
    figure = step["figure"] or ""
    said = (
        f"{step['month']} 为 {figure.rstrip('%').rstrip('0').rstrip('.')}%" if figure.endswith("%") else step["month"]
    )
    running_on = f"，连续 {step['bad_months']} 个月" if step["bad_months"] > 1 else ""
    return f"{REASONS[step['breaker']][0]}（{said}{running_on}）"


def _enter(transaction: Transaction, stop: Mapping[str, Any]) -> str:
    number: str = transaction.value(
        "INSERT INTO statistics.lending_stop"
        " (suspension_no, region, policy, reason, text, clause, from_date, held)"
        " SELECT format('breaker-%%s-%%s', %(region)s::text, 1 + count(*)), %(region)s, %(policy)s, %(reason)s,"
        " %(text)s, %(clause)s, %(from_date)s, %(held)s::jsonb"
        " FROM statistics.lending_stop WHERE region = %(region)s"
        " RETURNING suspension_no",
        {**stop, "held": json.dumps(stop["held"])},
    )
    return number


def _lift(transaction: Transaction, stop: Mapping[str, Any], day: dt.date) -> str:
    transaction.execute(
        "UPDATE statistics.lending_stop SET until_date = %s WHERE suspension_no = %s", [day, stop["suspension_no"]]
    )
    return str(stop["suspension_no"])


def _told(transaction: Transaction, decided: Iterable[tuple[str, bool]]) -> Iterator[Draft]:
    found = list(decided)
    if not found:
        return
    facts = {"numbers": [number for number, _ in found], "ends": [is_end for _, is_end in found]}
    told = "(s.suspension_no, c.is_end) IN (SELECT * FROM unnest(%(numbers)s::text[], %(ends)s::boolean[]))"
    with Changes(EVENT) as changes:
        changes.take(transaction.copy_out(_CHANGES.format(told=told), facts))
        revision = transaction.value("SELECT nextval('statistics.breaker_revision')")
        yield from changes.drafts(service_code("statistics"), f"statistics.breaker.{revision}")


def _run(office: Office, transaction: Transaction, day: dt.date) -> None:
    hold(transaction)
    told = _judge(transaction, office.context.policy, _over(transaction, day, is_due=True), day)
    office.processor.send_all(transaction, told, service="statistics")


JOB: Final = Job("statistics.breaker", Calendar(), _run)
"""Looked at every day: the time for reports may have passed, and the time in which the fund has to pay."""
