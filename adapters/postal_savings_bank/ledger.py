"""What the fields of a detail mean: the bank's loan ledger in canonical terms.

Numbers stand there without their point: amounts in fen, rates in hundred-thousandths a month.
So what is no such number must not be passed on as it stands, where it could be taken
for an amount in yuan or a rate in per cent; it becomes a mark that no check lets pass.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from adapters.toolkit.placeholders import without_placeholders_for_days
from adapters.toolkit.translation import Column, Translation, code, name, number, whole
from huilian.core.identity import is_credit_code
from huilian.records.fields import IdentityNumber

__all__ = ["TRANSLATION", "WORDING", "date", "fen", "stated_date", "with_identity_types"]

FIVE_TIER_CLASSES: Final = {"A": "normal", "B": "special_mention", "C": "substandard", "D": "doubtful", "E": "loss"}
LOAN_STATUSES: Final = {"N": "normal", "O": "overdue", "S": "settled", "W": "written_off"}

_NO_VALUE: Final = "?"
"""Neither an amount nor a rate nor a date."""
_NO_DATE: Final = "00000000"
_WHOLE: Final = r"^-?[0-9]+$"
_DIGITS: Final = r"^[0-9]+$"
_EIGHT_DIGITS: Final = r"^[0-9]{8}$"
_MONTHS: Final = 12
_PER_CENT: Final = 1_000
"""Hundred-thousandths in a per cent."""


def fen(cell: pl.Expr) -> pl.Expr:
    """Whole fen: "0000005000000" becomes "50000.00"."""
    number = cell.cast(pl.Int64, strict=False)
    sign = pl.when(number < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    yuan, rest = number.abs() // 100, number.abs() % 100
    return _where(cell, _WHOLE, pl.concat_str(sign, yuan, pl.lit("."), rest.cast(pl.String).str.zfill(2)))


def monthly_rate(cell: pl.Expr) -> pl.Expr:
    """Hundred-thousandths a month: "000500", half a per cent a month, becomes "6", per cent a year."""
    yearly = cell.cast(pl.Int64, strict=False) * _MONTHS
    decimals = (yearly % _PER_CENT).cast(pl.String).str.zfill(3).str.strip_chars_end("0")
    point = pl.when(decimals == "").then(pl.lit("")).otherwise(pl.lit("."))
    return _where(cell, _DIGITS, pl.concat_str(yearly // _PER_CENT, point, decimals))


def date(cell: pl.Expr) -> pl.Expr:
    """A day: "20240531" becomes "2024-05-31", and "00000000" nothing."""
    parts = (cell.str.slice(0, 4), cell.str.slice(4, 2), cell.str.slice(6, 2))
    return pl.when(cell != _NO_DATE).then(_where(cell, _EIGHT_DIGITS, pl.concat_str(*parts, separator="-")))


def stated_date(cell: pl.Expr) -> pl.Expr:
    """A day as the bank's system states it, which keeps "99991231" and others where there is none."""
    return date(without_placeholders_for_days(cell))


def upper(cell: pl.Expr) -> pl.Expr:
    """A number whose letters are capitals."""
    return number(cell).str.to_uppercase()


def _where(cell: pl.Expr, pattern: str, value: pl.Expr) -> pl.Expr:
    known = pl.when(cell.str.contains(pattern)).then(value).otherwise(pl.lit(_NO_VALUE))
    return pl.when(cell.is_not_null()).then(known)


WORDING: Final = {
    "HL2001": "必填项为空（占位符、全零按空处理）",
    "HL2002": "不是有效金额（应为数字，以分计）",
    "HL2003": "不是有效日期（应为八位数字，如 20240531）",
    "HL2007": "校验不通过（应为 18 位身份证号或信用代码）",
    "HL2017": "不是有效月利率（应为六位数字，以十万分之一计）",
    "HL2025": "结清、签订或逾期日期晚于报表日期",
    "HL2038": "末几位可能已丢失，请按文本重新填写",
    "HL2071": "其中出生日期晚于报表日期或早于 1900 年",
    "HL2072": "月利率不可能（应折合年利率 0.5% 至 36%）",
    "HL2074": "日期不可能（距报表日期过远）",
    "HL2075": "这是 15 位旧身份证号，应为 18 位",
    "HL2077": "有空格或看不见的字符，请删除",
}
"""Errors in the units of this file, and short: beside the field's name a rejection has 60 bytes for them."""


TRANSLATION: Final = Translation(
    (
        Column("借据号", "loan_no", number),
        Column("信贷合同号", "contract_no", number),
        Column("户编号", "household_no", number),
        Column("借款人姓名", "borrower_name", name),
        Column("证件号码", "identity_number", upper),
        Column("行政区划代码", "region"),
        Column("产品代码", "product"),
        Column("借款金额", "principal", fen),
        Column("借款余额", "balance", fen),
        Column("月利率", "annual_rate_percent", monthly_rate),
        Column("起始日期", "start_date", stated_date),
        Column("到期日期", "due_date", stated_date),
        Column("结清日期", "settled_date", stated_date),
        Column("还款方式", "repayment_method"),
        Column("贷款用途", "purpose"),
        Column("五级分类", "five_tier_class", code(FIVE_TIER_CLASSES)),
        Column("逾期天数", "overdue_days", whole, empty="0"),
        Column("欠本金额", "overdue_principal", fen, empty="0.00"),
        Column("欠息金额", "overdue_interest", fen, empty="0.00"),
        Column("贷款状态", "status", code(LOAN_STATUSES)),
        Column("签订日期", "signed", stated_date, is_optional=True),
    )
)


def with_identity_types(frame: pl.DataFrame) -> pl.DataFrame:
    """Return canonical strings with what each number of a certificate is, where records have such numbers."""
    if "identity_number" not in frame.columns:
        return frame
    return frame.with_columns(identity_types(frame["identity_number"]))


def identity_types(numbers: pl.Series) -> pl.Series:
    """Return what each of `numbers` is: the layout does not say.

    A unified social credit code is one by its form and check character, unless the number is right as a
    resident's. Anything else is held to be a resident's, so that a wrong one is named as wrong.
    """
    _, malformed = next(IdentityNumber().checks("number"))
    others = numbers.to_frame("number").filter(malformed).to_series().drop_nulls().unique()
    institutions = [number for number in others if is_credit_code(number)]
    is_institution = pl.col("number").is_in(institutions)
    kind = (
        pl.when(is_institution).then(pl.lit("unified_social_credit_code")).otherwise(pl.lit("resident_identity_card"))
    )
    return numbers.to_frame("number").select(kind.alias("identity_type")).to_series()
