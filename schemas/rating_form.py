"""The rating form of a household or enterprise (评级授信表), to which several services give what they keep."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import marshmallow as ma

from huilian.cli import screen
from huilian.county.answer_fields import count, date, masked, money, nested, text
from huilian.county.queries import REGION, Parameter, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from rich.table import Table

__all__ = ["shown", "told_by"]


class Indicator(ma.Schema):
    """One indicator: its weight, its points and what they add to the score."""

    code = text("指标代码")
    name = text("指标")
    weight = text("权重（%）", "Per cent.")
    points = text("得分", "0 to 100.")
    adds = text("计分", "Points times weight, with two decimals.")


class Group(ma.Schema):
    """A working group as it was filed."""

    region = text("行政区划代码")
    members = count("成员人数")
    representatives = count("村民代表人数")
    plan = text("工作方案")
    filed_on = date("备案日期")


class Opinion(ma.Schema):
    """What one step of the review has decided; without a decision the step is still to come."""

    step = text("步骤代码")
    title = text("步骤")
    decision = text("意见", "In Chinese.", allow_none=True)
    reason = text("理由", allow_none=True)
    institution = text("单位", allow_none=True)
    person = text("经办人代码", allow_none=True)
    decided_on = date("日期", allow_none=True)


class Posting(ma.Schema):
    """One round of posting."""

    first_day = date("公示首日")
    last_day = date("公示末日")
    complaint_line = text("监督电话")
    objections = count("异议数")


class Line(ma.Schema):
    """A line that a bank has set."""

    institution = text("银行")
    amount = money("授信额度")
    from_date = date("起始日期")
    until_date = date("终止日期")
    person = text("经办人代码")
    set_on = date("日期")


class RatingForm(ma.Schema):
    """The form: whose rating, by which indicators, decided by whom, posted when."""

    number = count("评级编号")
    is_enterprise = ma.fields.Boolean(required=True, metadata={"zh": "是否企业"})
    borrower_no = text("户编号或企业编号")
    region = text("行政区划代码")
    kind = text("户类型", "In Chinese.", allow_none=True)
    age = count("申请人年龄", allow_none=True)
    collected_on = date("采集日期")
    entered_by = ma.fields.List(ma.fields.String(), required=True, metadata={"zh": "采集人（单位:人员代码）"})
    indicators = nested(Indicator, "指标得分", many=True)
    further_points = text("加减分", "What the policy adds, or took away since.", allow_none=True)
    score = text("评分", allow_none=True)
    grade = text("信用等级", allow_none=True)
    line = money("额度上限", "What the grade lets; null where the bank sets it.", allow_none=True)
    exclusions = ma.fields.List(ma.fields.String(), required=True, metadata={"zh": "否决情形"})
    refused = ma.fields.List(ma.fields.String(), required=True, metadata={"zh": "不予评级或授信的原因"})
    groups = nested(Group, "评议小组", many=True)
    opinions = nested(Opinion, "审核意见", many=True)
    postings = nested(Posting, "公示", many=True)
    lines = nested(Line, "银行授信", many=True)
    valid_from = date("生效日期", allow_none=True)
    valid_until = date("有效期至", "The first day on which it no longer holds.", allow_none=True)
    policy = text("政策", "Its name and version.")
    name = text("户主姓名", "Null of an enterprise.", allow_none=True)
    identity_number = masked("证件号码", allow_none=True)
    household_size = count("家庭人口", allow_none=True)
    village_group = text("村民小组", allow_none=True)
    annual_income = money("家庭年收入", allow_none=True)


NUMBER: Final = Parameter(
    "number",
    "户编号或企业编号",
    "the household's or enterprise's number",
    metavar="NUMBER",
    example="HH00001",
    required=True,
    positional=True,
    is_subject=True,
)


def _shown(form: Mapping[str, Any], _asked: object) -> Iterator[Table]:
    """Yield the form's fields beneath each other, of a list one entry a line."""
    named = {name: field.metadata["zh"] for name, field in RatingForm().fields.items()}
    yield screen.pairs({chinese: shown(form.get(name)) for name, chinese in named.items()})


def shown(value: object) -> object:
    """Return a field of a form for people: of a list one entry a line."""
    if isinstance(value, list):
        return "\n".join(str(shown(each)) for each in value) or None
    if isinstance(value, dict):
        return "  ".join(str(each) for each in value.values() if each is not None)
    return {True: "是", False: "否"}[value] if isinstance(value, bool) else value


def told_by(answer: Callable[..., Mapping[str, Any]]) -> Query:
    """Return the query for the form, as one service answers it: with the fields that it keeps, and no others."""
    return Query(
        "rating_form",
        answer,
        RatingForm,
        "评级授信表的内容：一户或一家企业的指标、评分、等级、审核意见、公示和授信；打印用 huilian report rating_form。",
        "Return what the rating form of a household or enterprise shows.",
        "Of the rating in force, or the newest where none is. Identity numbers are masked.",
        parameters=(NUMBER, replace(REGION, of_token=True)),
        document=True,
        needs_policy=True,
        personal=True,
        examples=("huilian rating_form HH00001 --json",),
        show=_shown,
    )
