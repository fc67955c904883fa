"""What can be asked of postings, objections, payments and cases of false claims."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma
from marshmallow import validate

from huilian.core import identity, regions
from huilian.core.money import text as yuan
from huilian.county.answer_fields import coded, count, date, masked, money, text
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query
from schemas.subsidies import FALSE_CLAIM, PAYMENT_RESULT, SUBSIDY_STATE
from services.subsidy.payout.false_claims import CASE_STATE, STATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from huilian.database.connection import Transaction

__all__ = ["QUERIES"]

YES_NO: Final = validate.OneOf(("yes", "no"))
RUN: Final = Parameter("run_no", "核算编号", "the run's number", metavar="NUMBER", example="2024-Q1-1")
POSTING: Final = Parameter("posting", "公示编号", "the posting's number", metavar="NUMBER", example="2024-Q1-P1")
PAYMENT: Final = Parameter("payment", "批次号", "the payment's number", metavar="NUMBER", example="2024-Q1-1")
OPEN: Final = Parameter(
    "open", "只看尚无结果、失败未补的", "those without a result, or bounced, only", choices=("yes", "no")
)


class SubsidyPostingRow(ma.Schema):
    """One posting of subsidies."""

    posting_no = text("公示编号")
    run_no = text("核算编号")
    region = text("行政区划代码")
    first_day = date("公示首日")
    last_day = date("公示末日")
    complaint_line = text("监督电话")
    loans = count("笔数")
    objections = count("异议数")
    open = count("未答复异议数")
    institution = text("公示单位")
    person = text("经办人代码")
    message = text("报文编号")


class PostedSubsidyRow(ma.Schema):
    """One line of the list that is put up in a village."""

    region = text("行政区划代码")
    name = text("户主或企业", "Masked; null where no payee was said.", allow_none=True)
    borrower_no = text("户编号或企业编号", allow_none=True)
    loan_no = text("借据号")
    period_start = date("计息起日")
    period_end = date("计息止日")
    amount = money("贴息金额")
    posting_no = text("公示编号")
    first_day = date("公示首日")
    last_day = date("公示末日")
    complaint_line = text("监督电话")
    state = coded("状态", SUBSIDY_STATE)


class SubsidyObjectionRow(ma.Schema):
    """One objection and its answer."""

    objection_no = text("异议编号")
    run_no = text("核算编号")
    institution = text("贷款银行")
    loan_no = text("借据号")
    region = text("行政区划代码")
    raised_on = date("异议日期")
    reason = text("异议内容")
    member = text("受理单位")
    person = text("受理人代码")
    upheld = text("是否成立", validate=YES_NO, allow_none=True)
    answer = text("答复", allow_none=True)
    answered_on = date("答复日期", allow_none=True)
    answer_member = text("答复单位", allow_none=True)
    answer_person = text("答复人代码", allow_none=True)


class SubsidyPaymentRow(ma.Schema):
    """One payment that a bank was told to make, and what became of it."""

    payment_no = text("批次号")
    line = count("序号")
    run_no = text("核算编号")
    payer = text("付款银行")
    institution = text("贷款银行")
    loan_no = text("借据号")
    region = text("行政区划代码")
    account = masked("收款账号", allow_none=True)
    amount = money("金额")
    ordered_on = date("指令日期")
    result = coded("结果", PAYMENT_RESULT, allow_none=True)
    reason = text("失败原因", allow_none=True)
    paid_date = date("入账日期", allow_none=True)
    settled = text("是否办结", "Paid, or paid anew after it bounced.", validate=YES_NO)
    order_message = text("指令报文编号")
    result_message = text("结果报文编号", allow_none=True)


class FalseClaimRow(ma.Schema):
    """One case of a false claim."""

    case_no = text("案件编号")
    kind = coded("情形", FALSE_CLAIM)
    state = coded("状态", CASE_STATE)
    institution = text("贷款银行")
    loan_no = text("借据号")
    region = text("行政区划代码")
    opened_on = date("立案日期")
    reason = text("事由")
    member = text("立案单位")
    amount = money("应追回金额", allow_none=True)
    recovered = money("已追回金额")
    decided_on = date("认定日期", allow_none=True)
    decision_reason = text("认定理由", allow_none=True)
    message = text("报文编号")


_POSTINGS: Final = """
    SELECT p.posting_no, p.run_no, p.region, p.first_day, p.last_day, p.complaint_line, p.count AS loans,
           p.member AS institution, p.person, p.message, count(o.objection_no) AS objections,
           count(o.objection_no) FILTER (WHERE o.answered_on IS NULL) AS open
    FROM subsidy.posting p LEFT JOIN subsidy.objection o ON o.posting = p.posting_no
    WHERE p.region LIKE %(region)s AND (%(run_no)s::text IS NULL OR p.run_no = %(run_no)s)
    GROUP BY p.posting_no ORDER BY p.first_day DESC, p.posting_no
"""
_POSTED: Final = """
    SELECT i.region, y.payee_name AS name, coalesce(i.borrower_no, i.household_no) AS borrower_no, i.loan_no,
           i.period_start, i.period_end, i.own AS amount, p.posting_no, p.first_day, p.last_day, p.complaint_line,
           i.state
    FROM subsidy.item i JOIN subsidy.posting p ON p.posting_no = i.posting
    LEFT JOIN LATERAL (SELECT payee_name FROM subsidy.payee y WHERE y.institution = i.institution
                       AND y.loan_no = i.loan_no ORDER BY number DESC LIMIT 1) y ON true
    WHERE i.region LIKE %(region)s AND (%(posting)s::text IS NULL OR p.posting_no = %(posting)s)
    ORDER BY i.region, i.loan_no, i.number
"""
_OBJECTIONS: Final = """
    SELECT o.objection_no, o.run_no, o.institution, o.loan_no, i.region, o.date AS raised_on, o.reason, o.member,
           o.person, o.upheld, o.answer, o.answered_on, o.answer_member, o.answer_person
    FROM subsidy.objection o JOIN subsidy.item i ON i.number = o.item
    WHERE i.region LIKE %(region)s AND (%(run_no)s::text IS NULL OR o.run_no = %(run_no)s)
    ORDER BY o.date DESC, o.objection_no
"""
_PAYMENTS: Final = """
    SELECT * FROM (
        SELECT o.payment_no, o.line, m.run_no, m.institution AS payer, o.institution, o.loan_no, t.region,
               y.payee_account AS account, o.amount, m.date AS ordered_on, o.result, o.reason, o.paid_date,
               CASE WHEN o.result = 'paid' OR o.result = 'bounced' AND t.is_done THEN 'yes' ELSE 'no' END AS settled,
               m.message AS order_message, o.answer_message AS result_message
        FROM subsidy.payment_order o JOIN subsidy.payment m USING (payment_no)
        LEFT JOIN subsidy.payee y ON y.number = o.payee
        JOIN LATERAL (SELECT min(i.region) AS region, bool_and(i.state <> 'bounced') AS is_done
                      FROM subsidy.payment_item p JOIN subsidy.item i ON i.number = p.item
                      WHERE p.payment_no = o.payment_no AND p.line = o.line) t ON true
    ) o
    WHERE o.region LIKE %(region)s AND (%(payment)s::text IS NULL OR o.payment_no = %(payment)s)
      AND (%(institution)s::text IS NULL OR o.payer = %(institution)s OR o.institution = %(institution)s)
      AND (%(open)s::text IS NULL OR (%(open)s = 'no') = (o.settled = 'yes'))
    ORDER BY o.ordered_on DESC, o.payment_no, o.line
"""
_FALSE_CLAIMS: Final = f"""
    SELECT f.case_no, f.kind, {STATE} AS state, f.institution, f.loan_no, i.region, f.date AS opened_on, f.reason,
           f.member, f.amount, f.decided AS decided_on, f.decision_reason, f.message,
           coalesce((SELECT sum(c.amount) FROM subsidy.clawback c WHERE c.case_no = f.case_no), 0.00) AS recovered
    FROM subsidy.false_claim f
    JOIN LATERAL (SELECT region FROM subsidy.item i WHERE i.institution = f.institution AND i.loan_no = f.loan_no
                  ORDER BY number DESC LIMIT 1) i ON true
    WHERE i.region LIKE %(region)s AND (%(institution)s::text IS NULL OR f.institution = %(institution)s)
    ORDER BY f.date DESC, f.case_no
"""


def _rows(transaction: Transaction, query: str, region: str, **asked: str | None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a query within a region.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    given = asked | {"region": regions.normalise(region) + "%"}
    return (_plain(row) for row in transaction.stream(query, given))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, dt.date) else yuan(value) if isinstance(value, Decimal) else value
        for name, value in row.items()
    }


def subsidy_postings(transaction: Transaction, *, region: str, run_no: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the postings of subsidies within a region, newest first."""
    return _rows(transaction, _POSTINGS, region, run_no=run_no)


def posted_subsidies(transaction: Transaction, *, region: str, posting: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield what is put up in the villages of a region, with masked names."""
    for row in _rows(transaction, _POSTED, region, posting=posting):
        name = row["name"]
        yield row | {"name": name and identity.mask_name(name)}


def subsidy_objections(transaction: Transaction, *, region: str, run_no: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the objections to posted subsidies within a region, newest first."""
    return _rows(transaction, _OBJECTIONS, region, run_no=run_no)


def subsidy_payments(
    transaction: Transaction,
    *,
    region: str,
    payment: str | None = None,
    institution: str | None = None,
    open: str | None = None,  # noqa: A002  # the parameter's name
) -> Iterator[dict[str, Any]]:
    """Yield what banks were told to pay and what became of it, with masked accounts."""
    asked = {"payment": payment, "institution": institution, "open": open}
    for row in _rows(transaction, _PAYMENTS, region, **asked):
        account = row["account"]
        yield row | {"account": account and identity.mask(account)}


def false_claims(transaction: Transaction, *, region: str, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the cases of false claims within a region, newest first."""
    return _rows(transaction, _FALSE_CLAIMS, region, institution=institution)


QUERIES: Final = (
    Query(
        "subsidy_postings",
        subsidy_postings,
        SubsidyPostingRow,
        "贴息公示：每次公示的起止日、笔数和异议。",
        "List the postings of subsidies: windows, counts, objections.",
        parameters=(REGION, RUN),
        command="subsidy postings",
        examples=("huilian subsidy postings --region 341599",),
    ),
    Query(
        "posted_subsidies",
        posted_subsidies,
        PostedSubsidyRow,
        "贴息公示名单：逐村列出公示的贴息，姓名已遮盖，可张贴。",
        "Return the list to be put up in each village, with masked names.",
        parameters=(REGION, POSTING),
        personal=True,
        command="subsidy posted",
        examples=("huilian subsidy posted --region 341599101001 --posting 2024-Q1-P1",),
    ),
    Query(
        "subsidy_objections",
        subsidy_objections,
        SubsidyObjectionRow,
        "贴息异议及答复。",
        "List the objections to posted subsidies and their answers.",
        parameters=(REGION, RUN),
        personal=True,
        command="subsidy objections",
        examples=("huilian subsidy objections --region 341599",),
    ),
    Query(
        "subsidy_payments",
        subsidy_payments,
        SubsidyPaymentRow,
        "贴息拨付对账：每笔指令和结果；可只看尚无结果、失败未补的。",
        "Hold what banks were told to pay against what became of it.",
        parameters=(REGION, PAYMENT, INSTITUTION, OPEN),
        personal=True,
        command="subsidy payments",
        examples=(
            "huilian subsidy payments --region 341599 --payment 2024-Q1-1",
            "huilian subsidy payments --region 341599 --open yes",
        ),
    ),
    Query(
        "false_claims",
        false_claims,
        FalseClaimRow,
        "虚报冒领案件：情形、认定、应追回和已追回。",
        "List the cases of false claims, what must come back and what has.",
        parameters=(REGION, INSTITUTION),
        personal=True,
        command="false-claim list",
        examples=("huilian false-claim list --region 341599",),
    ),
)
