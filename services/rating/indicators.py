"""Indicators as a kind of submission: each record is one collection's word on one household or enterprise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core.error_texts import Bilingual
from huilian.core.errors import FileRefused, MessageRefused
from huilian.county.changes import Fold
from huilian.county.members import directory, persons
from huilian.county.submissions.kinds import Counts, Kind, Part, Single
from huilian.county.submissions.staging import as_row
from huilian.wire.batches import from_ndjson
from schemas.ratings import RatingIndicatorsRecord
from schemas.submission_kinds import RATING_INDICATORS
from services.rating import assessments

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Generator, Iterable

    from huilian.county.context import Context
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["HOUSEHOLDS", "KIND", "apply", "on_households_changed"]

TYPE: Final = "rating_indicators"
_STATED: Final = (
    "borrower", "borrower_no", "source", "collected_on", "sequence", "line", "village", "kind", "indicators",
    "exclusions", "person",
)  # fmt: skip


def apply(
    transaction: Transaction, submission: Submission, records: Records, context: Context
) -> Generator[Draft, None, Counts]:
    """Enter what was collected and judge anew whom it speaks of; nothing of it is in force yet."""
    yield from ()
    assessments.hold(transaction)
    facts = submission.facts | {"stated_at": submission.stated_at}
    if submission.is_single:
        [frame] = records.frames(TYPE)
        source, values = as_row(frame, RatingIndicatorsRecord)
        facts |= values
    else:
        source = records.table(TYPE)
    _check(transaction, submission, source, facts | {"county": context.county})
    listed = ", ".join(f"s.{name}" for name in _STATED)
    transaction.execute(
        f"""
        INSERT INTO rating.statement (member, stated_at, submission, age, {", ".join(_STATED)})
        SELECT %(member)s, %(stated_at)s, %(number)s, s.applicant_age, {listed} FROM {source} s
        ON CONFLICT (borrower, borrower_no, submission, source) DO UPDATE SET stated_at = excluded.stated_at
        """,
        facts,
    )
    transaction.execute(
        "CREATE TEMPORARY TABLE touched ON COMMIT DROP AS"
        " SELECT DISTINCT borrower, borrower_no FROM rating.statement WHERE submission = %(number)s",
        facts,
    )
    changed = assessments.assess(transaction, context)
    transaction.execute("DROP TABLE touched")
    return Counts(changed, max(0, submission.accepted - changed), 0)


def _check(transaction: Transaction, submission: Submission, source: str, facts: dict[str, Any]) -> None:
    """Let pass what persons of the sender entered, of villages where it acts.

    Raises:
        FileRefused: HL1031 to HL1033, a person may not enter; HL1052, a village lies elsewhere.
    """
    member = directory.find(transaction, submission.member)
    where = {**facts, "within": member.region or facts["county"]}
    astray = transaction.value(
        f"SELECT s.village FROM {source} s WHERE s.village NOT LIKE %(within)s || '%%' ORDER BY 1 LIMIT 1", where
    )
    if astray is not None:
        what = Bilingual(f"区划 {astray} 不在其辖区内", f"region {astray} is not its own")
        raise FileRefused("HL1052", member=member.code, what=what)
    for row in transaction.rows(f"SELECT DISTINCT s.person FROM {source} s ORDER BY 1", facts):
        try:
            persons.check_person(transaction, member.code, row["person"], persons.ENTER, submission.as_of)
        except MessageRefused as error:
            # Of the file as a whole: its sender gets a receipt.
            raise FileRefused(error.code, **error.facts) from error


def state_again(transaction: Transaction, submission: Submission, _type: str, time: dt.datetime) -> bool:
    """Note that one record was posted again, sealed at `time`; return whether it still held, nothing stated since."""
    facts = {"number": submission.number, "time": time}
    stands = transaction.value(
        """
        SELECT NOT EXISTS (
            SELECT FROM rating.statement w JOIN rating.statement n
              ON (n.borrower, n.borrower_no, n.member, n.source) = (w.borrower, w.borrower_no, w.member, w.source)
            WHERE w.submission = %(number)s AND (n.collected_on, n.stated_at) > (w.collected_on, w.stated_at))
        """,
        facts,
    )
    transaction.execute(
        "UPDATE rating.statement SET stated_at = greatest(stated_at, %(time)s) WHERE submission = %(number)s", facts
    )
    return bool(stands)


def standing(transaction: Transaction, submission: Submission) -> int:
    """Count the records of a submission of which its sender stated nothing else since: files stand side by side."""
    return int(
        transaction.value(
            """
            SELECT count(*) FROM rating.statement w WHERE w.submission = %(number)s AND NOT EXISTS (
                SELECT FROM rating.statement n
                WHERE (n.borrower, n.borrower_no, n.member, n.source) = (w.borrower, w.borrower_no, w.member, w.source)
                  AND (n.collected_on, n.stated_at, n.submission) > (w.collected_on, w.stated_at, w.submission))
            """,
            submission.facts,
        )
    )


KIND: Final = Kind(
    declared=RATING_INDICATORS,
    parts={TYPE: Part(RatingIndicatorsRecord, RATING_INDICATORS.records[TYPE])},
    apply=apply,
    standing=standing,
    single=Single(None, state_again),
)

HOUSEHOLDS: Final = Fold(
    "rating.household_change", key=("household_no",), state=("region", "category", "village_group")
)
"""Which households the registry has, of which kind, and in which group of their village."""
_TURNED: Final = pl.any_horizontal(
    pl.col("before").struct.field(name).ne_missing(pl.col("after").struct.field(name))
    for name in ("region", "category")
)
_STATE: Final = pl.Struct({"region": pl.String(), "category": pl.String()})
_TYPES: Final = {"household_no": pl.String(), "until": pl.String(), "before": _STATE, "after": _STATE}


def on_households_changed(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
    """Note which households there are; who came, left, moved or turned is judged anew, by what was collected."""
    assessments.hold(transaction)
    HOUSEHOLDS.take(transaction, message)
    changes = from_ndjson(message.body(), _TYPES, checked=True)
    turned = changes.filter(pl.col("until").is_null() & _TURNED)["household_no"].unique().to_list()
    if turned:
        transaction.execute(
            "CREATE TEMPORARY TABLE touched ON COMMIT DROP AS SELECT DISTINCT borrower, borrower_no"
            " FROM rating.statement WHERE borrower = 'household' AND borrower_no = ANY(%s)",
            [turned],
        )
        assessments.assess(transaction, context)
        transaction.execute("DROP TABLE touched")
    return ()
