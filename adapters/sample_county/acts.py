"""What members of the sample county send record by record."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Act", "Listed", "by"]


@dataclass(frozen=True)
class Listed:
    """A list that somebody looks at before a record is sent, and what of it goes into the record.

    Args:
        address: of the query.
        given: its parameters.
        count: the field that says how many rows there are.
        amount: the field that adds up a column, and that column.
        first: the field that says what the first row has in a column, and that column.
    """

    address: str
    given: Mapping[str, str] = field(hash=False)
    count: str | None = None
    amount: tuple[str, str] | None = None
    first: tuple[str, str] | None = None


@dataclass(frozen=True)
class Act:
    """One record that a member sends by itself.

    Args:
        member: who sends it.
        type: the contract of the record.
        record: its fields.
        refused: whether the rules refuse it; None where that is for them to say.
        day: on which it is sent, where the record has no date of its own.
        listed: what is filled in of a list; where the list is empty nothing is sent.
    """

    member: str
    type: str
    record: dict[str, Any] = field(hash=False)
    refused: bool | None = None
    day: dt.date | None = None
    listed: Listed | None = None

    @property
    def sent_on(self) -> dt.date:
        """Return the day on which it is sent."""
        return self.day or dt.date.fromisoformat(self.record["date"])


def by(person: str, day: dt.date) -> dict[str, Any]:
    """Return who took a step, and when."""
    return {"date": day.isoformat(), "person": person}
