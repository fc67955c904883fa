"""The story of an application, which several services tell together: each step, and which message says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from huilian.county.answer_fields import text
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query
from schemas.household_story import Happened, asked_for, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.database.connection import Transaction

__all__ = ["application_story_told_by"]


APPLICATION: Final = Parameter(
    "application",
    "申请编号",
    "the application's number",
    metavar="NUMBER",
    example="A00001",
    required=True,
    positional=True,
    is_subject=True,
)


class StepHappened(Happened):
    """What happened to an application on a day, as one service knows it."""

    person = text("经办人", "The code of the person who did it; null of what a service did.", allow_none=True)


def application_story_told_by(service: str, happened: str, *, told_to: str = "h.institution") -> Query:
    """Return the query for an application's story, as one service tells it; what all tell comes as one answer.

    Args:
        service: its name.
        happened: an SQL query of what happened to `%(application)s`, with the columns that
            `schemas.household_story.story_told_by` asks for, `person`, and `said_in`, the id of the message.
        told_to: SQL for the member that sees a line beside the one that it names.
    """
    statement = told(happened, "h.said_in", told_to)

    def story(
        transaction: Transaction, *, application: str, region: str | None = None, institution: str | None = None
    ) -> Iterator[dict[str, Any]]:
        asked = {"application": application, "region": region, "institution": institution}
        return asked_for(transaction, service, statement, asked, StepHappened)

    return Query(
        "application_story",
        story,
        StepHappened,
        "显示一笔申请的全部经过：申请、推荐、审核、备付、确认、放款，每条附所依据的报文。",
        "Tell an application's story: every step with the message that says so.",
        parameters=(APPLICATION, replace(REGION, of_token=True), INSTITUTION),
        order=("on", "service"),
        personal=True,
        command="application show",
        examples=("huilian application show A00001", "huilian application show A00001 --json"),
    )
