"""A feed on its way to standard output, and the loan feed's cursor on its way to a file.

The rows are written as the HTTP interface writes them: from here or from another server,
they are the same bytes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian import months, regions, service
from huilian.cli import figures, screen, session
from huilian.errors import HostUnavailable, UsageError
from huilian.http import rows
from huilian.http.answers import FeedRow
from huilian.http.feed import BESIDE_LOANS, RESTS_ON, not_taken
from huilian.http.feed_answers import ScoreboardFeedRow
from huilian.http.questions import FORMATS
from huilian.institution.transports.http import HttpReader
from huilian.private_files import write_atomically
from huilian.system_errors import why

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import marshmallow as ma

    from huilian.database import Transaction
    from huilian.office import Office

__all__ = ["FORMATS", "Question", "answer", "keep_cursor", "read_cursor"]

_LINE_ENDS: Final = {"ndjson": b"\n", "csv": b"\r\n"}


@dataclass(frozen=True)
class Question:
    """What is asked for.

    Args:
        feed: "loans", "guarantees", "policies", "claims" or "scoreboard".
        form: the format of its rows.
        institution: only this member's.
        region: of all feeds but the scoreboard.
        since: of loans: the last cursor.
        month: of the scoreboard: "2024-05"; without it the last that is over.
    """

    feed: str
    form: str
    institution: str | None = None
    region: str | None = None
    since: str | None = None
    month: str | None = None


def answer(asked: Question, url: str | None, token: str | None, ca_file: Path | None) -> str | None:
    """Print the feed, from here or from the server at `url`; return the next cursor, if it has one.

    Raises:
        HostUnavailable: HL5003, the server is away, or its answer has no cursor where one is due.
    """
    return _from_server(asked, url, token, ca_file) if url else _from_here(asked)


def _from_here(asked: Question) -> str | None:
    """Print the feed of this machine's office; return the next cursor, if it has one."""
    with session.reading() as office, office.database.snapshot() as transaction:
        cursor, found, row = _ask(office, transaction, asked)
        chunks = rows.csv_chunks(found, rows.columns(row)) if asked.form == "csv" else rows.ndjson_chunks(found)
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        if asked.feed in RESTS_ON:
            month = f"{office.clock.today():%Y-%m}"
            _tell(
                service.query("reconciliation")(
                    transaction, month=month, institution=asked.institution, kind=RESTS_ON[asked.feed]
                )
            )
    return cursor


def _tell(rests_on: Iterable[Mapping[str, Any]]) -> None:
    """Say on standard error what of the files the rows rest on was not taken."""
    for line in figures.basis(not_taken(rests_on)):
        screen.err().print(line, soft_wrap=True)


def _ask(
    office: Office, transaction: Transaction, asked: Question
) -> tuple[str | None, Iterable[Mapping[str, object]], type[ma.Schema]]:
    """Return the next cursor, if there is one, the rows, and their shape."""
    if asked.region is None:
        month = asked.month or months.previous(office.clock.today())
        found = service.query("scoreboard_feed")(transaction, month=month, institution=asked.institution)
        return None, found, ScoreboardFeedRow
    regions.refuse_outside(office.settings.county, asked.region)
    if asked.feed in BESIDE_LOANS:
        name, row = BESIDE_LOANS[asked.feed]
        found = service.query(name)(transaction, region=asked.region, institution=asked.institution)
        return None, found, row
    cursor, found = service.query("loan_feed")(
        transaction, region=asked.region, since=asked.since, institution=asked.institution
    )
    return str(cursor), found, FeedRow


def _from_server(asked: Question, url: str, token: str | None, ca_file: Path | None) -> str | None:
    """Print the feed of another server while it comes in; return the next cursor, if it has one."""
    reader = HttpReader(url, token, ca_file)
    end = _LINE_ENDS[asked.form]
    with reader.feed(
        asked.feed,
        region=asked.region,
        since=asked.since,
        month=asked.month,
        institution=asked.institution,
        format=asked.form,
    ) as answer:
        for line in answer.lines:
            sys.stdout.buffer.write(line.encode() + end)
    _tell(answer.not_taken)
    if answer.cursor is None and asked.feed == "loans":
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
        raise UsageError("HL3010", file=file, what=why(error)) from error


def keep_cursor(file: Path, cursor: str) -> None:
    """Keep a cursor, once everything before it is out.

    Raises:
        UsageError: HL7001, the file cannot be written.
    """
    sys.stdout.flush()  # a reader that has gone is an error here: what it did not read comes again
    try:
        write_atomically(file, cursor.encode() + b"\n")
    except OSError as error:
        raise UsageError("HL7001", what=f"{file} 无法写入 (cannot be written): {why(error)}") from error
