"""Claims: what banks ask for their own loans, and townships for their households, line by line or alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core.clock import CHINA
from huilian.core.error_texts import Bilingual
from huilian.core.errors import MessageRefused
from huilian.county.members import directory
from huilian.county.submissions import entries
from huilian.county.submissions.kinds import Counts, Kind, Part, Refusal
from schemas.submission_kinds import SUBSIDY_CLAIMS
from schemas.subsidies import SubsidyClaimRow
from services.subsidy import items
from services.subsidy.states import KEPT

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from huilian.county.context import Context
    from huilian.county.members.directory import Member
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["KIND", "on_claim"]

TYPE: Final = "subsidy_claims"
_ASKED: Final = (
    *("institution", "loan_no", "borrower_no", "period_start", "period_end", "principal_days", "annual_rate_percent"),
    *("interest", "amount", "document"),
)
_WRONG: Final = """
    SELECT c.line, c.loan_no, c.institution, i.period_end AS posted, l.region,
           c.institution <> %(member)s AND %(kind)s = 'bank' AS is_of_others
    FROM {source} c
    LEFT JOIN LATERAL (
        SELECT period_end FROM subsidy.item i WHERE i.institution = c.institution AND i.loan_no = c.loan_no
        AND i.adjusts IS NULL AND NOT i.estimated AND i.state = ANY(%(kept)s)
        AND c.period_end > i.period_start AND c.period_end <= i.period_end LIMIT 1
    ) i ON true
    LEFT JOIN LATERAL (
        SELECT region FROM subsidy.loan_step l WHERE %(region)s::text IS NOT NULL
        AND l.institution = c.institution AND l.loan_no = c.loan_no AND n > 0 ORDER BY number DESC LIMIT 1
    ) l ON true
    WHERE (c.institution <> %(member)s AND %(kind)s = 'bank') OR i.period_end IS NOT NULL
       OR NOT starts_with(l.region, %(region)s)
    ORDER BY c.line
"""
_ENTER: Final = """
    INSERT INTO subsidy.claim ({asked}, member, region, date, entered, message, submission, line)
    SELECT {asked}, %(member)s, %(region)s, %(date)s, %(entered)s, {message}, %(submission)s, {line}
    FROM {source} c WHERE NOT {line} = ANY(%(refused)s) ORDER BY {order}
"""
_REPLACE: Final = """
    UPDATE subsidy.claim c SET replaced_by = n.filed
    FROM subsidy.claim n
    WHERE n.filed > %(last)s AND c.replaced_by IS NULL AND c.filed < n.filed
      AND c.institution = n.institution AND c.loan_no = n.loan_no
      AND c.period_start < n.period_end AND n.period_start < c.period_end
"""
_PAYEE: Final = """
    INSERT INTO subsidy.payee (institution, loan_no, payee_name, payee_account, payee_bank, date, member, message)
    SELECT institution, loan_no, payee_name, payee_account, payee_bank, %(date)s, %(member)s, {message}
    FROM {source} c WHERE payee_name IS NOT NULL AND payee_account IS NOT NULL AND NOT {line} = ANY(%(refused)s)
    ORDER BY {order}
"""


def _error(row: Mapping[str, Any], member: Member) -> MessageRefused:
    if row["is_of_others"]:
        return MessageRefused("HL1122", member=member.code, institution=row["institution"])
    if row["posted"] is not None:
        return MessageRefused("HL1121", loan_no=row["loan_no"], until=row["posted"].isoformat())
    what = Bilingual(f"借据 {row['loan_no']} 不在其辖区内", f"loan {row['loan_no']} is not of its own region")
    return MessageRefused("HL1052", member=member.code, what=what)


def _file(transaction: Transaction, source: str, facts: dict[str, Any], *, message: str, line: str, order: str) -> None:
    """Enter claims in the order of filing; a later one takes the place of an earlier one that it overlaps."""
    last = transaction.value("SELECT coalesce(max(filed), 0) FROM subsidy.claim")
    names = {"source": source, "message": message, "line": line, "order": order}
    transaction.execute(_ENTER.format(asked=", ".join(_ASKED), **names), facts)
    transaction.execute(_REPLACE, {"last": last})
    transaction.execute(_PAYEE.format(**names), facts)


def apply(
    transaction: Transaction, submission: Submission, records: Records, context: Context
) -> Generator[Draft, None, Counts]:
    """Enter a file of claims; a line that cannot be asked for is answered by itself."""
    yield from ()
    items.hold(transaction)
    member, source = directory.find(transaction, submission.member), records.table(TYPE)
    facts: dict[str, Any] = {
        "member": member.code,
        "kind": member.kind,
        "region": member.region,
        "kept": list(KEPT),
        "date": submission.stated_at.astimezone(CHINA).date(),
        "entered": context.clock.today(),
        "submission": submission.name,
    }
    wrong = {row["line"]: row for row in transaction.rows(_WRONG.format(source=source), facts)}
    refused: list[Refusal] = []
    for line, row in wrong.items():
        refused += Refusal.of(_error(row, member), TYPE, line, row["institution"])
    batches = {str(batch.sequence): batch.message for batch in entries.batches(transaction, submission.number)}
    facts |= {"refused": sorted(wrong), "sequences": list(batches), "messages": list(batches.values())}
    message = "(%(messages)s::text[])[array_position(%(sequences)s::text[], c.sequence::text)]"
    _file(transaction, source, facts, message=message, line="c.line", order="c.sequence, c.line")
    return Counts(submission.accepted - len(wrong), 0, 0, refused)


_VALUES: Final = """(SELECT 0 AS line, %(institution)s::text AS institution, %(loan_no)s::text AS loan_no,
    %(borrower_no)s::text AS borrower_no, %(period_start)s::date AS period_start, %(period_end)s::date AS period_end,
    %(principal_days)s::numeric AS principal_days, %(annual_rate_percent)s::numeric AS annual_rate_percent,
    %(interest)s::numeric AS interest, %(amount)s::numeric AS amount, %(document)s::text AS document,
    %(payee_name)s::text AS payee_name, %(payee_account)s::text AS payee_account, %(payee_bank)s::text AS payee_bank)"""


def on_claim(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Enter one claim that came alone.

    Raises:
        MessageRefused: HL1122, another bank's loan; HL1121, it is posted; HL1052, a loan of another region.
    """
    items.hold(transaction)
    member = directory.find(transaction, message.source)
    facts = dict(record) | {
        "member": member.code,
        "kind": member.kind,
        "region": member.region,
        "kept": list(KEPT),
        "date": message.time.astimezone(CHINA).date(),
        "entered": context.clock.today(),
        "submission": None,
        "message": message.id,
        "refused": [],
    }
    if wrong := transaction.rows(_WRONG.format(source=_VALUES), facts):
        raise _error(wrong[0], member)
    _file(transaction, _VALUES, facts, message="%(message)s", line="c.line", order="1")
    return ()


def _standing(transaction: Transaction, submission: Submission) -> int:
    return int(
        transaction.value(
            "SELECT count(*) FROM subsidy.claim WHERE submission = %s AND replaced_by IS NULL", [submission.name]
        )
    )


KIND: Final = Kind(
    declared=SUBSIDY_CLAIMS,
    parts={TYPE: Part(SubsidyClaimRow, SUBSIDY_CLAIMS.records[TYPE])},
    apply=apply,
    standing=_standing,
)
