"""Reservations: what the fund answers to an application that asks it to hold money."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from services.registry.applications.book import OWN, PIECE, Act, Book
from services.registry.applications.confirmation import settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message
    from services.registry.applications.book import Application

__all__ = ["on_reservations_changed"]


def on_reservations_changed(message: Message, transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Let applications go on that the fund holds money for, and come back to who asked where it has no room.

    An answer to an earlier question, or to one that was given up since, changes nothing: the fund learns of that from
    the application itself.
    """
    book = Book(transaction, context)
    lines = message.body().splitlines()
    for start in range(0, len(lines), PIECE):
        changes = [json.loads(line) for line in lines[start : start + PIECE]]
        book.read({change["application_no"] for change in changes})
        for change in changes:
            application = book.get(change["application_no"])
            if application is None or application.state != "pending" or change["after"] is None:
                continue
            if application.attempt == change["attempt"]:
                _answer(book, application, change["after"], dt.date.fromisoformat(change["as_of"]))
        yield from settle(book)
        book.forget()


def _answer(book: Book, application: Application, answer: dict[str, Any], day: dt.date) -> None:
    path = book.path(application)
    number, place = application.application_no, path.place(application.stage) or 0
    day = max(day, application.stage_since)
    if answer["status"] == "reserved":
        following = path.stages[place + 1]
        covered = None if answer["covered"] == "yes" else "不享受风险补偿 (the fund does not cover it)"
        act = Act(number, "reserve" if following.is_reviewed else "confirm", day, OWN, step=application.stage)
        book.move(application, act, following.name, reservation="held", reason=covered)
    elif answer["status"] == "refused":
        move = "fund_refuses" if place else "fund_returns"
        act = Act(number, move, day, OWN, step=application.stage, reason=answer["clause"])
        book.move(application, act, application.stage, reservation=None, reason=answer["clause"])
