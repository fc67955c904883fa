"""What form 附件2 shows of a case: the borrower's own application, and who decided what."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.core import money
from huilian.core.errors import ConfigurationError, UsageError
from huilian.county.answer_fields import coded, count, date, nested, text
from huilian.county.answer_fields import money as yuan
from huilian.county.forms import Form
from huilian.county.queries import REGION, Parameter, Query
from huilian.policy.tables import MissingFactError
from schemas.compensations import CASE_STATE, LOSS_CAUSE, LOSS_PARTY
from services.risk_fund.compensation import facts
from services.risk_fund.compensation.states import COLLECTION, PAYMENT, REQUEST, path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = ["FORM", "QUERY", "compensation_form_of"]

NUMBER: Final = Parameter(
    "number", "申请编号", "the claim's number", metavar="NUMBER", example="C00001", required=True, positional=True,
    is_subject=True,
)  # fmt: skip
_DECISION: Final = {"approve": "同意", "refuse": "不同意", "send_back": "退回"}
_NEXT: Final = {REQUEST, PAYMENT, COLLECTION}


class Review(ma.Schema):
    """What one step has decided; without a decision the step is still to come."""

    title = text("步骤")
    decision = text("意见", "In Chinese.", allow_none=True)
    reason = text("理由", allow_none=True)
    institution = text("单位", allow_none=True)
    person = text("经办人代码", allow_none=True)
    decided_on = date("日期", allow_none=True)


class Share(ma.Schema):
    """What a party bears of a loss."""

    party = text("承担方", "In Chinese.")
    amount = yuan("承担金额")
    paid = yuan("已付金额")


class CompensationForm(ma.Schema):
    """The form: whose loss, what was lost, who decided what."""

    claim_no = text("申请编号")
    state = coded("状态", CASE_STATE)
    borrower_no = text("户编号或企业编号", allow_none=True)
    region = text("行政区划代码")
    institution = text("贷款银行")
    loan_no = text("借据号")
    loan_amount = yuan("借款金额")
    start_date = date("起始日期")
    due_date = date("到期日期")
    overdue_since = date("逾期日期")
    principal = yuan("欠本金额")
    interest = yuan("欠息金额")
    cause = coded("损失原因", LOSS_CAUSE)
    insurance_paid = yuan("保险赔付")
    covered = yuan("补偿金额", allow_none=True)
    collections = count("催收记录数", allow_none=True)
    evidence = text("附件清单", allow_none=True)
    signed = text("是否签字", "yes or no.")
    applied = date("申请日期")
    reviews = nested(Review, "审查意见", many=True)
    shares = nested(Share, "各方承担", many=True)
    refusals = ma.fields.List(ma.fields.String(), required=True, metadata={"zh": "不予补偿的原因"})
    policy = text("政策", "Its name and version.")


def compensation_form_of(
    transaction: Transaction, *, number: str, region: str | None, policy: Policy, today: dt.date
) -> dict[str, Any]:
    """Return what form 附件2 shows of a claim.

    Args:
        transaction: in which it is read.
        number: of the claim.
        region: within which it must lie, where that is said.
        policy: the county's.
        today: the county's day.

    Raises:
        UsageError: HL7028, there is no such claim.
    """
    del today
    row = transaction.row(
        "SELECT * FROM risk_fund.compensation_case WHERE claim_no = %s AND region LIKE %s", [number, f"{region or ''}%"]
    )
    if row is None:
        raise UsageError("HL7028", number=number)
    loan = facts.find_loan(transaction, row["institution"], row["loan_no"])
    kept = row["facts"]
    same = ("claim_no", "state", "borrower_no", "region", "institution", "loan_no", "cause", "collections", "evidence")
    days = ("overdue_since", "applied")
    amounts = ("principal", "interest", "insurance_paid")
    return {
        **{name: row[name] for name in (*same, "signed")},
        **{name: row[name].isoformat() for name in days},
        **{name: money.text(row[name]) for name in amounts},
        "covered": None if row["covered"] is None else money.text(row["covered"]),
        "loan_amount": kept["amount"],
        "start_date": kept["signed"] if loan is None else loan.start_date.isoformat(),
        "due_date": kept["due"],
        "reviews": _reviews(transaction, row, policy),
        "shares": [
            {"party": LOSS_PARTY.get(party, party), "amount": share, "paid": row["paid"].get(party, "0.00")}
            for party, share in row["shares"].items()
        ],
        "refusals": [each["chinese"] for each in row["refusals"]],
        "policy": f"{row['policy']} {row['policy_version']}",
    }


def _reviews(transaction: Transaction, row: Mapping[str, Any], policy: Policy) -> list[dict[str, Any]]:
    """Return what each review decided since the claim was filed last, in the policy's order."""
    decided: dict[str, dict[str, Any]] = {}
    for step in transaction.rows(
        "SELECT step, move, decision, reason, member, person, date FROM risk_fund.compensation_step"
        " WHERE claim_no = %s AND (decision IS NOT NULL OR move = 'resubmit') ORDER BY number",
        [row["claim_no"]],
    ):
        if step["move"] == "resubmit":
            decided.clear()
        else:
            decided[step["step"]] = step
    titles = _titles(row, policy) or {step: step for step in decided}
    nothing = dict.fromkeys(("decision", "reason", "member", "person", "date"))
    found = []
    for name, title in titles.items():
        step = decided.get(name, nothing)
        found.append(
            {
                "title": title,
                "decision": _DECISION.get(step["decision"] or ""),
                "reason": step["reason"],
                "institution": step["member"],
                "person": step["person"],
                "decided_on": step["date"] and step["date"].isoformat(),
            }
        )
    return found


def _titles(row: Mapping[str, Any], policy: Policy) -> dict[str, str]:
    """Return the reviews of a case by their codes, where the county's policy still is the case's."""
    if policy.name != row["policy"]:
        return {}
    kept = row["facts"]
    situation = {
        "signed": dt.date.fromisoformat(kept["signed"]),
        "borrower": row["borrower"],
        "household_kind": kept.get("household_kind"),
        "amount": money.parse(kept["amount"]),
    }
    try:
        stages = path(policy, policy.products.get(row["product"]), situation).stages
    except (ConfigurationError, MissingFactError):
        return {}
    return {stage.name: stage.title for stage in stages if stage.takes not in _NEXT}


QUERY: Final = Query(
    "compensation_form",
    compensation_form_of,
    CompensationForm,
    "风险补偿资金审批表（附件2）的内容：损失、材料、审查意见和各方承担；打印用 huilian report compensation_form。",
    "Return what form 附件2 shows of a claim of compensation.",
    parameters=(NUMBER, replace(REGION, of_token=True)),
    document=True,
    needs_policy=True,
    personal=True,
    examples=("huilian compensation_form C00001 --json",),
)
FORM: Final = Form(
    "compensation_form",
    QUERY.address,
    files("services.risk_fund.compensation") / "forms" / "compensation_form.typ",
    "扶贫小额信贷风险补偿资金审批表（附件2）。",
    "The form by which a loss is asked to be made good, with the opinions of village, township and county.",
)
