"""Enterprises, the households that they lead, and what each of these received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import MessageRefused
from huilian.county.members import persons
from huilian.county.procedure import acts
from huilian.county.procedure.acts import check_region, taking
from services.registry.parties import periods
from services.registry.parties.homes import Homes
from services.registry.parties.periods import HOLDS, Periods
from services.registry.parties.told import LED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["Led", "households_led", "leaders", "on_enterprise", "on_enterprise_benefit", "on_led_household"]

_ENTERPRISES: Final = Periods("enterprise", ("enterprise_no",), ("from_date",), ("name", "region", "kind"))
_LED: Final = Periods(
    "led_household", ("enterprise_no", "household_no", "from_date"), ("way", "orders", "shares", "shares_amount")
)


@dataclass(frozen=True)
class Led:
    """By whom a household is led.

    Args:
        enterprise_no: by this enterprise.
        way: of helping.
        from_date: since that day.
    """

    enterprise_no: str
    way: str
    from_date: dt.date


def households_led(transaction: Transaction, asked: Sequence[tuple[str, str | None, dt.date]]) -> list[tuple[str, ...]]:
    """Return for each (enterprise, way, day) the households that it leads then, in order of the questions.

    Args:
        transaction: in which it is read.
        asked: with None for the way they are those of all ways.
    """
    rows = transaction.rows(
        f"""
        SELECT array_agg(l.household_no ORDER BY l.household_no) FILTER (WHERE l.household_no IS NOT NULL) AS led
        FROM unnest(%(enterprises)s::text[], %(ways)s::text[], %(days)s::date[])
             WITH ORDINALITY AS a (enterprise_no, way, day, place)
        LEFT JOIN registry.led_household l ON l.enterprise_no = a.enterprise_no
             AND (a.way IS NULL OR l.way = a.way) AND {HOLDS.format("l", "a.day")}
        GROUP BY place ORDER BY place
        """,
        {
            "enterprises": [enterprise for enterprise, _, _ in asked],
            "ways": [way for _, way, _ in asked],
            "days": [day for _, _, day in asked],
        },
    )
    return [tuple(row["led"] or ()) for row in rows]


def leaders(transaction: Transaction, asked: Sequence[tuple[str, dt.date]]) -> list[Led | None]:
    """Return for each (household, day) by whom the household is led then, in order of the questions."""
    rows = transaction.rows(
        f"""
        SELECT l.enterprise_no, l.way, l.from_date
        FROM unnest(%(households)s::text[], %(days)s::date[]) WITH ORDINALITY AS a (household_no, day, place)
        LEFT JOIN registry.led_household l ON l.household_no = a.household_no AND {HOLDS.format("l", "a.day")}
        ORDER BY place
        """,
        {"households": [household for household, _ in asked], "days": [day for _, day in asked]},
    )
    return [None if row["enterprise_no"] is None else Led(**row) for row in rows]


def on_enterprise(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter an enterprise, correct its name, region or kind, or end it, and with it what it leads."""
    drafts: list[Draft] = []
    with taking(record, message, transaction, persons.ENTER, periods.hold) as taken:
        for row in _ENTERPRISES.known(transaction, [record]).values():
            check_region(taken.member, row["region"])
        _ENTERPRISES.enter(transaction, [(taken, taken.facts)])
        with LED.telling(transaction, "enterprise_no = %(enterprise_no)s", taken.facts, drafts):
            transaction.execute(
                """
                UPDATE registry.led_household l
                SET until_date = greatest(l.from_date, e.until_date), ended_on = %(date)s, ended_member = %(member)s,
                    ended_person = %(person)s, ended_message = %(message)s
                FROM registry.enterprise e
                WHERE e.enterprise_no = %(enterprise_no)s AND l.enterprise_no = e.enterprise_no
                  AND e.until_date < coalesce(l.until_date, 'infinity') AND l.until_date IS DISTINCT FROM l.from_date
                """,
                taken.facts,
            )
    return drafts


def on_led_household(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter that an enterprise leads a household, which nobody else leads meanwhile, or until when it does."""
    drafts: list[Draft] = []
    same = "enterprise_no = %(enterprise_no)s AND household_no = %(household_no)s"
    with taking(record, message, transaction, persons.ENTER, periods.hold) as taken:
        facts, is_new = taken.facts, not _LED.known(transaction, [record])
        if not Homes(transaction, [record["household_no"]]).check(taken, record["household_no"], listed=is_new):
            return ()
        if is_new:
            facts["until_date"] = _check_enterprise(transaction, taken)
            _check_led_once(transaction, taken)
        with LED.telling(transaction, same, facts, drafts):
            _LED.enter(transaction, [(taken, facts)])
    return drafts


def _check_enterprise(transaction: Transaction, taken: Taken) -> dt.date | None:
    """Return until when an enterprise leads a household: no longer than there is the enterprise.

    Raises:
        MessageRefused: HL1093, it is not entered, or not there from the day on.
    """
    row = transaction.row(
        f"SELECT least(%(until_date)s::date, until_date) AS until FROM registry.enterprise e"
        f" WHERE enterprise_no = %(enterprise_no)s AND {HOLDS.format('e', '%(from_date)s::date')}",
        taken.record,
    )
    if row is None:
        raise MessageRefused(
            "HL1093", enterprise_no=taken.record["enterprise_no"], date=taken.record["from_date"].isoformat()
        )
    until: dt.date | None = row["until"]
    return until


def _check_led_once(transaction: Transaction, taken: Taken) -> None:
    """Note HL1094 for each enterprise that leads the household meanwhile."""
    rows = transaction.rows(
        "SELECT enterprise_no, from_date FROM registry.led_household WHERE household_no = %(household_no)s"
        " AND daterange(from_date, until_date) && daterange(%(from_date)s, %(until_date)s) ORDER BY from_date",
        taken.record,
    )
    for row in rows:
        since, household = row["from_date"].isoformat(), taken.record["household_no"]
        taken.refuse("HL1094", household_no=household, enterprise_no=row["enterprise_no"], since=since)


def on_enterprise_benefit(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter what a household received from an enterprise that leads it, or has led it before."""
    with taking(record, message, transaction, persons.ENTER, periods.hold) as taken:
        if not Homes(transaction, [record["household_no"]]).check(taken, record["household_no"], listed=False):
            return ()
        led = transaction.value(
            "SELECT true FROM registry.led_household WHERE enterprise_no = %(enterprise_no)s"
            " AND household_no = %(household_no)s AND from_date <= %(received)s"
            " AND from_date IS DISTINCT FROM until_date LIMIT 1",
            record,
        )
        if not led:
            day = record["received"].isoformat()
            numbers = {"enterprise_no": record["enterprise_no"], "household_no": record["household_no"]}
            raise MessageRefused("HL1095", **numbers, date=day)
        fields = ("household_no", "received", "kind", "amount")
        acts.enter(transaction, "registry.enterprise_benefit", ("enterprise_no", "reference"), fields, taken)
    return ()
