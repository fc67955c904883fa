"""How the fund stands against the policy: what lies at banks, what it must and may carry, and what is owed when."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.policy.loss import rewards_for_lending
from huilian.policy.reading import Reading
from huilian.policy.tables import MissingFactError
from huilian.policy.working_days import WorkingDays
from services.risk_fund.selects import day_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = [
    "DUE",
    "MEASURE",
    "TERM_STATE",
    "bounded",
    "dues",
    "limits",
    "owed",
    "pots",
    "replenishments",
    "term_deposits",
]

MEASURE: Final = {
    "balance": "存款余额",
    "total": "出资总额",
    "contribution": "出资",
    "lending": "放贷及备付",
    "guarantees": "在保余额",
    "village_fund": "村级互助担保",
}
"""What the policy bounds; of a bank lending, of a party contributions, of a village what its own fund guarantees."""
DUE: Final = {
    "compensation": "应付风险补偿款",
    "replenishment": "应补足",
    "second_tier_due": "应收二次分担款",
    "recovery_due": "应收追回款",
    "dispersal": "保险分担往来",
    "term_deposit": "定期存款到期",
}
"""What is owed to the fund, or by it where the amount is below nought."""
TERM_STATE: Final = {"running": "未到期", "due": "已到期未支取", "ended": "已到期支取"}
_DAYS_A_YEAR: Final = 360
_PERCENT: Final = 100


@dataclass(frozen=True)
class _Bounds:
    """How much there must and may be of something, and the clause that says so."""

    least: Decimal | None = None
    most: Decimal | None = None
    clause: str | None = None


_POTS: Final = """
    SELECT institution, sum(deposit) AS deposit, sum(term_deposit) AS term_deposit, sum(interest) AS interest,
           sum(lent) AS lent, sum(reserved) AS reserved, sum(set_aside) AS set_aside,
           sum(compensated) AS compensated, sum(recovered) AS recovered
    FROM (
        SELECT party, sum(amount) FILTER (WHERE account = 'deposit'),
               sum(amount) FILTER (WHERE account = 'term_deposit'), -sum(amount) FILTER (WHERE account = 'interest'),
               NULL::numeric, NULL::numeric, NULL::numeric,
               -- What was written off was paid all the same.
               sum(amount) FILTER (WHERE account = 'compensation' AND EXISTS (
                   SELECT FROM risk_fund.posting d WHERE d.transaction = p.transaction AND d.account = 'deposit')),
               -sum(amount) FILTER (WHERE account = 'recovered')
        FROM risk_fund.posting p WHERE effective <= %(on)s AND account IN (
            'deposit', 'term_deposit', 'interest', 'compensation', 'recovered') GROUP BY party
      UNION ALL SELECT institution, NULL, NULL, NULL, balance, NULL, NULL, NULL, NULL FROM risk_fund.bank_balance
      UNION ALL SELECT institution, NULL, NULL, NULL, NULL, sum(amount), NULL, NULL, NULL
        FROM risk_fund.reservation WHERE status = 'reserved' GROUP BY institution
      UNION ALL SELECT institution, NULL, NULL, NULL, NULL, NULL, sum(amount), NULL, NULL
        FROM risk_fund.set_aside_open WHERE region IS NULL GROUP BY institution
    ) AS pot (institution, deposit, term_deposit, interest, lent, reserved, set_aside, compensated, recovered)
    WHERE %(institution)s::text IS NULL OR institution = %(institution)s
    GROUP BY institution ORDER BY institution
"""


def pots(
    transaction: Transaction,
    *,
    policy: Policy,
    today: dt.date,
    on: str | None = None,
    institution: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Return by bank what lies there, what is lent and reserved, and what its deposit still carries.

    Raises:
        UsageError: HL7011, the date is none.
    """
    day = day_of("on", on) or today
    for pot in _pots(transaction, day, institution):
        bounds = _lending(Reading(policy, None), pot, day)
        committed = pot["lent"] + pot["reserved"] + pot["set_aside"]
        free = None if bounds.most is None else bounds.most - committed
        amounts: dict[str, Decimal | None] = {name: pot[name] for name in pot if name != "institution"}
        yield {"institution": pot["institution"]} | _texts(
            amounts | {"least": bounds.least, "most": bounds.most, "free": free}
        )


def _pots(transaction: Transaction, day: dt.date, institution: str | None = None) -> list[dict[str, Any]]:
    rows = transaction.rows(_POTS, {"on": day, "institution": institution})
    return [{name: money.ZERO if value is None else value for name, value in row.items()} for row in rows]


def limits(
    transaction: Transaction, *, policy: Policy, today: dt.date, on: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return what the policy bounds: how much there is, how much there must and may be, and by which clause.

    Raises:
        UsageError: HL7011, the date is none.
    """
    for row in bounded(transaction, policy, day_of("on", on) or today):
        free = None if row["most"] is None else row["most"] - row["amount"]
        yield row | _texts({name: row[name] for name in ("amount", "least", "most")} | {"free": free})


def bounded(transaction: Transaction, policy: Policy, day: dt.date) -> Iterator[dict[str, Any]]:
    """Yield what the policy bounds on a day, with amounts, and whether it is kept."""
    reading = Reading(policy, None)
    banks = _pots(transaction, day)
    held = sum((pot["deposit"] + pot["term_deposit"] for pot in banks), money.ZERO)
    minimum, clause = _said(reading, "fund.minimum", day)
    if minimum is not None:
        yield _bounded("balance", None, held, _Bounds(minimum, None, clause))
    yield from _contributions(transaction, reading, day)
    for pot in banks:
        bounds = _lending(reading, pot, day)
        if bounds.clause is not None:
            yield _bounded("lending", pot["institution"], pot["lent"] + pot["reserved"] + pot["set_aside"], bounds)
    capacity, clause = _said(reading, "fund.guarantee_capacity", day)
    if capacity is not None:
        guaranteed = transaction.value(
            "SELECT coalesce(sum(outstanding_amount), 0.00) FROM risk_fund.guarantee_in_force"
        )
        yield _bounded("guarantees", None, guaranteed, _Bounds(None, capacity, clause))
    for row in transaction.rows(
        """
        SELECT region, sum(fund) AS fund, sum(guaranteed) AS guaranteed FROM (
            SELECT party, amount, 0.00 FROM risk_fund.posting WHERE account = 'village_fund' AND effective <= %s
          UNION ALL SELECT region, 0.00, amount FROM risk_fund.set_aside_open WHERE region IS NOT NULL
        ) AS v (region, fund, guaranteed) GROUP BY region ORDER BY region
        """,
        [day],
    ):
        multiple, clause = _said(reading, "fund.village_fund_multiple", day)
        yield _bounded(
            "village_fund", row["region"], row["guaranteed"], _Bounds(None, (multiple or 0) * row["fund"], clause)
        )


def _contributions(transaction: Transaction, reading: Reading, day: dt.date) -> Iterator[dict[str, Any]]:
    """Yield what was paid in, in all and by party, against what the policy has each pay; nobody owes an award."""
    paid: dict[str, Decimal] = {
        row["party"]: row["paid"]
        for row in transaction.rows(
            "SELECT party, -sum(amount) AS paid FROM risk_fund.posting"
            " WHERE account = 'contribution' AND effective <= %s GROUP BY party ORDER BY party",
            [day],
        )
    }
    total, clause = _said(reading, "fund.total", day)
    if total is not None:
        yield _bounded("total", None, sum(paid.values(), money.ZERO), _Bounds(total, None, clause))
    shares, clause = _said(reading, "fund.contributions", day)
    shared = sum((amount for party, amount in paid.items() if party in (shares or ())), money.ZERO)
    due = {} if shares is None else money.split(shared if total is None else total, shares)
    for party in (*due, *(party for party in paid if party not in due)):
        yield _bounded("contribution", party, paid.get(party, money.ZERO), _Bounds(due.get(party), None, clause))


def _lending(reading: Reading, pot: Mapping[str, Any], day: dt.date) -> _Bounds:
    """Return how much must and may be lent and reserved at a bank."""
    bank, deposit = pot["institution"], pot["deposit"] + pot["term_deposit"]
    lowest, low_clause = _said(reading, "fund.lending_multiple_minimum", day, bank)
    highest, high_clause = _said(reading, "fund.lending_multiple_maximum", day, bank)
    paid_in, paid_in_clause = _said(reading, "fund.paid_in_before_lending", day, bank)
    least = None if lowest is None or not deposit else lowest * deposit
    most = None if highest is None else highest * deposit
    if most is None and paid_in and not deposit:
        most, high_clause = money.ZERO, paid_in_clause
    return _Bounds(least, most, high_clause if most is not None else None if least is None else low_clause)


def _said(reading: Reading, rule: str, day: dt.date, bank: str | None = None) -> tuple[Any, str | None]:
    """Return what the policy says and where; None where it says nothing, or nothing for all banks."""
    try:
        row = reading.row(rule, {"event": day, "bank": bank})
    except MissingFactError:
        row = None
    return (None, None) if row is None or row.value is None else (row.value, row.source)


def _bounded(measure: str, party: str | None, amount: Decimal, bounds: _Bounds) -> dict[str, Any]:
    least, most = bounds.least, bounds.most
    is_kept = (least is None or amount >= least) and (most is None or amount <= most)
    found = {"measure": measure, "party": party, "amount": amount, "least": least, "most": most}
    return found | {"kept": "yes" if is_kept else "no", "clause": bounds.clause}


def dues(
    transaction: Transaction, *, policy: Policy, today: dt.date, on: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return what is owed to the fund and by it, with the last day where there is one.

    Raises:
        UsageError: HL7011, the date is none.
    """
    day = day_of("on", on) or today
    for row in owed(transaction, policy, day, WorkingDays()):
        late = row["due"] is not None and row["due"] < day
        due = None if row["due"] is None else row["due"].isoformat()
        yield row | {"amount": money.text(row["amount"]), "due": due, "late": "yes" if late else "no"}


def owed(transaction: Transaction, policy: Policy, day: dt.date, working_days: WorkingDays) -> Iterator[dict[str, Any]]:
    """Yield what is owed to the fund and by it on a day, with amounts and the last day."""
    within, _ = _said(Reading(policy, None), "fund.replenished_within", day)
    if within is not None:
        for used, open_amount in _unreplenished(transaction, day):
            yield _due("replenishment", "fund", None, open_amount, working_days.after(used, within))
    yield from transaction.rows(_OF_CASES)
    yield from transaction.rows(_OF_ACCOUNTS, [day])
    for row in _term_deposits(transaction, day):
        if row["state"] in ("running", "due"):
            yield _due("term_deposit", row["institution"], row["term_deposit_no"], row["amount"], row["due_date"])


def _due(kind: str, party: str, reference: str | None, amount: Decimal, due: dt.date | None) -> dict[str, Any]:
    return {"kind": kind, "party": party, "reference": reference, "amount": amount, "due": due}


def _unreplenished(transaction: Transaction, day: dt.date) -> list[tuple[dt.date, Decimal]]:
    rows = transaction.rows(
        """
        SELECT effective, coalesce(sum(amount) FILTER (WHERE account = 'compensation'), 0.00) AS used,
               -coalesce(sum(amount) FILTER (WHERE account <> 'compensation'), 0.00) AS refilled
        FROM risk_fund.posting p
        WHERE effective <= %s AND reverses IS NULL
          AND NOT EXISTS (SELECT FROM risk_fund.posting r WHERE r.reverses = p.transaction) AND (
            account = 'compensation' AND NOT EXISTS (
                SELECT FROM risk_fund.posting w WHERE w.transaction = p.transaction AND w.account = 'written_off')
            OR account = 'contribution'
            OR account IN ('recovery_due', 'second_tier_due') AND EXISTS (
                SELECT FROM risk_fund.posting d WHERE d.transaction = p.transaction AND d.account = 'deposit'))
        GROUP BY effective, transaction ORDER BY effective, transaction
        """,
        [day],
    )
    return replenishments((row["effective"], row["used"], row["refilled"]) for row in rows)


def replenishments(moved: Iterable[tuple[dt.date, Decimal, Decimal]]) -> list[tuple[dt.date, Decimal]]:
    """Return by day what was used of the fund and not refilled since; what comes in refills the oldest first.

    Args:
        moved: in order, each with its day, what was used and what came in. What came in before anything was used is no
            refill.
    """
    waiting: deque[tuple[dt.date, Decimal]] = deque()
    for day, used, refilled in moved:
        if used > 0:
            waiting.append((day, used))
        left = refilled
        while waiting and left > 0:
            since, amount = waiting.popleft()
            if amount > left:
                waiting.appendleft((since, amount - left))
            left -= amount
    return list(waiting)


_OF_CASES: Final = """
    SELECT 'compensation' AS kind, institution AS party, claim_no AS reference,
           coalesce((paid ->> 'fund')::numeric(18,2), 0.00) - (shares ->> 'fund')::numeric(18,2) AS amount,
           fund_due AS due
    FROM risk_fund.compensation_case WHERE state = 'approved' AND fund_due IS NOT NULL ORDER BY fund_due, claim_no
"""
"""What the fund is to pay for losses by now, whatever the day that is asked for."""
_OF_ACCOUNTS: Final = """
    SELECT p.account AS kind, p.party, p.reference, sum(p.amount) AS amount,
           max(CASE WHEN p.account = 'recovery_due' THEN c.return_by END) AS due
    FROM risk_fund.posting p LEFT JOIN risk_fund.compensation_case c ON c.claim_no = p.reference
    WHERE p.account IN ('recovery_due', 'second_tier_due', 'dispersal') AND p.effective <= %s
    GROUP BY 1, 2, 3 HAVING sum(p.amount) <> 0 ORDER BY 1, 2, 3
"""

_LENT: Final = """
    SELECT institution, borrower, sum(principal) AS lent FROM (
        SELECT institution, CASE WHEN household_no IS NULL THEN 'enterprise' ELSE 'household' END AS borrower,
               principal
        FROM risk_fund.loan_change
        WHERE start_date BETWEEN %(first)s AND %(last)s
          AND (%(institution)s::text IS NULL OR institution = %(institution)s)
        GROUP BY institution, loan_no, household_no, principal, start_date HAVING sum(n) > 0
    ) loan GROUP BY 1, 2 ORDER BY 1, 2
"""


def rewards(
    transaction: Transaction, *, policy: Policy, today: dt.date, year: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return by bank and kind of borrower what was lent in a year, and what the fund gives the bank for it.

    Raises:
        UsageError: HL7011, the year is none.
    """
    del today  # a year is asked for
    for row in lending_rewards(transaction, policy, year, institution):
        yield row | _texts({name: row[name] for name in ("lent", "compensation", "reward")})


def lending_rewards(
    transaction: Transaction, policy: Policy, year: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield by bank and kind of borrower what was lent in a year, and what the policy has the fund give for it.

    Raises:
        UsageError: HL7011, the year is none.
    """
    first, last = (day_of("year", f"{year}-{day}") for day in ("01-01", "12-31"))
    assert last is not None  # noqa: S101  # narrows the type: a text was given
    reading = Reading(policy, None)
    for row in transaction.rows(_LENT, {"first": first, "last": last, "institution": institution}):
        given = rewards_for_lending(reading, row["lent"], borrower=row["borrower"], on=last)
        yield row | {name: given.get(name, money.ZERO) for name in ("compensation", "reward")}


_TERM_DEPOSITS: Final = """
    SELECT t.term_deposit_no, t.institution, t.amount, t.annual_rate_percent, t.effective_date, t.due_date,
           e.state AS entry_state, coalesce(b.placed, 0.00) AS placed, coalesce(b.interest, 0.00) AS interest
    FROM risk_fund.term_deposit t JOIN risk_fund.fund_entry e ON e.entry_no = t.term_deposit_no
    LEFT JOIN LATERAL (
        SELECT sum(amount) FILTER (WHERE account = 'term_deposit') AS placed,
               -sum(amount) FILTER (WHERE account = 'interest') AS interest
        FROM risk_fund.posting p WHERE p.reference = t.term_deposit_no AND p.effective <= %(on)s
    ) b ON true
    WHERE t.effective_date <= %(on)s AND (%(institution)s::text IS NULL OR t.institution = %(institution)s)
    ORDER BY t.institution, t.due_date, t.term_deposit_no
"""


def term_deposits(transaction: Transaction, *, on: str, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the term deposits, with what each is to earn by its rate and has earned.

    Raises:
        UsageError: HL7011, the date is none.
    """
    day = day_of("on", on)
    assert day is not None  # noqa: S101  # narrows the type: without one it is today
    for row in _term_deposits(transaction, day, institution):
        days = {name: row[name].isoformat() for name in ("effective_date", "due_date")}
        amounts = {name: money.text(row[name]) for name in ("amount", "agreed_interest", "interest")}
        yield row | days | amounts | {"annual_rate_percent": f"{row['annual_rate_percent']:f}"}


def _term_deposits(transaction: Transaction, day: dt.date, institution: str | None = None) -> Iterator[dict[str, Any]]:
    for row in transaction.rows(_TERM_DEPOSITS, {"on": day, "institution": institution}):
        days = (row["due_date"] - row["effective_date"]).days
        agreed = money.round_to_fen(
            row["amount"] * Decimal(row["annual_rate_percent"]) * days / (_DAYS_A_YEAR * _PERCENT)
        )
        if row.pop("entry_state") != "booked":
            continue
        state = ("due" if row["due_date"] <= day else "running") if row.pop("placed") else "ended"
        yield row | {"agreed_interest": agreed, "state": state}


def _texts(amounts: Mapping[str, Decimal | None]) -> dict[str, str | None]:
    exact = ((name, None if amount is None else money.round_to_fen(amount)) for name, amount in amounts.items())
    return {name: None if amount is None else money.text(amount) for name, amount in exact}
