"""`GET /api/v1/feed/loans`: the county's loans, as they are now and as they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.http import rows
from huilian.http.answers import FeedRow
from huilian.http.authentication import scope
from huilian.http.endpoints import Answer, Section
from huilian.http.interface import current
from huilian.http.questions import FeedQuery
from huilian.http_names import CURSOR_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flask import Response

    from huilian.database import Transaction

__all__ = ["section"]


def loans(query: dict[str, str]) -> Response:
    """Return the loans of a region that changed since a cursor, each as it is now.

    Rows come in the order in which they became known, streamed. Keep `Huilian-Next-Cursor`
    and give it as `since` the next time; it counts only when the answer came to its end.
    `source` says from which file and line, message and submission a row was first read.
    """
    reader = scope()
    interface = current()
    region = reader.region_for(query.get("region"), interface.county)
    institution = reader.member_for(query.get("institution"))

    def ask(transaction: Transaction) -> tuple[Mapping[str, str], Iterable[Mapping[str, Any]]]:
        cursor, found = interface.queries["loan_feed"](
            transaction, region=region, since=query.get("since"), institution=institution
        )
        return {CURSOR_HEADER: cursor}, found

    return rows.streamed(ask, FeedRow, query.get("format"))


def section() -> Section:
    """Return the feed's address."""
    made = Section("feed", "贷款数据流。 The consolidated loan feed.")
    cursor = {CURSOR_HEADER: {"description": "What to give as `since` next time.", "schema": {"type": "string"}}}
    made.get(
        "/feed/loans",
        loans,
        Answer(200, "The loans, one a line.", FeedRow, content_type=rows.NDJSON, headers=cursor),
        Answer(200, "The loans, one a line.", {"type": "string"}, content_type=rows.CSV, headers=cursor),
        query=FeedQuery,
    )
    return made
