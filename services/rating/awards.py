"""Reward and punishment as kept: what follows for a borrower, from when until when, how it is posted and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core.clock import months_later
from huilian.core.errors import MessageRefused
from huilian.county import changes as county_changes
from huilian.county.changes import Changes, Event
from huilian.county.members import persons
from huilian.county.procedure.acts import enter, taking
from huilian.county.submissions.statements import scope
from schemas.consequences import ConsequenceChange
from services.rating import assessments, in_force

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Entry, Policy
    from huilian.wire.envelope import Draft, Message

__all__ = ["EVENT", "Cause", "consequences_of", "excuse", "keep", "lift", "on_posting", "tell"]

EVENT: Final = Event("consequences_changed", 1, ConsequenceChange)
_KEY: Final = "borrower, borrower_no, reference"
_OF_BORROWER: Final = "borrower = %(borrower)s AND borrower_no = %(borrower_no)s"
_OF_POSTING: Final = "reference = ANY(%(references)s)"
_TO_POST: Final = "region LIKE %(region)s || '%%' AND posting IS NULL AND ended IS NULL"
_CHANGED: Final = """
    SELECT {key}, %(day)s::date, NULL, row_number() OVER (ORDER BY {key}), {states}
    FROM (SELECT * FROM rating.consequence_told WHERE {scope}) o
    FULL JOIN (SELECT * FROM rating.consequence_standing WHERE {scope}) n USING ({key})
    ORDER BY {key}
"""


@dataclass(frozen=True)
class Cause:
    """From what consequences follow: a loan, or a finding where it is about none.

    Args:
        institution: the bank of the loan.
        loan_no: of the loan.
        member: who found it.
        reference: the number of the finding.
    """

    institution: str | None = None
    loan_no: str | None = None
    member: str | None = None
    reference: str | None = None

    @property
    def name(self) -> str:
        """Return what tells one cause from another: of a loan each deed counts once, whoever found it."""
        if self.institution and self.loan_no:
            return f"loan {self.institution} {self.loan_no}"
        return f"finding {self.member} {self.reference}"


def keep(
    transaction: Transaction,
    policy: Policy,
    borrower: tuple[str, str],
    *,
    region: str | None,
    entries: Sequence[Entry],
    cause: Cause,
    day: dt.date,
) -> Iterator[Draft]:
    """Keep what follows for a borrower from a cause, once; yield what is told of it.

    Args:
        transaction: in which it is known.
        policy: whose entries they are.
        borrower: its kind and number.
        region: where it lives; None: nobody said.
        entries: the consequences that hold.
        cause: from which they follow.
        day: from which they hold.
    """
    facts = {"borrower": borrower[0], "borrower_no": borrower[1], "region": region, "day": day}
    kept = 0
    for entry in entries:
        kept += transaction.execute(
            """
            INSERT INTO rating.consequence (borrower, borrower_no, after, change, how, institution, loan_no, region,
                                            from_date, until_date, clause, cause, unless, policy, entered)
            SELECT %(borrower)s, %(borrower_no)s, %(after)s, change, %(how)s, %(institution)s, %(loan_no)s,
                   %(region)s, %(day)s, %(until)s, %(clause)s, %(cause)s, %(unless)s, %(policy)s, %(day)s
            FROM unnest(%(changes)s::text[]) AS change ON CONFLICT DO NOTHING
            """,
            facts
            | {name: entry[name] for name in ("after", "how", "unless")}
            | {
                "changes": list(entry["changes"]),
                "until": None if entry["months"] is None else months_later(day, int(entry["months"])),
                "institution": cause.institution,
                "loan_no": cause.loan_no,
                "clause": entry.source,
                "cause": cause.name,
                "policy": f"{policy.name} {policy.version}",
            },
        )
    if kept:
        yield from _told(transaction, _OF_BORROWER, facts)


def lift(transaction: Transaction, borrower: tuple[str, str], cause: Cause, day: dt.date) -> Iterator[Draft]:
    """Take back what followed from a finding that was taken back, whatever it bars; yield what is told of it."""
    facts = {"borrower": borrower[0], "borrower_no": borrower[1], "cause": cause.name, "day": day}
    ended = transaction.execute(
        f"UPDATE rating.consequence SET ended = %(day)s WHERE {_OF_BORROWER} AND cause = %(cause)s AND ended IS NULL",
        facts,
    )
    if ended:
        yield from _told(transaction, _OF_BORROWER, facts)


def excuse(transaction: Transaction, struck: str, day: dt.date) -> Iterator[Draft]:
    """Take back what followed from loans that, as is now known, force majeure kept from being repaid.

    Args:
        transaction: in which it is known.
        struck: an SQL query of the loans: institution (null: any), loan_no, borrower_no.
        day: on which it is known.
    """
    rows = transaction.rows(
        f"""
        UPDATE rating.consequence c SET ended = %(day)s FROM ({struck}) s
        WHERE c.borrower = 'household' AND c.unless = 'force_majeure' AND c.ended IS NULL
          AND s.borrower_no = c.borrower_no AND s.loan_no = c.loan_no
          AND coalesce(s.institution, c.institution) = c.institution
        RETURNING 'K' || c.number AS reference
        """,
        {"day": day},
    )
    if rows:
        yield from _told(transaction, _OF_POSTING, {"references": [row["reference"] for row in rows], "day": day})


def on_posting(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Post what of a region waits for it; the same again changes nothing."""
    fields = ("region", "first_day", "last_day", "complaint_line", "count")
    with taking(record, message, transaction, persons.ENTER, assessments.hold) as taken:
        if not enter(transaction, "rating.consequence_posting", ("posting_no",), fields, taken):
            return ()
        there = transaction.value(f"SELECT count(*) FROM rating.consequence WHERE {_TO_POST}", record)
        if there != record["count"] or not there:
            raise MessageRefused("HL1187", there=there, count=record["count"])
    rows = transaction.rows(
        f"UPDATE rating.consequence SET posting = %(posting_no)s WHERE {_TO_POST} RETURNING 'K' || number AS reference",
        record,
    )
    return _told(transaction, _OF_POSTING, {"references": [row["reference"] for row in rows], "day": taken.date})


def _told(transaction: Transaction, scope: str, facts: dict[str, Any]) -> Iterator[Draft]:
    """Yield what has to be told of some borrowers since they were told last."""
    query = _CHANGED.format(key=_KEY, states=EVENT.columns("o", "n"), scope=scope)
    with Changes(EVENT) as changes:
        changes.take(transaction.copy_out(query, facts))
        transaction.execute(f"DELETE FROM rating.consequence_told WHERE {scope}", facts)
        transaction.execute(
            f"INSERT INTO rating.consequence_told SELECT * FROM rating.consequence_standing WHERE {scope}", facts
        )
        number = transaction.value("SELECT nextval('rating.consequence_revision')")
        yield from changes.drafts(in_force.OWN, f"rating.consequences.{number}")


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all consequences that stand as changes; nothing changes until the transaction ends."""
    assessments.hold(transaction)
    nothing, state = (", ".join(each) for each in (("NULL" for _ in EVENT.state), EVENT.state))
    query = f"""
        SELECT {_KEY}, from_date, NULL, row_number() OVER (ORDER BY {_KEY}), {nothing}, {state}
        FROM rating.consequence_told ORDER BY {_KEY}
    """
    return county_changes.tell(EVENT, transaction.copy_out(query), "rating.consequences")


def consequences_of(
    transaction: Transaction,
    *,
    region: str,
    policy: Policy,
    today: dt.date,
    borrower: str | None = None,
    institution: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Return what follows for the borrowers of a region, in the order in which it did.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        policy: the county's.
        today: by which it is told whether each is in force.
        borrower: by number.
        institution: of this bank's loans only.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    del policy
    rows = transaction.stream(
        """
        SELECT 'K' || c.number AS reference, c.borrower, c.borrower_no, c.region, c.after, c.change, c.how,
               c.institution, c.loan_no, c.from_date, c.until_date, c.ended,
               CASE WHEN c.ended IS NULL AND (c.until_date IS NULL OR c.until_date > %(today)s)
                    THEN 'yes' ELSE 'no' END AS in_force,
               c.clause, c.policy, c.posting, p.first_day AS posted_from, p.last_day AS posted_until, p.complaint_line
        FROM rating.consequence c LEFT JOIN rating.consequence_posting p ON p.posting_no = c.posting
        WHERE (c.region LIKE %(region)s OR (c.region IS NULL AND %(is_county)s))
          AND (%(borrower)s::text IS NULL OR c.borrower_no = %(borrower)s)
          AND (%(institution)s::text IS NULL OR c.institution = %(institution)s)
        ORDER BY c.number
        """,
        scope(region, institution) | {"today": today, "borrower": borrower},
    )
    days = ("from_date", "until_date", "ended", "posted_from", "posted_until")
    return ({**row, **{day: row[day].isoformat() if row[day] else None for day in days}} for row in rows)
