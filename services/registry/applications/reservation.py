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
                day = dt.date.fromisoformat(change["as_of"])
                _answer(book, application, change["after"], day, message.id)
        yield from settle(book)
        book.forget()


def _answer(book: Book, application: Application, answer: dict[str, Any], day: dt.date, message: str) -> None:
    number, step = application.application_no, application.stage
    day = max(day, application.stage_since)
    if answer["status"] == "reserved" and (lacking := book.lacks(application)):
        # Who asked decides anew once the policy has it again; until then the fund holds nothing.
        reason = f"政策已没有{lacking.chinese}，备付已解除，待恢复后重新办理"
        act = Act(number, _back(book, application), day, OWN, message=message, step=step, reason=reason)
        book.move(application, act, step, reservation="released", reason=reason)
    elif answer["status"] == "reserved":
        path = book.path(application)
        place = path.place(step) or 0
        following = path.stages[place + 1]
        covered = None if answer["covered"] == "yes" else "不享受风险补偿 (the fund does not cover it)"
        move = "reserve" if following.is_reviewed else "confirm"
        act = Act(number, move, day, OWN, message=message, step=step)
        book.move(application, act, following.name, reservation="held", reason=covered)
    elif answer["status"] == "refused":
        reason = answer["clause"]
        act = Act(number, _back(book, application), day, OWN, message=message, step=step, reason=reason)
        book.move(application, act, step, reservation=None, reason=reason)


def _back(book: Book, application: Application) -> str:
    """Return the move back to who asked: a review, or the request where nobody reviews."""
    asked = [act for act in book.acts(application.application_no) if act.move == "approve_to_reserve"]
    return "fund_returns" if asked and asked[-1].member == OWN else "fund_refuses"
