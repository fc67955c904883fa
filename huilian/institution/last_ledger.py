"""What the last accepted ledger had, as digests on disk, so that the next one tells only what differs."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO, Final

import polars as pl

from huilian.core.files import open_to_write
from huilian.wire.manifests import ASKS_FOR_THE_WHOLE, content_sha256, has_base
from huilian.wire.names import SubmissionName

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from huilian.institution.spool import Spool, SpooledSubmission

__all__ = [
    "ASKS_FOR_THE_WHOLE",
    "SENT_WHOLE_AFTER",
    "Basis",
    "Content",
    "StoredContent",
    "content_sha256",
    "digests",
    "find",
    "forget",
    "has_base",
    "is_among",
    "stored",
    "throw_away",
]


_NAME: Final = f"content-polars-{pl.__version__}"
_SUFFIX: Final = ".pieces"
_PATTERN: Final = "content-polars-*"
"""The version, and the first 16 digits of the file's SHA-256: what is damaged is no content."""
_LENGTH_BYTES: Final = 8
"""Before each piece, an Arrow stream, stands how long it is."""
_SEEDS: Final = (0x68, 0x6C)
"""Two digests of 64 bits each, of the same text."""
_KEY_SEED: Final = 0x6B


def digests(records: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return one row for each of a ledger's records: its `key`, and the two halves of its digest, `0` and `1`."""
    # No text holds a control character: between fields it cannot be mistaken, nor a missing value for an empty one.
    fields = [pl.col(name).cast(pl.String).fill_null("\x00") for name in records.columns if name != "line"]
    text = records.select(pl.concat_str(fields, separator="\x1f")).to_series()
    halves = [text.hash(seed).alias(str(place)) for place, seed in enumerate(_SEEDS)]
    return pl.DataFrame([records.get_column(key).alias("key"), *halves])


def is_among(numbers: pl.Series, ordered: pl.Series) -> pl.Series:
    """Return for each of the numbers whether `ordered`, which is in ascending order, has it."""
    if ordered.is_empty():
        return pl.repeat(value=False, n=numbers.len(), dtype=pl.Boolean, eager=True)
    return ordered.gather(places(numbers, ordered)) == numbers


def places(numbers: pl.Series, ordered: pl.Series) -> pl.Series:
    """Return for each of the numbers where in `ordered`, which is not empty, it stands if it is there."""
    return ordered.search_sorted(numbers).clip(upper_bound=ordered.len() - 1)


class Content:
    """What a ledger has, as it is translated.

    Args:
        key: the field that a record is known by.
        folder: where it is written.
    """

    def __init__(self, key: str, folder: Path) -> None:
        self._key = key
        self._keys: list[pl.Series] = []
        self._path = folder / "content"
        self._file: BinaryIO | None = None
        self._sha256 = hashlib.sha256()
        self._is_whole = True

    def take(self, records: pl.DataFrame) -> pl.DataFrame:
        """Take accepted records in; return their `digests`."""
        rows = digests(records, self._key)
        self._keys.append(rows.get_column("key").hash(_KEY_SEED))
        if self._is_whole:
            try:
                self._write(rows)
            except OSError:
                # A full disk: the next ledger is sent whole.
                self.close()
                self._is_whole = False
        return rows

    def _write(self, rows: pl.DataFrame) -> None:
        self._file = self._file or open_to_write(self._path)
        buffer = io.BytesIO()
        rows.write_ipc_stream(buffer)
        piece = buffer.getbuffer()
        for part in (len(piece).to_bytes(_LENGTH_BYTES, "big"), piece):
            self._file.write(part)
            self._sha256.update(part)

    def keys(self) -> pl.Series:
        """Return what stands for the keys of all that was taken in, in ascending order."""
        return pl.concat([pl.Series(dtype=pl.UInt64), *self._keys]).sort()

    def finish(self) -> None:
        """Give the file its name, or remove it where it could not be written whole."""
        try:
            if self._is_whole:
                self._file = self._file or open_to_write(self._path)
                self._file.close()
                self._path.rename(_named(self._path, self._sha256.hexdigest()))
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        """Close the file, and remove it unless it has its name."""
        try:
            if self._file is not None:
                self._file.close()
            self._path.unlink(missing_ok=True)
        except OSError:
            pass  # a full disk; whoever abandons or finishes the folder removes it


class StoredContent:
    """What a ledger had, as `Content` wrote it.

    Args:
        file: as `stored` found it.
    """

    def __init__(self, file: Path) -> None:
        # Held open: another process may throw it away meanwhile.
        self._opened = file.open("rb")

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def pieces(self) -> Iterator[pl.DataFrame]:
        """Yield its rows as `digests` made them, in the ledger's order; one such look at a time."""
        self._opened.seek(0)
        while length := self._opened.read(_LENGTH_BYTES):
            yield pl.read_ipc_stream(io.BytesIO(self._opened.read(int.from_bytes(length, "big"))))

    def halves(self) -> pl.DataFrame:
        """Return the digests of all rows, ordered by their first halves."""
        schema = {"0": pl.UInt64, "1": pl.UInt64}
        return pl.concat([pl.DataFrame(schema=schema), *(rows.select("0", "1") for rows in self.pieces())]).sort("0")

    def gone(self, keys: pl.Series) -> Iterator[pl.Series]:
        """Yield the keys of which `Content.keys` of another ledger has nothing, in order."""
        for rows in self.pieces():
            key = rows.get_column("key")
            gone = key.filter(~is_among(key.hash(_KEY_SEED), keys))
            if gone.len():
                yield gone


def stored(folder: Path) -> StoredContent | None:
    """Return the content beside a submission's messages, if it is there, undamaged, and of this version of polars.

    Raises:
        OSError: it cannot be read.
    """
    for file in folder.glob(f"{_NAME}-*{_SUFFIX}"):
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if file == _named(file, digest):
            return StoredContent(file)
    return None


def throw_away(folder: Path) -> None:
    """Remove the content beside a submission's messages."""
    for file in folder.glob(_PATTERN):
        file.unlink(missing_ok=True)


def _named(file: Path, sha256: str) -> Path:
    """Return the name that a file with this digest has."""
    return file.with_name(f"{_NAME}-{sha256[:16]}{_SUFFIX}")


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
