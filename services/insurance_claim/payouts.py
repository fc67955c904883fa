"""Payouts: until when an insurer pays a claim by the plan, and who is told when it has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.county.messages import notices
from huilian.county.messages.notices import Notice
from huilian.county.schedule import Calendar, Job
from huilian.policy.reading import Reading
from services.insurance_claim.states import OPEN

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.county.context import Context
    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["JOB", "chase", "note_due"]

OVERDUE: Final = "step_overdue"
_FILED: Final = """
    SELECT c.member, c.claim_no, min(c.as_of) AS filed FROM insurance_claim.claim c
    WHERE (c.member, c.claim_no) IN (SELECT member, claim_no FROM insurance_claim.claim WHERE {which})
    GROUP BY 1, 2
"""
_OF_SUBMISSION: Final = "submission = %(number)s"
_NOT_NOTED: Final = """
    NOT EXISTS (SELECT FROM insurance_claim.payout_due d WHERE d.member = claim.member AND d.claim_no = claim.claim_no)
"""


def note_due(transaction: Transaction, context: Context, number: int | None = None) -> None:
    """Note until when claims are to be paid: of a submission, or of those of which it was not noted."""
    which = _NOT_NOTED if number is None else _OF_SUBMISSION
    rows = transaction.rows(_FILED.format(which=which), {"number": number})
    due: dict[dt.date, dt.date | None] = {}
    for filed in {row["filed"] for row in rows}:
        within = Reading(context.policy, None).value("insurance.paid_within", {"event": filed})
        due[filed] = None if within is None else context.working_days.after(filed, within)
    transaction.many(
        "INSERT INTO insurance_claim.payout_due AS d (member, claim_no, filed, due) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (member, claim_no) DO UPDATE SET filed = excluded.filed, due = excluded.due"
        " WHERE d.filed <> excluded.filed",
        [(row["member"], row["claim_no"], row["filed"], due[row["filed"]]) for row in rows],
    )


def chase(transaction: Transaction, context: Context, day: dt.date) -> Iterator[Draft]:
    """Yield notices to insurers and the county of claims that should have been paid before a day, each once."""
    note_due(transaction, context)
    rows = transaction.rows(
        """
        UPDATE insurance_claim.payout_due d SET late_since = %(day)s FROM insurance_claim.newest_claim c
        WHERE c.member = d.member AND c.claim_no = d.claim_no AND d.late_since IS NULL
          AND (d.due < %(day)s AND c.status = ANY(%(open)s) OR c.paid_date > d.due)
        RETURNING c.member, c.claim_no, c.status, c.paid_date, d.filed, d.due
        """,
        {"day": day, "open": list(OPEN)},
    )
    told: dict[str, list[Notice]] = {}
    for row in sorted(rows, key=lambda row: (row["member"], row["claim_no"])):
        notice = Notice(OVERDUE, _text(row), row["claim_no"])
        for member in (row["member"], context.county):
            told.setdefault(member, []).append(notice)
    for member in sorted(told):
        yield notices.draft_of(context, member, told[member])


def _text(row: dict[str, Any]) -> str:
    known = f"赔案 {row['claim_no']} 于 {row['filed']} 报案，应于 {row['due']} 前赔付"
    return f"{known}，实际于 {row['paid_date']} 赔付" if row["paid_date"] else f"{known}，至今未赔付，请尽快办理"


def _run(office: Office, transaction: Transaction, day: dt.date) -> None:
    office.processor.send_all(transaction, chase(transaction, office.context, day), service="insurance_claim")


JOB: Final = Job("insurance_claim.payouts", Calendar(), _run)
