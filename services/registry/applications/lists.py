"""Lists for the next step: the applications that wait for it, and the households in need, to be filled in by people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.core import money, regions
from huilian.county.answer_fields import count, date, masked, text
from huilian.county.answer_fields import money as yuan
from huilian.county.forms import ListForm
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query
from schemas.steps import DECISION
from schemas.stories import labelled
from services.registry.applications import form
from services.registry.applications.queries import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.database.connection import Transaction

__all__ = ["FORMS", "QUERIES"]

_ADAPTER: Final = "county_forms"
_OPINIONS: Final = 1000
"""Characters of the opinions of the steps before; what is longer is in the application's story."""
STEP: Final = Parameter(
    "step", "步骤代码，如 township_review", "the step, township_review", "STEP", "township_review", required=True
)

_DUE: Final = f"""
    SELECT a.application_no, a.stage AS step, a.due::text, a.borrower_no,
           coalesce(a.applicant_name, e.name) AS borrower_name, a.applicant, a.region, a.institution,
           a.bank_product AS product, a.amount, a.term, a.annual_rate_percent, a.purpose, a.other_loans,
           a.applied::text, left(o.opinions, {_OPINIONS}) AS opinions
    FROM registry.application a
    LEFT JOIN registry.enterprise e ON a.borrower = 'enterprise' AND e.enterprise_no = a.borrower_no
    LEFT JOIN LATERAL (
        SELECT string_agg(concat(
                   coalesce(s.title, s.step), '：', {labelled("s.decision", DECISION)},
                   '，' || s.opinion, '，' || s.reason, '（', s.date, ' ', s.member, '）'
               ), '；' ORDER BY s.number) AS opinions
        FROM registry.application_step s WHERE s.application_no = a.application_no AND s.decision IS NOT NULL
    ) o ON true
    WHERE a.stage = %(step)s AND a.state IN ('in_review', 'confirmed', 'lent') AND a.region LIKE %(region)s
      AND (%(institution)s::text IS NULL OR a.institution = %(institution)s)
    ORDER BY a.region, a.due NULLS LAST, a.application_no
"""


class DueRow(ma.Schema):
    """One application that waits for a step, with what the steps before said."""

    application_no = text("申请编号")
    step = text("步骤")
    due = date("办理期限", "The last day; null where the policy sets none.", allow_none=True)
    borrower_no = text("户编号或企业编号")
    borrower_name = text("申请人", allow_none=True)
    identity_number = masked("证件号码", allow_none=True)
    region = text("行政区划代码")
    institution = text("贷款银行")
    product = text("产品代码", "The bank's own; null where it was not said.", allow_none=True)
    amount = yuan("申请金额", "As the last step set it")
    term = count("期限(月)")
    annual_rate_percent = text("年利率(%)", allow_none=True)
    purpose = text("贷款用途")
    other_loans = yuan("其他贷款余额")
    applied = date("申请日期")
    opinions = text("以前各步意见", allow_none=True)


def due_applications(
    transaction: Transaction, *, region: str, step: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the applications of a region that wait for a step, by village.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        step: its code.
        institution: only the applications to this bank.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    asked = {"region": regions.normalise(region) + "%", "step": step, "institution": institution}
    for row in transaction.stream(_DUE, asked):
        told = row | shown(row) | {"other_loans": money.text(row["other_loans"])}
        yield told | {"identity_number": told.pop("applicant")}


QUERIES: Final = (
    form.QUERY,
    Query(
        "feed/due_applications",
        due_applications,
        DueRow,
        "输出等待某一步骤的贷款申请，每件一行，含以前各步的意见。身份证号已遮盖。",
        "Return the applications that wait for a step, with the opinions of the steps before.",
        "A bank's token sees the applications to the bank.",
        parameters=(REGION, STEP, INSTITUTION),
        personal=True,
        examples=("huilian feed due_applications --region 341599101 --step township_review --format csv",),
    ),
)
FORMS: Final = (
    form.FORM,
    ListForm(
        "due_applications",
        "feed/due_applications",
        "due_applications/v1",
        _ADAPTER,
        "待办名单：等待某一步骤的申请，填写意见后原样报送（申请汇总表、核查反馈表、确认表等）。",
        "The applications that wait for a step, as the form to fill in and push back.",
    ),
    ListForm(
        "borrowers_in_need",
        "needs",
        "borrowers_in_need/v1",
        _ADAPTER,
        "需求名单：有需求而未申请的农户，预填业务申请表，填写后原样报送。",
        "The households in need that have not applied, as form 1 to fill in and push back.",
        {"household_no": "borrower_no", "head_name": "borrower_name"},
    ),
)
