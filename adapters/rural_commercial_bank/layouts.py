"""What the bank's files look like: one layout for each, every column with its meaning."""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Final

from adapters.toolkit.certificates import BY_NUMBER, CREDIT_CODE, RESIDENT
from adapters.toolkit.file_layouts import FileLayout
from adapters.toolkit.payment_files import RESULTS
from adapters.toolkit.text import folded
from adapters.toolkit.translation import (
    Column,
    Kind,
    Translation,
    account,
    code,
    date,
    identity,
    listed,
    money,
    name,
    number,
    rate,
    whole,
)
from schemas.compensations import CompensationClaimRow, RecoveryRow
from schemas.records import LoanLedgerRecord, RepaymentRecord
from schemas.subsidies import SubsidyClaimRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["IDENTITY_TYPES", "LAYOUTS", "USUAL_IDENTITY_TYPES", "translation_with"]

_IN_EVERY_TABLE: Final = {
    **dict.fromkeys(("0", "00", "10", "101", "110001"), RESIDENT),
    **dict.fromkeys(
        (
            *("身份证", "居民身份证", "公民身份证", "临时身份证", "临时居民身份证", "中华人民共和国居民身份证"),
            *(f"{number}代{card}" for number in ("一", "二", "第一", "第二") for card in ("身份证", "居民身份证")),
            *(f"{card}({number}代)" for number in ("一", "二", "第一", "第二") for card in ("身份证", "居民身份证")),
            *(f"居民身份证及其他以公民身份{sign}为标识的证件" for sign in ("证号", "证号码", "号码")),
        ),
        RESIDENT,
    ),
    **dict.fromkeys(("统一社会信用代码", "统一社会信用代码证", "营业执照"), CREDIT_CODE),
    # Numbers of these may be a resident's own, as a household register's is, or that of whoever was entered as 其他.
    **dict.fromkeys(("9", "99", "X", "x", "其他", "其他证件"), BY_NUMBER),
    **dict.fromkeys(("3", "4", "5", "6", "7", "8", "20", "A", "B", "C"), BY_NUMBER),
    **dict.fromkeys(("户口簿", "户口本", "护照", "军官证", "士兵证", "军人身份证件", "警官证"), BY_NUMBER),
    **dict.fromkeys(("港澳通行证", "港澳居民来往内地通行证", "台胞证", "台湾居民来往大陆通行证"), BY_NUMBER),
    **dict.fromkeys(("港澳居民居住证", "台湾居民居住证", "港澳台居民居住证"), BY_NUMBER),
    **dict.fromkeys(("香港身份证", "澳门身份证", "台湾身份证"), BY_NUMBER),
    **dict.fromkeys(("外国人居留证", "外国人永久居留证", "外国人永久居留身份证"), BY_NUMBER),
}
"""Codes and words that mean the same wherever they stand; the numbers are of the credit registry, both generations."""
USUAL_IDENTITY_TYPES: Final = "core"
IDENTITY_TYPES: Final[Mapping[str, Mapping[str, str]]] = {
    # `1` is an identity card in the cores of banks, and a household register in the credit registry's tables.
    "core": _IN_EVERY_TABLE | dict.fromkeys(("1", "01", "001"), RESIDENT) | dict.fromkeys(("2", "02"), CREDIT_CODE),
    "credit_registry": _IN_EVERY_TABLE | dict.fromkeys(("1", "01", "001", "2", "02"), BY_NUMBER),
}
"""The tables of codes that a bank may use for kinds of certificates, by their names in `huilian.toml`."""
_ASKED_TYPES: Final = "身份证 1、01、0、10、101、110001，统一社会信用代码 2、02，其他 9、99，或证件名称"

_CODE_AND_WORD: Final = re.compile(r"[0-9A-Za-z]{1,6}[^0-9A-Za-z\u4e00-\u9fff]?(?P<word>[\u4e00-\u9fff].*)")


def _readings(cell: str) -> Iterator[str]:
    """Yield a kind of certificate as it is compared, and the word where its code stands before it: 1-身份证."""
    plain = folded(cell)
    yield plain
    if found := _CODE_AND_WORD.fullmatch(plain):
        yield found["word"]


FIVE_TIER_CLASSES: Final = {
    spelled: canonical
    for canonical, chinese, digit, letter in (
        ("normal", "正常", "1", "A"),
        ("special_mention", "关注", "2", "B"),
        ("substandard", "次级", "3", "C"),
        ("doubtful", "可疑", "4", "D"),
        ("loss", "损失", "5", "E"),
    )
    for spelled in (digit, f"0{digit}", letter, letter.lower(), chinese, f"{chinese}类")
}
_ASKED_CLASSES: Final = "1 正常、2 关注、3 次级、4 可疑、5 损失，或 01–05、A–E、正常、正常类等"
LOAN_STATUSES: Final = {
    "0": "normal",
    "1": "overdue",
    "2": "settled",
    "3": "written_off",
    "正常": "normal",
    "逾期": "overdue",
    "结清": "settled",
    "已结清": "settled",
    "核销": "written_off",
    "已核销": "written_off",
}
_ASKED_STATUSES: Final = "0 正常、1 逾期、2 结清、3 核销"


CONTINUATIONS: Final = {
    spelled: canonical
    for canonical, spellings in (
        ("none", ("0", "无", "否", "新增", "新发放", "正常")),
        ("extension", ("1", "展期", "是")),
        ("renewal", ("2", "续贷", "无还本续贷")),
        ("moratorium", ("3", "延期", "延期还本", "延期还本付息", "延期还款")),
    )
    for spelled in spellings
}
_ASKED_CONTINUATIONS: Final = "0 无、1 展期、2 续贷、3 延期还本付息"
LOSS_CAUSES: Final = {
    spelled: canonical
    for canonical, spellings in (
        ("force_majeure", ("F", "f", "1", "不可抗力", "自然灾害", "意外伤害", "重大疾病", "灾害", "疾病", "死亡")),
        ("other", ("O", "o", "2", "其他", "其他原因", "经营不善", "市场风险")),
        ("malicious", ("M", "m", "3", "恶意", "恶意拖欠", "恶意逃废债", "恶意不还")),
    )
    for spelled in spellings
}
_ASKED_CAUSES: Final = "1 不可抗力、2 其他、3 恶意拖欠，或 F、O、M，自然灾害、重大疾病、经营不善等"


def _optional(source: str, target: str, kind: Kind, *others: str) -> Column:
    return Column(source, target, kind, is_optional=True, also_called=others)


@functools.cache
def translation_with(kind: str, identity_types: str) -> Translation:
    """Return the translation of a kind of file where kinds of certificates are coded by another of `IDENTITY_TYPES`."""
    coded = code(IDENTITY_TYPES[identity_types], _ASKED_TYPES, _readings)
    return Translation(
        tuple(
            dataclasses.replace(column, kind=coded) if column.target == "identity_type" else column
            for column in LAYOUTS[kind].translation.columns
        )
    )


LAYOUTS: Final[Mapping[str, FileLayout]] = {
    "loan_ledger": FileLayout(
        word="LOAN",
        contract="loan_ledger/v3",
        record=LoanLedgerRecord,
        translation=Translation(
            (
                Column("借据号", "loan_no", number),
                Column("信贷合同号", "contract_no", number),
                Column("户编号", "household_no", number),
                Column("借款人姓名", "borrower_name", name),
                Column(
                    "证件类型", "identity_type", code(IDENTITY_TYPES[USUAL_IDENTITY_TYPES], _ASKED_TYPES, _readings)
                ),
                Column("证件号码", "identity_number", identity),
                Column("行政区划代码", "region"),
                Column("产品代码", "product"),
                Column("借款金额", "principal", money),
                Column("借款余额", "balance", money),
                Column("年利率(%)", "annual_rate_percent", rate),
                Column("利率类型", "rate_type"),
                Column("起始日期", "start_date", date),
                Column("到期日期", "due_date", date),
                Column("终止日期", "settled_date", date),
                Column("还款方式", "repayment_method"),
                Column("贷款用途", "purpose"),
                Column("五级分类", "five_tier_class", code(FIVE_TIER_CLASSES, _ASKED_CLASSES)),
                Column("逾期天数", "overdue_days", whole, empty="0"),
                Column("欠本金额", "overdue_principal", money, empty="0.00"),
                Column("欠息金额", "overdue_interest", money, empty="0.00"),
                Column("贷款状态", "status", code(LOAN_STATUSES, _ASKED_STATUSES)),
                Column("经办机构", "branch"),
                _optional("签订日期", "signed", date, "合同签订日期", "签约日期", "合同签订日", "合同签约日期"),
                _optional("确认编号", "confirmation_no", number, "确认书编号", "县级确认编号"),
                Column(
                    "展期续贷标志",
                    "continuation",
                    code(CONTINUATIONS, _ASKED_CONTINUATIONS),
                    empty="none",
                    is_optional=True,
                    also_called=("续贷展期标志", "展期标志", "展期续贷延期标志"),
                ),
                _optional("原借据号", "original_loan_no", number, "原贷款借据号", "展期前借据号", "续贷前借据号"),
            )
        ),
        totals=("principal", "balance"),
        unique=(("loan_no",), "HL2014"),
        has_region=True,
    ),
    "repayment_journal": FileLayout(
        word="REPAY",
        contract="repayment_journal/v1",
        record=RepaymentRecord,
        translation=Translation(
            (
                Column("借据号", "loan_no", number),
                Column("交易流水号", "transaction_no", number),
                Column("交易日期", "transaction_date", date),
                Column("归还本金", "principal", money),
                Column("归还利息", "interest", money),
                Column("渠道", "channel"),
            )
        ),
        totals=("principal", "interest"),
        unique=(("transaction_no",), "HL2019"),
    ),
    "subsidy_claims": FileLayout(
        word="SUBCLAIM",
        contract="subsidy_claims/v1",
        record=SubsidyClaimRow,
        translation=Translation(
            (
                Column("借据号", "loan_no", number),
                Column("户编号", "borrower_no", number),
                Column("计息起日", "period_start", date),
                Column("计息止日", "period_end", date),
                Column("计息本金积数", "principal_days", money),
                Column("执行利率(%)", "annual_rate_percent", rate),
                Column("应付利息", "interest", money),
                Column("申请贴息金额", "amount", money),
                Column("收款户名", "payee_name", name),
                Column("收款账号", "payee_account", account),
                _optional("开户行", "payee_bank", name, "开户银行", "收款行"),
                _optional("合同及还款证明", "document", name, "合同编号", "还款证明编号"),
            )
        ),
        totals=("amount",),
        unique=(("loan_no", "period_start"), "HL2091"),
        of_owner="institution",
    ),
    "compensation_claims": FileLayout(
        word="COMPCLAIM",
        contract="compensation_claims/v1",
        record=CompensationClaimRow,
        translation=Translation(
            (
                Column("借据号", "loan_no", number),
                Column("户编号", "borrower_no", number),
                Column("逾期日期", "overdue_since", date),
                Column("逾期天数", "overdue_days", whole),
                Column("欠本金额", "principal", money),
                Column("欠息金额", "interest", money, empty="0.00"),
                Column("损失原因", "cause", code(LOSS_CAUSES, _ASKED_CAUSES)),
                Column("保险赔付", "insurance_paid", money, empty="0.00"),
                Column("催收记录数", "collections", whole),
                Column("附件清单", "evidence", listed),
            )
        ),
        totals=("principal", "interest"),
        unique=(("loan_no",), "HL2014"),
        of_owner="institution",
    ),
    "recoveries": FileLayout(
        word="RECOVER",
        contract="recoveries/v1",
        record=RecoveryRow,
        translation=Translation(
            (
                Column("借据号", "loan_no", number),
                Column("追回日期", "recovered_date", date),
                Column("追回本金", "principal", money),
                Column("追回利息", "interest", money, empty="0.00"),
                Column("入账流水号", "transaction_no", number),
            )
        ),
        totals=("principal", "interest"),
        unique=(("transaction_no",), "HL2019"),
        of_owner="institution",
        needs_trailer=False,
    ),
    "payment_results": RESULTS,
}
"""Message type to the layout of the file it is read from."""
