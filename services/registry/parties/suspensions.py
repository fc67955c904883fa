"""Suspensions: where nobody lends, from when until when, and what of many loans that concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.county.members import persons
from huilian.county.procedure.acts import taking
from services.registry.parties import periods
from services.registry.parties.homes import check_member
from services.registry.parties.periods import HOLDS, Periods

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["Asked", "enter", "in_force", "on_lending_suspension"]

_KEPT: Final = Periods(
    "lending_suspension", ("suspension_no",), ("region", "institution", "product", "reason", "from_date")
)


@dataclass(frozen=True)
class Asked:
    """A question about one loan.

    Args:
        region: of the borrower.
        institution: the bank.
        product: of the policy.
        day: on which it would be lent.
    """

    region: str
    institution: str
    product: str
    day: dt.date


def in_force(transaction: Transaction, asked: Sequence[Asked]) -> list[tuple[str, ...]]:
    """Return for each question the numbers of the suspensions that stand against it, in order of the questions."""
    rows = transaction.rows(
        f"""
        SELECT array_agg(s.suspension_no ORDER BY s.suspension_no) FILTER (WHERE s.suspension_no IS NOT NULL) AS found
        FROM unnest(%(regions)s::text[], %(institutions)s::text[], %(products)s::text[], %(days)s::date[])
             WITH ORDINALITY AS a (region, institution, product, day, place)
        LEFT JOIN registry.lending_suspension s ON starts_with(a.region, s.region)
             AND (s.institution IS NULL OR s.institution = a.institution)
             AND (s.product IS NULL OR s.product = a.product) AND {HOLDS.format("s", "a.day")}
        GROUP BY place ORDER BY place
        """,
        {
            "regions": [each.region for each in asked],
            "institutions": [each.institution for each in asked],
            "products": [each.product for each in asked],
            "days": [each.day for each in asked],
        },
    )
    return [tuple(row["found"] or ()) for row in rows]


def enter(transaction: Transaction, taken: Taken) -> bool:
    """Enter a suspension, or lift the one that has its number; return whether that changed anything.

    Notes HL1059, another suspension has the number; HL1098, it was lifted before.

    Args:
        transaction: in which it is written.
        taken: the fields of `lending_suspension`, and who decided; `person` is None where no person did.
    """
    return bool(_KEPT.enter(transaction, [(taken, taken.facts)]))


def on_lending_suspension(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Suspend lending in an area, or say from when on it goes on."""
    with taking(record, message, transaction, persons.APPROVE, periods.hold) as taken:
        if record["institution"] is not None:
            check_member(transaction, record["institution"], ("bank",), taken)
        enter(transaction, taken)
    return ()
