"""What a borrower did since it was rated: the policy's reward and punishment, each once a loan.

On time is a loan that was settled by its due date; overdue one that the bank calls so; in default one in a bad class
or written off. Whether a default was malicious is for people to say: an entry of the blacklist. So is how a loan was
used. Force majeure kept a borrower from repaying a loan where an insurer's claim or a deed that is entered says so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.county.changes import Fold
from huilian.policy.reading import Reading
from huilian.wire.batches import from_ndjson
from services.rating import assessments, awards, in_force, marks
from services.rating.awards import Cause
from services.rating.states import UNDER_WAY

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Entry
    from huilian.wire.envelope import Draft, Message

__all__ = [
    "CLAIMS", "POLICIES", "catch_up", "follow", "on_claims_changed", "on_loans_changed", "on_policies_changed", "spare",
    "stop",
]  # fmt: skip

POLICIES: Final = Fold("rating.policy_change", key=("insurer", "policy_no"), state=("household_no",))
CLAIMS: Final = Fold(
    "rating.claim_change",
    key=("insurer", "claim_no"),
    state=("policy_no", "loan_no", "force_majeure", "status"),
)
"""With `POLICIES`: whose loans an insurer says were struck by force majeure."""
_STRUCK: Final = """
    SELECT institution, loan_no, borrower_no FROM rating.mark WHERE mark = 'force_majeure' AND borrower = 'household'
"""
"""Loans that force majeure has struck."""

_STATE: Final = pl.Struct(
    dict.fromkeys(
        ("household_no", "status", "five_tier_class", "due_date", "settled_date", "continuation"), pl.String()
    )
)
_TYPES: Final = {
    **dict.fromkeys(("institution", "loan_no", "as_of", "until"), pl.String()),
    "before": _STATE,
    "after": _STATE,
}
_POLICY: Final = {"member": in_force.OWN}
_BARS: Final = frozenset({"barred", "barred_for_good"})
_BARRED: Final = frozenset({"rating", "grade", "line", "support", "blacklist"})
"""Who is barred from one of these has no rating in force."""
_MOST: Final = Decimal(100)
_UNRATED: Final = """
    SELECT coalesce(h.category, a.household_kind) AS household_kind, NULL AS grade,
           coalesce(h.region, a.region) AS region
    FROM (SELECT) one
    LEFT JOIN (SELECT region, category FROM rating.household_change
               WHERE household_no = %(borrower_no)s AND %(borrower)s = 'household'
               GROUP BY 1, 2 HAVING sum(n) > 0 LIMIT 1) h ON true
    LEFT JOIN (SELECT region, household_kind FROM rating.assessment
               WHERE borrower = %(borrower)s AND borrower_no = %(borrower_no)s ORDER BY number DESC LIMIT 1) a ON true
"""
"""What is known of a borrower without a rating in force."""


def on_loans_changed(message: Message, transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Note whose loan was repaid on time, became overdue or bad, and let what the policy says of it follow."""
    changes = from_ndjson(message.body(), _TYPES, checked=True)
    bad = Reading(context.policy, None).value("classification.bad_classes", {"event": context.clock.today()})
    rows = _outcomes(changes, list(bad or ("substandard", "doubtful", "loss")))
    if not rows.height:
        return
    assessments.hold(transaction)
    for row in rows.iter_rows(named=True):
        new = transaction.execute(
            "INSERT INTO rating.outcome (institution, loan_no, after, borrower_no, date)"
            " SELECT %(institution)s, %(loan_no)s, %(outcome)s, %(household_no)s, %(as_of)s::date"
            " WHERE EXISTS (SELECT FROM rating.assessment WHERE borrower_no = %(household_no)s) ON CONFLICT DO NOTHING",
            row,
        )
        if new:
            day, borrower = context.clock.today(), ("household", row["household_no"])
            spared = _is_spared(transaction, row["household_no"], row)
            cause = Cause(row["institution"], row["loan_no"])
            yield from follow(transaction, context, borrower, row["outcome"], day, cause=cause, spared=spared)


def _is_spared(transaction: Transaction, borrower_no: str, loan: Mapping[str, Any]) -> bool:
    """Return whether force majeure has struck a loan."""
    return bool(
        transaction.value(
            f"SELECT true FROM ({_STRUCK}) s WHERE borrower_no = %(borrower_no)s AND loan_no = %(loan_no)s"
            " AND coalesce(institution, %(institution)s) = %(institution)s LIMIT 1",
            {**loan, "borrower_no": borrower_no},
        )
    )


def catch_up(transaction: Transaction, context: Context, day: dt.date) -> Iterator[Draft]:
    """Let follow what borrowers did while the ratings that `in_force.activate` put into force were under way.

    What was known before the day of the collection was for the collection to weigh.
    """
    rows = transaction.rows(
        """
        SELECT a.borrower, a.borrower_no, d.after, d.institution, d.loan_no, d.member, d.reference
        FROM turned t JOIN rating.assessment a ON a.number = t.number JOIN (
            SELECT 'household' AS borrower, borrower_no, after, institution, loan_no, date, NULL AS member,
                   NULL AS reference
            FROM rating.outcome
          UNION ALL
            -- Of a loan each deed counts once, whoever found it.
            SELECT borrower, borrower_no, deed, institution, loan_no, min(date), min(member), min(reference)
            FROM rating.deed
            WHERE deed <> 'force_majeure'
            GROUP BY borrower, borrower_no, deed, institution, loan_no,
                     CASE WHEN institution IS NULL OR loan_no IS NULL THEN (member, reference) END
        ) d ON d.borrower = a.borrower AND d.borrower_no = a.borrower_no AND d.date >= a.collected_on
        ORDER BY d.date, a.borrower, a.borrower_no, d.after, d.institution, d.loan_no
        """
    )
    for row in rows:
        borrower = row["borrower"], row["borrower_no"]
        spared = borrower[0] == "household" and _is_spared(transaction, borrower[1], row)
        cause = Cause(row["institution"], row["loan_no"], row["member"], row["reference"])
        yield from follow(transaction, context, borrower, row["after"], day, cause=cause, spared=spared)


def _outcomes(changes: pl.DataFrame, bad: list[str]) -> pl.DataFrame:
    """Return what the newest states say of loans that they did not say before."""

    def field(side: str, name: str) -> pl.Expr:
        return pl.col(side).struct.field(name)

    def newly(condition: Any) -> pl.Expr:  # noqa: ANN401  # a function from side to expression
        before: pl.Expr = condition("before").fill_null(value=False)
        after: pl.Expr = condition("after").fill_null(value=False)
        return after & ~before

    newest = changes.filter(pl.col("until").is_null() & field("after", "household_no").is_not_null())
    kinds = {
        "on_time_repayment": lambda side: (
            (field(side, "status") == "settled") & (field(side, "settled_date") <= field(side, "due_date"))
        ),
        # Who was granted a moratorium is not overdue, whatever the bank's file calls it.
        "overdue": lambda side: (
            (field(side, "status") == "overdue") & field(side, "continuation").ne_missing("moratorium")
        ),
        "default": lambda side: field(side, "five_tier_class").is_in(bad) | (field(side, "status") == "written_off"),
    }
    found = [
        newest.filter(newly(condition)).select(
            "institution", "loan_no", "as_of", field("after", "household_no"), pl.lit(name).alias("outcome")
        )
        for name, condition in kinds.items()
    ]
    return pl.concat(found).sort("as_of", "institution", "loan_no", "outcome")


def stop(transaction: Transaction, borrower: tuple[str, str], facts: Mapping[str, Any]) -> None:
    """Refuse what is under way for a borrower who has defaulted maliciously; `facts`: date, member, person, message."""
    asked = {"borrower": borrower[0], "borrower_no": borrower[1], "under_way": list(UNDER_WAY)}
    if in_force.draw(
        transaction, "borrower = %(borrower)s AND borrower_no = %(borrower_no)s AND state = ANY(%(under_way)s)", asked
    ):
        in_force.note(transaction, "bar", {**facts, "reason": "malicious_default"})
        transaction.execute(
            "UPDATE rating.assessment a SET state = 'refused', reason = 'malicious_default', revision = %s"
            " FROM drawn d WHERE a.number = d.number",
            [assessments.new_revision(transaction)],
        )


def on_claims_changed(message: Message, transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Note which loans force majeure has struck; policies are told before their claims."""
    assessments.hold(transaction)
    CLAIMS.take(transaction, message)
    yield from spare(transaction, context.clock.today())
    yield from marks.of_claims(transaction, message, context.clock.today())


def on_policies_changed(message: Message, transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Note whose loans are insured."""
    POLICIES.take(transaction, message)
    yield from marks.of_policies(transaction, message, context.clock.today())


def spare(transaction: Transaction, day: dt.date) -> Iterator[Draft]:
    """Have ratings made again that a loan weakened which, as is now known, force majeure kept from being repaid.

    What followed from it beside the rating, and is excepted, is taken back.
    """
    # What followed may rest on several loans: people judge it anew, nothing is turned back.
    transaction.execute(
        f"""
        UPDATE rating.assessment a SET again_on = %(date)s, revision = %(revision)s
        FROM rating.outcome o JOIN ({_STRUCK}) s ON s.borrower_no = o.borrower_no AND s.loan_no = o.loan_no
             AND coalesce(s.institution, o.institution) = o.institution
        WHERE a.borrower = 'household' AND a.borrower_no = o.borrower_no AND a.state = 'active'
          AND a.cause = o.after AND o.after IN ('overdue', 'default') AND a.again_on IS NULL
        """,
        {"date": day, "revision": assessments.new_revision(transaction)},
    )
    yield from awards.excuse(transaction, _STRUCK, day)


def follow(
    transaction: Transaction,
    context: Context,
    borrower: tuple[str, str],
    after: str,
    day: dt.date,
    *,
    cause: Cause,
    spared: bool = False,
) -> Iterator[Draft]:
    """Let what the policy says of a borrower's deed follow, also for its rating in force; yield what is told.

    Args:
        transaction: in which it is known.
        context: its policy.
        borrower: its kind and number.
        after: the deed, as the policy calls it.
        day: from which the consequences hold.
        cause: the loan, or the finding.
        spared: force majeure was found: entries that except it do not hold.
    """
    facts = {"borrower": borrower[0], "borrower_no": borrower[1], "date": day, "cause": after}
    rated = in_force.draw(
        transaction, "borrower = %(borrower)s AND borrower_no = %(borrower_no)s AND state = 'active'", facts
    )
    row = transaction.row(
        "SELECT a.* FROM rating.assessment a JOIN drawn d USING (number)" if rated else _UNRATED,
        facts,
    ) or {"household_kind": None, "grade": None, "region": None}
    situation = {
        "event": day,
        "borrower": borrower[0],
        "household_kind": row["household_kind"],
        "grade": row["grade"],
    }
    entries = [
        entry
        for entry in Reading(context.policy, None).entries("consequences", situation)
        if entry["after"] == after and not (spared and entry["unless"] == "force_majeure")
    ]
    kept = {"region": row["region"], "entries": entries, "cause": cause, "day": day}
    yield from awards.keep(transaction, context.policy, borrower, **kept)
    if any("blacklist" in entry["changes"] for entry in entries):
        yield from marks.of_borrower(transaction, *borrower, day)
    if not rated:
        return
    facts |= _POLICY | {"revision": assessments.new_revision(transaction), "reason": after}
    if any(entry["how"] in _BARS and _BARRED & set(entry["changes"]) for entry in entries):
        yield from in_force.end(transaction, "withdraw", facts)
        return
    graded = _regraded(context, row, entries, situation)
    if graded is not None:
        if graded["score"] is None:
            yield from in_force.end(transaction, "withdraw", facts)
            return
        yield from in_force.regrade(transaction, facts | graded | {"number": row["number"]})
    if any("rating" in entry["changes"] and entry["how"] == "again" for entry in entries):
        transaction.execute(
            "UPDATE rating.assessment SET again_on = %(date)s, revision = %(revision)s"
            " WHERE borrower = %(borrower)s AND borrower_no = %(borrower_no)s AND state = 'active'",
            facts,
        )


def _regraded(
    context: Context, row: dict[str, Any], entries: list[Entry], situation: dict[str, Any]
) -> dict[str, Any] | None:
    """Return score, grade and line after the entries that move them; a score of None: below the weakest grade."""
    grades = context.policy.vocabulary.grades
    reading = Reading(context.policy, None)
    score, grade = row["score"], row["grade"]
    for entry in entries:
        direction = {"better": 1, "weaker": -1}.get(entry["how"])
        if direction is None or not {"grade", "line", "rating"} & set(entry["changes"]):
            continue
        if entry["points"] is not None:
            score = min(_MOST, max(Decimal(0), score + direction * entry["points"]))
            grade = reading.value("rating.grade", situation | {"score": score})
        elif grade in grades:
            place = min(len(grades) - 1, grades.index(grade) + direction * int(entry["grade_steps"] or 1))
            grade = None if place < 0 else grades[place]
    if (score, grade) == (row["score"], row["grade"]):
        return None
    facts = situation | {"score": score, "grade": grade}
    line = None if row["refused"] else reading.value("rating.line", facts)
    # Where there are grades, or else bands of lines, who falls below the weakest has no rating.
    has_none = grade is None if grades else line is None and "rating.line" in context.policy.general.rules
    return {"score": None if has_none else score, "grade": grade, "line": line}
