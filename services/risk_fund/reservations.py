"""Reservations: what the fund holds for an application from its confirmation until the loan is in the ledger.

The registry asks by `applications_changed`. Each question, an application and its attempt, is decided once, in the
order in which the applications were made: where the policy sets a multiple, the bank's balances and open reservations
together stay within what the deposit with that bank carries. The answer is `reservations_changed`.

Whether a reservation is open follows from what the messages told add up to, whatever their order: it is, until the
registry releases it; where it was lent on, until the loan is known, so that its amount is always counted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import structlog

from huilian.core import money
from huilian.core.errors import ConfigurationError
from huilian.county import changes as county_changes
from huilian.county.changes import Changes, Event, Fold
from huilian.county.schedule import Calendar, Job
from huilian.county.sql import note_growth
from huilian.policy.loss import FundRoom, fund_room
from huilian.policy.reading import Reading
from huilian.policy.tables import MissingFactError
from huilian.wire.access import service_code
from huilian.wire.batches import to_csv
from huilian.wire.names import PLATFORM
from schemas.applications import ReservationChange
from services.risk_fund import books

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from huilian.county.context import Context
    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.wire.envelope import Draft, Message

__all__ = ["APPLICATIONS", "EVENT", "JOB", "of_loans", "on_applications_changed", "settle", "tell"]

EVENT: Final = Event("reservations_changed", 1, ReservationChange)
APPLICATIONS: Final = Fold(
    "risk_fund.application_change",
    key=("application_no",),
    state=("institution", "reservation", "attempt", "loan_no"),
)
"""What the registry wants of the fund for each application."""

_QUESTION: Final = ("borrower", "borrower_no", "region", "policy", "product", "amount", "applied", "decided")
"""What else a question says."""
_log: Final = structlog.get_logger(__name__)

_OPEN: Final = """
    WITH concerned AS (
        SELECT r.application_no, r.attempt, r.status, r.loan_no FROM risk_fund.reservation r
        WHERE r.status IN ('reserved', 'released')
          AND (%(applications)s::text[] IS NULL OR r.application_no = ANY(%(applications)s))
    ), told AS (
        SELECT application_no, institution, reservation, attempt, loan_no, sum(n) AS n
        FROM risk_fund.application_change WHERE application_no IN (SELECT application_no FROM concerned)
        GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0
    ), unsettled AS (
        -- Of some applications an earlier message is still on its way: they stay as they are.
        SELECT application_no FROM told GROUP BY application_no HAVING count(*) > 1 OR min(n) < 0
    ), known AS (
        SELECT institution, loan_no FROM risk_fund.loan_change
        WHERE loan_no IN (SELECT loan_no FROM told WHERE loan_no IS NOT NULL) GROUP BY 1, 2 HAVING sum(n) > 0
    )
    SELECT c.application_no, c.attempt, c.status AS former,
           CASE WHEN t.attempt = c.attempt AND t.reservation = 'released' THEN t.loan_no END AS loan_no,
           CASE WHEN t.attempt IS DISTINCT FROM c.attempt THEN 'released'
                WHEN t.reservation IN ('asked', 'held') THEN 'reserved'
                WHEN t.reservation = 'released' AND t.loan_no IS NOT NULL AND l.loan_no IS NULL THEN 'reserved'
                ELSE 'released' END AS status
    FROM concerned c LEFT JOIN told t USING (application_no)
    LEFT JOIN known l ON l.institution = t.institution AND l.loan_no = t.loan_no
    WHERE c.application_no NOT IN (SELECT application_no FROM unsettled)
      AND (t.attempt IS NOT NULL OR %(applications)s::text[] IS NOT NULL)
"""
"""What reservations are by what was told: `status`, and the loan that they wait for."""


_QUESTIONS: Final = """
    SELECT r.application_no, r.attempt, r.institution, r.policy, r.product, r.amount, r.decided
    FROM risk_fund.reservation r CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(t.attempt = r.attempt AND t.reservation = 'asked')
                        AND NOT coalesce(bool_or(t.attempt > r.attempt OR (
                            t.attempt = r.attempt AND t.reservation IN ('held', 'released'))), false), false) AS waits
        FROM (SELECT attempt, reservation FROM risk_fund.application_change a
              WHERE a.application_no = r.application_no GROUP BY institution, reservation, attempt, loan_no
              HAVING sum(n) > 0) t
    ) told
    WHERE r.status = 'asked' AND told.waits <> %(passed)s ORDER BY r.applied, r.application_no, r.attempt
"""
"""The questions without an answer that the registry waits for, or those that it has gone past."""


@dataclass(frozen=True)
class _Answer:
    """What the fund answers to one question."""

    status: str
    covered: str
    clause: str | None
    multiple: Decimal | None


def on_applications_changed(message: Message, transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Keep what the registry wants; decide what it asks for, release what it needs no more."""
    books.hold(transaction)
    newest = APPLICATIONS.newest(message, besides=_QUESTION, facts=("as_of",))
    APPLICATIONS.count(transaction, newest)
    note_growth(transaction, "risk_fund.application_change", ("application_no",), newest.height)
    _keep_questions(transaction, newest, message.id)
    _keep_days(transaction, newest)
    if message.source == PLATFORM:
        # Told anew: the answer to a question that was on its way is given by the calendar.
        return
    yield from settle(transaction, context, newest["application_no"].unique().to_list(), message.id)


def _keep_questions(transaction: Transaction, newest: pl.DataFrame, message: str) -> None:
    """Enter each question once, whatever else is told of its application, sooner or later."""
    fields = ("institution", "attempt", *_QUESTION)
    asked = (
        newest.filter(pl.col("after").struct.field("reservation") == "asked")
        .select("application_no", *(pl.col("after").struct.field(name) for name in fields))
        .with_columns(pl.lit("asked").alias("status"), pl.lit(message).alias("message"))
    )
    if not asked.height:
        return
    columns = ", ".join(asked.columns)
    transaction.execute("CREATE TEMPORARY TABLE IF NOT EXISTS question (LIKE risk_fund.reservation) ON COMMIT DROP")
    transaction.execute("DELETE FROM question")
    transaction.copy_in("question", asked.columns, [to_csv(asked)])
    transaction.execute(
        f"INSERT INTO risk_fund.reservation ({columns}) SELECT {columns} FROM question ON CONFLICT DO NOTHING"
    )
    note_growth(transaction, "risk_fund.reservation", ("application_no", "status"), asked.height)


def _keep_days(transaction: Transaction, newest: pl.DataFrame) -> None:
    """Note from which day on holds what was told: a withdrawal's, a loan's first."""
    days = newest.group_by("application_no").agg(pl.col("as_of").max())
    transaction.execute(
        "UPDATE risk_fund.reservation r SET effective = greatest(r.effective, t.day)"
        " FROM unnest(%s::text[], %s::date[]) AS t (application_no, day) WHERE r.application_no = t.application_no",
        [days["application_no"].to_list(), days["as_of"].to_list()],
    )


def of_loans(transaction: Transaction, institutions: pl.Series, loans: pl.Series) -> list[str]:
    """Return the applications of which a reservation waits for one of these loans, or was released for it."""
    # A first ledger begins many loans, mostly before anything was applied for.
    if loans.is_empty() or not transaction.value(
        "SELECT true FROM risk_fund.reservation WHERE loan_no IS NOT NULL LIMIT 1"
    ):
        return []
    rows = transaction.rows(
        "SELECT DISTINCT r.application_no FROM risk_fund.reservation r"
        " JOIN unnest(%s::text[], %s::text[]) AS loan (institution, loan_no) USING (institution, loan_no)",
        [institutions.to_list(), loans.to_list()],
    )
    return [row["application_no"] for row in rows]


def settle(
    transaction: Transaction, context: Context, applications: Sequence[str] | None, message: str | None
) -> Iterator[Draft]:
    """Decide every question that is open; release, and where its loan is gone hold again, what was told of.

    Args:
        transaction: holds the fund, see `books.hold`.
        context: policies, and the day.
        applications: of which something was told; None: all.
        message: that told it.
    """
    # One application or thousands: a plan that was kept for a few is slow for many.
    transaction.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    revision = transaction.value("SELECT nextval('risk_fund.reservation_revision')")
    facts = {"revision": revision, "message": message, "today": context.clock.today()}
    # What is free again first, then what the registry has gone past, then what it waits for.
    _follow(transaction, facts | {"applications": applications})
    if passed := _decide(transaction, context, facts, passed=True):
        _follow(transaction, facts | {"applications": passed})
    _decide(transaction, context, facts, passed=False)
    with Changes(EVENT) as changes:
        changes.take(transaction.copy_out(_changes("WHERE s.revision = %(revision)s"), facts))
        # No member is spoken to: who the service is stands for whom it is about.
        yield from changes.drafts(service_code("risk_fund"), f"risk_fund.{revision}")


def _changes(condition: str) -> str:
    """Return the SQL of steps as changes."""
    state = "SELECT r.institution, r.amount, {} AS status, r.covered, r.clause"
    return f"""
        SELECT s.application_no, s.attempt, s.date, NULL, row_number() OVER (ORDER BY s.number),
               {EVENT.columns("b", "a")}
        FROM risk_fund.reservation_step s JOIN risk_fund.reservation r USING (application_no, attempt)
        LEFT JOIN LATERAL ({state.format("s.former")} WHERE s.former IS NOT NULL) b ON true
        CROSS JOIN LATERAL ({state.format("s.status")}) a
        {condition} ORDER BY s.number
    """


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all that became of reservations as changes; nothing changes until the transaction ends."""
    books.hold(transaction)
    return county_changes.tell(EVENT, transaction.copy_out(_changes("")), "risk_fund")


def _decide(transaction: Transaction, context: Context, facts: dict[str, Any], *, passed: bool) -> list[str]:
    """Answer questions, in the order of the applications; return the applications.

    Args:
        transaction: of the database.
        context: where policies are.
        facts: of the step.
        passed: whether those that the registry has gone past by what was told; no room is looked for them. Else the
            others.
    """
    questions = transaction.rows(_QUESTIONS, {"passed": passed})
    if not questions:
        return []
    judge = _Judge(transaction, context)
    answers = [
        (each["application_no"], each["attempt"], judge.answer(each, look_for_room=not passed)) for each in questions
    ]
    known = [
        (*key, answer.status, answer.covered, answer.clause, answer.multiple) for *key, answer in answers if answer
    ]
    names = ("application_nos", "attempts", "statuses", "covered", "clauses", "multiples")
    columns = zip(*known, strict=True) if known else [()] * len(names)
    transaction.execute(
        """
        WITH answer AS (
            SELECT * FROM unnest(%(application_nos)s::text[], %(attempts)s::integer[], %(statuses)s::text[],
                                 %(covered)s::text[], %(clauses)s::text[], %(multiples)s::numeric[])
            AS a (application_no, attempt, status, covered, clause, multiple)
        ), answered AS (
            UPDATE risk_fund.reservation r
            SET status = a.status, covered = a.covered, clause = a.clause, multiple = a.multiple
            FROM answer a WHERE r.application_no = a.application_no AND r.attempt = a.attempt
            RETURNING r.application_no, r.attempt, r.status, r.decided, r.applied
        )
        INSERT INTO risk_fund.reservation_step (application_no, attempt, status, date, entered, message, revision)
        SELECT application_no, attempt, status, decided, %(today)s, %(message)s, %(revision)s
        FROM answered ORDER BY applied, application_no, attempt
        """,
        facts | {name: list(column) for name, column in zip(names, columns, strict=True)},
    )
    return [each["application_no"] for each in questions]


class _Judge:
    """Answers questions by the policies, the deposits, and what each bank has lent and reserved."""

    def __init__(self, transaction: Transaction, context: Context) -> None:
        self._context = context
        self._policies: dict[str, Policy] = {}
        self._rooms: dict[tuple[str, str, dt.date], FundRoom | None] = {}
        asked = "(SELECT DISTINCT institution FROM risk_fund.reservation WHERE status = 'asked') q"
        self._committed: dict[str, Decimal] = {
            row["institution"]: row["committed"]
            for row in transaction.rows(
                f"""
                SELECT q.institution, coalesce(b.balance, 0.00) + coalesce((
                    SELECT sum(r.amount) FROM risk_fund.reservation r
                    WHERE r.institution = q.institution AND r.status = 'reserved'), 0.00) + coalesce((
                    SELECT sum(s.amount) FROM risk_fund.set_aside_open s
                    WHERE s.institution = q.institution AND s.region IS NULL), 0.00) AS committed
                FROM {asked} LEFT JOIN risk_fund.bank_balance b USING (institution)
                """
            )
        }
        self._deposits: dict[tuple[str, dt.date], Decimal] = {
            (row["institution"], row["decided"]): row["deposit"]
            for row in transaction.rows(
                """
                SELECT q.institution, q.decided, coalesce((
                    SELECT sum(p.amount) FROM risk_fund.posting p WHERE p.account IN ('deposit', 'term_deposit')
                    AND p.party = q.institution AND p.effective <= q.decided), 0.00) AS deposit
                FROM (SELECT DISTINCT institution, decided FROM risk_fund.reservation WHERE status = 'asked') q
                """
            )
        }

    def answer(self, question: dict[str, Any], *, look_for_room: bool) -> _Answer | None:
        """Return the answer, and remember what it reserves; None where the policy cannot be read."""
        institution, amount = question["institution"], question["amount"]
        try:
            policy = self._policy(question["policy"])
            room = self._room(policy, institution, question["decided"])
        except (ConfigurationError, MissingFactError) as error:
            # The calendar asks again: whoever mends the policy mends the answer.
            _log.error("reservation_undecided", policy=question["policy"], error=type(error).__name__)
            return None
        product = policy.products.get(question["product"])
        covered = "yes" if product is not None and product.has("loss") else "no"
        multiple = None if room is None else room.multiple
        if look_for_room and room is not None and self._committed[institution] + amount > room.free:
            if room.beyond == "refuse":
                return _Answer("refused", "no", room.clause, multiple)
            covered, clause = "no", room.clause
        else:
            clause = None
        self._committed[institution] += amount
        return _Answer("reserved", covered, clause, multiple)

    def _policy(self, name: str) -> Policy:
        if name not in self._policies:
            self._policies[name] = self._context.rules.named(name)
        return self._policies[name]

    def _room(self, policy: Policy, institution: str, day: dt.date) -> FundRoom | None:
        """Return what a bank's deposit carries on a day, before anything is lent or reserved."""
        key = (policy.name, institution, day)
        if key not in self._rooms:
            deposit = self._deposits[institution, day]
            self._rooms[key] = fund_room(
                Reading(policy, None), deposit=deposit, committed=money.ZERO, on=day, bank=institution
            )
        return self._rooms[key]


def _follow(transaction: Transaction, facts: dict[str, Any]) -> None:
    """Bring what was reserved to what the registry wants of it now."""
    transaction.execute(
        f"""
        WITH found AS ({_OPEN}), changed AS (
            UPDATE risk_fund.reservation r SET status = f.status, loan_no = f.loan_no FROM found f
            WHERE r.application_no = f.application_no AND r.attempt = f.attempt
              AND (r.status, r.loan_no) IS DISTINCT FROM (f.status, f.loan_no)
            RETURNING r.application_no, r.attempt, f.former, r.status, r.decided, r.effective
        )
        INSERT INTO risk_fund.reservation_step
            (application_no, attempt, former, status, date, entered, message, revision)
        SELECT application_no, attempt, former, status, coalesce(greatest(decided, effective), %(today)s), %(today)s,
               %(message)s, %(revision)s
        FROM changed WHERE former <> status ORDER BY application_no, attempt
        """,
        facts,
    )


def _run(office: Office, transaction: Transaction, _day: dt.date) -> None:
    books.hold(transaction)
    office.processor.send_all(transaction, settle(transaction, office.context, None, None), service="risk_fund")


JOB: Final = Job("risk_fund.reservations", Calendar(), _run)
"""Answers what could not be answered when it was asked, and follows what was told anew."""
