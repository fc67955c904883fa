"""Ratings in force: how one comes into force, ends, changes its grade, and is told to other services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core.clock import months_later
from huilian.county import changes as county_changes
from huilian.county.changes import Changes, Event
from huilian.policy.reading import Reading
from huilian.wire.access import service_code
from schemas.rating_steps import RatingChange
from services.rating import assessments
from services.rating.states import ASSESSMENT, UNDER_WAY, Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.wire.envelope import Draft

__all__ = [
    "EVENT", "OWN", "Group", "Route", "activate", "draw", "end", "groups", "note", "note_routes", "regrade", "route",
    "supersede", "tell",
]  # fmt: skip

OWN: Final = service_code("rating")
"""Who takes the steps that the calendar and the policy take."""
EVENT: Final = Event("ratings_changed", 1, RatingChange)
_STATE: Final = ", ".join(EVENT.state)
_NOTHING: Final = ", ".join("NULL" for _ in EVENT.state)
_FEW: Final = 500
"""Rows of a table of which the planner need not be told."""
_GROUP: Final = "borrower, household_kind, collected_on, line, state, stage"


@dataclass(frozen=True)
class Group:
    """What stands in `drawn` and goes the same way: a case, where it stands, and the number of the group."""

    number: int
    case: Case
    state: str
    stage: str


@dataclass(frozen=True)
class Route:
    """Where a group goes: by which move, to which state and stage."""

    group: Group
    move: str
    target: str
    stage: str | None


def draw(transaction: Transaction, condition: str, facts: dict[str, Any]) -> int:
    """Put the assessments that meet a condition into the temporary table `drawn`; return how many they are."""
    transaction.execute("DROP TABLE IF EXISTS drawn")
    found = transaction.execute(
        "CREATE TEMPORARY TABLE drawn ON COMMIT DROP AS SELECT number, borrower, borrower_no, household_kind,"
        " collected_on, line, state, stage, entered_by,"
        f" dense_rank() OVER (ORDER BY {_GROUP})::integer AS place FROM rating.assessment WHERE {condition}",
        facts,
    )
    if found > _FEW:
        transaction.execute("ANALYZE drawn")
    return found


def groups(transaction: Transaction) -> list[Group]:
    """Return what stands in `drawn` by what the order of steps may depend on."""
    rows = transaction.rows(f"SELECT DISTINCT place, {_GROUP} FROM drawn ORDER BY place")
    return [
        Group(
            row["place"],
            Case(row["borrower"], row["household_kind"], row["collected_on"], row["line"]),
            row["state"],
            row["stage"],
        )
        for row in rows
    ]


def route(transaction: Transaction, routes: Sequence[Route]) -> None:
    """Write where each group of `drawn` goes into the temporary table `routed`."""
    transaction.execute("DROP TABLE IF EXISTS routed")
    transaction.execute(
        "CREATE TEMPORARY TABLE routed (place integer PRIMARY KEY, move text, target text, stage text) ON COMMIT DROP"
    )
    transaction.many(
        "INSERT INTO routed VALUES (%s, %s, %s, %s)",
        [(each.group.number, each.move, each.target, each.stage) for each in routes],
    )


def note(transaction: Transaction, move: str, facts: dict[str, Any]) -> None:
    """Write a move of all that stands in `drawn` into the history; `facts`: date, member, person, message, reason.

    The calendar's and the policy's own moves have no person.
    """
    _note(transaction, "drawn d", "%(move)s", facts | {"move": move})


def note_routes(transaction: Transaction, facts: dict[str, Any]) -> None:
    """Write the moves of `routed` into the history; `facts` as of `note`."""
    _note(transaction, "drawn d JOIN routed r USING (place)", "r.move", facts)


def _note(transaction: Transaction, source: str, move: str, facts: dict[str, Any]) -> None:
    transaction.execute(
        "INSERT INTO rating.step (assessment, stage, move, reason, date, member, person, message)"
        f" SELECT d.number, coalesce(d.stage, ''), {move}, %(reason)s, %(date)s, %(member)s, %(person)s, %(message)s"
        f" FROM {source} ORDER BY d.number",
        {"person": None, "message": None, "reason": None} | facts,
    )


def supersede(transaction: Transaction, facts: dict[str, Any]) -> None:
    """Let what is still under way of the borrowers in `drawn` give way to what stands there."""
    for state in UNDER_WAY:
        ASSESSMENT.after(state, "supersede")
    transaction.execute(
        """
        UPDATE rating.assessment a SET state = 'superseded', ended_on = %(date)s, revision = %(revision)s
        FROM drawn d WHERE d.state = 'collected' AND a.borrower = d.borrower AND a.borrower_no = d.borrower_no
          AND a.number <> d.number AND a.state = ANY(%(under_way)s)
        """,
        facts | {"under_way": list(UNDER_WAY)},
    )


def activate(transaction: Transaction, policy: Policy, facts: dict[str, Any]) -> Iterator[Draft]:
    """Put what `routed` has go into force into force; yield what is told.

    Args:
        transaction: in which it was decided.
        policy: how long it holds.
        facts: revision.
    """
    _make_turned(transaction)
    # It holds from the day after the last posting, or on which somebody last decided: not when the calendar ran.
    activated = transaction.execute(
        """
        INSERT INTO turned SELECT d.number, f.number, greatest(p.last_day + 1, (
            SELECT max(s.date) FROM rating.step s WHERE s.assessment = d.number AND s.person IS NOT NULL))
        FROM drawn d JOIN routed r USING (place) JOIN rating.assessment a ON a.number = d.number
        LEFT JOIN rating.posting p ON p.number = a.posting
        LEFT JOIN rating.assessment f
          ON f.borrower = d.borrower AND f.borrower_no = d.borrower_no AND f.state = 'active'
        WHERE r.target = 'active'
        """
    )
    if not activated:
        return
    transaction.execute(
        "UPDATE rating.assessment a SET state = 'superseded', ended_on = greatest(a.valid_from, t.begins),"
        " revision = %(revision)s FROM turned t WHERE a.number = t.former",
        facts,
    )
    for kind in transaction.rows(
        "SELECT DISTINCT d.borrower, d.household_kind, t.begins FROM drawn d JOIN turned t ON t.number = d.number"
    ):
        months = Reading(policy, None).value("rating.validity", kind | {"event": kind["begins"]})
        until = None if months is None else months_later(kind["begins"], int(months))
        transaction.execute(
            "UPDATE rating.assessment a SET state = 'active', stage = NULL, valid_from = t.begins,"
            " valid_until = %(until)s, approved_on = coalesce(a.approved_on, t.begins), revision = %(revision)s,"
            " (posted_from, posted_until) ="
            " (SELECT first_day, last_day FROM rating.posting p WHERE p.number = a.posting)"
            " FROM turned t WHERE a.number = t.number AND t.begins = %(begins)s AND a.borrower = %(borrower)s"
            " AND a.household_kind IS NOT DISTINCT FROM %(household_kind)s",
            facts | kind | {"until": until},
        )
    yield from _changes(transaction, facts)


def _make_turned(transaction: Transaction) -> None:
    transaction.execute("DROP TABLE IF EXISTS turned")
    transaction.execute("CREATE TEMPORARY TABLE turned (number bigint, former bigint, begins date) ON COMMIT DROP")


def end(transaction: Transaction, move: str, facts: dict[str, Any]) -> Iterator[Draft]:
    """Let the ratings in force that stand in `drawn` end; yield what is told.

    Args:
        transaction: in which it was decided.
        move: "expire" or "withdraw".
        facts: date and revision, and those of `note`.
    """
    state = ASSESSMENT.after("active", move)
    note(transaction, move, facts)
    transaction.execute(
        "UPDATE rating.assessment a SET state = %(state)s, ended_on = %(date)s, revision = %(revision)s,"
        " reason = coalesce(%(reason)s, a.reason) FROM drawn d WHERE a.number = d.number",
        {"reason": None} | facts | {"state": state},
    )
    _make_turned(transaction)
    transaction.execute("INSERT INTO turned (former) SELECT number FROM drawn")
    yield from _changes(transaction, facts)


def _changes(transaction: Transaction, facts: dict[str, Any]) -> Iterator[Draft]:
    """Yield what `turned` says: the rating `number` is in force in place of `former`, either of them null."""
    query = f"""
        SELECT coalesce(a.borrower, b.borrower), coalesce(a.borrower_no, b.borrower_no),
               CASE WHEN t.begins IS NULL THEN %(date)s::date ELSE greatest(t.begins, b.valid_from) END, NULL,
               coalesce(a.number, b.number), {EVENT.columns("b", "a")}
        FROM turned t LEFT JOIN rating.assessment a ON a.number = t.number
        LEFT JOIN rating.assessment b ON b.number = t.former
        ORDER BY 1, 2
    """
    with Changes(EVENT) as changes:
        changes.take(transaction.copy_out(query, facts))
        # No member is spoken to: who the service is stands for whom it is about.
        yield from changes.drafts(OWN, f"rating.{facts['revision']}")


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all ratings there ever were in force as changes; nothing changes until the transaction ends."""
    assessments.hold(transaction)
    query = f"""
        SELECT borrower, borrower_no, valid_from, NULL, number, {_NOTHING}, {_STATE}
        FROM rating.assessment WHERE valid_from IS NOT NULL
      UNION ALL
        SELECT borrower, borrower_no, ended_on, NULL, number, {_STATE}, {_NOTHING}
        FROM rating.assessment WHERE valid_from IS NOT NULL AND ended_on IS NOT NULL
        ORDER BY 3, 1, 2, 5
    """
    return county_changes.tell(EVENT, transaction.copy_out(query), "rating")


def regrade(transaction: Transaction, facts: dict[str, Any]) -> Iterator[Draft]:
    """Put another score, grade and line into force in place of what stands in `drawn`; yield what is told.

    What was approved stays as it was; a new assessment begins in force, for as long as the former would have held.
    """
    ASSESSMENT.after("active", "regrade")
    note(transaction, "regrade", facts)
    transaction.execute(
        "UPDATE rating.assessment SET state = 'superseded', ended_on = %(date)s, revision = %(revision)s"
        " WHERE number = %(number)s",
        facts,
    )
    new = transaction.value(
        """
        INSERT INTO rating.assessment (borrower, borrower_no, region, household_kind, age, indicators, exclusions,
            collected_on, entered_by, score, grade, line, refused, policy, cause, state, approved_on, valid_from,
            valid_until, posted_from, posted_until, reason, revision)
        SELECT borrower, borrower_no, region, household_kind, age, indicators, exclusions, collected_on, entered_by,
               %(score)s, %(grade)s, %(line)s, refused, policy, %(cause)s, 'active', approved_on, %(date)s,
               valid_until, posted_from, posted_until, %(reason)s, %(revision)s
        FROM rating.assessment WHERE number = %(number)s RETURNING number
        """,
        facts,
    )
    # The banks' lines go on under the new rating, and its line cuts them.
    transaction.execute(
        "UPDATE rating.credit_line SET assessment = %(new)s WHERE assessment = %(number)s", facts | {"new": new}
    )
    _make_turned(transaction)
    transaction.execute("INSERT INTO turned (number, former) VALUES (%(new)s, %(number)s)", facts | {"new": new})
    yield from _changes(transaction, facts)
