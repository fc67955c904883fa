"""`GET /api/v1/differences`: what does not match between what institutions state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.http import rows
from huilian.http.answers import Difference
from huilian.http.authentication import scope
from huilian.http.endpoints import Answer, Section
from huilian.http.interface import current
from huilian.http.questions import DifferencesQuery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flask import Response

    from huilian.database import Transaction

__all__ = ["section"]


def differences(query: dict[str, str]) -> Response:
    """Return what does not match within a region.

    A loan whose household is not on the roster, whose borrower is not in its household or
    whose region is not the household's; one that is no longer reported though it has a
    balance; a repayment of no loan. A loan number at two banks; a guarantee of no loan, two
    of one, a compensation of no guarantee; a policy of a loan that nobody has, a claim of no
    policy.
    """
    reader = scope()
    interface = current()
    region = reader.region_for(query.get("region"), interface.county)
    institution = reader.member_for(query.get("institution"))

    def ask(transaction: Transaction) -> tuple[Mapping[str, str], Iterable[Mapping[str, Any]]]:
        return {}, interface.queries["differences"](transaction, region=region, institution=institution)

    return rows.streamed(ask, Difference, query.get("format"))


def section() -> Section:
    """Return the differences' address."""
    made = Section("differences", "数据比对。 What does not match.")
    made.get(
        "/differences",
        differences,
        Answer(200, "The differences, one a line.", Difference, content_type=rows.NDJSON),
        Answer(200, "The differences, one a line.", {"type": "string"}, content_type=rows.CSV),
        query=DifferencesQuery,
    )
    return made
