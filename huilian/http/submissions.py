"""`GET /api/v1/submissions`: all submissions and what became of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.http.answers import Submissions
from huilian.http.authentication import scope
from huilian.http.endpoints import Answer, Section
from huilian.http.interface import current
from huilian.http.questions import SubmissionsQuery
from huilian.http.replies import as_json

if TYPE_CHECKING:
    import datetime as dt

    from flask import Response

__all__ = ["section"]

FIELDS = tuple(Submissions().fields["submissions"].inner.schema.fields)  # type: ignore[attr-defined]  # a list of nested


def submissions(query: dict[str, str]) -> Response:
    """Return the submissions the token may see, newest first.

    A member's token sees its member's; of regions, only one of the whole county sees any.
    """
    interface = current()
    reader = scope()
    reader.check_whole_county(interface.county)
    member = reader.member_for(query.get("member"))
    with interface.office.database.snapshot() as transaction:
        found = interface.queries["submissions"](transaction, member=member)
    return as_json({"submissions": [{name: _plain(row[name]) for name in FIELDS} for row in found]})


def _plain(value: dt.datetime | str | int | None) -> str | int | None:
    return value if value is None or isinstance(value, str | int) else value.isoformat()


def section() -> Section:
    """Return the submissions' address."""
    made = Section("submissions", "提交清单。 What was submitted, and what became of it.")
    made.get("/submissions", submissions, Answer(200, "The submissions.", Submissions), query=SubmissionsQuery)
    return made
