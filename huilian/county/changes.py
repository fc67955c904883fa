"""Changes over time: how a service publishes them, and how another one folds them.

A change says that from `as_of` until the day before `until` (for ever when null) a thing is `after` where it was
thought to be `before`; null stands for a thing that is not there. Changes add up in any order: what a thing is now is
the sum of the changes without `until`, each `after` counted once and each `before` taken off once.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core.concurrency import ahead
from huilian.county.sql import of
from huilian.records import columnar
from huilian.wire.batches import Batcher, from_ndjson, to_csv
from huilian.wire.envelope import Draft, gzipped
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.records.record import Record
    from huilian.wire.envelope import Message

__all__ = ["Changes", "Event", "Fold", "tell"]

PIECE_BYTES: Final = 4 << 20
"""How much of the changes is brought into memory at a time."""
SIDES: Final = ("before", "after")
_IS_CHANGE: Final = pl.col("before").ne_missing(pl.col("after"))


@dataclass(frozen=True)
class Event:
    """What a service publishes of one kind of thing.

    Args:
        name: the type of its messages: "loans_changed".
        version: of their contract.
        record: one change: its key, `as_of`, `until`, `before`, `after` and `line`.
    """

    name: str
    version: int
    record: type[Record]

    @property
    def facts(self) -> list[str]:
        """Return the fields of a change beside its two states."""
        return [name for name in columnar.columns(self.record) if name not in SIDES]

    @property
    def state(self) -> list[str]:
        """Return the fields of a state."""
        return list(columnar.columns(self._state))

    @property
    def _state(self) -> type[Record]:
        nested: Any = self.record().fields["before"]
        state: type[Record] = type(nested.schema)
        return state

    def columns(self, before: str, after: str) -> str:
        """Return the two states for a SELECT, from the tables with these aliases, as `Changes.take` expects them."""
        return ", ".join(of(alias, self.state) for alias in (before, after))

    def frames(self, csv: Iterator[bytes]) -> Iterator[pl.DataFrame]:
        """Yield rows as they leave the server as frames of changes: the facts, the state before, the state after."""
        of_change, of_state = columnar.wire_types(self.record), columnar.wire_types(self._state)
        types = {name: of_change[name] for name in self.facts}
        for side in SIDES:
            types |= {f"{side}_{name}": of_state[name] for name in of_state}
        never_null = next(name for name, nullable in columnar.column_types(self._state).items() if not nullable)
        sides = [
            pl.when(pl.col(f"{side}_{never_null}").is_not_null())
            .then(pl.struct(pl.col(f"{side}_{name}").alias(name) for name in of_state))
            .alias(side)
            for side in SIDES
        ]
        for piece in ahead(_lines(csv)):
            frame = pl.read_csv(piece, has_header=False, schema=types)
            yield frame.select(*self.facts, *sides).select(of_change.names())


class Changes:
    """What an application changed, put by as payloads: while rows leave the server, no message can be written.

    Used as a context, it lets go of what it has put by at the end.
    """

    def __init__(self, event: Event) -> None:
        self._event = event
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
        """Take in rows as they leave the server, in the form `Event.frames` reads; return how many there are.

        A row whose two states are equal differs in what is not shared. It counts, and is not published.
        """
        rows = 0
        for frame in self._event.frames(csv):
            rows += frame.height
            self._keep(self._batcher.add(frame.filter(_IS_CHANGE)))
        return rows

    def _keep(self, bodies: Iterable[tuple[int, bytes]]) -> None:
        # Compressed at once: the server is at work meanwhile, and there is less to put by.
        for _, body in bodies:
            compressed = gzipped(body)
            size = self._file.write(body if compressed is None else compressed)
            self._payloads.append((size, compressed is not None))

    def drafts(self, member: str, submission: str) -> Iterator[Draft]:
        """Yield the messages; the last carries their number as `total`."""
        self._keep(self._batcher.flush())
        self._file.seek(0)
        for sequence, (size, compressed) in enumerate(self._payloads):
            yield Draft(
                self._event.name,
                f"{self._event.name}/v{self._event.version}",
                member,
                self._file.read(size),
                bulk=True,
                submission=submission,
                sequence=sequence,
                total=len(self._payloads) if sequence == len(self._payloads) - 1 else None,
                gzipped=compressed,
            )


@dataclass(frozen=True)
class Fold:
    """What a service keeps of the newest states that another one's changes tell of.

    Its table only grows, and by what really changed. A row stands where the sum of its `n` is above nought, in
    whatever order the messages came.

    Args:
        table: it has the columns of `key` and `state`, and `n`.
        key: the facts of a change that name a thing; texts.
        state: the fields of its states that are kept; texts.
    """

    table: str
    key: tuple[str, ...]
    state: tuple[str, ...]

    def take(self, transaction: Transaction, message: Message) -> None:
        """Take in a message of changes, in the transaction in which it is handled, once."""
        self.count(transaction, self.newest(message))

    def newest(self, message: Message, besides: tuple[str, ...] = (), facts: tuple[str, ...] = ()) -> pl.DataFrame:
        """Return the changes of a message that hold until today, all as texts.

        Args:
            message: of changes.
            besides: more fields of the states, for who makes something else of them as well.
            facts: more fields of the changes, as `as_of`.
        """
        types = self._types(besides) | dict.fromkeys(facts, pl.String())
        changes = from_ndjson(message.body(), types, checked=True)
        if changes["until"].null_count() == changes.height:
            return changes
        return changes.filter(pl.col("until").is_null())

    def count(self, transaction: Transaction, newest: pl.DataFrame) -> None:
        """Count the states that the newest changes begin and end."""
        former, counted = self._counted(newest, "before", -1), self._counted(newest, "after", 1)
        if former.height:
            sums = pl.concat([former, counted]).group_by(*self.key, *self.state, maintain_order=True)
            counted = sums.agg(pl.col("n").sum()).filter(pl.col("n") != 0)
        if counted.height:
            transaction.copy_in(self.table, counted.columns, [to_csv(counted)])

    def handle(self, message: Message, transaction: Transaction, _context: Context) -> Iterable[Draft]:
        """Take in a message as a service's handler does; nothing follows from it."""
        self.take(transaction, message)
        return ()

    def forget(self, transaction: Transaction) -> None:
        """Throw away what is kept, to be told everything anew; readers see it until the transaction commits."""
        transaction.execute(f"DELETE FROM {self.table}")

    def _types(self, besides: tuple[str, ...]) -> dict[str, pl.DataType]:
        side = pl.Struct(dict.fromkeys((*self.state, *besides), pl.String()))
        return dict.fromkeys((*self.key, "until"), pl.String()) | dict.fromkeys(SIDES, side)

    def _counted(self, changes: pl.DataFrame, side: str, n: int) -> pl.DataFrame:
        there = changes if not changes[side].null_count() else changes.filter(pl.col(side).is_not_null())
        fields = (pl.col(side).struct.field(name) for name in self.state)
        return there.select(*self.key, *fields, pl.lit(n).alias("n"))


def tell(event: Event, csv: Iterator[bytes], owner: str) -> Iterator[Draft]:
    """Yield all that a service knows as changes, each message complete by itself.

    Args:
        event: what it publishes.
        csv: all changes there ever were, as they leave the server, in the form `Event.frames` reads.
        owner: the service.
    """
    for number, body in enumerate(_bodies(event.frames(_put_by(_lines(csv))))):
        contract, submission = f"{event.name}/v{event.version}", f"{owner}.history.{number}"
        yield Draft(event.name, contract, PLATFORM, body, bulk=True, submission=submission, sequence=0, total=1)


def _bodies(frames: Iterable[pl.DataFrame]) -> Iterator[bytes]:
    batcher = Batcher()
    for frame in frames:
        yield from (body for _, body in batcher.add(frame.filter(_IS_CHANGE)))
    yield from (body for _, body in batcher.flush())


def _put_by(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `parts` once all of them are there, kept in a file: the transaction is free for other things meanwhile."""
    with tempfile.TemporaryFile() as file:
        sizes = [file.write(part) for part in parts]
        file.seek(0)
        yield from map(file.read, sizes)


def _lines(csv: Iterator[bytes]) -> Iterator[bytes]:
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
