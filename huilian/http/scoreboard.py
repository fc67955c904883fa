"""`GET /api/v1/scoreboard`: what each institution has sent for a month, and whether in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.http.authentication import scope
from huilian.http.endpoints import Answer, Section
from huilian.http.interface import current
from huilian.http.questions import ScoreboardQuery
from huilian.http.replies import as_json
from huilian.http.scoreboard_answers import Scoreboard

if TYPE_CHECKING:
    from flask import Response

__all__ = ["section"]


def scoreboard(query: dict[str, str]) -> Response:
    """Return what banks, guarantors and insurers have sent for a month, dated within it.

    One row for each institution and kind of submission: whether it was applied in time,
    how many files and rows, what was rejected, which file numbers never came or came twice.
    A member's token sees its member's rows; of regions, only one of the whole county sees any.
    """
    interface = current()
    reader = scope()
    reader.check_whole_county(interface.county)
    institution = reader.member_for(query.get("institution"))
    with interface.office.database.snapshot() as transaction:
        found = interface.queries["scoreboard"](transaction, month=query["month"], institution=institution)
    return as_json(found)


def section() -> Section:
    """Return the scoreboard's address."""
    made = Section("scoreboard", "报送考核。 Who sent what, and when.")
    made.get("/scoreboard", scoreboard, Answer(200, "The scoreboard.", Scoreboard), query=ScoreboardQuery)
    return made
