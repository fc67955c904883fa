"""Postings: a region's ratings are posted, somebody objects and is answered, and the window ends."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from huilian.core.clock import CHINA
from huilian.core.errors import MessageRefused
from huilian.county.members import persons
from huilian.county.procedure.acts import check_kind, check_region, taking
from services.rating import assessments, consequences, in_force
from services.rating.assessments import Paths
from services.rating.in_force import Route
from services.rating.states import ASSESSMENT, Case, stage_named
from services.rating.steps import NEWER, onward

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["close", "expire", "on_answer", "on_objection", "on_posting"]

_DAY: Final = dt.timedelta(days=1)
_CALENDAR: Final = {"member": in_force.OWN}
_OPEN: Final = "o.answered_on IS NULL"


def on_posting(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Post all ratings of a region that wait for a round, for at least as long as the policy asks."""
    stage = f"{record['step']}.{record['round']}"
    with taking(record, message, transaction, persons.ENTER, assessments.hold) as taken:
        found = in_force.draw(
            transaction,
            "region LIKE %(region)s || '%%' AND state = 'to_be_posted' AND stage = %(stage)s",
            taken.facts | {"stage": stage},
        )
        if not found:
            raise MessageRefused("HL1050", step=stage)
        if found != record["count"]:
            taken.refuse("HL1051", stated=record["count"], found=found)
        last_step = transaction.value("SELECT max(s.date) FROM rating.step s JOIN drawn d ON d.number = s.assessment")
        # Nobody can object within days that were over when it was sealed.
        if record["first_day"] < max(message.time.astimezone(CHINA).date(), last_step):
            taken.refuse("HL1062", date=record["first_day"].isoformat())
        paths = Paths(context.policy)
        for group in in_force.groups(transaction):
            stages = paths.of(group.case)
            place = stage_named(stages, group.stage)
            if place is None:
                taken.refuse("HL1050", step=stage)
                continue
            check_kind(taken, stages[place].by, stage)
            window = stages[place].window
            least = context.working_days.after(record["first_day"] - _DAY, window) if window else record["first_day"]
            if record["last_day"] < least:
                taken.refuse("HL1055", last_day=least.isoformat())
            ASSESSMENT.after(group.state, "post")
    facts = taken.facts | {"stage": stage, "revision": assessments.new_revision(transaction)}
    facts["posting"] = transaction.value(
        "INSERT INTO rating.posting (region, stage, round, first_day, last_day, complaint_line, count, date, member,"
        " person, message) VALUES (%(region)s, %(stage)s, %(round)s, %(first_day)s, %(last_day)s, %(complaint_line)s,"
        " %(count)s, %(date)s, %(member)s, %(person)s, %(message)s) RETURNING number",
        facts,
    )
    in_force.note(transaction, "post", facts)
    transaction.execute(
        "UPDATE rating.assessment a SET state = 'posted', posting = %(posting)s, revision = %(revision)s"
        " FROM drawn d WHERE a.number = d.number",
        facts,
    )
    return ()


def on_objection(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter an objection to a rating that is posted on its day; until it is answered the rating stands still."""
    with taking(record, message, transaction, persons.ENTER, assessments.hold) as taken:
        known = transaction.row(
            "SELECT o.reason, o.date, o.member, a.borrower, a.borrower_no FROM rating.objection o"
            " JOIN rating.assessment a ON a.number = o.assessment WHERE objection_no = %(objection_no)s",
            record,
        )
        if known is not None:
            if (
                any(known[name] != taken.facts[name] for name in known if name != "member")
                or known["member"] != taken.who[0]
            ):
                raise MessageRefused("HL1059", number=record["objection_no"])
            return ()
        row = transaction.row(
            "SELECT a.number, a.state, a.region, p.number AS posting FROM rating.assessment a"
            " JOIN rating.posting p ON p.number = a.posting"
            " WHERE a.borrower = %(borrower)s AND a.borrower_no = %(borrower_no)s AND a.state IN ('posted', 'objected')"
            " AND %(date)s BETWEEN p.first_day AND p.last_day",
            record,
        )
        if row is None:
            raise MessageRefused("HL1056", borrower_no=record["borrower_no"], date=taken.date.isoformat())
        check_region(taken.member, row["region"])
    state = ASSESSMENT.after(row["state"], "object")
    facts = taken.facts | row | {"revision": assessments.new_revision(transaction), "state": state}
    transaction.execute(
        "INSERT INTO rating.objection (objection_no, assessment, posting, reason, date, member, person, message) VALUES"
        " (%(objection_no)s, %(number)s, %(posting)s, %(reason)s, %(date)s, %(member)s, %(person)s, %(message)s)",
        facts,
    )
    _move_one(transaction, "object", facts)
    return ()


def on_answer(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Answer an objection: dismiss it, or uphold it, by which the rating is collected anew."""
    with taking(record, message, transaction, persons.APPROVE, assessments.hold) as taken:
        row = transaction.row(
            "SELECT o.*, a.number, a.state, a.region, a.borrower, a.borrower_no, a.household_kind, a.collected_on,"
            " a.line FROM rating.objection o JOIN rating.assessment a ON a.number = o.assessment"
            " WHERE o.objection_no = %(objection_no)s",
            record,
        )
        if row is None:
            raise MessageRefused("HL1057", objection_no=record["objection_no"])
        check_region(taken.member, row["region"])
        if row["answered_on"] is not None:
            if (row["upheld"], row["answer"]) != (record["upheld"], record["answer"]):
                raise MessageRefused("HL1059", number=record["objection_no"])
            return ()
        taken.check(persons.check_four_eyes, (row["member"], row["person"]), taken.who)
        if taken.date < row["date"]:
            taken.refuse("HL1062", date=taken.date.isoformat())
    upheld = record["upheld"] == "yes"
    facts = taken.facts | {"number": row["number"], "revision": assessments.new_revision(transaction)}
    transaction.execute(
        "UPDATE rating.objection o SET upheld = %(upheld)s, answer = %(answer)s, answered_on = %(date)s,"
        " answer_member = %(member)s, answer_person = %(person)s"
        # What sends a rating back settles whatever else was said against it.
        f" WHERE {_OPEN} AND (o.objection_no = %(objection_no)s"
        " OR (%(upheld)s = 'yes' AND o.assessment = %(number)s))",
        facts,
    )
    if row["state"] != "objected":
        return ()
    if upheld:
        ASSESSMENT.after("objected", "uphold")
        case = Case(row["borrower"], row["household_kind"], row["collected_on"], row["line"])
        first = Paths(context.policy).of(case)[0].name
        _move_one(transaction, "uphold", facts | {"state": "collected", "stage": first, "reason": record["answer"]})
    elif not transaction.value(
        f"SELECT true FROM rating.objection o WHERE o.assessment = %s AND {_OPEN}", [row["number"]]
    ):
        state = ASSESSMENT.after("objected", "dismiss")
        _move_one(transaction, "dismiss", facts | {"state": state, "reason": record["answer"]})
    return ()


def _move_one(transaction: Transaction, move: str, facts: dict[str, Any]) -> None:
    in_force.draw(transaction, "number = %(number)s", facts)
    in_force.note(transaction, move, facts)
    transaction.execute(
        f"""
        UPDATE rating.assessment a SET revision = %(revision)s,
               state = CASE WHEN %(state)s = 'collected' AND {NEWER} THEN 'superseded' ELSE %(state)s END,
               stage = CASE WHEN %(state)s = 'collected' THEN %(stage)s ELSE stage END,
               posting = CASE WHEN %(state)s = 'collected' THEN NULL ELSE posting END,
               approved_on = CASE WHEN %(state)s = 'collected' THEN NULL ELSE approved_on END,
               reason = %(reason)s
        WHERE number = %(number)s
        """,
        {"stage": None} | facts,
    )


def close(transaction: Transaction, context: Context, day: dt.date) -> Iterator[Draft]:
    """End every window whose last day is before `day`, where no objection is open: the next stage, or in force."""
    assessments.hold(transaction)
    in_force.draw(
        transaction,
        "state = 'posted' AND posting IN (SELECT number FROM rating.posting WHERE last_day < %(date)s)"
        " AND NOT EXISTS (SELECT FROM rating.objection o WHERE o.assessment = rating.assessment.number"
        f" AND {_OPEN})",
        {"date": day},
    )
    facts = _CALENDAR | {"date": day, "revision": assessments.new_revision(transaction)}
    paths, routes = Paths(context.policy), []
    for group in in_force.groups(transaction):
        stages = paths.of(group.case)
        place = stage_named(stages, group.stage)
        if place is None:
            continue  # the policy has it no more: people decide
        move, stage = onward(stages, place, ("go_on", "post_again", "activate"))
        routes.append(Route(group, move, ASSESSMENT.after(group.state, move), stage))
    in_force.route(transaction, routes)
    in_force.note_routes(transaction, facts)
    transaction.execute(
        "UPDATE rating.assessment a SET state = r.target, stage = r.stage, revision = %(revision)s"
        " FROM drawn d JOIN routed r USING (place) WHERE a.number = d.number AND r.target <> 'active'",
        facts,
    )
    yield from in_force.activate(transaction, context.policy, facts)
    yield from consequences.catch_up(transaction, context, day)


def expire(transaction: Transaction, day: dt.date) -> Iterator[Draft]:
    """End the ratings whose validity is over."""
    assessments.hold(transaction)
    if in_force.draw(transaction, "state = 'active' AND valid_until <= %(date)s", {"date": day}):
        facts = _CALENDAR | {"date": day, "revision": assessments.new_revision(transaction)}
        yield from in_force.end(transaction, "expire", facts)
