"""What is known of households and enterprises for their rating: indicators and exclusions, as they were collected.

Of several records the last word holds, by household or enterprise, sender, source and indicator: an indicator that a
later record does not name stands as it was, and so do exclusions where the later record says nothing of them.
"""

from __future__ import annotations

from typing import ClassVar, Final

import polars as pl

from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record
from schemas.records import KEY

__all__ = [
    "BORROWER",
    "CODE",
    "INDICATOR",
    "NO_EXCLUSION",
    "POINTS",
    "RATED_HOUSEHOLD",
    "RATING_SOURCE",
    "VILLAGE_DIGITS",
    "RatingIndicatorsRecord",
    "points_of",
]

BORROWER: Final = {"household": "农户", "enterprise": "企业"}
RATED_HOUSEHOLD: Final = {
    "poor": "贫困户",
    "out_of_poverty": "脱贫户",
    "monitored": "监测户",
    "marginal": "边缘户",
    "ordinary": "一般农户",
}
INDICATOR: Final = {
    "integrity": "诚信",
    "labour": "劳动能力",
    "income": "收入",
    "basics": "基本情况",
    "civility": "文明",
    "skill": "技能",
    "credit": "信用",
}
"""What people call the indicators that villages collect; policies may weigh others."""
RATING_SOURCE: Final = {"village": "村", "police": "公安", "justice": "司法", "social": "社会", "bank": "银行"}
"""Whose data it is, whoever sends it."""

CODE: Final = "[a-z][a-z0-9_]{0,39}"
"""An indicator, or a ground of exclusion, as policies name it."""
POINTS: Final = r"(?:100(?:\.0{1,2})?|[1-9]?[0-9](?:\.[0-9]{1,2})?)"
"""0 to 100, with at most two decimals."""
NO_EXCLUSION: Final = "none"
_INDICATORS: Final = f"^{CODE}={POINTS}(?:;{CODE}={POINTS})*$"
_EXCLUSIONS: Final = f"^{CODE}(?:;{CODE})*$"
VILLAGE_DIGITS: Final = 12
_OLDEST: Final = 150


def points_of(indicator: str) -> pl.Expr:
    """Return the points of one indicator, a decimal, out of a column `indicators`; null where it is not named."""
    return pl.col("indicators").str.extract(f"(?:^|;){indicator}=([0-9.]+)").cast(pl.Decimal(5, 2))


def _names(indicators: str) -> list[str]:
    return [each.partition("=")[0] for each in indicators.split(";")]


def _twice(column: str, pattern: str) -> pl.Expr:
    found = pl.col(column).str.extract_all(pattern)
    return found.list.n_unique() != found.list.len()


class RatingIndicatorsRecord(Record):
    """What one collection says of one household or enterprise (评级指标).

    `borrower_no` is the number of the household, or that of the enterprise. `indicators` are points by the codes
    that policies weigh, "integrity=85;labour=70.5"; whether a policy adds or takes them away is its own affair.
    `exclusions` are the grounds that are met, "crime;malicious_default", or "none" where it was looked and none
    is met; null says nothing of them. `kind` is null where the registry knows it. `person` is the code of whoever
    entered it.
    """

    line = f.Whole(required=True, metadata={"zh": "行号"})
    source = f.Code(RATING_SOURCE, required=True, metadata={"zh": "数据来源"})
    borrower = f.Code(BORROWER, required=True, metadata={"zh": "主体"})
    borrower_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号或企业编号"})
    village = f.RegionCode(required=True, metadata={"zh": "村代码"})
    kind = f.Code(RATED_HOUSEHOLD, required=True, allow_none=True, metadata={"zh": "户类型"})
    applicant_age = f.Whole(required=True, allow_none=True, metadata={"zh": "申请人年龄"})
    indicators = f.Text(1000, pattern=_INDICATORS, required=True, allow_none=True, metadata={"zh": "指标得分"})
    exclusions = f.Text(1000, pattern=_EXCLUSIONS, required=True, allow_none=True, metadata={"zh": "否决情形"})
    collected_on = f.Date(required=True, metadata={"zh": "采集日期"})
    person = f.Text(20, pattern="^[0-9A-Za-z_]+$", required=True, metadata={"zh": "采集人代码"})

    cross_checks: ClassVar[list[CrossCheck]] = [
        (
            "village",
            "HL2080",
            pl.col("village").str.len_bytes() != VILLAGE_DIGITS,
            lambda r: len(r["village"]) != VILLAGE_DIGITS,
        ),
        (
            "applicant_age",
            "HL2081",
            pl.col("applicant_age").cast(pl.Int64, strict=False) > _OLDEST,
            lambda r: r["applicant_age"] > _OLDEST,
        ),
        (
            "indicators",
            "HL2082",
            _twice("indicators", f"{CODE}="),
            lambda r: len(set(_names(r["indicators"]))) < len(_names(r["indicators"])),
        ),
        (
            "exclusions",
            "HL2082",
            _twice("exclusions", CODE),
            lambda r: len(set(r["exclusions"].split(";"))) < len(r["exclusions"].split(";")),
        ),
    ]
