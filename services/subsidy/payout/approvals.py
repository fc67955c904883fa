"""Approvals: another person than who ran it approves what of a run may be approved, or refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.error_texts import Bilingual
from huilian.core.errors import MessageRefused
from huilian.county.members import persons
from huilian.county.procedure.acts import check_kind, taking
from services.subsidy import items
from services.subsidy.payout import results
from services.subsidy.payout.postings import facts_of, find_run
from services.subsidy.payout.procedure import Procedures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["NO_CASE", "check_sum", "on_approval"]

NO_CASE: Final = """
    NOT EXISTS (SELECT FROM subsidy.false_claim f WHERE f.institution = i.institution AND f.loan_no = i.loan_no
                AND (f.decision IS NULL OR f.decision = 'approve' AND i.period_start <= f.date))
"""
"""SQL for whether no case of a false claim stands in the way of the item `i`: open, or found true of its period."""
_READY: Final = f"""
    SELECT i.number, i.policy, i.product, i.borrower, i.own, i.state FROM subsidy.item i
    LEFT JOIN subsidy.posting p ON p.posting_no = i.posting
    WHERE i.run_no = %(run_no)s AND {NO_CASE}
      AND (i.state = 'computed' OR i.state = 'posted' AND p.last_day < %(date)s)
"""
_SAME: Final = """
    SELECT true FROM subsidy.approval WHERE (run_no, count, amount, decision, date, member, person) =
    (%(run_no)s, %(count)s, %(amount)s, %(decision)s, %(date)s, %(member)s, %(person)s)
    AND reason IS NOT DISTINCT FROM %(reason)s
"""


def on_approval(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Approve what of a run was posted long enough or needs no posting, or refuse it; the same again does nothing."""
    with taking(record, message, transaction, persons.APPROVE, items.hold) as taken:
        run = find_run(transaction, taken)
        procedures = Procedures(context, taken.date)
        ready = [
            each
            for each in transaction.rows(_READY, record)
            if (procedure := procedures.of(each)) and (each["state"] == "posted" or not procedure.is_posted)
        ]
        allowed, others = procedures.by_kind(ready, taken.member.kind, "approvers")
        if not allowed:
            if transaction.value(_SAME, taken.facts):
                return ()
            for each in others:
                check_kind(taken, each.approvers, Bilingual("贴息审批", "approval of subsidies"))
            if not taken.refusals:
                raise MessageRefused("HL1144", run_no=record["run_no"])
        else:
            check_sum(taken.refuse, record, len(allowed), sum((each["own"] for each in allowed), money.ZERO))
        taken.check(persons.check_four_eyes, (run["member"], run["person"]), taken.who)
        if record["decision"] == "refuse" and record["reason"] is None:
            taken.refuse("HL1064", decision=record["decision"])
    transaction.execute(
        "INSERT INTO subsidy.approval (run_no, count, amount, decision, reason, date, member, person, message) VALUES"
        " (%(run_no)s, %(count)s, %(amount)s, %(decision)s, %(reason)s, %(date)s, %(member)s, %(person)s, %(message)s)",
        taken.facts,
    )
    numbers = [each["number"] for each in allowed]
    told = items.move(transaction, numbers, record["decision"], facts_of(taken, record["reason"]))
    return [*told, *results.tell(transaction)]


def check_sum(refuse: Any, record: Mapping[str, Any], count: int, amount: Any) -> None:  # noqa: ANN401
    """Note HL1145 where what a person saw is not what stands there."""
    if (record["count"], record["amount"]) != (count, amount):
        refuse(
            "HL1145",
            stated=record["count"],
            stated_amount=money.text(record["amount"]),
            found=count,
            amount=money.text(amount),
        )
