"""Answers that several services give together: what does not match between what institutions state."""

from __future__ import annotations

import csv
import io
import tempfile
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.county.answer_fields import coded, date, text
from huilian.county.queries import INSTITUTION, REGION, Query
from huilian.county.submissions.statements import scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.database.connection import Transaction

__all__ = ["Difference", "differences_in"]


KINDS: Final = {
    "household_not_on_roster": "户不在花名册",
    "borrower_not_in_household": "借款人不是该户成员",
    "region_not_the_households": "区划与该户不一致",
    "missing_with_balance": "有余额但不再报送",
    "repayment_without_loan": "有还款流水无借据",
    "loan_number_at_two_banks": "两家银行借据号相同",
    "guarantee_without_loan": "有担保无借据",
    "two_guarantees_on_one_loan": "一笔借据有多笔担保",
    "guarantee_fee_differs": "担保费率高于政策",
    "compensation_without_guarantee": "有代偿无担保",
    "reservation_beyond_deposit": "备付超过存款可承担的额度",
    "reservation_without_application": "有备付无申请",
    "loss_made_good_twice": "损失重复补偿",
    "guarantor_differs_from_book": "担保拨付与代偿明细不符",
    "policy_without_loan": "有保单无借据",
    "claim_without_policy": "有赔案无保单",
    "claim_went_back": "赔案状态倒退",
    "claim_paid_without_date": "已赔付而无赔付日期",
    "claim_outside_cover": "出险日期不在保险期间内",
    "claims_above_sum_insured": "赔付超过保险金额",
    "fund_paid_before_insurer": "保险未赔付而风险补偿金已付",
    "loan_without_confirmation": "未经确认放款",
    "loan_before_confirmation": "确认前放款",
    "loan_differs_from_confirmation": "放款与确认不一致",
    "two_loans_on_one_confirmation": "一项确认多笔放款",
    "loan_in_suspended_area": "停贷区域放款",
    "continuation_without_original": "展期续贷无原借据",
}


class Difference(ma.Schema):
    """What does not match between ledgers, roster, journals, confirmations, guarantees, policies and claims."""

    kind = coded("情形", KINDS)
    institution = text("机构", "The member that stated it.")
    loan_no = text("借据号", "Null of a claim that names no loan, and of a reservation.", allow_none=True)
    household_no = text("户编号", allow_none=True)
    region = text("行政区划代码", allow_none=True)
    as_of = date("截止日期")
    reference = text(
        "业务编号",
        "The number of the guarantee, policy, claim or application; of the confirmation, suspension or original loan.",
        allow_none=True,
    )
    detail = text("说明", "What differs, in Chinese, with what was confirmed.", allow_none=True)


def differences_in(found: str, *, detail: str = "NULL") -> Query:
    """Return the query for what does not match, as one service finds it; the rows of all come as one answer.

    Args:
        found: an SQL query of rows with the fields of `Difference`; what has no region is the county's to see.
        detail: SQL for what differs, in words.
    """
    columns = list(Difference().fields)
    selected = ", ".join(name if name != "detail" else f"{detail} AS detail" for name in columns)
    statement = f"""
        SELECT {selected} FROM ({found}) r
        WHERE (region LIKE %(region)s OR (region IS NULL AND %(is_county)s))
          AND (%(institution)s::text IS NULL OR institution = %(institution)s)
        ORDER BY kind, institution, loan_no, reference, detail
    """

    def differences(
        transaction: Transaction, *, region: str, institution: str | None = None
    ) -> Iterator[dict[str, Any]]:
        # By way of a file: a cursor's rows come one after the other, and the server would compare a million loans
        # with one process instead of several.
        with tempfile.TemporaryFile("w+b") as file:
            file.writelines(transaction.copy_out(statement, scope(region, institution)))
            file.seek(0)
            with io.TextIOWrapper(file, "utf-8", newline="") as text:
                for cells in csv.reader(text):
                    # None of these may be empty: what is empty is null.
                    yield {name: cell or None for name, cell in zip(columns, cells, strict=True)}

    return Query(
        "differences",
        differences,
        Difference,
        "列出对不上的地方：台账与花名册、前后两期台账、放款与确认、流水与借据、各银行之间、担保与借据、保单与借据、赔案与保单。",
        "Return what does not match within a region.",
        "A loan whose household is not on the roster, whose borrower is not in its household or\n"
        "whose region is not the household's; one that is no longer reported though it has a\n"
        "balance; a repayment of no loan. A loan number at two banks; a guarantee of no loan, two\n"
        "of one, one that costs more than the policy lets, a compensation of no guarantee; a policy of a\n"
        "loan that nobody has, a claim of no policy, one that goes back, outside its cover, above its sum,\n"
        "or later than the fund. A loan without its confirmation, before it, other\n"
        "than it says, a second one on it, one where lending is suspended; an extension or renewal of a\n"
        "loan that nobody has.",
        parameters=(REGION, INSTITUTION),
        order=("kind",),
        personal=True,
        examples=(
            "huilian differences --region 341599",
            "huilian differences --region 341599101 --institution RCB01 --json",
            "huilian differences --region 341599 --format csv > 差异.csv",
        ),
    )
