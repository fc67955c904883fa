"""Records that hold from a day until another, which a later record of the same number may only bring forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import MessageRefused
from huilian.county.sql import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.database.connection import Transaction

__all__ = ["HOLDS", "enter", "hold"]

HOLDS: Final = "{0}.from_date <= {1} AND ({0}.until_date IS NULL OR {1} < {0}.until_date)"
"""SQL for whether a row holds on a day, to be formatted with the table's alias and the day."""
_TAKEN_BY: Final = ("date", "member", "person", "message")


def hold(transaction: Transaction) -> None:
    """Keep others from entering such records until the transaction ends."""
    transaction.lock("registry.parties")


def enter(
    transaction: Transaction,
    table: str,
    key: tuple[str, ...],
    fields: tuple[str, ...],
    facts: Mapping[str, Any],
    *,
    corrected: tuple[str, ...] = (),
) -> bool:
    """Enter a record, or end the one that has its number; return whether that changed anything.

    Of all records with one number the earliest `until_date` counts, so that they may come in any order.

    Args:
        transaction: in which it is written.
        table: of the registry.
        key: columns that are its number.
        fields: columns in which records with one number agree.
        facts: their values, `from_date`, `until_date`, and who took the step: `date`, `member`, `person`, `message`.
        corrected: columns in which the record with the newest `date` counts.

    Raises:
        MessageRefused: HL1059, another record has the number; HL1098, it ended before, and is not begun again.
    """
    from_date = () if "from_date" in key else ("from_date",)
    columns = (*key, *fields, *corrected, *from_date, "until_date", *_TAKEN_BY)
    values = ", ".join(f"%({name})s" for name in columns)
    is_number = " AND ".join(f"t.{name} = %({name})s" for name in key)
    agreeing = (*fields, "from_date")
    same = " AND ".join(f"t.{name} IS NOT DISTINCT FROM %({name})s" for name in agreeing)
    changed = transaction.execute(
        f"""
        INSERT INTO registry.{table} AS t ({names(columns)}) VALUES ({values})
        ON CONFLICT ({names(key)}) DO UPDATE
        SET until_date = excluded.until_date, ended_on = excluded.date, ended_member = excluded.member,
            ended_person = excluded.person, ended_message = excluded.message
        WHERE {same} AND excluded.until_date < coalesce(t.until_date, 'infinity')
        """,
        facts,
    )
    if corrected:
        kept = ", ".join(f"{name} = %({name})s" for name in (*corrected, *_TAKEN_BY))
        differs = " OR ".join(f"t.{name} IS DISTINCT FROM %({name})s" for name in corrected)
        changed += transaction.execute(
            f"UPDATE registry.{table} AS t SET {kept}"
            f" WHERE {is_number} AND {same} AND t.date <= %(date)s AND ({differs})",
            facts,
        )
    if changed:
        return True
    row = transaction.row(
        f"SELECT {same} AS same, t.until_date, greatest(t.date, t.ended_on) < %(date)s AS newer,"
        " t.until_date < coalesce(%(until_date)s::date, 'infinity') AS longer"
        f" FROM registry.{table} t WHERE {is_number}",
        facts,
    )
    assert row is not None  # noqa: S101  # narrows the type: what was not entered stands
    number = " ".join(str(facts[name]) for name in key)
    if not row["same"]:
        raise MessageRefused("HL1059", number=number)
    if row["newer"] and row["longer"]:
        raise MessageRefused("HL1098", number=number, until=row["until_date"].isoformat())
    return False
