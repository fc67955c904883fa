"""Everything that a policy file can say: the one list of its sections, rules and lists.

A **rule** is a table: rows of facts with a value (`huilian.policy.tables`). A **list** has entries with fields; an
entry may say for which facts it holds. A key that is not here is refused, so that a misspelt rule never silently
leaves a plan's word out. The reader, the editor's schema and the manual's tables are made from this list.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from huilian.policy.facts import FACTS
from huilian.policy.values import KINDS, ValueKind, codes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HEADER", "POLICY", "PRODUCT", "Field", "Listing", "Rule", "Section"]


@dataclass(frozen=True)
class Rule:
    """A rule: a table of rows.

    Args:
        title: what people call it.
        kind: of its value.
        facts: what it may depend on.
        absent: what holds where the file does not have it; empty: its section needs it.
    """

    title: str
    kind: ValueKind
    facts: tuple[str, ...]
    absent: str = ""


@dataclass(frozen=True)
class Field:
    """A field of an entry in a list."""

    title: str
    kind: ValueKind
    required: bool = False


@dataclass(frozen=True)
class Listing:
    """A list of entries, in the plan's order; each has `source`, and `assumed` where the plan is silent.

    Args:
        title: what people call it.
        fields: of an entry.
        facts: for which an entry may hold; one that names none holds always.
        unique: the field that no two entries share, if any.
    """

    title: str
    fields: Mapping[str, Field]
    facts: tuple[str, ...] = ()
    unique: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a file: `[title]` in TOML."""

    title: str
    members: Mapping[str, Rule | Listing]


LENDING_FACTS: Final = (
    "signed", "borrower", "household_kind", "grade", "score", "age", "term", "amount", "rate", "bank",
    "debt_ratio", "households_led", "county_kind", "region_list",
)  # fmt: skip
ACCRUAL_FACTS: Final = (
    "signed", "accrued", "due", "borrower", "household_kind", "grade", "term", "amount", "rate", "bank", "loan_year",
    "households_led", "county_kind", "region_list",
)  # fmt: skip
LOSS_FACTS: Final = (
    "signed", "event", "due", "borrower", "household_kind", "grade", "cause", "guaranteed", "amount", "term", "bank",
    "overdue_days", "county_kind", "region_list",
)  # fmt: skip
RATING_FACTS: Final = ("event", "borrower", "household_kind", "county_kind", "region_list")
COUNTY_FACTS: Final = ("event", "county_kind", "bank")

NO_LIMIT: Final = "不限 (no limit)"
NOTHING: Final = "没有 (nothing)"
NOT_ASKED: Final = "不要求 (not asked)"

_PERCENT: Final = KINDS["percent"]
_AMOUNT: Final = KINDS["amount"]
_NUMBER: Final = KINDS["number"]
_MONTHS: Final = KINDS["months"]
_COUNT: Final = KINDS["count"]
_FLAG: Final = KINDS["flag"]
_TEXT: Final = KINDS["text"]
_TEXTS: Final = KINDS["texts"]
_CODE: Final = KINDS["code"]
_RATE: Final = KINDS["rate"]
_SHARES: Final = KINDS["shares"]
_DURATION: Final = KINDS["duration"]
_DAYS_OF_YEAR: Final = KINDS["days_of_year"]
_OWN_CODES: Final = KINDS["own_codes"]

ACTORS: Final = (
    "household", "enterprise", "village", "township", "county", "bank", "guarantor", "reguarantor", "insurer",
    "finance", "credit_bureau", "supervisor", "system",
)  # fmt: skip
"""Who may take a step."""

CONDITIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "willing": "有生产发展意愿",
        "able": "有劳动或经营能力",
        "source_of_repayment": "有还款来源",
        "civil_capacity": "有完全民事行为能力",
        "no_collateral": "免抵押",
        "no_guarantor": "免担保",
        "on_roster": "在册",
        "on_roster_of_day": "在规定日期的名册上",
        "in_region_list": "在规定区域内",
        "lead_bank": "由包干银行办理",
        "rated": "已评级授信",
        "project": "有发展项目",
        "no_bad_credit": "无不良信用记录",
        "not_blacklisted": "未列入黑名单",
        "not_blacklisted_maliciously": "未因恶意列入黑名单",
        "no_open_default": "没有尚未还清的逾期",
        "no_default_ever": "从未逾期",
        "consent": "签字同意并授权查询征信",
        "registered_poor": "建档立卡户",
        "of_household_kind": "属于规定的农户类别",
        "leads_households": "带动农户",
        "insured": "已投保",
        "guaranteed": "有担保",
        "programme_scale": "未超过贷款规模",
        "programme_end": "未过办理期限",
        "other": "其他条件",
    }
)
"""What a borrower must meet; `other` is a condition that only people can judge, by its `name`."""

CLASSES: Final = ("normal", "special_mention", "substandard", "doubtful", "loss")
"""The five tiers of a loan."""

FILERS: Final = ("bank", "township", "household", "enterprise")
TARGETS: Final = ("households", "amount", "balance", "rated_share", "coverage")
NEEDS: Final = ("consent", "signature", "seal", "composition", "posting", "four_eyes")
"""What a step may need before it is taken."""


def _steps(title: str, **more: Field) -> Listing:
    return Listing(
        title,
        {
            "step": Field("步骤代码", _CODE, required=True),
            "title": Field("名称", _TEXT, required=True),
            "by": Field("谁办理", codes(*ACTORS, several=True), required=True),
            "form": Field("所用表格", _TEXT),
            "evidence": Field("要提供的材料", _TEXTS),
            "needs": Field(
                "前提", codes("consent", "signature", "seal", "composition", "posting", "four_eyes", several=True)
            ),
            "within": Field("办理时限", _DURATION),
            "back_to": Field("可退回到的步骤", _OWN_CODES),
            "posted": Field("公示时间", _DURATION),
            "rounds": Field("公示轮次", _COUNT),
            **more,
        },
        ("signed", "borrower", "household_kind", "amount"),
        unique="step",
    )


_RATING: Final = Section(
    "评级授信",
    {
        "weights": Rule("指标权重", KINDS["weights"], RATING_FACTS),
        "extra_points": Rule("加分", _NUMBER, RATING_FACTS, "0"),
        "adjustments": Listing(
            "其他部门的加分、扣分",
            {
                "indicator": Field("指标代码", _CODE, required=True),
                "effect": Field("如何计入", codes("add", "subtract"), required=True),
                "title": Field("名称", _TEXT, required=True),
            },
            RATING_FACTS,
            unique="indicator",
        ),
        "grade": Rule("按分数评定的等级", KINDS["grade"], ("score", *RATING_FACTS), "只有额度，没有等级 (lines only)"),
        "line": Rule("授信额度", _AMOUNT, ("score", "grade", *RATING_FACTS), "由银行确定 (the bank's word)"),
        "validity": Rule("有效期（月）", _MONTHS, RATING_FACTS, NO_LIMIT),
        "age": Rule("年龄", KINDS["ages"], RATING_FACTS, NO_LIMIT),
        "representatives_minimum": Rule("评议小组中村民代表的最低比例", _PERCENT, ("event", "county_kind"), NOT_ASKED),
        "shared_by_banks": Rule("等级各银行通用", _FLAG, COUNTY_FACTS, "false"),
        "asked_by_household": Rule("农户可自行申请评级", _FLAG, COUNTY_FACTS, "false"),
        "rated_by": Rule("每年完成评级的日期", _DAYS_OF_YEAR, COUNTY_FACTS, NOT_ASKED),
        "share_rated_minimum": Rule("应评级农户的最低比例", _PERCENT, COUNTY_FACTS, NOT_ASKED),
        "posting": Rule("每轮公示时间", _DURATION, RATING_FACTS, "不公示 (not posted)"),
        "posting_rounds": Rule("公示轮次", _COUNT, RATING_FACTS, "1"),
        "exclusions": Listing(
            "不予评级的情形",
            {
                "ground": Field("情形代码", _CODE, required=True),
                "title": Field("名称", _TEXT, required=True),
                "bars": Field("后果", codes("rating", "line")),
            },
            RATING_FACTS,
            unique="ground",
        ),
        # Without it a step is a review; one that only borrowers take is their request.
        "steps": _steps(
            "评级步骤", takes=Field("以什么办理", codes("request", "indicators", "review", "posting", "line"))
        ),
        "credit_households": Listing(
            "信用户的评定条件",
            {
                "grade": Field("最低等级", KINDS["grade"]),
                "score": Field("最低评分", _NUMBER),
                "without": Field("不得有过的事项", codes("overdue", "default", several=True)),
            },
            ("event", "county_kind"),
        ),
        "credit_regions": Listing(
            "信用组、信用村、信用乡镇的评定条件",
            {
                "level": Field("层级", codes("group", "village", "township"), required=True),
                "grade": Field("计入的最低等级", KINDS["grade"]),
                "share_minimum": Field("这类农户占应评农户的最低比例（含）", _PERCENT, required=True),
                "collective": Field("集体信用和村两委的最低评价", codes("good", "fair")),
            },
            ("event", "county_kind"),
        ),
    },
)

_LENDING: Final = Section(
    "贷款条件",
    {
        "lenders": Rule("放贷机构", _OWN_CODES, LENDING_FACTS, NO_LIMIT),
        "ways": Rule("帮扶方式", _OWN_CODES, LENDING_FACTS, NO_LIMIT),
        "amount_minimum": Rule("最低金额（含）", _AMOUNT, LENDING_FACTS, NO_LIMIT),
        "amount_maximum": Rule("最高金额（含）；none 为不予贷款", _AMOUNT, LENDING_FACTS),
        "term_minimum": Rule("最短期限（月，含）", _MONTHS, LENDING_FACTS, NO_LIMIT),
        "term_maximum": Rule("最长期限（月，含）", _MONTHS, LENDING_FACTS, NO_LIMIT),
        "line_validity": Rule("授信有效期（月）", _MONTHS, LENDING_FACTS, NOT_ASKED),
        "rate_minimum": Rule("最低年利率（含）", _RATE, LENDING_FACTS, NO_LIMIT),
        "rate_maximum": Rule("最高年利率（含）", _RATE, LENDING_FACTS, NO_LIMIT),
        "age": Rule("申请时年龄", KINDS["ages"], LENDING_FACTS, NO_LIMIT),
        "purposes_mainly": Rule("主要用途，不限于此", _OWN_CODES, LENDING_FACTS, NO_LIMIT),
        "purposes_allowed": Rule("准许的用途", _OWN_CODES, LENDING_FACTS, NO_LIMIT),
        "purposes_refused": Rule("不准的用途", _OWN_CODES, LENDING_FACTS, NOTHING),
        "outstanding": Rule(
            "可同时持有的贷款", codes("one_in_all", "one_of_each", "several"), LENDING_FACTS, "several"
        ),
        "application_validity": Rule("申请多久未办结即失效", _DURATION, LENDING_FACTS, NO_LIMIT),
        "confirmation_validity": Rule("确认后多久未放款即失效", _DURATION, LENDING_FACTS, NO_LIMIT),
        "principal_maximum": Rule("每户各笔余额合计上限（含）", _AMOUNT, LENDING_FACTS, NO_LIMIT),
        "collateral": Rule("准许的担保方式", _OWN_CODES, LENDING_FACTS, NO_LIMIT),
        "conditions": Listing(
            "条件",
            {
                "condition": Field("条件代码", codes(*CONDITIONS), required=True),
                "name": Field("other 条件的代码", _CODE),
                "title": Field("名称", _TEXT),
                "day": Field("名单的日期", KINDS["date"]),
                "list": Field("区域名单", KINDS["region_list"]),
                "kinds": Field("农户类别", codes(*(FACTS["household_kind"].words or ()), several=True)),
                "amount": Field("规模上限", _AMOUNT),
            },
            LENDING_FACTS,
        ),
        "exclusions": Listing(
            "排除情形",
            {
                "ground": Field("情形代码", _CODE, required=True),
                "title": Field("名称", _TEXT, required=True),
            },
            LENDING_FACTS,
            unique="ground",
        ),
    },
)

_SUBSIDY: Final = Section(
    "贴息",
    {
        "rate": Rule("贴息年利率", _RATE, ACCRUAL_FACTS),
        "share": Rule("贴息比例", _PERCENT, ACCRUAL_FACTS, "100%"),
        "principal": Rule("本金中贴息的部分", _PERCENT, ("amount_slice", *ACCRUAL_FACTS), "100%"),
        "principal_per_household_led": Rule("每带动一户可贴息的本金", _AMOUNT, ACCRUAL_FACTS, NO_LIMIT),
        "day_count": Rule("计息方法", codes("days", "months", "started_months"), ("signed",), "days"),
        "day_basis": Rule("一年的天数", _COUNT, ("signed", "term"), "360"),
        "overdue": Rule(
            "逾期后",
            codes("stops_at_due_date", "forfeits_period", "only_repaid_on_time", "continues"),
            ("signed", "borrower", "household_kind"),
        ),
        "settled": Rule("结算方式", codes("by_period", "on_repayment"), ("signed", "borrower"), "by_period"),
        "period_ends": Rule("结算期的最后一天", _DAYS_OF_YEAR, ("signed",), "按季末 (calendar quarters)"),
        "year_ends": Rule("贴息年度的最后一天", _DAYS_OF_YEAR, ("signed",), "12-31"),
        "estimated": Rule("先按预计数拨付，后结算", _FLAG, ("event",), "false"),
        "filed_by": Rule(
            "由谁申报", codes("bank", "township", "household", "enterprise"), ("signed", "borrower"), "bank"
        ),
        "filed_within": Rule("申报时限", _DURATION, ("event",), NOT_ASKED),
        "paid_within": Rule("拨付时限", _DURATION, ("event",), NOT_ASKED),
        "paid_to": Rule("拨付给谁", codes("borrower", "bank"), ("signed", "borrower"), "borrower"),
        "posting": Rule("公示时间", _DURATION, ("event",), "不公示 (not posted)"),
        "posting_windows": Rule("公示的起止日（每年）", KINDS["windows"], ("event",), NOT_ASKED),
        "malicious": Rule("恶意违约后仍贴息", _FLAG, ("signed",), "false"),
        "lead_bank_only": Rule("只贴包干银行的贷款", _FLAG, ("signed", "borrower"), "false"),
        "payers": Rule("由谁承担", _SHARES, ("rate_slice", *ACCRUAL_FACTS), "county 100%"),
        "caps": Listing(
            "封顶",
            {
                "of": Field("封顶的是", codes("subsidy", "principal"), required=True),
                "per": Field("每", codes("loan", "household", "borrower_and_bank", "village", "county"), required=True),
                "within": Field("期间", codes("lifetime", "year", "period", "day"), required=True),
                "amount": Field("上限（含）", _AMOUNT, required=True),
                "beyond": Field("超过的", codes("cut", "refuse", "wait"), required=True),
            },
            ACCRUAL_FACTS,
        ),
        "appropriations": Listing(
            "年度预算",
            {
                "year": Field("适用期间", KINDS["dates"], required=True),
                "amount": Field("金额", _AMOUNT, required=True),
                "beyond": Field("用完之后", codes("wait", "refuse"), required=True),
                "order": Field("先后", codes("filing")),
            },
        ),
        "exclusions": Listing(
            "不予贴息的情形",
            {"ground": Field("情形代码", _CODE, required=True), "title": Field("名称", _TEXT, required=True)},
            ACCRUAL_FACTS,
            unique="ground",
        ),
    },
)

_LOSS: Final = Section(
    "风险补偿",
    {
        "covered": Rule("是否补偿", _FLAG, LOSS_FACTS),
        "principal": Rule("贷款金额中补偿的部分", _PERCENT, ("amount_slice", *LOSS_FACTS), "100%"),
        "interest": Rule("利息是否补偿", _FLAG, LOSS_FACTS, "true"),
        "waiting_days": Rule("逾期多少天后可申请", KINDS["whole"], LOSS_FACTS, "0"),
        "buffer": Rule("缓冲期", _DURATION, LOSS_FACTS, NOT_ASKED),
        "buffer_maximum": Rule("最长缓冲期", _DURATION, LOSS_FACTS, NOT_ASKED),
        "shares": Rule("损失分担", _SHARES, LOSS_FACTS),
        "second_tier_of": Rule("再由下一层分担的一方", KINDS["party"], LOSS_FACTS, NOTHING),
        "second_tier": Rule("第二层分担", _SHARES, LOSS_FACTS, NOTHING),
        "recovery": Rule("追回的款项", codes("in_proportion", "shares"), LOSS_FACTS, "in_proportion"),
        "recovery_shares": Rule("追回款的分配", _SHARES, LOSS_FACTS, NOTHING),
        "returned_within": Rule("追回款归还时限", _DURATION, LOSS_FACTS, NOT_ASKED),
        "paid_within": Rule("补偿拨付时限", _DURATION, LOSS_FACTS, NOT_ASKED),
        "evidence": Rule("申请材料", _TEXTS, LOSS_FACTS, NOTHING),
        "filed_by": Rule("由谁申请", codes("bank", "household"), LOSS_FACTS, "bank"),
    },
)

PRODUCT: Final[Mapping[str, Rule | Listing | Section | Field]] = MappingProxyType(
    {
        "title": Field("名称", _TEXT, required=True),
        "borrowers": Field("借款人", codes("household", "enterprise", several=True), required=True),
        "open": Field("签订期间", KINDS["dates"], required=True),
        "lending": _LENDING,
        "subsidy": _SUBSIDY,
        "loss": _LOSS,
        # Without it a step is a review; one that only borrowers take is their request.
        "application_steps": _steps(
            "申请步骤", takes=Field("以什么办理", codes("request", "review", "confirmation", "loan", "cover"))
        ),
        # Without it a first step of those who file is the filing, every other one a review.
        "subsidy_steps": _steps("贴息步骤", takes=Field("以什么办理", codes("filing", "review", "posting", "payment"))),
        "compensation_steps": _steps("补偿步骤"),
    }
)
"""What `[products.<name>]` may have; the section `lending` is needed, the others follow the plan."""

HEADER: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "name": Field("代码，与文件名相同", _CODE, required=True),
        "version": Field("版本，结果会带上它", _TEXT, required=True),
        "title": Field("方案名称", _TEXT, required=True),
        "plans": Field("依据的方案或通知", _TEXTS, required=True),
        "grades": Field("信用等级，由低到高", KINDS["grades"]),
        "county_kind": Field("县的类别", codes("poor", "other")),
    }
)

POLICY: Final[Mapping[str, Rule | Listing | Section]] = MappingProxyType(
    {
        "rating": _RATING,
        "consequences": Listing(
            "奖惩",
            {
                "after": Field(
                    "事项",
                    codes(
                        "on_time_repayment",
                        "right_use",
                        "overdue",
                        "default",
                        "malicious_default",
                        "wrong_use",
                        "false_claim",
                        "change_of_circumstances",
                    ),
                    required=True,
                ),
                "changes": Field(
                    "影响",
                    codes(
                        "grade",
                        "line",
                        "rate",
                        "subsidy",
                        "card",
                        "new_loans",
                        "support",
                        "compensation",
                        "blacklist",
                        "rating",
                        several=True,
                    ),
                    required=True,
                ),
                "how": Field("如何", codes("better", "weaker", "barred", "barred_for_good", "again"), required=True),
                "grade_steps": Field("等级升降几级", _COUNT),
                "points": Field("加减分", _NUMBER),
                "months": Field("持续几个月", _COUNT),
                "unless": Field("除非", codes("force_majeure")),
                "who": Field("由谁执行", codes(*ACTORS, several=True)),
            },
            ("event", "borrower", "household_kind", "grade"),
        ),
        "fund": Section(
            "风险补偿金",
            {
                "total": Rule("总额", _AMOUNT, COUNTY_FACTS, NOT_ASKED),
                "minimum": Rule("最低余额", _AMOUNT, COUNTY_FACTS, NOT_ASKED),
                "lending_multiple_minimum": Rule("放贷至少为存入的倍数", _NUMBER, COUNTY_FACTS, NOT_ASKED),
                "lending_multiple_maximum": Rule("放贷至多为存入的倍数", _NUMBER, COUNTY_FACTS, NO_LIMIT),
                "beyond": Rule("超过倍数的贷款", codes("refuse", "lend_without_cover"), COUNTY_FACTS, "refuse"),
                "guarantee_capacity": Rule("担保能力", _AMOUNT, COUNTY_FACTS, NOT_ASKED),
                "village_fund_multiple": Rule("村级互助担保金的放大倍数", _NUMBER, COUNTY_FACTS, NOTHING),
                "contributions": Rule("出资比例", _SHARES, COUNTY_FACTS, NOTHING),
                "paid_in_before_lending": Rule("先存入后放贷", _FLAG, COUNTY_FACTS, "false"),
                "replenished_within": Rule("补足时限", _DURATION, COUNTY_FACTS, NOT_ASKED),
                "compensation_for_lending": Rule(
                    "按放贷额（不按损失）补偿银行的比例", _PERCENT, ("borrower", *COUNTY_FACTS), NOTHING
                ),
                "reward_for_lending": Rule("按放贷额奖励银行的比例", _PERCENT, ("borrower", *COUNTY_FACTS), NOTHING),
            },
        ),
        "guarantee": Section(
            "担保",
            {
                "fee": Rule("年担保费率", _PERCENT, LENDING_FACTS, "0%"),
                "forms": Rule("担保方式", _OWN_CODES, LENDING_FACTS, NOTHING),
            },
        ),
        "insurance": Section(
            "保险",
            {
                "premium_payers": Rule("保费分担", _SHARES, ("event", "borrower", "household_kind"), NOTHING),
                "loss_sharing": Rule("保险亏损分担", _SHARES, ("event",), NOTHING),
                "profit_returned": Rule("保险盈余返还的比例", _PERCENT, ("event",), NOTHING),
                "paid_within": Rule("赔付时限", _DURATION, ("event",), NOT_ASKED),
                "covers": Listing(
                    "险种",
                    {
                        "cover": Field("险种代码", _CODE, required=True),
                        "title": Field("名称", _TEXT, required=True),
                        "basic": Field("基本险", _FLAG, required=True),
                    },
                    ("event", "borrower"),
                ),
            },
        ),
        "breakers": Listing(
            "停贷",
            {
                "kind": Field(
                    "情形",
                    codes("recovery_rate_below", "bad_ratio_rising", "bad_ratio_above", "fund_in_default"),
                    required=True,
                ),
                "limit": Field("界限", _PERCENT),
                "months": Field("连续几个月", _COUNT),
                "observation": Field("恢复前观察几个月", KINDS["whole"]),
            },
            ("level", "event"),
        ),
        "classification": Section(
            "五级分类",
            {
                "bad_classes": Rule(
                    "计入不良的类别",
                    codes(*CLASSES, several=True),
                    ("event",),
                    "substandard, doubtful, loss",
                )
            },
        ),
        "lights": Section(
            "红黄绿灯",
            {
                "due_within": Rule("到期前多少天内亮黄灯", KINDS["whole"], ("event",), NOT_ASKED),
                "red_overdue_days": Rule("逾期超过多少天亮红灯；逾期不足的亮黄灯", KINDS["whole"], ("event",)),
                "income_down": Rule("收入下降多少亮黄灯", _PERCENT, ("event",), NOT_ASKED),
                "red_classes": Rule(
                    "亮红灯的五级分类", codes(*CLASSES, several=True), ("event",), "substandard, doubtful, loss"
                ),
                "red_after_wrong_use": Rule("挪用贷款亮红灯", _FLAG, ("event",), "true"),
            },
        ),
        "moratoria": Listing(
            "延期还本付息",
            {
                "due": Field("到期日在此期间的贷款", KINDS["dates"], required=True),
                "months": Field("最长几个月", _COUNT, required=True),
                "until": Field("最迟延至", KINDS["date"]),
                "subsidised": Field("延期内贴息", _FLAG),
            },
            ("borrower", "household_kind"),
        ),
        "targets": Listing(
            "目标任务",
            {
                "year": Field("适用期间", KINDS["dates"], required=True),
                "of": Field("对象", codes("county", "township", "village", "bank", "branch"), required=True),
                "code": Field("区划或机构代码", _TEXT),
                "what": Field(
                    "指标", codes("households", "amount", "balance", "rated_share", "coverage"), required=True
                ),
                "value": Field("任务数", _NUMBER, required=True),
                "by": Field("完成日期", KINDS["date"]),
            },
        ),
        "assessment": Listing(
            "考核",
            {
                "of": Field("对象", codes("bank", "branch", "township", "village", "county"), required=True),
                "indicator": Field("指标代码", _CODE, required=True),
                "title": Field("名称", _TEXT, required=True),
                "weight": Field("权重", _PERCENT, required=True),
            },
            ("event",),
        ),
        "reports": Listing(
            "报送",
            {
                "report": Field("报表代码", _CODE, required=True),
                "title": Field("名称", _TEXT, required=True),
                "by": Field("谁报送", codes(*ACTORS, several=True), required=True),
                "to": Field("报给谁", codes(*ACTORS, several=True)),
                "every": Field("周期", codes("month", "quarter", "year"), required=True),
                "within": Field("期满后多久报送", _DURATION),
                "contents": Field("内容", _TEXTS),
            },
            ("event",),
            unique="report",
        ),
        "stations": Listing(
            "服务机构",
            {
                "at": Field("层级", codes("county", "township", "village"), required=True),
                "title": Field("名称", _TEXT, required=True),
                "staff_minimum": Field("至少多少人", _COUNT),
                "from_banks_minimum": Field("其中金融机构至少多少人", _COUNT),
                "duties": Field("职责", _TEXTS),
            },
            ("event",),
            unique="at",
        ),
        "region_changes": Listing(
            "区划变更",
            {
                "on": Field("生效日", KINDS["date"], required=True),
                "old": Field("原代码", _TEXT, required=True),
                "new": Field("新代码", _TEXT, required=True),
                "title": Field("说明", _TEXT),
            },
        ),
    }
)
"""What the top of a file may have, beside `HEADER`, `products` and `region_lists`."""
