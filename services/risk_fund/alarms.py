"""Alarms of the fund: a bound of the policy that is passed, a deadline that is near, and what was not paid in time.

They are looked for every day. County office and finance bureau are told of each once, when it comes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.county.members import directory
from huilian.county.messages import notices
from huilian.county.messages.notices import Notice
from huilian.county.schedule import Calendar, Job
from huilian.county.service import Concern, Gauge
from huilian.policy.working_days import WorkingDays
from schemas.fund import FUND_PARTY
from services.risk_fund import books, position
from services.risk_fund.position import DUE, MEASURE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from huilian.county.context import Context
    from huilian.county.office import Office
    from huilian.county.rules import Rules
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.settings import Settings
    from huilian.wire.envelope import Draft

__all__ = ["ALARM", "JOB", "alarms", "examine", "follow", "gauges"]

ALARM: Final = {"balance": "余额或出资不足", "ratio": "倍数不符", "deadline": "期限将至或已过", "default": "逾期未付"}
_OF_BALANCE: Final = frozenset({"balance", "total", "contribution"})
_PAID_BY_FUND: Final = frozenset({"compensation", "replenishment"})
_NEAR: Final = dt.timedelta(days=7)
"""How long before a deadline it is spoken of."""
_NOTICE: Final = {
    "balance": "does_not_match",
    "ratio": "does_not_match",
    "deadline": "step_overdue",
    "default": "step_overdue",
}
"""The kind of notice by which each is told."""


@dataclass(frozen=True)
class _Alarm:
    """What is wrong, and of what: `subject` stays the same while it lasts."""

    kind: str
    subject: str
    text: str


def alarms(transaction: Transaction, *, policy: Policy, today: dt.date) -> Iterator[dict[str, Any]]:
    """Return what is wrong with the fund today, and since when it was seen."""
    seen = {
        (row["kind"], row["subject"]): row["since"].isoformat()
        for row in transaction.rows("SELECT kind, subject, since FROM risk_fund.fund_alarm WHERE ended IS NULL")
    }
    for each in _found(transaction, policy, today, WorkingDays()):
        since = seen.get((each.kind, each.subject))
        yield {"kind": each.kind, "subject": each.subject, "text": each.text, "since": since}


def follow(transaction: Transaction, context: Context, day: dt.date) -> Iterator[Draft]:
    """Note the alarms of a day, and those that are over; yield what is told of new ones."""
    books.hold(transaction)
    found = {(each.kind, each.subject): each for each in _found(transaction, context.policy, day, context.working_days)}
    kinds, subjects = ([key[place] for key in found] for place in (0, 1))
    transaction.execute(
        "UPDATE risk_fund.fund_alarm SET ended = %s WHERE ended IS NULL"
        " AND (kind, subject) NOT IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
        [day, kinds, subjects],
    )
    new = {
        (row["kind"], row["subject"])
        for row in transaction.rows(
            "INSERT INTO risk_fund.fund_alarm (kind, subject, since, text)"
            " SELECT f.kind, f.subject, %s, f.text FROM unnest(%s::text[], %s::text[], %s::text[])"
            " AS f (kind, subject, text) ON CONFLICT DO NOTHING RETURNING kind, subject",
            [day, kinds, subjects, [each.text for each in found.values()]],
        )
    }
    told = [
        Notice(_NOTICE[each.kind], f"风险补偿金预警：{each.text}", each.subject)
        for key, each in found.items()
        if key in new
    ]
    if told:
        members = directory.all_members(transaction)
        finance = {each.code for each in members if each.kind == "finance" and each.takes_part}
        for member in sorted({context.county, *finance}):
            yield notices.draft_of(context, member, told)


def _found(transaction: Transaction, policy: Policy, day: dt.date, working_days: WorkingDays) -> Iterator[_Alarm]:
    for row in position.bounded(transaction, policy, day):
        if row["kept"] == "no":
            kind = "balance" if row["measure"] in _OF_BALANCE else "ratio"
            yield _Alarm(kind, _subject(row["measure"], row["party"]), _of_bound(row))
    for row in position.owed(transaction, policy, day, working_days):
        if row["due"] is not None and row["due"] - _NEAR <= day:
            late = row["due"] < day
            kind = "default" if late and row["kind"] in _PAID_BY_FUND else "deadline"
            about = row["reference"] or row["due"].isoformat()
            when = f"应于 {row['due']} 前办理" + ("，已逾期" if late else "")
            text = f"{DUE[row['kind']]} {money.text(abs(row['amount']))} 元，{when}（{_called(row['party'])}）"
            yield _Alarm(kind, _subject(row["kind"], about), text)


def _subject(what: str, of: str | None) -> str:
    return what if of is None else f"{what}.{of}"


def _of_bound(row: Mapping[str, Any]) -> str:
    of = "" if row["party"] is None else f"（{_called(row['party'])}）"
    is_above = row["most"] is not None and row["amount"] > row["most"]
    bound = f"超过上限 {money.text(row['most'])}" if is_above else f"低于下限 {money.text(row['least'])}"
    return f"{MEASURE[row['measure']]}{of} {money.text(row['amount'])} 元，{bound} 元（{row['clause']}）"


def _called(party: str) -> str:
    return "风险补偿金" if party == "fund" else FUND_PARTY.get(party, party)


def _run(office: Office, transaction: Transaction, day: dt.date) -> None:
    office.processor.send_all(transaction, follow(transaction, office.context, day), service="risk_fund")


JOB: Final = Job("risk_fund.alarms", Calendar(), _run)
"""Looks for alarms every day."""


def examine(transaction: Transaction, _settings: Settings, _rules: Rules) -> Iterator[Concern]:
    """Say which alarms there are, as they were seen last."""
    name = "风险补偿金预警 (alarms of the fund)"
    rows = transaction.rows("SELECT kind, text FROM risk_fund.fund_alarm WHERE ended IS NULL ORDER BY kind, subject")
    if not rows:
        yield Concern(name, "无 (none)")
    for row in rows:
        yield Concern(name, f"{ALARM[row['kind']]}：{row['text']}", "huilian fund alarms")


def gauges(transaction: Transaction, _context: Context) -> Iterator[Gauge]:
    """Yield how many alarms there are of each kind."""
    counted = transaction.rows("SELECT kind, count(*) AS n FROM risk_fund.fund_alarm WHERE ended IS NULL GROUP BY 1")
    known = dict.fromkeys(ALARM, 0) | {row["kind"]: int(row["n"]) for row in counted}
    values = [((kind,), n) for kind, n in known.items()]
    yield Gauge("huilian_fund_alarms", "Alarms of the risk fund, as they were seen last.", ("kind",), values)
