"""Grades: what the rating service tells of them, and to whom what changed is sent, once a day.

Banks are told of their customers and of the villages where they lend, and of the region for which they were entered
where that is less than the county; of the whole county where the policy says that all banks use the grades. The
credit-information platform is told of households whose rating was posted.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core import identity
from huilian.county.changes import Fold
from huilian.county.schedule import Calendar, Job
from huilian.policy.reading import Reading
from huilian.wire.batches import Batcher, wire_types
from huilian.wire.envelope import Draft
from schemas.outgoing import CreditRecord, HouseholdGradeRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.records.record import Record

__all__ = ["CREDIT", "GRADES", "JOB", "RATINGS", "send"]

GRADES: Final = "household_grades"
CREDIT: Final = "credit_records"
_STATE: Final = (
    "region", "score", "grade", "line", "valid_from", "valid_until", "posted_from", "posted_until",
)  # fmt: skip
_COLUMNS: Final = ", ".join(_STATE)
_COUNTY_DIGITS: Final = 6

RATINGS: Final = Fold("registry.rating_change", key=("borrower", "borrower_no"), state=_STATE)
"""Which ratings are in force."""

_TAKES_PART: Final = "m.kind = '{kind}' AND m.suspended_at IS NULL AND m.left_at IS NULL"
_OF_BANKS: Final = f"""
    WITH bank AS (SELECT code, region FROM huilian.member m WHERE {_TAKES_PART.format(kind="bank")}),
    served AS (SELECT DISTINCT institution, region FROM registry.loan)
    SELECT b.code AS member, r.* FROM registry.rating r JOIN served s ON s.region = r.region
    JOIN bank b ON b.code = s.institution
  UNION
    SELECT b.code, r.* FROM registry.rating r JOIN bank b
        ON %(shared)s OR (length(b.region) > {_COUNTY_DIGITS} AND starts_with(r.region, b.region))
  UNION
    SELECT b.code, r.* FROM registry.rating r
    JOIN registry.loan l ON r.borrower = 'household' AND l.household_no = r.borrower_no
    JOIN bank b ON b.code = l.institution
"""
"""Whose grades concern which bank."""
_OF_PLATFORMS: Final = f"""
    SELECT m.code AS member, r.* FROM registry.rating r
    JOIN huilian.member m ON {_TAKES_PART.format(kind="credit_bureau")}
    WHERE r.borrower = 'household' AND r.posted_from IS NOT NULL
      AND EXISTS (SELECT FROM registry.household h WHERE h.household_no = r.borrower_no)
"""
"""What is public, of whom the registry knows the name."""
_CHANGED: Final = """
    CREATE TEMPORARY TABLE grade_changed ON COMMIT DROP AS
    SELECT *, row_number() OVER (ORDER BY member, region, borrower_no, borrower) AS place FROM (
    WITH now AS ({concerned}), sent AS (
        SELECT s.* FROM registry.grade_sent s JOIN huilian.member m ON m.code = s.member
        WHERE {takes_part}
    )
    SELECT now.*, false AS ended FROM now LEFT JOIN sent USING (member, borrower, borrower_no)
    WHERE sent.member IS NULL OR {differs}
  UNION ALL
    SELECT sent.*, true FROM sent
    WHERE NOT EXISTS (SELECT FROM registry.rating r
                      WHERE r.borrower = sent.borrower AND r.borrower_no = sent.borrower_no)
    ) changed
"""
_PIECE: Final = """
    SELECT c.*, h.person_name, h.identity_number FROM (
        SELECT * FROM grade_changed WHERE member = %(member)s AND place > %(place)s ORDER BY place LIMIT 10000
    ) c LEFT JOIN registry.person h
      ON c.borrower = 'household' AND h.household_no = c.borrower_no AND h.is_head = 'yes' AND h.missing_since IS NULL
    ORDER BY c.place
"""
_NOTE_ENDED: Final = """
    DELETE FROM registry.grade_sent s USING grade_changed c
    WHERE c.ended AND (s.member, s.borrower, s.borrower_no) = (c.member, c.borrower, c.borrower_no)
"""
_NOTE_SENT: Final = f"""
    INSERT INTO registry.grade_sent SELECT member, borrower, borrower_no, {_COLUMNS} FROM grade_changed WHERE NOT ended
    ON CONFLICT (member, borrower, borrower_no) DO UPDATE SET ({_COLUMNS}) =
        ROW({", ".join(f"excluded.{name}" for name in _STATE)})
"""


@dataclass(frozen=True)
class _Told:
    """What members of a kind are told.

    Args:
        kind: of member.
        concerned: an SQL query of the ratings that concern each of them.
        message_type: of the messages.
        record: their contract's, in its first version.
        as_record: returns a row as a record but for its line; None where there is none to be made.
    """

    kind: str
    concerned: str
    message_type: str
    record: type[Record]
    as_record: Callable[[dict[str, Any], str], dict[str, Any] | None]


def send(transaction: Transaction, policy: Policy, day: dt.date) -> Iterator[Draft]:
    """Yield what banks and credit platforms have to be told of grades since they were told last.

    Args:
        transaction: in which it is noted as sent.
        policy: whether all banks use the grades.
        day: the day of it, for what has ended.
    """
    transaction.lock("registry.grades")
    facts = {"shared": bool(Reading(policy, None).value("rating.shared_by_banks", {"event": day}))}
    for told in (
        _Told("bank", _OF_BANKS, GRADES, HouseholdGradeRecord, _grade),
        _Told("credit_bureau", _OF_PLATFORMS, CREDIT, CreditRecord, _credit),
    ):
        members = _note_changed(transaction, told, facts)
        for member in members:
            batcher = Batcher()
            bodies = itertools.chain.from_iterable(map(batcher.add, _records(transaction, told, member, day)))
            for _, body in itertools.chain(bodies, batcher.flush()):
                yield Draft(told.message_type, f"{told.message_type}/v1", member, body, bulk=True)
        transaction.execute("DROP TABLE grade_changed")


def _note_changed(transaction: Transaction, told: _Told, facts: dict[str, Any]) -> list[str]:
    """Put what has changed into the temporary table `grade_changed`, note it as sent, and return whom it is for."""
    differs = " OR ".join(f"now.{name} IS DISTINCT FROM sent.{name}" for name in _STATE)
    takes_part = _TAKES_PART.format(kind=told.kind)
    transaction.execute(_CHANGED.format(concerned=told.concerned, takes_part=takes_part, differs=differs), facts)
    transaction.execute(_NOTE_ENDED)
    transaction.execute(_NOTE_SENT)
    return [row["member"] for row in transaction.rows("SELECT DISTINCT member FROM grade_changed ORDER BY 1")]


def _records(transaction: Transaction, told: _Told, member: str, day: dt.date) -> Iterator[pl.DataFrame]:
    """Yield what a member is told, in pieces: of 100,000 ratings no more is in memory."""
    types, line, place = wire_types(told.record), 0, 0
    while rows := transaction.rows(_PIECE, {"member": member, "place": place}):
        place = rows[-1]["place"]
        known = [record for row in rows if (record := told.as_record(row, day.isoformat())) is not None]
        records = [{"line": line + number} | record for number, record in enumerate(known, start=1)]
        line += len(records)
        yield pl.DataFrame(records, schema=types)


def _grade(row: dict[str, Any], _day: str) -> dict[str, Any]:
    status = "ended" if row["ended"] else "in_force"
    same = ("borrower", "borrower_no", "region", "score", "grade", "valid_from", "valid_until")
    return {name: row[name] for name in same} | {"status": status, "credit_line": row["line"]}


def _credit(row: dict[str, Any], day: str) -> dict[str, Any] | None:
    """Return a record as it is published: of a rating that has ended without a grade, None of who left the roster."""
    if row["person_name"] is None:
        return None
    first, last = (dt.date.fromisoformat(row[name]) for name in ("posted_from", "posted_until"))
    ended = row["ended"]
    return {
        "subject": row["borrower"],
        "name": row["person_name"],
        "masked_number": identity.mask(row["identity_number"]),
        "grade": None if ended else row["grade"],
        "credit_line": None if ended else row["line"],
        "decided_date": day if ended else row["valid_from"],
        "valid_until": day if ended else row["valid_until"],
        "award": None,
        "award_reason": None,
        "posted_days": (last - first).days + 1,
    }


def _run(office: Office, transaction: Transaction, day: dt.date) -> None:
    processor = office.processor
    signer = processor.service_keys.signer("registry")
    for draft in send(transaction, office.context.policy, day):
        processor.send(transaction, draft, signer=signer)


JOB: Final = Job("registry.grades", Calendar(), _run)
"""Banks get one file a day at most, however many ratings changed."""
