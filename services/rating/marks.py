"""Marks of borrowers: the blacklist, and loans that force majeure struck, as other services are told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.county import changes as county_changes
from huilian.county.changes import Changes, Event
from huilian.wire.batches import from_ndjson
from schemas.rating_steps import BorrowerMarkChange
from services.rating import assessments, in_force

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["EVENT", "of_borrower", "of_claims", "of_policies", "tell"]

EVENT: Final = Event("borrower_marks_changed", 1, BorrowerMarkChange)
_KEY: Final = "borrower, borrower_no, source, reference"
_OF_BORROWER: Final = "borrower = %(borrower)s AND borrower_no = %(borrower_no)s"
_OF_CLAIMS: Final = "mark = 'force_majeure' AND reference = ANY(%(claims)s)"
_CHANGED: Final = """
    SELECT {key}, %(day)s::date, NULL, row_number() OVER (ORDER BY {key}), {states}
    FROM (SELECT * FROM rating.mark_told WHERE {scope}) o
    FULL JOIN (SELECT * FROM rating.mark WHERE {scope}) n USING ({key}, mark)
    ORDER BY {key}
"""
_SIDE: Final = pl.Struct({"force_majeure": pl.String()})
_CLAIM: Final = {"claim_no": pl.String(), "before": _SIDE, "after": _SIDE}
_STRUCK: Final = b"yes"


def of_borrower(transaction: Transaction, borrower: str, borrower_no: str, day: dt.date) -> Iterator[Draft]:
    """Yield what has to be told of a borrower's marks since they were told last."""
    return _told(transaction, _OF_BORROWER, {"borrower": borrower, "borrower_no": borrower_no, "day": day})


def of_claims(transaction: Transaction, message: Message, day: dt.date) -> Iterator[Draft]:
    """Yield what has to be told because of claims that a message tells of, and that were folded."""
    body = message.body()
    if _STRUCK not in body:
        return
    claims = from_ndjson(body, _CLAIM, checked=True)
    struck = [pl.col(side).struct.field("force_majeure") == "yes" for side in county_changes.SIDES]
    found = claims.filter(pl.any_horizontal(each.fill_null(value=False) for each in struck))
    yield from _told(transaction, _OF_CLAIMS, {"claims": found["claim_no"].unique().to_list(), "day": day})


def of_policies(transaction: Transaction, message: Message, day: dt.date) -> Iterator[Draft]:
    """Yield what has to be told because of policies that a message tells of, and that were folded.

    A claim may be known before the policy that says whose loan it is.
    """
    if transaction.value("SELECT true FROM rating.claim_change WHERE force_majeure = 'yes' LIMIT 1") is None:
        return
    policies = from_ndjson(message.body(), {"policy_no": pl.String()}, checked=True)["policy_no"].unique().to_list()
    claims = transaction.rows(
        "SELECT DISTINCT claim_no FROM rating.claim_change WHERE force_majeure = 'yes' AND policy_no = ANY(%s)",
        [policies],
    )
    if claims:
        yield from _told(transaction, _OF_CLAIMS, {"claims": [row["claim_no"] for row in claims], "day": day})


def _told(transaction: Transaction, scope: str, facts: dict[str, Any]) -> Iterator[Draft]:
    assessments.hold(transaction)
    query = _CHANGED.format(key=_KEY, states=EVENT.columns("o", "n"), scope=scope)
    with Changes(EVENT) as changes:
        changes.take(transaction.copy_out(query, facts))
        transaction.execute(f"DELETE FROM rating.mark_told WHERE {scope}", facts)
        transaction.execute(f"INSERT INTO rating.mark_told SELECT * FROM rating.mark WHERE {scope}", facts)
        number = transaction.value("SELECT nextval('rating.mark_revision')")
        yield from changes.drafts(in_force.OWN, f"rating.marks.{number}")


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all marks that stand as changes; nothing changes until the transaction ends."""
    assessments.hold(transaction)
    nothing, state = (", ".join(each) for each in (("NULL" for _ in EVENT.state), EVENT.state))
    query = f"""
        SELECT {_KEY}, coalesce(from_date, 'epoch'), NULL, row_number() OVER (ORDER BY {_KEY}), {nothing}, {state}
        FROM rating.mark_told ORDER BY {_KEY}
    """
    return county_changes.tell(EVENT, transaction.copy_out(query), "rating.marks")
