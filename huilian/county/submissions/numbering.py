"""File numbers: which files of a day never came, and which came twice with other contents.

Institutions that number their files (`file_sequence`) count them from 1 for each kind and
day. Gaps are kept as the first and the last number of each, since a number may be any.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import describe
from huilian.wire.envelope import Draft

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.county.submissions.kinds import Kind, Submission
    from huilian.database.connection import Transaction

__all__ = ["notices", "repeated", "span"]

GAPS_TOLD: Final = 10
"""How many gaps one notice names; the scoreboard shows them all."""

_SERIES: Final = "member = %(member)s AND kind = %(kind)s AND as_of = %(as_of)s"


def notices(transaction: Transaction, submission: Submission, kind: Kind, today: dt.date) -> Iterator[Draft]:
    """Yield the message that tells the member what is wrong with the number of an accepted file, if anything is.

    A gap is told of by the first file beyond it; one that only makes a gap smaller tells of nothing.

    Args:
        transaction: in which the submission was accepted.
        submission: what was accepted.
        kind: of the submission.
        today: the date the notice bears.
    """
    if submission.file_sequence is None:
        return
    facts = {
        "kind": kind.declared.chinese,
        "as_of": submission.as_of.isoformat(),
        "number": str(submission.file_sequence),
    }
    # Never both: a number that was accepted before lies beyond nothing.
    if missing := _passed_over(transaction, submission):
        notice = {"kind": "file_missing", "code": "HL3040", "text": describe("HL3040", **facts, missing=missing)}
    elif earlier := _same_number(transaction, submission):
        notice = {"kind": "file_repeated", "code": "HL3041", "text": describe("HL3041", **facts, earlier=earlier)}
    else:
        return
    record = {
        "line": 1,
        "notice_no": f"submission-{submission.application}",
        "date": today.isoformat(),
        "region": None,
        "reference": submission.name,
    }
    body = json.dumps(record | notice, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    yield Draft("notices", "notices/v1", submission.member, body, bulk=True, submission=submission.name)


def repeated(transaction: Transaction, facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the numbers that several accepted files with other contents bear: member, kind, as_of, file_sequence.

    Args:
        transaction: to read in.
        facts: `since` and `until`, the dates to look at, both included.
    """
    return transaction.rows(
        "SELECT member, kind, as_of, file_sequence FROM huilian.submission"
        " WHERE status = 'accepted' AND file_sequence IS NOT NULL AND as_of BETWEEN %(since)s AND %(until)s"
        " GROUP BY member, kind, as_of, file_sequence HAVING count(DISTINCT manifest ->> 'file_sha256') > 1"
        " ORDER BY member, kind, as_of, file_sequence",
        facts,
    )


def _passed_over(transaction: Transaction, submission: Submission) -> str:
    """Return the numbers that never came between the highest accepted before and this one's: "2、4-6", or nothing."""
    highest = transaction.value(
        f"SELECT coalesce(max(file_sequence), 0) FROM huilian.submission WHERE {_SERIES}"
        " AND status = 'accepted' AND number <> %(number)s",
        submission.facts,
    )
    gaps = transaction.rows(
        f"SELECT first, last FROM huilian.file_gap WHERE {_SERIES}"
        " AND first > %(highest)s AND last < %(file_sequence)s ORDER BY first LIMIT %(most)s",
        submission.facts | {"highest": highest, "most": GAPS_TOLD + 1},
    )
    spans = [span(gap["first"], gap["last"]) for gap in gaps]
    return "、".join(spans[:GAPS_TOLD]) + ("……" if len(spans) > GAPS_TOLD else "")


def _same_number(transaction: Transaction, submission: Submission) -> str | None:
    """Return the newest other accepted submission that bears the same number over other bytes."""
    name: str | None = transaction.value(
        f"SELECT submission FROM huilian.submission WHERE {_SERIES}"
        " AND file_sequence = %(file_sequence)s AND status = 'accepted' AND number <> %(number)s"
        " AND manifest ->> 'file_sha256' <> %(sha256)s ORDER BY application DESC LIMIT 1",
        submission.facts | {"sha256": submission.manifest["file_sha256"]},
    )
    return name


def span(first: int, last: int) -> str:
    """Return the numbers from `first` to `last` as people write them: "1" or "1-3"."""
    return str(first) if first == last else f"{first}-{last}"
