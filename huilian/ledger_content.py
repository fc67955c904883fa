"""What a ledger has, as digests: written beside its sealed messages while it is translated, and read again, in pieces.

One row for each loan: the key, and 128 bits that stand for all that the ledger says of it but the
line. A ledger has a million of them, so that no more is held in memory than numbers: 64 bits for a
key, where it only has to be told from the others of the same file. Should two keys ever have the
same 64 bits, the county's totals do not agree, and it asks for the whole.

The digests are those of one version of polars: another version does not know the file by its name.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO, Final

import polars as pl

from huilian.private_files import open_to_write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Content", "StoredContent", "digests", "is_among", "stored", "throw_away"]

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
