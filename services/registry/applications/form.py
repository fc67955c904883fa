"""What form 1 shows of an application: who asks for what, the family, and what each step said."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.cli import screen
from huilian.core import identity, money
from huilian.core.errors import UsageError
from huilian.county.answer_fields import count, date, masked, nested, text
from huilian.county.answer_fields import money as yuan
from huilian.county.forms import Form
from huilian.county.queries import REGION, Query
from huilian.policy.tables import MissingFactError
from schemas import rating_form
from schemas.applications import APPLICATION_STATE, PURPOSE
from schemas.records import HOUSEHOLD_CATEGORY
from schemas.steps import DECISION
from schemas.stories import APPLICATION
from services.registry.applications.states import Case, path
from services.registry.parties.consents import stands

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from rich.table import Table

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = ["FORM", "QUERY"]

_AGAIN: Final = frozenset({"submit", "resubmit"})
"""Moves after which an application is reviewed from its beginning."""
_INQUIRY: Final = "credit_inquiry"


class Member(ma.Schema):
    """One of the household."""

    name = text("姓名")
    relation = text("与户主关系", allow_none=True)
    identity_number = masked("证件号码")
    authorised = ma.fields.Boolean(required=True, metadata={"zh": "已授权征信查询"})


class StepOpinion(ma.Schema):
    """What one step said; without a decision the step is still to come."""

    step = text("步骤代码")
    title = text("步骤")
    decision = text("意见", "In Chinese.", allow_none=True)
    opinion = text("意见内容", allow_none=True)
    reason = text("理由", allow_none=True)
    amount = yuan("核定金额", "Null where the step left it.", allow_none=True)
    term = count("核定期限（月）", allow_none=True)
    sealed = ma.fields.Boolean(required=True, metadata={"zh": "是否盖章"})
    institution = text("单位", allow_none=True)
    person = text("经办人代码", allow_none=True)
    decided_on = date("日期", allow_none=True)


class ApplicationForm(ma.Schema):
    """Form 1 of an application (业务申请表)."""

    application_no = text("申请编号")
    is_enterprise = ma.fields.Boolean(required=True, metadata={"zh": "是否企业"})
    borrower_no = text("户编号或企业编号")
    name = text("户主姓名或企业名称", allow_none=True)
    applicant = text("申请人", "Null of an enterprise.", allow_none=True)
    identity_number = masked("申请人证件号码", allow_none=True)
    stands_in = ma.fields.Boolean(required=True, metadata={"zh": "申请人是否代户主申请"})
    kind = text("户类型", "In Chinese.", allow_none=True)
    region = text("行政区划代码")
    village_group = text("村民小组", allow_none=True)
    members = nested(Member, "家庭成员", many=True)
    institution = text("贷款银行")
    product = text("产品代码", "The bank's own.", allow_none=True)
    amount = yuan("申请金额", "As it was asked for")
    term = count("申请期限（月）")
    granted = yuan("现核定金额", "As the last step set it")
    annual_rate_percent = text("年利率（%）", allow_none=True)
    purpose = text("贷款用途", "In Chinese where the code is known.")
    other_loans = yuan("其他贷款余额")
    is_signed = ma.fields.Boolean(required=True, metadata={"zh": "本人已签字"})
    family_adults = count("成年家庭成员人数")
    family_signed = count("已签字家庭成员人数")
    document = text("申请表编号", allow_none=True)
    applied = date("申请日期")
    state = text("状态", "In Chinese.")
    opinions = nested(StepOpinion, "各步意见", many=True)
    confirmation_no = text("确认编号", allow_none=True)
    policy = text("政策")


def application_form(
    transaction: Transaction, *, application: str, region: str | None = None, policy: Policy, today: dt.date
) -> dict[str, Any]:
    """Return what form 1 shows of an application.

    Args:
        transaction: in which it is read.
        application: its number.
        region: within which it must lie, where that is said.
        policy: the county's; of an application under another the steps to come are not known here.
        today: the day on which authorisations must hold.

    Raises:
        UsageError: HL7028, there is no such application.
    """
    found = transaction.row(
        "SELECT * FROM registry.application WHERE application_no = %s AND region LIKE %s",
        [application, f"{region or ''}%"],
    )
    if found is None:
        raise UsageError("HL7028", number=application)
    acts = transaction.rows(
        "SELECT * FROM registry.application_step WHERE application_no = %s ORDER BY number", [application]
    )
    asked = next(act["snapshot"] for act in reversed(acts) if act["move"] in _AGAIN)
    rate = found["annual_rate_percent"]
    return {
        "application_no": application,
        "is_enterprise": found["borrower"] == "enterprise",
        "borrower_no": found["borrower_no"],
        "region": found["region"],
        "kind": HOUSEHOLD_CATEGORY.get(found["household_kind"] or "", found["household_kind"]),
        **_borrower(transaction, found, today),
        "institution": found["institution"],
        "product": found["bank_product"],
        "amount": money.text(Decimal(asked["amount"])),
        "term": int(asked["term"]),
        "granted": money.text(found["amount"]),
        "annual_rate_percent": None if rate is None else f"{rate.normalize():f}",
        "purpose": PURPOSE.get(found["purpose"], found["purpose"]),
        "other_loans": money.text(found["other_loans"]),
        "is_signed": found["signed"] == "yes",
        "family_adults": found["family_adults"],
        "family_signed": found["family_signed"],
        "document": found["document"],
        "applied": found["applied"].isoformat(),
        "state": APPLICATION_STATE[found["state"]],
        "opinions": _opinions(found, acts, policy),
        "confirmation_no": found["confirmation_no"],
        "policy": f"{found['policy']}/{found['product']}",
    }


def _borrower(transaction: Transaction, found: Mapping[str, Any], today: dt.date) -> dict[str, Any]:
    """Return who applies, and for whom: a household with its members, or an enterprise."""
    number = found["applicant"]
    nobody = {"applicant": found["applicant_name"], "identity_number": number and identity.mask(number)}
    if found["borrower"] == "enterprise":
        name = transaction.value(
            "SELECT name FROM registry.enterprise WHERE enterprise_no = %s", [found["borrower_no"]]
        )
        return nobody | {"name": name, "stands_in": False, "village_group": None, "members": []}
    authorised = stands("p.household_no", "%(institution)s", "%(today)s::date")
    family = transaction.rows(
        f"""
        SELECT p.person_name, p.relation_to_head, p.identity_number, p.head_name, p.village_group, p.is_head,
               EXISTS ({authorised} AND c.identity_number = p.identity_number) AS authorised
        FROM registry.person p WHERE p.household_no = %(number)s AND p.missing_since IS NULL
        ORDER BY p.is_head DESC, p.identity_number
        """,
        {
            "number": found["borrower_no"],
            "institution": found["institution"],
            "today": today,
            "scope": _INQUIRY,
        },
    )
    heads = [each["identity_number"] for each in family if each["is_head"] == "yes"]
    return nobody | {
        "name": family[0]["head_name"] if family else None,
        "stands_in": number not in heads,
        "village_group": family[0]["village_group"] if family else None,
        "members": [
            {
                "name": each["person_name"],
                "relation": each["relation_to_head"],
                "identity_number": identity.mask(each["identity_number"]),
                "authorised": each["authorised"],
            }
            for each in family
        ],
    }


def _opinions(found: Mapping[str, Any], acts: list[dict[str, Any]], policy: Policy) -> list[dict[str, Any]]:
    """Return what each step decided since the last request, in the policy's order, those to come without a decision."""
    decided: dict[str, dict[str, Any]] = {}
    for act in acts:
        if act["move"] in _AGAIN:
            decided.clear()
        if act["decision"] is not None:
            decided[act["step"]] = act
    titles = {step: act["title"] or step for step, act in decided.items()}
    to_come = _reviews(found, policy)
    return [_opinion(step, title, decided.get(step)) for step, title in (to_come | titles).items()]


def _reviews(found: Mapping[str, Any], policy: Policy) -> dict[str, str]:
    """Return the steps that people decide, with their titles, where the application is under the county's policy."""
    product = policy.products.get(found["product"]) if found["policy"] == policy.name else None
    if product is None:
        return {}
    case = Case(found["borrower"], found["household_kind"], found["applied"], found["amount"])
    try:
        return {stage.name: stage.title for stage in path(policy, product, case).stages if stage.is_reviewed}
    except MissingFactError:
        return {}


def _opinion(step: str, title: str, act: Mapping[str, Any] | None) -> dict[str, Any]:
    said: Mapping[str, Any] = act or {}
    amount, day = said.get("amount"), said.get("date")
    return {
        "step": step,
        "title": title,
        "decision": DECISION.get(said.get("decision", "")),
        "opinion": said.get("opinion"),
        "reason": said.get("reason"),
        "amount": None if amount is None else money.text(amount),
        "term": said.get("term"),
        "sealed": said.get("sealed") == "yes",
        "institution": said.get("member"),
        "person": said.get("person"),
        "decided_on": None if day is None else day.isoformat(),
    }


def _shown(form: Mapping[str, Any], _asked: object) -> Iterator[Table]:
    """Yield the form's fields beneath each other, of a list one entry a line."""
    named = {name: field.metadata["zh"] for name, field in ApplicationForm().fields.items()}
    yield screen.pairs({chinese: rating_form.shown(form.get(name)) for name, chinese in named.items()})


QUERY: Final = Query(
    "application_form",
    application_form,
    ApplicationForm,
    "业务申请表的内容：申请人、家庭成员、贷款和各步意见；打印用 huilian report application_form。",
    "Return what form 1 of an application shows: applicant, family, loan, and what each step said.",
    "Identity numbers are masked.",
    parameters=(APPLICATION, replace(REGION, of_token=True)),
    document=True,
    needs_policy=True,
    personal=True,
    examples=("huilian application_form A00001 --json",),
    show=_shown,
)
FORM: Final = Form(
    "application_form",
    QUERY.address,
    files("services.registry") / "forms" / "application_form.typ",
    "业务申请表：一件申请和各步意见，A4 一页。",
    "Form 1 of an application with the opinion of each step, on one sheet.",
)
