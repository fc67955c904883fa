"""Who leads in which area, and whom enterprises lead, as other services are told."""

from __future__ import annotations

import contextlib
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.county import changes as county_changes
from huilian.county.changes import Changes, Event
from huilian.county.sql import names
from huilian.wire.access import service_code
from schemas.parties import LedHouseholdChange, ServiceAreaChange
from services.registry.parties import periods

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["AREAS", "LED", "Told"]

_NOTHING: Final = (None, None)


@dataclass(frozen=True)
class Told:
    """One kind of such records that is told.

    Args:
        event: by which.
        table: of the registry.
        key: the columns that name what holds from a day on.
    """

    event: Event
    table: str
    key: tuple[str, ...]

    @contextlib.contextmanager
    def telling(
        self, transaction: Transaction, condition: str, facts: Mapping[str, Any], drafts: list[Draft]
    ) -> Iterator[None]:
        """Add to `drafts` what the block changes of the rows that meet a condition."""
        before = self._standing(transaction, condition, facts)
        yield
        after = self._standing(transaction, condition, facts)
        buffer = io.StringIO()
        writer, line = csv.writer(buffer), 0
        for key in sorted(before.keys() | after.keys()):
            then, now = before.get(key, _NOTHING), after.get(key, _NOTHING)
            if then != now:
                line += 1
                writer.writerow((*key[:-1], key[-1], None, line, *then, *now))
        if not line:
            return
        number = transaction.value("SELECT nextval('registry.party_revision')")
        with Changes(self.event) as changes:
            changes.take(iter([buffer.getvalue().encode()]))
            drafts += changes.drafts(service_code("registry"), f"registry.{self.table}.{number}")

    def _standing(
        self, transaction: Transaction, condition: str, facts: Mapping[str, Any]
    ) -> dict[tuple[Any, ...], tuple[Any, Any]]:
        rows = transaction.rows(
            f"SELECT {names(self.key)}, from_date, until_date FROM registry.{self.table} WHERE {condition}", facts
        )
        return {
            (*(row[name] for name in self.key), row["from_date"]): (row["from_date"], row["until_date"]) for row in rows
        }

    def tell(self, transaction: Transaction) -> Iterator[Draft]:
        """Return all that holds, or held, as changes; nothing changes until the transaction ends."""
        periods.hold(transaction)
        key = names(self.key)
        query = (
            f"SELECT {key}, from_date, NULL, row_number() OVER (ORDER BY {key}, from_date), NULL, NULL, from_date,"
            f" until_date FROM registry.{self.table} ORDER BY {key}, from_date"
        )
        return county_changes.tell(self.event, transaction.copy_out(query), f"registry.{self.table}")


AREAS: Final = Told(Event("service_areas_changed", 1, ServiceAreaChange), "service_area", ("institution", "region"))
LED: Final = Told(
    Event("led_households_changed", 1, LedHouseholdChange), "led_household", ("enterprise_no", "household_no")
)
