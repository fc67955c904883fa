"""The basis of a ledger told by its differences: what the last accepted ledger had, as digests.

Beside the sealed messages of a spooled ledger lies one row for each of its loans: the key,
and 128 bits that stand for all that the ledger says of it but the line. Against those the next
ledger of the same member is held while it is translated, and only what is new or different
is sent. The county completes it and holds it to the totals of the whole file, so that a
basis that is not what the county has costs a second sending and nothing else.

The digests are those of one version of polars: another version takes no basis from them, and the
ledger is sent as a whole.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import polars as pl

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from huilian.spool import Spool, SpooledSubmission

__all__ = [
    "ASKS_FOR_THE_WHOLE",
    "GONE",
    "KINDS",
    "SENT_WHOLE_AFTER",
    "Basis",
    "Content",
    "content_sha256",
    "find",
    "forget",
]

KINDS: Final = {"loan_ledger": "loan_no"}
"""The kinds of submission that can be told so, and what one record of theirs is known by."""
GONE: Final = "loans_gone"
"""The type of the records that name what is no longer there."""
ASKS_FOR_THE_WHOLE: Final = "HL1021"
"""The code with which the county refuses such a ledger, and never any other."""
SENT_WHOLE_AFTER: Final = frozenset({ASKS_FOR_THE_WHOLE, "HL1005"})
"""The refusals after which such a ledger is sent whole, by itself; an older county does not know the contract."""

_NAME: Final = f"content-polars-{pl.__version__}"
_PATTERN: Final = "content-polars-*.arrow"
"""The version, and the first 16 digits of the file's SHA-256: what is damaged is no basis."""
_ROW: Final = {"key": pl.String, "0": pl.UInt64, "1": pl.UInt64}
_SEEDS: Final = (0x68, 0x6C)
"""Two digests of 64 bits each, of the same text."""


class Content:
    """What a ledger has, row by row, as it is translated."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._rows: list[pl.DataFrame] = []

    def take(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Take accepted records in; return one row for each: its key, and the two halves of its digest."""
        # No text holds a control character: between fields it cannot be mistaken, nor a missing value for an empty one.
        fields = [pl.col(name).cast(pl.String).fill_null("\x00") for name in frame.columns if name != "line"]
        text = frame.select(pl.concat_str(fields, separator="\x1f")).to_series()
        halves = [text.hash(seed).alias(str(place)) for place, seed in enumerate(_SEEDS)]
        rows = pl.DataFrame([frame.get_column(self._key).alias("key"), *halves])
        self._rows.append(rows)
        return rows

    def keys(self) -> pl.DataFrame:
        """Return the keys of all that was taken in."""
        return pl.concat([pl.DataFrame(schema=_ROW), *self._rows]).select("key")

    def write(self, folder: Path) -> None:
        """Write it beside the sealed messages in `folder`."""
        file = folder / "content"
        rows = pl.concat([pl.DataFrame(schema=_ROW), *self._rows])
        try:
            rows.write_ipc(file)
            file.rename(_named(file))
        except (OSError, pl.exceptions.PolarsError):
            # A full disk: the next ledger is sent whole.
            file.unlink(missing_ok=True)


class Basis:
    """The last accepted ledger, as far as the next one must be held against it.

    Args:
        submission: where it lies in the spool.
        content: what was written of it, see `Content.write`.
    """

    def __init__(self, submission: SpooledSubmission, content: pl.DataFrame) -> None:
        self.name = submission.folder.name
        self.sha256 = content_sha256(submission.manifest)
        self._keys = content.select("key")
        self._halves = content.select("0", "1").sort("0")

    def has(self, rows: pl.DataFrame) -> pl.Series:
        """Return for each of the rows, as `Content.take` gives them, whether it is there just as it was."""
        if self._halves.is_empty():
            return pl.repeat(value=False, n=rows.height, dtype=pl.Boolean, eager=True)
        # Where two first halves were equal, the one that is not looked at would be sent again: that does no harm.
        places = self._halves.get_column("0").search_sorted(rows.get_column("0"))
        there = self._halves[places.clip(upper_bound=self._halves.height - 1)]
        return (there.get_column("0") == rows.get_column("0")) & (there.get_column("1") == rows.get_column("1"))

    def gone(self, keys: pl.DataFrame) -> pl.Series:
        """Return the keys of what it had and `keys` have not, in its order."""
        return self._keys.join(keys, on="key", how="anti", maintain_order="left").to_series()


def content_sha256(manifest: Mapping[str, Any]) -> str:
    """Return what stands for all that a ledger says: what it is based on, and what was sent of it.

    The SHA-256 over its own `base_sha256`, if it has one, and its parts' SHA-256 in their order. Equal
    ones were sent the same from the first whole ledger on, however the file was translated since.
    """
    parts = "".join(part["sha256"] for part in manifest["parts"])
    return hashlib.sha256((manifest.get("base_sha256", "") + parts).encode("ascii")).hexdigest()


def find(spool: Spool, member: str, kind: str, as_of: dt.date) -> Basis | None:
    """Return what a file of this date can be told from: the newest accepted one, where it is the only one of its date.

    Whatever keeps it from being read, or another that is not answered yet, only means that the ledger is
    sent whole. What older ones had is thrown away; nothing will be told from it any more.
    """
    try:
        by_date = _by_date(spool, member, kind)
        if any(each.receipt is None for submissions in by_date.values() for each in submissions):
            # One is under way: when this file arrives, the county may have a newer ledger.
            return None
        for date in sorted(by_date, reverse=True):
            accepted = [each for each in by_date[date] if (each.receipt or {}).get("status") == "accepted"]
            if accepted:
                for older in (each for other in by_date if other < date for each in by_date[other]):
                    _throw_away(older)
                return _basis(accepted) if date < f"{as_of:%Y%m%d}" else None
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return None
    return None


def _by_date(spool: Spool, member: str, kind: str) -> dict[str, list[SpooledSubmission]]:
    """Return the submissions of a member's kind by their date, as their names have it."""
    named = re.compile(rf"{re.escape(member)}-{re.escape(kind)}-([0-9]{{8}})-[0-9a-f]{{16}}")
    found: dict[str, list[SpooledSubmission]] = {}
    for submission in spool.submissions():
        if match := named.fullmatch(submission.folder.name):
            found.setdefault(match[1], []).append(submission)
    return found


def _basis(accepted: Sequence[SpooledSubmission]) -> Basis | None:
    if len(accepted) > 1:
        return None
    content = _content(accepted[0])
    return None if content is None else Basis(accepted[0], content)


def _content(submission: SpooledSubmission) -> pl.DataFrame | None:
    for file in submission.folder.glob(f"{_NAME}-*.arrow"):
        if file == _named(file):
            return pl.read_ipc(file)
    return None


def _named(file: Path) -> Path:
    """Return the name that a file with this content has."""
    with file.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    return file.with_name(f"{_NAME}-{digest[:16]}.arrow")


def forget(spool: Spool, refused: str) -> None:
    """Have the next file of this member and kind sent as a whole, and the refused one, too."""
    member_and_kind = refused.rsplit("-", 2)[0]
    for submission in spool.submissions():
        if submission.folder.name.startswith(f"{member_and_kind}-"):
            _throw_away(submission)


def _throw_away(submission: SpooledSubmission) -> None:
    for file in submission.folder.glob(_PATTERN):
        file.unlink(missing_ok=True)
