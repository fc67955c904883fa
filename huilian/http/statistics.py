"""`GET /api/v1/statistics`: the figures of a region and month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.http.answers import Figures
from huilian.http.authentication import scope
from huilian.http.endpoints import Answer, Section
from huilian.http.interface import current
from huilian.http.questions import FiguresQuery
from huilian.http.replies import as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Response

    from huilian.database import Transaction

__all__ = ["section", "with_basis"]


def figures(query: dict[str, str]) -> Response:
    """Return the figures at the end of a month, whole and, if asked for, broken down.

    Money is decimal strings with two places, ratios with six. `stale` names the banks
    that have not reported for the month: their loans stand as they were last reported.
    `rests_on` says of each bank's newest ledger how much of what it states of itself was
    taken: rows and balance, the whole bank's whatever region is asked for.
    """
    reader = scope()
    interface = current()
    region = reader.region_for(query.get("region"), interface.county)
    institution = reader.member_for(query.get("institution"))
    with interface.office.database.snapshot() as transaction:
        found = with_basis(
            interface.queries,
            transaction,
            region=region,
            month=query["month"],
            by=query.get("by"),
            institution=institution,
            product=query.get("product"),
        )
    return as_json(found)


def with_basis(
    queries: Mapping[str, Callable[..., Any]],
    transaction: Transaction,
    *,
    month: str,
    institution: str | None = None,
    **question: str | None,
) -> dict[str, Any]:
    """Return the figures, and in `rests_on` how much of the banks' ledgers they rest on was taken.

    Args:
        queries: the services' answers, by name.
        transaction: both are read in it.
        month: "2024-05".
        institution: only this member's loans and ledgers.
        question: what else the query `figures` takes.
    """
    found: dict[str, Any] = queries["figures"](transaction, month=month, institution=institution, **question)
    basis = queries["reconciliation"](transaction, month=month, institution=institution, kind="loan_ledger")
    return found | {"rests_on": basis}


def section() -> Section:
    """Return the figures' address."""
    made = Section("statistics", "统计数据。 Figures by region, institution, product and month.")
    made.get("/statistics", figures, Answer(200, "The figures.", Figures), query=FiguresQuery)
    return made
