"""`GET /api/v1/statistics`: the figures of a region and month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.http.answers import Figures
from huilian.http.authentication import scope
from huilian.http.endpoints import Answer, Section
from huilian.http.interface import current
from huilian.http.questions import FiguresQuery
from huilian.http.replies import as_json

if TYPE_CHECKING:
    from flask import Response

__all__ = ["section"]


def figures(query: dict[str, str]) -> Response:
    """Return the figures at the end of a month, whole and, if asked for, broken down.

    Money is decimal strings with two places, ratios with six. `stale` names the banks
    that have not reported for the month: their loans stand as they were last reported.
    """
    reader = scope()
    interface = current()
    region = reader.region_for(query.get("region"), interface.county)
    institution = reader.member_for(query.get("institution"))
    with interface.office.database.snapshot() as transaction:
        found = interface.queries["figures"](
            transaction,
            region=region,
            month=query["month"],
            by=query.get("by"),
            institution=institution,
            product=query.get("product"),
        )
    return as_json(found)


def section() -> Section:
    """Return the figures' address."""
    made = Section("statistics", "统计数据。 Figures by region, institution, product and month.")
    made.get("/statistics", figures, Answer(200, "The figures.", Figures), query=FiguresQuery)
    return made
