"""What a ledger changed, published as `loans_changed`: differences over time that add up in any order.

From `as_of` until `until` a loan is `after` where it was thought to be `before`.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Final

import polars as pl

from huilian.ahead import ahead
from huilian.bulk import Batcher
from huilian.envelope import Draft, gzipped
from huilian.records import columnar
from schemas.records import LoanChange, LoanState
from services.registry.columns import SHARED_STATE, names, of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from huilian.database import Transaction

__all__ = ["CHANGED", "ENTERED", "LATE", "Changes", "history", "prepare"]

PIECE_BYTES: Final = 4 << 20
"""How much of the changes is brought into memory at a time."""

_BEFORE: Final = [f"before_{name}" for name in SHARED_STATE]
_AFTER: Final = [f"after_{name}" for name in SHARED_STATE]

ENTERED: Final = f"institution, line, loan_no, as_of, NULL, {', '.join('NULL' for _ in _BEFORE)}, {names(SHARED_STATE)}"
"""What a statement that enters new loans gives back of each (`RETURNING`)."""

CHANGED: Final = f"""
    SELECT l.institution, l.line, l.loan_no, l.as_of, NULL AS until, {of("c", _BEFORE)}, {of("l", SHARED_STATE)}
    FROM loan_change c JOIN registry.loan l ON l.institution = %(institution)s AND l.loan_no = c.loan_no
"""
"""What a ledger newer than all others changed of loans that were known: what each is, and what it was before."""

LATE: Final = f"SELECT %(institution)s, line, loan_no, as_of, until, {names(_BEFORE)}, {names(_AFTER)} FROM loan_change"
"""A late ledger: what `late.py` has worked out."""

HISTORY: Final = f"""
    SELECT institution, line, loan_no, as_of, NULL AS until,
           {", ".join(f'lag("{name}") OVER loan' for name in SHARED_STATE)}, {names(SHARED_STATE)}
    FROM (SELECT institution, line, loan_no, as_of, {names(SHARED_STATE)} FROM registry.loan
          UNION ALL
          SELECT institution, line, loan_no, as_of, {names(SHARED_STATE)} FROM registry.loan_history) AS states
    WINDOW loan AS (PARTITION BY institution, loan_no ORDER BY as_of)
"""
"""All that is known, told from the beginning: each state of each loan, and the one before it."""

_NUMBERS: Final = {name for name, kind in columnar.wire_types(LoanState).items() if kind == pl.Int64} | {"line"}


def prepare(transaction: Transaction) -> None:
    """Make the table in which an application notes what changed; it goes with the transaction."""
    transaction.execute(
        "CREATE TEMPORARY TABLE loan_change ON COMMIT DROP AS SELECT line, loan_no, as_of, as_of AS until, "
        f"{of('l', SHARED_STATE, prefixed='before_')}, {of('l', SHARED_STATE, prefixed='after_')}"
        " FROM registry.loan l WITH NO DATA"
    )


class Changes:
    """What an application changed, put by as payloads: while rows leave the server, no message can be written.

    Used as a context, it lets go of what it has put by at the end.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed at the end of the context
        self._payloads: list[tuple[int, bool]] = []
        self._batcher = Batcher()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Throw away what was put by."""
        self._file.close()

    def take(self, csv: Iterator[bytes]) -> int:
        """Take in the rows of `CHANGED`, `LATE` or `ENTERED` as they leave the server; return how many there are."""
        rows = 0
        for frame in _frames(ahead(_pieces(csv))):
            rows += frame.height
            self._keep(self._batcher.add(frame))
        return rows

    def _keep(self, bodies: Iterable[tuple[int, bytes]]) -> None:
        # Compressed at once: the server is at work meanwhile, and there is less to put by.
        for _, body in bodies:
            compressed = gzipped(body)
            size = self._file.write(body if compressed is None else compressed)
            self._payloads.append((size, compressed is not None))

    def drafts(self, institution: str, submission: str) -> Iterator[Draft]:
        """Yield the messages; the last carries their number as `total`."""
        self._keep(self._batcher.flush())
        self._file.seek(0)
        for sequence, (size, compressed) in enumerate(self._payloads):
            yield Draft(
                "loans_changed",
                "loans_changed/v1",
                institution,
                self._file.read(size),
                bulk=True,
                submission=submission,
                sequence=sequence,
                total=len(self._payloads) if sequence == len(self._payloads) - 1 else None,
                gzipped=compressed,
            )


def history(transaction: Transaction) -> Iterator[pl.DataFrame]:
    """Yield all that is known as frames of `LoanChange`; the transaction is free for other things meanwhile."""
    yield from _frames(ahead(_put_by(_pieces(transaction.copy_out(HISTORY)))))


def _put_by(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `parts` once all of them are there, kept in a file rather than in memory."""
    with tempfile.TemporaryFile() as file:
        sizes = [file.write(part) for part in parts]
        file.seek(0)
        yield from map(file.read, sizes)


def _frames(pieces: Iterator[bytes]) -> Iterator[pl.DataFrame]:
    """Yield the rows of one of the queries above, pieces of CSV, as frames of `LoanChange`."""
    columns = ["institution", "line", "loan_no", "as_of", "until", *_BEFORE, *_AFTER]
    schema = {
        name: pl.Int64 if name.removeprefix("before_").removeprefix("after_") in _NUMBERS else pl.String
        for name in columns
    }
    for piece in pieces:
        frame = pl.read_csv(piece, has_header=False, schema=schema)
        yield frame.select(
            "institution",
            "loan_no",
            "as_of",
            "until",
            pl.when(pl.col("before_region").is_not_null()).then(_state(_BEFORE)).alias("before"),
            _state(_AFTER).alias("after"),
            "line",
        ).select(columnar.columns(LoanChange))


def _state(columns: list[str]) -> pl.Expr:
    return pl.struct([pl.col(column).alias(name) for column, name in zip(columns, SHARED_STATE, strict=True)])


def _pieces(csv: Iterator[bytes]) -> Iterator[bytes]:
    """Yield CSV in pieces of whole lines; no shared field can hold a line break."""
    waiting: list[bytes] = []
    size = 0
    for part in csv:
        waiting.append(part)
        size += len(part)
        if size >= PIECE_BYTES:
            piece = b"".join(waiting)
            end = piece.rfind(b"\n") + 1
            yield piece[:end]
            waiting, size = [piece[end:]], len(piece) - end
    if size:
        yield b"".join(waiting)
