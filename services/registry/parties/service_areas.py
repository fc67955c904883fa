"""Service areas: which bank is the lead bank of a region on a day, and which villages a bank serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.county.members import persons
from huilian.county.procedure.acts import taking
from services.registry.parties import periods
from services.registry.parties.homes import check_member
from services.registry.parties.periods import HOLDS, Periods
from services.registry.parties.told import AREAS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["lead_bank", "lead_banks", "on_service_area", "villages_served"]

_KEPT: Final = Periods("service_area", ("institution", "region", "from_date"), ("branch", "responsible"))


def lead_bank(region: str, day: str) -> str:
    """Return SQL for the code of a region's lead bank on a day, null where it has none: the narrowest area counts.

    Args:
        region: SQL for its code.
        day: SQL for the day.
    """
    return (
        f"(SELECT s.institution FROM registry.service_area s WHERE starts_with({region}, s.region)"
        f" AND {HOLDS.format('s', day)} ORDER BY length(s.region) DESC LIMIT 1)"
    )


def lead_banks(transaction: Transaction, asked: Sequence[tuple[str, dt.date]]) -> list[str | None]:
    """Return for each (region, day) the code of the lead bank, None where there is none, in order of the questions."""
    rows = transaction.rows(
        f"SELECT {lead_bank('a.region', 'a.day')} AS institution"
        " FROM unnest(%(regions)s::text[], %(days)s::date[]) WITH ORDINALITY AS a (region, day, place) ORDER BY place",
        {"regions": [region for region, _ in asked], "days": [day for _, day in asked]},
    )
    return [row["institution"] for row in rows]


def villages_served(transaction: Transaction, institution: str, day: dt.date) -> list[str]:
    """Return the villages of the roster whose lead bank is this one on a day, by their codes."""
    rows = transaction.rows(
        "SELECT region FROM (SELECT DISTINCT region FROM registry.household) village"
        f" WHERE {lead_bank('village.region', '%(day)s::date')} = %(institution)s ORDER BY region",
        {"institution": institution, "day": day},
    )
    return [row["region"] for row in rows]


def on_service_area(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter which bank leads in an area that no other leads meanwhile, or until when it does."""
    drafts: list[Draft] = []
    same = "institution = %(institution)s AND region = %(region)s"
    with taking(record, message, transaction, persons.APPROVE, periods.hold) as taken:
        if not _KEPT.known(transaction, [record]):
            check_member(transaction, record["institution"], ("bank",), taken)
            _check_responsible(transaction, taken)
            _check_one_lead_bank(transaction, taken)
        with AREAS.telling(transaction, same, taken.facts, drafts):
            _KEPT.enter(transaction, [(taken, taken.facts)])
    return drafts


def _check_responsible(transaction: Transaction, taken: Taken) -> None:
    """Note HL1031 or HL1032 where the bank has no such person, or not on the first day."""
    bank, code, day = taken.record["institution"], taken.record["responsible"], taken.record["from_date"]
    person = {person.code: person for person in persons.persons(transaction, bank)}.get(code)
    if person is None:
        taken.refuse("HL1031", member=bank, person=code)
    elif not person.acts_on(day):
        taken.refuse("HL1032", member=bank, person=code, date=day.isoformat())


def _check_one_lead_bank(transaction: Transaction, taken: Taken) -> None:
    """Note HL1097 for each lead bank that the area has meanwhile."""
    rows = transaction.rows(
        "SELECT institution, from_date FROM registry.service_area WHERE region = %(region)s"
        " AND daterange(from_date, until_date) && daterange(%(from_date)s, %(until_date)s) ORDER BY from_date",
        taken.record,
    )
    for row in rows:
        since = row["from_date"].isoformat()
        taken.refuse("HL1097", region=taken.record["region"], institution=row["institution"], since=since)
