"""What the rating service declares: indicators, steps one by one, what follows by the calendar, and its answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from huilian.county.schedule import Calendar, Job
from huilian.county.service import Act, Service
from huilian.database.schema import Component
from services.rating import (
    awards,
    consequences,
    feeds,
    form,
    in_force,
    indicators,
    lines,
    marks,
    postings,
    presentation,
    steps,
)

if TYPE_CHECKING:
    import datetime as dt

    from huilian.county.office import Office
    from huilian.database.connection import Transaction

__all__ = ["service"]

NAME: Final = "rating"


def _follow_calendar(office: Office, transaction: Transaction, day: dt.date) -> None:
    """End validities and postings that are over by a day; tell what came of it."""
    office.processor.send_all(transaction, postings.expire(transaction, day), service=NAME)
    office.processor.send_all(transaction, postings.close(transaction, office.context, day), service=NAME)


def _forget(transaction: Transaction) -> None:
    for fold in (indicators.HOUSEHOLDS, consequences.POLICIES, consequences.CLAIMS):
        fold.forget(transaction)


ACTS: Final = (
    Act(
        "consequence post",
        "consequence_posting",
        "公示区划内尚未公示的奖惩。",
        "Post reward and punishment of a region that was not posted yet.",
        "huilian consequence post --posting-no G1 --region 341599101001 --first-day 2024-03-01 --last-day 2024-03-07"
        " --complaint-line 0564-1234567 --count 4",
    ),
)

service: Final = Service(
    name=NAME,
    component=Component(NAME, Path(__file__).parent / "migrations"),
    records={
        "rating_request": steps.on_request,
        "rating_group": steps.on_group,
        "rating_step": steps.on_step,
        "rating_posting": postings.on_posting,
        "rating_objection": postings.on_objection,
        "rating_answer": postings.on_answer,
        "credit_line": lines.on_credit_line,
        "collective_credit": lines.on_collective_credit,
        "blacklist_entry": lines.on_blacklist_entry,
        "borrower_deed": lines.on_borrower_deed,
        "consequence_posting": awards.on_posting,
    },
    handlers={
        "households_changed": indicators.on_households_changed,
        "loans_changed": consequences.on_loans_changed,
        "policies_changed": consequences.on_policies_changed,
        "claims_changed": consequences.on_claims_changed,
    },
    acts=ACTS,
    queries=(*feeds.QUERIES, form.QUERY),
    forms=(form.FORM,),
    kinds=(indicators.KIND,),
    events=("ratings_changed", marks.EVENT.name, awards.EVENT.name),
    tells={"ratings_changed": in_force.tell, marks.EVENT.name: marks.tell, awards.EVENT.name: awards.tell},
    overview=presentation.overview,
    forget=_forget,
    jobs=(Job("rating.calendar", Calendar(), _follow_calendar),),
)
