"""The basis of a ledger told by its differences: what the last accepted ledger had, as digests.

Beside the sealed messages of a spooled ledger lie digests of its loans (`ledger_content`). Against
those the next ledger of the same member is held while it is translated, and only what is new or
different is sent. The county completes it and holds it to the totals of the whole file, so that a
basis that is not what the county has costs a second sending and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from huilian.ledger_content import places, stored, throw_away
from huilian.wire.manifests import ASKS_FOR_THE_WHOLE, content_sha256, has_base
from huilian.wire.names import SubmissionName

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from huilian.institution.spool import Spool, SpooledSubmission
    from huilian.ledger_content import StoredContent

__all__ = [
    "ASKS_FOR_THE_WHOLE",
    "GONE",
    "KINDS",
    "SENT_WHOLE_AFTER",
    "Basis",
    "content_sha256",
    "find",
    "forget",
    "has_base",
]

KINDS: Final = {"loan_ledger": "loan_no"}
"""The kinds of submission that can be told so, and what one record of theirs is known by."""
GONE: Final = "loans_gone"
"""The type of the records that name what is no longer there."""
SENT_WHOLE_AFTER: Final = frozenset({ASKS_FOR_THE_WHOLE, "HL1005"})
"""The refusals after which such a ledger is sent whole, by itself; an older county does not know the contract."""


class Basis:
    """The last accepted ledger, as far as the next one must be held against it.

    Args:
        submission: where it lies in the spool.
        content: what was written of it there.
    """

    def __init__(self, submission: SpooledSubmission, content: StoredContent) -> None:
        self.name = submission.folder.name
        self.sha256 = content_sha256(submission.manifest)
        self._content = content
        self._halves = content.halves()

    def close(self) -> None:
        """Let go of what was written."""
        self._content.close()

    def has(self, rows: pl.DataFrame) -> pl.Series:
        """Return for each of the rows, as `Content.take` gives them, whether it is there just as it was."""
        if self._halves.is_empty():
            return pl.repeat(value=False, n=rows.height, dtype=pl.Boolean, eager=True)
        # Where two first halves were equal, the one that is not looked at would be sent again: that does no harm.
        there = self._halves[places(rows.get_column("0"), self._halves.get_column("0"))]
        return (there.get_column("0") == rows.get_column("0")) & (there.get_column("1") == rows.get_column("1"))

    def gone(self, keys: pl.Series) -> Iterator[pl.Series]:
        """Yield the keys of what it had and `keys`, see `Content.keys`, has not, in its order."""
        return self._content.gone(keys)


def find(spool: Spool, member: str, kind: str, as_of: dt.date) -> Basis | None:
    """Return what a file of this date can be told from: the newest accepted one, where it is the only one of its date.

    Whatever keeps it from being read, or another that is not answered yet, only means that the ledger is
    sent whole. What older ones had is thrown away; nothing will be told from it any more.
    """
    try:
        by_date = _by_date(spool, member, kind)
        for date in sorted(by_date, reverse=True):
            accepted = [each for each in by_date[date] if (each.receipt or {}).get("status") == "accepted"]
            if accepted:
                for older in (each for other in by_date if other < date for each in by_date[other]):
                    throw_away(older.folder)
                return _basis(accepted) if date < f"{as_of:%Y%m%d}" else None
            if any(each.receipt is None for each in by_date[date]):
                # One is under way: when this file arrives, the county may have a newer ledger.
                return None
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return None
    return None


def _by_date(spool: Spool, member: str, kind: str) -> dict[str, list[SpooledSubmission]]:
    """Return the submissions of a member's kind by their date, as their names have it."""
    found: dict[str, list[SpooledSubmission]] = {}
    for submission in spool.submissions():
        name = SubmissionName.parse(submission.folder.name)
        if name and (name.member, name.kind, name.code) == (member, kind, None):
            found.setdefault(name.day, []).append(submission)
    return found


def _basis(accepted: Sequence[SpooledSubmission]) -> Basis | None:
    if len(accepted) > 1:
        return None
    content = stored(accepted[0].folder)
    if content is None:
        return None
    try:
        return Basis(accepted[0], content)
    except BaseException:
        content.close()
        raise


def forget(spool: Spool, refused: str) -> None:
    """Have the next file of this member and kind sent as a whole, and the refused one, too."""
    owner = SubmissionName.owner(refused)
    for submission in spool.submissions():
        if SubmissionName.owner(submission.folder.name) == owner:
            throw_away(submission.folder)
