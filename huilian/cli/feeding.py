"""The loan feed on its way to standard output, and the cursor on its way to a file.

The rows are written as the HTTP interface writes them: from here or from another server,
they are the same bytes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian import regions, service
from huilian.cli import session
from huilian.errors import HostUnavailable, UsageError
from huilian.http import rows
from huilian.http.answers import FeedRow
from huilian.http.questions import FORMATS
from huilian.spool import write_atomically
from huilian.transports.http import HttpReader

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMATS", "Question", "from_here", "from_server", "keep_cursor", "read_cursor"]

_LINE_ENDS: Final = {"ndjson": b"\n", "csv": b"\r\n"}


@dataclass(frozen=True)
class Question:
    """What is asked for: a region's loans since a cursor, of one institution perhaps, in a format."""

    region: str
    since: str | None
    institution: str | None
    form: str


def from_here(asked: Question) -> str:
    """Print the feed of this machine's office; return the next cursor."""
    with session.reading() as office, office.database.snapshot() as transaction:
        regions.refuse_outside(office.settings.county, asked.region)
        following, found = service.query("loan_feed")(
            transaction, region=asked.region, since=asked.since, institution=asked.institution
        )
        chunks = rows.csv_chunks(found, rows.columns(FeedRow)) if asked.form == "csv" else rows.ndjson_chunks(found)
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
    return str(following)


def from_server(asked: Question, url: str, token: str | None, ca_file: Path | None) -> str:
    """Print the feed of another server while it comes in; return the next cursor.

    Raises:
        HostUnavailable: HL5003, the server is away, or its answer has no cursor.
    """
    reader = HttpReader(url, token, ca_file)
    end = _LINE_ENDS[asked.form]
    with reader.feed(
        region=asked.region, since=asked.since, institution=asked.institution, format=asked.form
    ) as answer:
        for line in answer.lines:
            sys.stdout.buffer.write(line.encode() + end)
    if answer.cursor is None:
        raise HostUnavailable("HL5003", url=url, what="no cursor")
    return answer.cursor


def read_cursor(file: Path) -> str | None:
    """Return the cursor kept in a file, or None when there is none yet.

    Raises:
        UsageError: HL3010, the file cannot be read.
    """
    try:
        return file.read_text("utf-8", errors="replace").strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError("HL3010", file=file, what=error.strerror or type(error).__name__) from error


def keep_cursor(file: Path, cursor: str) -> None:
    """Keep a cursor, once everything before it is out.

    Raises:
        UsageError: HL7001, the file cannot be written.
    """
    sys.stdout.flush()  # a reader that has gone is an error here: what it did not read comes again
    try:
        write_atomically(file, cursor.encode() + b"\n")
    except OSError as error:
        raise UsageError("HL7001", what=f"{file} 无法写入 (cannot be written): {error.strerror}") from error
