"""Results of insurers' periods: approved by another than states them, settled by the plan, and told to the books."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.errors import MessageRefused
from huilian.county import changes as county_changes
from huilian.county.changes import Changes, Event
from huilian.county.members import persons
from huilian.county.procedure.acts import taking
from huilian.policy.insurance_period import PeriodCase, settle
from huilian.wire.access import service_code
from schemas.insurance import InsuranceResultChange
from services.insurance_claim.periods import Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["EVENT", "hold", "on_settlement", "tell"]

EVENT: Final = Event("insurance_results_changed", 1, InsuranceResultChange)
_OWN: Final = service_code("insurance_claim")
_NOTHING: Final = ", ".join("NULL" for _ in EVENT.state)
_FIGURES: Final = ("premiums", "claims")


def hold(transaction: Transaction) -> None:
    """Let nobody else settle a period or enter a premium until the transaction ends."""
    transaction.lock("insurance_claim")


def on_settlement(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Settle the result that an insurer states of a period, or refuse it; the same again changes nothing."""
    period = Period.of(record["period"])
    with taking(record, message, transaction, persons.APPROVE, hold) as taken:
        facts = taken.facts | {"period": period.name, "first_day": period.first, "last_day": period.last}
        former = transaction.row(
            "SELECT * FROM insurance_claim.settlement WHERE institution = %(institution)s AND period = %(period)s"
            " ORDER BY number DESC LIMIT 1",
            facts,
        )
        if former is not None and all(former[name] == facts[name] for name in (*_FIGURES, "decision", "reason")):
            return ()
        _check(transaction, taken, period, facts)
    facts |= _settled(context, period, facts)
    number = transaction.value(
        """
        INSERT INTO insurance_claim.settlement (institution, period, first_day, last_day, premiums, claims, decision,
            reason, fund_share, insurer_share, returned, shares, parameters, policy, approved, date, member, person,
            message)
        VALUES (%(institution)s, %(period)s, %(first_day)s, %(last_day)s, %(premiums)s, %(claims)s, %(decision)s,
            %(reason)s, %(fund_share)s, %(insurer_share)s, %(returned)s, %(shares)s::jsonb, %(parameters)s::jsonb,
            %(policy)s, %(date)s, %(date)s, %(member)s, %(person)s, %(message)s) RETURNING number
        """,
        facts,
    )
    return _changes(transaction, number) if facts["decision"] == "approve" else ()


def _check(transaction: Transaction, taken: Taken, period: Period, facts: Mapping[str, Any]) -> None:
    """Note what is wrong with a settlement.

    Notes HL1181, nothing was stated; HL1182, it is not what was seen; HL1183, a period that overlaps is settled;
    HL1184, the period is not over; HL1064, a refusal without its reason.
    """
    stated = transaction.row(
        "SELECT premiums, claims FROM insurance_claim.newest_period_result"
        " WHERE member = %(institution)s AND period = ANY(%(spellings)s) ORDER BY as_of DESC LIMIT 1",
        {**facts, "spellings": period.spellings},
    )
    if stated is None:
        raise MessageRefused("HL1181", institution=facts["institution"], period=period.name)
    if any(stated[name] != facts[name] for name in _FIGURES):
        figures = {name: money.text(stated[name]) for name in _FIGURES}
        taken.refuse("HL1182", institution=facts["institution"], period=period.name, **figures)
    other = transaction.value(
        "SELECT period FROM insurance_claim.settled WHERE institution = %(institution)s AND period <> %(period)s"
        " AND first_day <= %(last_day)s AND last_day >= %(first_day)s LIMIT 1",
        facts,
    )
    if other is not None and facts["decision"] == "approve":
        taken.refuse("HL1183", period=period.name, other=other)
    if taken.date <= period.last:
        taken.refuse("HL1184", period=period.name, last_day=period.last.isoformat())
    if facts["decision"] == "refuse" and facts["reason"] is None:
        taken.refuse("HL1064", decision=facts["decision"])


def _settled(context: Context, period: Period, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the policy makes of a result; whoever but the insurer bears a loss, the fund pays for."""
    case = PeriodCase(facts["premiums"], facts["claims"], event=period.last, insurer=facts["institution"])
    found = settle(context.policy, case)
    of_insurer = found.shares.get("insurer", money.ZERO)
    return {
        "fund_share": sum(found.shares.values(), money.ZERO) - of_insurer,
        "insurer_share": of_insurer,
        "returned": found.returned,
        "shares": json.dumps({party: money.text(amount) for party, amount in found.shares.items()}),
        "parameters": json.dumps(found.reading.used, ensure_ascii=False),
        "policy": f"{context.policy.name} {context.policy.version}",
    }


def _changes(transaction: Transaction, number: int) -> Iterator[Draft]:
    query = f"""
        SELECT n.institution, n.period, n.last_day, NULL, n.number, {EVENT.columns("o", "n")}
        FROM insurance_claim.settlement n LEFT JOIN LATERAL (
            SELECT * FROM insurance_claim.settlement f WHERE f.institution = n.institution AND f.period = n.period
              AND f.decision = 'approve' AND f.number < n.number ORDER BY f.number DESC LIMIT 1
        ) o ON true
        WHERE n.number = %(number)s
    """
    with Changes(EVENT) as changes:
        changes.take(transaction.copy_out(query, {"number": number}))
        yield from changes.drafts(_OWN, f"insurance_claim.results.{number}")


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all results that are settled as changes; nothing changes until the transaction ends."""
    hold(transaction)
    query = f"""
        SELECT institution, period, last_day, NULL, number, {_NOTHING}, {", ".join(EVENT.state)}
        FROM insurance_claim.settled ORDER BY number
    """
    return county_changes.tell(EVENT, transaction.copy_out(query), "insurance_claim.results")
