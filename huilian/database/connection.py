"""PostgreSQL: the only module that names the driver.

A `Database` is a pool of connections by URL; work happens in a `Transaction`, which
commits as a whole or not at all.

Whatever a lost server raises becomes `HostUnavailable`: callers wait and try again.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from huilian.core.errors import HostUnavailable

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Database", "Listener", "Transaction", "connect", "credentials", "quote"]


Row = dict[str, Any]
Parameters = Sequence[object] | Mapping[str, object] | None

COPY_CHUNK: Final = 1 << 18
"""Bytes handed to COPY at a time."""
CONNECT_SECONDS: Final = 10
"""How long to wait for a connection before the database counts as away."""
_PROGRAM_LIMITS: Final = "54"
# The class of SQLSTATE that is "operational" to the driver but the statement's own fault: waiting does not help.
_cursor_numbers = itertools.count(1)
# A transaction may read from several streams at once.


def quote(*names: str) -> str:
    """Return a quoted, dotted SQL identifier."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def credentials(url: str) -> tuple[str, str]:
    """Return the role and the password that a URL states, empty where it states none."""
    stated = conninfo_to_dict(url)
    return str(stated.get("user") or ""), str(stated.get("password") or "")


def connect(url: str) -> psycopg.Connection[Any]:
    """Return a connection of its own, outside any pool, for tools that bring their own transactions."""
    return psycopg.connect(url, connect_timeout=CONNECT_SECONDS)


@contextlib.contextmanager
def _lost_server_is_unavailable() -> Iterator[None]:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if error.sqlstate and error.sqlstate.startswith(_PROGRAM_LIMITS):
            raise
        # Only the kind of failure: the server's text may quote rows.
        raise HostUnavailable("HL5001", what=type(error).__name__) from error


class Transaction:
    """What handlers are given: it commits when the handler returned and everything else held too."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Parameters = None) -> int:
        """Run one statement and return how many rows it touched."""
        with _lost_server_is_unavailable():
            return self._connection.execute(statement, parameters).rowcount

    def rows(self, statement: str, parameters: Parameters = None) -> list[Row]:
        """Run one statement and return its rows as dictionaries."""
        with _lost_server_is_unavailable():
            return self._connection.execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: Parameters = None) -> Row | None:
        """Run one statement and return its first row, or None."""
        with _lost_server_is_unavailable():
            return self._connection.execute(statement, parameters).fetchone()

    def value(self, statement: str, parameters: Parameters = None) -> Any:  # noqa: ANN401  # whatever the column holds
        """Run one statement and return the first column of its first row."""
        row = self.row(statement, parameters)
        return next(iter(row.values())) if row else None

    def many(self, statement: str, parameters: Iterable[Sequence[object] | Mapping[str, object]]) -> None:
        """Run one statement for each set of parameters."""
        with _lost_server_is_unavailable(), self._connection.cursor() as cursor:
            cursor.executemany(statement, parameters)

    def stream(self, statement: str, parameters: Parameters = None, *, size: int = 2_000) -> Iterator[Row]:
        """Yield the rows of one statement from a server-side cursor, `size` at a time."""
        name = f"huilian_stream_{next(_cursor_numbers)}"
        with _lost_server_is_unavailable(), self._connection.cursor(name) as cursor:
            cursor.itersize = size
            cursor.execute(statement, parameters)
            yield from cursor

    def copy_in(self, table: str, columns: Sequence[str], chunks: Iterable[bytes]) -> None:
        """Load CSV bytes (UTF-8, no header, empty unquoted means null) into `table`."""
        names = ", ".join(quote(column) for column in columns)
        statement = f"COPY {table} ({names}) FROM STDIN (FORMAT csv)"
        with _lost_server_is_unavailable(), self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for chunk in chunks:
                for start in range(0, len(chunk), COPY_CHUNK):
                    copy.write(chunk[start : start + COPY_CHUNK])

    def copy_out(self, query: str, parameters: Parameters = None) -> Iterator[bytes]:
        """Yield the rows of `query` as CSV (UTF-8, no header, empty unquoted means null), some at a time.

        Until the last of them has left, the connection can do nothing else.
        """
        statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(sql.SQL(query))
        with (
            _lost_server_is_unavailable(),
            self._connection.cursor() as cursor,
            cursor.copy(statement, parameters) as copy,
        ):
            yield from map(bytes, copy)

    def lock(self, name: str) -> None:
        """Hold the advisory lock called `name` until the transaction ends; wait for it if need be."""
        self.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])

    def try_lock(self, name: str) -> bool:
        """Take the advisory lock called `name` until the transaction ends, unless somebody holds it."""
        return bool(self.value("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name]))

    def is_held(self, name: str) -> bool:
        """Return whether anybody holds the advisory lock called `name`, alone or with others."""
        statement = (
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND (classid::bigint << 32) | objid::bigint = hashtextextended(%s, 0))"
        )
        return bool(self.value(statement, [name]))

    def password_hash(self, role: str, password: str) -> str:
        """Return as an SQL literal what the server keeps of a password; the password itself is not sent."""
        hashed = self._connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        return sql.Literal(hashed.decode("ascii")).as_string()

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what is done inside when it raises, and keep the rest of the transaction."""
        with _lost_server_is_unavailable(), self._connection.transaction():
            yield


class Listener:
    """Waits for notifications, so that nobody has to poll; `holding` a shared advisory lock while it is connected."""

    def __init__(self, url: str, channel: str, holding: str | None = None) -> None:
        with _lost_server_is_unavailable():
            self._connection = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS)
            self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            if holding is not None:
                self._connection.execute("SELECT pg_advisory_lock_shared(hashtextextended(%s, 0))", [holding])

    def wait(self, seconds: float) -> bool:
        """Wait until notified or `seconds` have passed; return whether notified."""
        with _lost_server_is_unavailable():
            return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _Pool:
    """Connections to one database, made when they are needed and kept for the next.

    psycopg_pool 3.3 was tried in its place. With eight connections that a restart of the server
    had killed, and each of them checked when it is lent, the first transaction came after 13.3 s
    and one refusal, and a server that is away was told of after the whole timeout of 10 s, since
    its worker connects in the background with ever longer pauses. Here it is 0.02 s and at once:
    hosts that count failures, and whoever asks over HTTP, rest on that.
    """

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._places = threading.BoundedSemaphore(size)
        self._idle: list[psycopg.Connection[Row]] = []
        self._closed = False

    @contextlib.contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Row]]:
        """Lend a connection for one transaction, to be committed or rolled back at the end of the block."""
        if not self._places.acquire(timeout=CONNECT_SECONDS):
            raise HostUnavailable("HL5001", what="every connection is in use")
        try:
            connection = self._working()
            try:
                yield connection
                connection.commit()
            except BaseException:
                with contextlib.suppress(psycopg.Error):
                    connection.rollback()
                raise
            finally:
                self._take_back(connection)
        finally:
            self._places.release()

    def _working(self) -> psycopg.Connection[Row]:
        while not self._closed and (connection := self._any_idle()) is not None:
            try:
                connection.execute("")
            except psycopg.Error:
                connection.close()
            else:
                return connection
        if self._closed:
            raise HostUnavailable("HL5001", what="closed")
        return psycopg.connect(self._url, row_factory=dict_row, connect_timeout=CONNECT_SECONDS, prepare_threshold=3)

    def _any_idle(self) -> psycopg.Connection[Row] | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _take_back(self, connection: psycopg.Connection[Row]) -> None:
        if self._closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append(connection)
            if self._closed:  # just now
                self.close()

    def close(self) -> None:
        """Close what is idle; what is lent is closed when it comes back."""
        self._closed = True
        while (connection := self._any_idle()) is not None:
            connection.close()


class Database:
    """A pool of connections to one database.

    Args:
        url: `postgresql://…`.
        size: connections at most; as many as there are workers.
        owner_url: the same database as the role that makes and changes its tables, where that is another.
    """

    def __init__(self, url: str, *, size: int = 4, owner_url: str | None = None) -> None:
        self.url = url
        self.owner_url = owner_url or url
        self._pool = _Pool(url, size)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Give a transaction that commits at the end of the block and rolls back on any error.

        Raises:
            HostUnavailable: HL5001, the server is away, or went away; nothing was committed,
                or the commit's answer was lost, which the inbox tells apart on the next try.
        """
        with _lost_server_is_unavailable(), self._pool.connection() as connection:
            yield Transaction(connection)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Transaction]:
        """Give a transaction that only reads, and in which every statement sees the same moment.

        Raises:
            HostUnavailable: HL5001, the server is away, or went away.
        """
        with self.transaction() as transaction:
            transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield transaction

    def listener(self, channel: str, *, holding: str | None = None) -> Listener:
        """Return a listener on `channel`, with a connection of its own; see `Listener`."""
        return Listener(self.url, channel, holding)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def __enter__(self) -> Self:
        """Return the database itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
