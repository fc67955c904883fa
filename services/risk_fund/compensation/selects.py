"""What is answered about cases: how each stands, its story, and what insurer, guarantor and fund say of each loss."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.errors import UsageError
from huilian.county.submissions.statements import scope
from schemas.compensations import COLLECTION, LOSS_PARTY
from schemas.stories import labelled
from services.risk_fund.compensation.book import OWN
from services.risk_fund.compensation.facts import INSURED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.database.connection import Transaction

__all__ = [
    "CASE_STORY",
    "DIFFERENCES",
    "MOVE",
    "RECONCILED",
    "STORY",
    "case_feed",
    "case_story",
    "collections",
    "loss_reconciliation",
]  # fmt: skip

MOVE: Final = {
    "submit": "提出申请",
    "resubmit": "更正后重新申请",
    "approve": "同意",
    "approve_last": "核定，同意补偿",
    "approve_settled": "核定，无须他方补偿",
    "send_back": "退回",
    "return": "退回补正",
    "refuse": "不予补偿",
    "share_again": "按保险赔付或追回重新分担",
    "settle": "已由保险赔付或追回，无须补偿",
    "pay": "拨付",
    "pay_last": "拨付完毕",
    "take_back_payment": "冲销拨付",
    "recover": "追回",
    "recover_all": "全部追回",
    "hand_back": "归还追回款",
    "take_back_return": "冲销归还",
    "write_off": "核销",
    "take_back_write_off": "冲销核销",
    "chase": "督办",
}
"""What people call what became of a case."""

_CONCERNS: Final = f"""
    (%(institution)s::text IS NULL OR c.institution = %(institution)s OR c.entered_member = %(institution)s
     OR EXISTS (SELECT FROM risk_fund.guarantee_in_force g WHERE g.institution = c.institution
                AND g.loan_no = c.loan_no AND g.member = %(institution)s)
     OR EXISTS (SELECT FROM ({INSURED}) i WHERE i.insurer = %(institution)s AND i.loan_no = c.loan_no
                AND (i.household_no IS NULL OR i.household_no = c.household_no)))
"""
_CASES: Final = f"""
    SELECT c.*, coalesce((c.shares ->> 'fund')::numeric(18,2), 0.00) AS fund_share,
           coalesce((c.paid ->> 'fund')::numeric(18,2), 0.00) AS fund_paid,
           (SELECT count(*) FROM risk_fund.collection k WHERE k.institution = c.institution AND k.loan_no = c.loan_no)
               AS collected
    FROM risk_fund.compensation_case c
    WHERE c.region LIKE %(region)s AND {_CONCERNS} AND (%(state)s::text IS NULL OR c.state = %(state)s)
      AND (%(late)s::text IS NULL OR (c.due IS NOT NULL AND c.due < %(today)s) = (%(late)s = 'yes'))
    ORDER BY c.applied, c.claim_no
"""
_FIELDS: Final = (
    "claim_no", "borrower", "borrower_no", "region", "institution", "loan_no", "filed_by", "applied", "state", "stage",
    "due", "chased", "cause", "overdue_since", "principal", "interest", "insurance_claimed", "insurance_paid",
    "recovered_before", "covered", "fund_share", "fund_paid", "fund_due", "recovered", "return_by", "decided",
    "paid_date", "collected", "evidence", "reason", "message",
)  # fmt: skip


def case_feed(
    transaction: Transaction,
    *,
    region: str,
    today: dt.date,
    policy: object,
    institution: str | None = None,
    state: str | None = None,
    late: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Return the cases of a region as they are now, in the order in which they were asked for.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    del policy
    asked = scope(region, institution) | {"state": state, "late": late, "today": today}
    for row in transaction.stream(_CASES, asked):
        yield _plain({name: row[name] for name in _FIELDS}) | {
            "household_no": row["household_no"],
            "policy": f"{row['policy']} {row['policy_version']} {row['product']}",
            "shares": _parties(row["shares"]),
            "paid": _parties(row["paid"]),
            "recovery_shares": _parties(row["recovery_shares"]),
            "returned": _parties(row["returned"]),
            "refusals": "；".join(_refusal(each) for each in row["refusals"]),
        }


def _refusal(reason: dict[str, str]) -> str:
    return reason["chinese"] + (f"（{reason['clause']}）" if reason["clause"] else "")


def _parties(amounts: dict[str, str]) -> str:
    return ";".join(f"{party}={amount}" for party, amount in amounts.items())


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _text(value) for name, value in row.items()}


def _text(value: object) -> object:
    if isinstance(value, Decimal):
        return money.text(value)
    return value.isoformat() if isinstance(value, dt.date) else value


# -- stories -----------------------------------------------------------------------------------------------------------

_STEPS: Final = f"""
    SELECT s.date AS "on", 60 + row_number() OVER (ORDER BY s.number) AS rank, c.region,
           CASE WHEN s.member = '{OWN}' THEN NULL ELSE s.member END AS institution,
           '风险补偿' || coalesce('：' || {labelled("s.party", LOSS_PARTY)}, '') AS what, c.claim_no AS number,
           CASE WHEN s.move IN ('submit', 'resubmit') THEN c.principal + c.interest ELSE s.amount END AS amount,
           concat({labelled("s.move", MOVE)}, '（' || s.step || '）', '；' || s.reason) AS state,
           NULL::integer AS submission, NULL::integer AS sequence, NULL::integer AS line, s.message AS said_in,
           s.person, s.entered, c.institution AS told_to
    FROM risk_fund.compensation_step s JOIN risk_fund.compensation_case c USING (claim_no)
"""
_COLLECTED: Final = f"""
    SELECT k.date AS "on", 40 AS rank, c.region, k.member AS institution, '催收' AS what, k.loan_no AS number,
           NULL::numeric AS amount, concat({labelled("k.kind", COLLECTION)}, '；' || k.result) AS state,
           NULL::integer AS submission, NULL::integer AS sequence, NULL::integer AS line, k.message AS said_in,
           k.person, NULL::date AS entered, k.institution AS told_to
    FROM risk_fund.collection k JOIN (
        SELECT institution, loan_no, household_no, region FROM risk_fund.loan_change
        GROUP BY institution, loan_no, household_no, region HAVING sum(n) > 0
    ) c USING (institution, loan_no)
"""
STORY: Final = f"""
    ({_STEPS} WHERE c.household_no = %(household)s) UNION ALL ({_COLLECTED} WHERE c.household_no = %(household)s)
"""
"""What became of the losses of a household's loans, and how they were collected."""
CASE_STORY: Final = f"""
    SELECT h.* FROM (({_STEPS} WHERE c.claim_no = %(claim)s) UNION ALL (
        {_COLLECTED} JOIN risk_fund.compensation_case d USING (institution, loan_no) WHERE d.claim_no = %(claim)s)) h
    WHERE h.region LIKE %(region)s
      AND (%(institution)s::text IS NULL OR h.institution = %(institution)s OR h.told_to = %(institution)s)
    ORDER BY "on", rank
"""


def case_story(
    transaction: Transaction, *, claim: str, region: str | None = None, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return all that became of a case, and how its loan was collected.

    Raises:
        UsageError: HL7028, there is no such case within what the reader may see.
    """
    rows = transaction.rows(CASE_STORY, {"claim": claim, "region": f"{region or ''}%", "institution": institution})
    if not rows:
        raise UsageError("HL7028", number=claim)
    names = ("on", "institution", "what", "number", "amount", "state", "person", "message", "entered")
    return (_plain({name: (row | {"message": row["said_in"]})[name] for name in names}) for row in rows)


def collections(transaction: Transaction, *, region: str, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the steps of collection of a region's loans.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    rows = transaction.stream(
        "SELECT k.collection_no, k.institution, k.loan_no, c.household_no, c.region, k.date, k.kind, k.result,"
        " k.document, k.member, k.person, k.message FROM risk_fund.collection k JOIN ("
        "  SELECT institution, loan_no, household_no, region FROM risk_fund.loan_change"
        "  GROUP BY institution, loan_no, household_no, region HAVING sum(n) > 0) c USING (institution, loan_no)"
        " WHERE c.region LIKE %(region)s AND (%(institution)s::text IS NULL OR k.institution = %(institution)s)"
        " ORDER BY k.date, k.collection_no",
        scope(region, institution),
    )
    return map(_plain, rows)


# -- who made good what ------------------------------------------------------------------------------------------------

RECONCILED: Final = f"""
    SELECT c.claim_no, c.institution, c.loan_no, c.household_no, c.region, c.state, c.principal + c.interest AS lost,
           c.insurance_claimed, c.insurance_paid AS insurance_counted, i.paid AS insurer_paid,
           s.guarantor_share, s.guarantor_paid, g.compensated AS guarantor_book, s.fund_share, s.fund_paid,
           b.booked AS fund_booked, s.others_paid, c.recovered_before, c.recovered, r.recovered AS recovered_by_bank,
           s.guarantor_due, s.guarantor_returned, g.recovered AS guarantor_book_recovered, s.fund_due_back,
           s.fund_returned, b.recovered AS fund_booked_recovered,
           -- What came back after the payment is handed on: it is no second compensation.
           greatest(0.00, i.paid + c.recovered_before + greatest(s.guarantor_paid, g.compensated) + s.fund_paid
                          + s.others_paid - greatest(0.00, i.paid - c.insurance_paid) - (c.principal + c.interest))
               AS twice
    FROM risk_fund.compensation_case c
    CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0.00) AS paid FROM ({INSURED}) i
        WHERE i.loan_no = c.loan_no AND i.status = 'settled'
          AND (i.household_no IS NULL OR c.household_no IS NULL OR i.household_no = c.household_no)) i
    CROSS JOIN LATERAL (SELECT coalesce(sum(p.principal + p.interest), 0.00) AS compensated,
                               coalesce(sum(p.recovered), 0.00) AS recovered
        FROM risk_fund.newest_guarantee_compensation p WHERE p.loan_no = c.loan_no AND EXISTS (
            SELECT FROM risk_fund.newest_guarantee g WHERE g.member = p.member AND g.guarantee_no = p.guarantee_no
            AND g.loan_no = p.loan_no AND g.institution = c.institution)) g
    CROSS JOIN LATERAL (SELECT coalesce(sum(amount) FILTER (WHERE account IN ('compensation', 'written_off',
                                                                              'second_tier_due')), 0.00) AS booked,
                               -coalesce(sum(amount) FILTER (WHERE account = 'recovered'), 0.00) AS recovered
        FROM risk_fund.posting p WHERE p.reference = c.claim_no) b
    CROSS JOIN LATERAL (SELECT coalesce(sum(principal + interest), 0.00) AS recovered FROM risk_fund.recovery r
        WHERE r.institution = c.institution AND r.loan_no = c.loan_no AND r.recovered_date > c.applied) r
    CROSS JOIN LATERAL (SELECT
        coalesce((c.shares ->> 'guarantor')::numeric(18,2), 0.00) AS guarantor_share,
        coalesce((c.paid ->> 'guarantor')::numeric(18,2), 0.00) AS guarantor_paid,
        coalesce((c.recovery_shares ->> 'guarantor')::numeric(18,2), 0.00) AS guarantor_due,
        coalesce((c.returned ->> 'guarantor')::numeric(18,2), 0.00) AS guarantor_returned,
        coalesce((c.shares ->> 'fund')::numeric(18,2), 0.00) AS fund_share,
        coalesce((c.paid ->> 'fund')::numeric(18,2), 0.00) AS fund_paid,
        coalesce((c.recovery_shares ->> 'fund')::numeric(18,2), 0.00) AS fund_due_back,
        coalesce((c.returned ->> 'fund')::numeric(18,2), 0.00) AS fund_returned,
        (SELECT coalesce(sum(value::numeric(18,2)), 0.00) FROM jsonb_each_text(c.paid)
         WHERE key NOT IN ('fund', 'guarantor')) AS others_paid) s
    WHERE c.state NOT IN ('refused', 'returned')
"""
"""Of each loss what insurer, guarantor and fund say, each by itself, and the fund's books."""
FINDING: Final = {
    "insurer_differs_from_bank": "r.insurance_claimed <> r.insurer_paid",
    "insurer_paid_late": "r.state <> 'in_review' AND r.insurer_paid <> r.insurance_counted",
    "guarantor_differs_from_book": "r.guarantor_paid <> r.guarantor_book",
    "guarantor_recovery_differs_from_book": "r.guarantor_returned <> r.guarantor_book_recovered",
    "loss_made_good_twice": "r.twice > 0",
}
"""What is found of a loss, by code, and the SQL that finds it."""
_FOUND: Final = (
    "concat_ws(';', " + ", ".join(f"CASE WHEN {sql} THEN '{code}' END" for code, sql in FINDING.items()) + ")"
)


def loss_reconciliation(
    transaction: Transaction, *, region: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return of each loss of a region what insurer, guarantor and fund say, and what does not match of it.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    rows = transaction.stream(
        f"SELECT r.*, {_FOUND} AS findings FROM ({RECONCILED}) r JOIN risk_fund.compensation_case c USING (claim_no)"
        f" WHERE r.region LIKE %(region)s AND {_CONCERNS} ORDER BY r.institution, r.loan_no",
        scope(region, institution),
    )
    return map(_plain, rows)


DIFFERENCES: Final = f"""
    SELECT f.kind, r.institution, r.loan_no, r.household_no, r.region, c.applied::text, r.claim_no
    FROM ({RECONCILED}) r JOIN risk_fund.compensation_case c USING (claim_no)
    CROSS JOIN LATERAL (VALUES ('loss_made_good_twice', r.twice > 0),
        ('guarantor_differs_from_book', {FINDING["guarantor_differs_from_book"]})) AS f (kind, found) WHERE f.found
"""
"""What does not match between insurer, guarantor and fund, for the list of all differences."""
