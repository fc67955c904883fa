"""What the calendar does with cases: what is late is chased, once: a step, a share that is due, what goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county.members import directory
from huilian.county.messages.notices import Notice
from huilian.county.schedule import Calendar, Job
from schemas.compensations import LOSS_PARTY
from services.risk_fund.compensation.book import OWN, Act, Book

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from huilian.county.members.directory import Member
    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from services.risk_fund.compensation.book import Case

__all__ = ["JOB", "chase"]

OVERDUE: Final = "step_overdue"
_PAYERS: Final = {"fund": ("county", "finance")}
"""Kinds of member that pay a party's share, where they are not called like it."""


def chase(book: Book, day: dt.date) -> None:
    """Have those told who are late on a day: with a step, with their share, with what they have to hand back."""
    members = [member for member in directory.all_members(book.transaction) if member.takes_part]
    for case in book.find(
        "state IN ('in_review', 'approved', 'returned') AND due < %(day)s AND chased IS NULL", day=day
    ):
        place = book.path(case).place(case.stage)
        stage = None if place is None else book.path(case).stages[place]
        title = case.stage if stage is None else stage.title
        text = f"风险补偿申请 {case.claim_no} 的步骤“{title}”应于 {case.due} 前办理，已超期，请尽快办理"
        by = () if stage is None else stage.by
        if case.state == "approved":
            owing = "、".join(LOSS_PARTY[party] for party in case.unpaid)
            text = f"风险补偿申请 {case.claim_no} 应于 {case.due} 前拨付，{owing}尚未付清"
            by = tuple(kind for party in case.unpaid for kind in _PAYERS.get(party, (party,)))
        _tell(book, case, members, by, text)
        book.change(case, chased=day)
        book.note(case, Act("chase", day, OWN, step=case.stage, reason=f"应于 {case.due} 前办理"))
    for case in book.find("return_by < %(day)s AND return_chased IS NULL", day=day):
        owed = "、".join(f"{LOSS_PARTY[party]} {amount}" for party, amount in case.unreturned.items() if amount > 0)
        text = f"风险补偿申请 {case.claim_no} 的追回款应于 {case.return_by} 前归还，尚未归还：{owed}"
        _tell(book, case, members, ("bank",), text)
        book.note(case, Act("chase", day, OWN, reason=f"追回款应于 {case.return_by} 前归还"))
        book.change(case, return_chased=day)


def _tell(book: Book, case: Case, members: Sequence[Member], by: Sequence[str], text: str) -> None:
    notice = Notice(OVERDUE, text, case.claim_no, region=case.region)
    acting = {
        member.code
        for member in members
        if member.kind in by
        and (member.region is None or case.region.startswith(member.region))
        and (member.kind != "bank" or member.code == case.institution)
    }
    for member in sorted({book.context.county, *acting}):
        book.notify(member, notice)


def _run(office: Office, transaction: Transaction, day: dt.date) -> None:
    book = Book(transaction, office.context)
    chase(book, day)
    office.processor.send_all(transaction, book.write(), service="risk_fund")


JOB: Final = Job("risk_fund.compensation", Calendar(), _run)
"""Looked at every day; what a day without a host left out, the next one makes up for."""
