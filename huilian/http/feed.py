"""`GET /api/v1/feed/…`: the county's loans and what is beside them, and who reported, one row a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from huilian import months
from huilian.http import rows
from huilian.http.answers import FeedRow
from huilian.http.authentication import scope
from huilian.http.endpoints import Answer, Section
from huilian.http.feed_answers import ClaimRow, GuaranteeRow, PolicyRow, ScoreboardFeedRow
from huilian.http.interface import current
from huilian.http.questions import BesideLoansQuery, FeedQuery, ScoreboardFeedQuery
from huilian.http_names import CURSOR_HEADER, NOT_TAKEN_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import marshmallow as ma
    from flask import Response

    from huilian.database import Transaction

__all__ = ["BESIDE_LOANS", "RESTS_ON", "not_taken", "section"]

BESIDE_LOANS: Final[dict[str, tuple[str, type[ma.Schema]]]] = {
    "guarantees": ("guarantee_feed", GuaranteeRow),
    "policies": ("policy_feed", PolicyRow),
    "claims": ("claim_feed", ClaimRow),
}
"""By feed: the service's query, and the shape of its rows."""
RESTS_ON: Final = {
    "loans": "loan_ledger",
    "guarantees": "guarantee_book",
    "policies": "insurance_package",
    "claims": "insurance_package",
}
"""By feed: the kind of submission that its rows come from."""


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
        return {CURSOR_HEADER: cursor} | _not_taken(transaction, "loans", institution), found

    return rows.streamed(ask, FeedRow, query.get("format"))


def guarantees(query: dict[str, str]) -> Response:
    """Return the guarantees of a region, each as its guarantor last stated it, all of them every time.

    `loan_institution` is the bank that has the loan; `in_force` whether the guarantor's newest
    book has the guarantee. A guarantor's token sees what it stated, a bank's what is beside its
    own loans. `source` says from which file and line, message and submission a row was read.
    """
    return _beside_loans("guarantees", query)


def policies(query: dict[str, str]) -> Response:
    """Return the policies of a region, each as its insurer last stated it, all of them every time.

    `loan_institution` is the bank that has the loan the policy names, if one does. An insurer's
    token sees what it stated, a bank's what is beside its own loans.
    """
    return _beside_loans("policies", query)


def claims(query: dict[str, str]) -> Response:
    """Return the claims of a region, each at the stage its insurer last stated, all of them every time.

    A claim lies where its policy lies, or else its loan; one of which neither is known is for
    readers of the whole county. An insurer's token sees what it stated, a bank's what is beside
    its own loans.
    """
    return _beside_loans("claims", query)


def _beside_loans(feed: str, query: dict[str, str]) -> Response:
    reader = scope()
    interface = current()
    region = reader.region_for(query.get("region"), interface.county)
    institution = reader.member_for(query.get("institution"))
    name, row = BESIDE_LOANS[feed]

    def ask(transaction: Transaction) -> tuple[Mapping[str, str], Iterable[Mapping[str, Any]]]:
        found = interface.queries[name](transaction, region=region, institution=institution)
        return _not_taken(transaction, feed, institution), found

    return rows.streamed(ask, row, query.get("format"))


def not_taken(found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return of what a feed rests on, see `Taken`, the institutions of whose files something was not taken."""
    return [row for row in found if row["untaken_rows"] or row["untaken_amount"] not in (None, "0.00")]


def _not_taken(transaction: Transaction, feed: str, institution: str | None) -> dict[str, str]:
    interface = current()
    month = f"{interface.office.clock.today():%Y-%m}"
    found = interface.queries["reconciliation"](transaction, month=month, institution=institution, kind=RESTS_ON[feed])
    left = not_taken(found)
    return {NOT_TAKEN_HEADER: json.dumps(left, separators=(",", ":"))} if left else {}


def scoreboard(query: dict[str, str]) -> Response:
    """Return a month's scoreboard, a line for each institution and kind of submission: see `/scoreboard`.

    A member's token sees its member's lines; of regions, only one of the whole county sees any.
    """
    interface = current()
    reader = scope()
    reader.check_whole_county(interface.county)
    institution = reader.member_for(query.get("institution"))
    month = query.get("month") or months.previous(interface.office.clock.today())

    def ask(transaction: Transaction) -> tuple[Mapping[str, str], Iterable[Mapping[str, Any]]]:
        return {}, interface.queries["scoreboard_feed"](transaction, month=month, institution=institution)

    return rows.streamed(ask, ScoreboardFeedRow, query.get("format"))


def section() -> Section:
    """Return the feeds' addresses."""
    made = Section("feed", "数据流：借据、担保、保单、赔案、报送考核。 Loans, what is beside them, and who reported.")
    left = {
        NOT_TAKEN_HEADER: {
            "description": "What of the files these rows rest on was not taken, as `rests_on` of the statistics "
            "has it; absent where all was.",
            "schema": {"type": "string"},
        }
    }
    cursor = left | {CURSOR_HEADER: {"description": "What to give as `since` next time.", "schema": {"type": "string"}}}
    made.get("/feed/loans", loans, *_answers("The loans", FeedRow, cursor), query=FeedQuery)
    made.get("/feed/guarantees", guarantees, *_answers("The guarantees", GuaranteeRow, left), query=BesideLoansQuery)
    made.get("/feed/policies", policies, *_answers("The policies", PolicyRow, left), query=BesideLoansQuery)
    made.get("/feed/claims", claims, *_answers("The claims", ClaimRow, left), query=BesideLoansQuery)
    made.get("/feed/scoreboard", scoreboard, *_answers("The lines", ScoreboardFeedRow), query=ScoreboardFeedQuery)
    return made


def _answers(what: str, row: type[ma.Schema], headers: Mapping[str, Any] | None = None) -> list[Answer]:
    described = f"{what}, one a line."
    return [
        Answer(200, described, row, content_type=rows.NDJSON, headers=headers or {}),
        Answer(200, described, {"type": "string"}, content_type=rows.CSV, headers=headers or {}),
    ]
