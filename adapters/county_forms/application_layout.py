"""Which forms of applications there are, and what their columns mean.

Every form is a table with a row for each household or enterprise. A column is known by the name at its foot, whatever
group stands above it. What a name stands for is said here; an office adds names of its own in the settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.toolkit.placeholders import without_placeholders
from adapters.toolkit.returning import ADDED_COLUMNS
from adapters.toolkit.text import label
from adapters.toolkit.translation import Codes, Column, Translation, account, code, identity, listed, number
from adapters.toolkit.workbook.amounts import date, per_cent
from adapters.toolkit.workbook.blocks import Form
from adapters.toolkit.workbook.cells import IDENTITY, NUMBER, ColumnKind, amount
from schemas.applications import (
    HELPING_WAY,
    PURPOSE,
    ApplicationRow,
    ApplicationStepRow,
)
from schemas.compensations import CompensationClaimRow
from schemas.parties import ConsentRow
from schemas.steps import DECISION
from schemas.subsidies import SubsidyClaimRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.toolkit.translation import Kind
    from huilian.records.record import Record

__all__ = [
    "APPLICATION_NO",
    "BANK",
    "COLLATERAL",
    "COLUMNS",
    "CONDITIONS",
    "FORMS",
    "GROUNDS",
    "NAME",
    "OPINION",
    "PASSED_OVER",
    "PURPOSES",
    "STEPS",
    "ApplicationForm",
    "Part",
    "Words",
    "form_for",
    "form_of",
]

PURPOSES: Final = {chinese: purpose for purpose, chinese in PURPOSE.items()}
COLLATERAL: Final = {
    "信用": "none",
    "无": "none",
    "保证": "guarantor",
    "联保": "joint_guarantee",
    "参保": "team_guarantee",
    "代保": "enterprise_guarantee",
    "担保公司": "guarantee_company",
    "抵押": "mortgage",
    "质押": "pledge",
    "三权抵押": "rights",
}
STEPS: Final = {
    "申请": "apply",
    "调查": "village_survey",
    "村推荐": "village_recommendation",
    "村审查": "village_review",
    "乡镇审核": "township_review",
    "银行核查": "bank_verification",
    "县级审核": "county_review",
    "县级确认": "county_confirmation",
    "担保": "guarantee",
}
"""The steps by the names that forms give them; policies name others, which are written by their codes."""
CONDITIONS: Final = {
    "有贷款意愿": "willing",
    "有经营能力": "able",
    "有还款来源": "source_of_repayment",
    "有项目": "project",
    "有完全民事行为能力": "civil_capacity",
    "在花名册": "on_roster",
    "信用良好": "no_bad_credit",
}
GROUNDS: Final = {
    "恶意拖欠": "malicious_default",
    "违法犯罪": "crime",
    "涉赌涉毒": "gambling_or_drugs",
    "失信被执行人": "dishonest_debtor",
    "非法集资": "illegal_fundraising",
}
_DECISIONS: Final = {chinese: decision for decision, chinese in DECISION.items()} | {
    "推荐": "approve",
    "通过": "approve",
    "确认": "approve",
    "同意推荐": "approve",
    "不推荐": "refuse",
    "不通过": "refuse",
    "不予确认": "refuse",
    "不予贷款": "refuse",
    "退回补正": "send_back",
}
_YES_NO: Final = {
    **dict.fromkeys(("是", "有", "√", "✓", "已签", "已签字", "已盖章"), "yes"),
    **dict.fromkeys(("否", "无", "×", "✗", "未签", "未签字", "未盖章"), "no"),
}
LOSS_CAUSES: Final = {
    **dict.fromkeys(("不可抗力", "自然灾害", "意外伤害", "重大疾病", "灾害", "疾病", "死亡"), "force_majeure"),
    **dict.fromkeys(("其他", "其他原因", "经营不善", "市场风险"), "other"),
    **dict.fromkeys(("恶意拖欠", "恶意逃废债", "恶意"), "malicious"),
}
_MARK: Final = re.compile("[、;；,，]")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MONTHS: Final = r"^([0-9]+)\s*个?月$"


@dataclass(frozen=True)
class Words:
    """Which words of a form stand for which codes, and which further names columns have; see the adapter's settings."""

    purposes: Mapping[str, str]
    collateral: Mapping[str, str]
    steps: Mapping[str, str]
    conditions: Mapping[str, str]
    grounds: Mapping[str, str]
    banks: Mapping[str, str]
    columns: Mapping[str, str]

    def step(self, code: str) -> str:
        """Return what a step is called in a form: its first name, or its code where it has none."""
        return next((name for name, each in self.steps.items() if each == code), code)

    def purpose(self, code: str) -> str:
        """Return what a purpose is called in a form, likewise."""
        return next((name for name, each in self.purposes.items() if each == code), code)


USE, SECURITY, STEP, CONDITION, GROUND, BANK = "purposes", "collateral", "steps", "conditions", "grounds", "banks"
COLUMNS: Final = "columns"
"""The settings with further words."""


def _one_of(table: Mapping[str, str]) -> Kind:
    """Return the kind of a word that stands for a code, or of the code itself."""
    codes = dict(table) | {each: each for each in table.values()}
    return Codes(codes, "、".join(table), lambda text: (label(text), *_itself(text, codes)))


def _itself(text: str, codes: dict[str, str]) -> tuple[str, ...]:
    # A policy may have codes that no form has a word for: they may be written as they are.
    if _CODE.fullmatch(text):
        codes[text] = text
        return (text,)
    return ()


class _Several(Codes):
    """The kind of several words with 、 between, each standing for a code: the codes in their order, each once."""

    def __call__(self, cell: pl.Expr) -> pl.Expr:
        """Return the canonical codes with ; between."""
        return without_placeholders(cell).map_elements(self._codes, return_dtype=pl.String(), skip_nulls=True)

    def _codes(self, text: str) -> str:
        words = [label(word) for word in _MARK.split(text) if label(word)]
        found = [self.table.get(word, word if _CODE.fullmatch(word) else "?") for word in words]
        return ";".join(dict.fromkeys(found)) or "?"


def _several_of(table: Mapping[str, str]) -> Kind:
    return _Several(table, "、".join(table))


def _or_code(table: Mapping[str, str]) -> Kind:
    """Return the kind of a name that stands for a member's code, or of the code itself."""
    return lambda cell: number(cell).replace(dict(table))


def _months(cell: pl.Expr) -> pl.Expr:
    return cell.str.replace(_MONTHS, "$1")


def _owed(cell: pl.Expr) -> pl.Expr:
    """An amount that is owed elsewhere: 无 is nothing, and an empty cell says nothing."""
    return pl.when(cell.is_not_null() & without_placeholders(cell).is_null()).then(pl.lit("0.00")).otherwise(cell)


_Made = "Callable[[Words], Kind] | Kind"


@dataclass(frozen=True)
class FormColumn:
    """A column of a form.

    Args:
        name: in the header.
        target: the field it becomes.
        kind: how its values are rewritten, where that is the same everywhere.
        words: the kind of `Words` by which they are rewritten instead.
        needed: whether the form must have it.
        empty: what an empty cell stands for.
        unit: whether it is an amount, in the unit of its name or of the sheet.
        reads: what its cells are read as.
        also_called: what else it may be called.
    """

    name: str
    target: str
    kind: Kind = without_placeholders
    words: str | None = None
    needed: bool = False
    empty: str | None = None
    unit: bool = False
    reads: ColumnKind | None = None
    also_called: tuple[str, ...] = ()

    def column(self, words: Words) -> Column:
        """Return what it means, with an office's words."""
        kinds: dict[str, Callable[[], Kind]] = {
            USE: lambda: _one_of(words.purposes),
            STEP: lambda: _one_of(words.steps),
            SECURITY: lambda: _several_of(words.collateral),
            CONDITION: lambda: _several_of(words.conditions),
            GROUND: lambda: _several_of(words.grounds),
            BANK: lambda: _or_code(words.banks),
        }
        kind = kinds[self.words]() if self.words else self.kind
        further = tuple(name for name, ours in words.columns.items() if ours == self.name)
        units = tuple(f"{name}({unit})" for name in (self.name, *self.also_called, *further) for unit in ("元", "万元"))
        names = (*self.also_called, *further, *(units if self.unit else ()))
        return Column(self.name, self.target, kind, self.empty, is_optional=True, also_called=names)


@dataclass(frozen=True)
class Part:
    """What a row says for one type of record.

    Args:
        message_type: of the record.
        record: its schema.
        columns: of the form.
        number: the field by which a rejection names its row.
        fixed: fields that the form itself states.
        findings: columns whose texts are gathered in the record's opinion.
        told_by: the columns of which one must be filled, or the row says nothing of this record.
        repeated: the code of a row that says of one record what another said before.
    """

    message_type: str
    record: type[Record]
    columns: tuple[FormColumn, ...]
    number: str
    fixed: Mapping[str, str]
    findings: tuple[str, ...] = ()
    told_by: tuple[str, ...] = ()
    repeated: str = "HL2110"

    def translation(self, words: Words) -> Translation:
        """Return what its columns mean, with an office's words."""
        return Translation(tuple(column.column(words) for column in self.columns))


@dataclass(frozen=True)
class ApplicationForm:
    """One form.

    Args:
        title: what file and sheet are called.
        keys: the columns by which it is known; their names are fixed.
        parts: what its rows say.
        step: the step that is written on it alone, where there is one.
        kind: of submission.
    """

    title: str
    keys: tuple[str, ...]
    parts: tuple[Part, ...]
    step: str | None = None
    kind: str = "applications"

    @property
    def is_of_steps(self) -> bool:
        """Return whether steps are written on it, and no applications."""
        return all(part.message_type == "application_steps" for part in self.parts)

    @property
    def columns(self) -> list[FormColumn]:
        """Return all its columns that have a meaning of their own."""
        return [column for part in self.parts for column in part.columns]

    @property
    def needed(self) -> list[str]:
        """Return the columns that must be there."""
        return [column.name for column in self.columns if column.needed]

    @property
    def findings(self) -> list[str]:
        """Return the columns whose texts are gathered."""
        return [name for part in self.parts for name in part.findings]

    def sheet(self, units: Mapping[str, int]) -> Form:
        """Return what the reader must know of a sheet whose amounts are in units so many places above the yuan."""
        kinds = {column.name: column.reads for column in self.columns if column.reads}
        return Form(self.keys[:1], kinds | {name: amount(places) for name, places in units.items()})


APPLICATION_NO: Final = "申请编号"
_CONSENT_NO: Final = "征信授权书编号"
OPINION: Final = "opinion"
_NO: Final = FormColumn(
    APPLICATION_NO, "application_no", number, reads=ColumnKind("text", is_divided=True), also_called=("编号",)
)
_PERSON: Final = "人代码"
_DAY: Final = "日期"


def _application(borrower: str, number_of: FormColumn, *further: FormColumn) -> Part:
    """Return what form 1 says of the application itself."""
    columns = (
        number_of,
        _NO,
        *further,
        FormColumn("行政区划代码", "region", needed=True, also_called=("村代码", "区划代码")),
        FormColumn("贷款银行", "institution", words=BANK, needed=True, also_called=("贷款银行代码",)),
        FormColumn("产品代码", "product", also_called=("贷款产品",)),
        FormColumn("申请金额", "amount", needed=True, unit=True, also_called=("申请贷款金额", "贷款金额")),
        FormColumn("期限(月)", "term", _months, needed=True, reads=NUMBER, also_called=("申请期限", "贷款期限")),
        FormColumn("年利率(%)", "annual_rate_percent", per_cent, reads=NUMBER),
        FormColumn("贷款用途", "purpose", words=USE, needed=True, also_called=("用途", "生产项目")),
        FormColumn("帮扶方式", "way", code({chinese: way for way, chinese in HELPING_WAY.items()})),
        FormColumn("担保方式", "collateral", words=SECURITY),
        FormColumn(
            "其他贷款余额", "other_loans", _owed, needed=True, unit=True,
            also_called=("其他银行贷款金额", "其他银行贷款余额"),
        ),
        FormColumn("本人签字", "signed", code(_YES_NO, "是、否"), needed=True, also_called=("申请人签字", "签字")),
        FormColumn("成年家庭成员人数", "family_adults", needed=True, reads=NUMBER, also_called=("成年家庭成员",)),
        FormColumn("已签字家庭成员人数", "family_signed", needed=True, reads=NUMBER, also_called=("家庭成员签字",)),
        FormColumn("符合条件", "met", words=CONDITION),
        FormColumn("否决情形", "grounds", words=GROUND),
        FormColumn("申请表编号", "document"),
        FormColumn("申请日期", "date", date, needed=True),
        FormColumn("经办人代码", "person", needed=True, also_called=("登记人代码",)),
    )  # fmt: skip
    told_by = ("申请金额", "期限(月)", "贷款用途", "本人签字", "申请日期")
    return Part("applications", ApplicationRow, columns, "application_no", {"borrower": borrower}, told_by=told_by)


def _consent() -> Part:
    """Return what form 1 says of the inquiry authorisation that the applicant signed with it, where it has a number."""
    columns = (
        FormColumn(_CONSENT_NO, "consent_no", number, reads=ColumnKind("text", is_divided=True)),
        replace(_HOUSEHOLD, target="household_no"),
        replace(_APPLICANT, target="identity_number"),
        FormColumn("贷款银行", "institution", words=BANK, also_called=("贷款银行代码",)),
        FormColumn("申请日期", "from_date", date),
        FormColumn("申请日期", "date", date),
        FormColumn("经办人代码", "person", also_called=("登记人代码",)),
    )
    return Part("consents", ConsentRow, columns, "consent_no", {"scope": "credit_inquiry"}, told_by=(_CONSENT_NO,))


def _step(verb: str, step: str | None, findings: tuple[str, ...], *, beside: bool = False) -> Part:
    """Return what a form says of one step.

    Args:
        verb: how the form calls it: 审核意见, 审核日期.
        step: its code; None where every row names its own.
        findings: the columns whose texts are gathered in the opinion.
        beside: whether it stands beside the application itself, whose columns have the plain names.
    """
    opinion, settled = f"{verb}意见", verb if beside else "核定"
    of = (lambda name: f"{verb}{name}") if beside else (lambda name: name)
    own = (
        FormColumn(opinion, "decision", code(_DECISIONS, "、".join(DECISION.values())), needed=not beside),
        FormColumn(of("退回到"), "back_to", words=STEP),
        FormColumn(of("理由"), "reason", also_called=(f"{verb}理由",) if not beside else ()),
        FormColumn(f"{settled}金额", "amount", unit=True),
        FormColumn(f"{settled}期限(月)", "term", _months, reads=NUMBER, also_called=(f"{settled}期限",)),
        FormColumn(f"{settled}年利率(%)", "annual_rate_percent", per_cent, reads=NUMBER),
    )
    conditions = () if beside else (
        FormColumn("符合条件", "met", words=CONDITION), FormColumn("否决情形", "grounds", words=GROUND),
    )  # fmt: skip
    columns = (
        _NO if beside else replace(_NO, needed=True),
        *(() if beside else (FormColumn("步骤", "step", words=STEP, needed=step is None, empty=step),)),
        *own,
        *conditions,
        FormColumn(of("盖章"), "sealed", code(_YES_NO, "是、否"), empty="no", also_called=(f"{verb}单位盖章",)),
        FormColumn(f"{verb}{_DAY}", "date", date, needed=not beside),
        FormColumn(f"{verb}{_PERSON}", "person", needed=not beside, also_called=() if beside else ("经办人代码",)),
        FormColumn(of("附件编号"), "document", also_called=() if beside else ("表格编号",)),
    )
    told_by = (*(column.name for column in (*own, *conditions)), *findings)
    fixed = {"step": step} if beside and step else {}
    return Part("application_steps", ApplicationStepRow, columns, "application_no", fixed, findings, told_by)


_SURVEY: Final = ("生产经营情况", "个人信誉情况", "其他贷款情况", "还款能力", "调查说明")
"""What a village finds out of who applies (篇六 五(二))."""
_HOUSEHOLD: Final = FormColumn("户编号", "borrower_no", number, needed=True, reads=ColumnKind("text", is_divided=True))
_ENTERPRISE: Final = replace(_HOUSEHOLD, name="企业编号")
_APPLICANT: Final = FormColumn(
    "申请人证件号码", "applicant", identity, needed=True, reads=IDENTITY, also_called=("申请人身份证号码", "证件号码")
)


def _of_step(title: str, verb: str, step: str | None, *findings: str) -> ApplicationForm:
    return ApplicationForm(title, (APPLICATION_NO, f"{verb}意见"), (_step(verb, step, findings),), step)


_BANK: Final = FormColumn("贷款银行", "institution", words=BANK, needed=True, also_called=("贷款银行代码",))
_LOAN: Final = FormColumn("借据号", "loan_no", number, needed=True, reads=ColumnKind("text", is_divided=True))
_WHOSE: Final = replace(_HOUSEHOLD, needed=False, also_called=("企业编号",))
_CLAIMED_SUBSIDY: Final = Part(
    "subsidy_claims",
    SubsidyClaimRow,
    (
        _LOAN,
        _WHOSE,
        _BANK,
        FormColumn("计息起日", "period_start", date, needed=True),
        FormColumn("计息止日", "period_end", date, needed=True),
        FormColumn("计息本金积数", "principal_days", unit=True),
        FormColumn("执行利率(%)", "annual_rate_percent", per_cent, reads=NUMBER),
        FormColumn("应付利息", "interest", unit=True, also_called=("已付利息",)),
        FormColumn("申请贴息金额", "amount", needed=True, unit=True, also_called=("贴息金额",)),
        FormColumn("收款户名", "payee_name"),
        FormColumn("收款账号", "payee_account", account, reads=IDENTITY, also_called=("银行卡号", "收款卡号")),
        FormColumn("开户行", "payee_bank"),
        FormColumn("合同及还款证明", "document", needed=True, also_called=("合同、还款证明", "还款证明")),
    ),
    "loan_no",
    {},
    told_by=("计息起日", "计息止日", "申请贴息金额"),
    repeated="HL2091",
)
"""What a township files for its households, with the bank's contract and proof of repayment (篇三)."""
_CLAIMED_LOSS: Final = Part(
    "compensation_claims",
    CompensationClaimRow,
    (
        _LOAN,
        FormColumn("申请编号", "claim_no", number, reads=ColumnKind("text", is_divided=True)),
        replace(_WHOSE, needed=True),
        _BANK,
        FormColumn("逾期日期", "overdue_since", date, needed=True),
        FormColumn("逾期天数", "overdue_days", reads=NUMBER),
        FormColumn("欠本金额", "principal", needed=True, unit=True),
        FormColumn("欠息金额", "interest", needed=True, unit=True),
        FormColumn("损失原因", "cause", code(LOSS_CAUSES, "不可抗力、其他、恶意拖欠"), needed=True),
        FormColumn("保险赔付", "insurance_paid", unit=True, empty="0.00"),
        FormColumn("催收记录数", "collections", reads=NUMBER),
        FormColumn("附件清单", "evidence", listed),
        FormColumn("本人签字", "signed", code(_YES_NO, "是、否"), needed=True, also_called=("申请人签字", "签字")),
        FormColumn("申请日期", "date", date, needed=True),
        FormColumn("经办人代码", "person", needed=True, also_called=("登记人代码",)),
    ),
    "loan_no",
    {"filed_by": "household"},
    told_by=("逾期日期", "欠本金额", "申请日期"),
    repeated="HL2014",
)
"""What borrowers ask for themselves (篇三 三(五)3, 附件2)."""

FORMS: Final = (
    ApplicationForm(
        "业务申请表",
        ("户编号", "申请日期"),
        (
            _application("household", _HOUSEHOLD, _APPLICANT),
            _consent(),
            _step("推荐", "village_recommendation", (*_SURVEY, "推荐说明"), beside=True),
        ),
    ),
    ApplicationForm("企业业务申请表", ("企业编号", "申请日期"), (_application("enterprise", _ENTERPRISE),)),
    _of_step("调查表", "调查", "village_survey", *_SURVEY),
    _of_step("推荐表", "推荐", "village_recommendation", *_SURVEY, "推荐说明"),
    _of_step("申请汇总表", "审核", "township_review", "户属性审核", "集体信用等级", "两委班子评价", "审核说明"),
    _of_step("核查反馈表", "核查", "bank_verification", "征信情况", "负债情况", "还款来源核查", "核查说明"),
    _of_step("确认表", "确认", "county_confirmation", "系统核对情况", "确认说明"),
    _of_step("意见表", "办理", None, "办理说明"),
    ApplicationForm("贴息申报表", ("借据号", "计息起日"), (_CLAIMED_SUBSIDY,), kind="subsidy_claims"),
    ApplicationForm("风险补偿资金审批表", ("借据号", "逾期日期"), (_CLAIMED_LOSS,), kind="compensation_claims"),
)
"""Form 1 with the inquiry authorisation, the village's survey and its opinion; these two by themselves; form 2, what
the bank found, form 3, and a form for any other step; what a township files for its households; form 附件2."""
PASSED_OVER: Final = frozenset(
    {
        *("序号", "乡镇", "村", "行政村", "嘎查村", "村名", "组", "村民小组", "户主姓名", "申请人", "申请人姓名"),
        *("企业名称", "法定代表人", "负责人", "联系电话", "经办人", "备注", "家庭人口", "户类型", "需求", "办理期限"),
        *("以前各步意见", "户编号", "企业编号", "行政区划代码", "村代码", "贷款银行", "产品代码", "申请金额"),
        *("申请金额(元)", "期限(月)"),
        *("年利率(%)", "贷款用途", "其他贷款余额", "其他贷款余额(元)", "申请日期", "证件号码", "证件号码(核对用)"),
        *("村推荐人", "推荐人", "审核人", "核查人", "确认人", "办理人", "调查人", "单位"),
        *ADDED_COLUMNS,
    }
)
"""Columns that people need and no record takes; of any other it must be said what it means."""
_BY_TITLE: Final = {form.title: form for form in FORMS}
_BY_STEP: Final = {form.step: form for form in FORMS if form.step}
NAME: Final = re.compile(
    rf"(?:退回_)*(?P<title>{'|'.join(_BY_TITLE)})_(?P<of>[0-9A-Za-z][0-9A-Za-z_-]{{0,30}}?)_(?P<day>[0-9]{{8}})"
    r"(?:_[0-9]{1,3})?\.xlsx",
    re.IGNORECASE,
)
"""业务申请表_341599101201_20240331.xlsx: of a region or of a member, and its number where a day has several."""


def form_of(title: str) -> ApplicationForm:
    """Return the form that a file's name begins with."""
    return _BY_TITLE[title]


def form_for(step: str) -> ApplicationForm:
    """Return the form on which a step is written."""
    return _BY_STEP.get(step, _BY_TITLE["意见表"])
