"""What the calendar does with applications: a step that is late is chased, once; what is valid no longer lapses."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from huilian.county.members import directory
from huilian.county.messages import notices
from huilian.county.messages.notices import Notice
from huilian.county.schedule import Calendar, Job
from services.registry.applications.book import OWN, PIECE, Act, Book
from services.registry.applications.confirmation import settle
from services.registry.applications.steps import release

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from huilian.county.context import Context
    from huilian.county.members.directory import Member
    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft
    from services.registry.applications.book import Application
    from services.registry.applications.states import Stage

__all__ = ["JOB", "follow"]

_LAPSED: Final = "state IN ('in_review', 'returned', 'pending', 'confirmed') AND valid_until < %(day)s"
_LATE: Final = """
    stage IS NOT NULL AND due < %(day)s AND chased IS NULL AND application_no <> ALL(%(skipped)s)
    -- A loan is seen in a ledger: nobody knows that it is late before one of the last day for it, or later, is there.
    AND (state <> 'confirmed' OR due < %(day)s - 31 OR EXISTS (
         SELECT FROM registry.ledger g WHERE g.institution = application.institution AND g.as_of >= due))
"""
OVERDUE: Final = "step_overdue"


def follow(transaction: Transaction, context: Context, day: dt.date) -> Iterator[Draft]:
    """Let lapse what is valid no longer on a day, then chase what is late; yield what is told."""
    book = Book(transaction, context)
    members = [member for member in directory.all_members(transaction) if member.takes_part]
    while lapsed := book.find(_LAPSED, {"day": day}, at_most=PIECE):
        for each in lapsed:
            act = Act(each.application_no, "lapse", day, OWN, step=each.stage)
            book.move(each, act, None, reason="逾期失效 (its validity is over)", **release(each))
        yield from settle(book)
        book.forget()
    skipped: list[str] = []
    while late := book.find(_LATE, {"day": day, "skipped": skipped}, at_most=PIECE):
        # Nobody can take a step that the policy lacks since it was changed.
        skipped += [each.application_no for each in late if book.lacks(each)]
        yield from _chase(book, [each for each in late if not book.lacks(each)], members, day)
        yield from settle(book)
        book.forget()


def _chase(book: Book, late: Sequence[Application], members: Sequence[Member], day: dt.date) -> Iterator[Draft]:
    told: defaultdict[str, list[Notice]] = defaultdict(list)
    evidence = _evidence(book, [each for each in late if each.state == "confirmed"])
    for application in late:
        path = book.path(application)
        stage = next(stage for stage in path.stages if stage.name == application.stage)
        number, acting = application.application_no, sorted(_who_acts(application, stage, members))
        notice = _notice(application, stage, evidence.get(number))
        for member in sorted({book.context.county, *acting}):
            told[member].append(notice)
        book.chase(application, day, acting[0] if len(acting) == 1 else None, evidence.get(number))
    for member in sorted(told):
        yield notices.draft_of(book.context, member, told[member])


def _who_acts(application: Application, stage: Stage, members: Sequence[Member]) -> Iterator[str]:
    """Yield the members that may take a step: stations of the place, the bank itself, others wherever they are."""
    for member in members:
        is_there = member.region is None or application.region.startswith(member.region)
        is_bank_of_another = member.kind == "bank" and member.code != application.institution
        if member.kind in stage.by and is_there and not is_bank_of_another:
            yield member.code


def _evidence(book: Book, confirmed: Sequence[Application]) -> dict[str, str]:
    """Return by what it is known that loans are late: the newest ledger of the bank, which lacks them."""
    newest = {
        row["institution"]: row["as_of"]
        for row in book.transaction.rows(
            "SELECT institution, max(as_of) AS as_of FROM registry.ledger WHERE institution = ANY(%s) GROUP BY 1",
            [sorted({each.institution for each in confirmed})],
        )
    }
    return {
        each.application_no: f"截至 {as_of} 的台账尚无此笔借据"
        if (as_of := newest.get(each.institution)) is not None and each.due is not None and as_of >= each.due
        else f"{each.due} 以后的台账尚未报送"
        for each in confirmed
    }


def _notice(application: Application, stage: Stage, evidence: str | None) -> Notice:
    text = f"申请 {application.application_no} 的步骤“{stage.title}”应于 {application.due} 前办理，已超期，请尽快办理"
    if evidence is not None:
        text += f"（{evidence}）"
    return Notice(OVERDUE, text, application.application_no, region=application.region)


def _run(office: Office, transaction: Transaction, day: dt.date) -> None:
    office.processor.send_all(transaction, follow(transaction, office.context, day), service="registry")


JOB: Final = Job("registry.applications", Calendar(), _run)
"""Looked at every day; what a day without a host left out, the next one makes up for."""
