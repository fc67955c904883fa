"""The bulk records: one JSON object a line, nothing in them but what the contract names.

Amounts are yuan as decimal strings with two places, rates per cent a year, dates ISO.
`line` is the physical line (for a workbook the row) of the source file the record was
made from, the header being line 1.
"""

from __future__ import annotations

from typing import ClassVar

import marshmallow as ma
import polars as pl

from huilian.core.identity import is_identity_number
from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record, fen

__all__ = [
    "CONTINUATION",
    "CONTRACT_NO",
    "FIVE_TIER_CLASS",
    "HOUSEHOLD_CATEGORY",
    "IDENTITY_TYPE",
    "KEY",
    "LOAN_STATUS",
    "LONGEST_CONTRACT_NO",
    "YES_OR_NO",
    "ContinuationChange",
    "ContinuationState",
    "HouseholdChange",
    "HouseholdChangeOfVersion1",
    "HouseholdState",
    "HouseholdStateOfVersion1",
    "LoanChange",
    "LoanChangeOfVersion1",
    "LoanChangeOfVersion2",
    "LoanGone",
    "LoanLedgerRecord",
    "LoanLedgerRecordOfVersion1",
    "LoanLedgerRecordOfVersion2",
    "LoanState",
    "LoanStateOfVersion2",
    "RejectionRecord",
    "RejectionRecordOfVersion1",
    "RepaymentChange",
    "RepaymentRecord",
    "RepaymentState",
    "RosterRecord",
    "RosterRecordOfVersion1",
]

FIVE_TIER_CLASS = {
    "normal": "正常",
    "special_mention": "关注",
    "substandard": "次级",
    "doubtful": "可疑",
    "loss": "损失",
}
"""The five-tier classification of loans (五级分类); the last three are bad."""
LOAN_STATUS = {"normal": "正常", "overdue": "逾期", "settled": "结清", "written_off": "核销"}
IDENTITY_TYPE = {
    "resident_identity_card": "居民身份证",
    "unified_social_credit_code": "统一社会信用代码",
    "other": "其他",
}
CONTINUATION = {"none": "无", "extension": "展期", "renewal": "续贷", "moratorium": "延期还本付息"}
"""How a loan goes on beyond its first terms. A moratorium is neither overdue nor an extension nor a new loan."""
HOUSEHOLD_CATEGORY = {
    "poor": "贫困户",
    "out_of_poverty": "脱贫户",
    "monitored": "监测户",
    "marginal": "边缘户",
    "ordinary": "一般农户",
}
"""The kinds of households; a poor one is registered (建档立卡) and not out of poverty yet."""
_CATEGORY_OF_VERSION_1 = {name: HOUSEHOLD_CATEGORY[name] for name in ("out_of_poverty", "monitored", "ordinary")}
YES_OR_NO = {"yes": "是", "no": "否"}
_YEAR = r"^(?:19|20)[0-9]{2}$"

KEY = r"^[0-9A-Za-z_./()（）-]+$"
"""Numbers of loans, contracts and households: what systems print, without blanks."""

_CONTRACT_NO_CHARACTERS = (
    # Letters and digits of either width, and Chinese characters; readers of patterns differ beyond the basic plane.
    "0-9A-Za-z\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u3007\u3400-\u4dbf\u4e00-\u9fff"
    # Brackets of all kinds, among them 〔〕 around years.
    r"()\[\]{}<>"
    "\uff08\uff09\uff3b\uff3d\uff5b\uff5d\uff1c\uff1e\u3008-\u3011\u3014-\u3017"
    # What stands between parts.
    r"_./\\#&+:~"
    "\u00b7\u2010-\u2015\u2116\uff03\uff06\uff0b\uff0d-\uff0f\uff1a\uff3c\uff3f\uff5e-"
)
CONTRACT_NO = f"^[{_CONTRACT_NO_CHARACTERS}]+(?:[ \u3000][{_CONTRACT_NO_CHARACTERS}]+)*$"
"""Numbers of contracts as people write them, 皖农商借字〔2024〕第001号; they are kept as they are, in either width."""
LONGEST_CONTRACT_NO = 60


class LoanStateOfVersion2(Record):
    """What a loan is at a date, as versions 1 and 2 of `loans_changed` share it."""

    household_no = f.Text(32, pattern=KEY, required=True, allow_none=True, metadata={"zh": "户编号"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    product = f.Text(20, required=True, metadata={"zh": "产品代码"})
    principal = f.Money(required=True, metadata={"zh": "借款金额"})
    balance = f.Money(required=True, metadata={"zh": "借款余额"})
    annual_rate_percent = f.RatePercent(required=True, metadata={"zh": "年利率(%)"})
    start_date = f.Date(required=True, metadata={"zh": "起始日期"})
    due_date = f.Date(required=True, metadata={"zh": "到期日期"})
    settled_date = f.Date(required=True, allow_none=True, metadata={"zh": "终止日期"})
    five_tier_class = f.Code(FIVE_TIER_CLASS, required=True, metadata={"zh": "五级分类"})
    overdue_days = f.Whole(required=True, metadata={"zh": "逾期天数"})
    overdue_principal = f.Money(required=True, metadata={"zh": "欠本金额"})
    overdue_interest = f.Money(required=True, metadata={"zh": "欠息金额"})
    status = f.Code(LOAN_STATUS, required=True, metadata={"zh": "贷款状态"})


class LoanState(LoanStateOfVersion2):
    """What a loan is at a date, without the borrower's person: what `loans_changed` shares.

    `signed` is the day of the contract, by which policies choose their rules. `continuation` is null where the bank
    does not say, "none" where it says that there is none; `original_loan_no` is the loan that this one goes on from.
    """

    signed = f.Date(required=True, allow_none=True, metadata={"zh": "签订日期"})
    confirmation_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "确认编号"})
    continuation = f.Code(CONTINUATION, required=True, allow_none=True, metadata={"zh": "展期续贷标志"})
    original_loan_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "原借据号"})


class LoanLedgerRecordOfVersion2(LoanStateOfVersion2):
    """A loan as version 2 has it: without what `LoanState` adds."""

    line = f.Whole(required=True, metadata={"zh": "行号"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    contract_no = f.Text(
        LONGEST_CONTRACT_NO, pattern=CONTRACT_NO, required=True, allow_none=True, metadata={"zh": "信贷合同号"}
    )
    borrower_name = f.Text(60, required=True, metadata={"zh": "借款人姓名"})
    identity_type = f.Code(IDENTITY_TYPE, required=True, metadata={"zh": "证件类型"})
    identity_number = f.Text(30, pattern=r"^[0-9A-Z()-]+$", required=True, metadata={"zh": "证件号码"})
    rate_type = f.Text(20, required=True, allow_none=True, metadata={"zh": "利率类型"})
    repayment_method = f.Text(20, required=True, allow_none=True, metadata={"zh": "还款方式"})
    purpose = f.Text(200, required=True, allow_none=True, metadata={"zh": "贷款用途"})
    branch = f.Text(60, required=True, allow_none=True, metadata={"zh": "经办机构"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "identity_number",
            "HL2007",
            (pl.col("identity_type") == "resident_identity_card")
            & next(f.IdentityNumber().checks("identity_number"))[1],
            lambda r: r["identity_type"] == "resident_identity_card" and not is_identity_number(r["identity_number"]),
        ),
        (
            "balance",
            "HL2011",
            fen("balance") > fen("principal"),
            lambda r: r["balance"] > r["principal"],
        ),
        (
            "due_date",
            "HL2012",
            pl.col("due_date") < pl.col("start_date"),
            lambda r: r["due_date"] < r["start_date"],
        ),
        (
            "balance",
            "HL2013",
            (pl.col("status") == "settled") & (fen("balance") > 0),
            lambda r: r["status"] == "settled" and r["balance"] > 0,
        ),
    ]


class LoanLedgerRecord(LoanLedgerRecordOfVersion2, LoanState):
    """One loan as a bank's ledger states it at the as-of date (贷款台账)."""


class LoanLedgerRecordOfVersion1(LoanLedgerRecordOfVersion2):
    """A loan as version 1 has it: the number of its contract without Chinese characters."""

    contract_no = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "信贷合同号"})


class RepaymentRecord(Record):
    """One repayment as a bank's journal states it (还款流水)."""

    line = f.Whole(required=True, metadata={"zh": "行号"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    transaction_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "交易流水号"})
    transaction_date = f.Date(required=True, metadata={"zh": "交易日期"})
    principal = f.Money(required=True, may_be_negative=True, metadata={"zh": "归还本金"})
    interest = f.Money(required=True, may_be_negative=True, metadata={"zh": "归还利息"})
    channel = f.Text(20, required=True, allow_none=True, metadata={"zh": "渠道"})


class RepaymentState(RepaymentRecord):
    """What a repayment is: what `repayments_changed` shares."""

    class Meta:
        """Which of its fields are shared."""

        fields = ("loan_no", "transaction_date", "principal", "interest")


class RepaymentChange(Record):
    """One repayment before and after a journal; null: it was not known before.

    `as_of` is the journal's date, `until` always null: a journal corrects what a repayment is, not since when.
    """

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "机构"})
    transaction_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "交易流水号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(RepaymentState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(RepaymentState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "来源行号"})


class RosterRecordOfVersion1(Record):
    """A person as version 1 has it: of three kinds of households, with less of each."""

    line = f.Whole(required=True, metadata={"zh": "行号"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    head_name = f.Text(60, required=True, metadata={"zh": "户主姓名"})
    person_name = f.Text(60, required=True, metadata={"zh": "成员姓名"})
    identity_number = f.IdentityNumber(required=True, metadata={"zh": "证件号码"})
    relation_to_head = f.Text(20, required=True, metadata={"zh": "与户主关系"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    category = f.Code(_CATEGORY_OF_VERSION_1, required=True, metadata={"zh": "户类型"})
    is_head = f.Code(YES_OR_NO, required=True, metadata={"zh": "是否户主"})
    health = f.Text(20, required=True, allow_none=True, metadata={"zh": "健康状况"})
    labour_skill = f.Text(40, required=True, allow_none=True, metadata={"zh": "劳动技能"})
    household_size = f.Whole(required=True, allow_none=True, metadata={"zh": "家庭人口"})
    annual_income = f.Money(required=True, allow_none=True, metadata={"zh": "家庭年收入"})
    phone = f.Text(20, pattern=r"^[0-9+ -]+$", required=True, allow_none=True, metadata={"zh": "联系电话"})
    account_last_four = f.Text(
        4, pattern=r"^[0-9]{4}$", required=True, allow_none=True, metadata={"zh": "开户银行卡号后四位"}
    )


class RosterRecord(RosterRecordOfVersion1):
    """One person of the county's roster (花名册); a household is the rows that share its number.

    What version 1 lacks is the household's, the same on each of its rows, and null where the roster does not say.
    """

    category = f.Code(HOUSEHOLD_CATEGORY, required=True, metadata={"zh": "户类型"})
    village_group = f.Text(40, required=True, allow_none=True, metadata={"zh": "村民小组"})
    has_subsistence_allowance = f.Code(YES_OR_NO, required=True, allow_none=True, metadata={"zh": "低保"})
    has_disabled_member = f.Code(YES_OR_NO, required=True, allow_none=True, metadata={"zh": "残疾"})
    is_destitute_at_home = f.Code(YES_OR_NO, required=True, allow_none=True, metadata={"zh": "散居特困"})
    out_of_poverty_year = f.Text(4, pattern=_YEAR, required=True, allow_none=True, metadata={"zh": "脱贫年度"})
    poverty_cause = f.Text(100, required=True, allow_none=True, metadata={"zh": "致贫原因"})
    needs = f.Text(200, required=True, allow_none=True, metadata={"zh": "需求"})
    assets = f.Money(required=True, allow_none=True, metadata={"zh": "家庭资产"})
    annual_outlay = f.Money(required=True, allow_none=True, metadata={"zh": "家庭年支出"})


class HouseholdStateOfVersion1(RosterRecordOfVersion1):
    """What a household is at a date, as version 1 of `households_changed` shares it."""

    class Meta:
        """Which of its fields are shared."""

        fields = ("region", "category", "household_size", "annual_income")


class HouseholdState(RosterRecord):
    """What a household is at a date, without its persons: what `households_changed` shares."""

    class Meta:
        """Which of its fields are shared."""

        fields = (
            *HouseholdStateOfVersion1.Meta.fields,
            *("village_group", "has_subsistence_allowance", "has_disabled_member", "is_destitute_at_home"),
            *("out_of_poverty_year", "poverty_cause", "needs", "assets", "annual_outlay"),
        )


class HouseholdChangeOfVersion1(Record):
    """One household before and after, as version 1 has it."""

    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(HouseholdStateOfVersion1, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(HouseholdStateOfVersion1, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "来源行号"})


class HouseholdChange(HouseholdChangeOfVersion1):
    """One household before and after, over the dates it holds for.

    From `as_of` until the day before `until` (for ever when null) the household is `after` where it was thought to
    be `before`; null stands for a household that is not on the roster. Changes add up in any order.
    """

    before = ma.fields.Nested(HouseholdState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(HouseholdState, required=True, allow_none=True, metadata={"zh": "变动后"})


class RejectionRecord(Record):
    """One error of one row that was not taken; a row with three errors makes three records."""

    line = f.Whole(required=True, metadata={"zh": "行号"})
    field = f.Text(60, required=True, metadata={"zh": "字段"})
    code = f.Text(6, pattern=r"^HL[0-9]{4}$", required=True, metadata={"zh": "错误代码"})
    message = f.Text(200, required=True, metadata={"zh": "错误说明"})
    reference = f.Text(
        LONGEST_CONTRACT_NO, pattern=CONTRACT_NO, required=True, allow_none=True, metadata={"zh": "借据号等业务编号"}
    )


class RejectionRecordOfVersion1(RejectionRecord):
    """An error as version 1 has it: the number of a contract without Chinese characters."""

    reference = f.Text(40, pattern=KEY, required=True, allow_none=True, metadata={"zh": "借据号等业务编号"})


class LoanGone(Record):
    """A loan that the ledger before had and this one does not."""

    line = f.Whole(required=True, metadata={"zh": "序号"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})


class LoanChangeOfVersion1(Record):
    """One loan's state before and after, over the dates it holds for.

    From `as_of` until the day before `until` (for ever when null) the loan is `after`
    where it was thought to be `before`. A figure for a month is the sum of
    `after - before` over the changes whose as-of month is not later, less those whose
    `until` month is not later: changes add up in any order.
    """

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "机构"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(LoanStateOfVersion2, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(LoanStateOfVersion2, required=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "来源行号"})


class LoanChangeOfVersion2(LoanChangeOfVersion1):
    """One loan's state before and after as version 2 has it; null stands for a loan that is not there."""

    after = ma.fields.Nested(LoanStateOfVersion2, required=True, allow_none=True, metadata={"zh": "变动后"})


class LoanChange(LoanChangeOfVersion2):
    """One loan's state before and after, over the dates it holds for.

    From `as_of` until the day before `until` (for ever when null) the loan is `after`
    where it was thought to be `before`; null stands for a loan that is not there. A figure for
    a month is the sum of `after - before` over the changes whose as-of month is not later, less
    those whose `until` month is not later: changes add up in any order.
    """

    before = ma.fields.Nested(LoanState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(LoanState, required=True, allow_none=True, metadata={"zh": "变动后"})


class ContinuationState(Record):
    """What of a loan was counted with the one from which it goes on: what `continuations_changed` shares.

    `principal` is what it adds to the amounts lent; `both_outstanding` says whether both have a balance.
    """

    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    product = f.Text(20, required=True, metadata={"zh": "产品代码"})
    principal = f.Money(required=True, metadata={"zh": "借款金额"})
    both_outstanding = f.Code(YES_OR_NO, required=True, metadata={"zh": "两笔是否都有余额"})


class ContinuationChange(Record):
    """One loan that goes on from another of its borrower, before and after; null: it does not.

    From `as_of` until the day before `until` (for ever when null) both are known, and the loan with the number
    `loan_no` is an extension or renewal of `original_loan_no`, or its moratorium. Changes add up in any order.
    """

    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "机构"})
    loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "借据号"})
    original_loan_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "原借据号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(ContinuationState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(ContinuationState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})
