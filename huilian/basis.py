"""The basis of a ledger told by its differences: what the last accepted ledger had, as digests.

Beside the sealed messages of a spooled ledger lie digests of its loans (`ledger_content`). Against
those the next ledger of the same member is held while it is translated, and only what is new or
different is sent. The county completes it and holds it to the totals of the whole file, so that a
basis that is not what the county has costs a second sending and nothing else.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.ledger_content import places, stored, throw_away

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

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
ASKS_FOR_THE_WHOLE: Final = "HL1021"
"""The code with which the county refuses such a ledger, and never any other."""
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


def has_base(manifest: Mapping[str, Any]) -> bool:
    """Return whether a manifest tells a ledger by its differences."""
    return manifest.get("base") is not None


def content_sha256(manifest: Mapping[str, Any]) -> str:
    """Return what stands for all that a ledger says: what it is based on, and what was sent of it.

    The SHA-256 over its own `base_sha256`, if it has one, and its parts' SHA-256 in their order. Equal
    ones were sent the same from the first whole ledger on, however the file was translated since.
    """
    parts = "".join(part["sha256"] for part in manifest["parts"])
    return hashlib.sha256(((manifest.get("base_sha256") or "") + parts).encode("ascii")).hexdigest()


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
    named = re.compile(rf"{re.escape(member)}-{re.escape(kind)}-([0-9]{{8}})-[0-9a-f]{{16}}(?:\\.[0-9]+)?")
    found: dict[str, list[SpooledSubmission]] = {}
    for submission in spool.submissions():
        if match := named.fullmatch(submission.folder.name):
            found.setdefault(match[1], []).append(submission)
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
    member_and_kind = refused.rsplit("-", 2)[0]
    for submission in spool.submissions():
        if submission.folder.name.startswith(f"{member_and_kind}-"):
            throw_away(submission.folder)
