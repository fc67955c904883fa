"""The stories of a household and of an application, told by several services together, each line with its message."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.core.money import text as money_text
from huilian.county.answer_fields import count, date, money, text
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = ["APPLICATION", "application_story_told_by", "labelled", "story_told_by"]


HOUSEHOLD: Final = Parameter(
    "household",
    "户编号",
    "the household's number",
    metavar="NUMBER",
    example="HH00001",
    required=True,
    positional=True,
    is_subject=True,
)


class Happened(ma.Schema):
    """What happened to a household on a day, as one service knows it."""

    on = date("日期", "The day of effect.")
    what = text("事项", "In Chinese, for people.")
    service = text("服务", "Which service tells it.")
    institution = text("机构", "Who stated it, or is late; null of what no member did.", allow_none=True)
    number = text("业务编号", "The loan's, guarantee's, policy's, claim's or rating's number.", allow_none=True)
    amount = money("金额", "Yuan.", allow_none=True)
    state = text("结果", "As it is after that day.", allow_none=True)
    message = text("报文编号", "The sealed message that says so.", allow_none=True)
    file_name = text("文件名", allow_none=True)
    line = count("行号", "The line in the file.", allow_none=True)
    entered = date("录入日期", "When it was sealed or noted; null where nobody kept it.", allow_none=True)


_TOLD: Final = """
    SELECT h.*, s.manifest ->> 'file_name' AS file_name, {message} AS message
    FROM ({happened}) h
    LEFT JOIN huilian.submission s ON s.number = h.submission
    LEFT JOIN huilian.submission_part p ON p.submission = s.submission AND p.sequence = h.sequence
          AND p.sha256 = (SELECT m.sha256 FROM jsonb_to_recordset(s.manifest -> 'parts')
                          AS m(sequence integer, sha256 text) WHERE m.sequence = h.sequence)
    WHERE h.region LIKE %(region)s
      AND (%(institution)s::text IS NULL OR h.institution = %(institution)s OR {told_to} = %(institution)s
           OR ({told_to} IS NULL AND %(disclosed)s))
    ORDER BY "on", rank, h.institution, number
"""


def labelled(column: str, labels: Mapping[str, str]) -> str:
    """Return SQL for what people call the codes of a column."""
    cases = " ".join(f"WHEN '{code}' THEN '{label}'" for code, label in labels.items())
    return f"CASE {column} {cases} ELSE {column} END"


def _told(happened: str, message: str, told_to: str = "h.institution") -> str:
    """Return the SQL of a story: what happened, the file that says so, and the message.

    Args:
        happened: as `story_told_by` takes it.
        message: SQL for the id of the message.
        told_to: SQL for the member that sees a line beside the one that it names.
    """
    return _TOLD.format(happened=happened, message=message, told_to=told_to)


def _asked_for(
    transaction: Transaction,
    service: str,
    statement: str,
    asked: Mapping[str, Any],
    row: type[Happened] = Happened,
) -> Iterator[dict[str, Any]]:
    """Yield a story as one service tells it, within what a reader may see, in the fields of `row`."""
    names = list(row().fields)
    for found in transaction.rows(statement, {"disclosed": False, **asked, "region": f"{asked['region'] or ''}%"}):
        entered = found.get("entered")
        line = found | {
            "on": found["on"].isoformat(),
            "entered": entered and entered.isoformat(),
            "service": service,
            "amount": None if found["amount"] is None else money_text(found["amount"]),
        }
        yield {name: line[name] for name in names}


def story_told_by(
    service: str,
    happened: str,
    *,
    message: str = "p.message",
    told_to: str = "h.institution",
    is_disclosed: Callable[[Transaction, str, str, dt.date], bool] | None = None,
    titles: Callable[[Policy], Mapping[str, str]] | None = None,
) -> Query:
    """Return the query for a household's story, as one service tells it; what all tell comes as one answer.

    Args:
        service: its name.
        happened: an SQL query of what happened to `%(household)s`: `on`, `rank` (the order within a day), `region`,
            `institution`, `what`, `number`, `amount`, `state`, and where it was read: `submission`, `sequence`, `line`.
        message: SQL for the id of the message; of a record that travels alone the query says it itself.
        told_to: SQL for the member that sees a line beside the one that it names.
        is_disclosed: returns whether a member, besides what it has stated itself, sees what no member states. It is
            called with the transaction, the household, the member and the day.
        titles: returns what the county's policy calls its codes; the query has them as the object `%(titles)s`.
    """
    statement = _told(happened, message, told_to)

    def story(
        transaction: Transaction,
        *,
        household: str,
        policy: Policy,
        today: dt.date,
        region: str | None = None,
        institution: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {"household": household, "region": region, "institution": institution}
        if titles is not None:
            asked["titles"] = json.dumps(titles(policy))
        if institution is not None and is_disclosed is not None:
            asked["disclosed"] = is_disclosed(transaction, household, institution, today)
        return _asked_for(transaction, service, statement, asked)

    return Query(
        "household_story",
        story,
        Happened,
        "显示一户的全部经过：花名册、借据、还款、担保、保险等，每条附所依据的报文、文件和行。",
        "Tell a household's story: every line with the message, file and line that say so.",
        parameters=(HOUSEHOLD, replace(REGION, of_token=True), INSTITUTION),
        order=("on", "service"),
        needs_policy=True,
        personal=True,
        command="household show",
        examples=("huilian household show HH00001", "huilian household show HH00001 --json"),
    )


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
            `story_told_by` asks for, `person`, and `said_in`, the id of the message.
        told_to: SQL for the member that sees a line beside the one that it names.
    """
    statement = _told(happened, "h.said_in", told_to)

    def story(
        transaction: Transaction, *, application: str, region: str | None = None, institution: str | None = None
    ) -> Iterator[dict[str, Any]]:
        asked = {"application": application, "region": region, "institution": institution}
        return _asked_for(transaction, service, statement, asked, StepHappened)

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
