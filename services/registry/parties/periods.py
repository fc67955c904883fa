"""Records that hold from a day until another, which a later record of the same number may only bring forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.county.sql import names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction

__all__ = ["HOLDS", "Periods", "hold"]

HOLDS: Final = "{0}.from_date <= {1} AND ({0}.until_date IS NULL OR {1} < {0}.until_date)"
"""SQL for whether a row holds on a day, to be formatted with the table's alias and the day."""
_TAKEN_BY: Final = ("date", "member", "person", "message")
_ENDED_BY: Final = ("ended_on", "ended_member", "ended_person", "ended_message")


def hold(transaction: Transaction) -> None:
    """Keep others from entering such records until the transaction ends."""
    transaction.lock("registry.parties")


@dataclass(frozen=True)
class Periods:
    """Where records of one kind are kept; of all with one number the earliest `until_date` counts.

    So records may come in any order, and again.

    Args:
        table: of the registry; it has the columns of the number, `fields` and `corrected`, `from_date`, `until_date`,
            who took the step, and who ended it.
        number: the columns by which a record is known.
        fields: the columns in which records with one number agree; `from_date` is one of them, or of the number.
        corrected: the columns in which the record with the newest `date` counts.
    """

    table: str
    number: tuple[str, ...]
    fields: tuple[str, ...]
    corrected: tuple[str, ...] = ()

    def known(
        self, transaction: Transaction, facts: Sequence[Mapping[str, Any]]
    ) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Return what stands under the numbers of some records, by number."""
        arrays = ", ".join(f"%({name})s::{'date' if name == 'from_date' else 'text'}[]" for name in self.number)
        rows = transaction.rows(
            f"SELECT * FROM registry.{self.table} WHERE ({names(self.number)}) IN (SELECT * FROM unnest({arrays}))",
            {name: [each[name] for each in facts] for name in self.number},
        )
        return {self._number(row): row for row in rows}

    def enter(self, transaction: Transaction, entries: Sequence[tuple[Taken, Mapping[str, Any]]]) -> int:
        """Enter records, or end those that have their numbers, in their order; return how many changed anything.

        Notes with a step HL1059, another record has the number; HL1098, it ended before, and is not made longer. A
        step with which anything is wrong changes nothing.

        Args:
            transaction: in which they are written.
            entries: each step, and the values of the columns.
        """
        known = self.known(transaction, [facts for _, facts in entries])
        changed: dict[tuple[Any, ...], dict[str, Any]] = {}
        count = 0
        for taken, facts in entries:
            number = self._number(facts)
            row = self._after(known.get(number), facts, taken)
            if row is not None and not taken.refusals:
                known[number] = changed[number] = row
                count += 1
        columns = (*self.number, *self.fields, *self.corrected, "until_date", *_TAKEN_BY, *_ENDED_BY)
        updates = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in self.number)
        transaction.many(
            f"INSERT INTO registry.{self.table} ({names(columns)}) VALUES ({', '.join(f'%({n})s' for n in columns)})"
            f" ON CONFLICT ({names(self.number)}) DO UPDATE SET {updates}",
            list(changed.values()),
        )
        return count

    def _number(self, facts: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(facts[name] for name in self.number)

    def _after(self, row: dict[str, Any] | None, facts: Mapping[str, Any], taken: Taken) -> dict[str, Any] | None:
        """Return the row after a record; None where that changes nothing. Notes what is wrong with it."""
        if row is None:
            return dict.fromkeys(_ENDED_BY) | dict(facts)
        number = " ".join(str(each) for each in self._number(facts))
        if any(row[name] != facts[name] for name in self.fields):
            taken.refuse("HL1059", number=number)
            return None
        until, stands = facts["until_date"], row["until_date"]
        new = dict(row)
        if until is not None and (stands is None or until < stands):
            new |= {"until_date": until}
            new |= {ended: facts[name] for ended, name in zip(_ENDED_BY, _TAKEN_BY, strict=True)}
        elif (
            stands is not None and until != stands and facts["date"] > max(row["date"], row["ended_on"] or row["date"])
        ):
            taken.refuse("HL1098", number=number, until=stands.isoformat())
        if any(row[name] != facts[name] for name in self.corrected) and facts["date"] >= row["date"]:
            new |= {name: facts[name] for name in (*self.corrected, *_TAKEN_BY)}
        return None if new == row else new
