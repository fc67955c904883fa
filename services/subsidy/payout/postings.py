"""Postings: what a run found to agree is posted in a region, somebody objects and is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.core.clock import CHINA
from huilian.core.errors import MessageRefused
from huilian.county.members import persons
from huilian.county.procedure.acts import check_region, enter, taking
from services.subsidy import items
from services.subsidy.payout import results
from services.subsidy.payout.procedure import Procedures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["facts_of", "find_run", "on_answer", "on_objection", "on_posting"]

_POSTED = ("run_no", "region", "first_day", "last_day", "complaint_line", "count")
_OBJECTION = ("run_no", "institution", "loan_no", "reason")


def find_run(transaction: Transaction, taken: Taken) -> dict[str, Any]:
    """Return the run that a record names; notes HL1062, the record is of a day before it.

    Raises:
        MessageRefused: HL1140, there is no such run.
    """
    run = transaction.row("SELECT * FROM subsidy.run WHERE run_no = %(run_no)s", taken.record)
    if run is None:
        raise MessageRefused("HL1140", run_no=taken.record["run_no"])
    if taken.date < run["date"]:
        taken.refuse("HL1062", date=taken.date.isoformat())
    return run


def facts_of(taken: Taken, reason: str | None = None) -> dict[str, Any]:
    """Return what the story of items keeps of an act."""
    member, person = taken.who
    return {
        "date": taken.date,
        "entered": taken.entered,
        "member": member,
        "person": person,
        "message": taken.message,
        "reason": reason,
    }


def on_posting(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Post what a run computed for a region, for at least as long as the policy asks."""
    with taking(record, message, transaction, persons.ENTER, items.hold) as taken:
        if transaction.value("SELECT true FROM subsidy.posting WHERE posting_no = %(posting_no)s", record):
            enter(transaction, "subsidy.posting", ("posting_no",), _POSTED, taken)  # the same again, or another
            return ()
        find_run(transaction, taken)
        found = transaction.rows(
            "SELECT number, policy, product, borrower FROM subsidy.item WHERE run_no = %(run_no)s"
            " AND region LIKE %(region)s || '%%' AND state = 'computed'",
            record,
        )
        procedures = Procedures(context, record["first_day"])
        groups = {(each["policy"], each["product"], each["borrower"]): procedures.of(each) for each in found}
        posted = {group: procedure for group, procedure in groups.items() if procedure and procedure.is_posted}
        numbers = [each["number"] for each in found if (each["policy"], each["product"], each["borrower"]) in posted]
        if not numbers:
            raise MessageRefused("HL1141", run_no=record["run_no"])
        if len(numbers) != record["count"]:
            taken.refuse("HL1142", stated=record["count"], found=len(numbers))
        # Nobody can object within days that were over when it was sealed.
        if record["first_day"] < max(message.time.astimezone(CHINA).date(), taken.date):
            taken.refuse("HL1062", date=record["first_day"].isoformat())
        least = max(each.last_day(record["first_day"], context.working_days) for each in posted.values())
        if record["last_day"] < least:
            taken.refuse("HL1055", last_day=least.isoformat())
    enter(transaction, "subsidy.posting", ("posting_no",), _POSTED, taken)
    told = items.move(transaction, numbers, "post", facts_of(taken))
    transaction.execute("UPDATE subsidy.item SET posting = %s WHERE number = ANY(%s)", [record["posting_no"], numbers])
    return [*told, *results.tell(transaction)]


def on_objection(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter an objection to a subsidy that is posted on its day; until it is answered the subsidy stands still."""
    with taking(record, message, transaction, persons.ENTER, items.hold) as taken:
        known = transaction.row("SELECT * FROM subsidy.objection WHERE objection_no = %(objection_no)s", record)
        if known is not None:
            if any(known[name] != taken.facts[name] for name in (*_OBJECTION, "date", "member")):
                raise MessageRefused("HL1059", number=record["objection_no"])
            return ()
        row = transaction.row(
            "SELECT i.number AS item, i.region, i.posting FROM subsidy.item i JOIN subsidy.posting p ON"
            " p.posting_no = i.posting WHERE i.run_no = %(run_no)s AND i.institution = %(institution)s"
            " AND i.loan_no = %(loan_no)s AND i.state IN ('posted', 'objected')"
            " AND %(date)s BETWEEN p.first_day AND p.last_day ORDER BY i.number LIMIT 1",
            record,
        )
        if row is None:
            raise MessageRefused("HL1143", loan_no=record["loan_no"], date=taken.date.isoformat())
        check_region(taken.member, row["region"])
    transaction.execute(
        "INSERT INTO subsidy.objection (objection_no, item, posting, run_no, institution, loan_no, reason, date,"
        " member, person, message) VALUES (%(objection_no)s, %(item)s, %(posting)s, %(run_no)s, %(institution)s,"
        " %(loan_no)s, %(reason)s, %(date)s, %(member)s, %(person)s, %(message)s)",
        taken.facts | row,
    )
    return items.move(transaction, [row["item"]], "object", facts_of(taken, record["reason"]))


def on_answer(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Answer an objection: dismiss it, or uphold it, by which the claim goes back."""
    with taking(record, message, transaction, persons.APPROVE, items.hold) as taken:
        row = transaction.row(
            "SELECT o.*, i.state, i.region FROM subsidy.objection o JOIN subsidy.item i ON i.number = o.item"
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
    transaction.execute(
        "UPDATE subsidy.objection o SET upheld = %(upheld)s, answer = %(answer)s, answered_on = %(date)s,"
        " answer_member = %(member)s, answer_person = %(person)s, answer_message = %(message)s"
        # What sends a claim back settles whatever else was said against it.
        " WHERE answered_on IS NULL AND (objection_no = %(objection_no)s OR (%(upheld)s = 'yes' AND item = %(item)s))",
        taken.facts | {"item": row["item"]},
    )
    is_open = transaction.value(
        "SELECT true FROM subsidy.objection WHERE item = %s AND answered_on IS NULL", [row["item"]]
    )
    if row["state"] != "objected" or is_open:
        return ()
    move = "uphold" if record["upheld"] == "yes" else "dismiss"
    told = items.move(transaction, [row["item"]], move, facts_of(taken, record["answer"]))
    return [*told, *results.tell(transaction)]
