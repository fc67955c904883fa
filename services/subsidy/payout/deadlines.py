"""Deadlines: who files, approves or pays too late is told once, and the county with it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from huilian.county.members import directory
from huilian.county.messages import notices
from huilian.county.messages.notices import Notice
from huilian.county.schedule import Calendar, Job
from huilian.policy.reading import Reading
from huilian.policy.subsidy.rules import period_end
from services.subsidy.payout.procedure import DAY, Procedures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from huilian.county.context import Context
    from huilian.county.members.directory import Member
    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["JOB", "chase"]

OVERDUE: Final = "step_overdue"
_BANK, _TOWNSHIP = "bank", "township"
_LOOKED_AT: Final = dt.timedelta(31)
"""How long after its deadline a filing is looked for."""
_QUARTERS: Final = ((3, 31), (6, 30), (9, 30), (12, 31))
_UNAPPROVED: Final = """
    SELECT i.run_no, i.policy, i.product, i.borrower, min(c.date) AS since, count(*) AS count
    FROM subsidy.item i JOIN subsidy.claim c ON c.filed = i.claim
    WHERE i.state IN ('computed', 'posted') GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
_UNPAID: Final = """
    SELECT i.run_no, i.policy, i.product, i.borrower, m.institution AS payer, min(s.date) AS since, count(*) AS count
    FROM subsidy.item i
    JOIN LATERAL (SELECT max(date) AS date FROM subsidy.item_step s WHERE s.item = i.number AND s.move = 'approve') s
      ON true
    LEFT JOIN subsidy.payment_item p ON p.item = i.number AND NOT p.bounced AND i.state = 'ordered'
    LEFT JOIN subsidy.payment m ON m.payment_no = p.payment_no
    WHERE i.state IN ('approved', 'ordered', 'bounced') AND i.approved > 0
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""
_LENT: Final = """
    SELECT institution, product, left(region, 9) AS township, count(*) AS count FROM (
        SELECT institution, loan_no, region, product FROM subsidy.loan_step
        WHERE start_date < %(until)s AND (settled_date IS NULL OR settled_date > %(since)s)
        GROUP BY 1, 2, 3, 4 HAVING sum(n) > 0
    ) l
    WHERE NOT EXISTS (SELECT FROM subsidy.claim c WHERE c.institution = l.institution AND c.loan_no = l.loan_no
                      AND c.replaced_by IS NULL AND c.period_end > %(since)s)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def chase(transaction: Transaction, context: Context, day: dt.date) -> Iterator[Draft]:
    """Yield the notices of what is late on a day, each told once."""
    procedures, late = Procedures(context, day), _Late(transaction, context, day)
    for row in transaction.rows(_UNAPPROVED):
        procedure = procedures.of(row)
        if procedure and procedure.approved_within is not None:
            due = context.working_days.after(row["since"], procedure.approved_within)
            text = f"核算 {row['run_no']} 的贴息应于 {due} 前审批，尚有 {row['count']} 笔未批"
            late.note(due, f"approve-{row['run_no']}", text, row["run_no"], kinds=procedure.approvers)
    for row in transaction.rows(_UNPAID):
        procedure = procedures.of(row)
        if procedure and procedure.paid_within is not None:
            due = context.working_days.after(row["since"], procedure.paid_within)
            kinds = () if row["payer"] else procedure.payers
            text = f"核算 {row['run_no']} 的贴息应于 {due} 前拨付，尚有 {row['count']} 笔未到账"
            late.note(due, f"pay-{row['run_no']}", text, row["run_no"], kinds=kinds, code=row["payer"])
    _note_unfiled(transaction, context, day, late)
    yield from late.drafts()


class _Late:
    """What is late, by whom it concerns."""

    def __init__(self, transaction: Transaction, context: Context, day: dt.date) -> None:
        self._transaction, self._context, self._day = transaction, context, day
        self._members = [member for member in directory.all_members(transaction) if member.takes_part]
        self._told: defaultdict[str, list[Notice]] = defaultdict(list)

    def note(
        self,
        due: dt.date,
        key: str,
        text: str,
        reference: str,
        *,
        kinds: tuple[str, ...] = (),
        code: str | None = None,
        region: str | None = None,
    ) -> None:
        """Note that something was due on a day; the county hears of it, and who should have done it."""
        if due >= self._day:
            return
        now = self._context.clock.now()
        for member in self._members:
            concerned = member.code in {code, self._context.county} or (member.kind in kinds and _is_at(member, region))
            # Said as long as it stands so once a run or period, however many are late.
            if concerned and notices.note(self._transaction, member.code, OVERDUE, key, now=now):
                self._told[member.code].append(Notice(OVERDUE, text, reference, region=region))

    def drafts(self) -> Iterator[Draft]:
        """Yield the notices."""
        for member in sorted(self._told):
            yield notices.draft_of(self._context, member, self._told[member])


def _is_at(member: Member, region: str | None) -> bool:
    return region is None or member.region == region


def _note_unfiled(transaction: Transaction, context: Context, day: dt.date, late: _Late) -> None:
    """Note whose loans earn in a period that is over, and were not asked for until the policy's last day."""
    periods: defaultdict[tuple[dt.date, dt.date, dt.date], list[tuple[str, str, str]]] = defaultdict(list)
    lenders = transaction.rows("SELECT DISTINCT institution, product FROM subsidy.loan_step ORDER BY 1, 2")
    for row in lenders:
        if (found := _filing(context, row["institution"], row["product"], day)) is not None:
            filer, *period = found
            periods[period[0], period[1], period[2]].append((row["institution"], row["product"], filer))
    for (since, until, due), filing in periods.items():
        filers: dict[tuple[str, str], str] = {(bank, product): filer for bank, product, filer in filing}
        counts: defaultdict[tuple[str | None, str | None], int] = defaultdict(int)
        for row in transaction.rows(_LENT, {"since": since, "until": until}):
            who_files = filers.get((row["institution"], row["product"]))
            if who_files == _BANK:
                counts[row["institution"], None] += row["count"]
            elif who_files == _TOWNSHIP:
                counts[None, row["township"]] += row["count"]
        for (institution, township), left in counts.items():
            text = f"截至 {until - DAY} 的结算期应于 {due} 前申报贴息，尚有 {left} 笔借据未申报"
            key = f"file-{until}-{institution or township}"
            kinds = (_TOWNSHIP,) if township else ()
            late.note(due, key, text, f"{until:%Y-%m-%d}", kinds=kinds, code=institution, region=township)


def _filing(
    context: Context, institution: str, product_code: str, day: dt.date
) -> tuple[str, dt.date, dt.date, dt.date] | None:
    """Return who files for a bank's product, and the newest period that is over: from, until, filed by."""
    meant = context.policy_product(institution, product_code)
    policy = context.policy if meant is None else context.rules.named(meant[0])
    product = policy.product(meant[1] if meant else None, borrower="household", signed=day)
    if product is None or not product.has("subsidy"):
        return None
    reading, known = Reading(policy, product), _facts(product.borrowers[0], day)
    within = reading.value("subsidy.filed_within", known)
    if within is None or reading.value("subsidy.settled", known) == "on_repayment":
        return None
    ends = reading.value("subsidy.period_ends", known) or _QUARTERS
    last = _last_end(ends, day)
    due = context.working_days.after(last, within)
    if not due < day <= due + _LOOKED_AT:
        return None
    filer = reading.value("subsidy.filed_by", known) or _BANK
    return filer, _last_end(ends, last) + DAY, last + DAY, due


def _facts(borrower: str, day: dt.date) -> Mapping[str, Any]:
    return {"borrower": borrower, "event": day, "signed": day}


def _last_end(ends: Any, day: dt.date) -> dt.date:  # noqa: ANN401  # days of the year
    """Return the last day of the newest period that is over on a day."""
    before = day - DAY
    while (end := period_end(ends, before)) >= day:
        before -= DAY * 27
    following = period_end(ends, end + DAY)
    while following < day:
        end, following = following, period_end(ends, following + DAY)
    return end


def _run(office: Office, transaction: Transaction, day: dt.date) -> None:
    office.processor.send_all(transaction, chase(transaction, office.context, day), service="subsidy")


JOB: Final = Job("subsidy.deadlines", Calendar(), _run)
"""Looked at every day; what a day without a host left out, the next one makes up for."""
