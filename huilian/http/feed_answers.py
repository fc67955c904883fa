"""What the feeds beside the loans' answer: guarantees, policies, claims, and the scoreboard's lines."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from huilian.http.answer_fields import date, money, text
from huilian.http.answers import Source
from huilian.http.scoreboard_answers import Reported

__all__ = ["ClaimRow", "GuaranteeRow", "PolicyRow", "ScoreboardFeedRow"]

_YES_NO = validate.OneOf(("yes", "no"))


class GuaranteeRow(ma.Schema):
    """One guarantee as its guarantor last stated it."""

    institution = text("担保机构。 The guarantor that stated it.")
    guarantee_no = text("担保合同号。 With the loan number unique within its guarantor.")
    loan_no = text("借据号。")
    bank = text("债权银行。 The bank named.")
    loan_institution = text("借据所在银行。 The bank, if it has this loan; null if it has none.", allow_none=True)
    guaranteed_name = text("被担保人名称。")
    guaranteed_number = text("被担保人证件号码（已脱敏）。 Masked.")
    subject = text("主体类型。")
    region = text("行政区划代码。")
    guaranteed_amount = money("担保金额")
    outstanding_amount = money("在保余额")
    fee_rate_percent = text("担保费率（%）。 Per cent a year.")
    start_date = date("起保日。")
    due_date = date("到期日。")
    counter_guarantee = text("反担保方式。", allow_none=True)
    government_share_percent = text("分险比例（政府，%）。")
    bank_share_percent = text("分险比例（银行，%）。")
    guarantor_share_percent = text("分险比例（担保，%）。")
    re_guarantor_share_percent = text("分险比例（再担保，%）。")
    in_force = text(
        "是否在保。 Whether the guarantor's newest book has it, with something left of it.", validate=_YES_NO
    )
    as_of = date("截止日期。 The book's date.")
    source = fields.Nested(Source, required=True)


class PolicyRow(ma.Schema):
    """One policy as its insurer last stated it."""

    institution = text("保险机构。 The insurer that stated it.")
    policy_no = text("保单号。 Unique within its insurer.")
    loan_no = text("借据号。 Null of a policy that belongs to no loan.", allow_none=True)
    loan_institution = text(
        "借据所在银行。 The bank that has the loan; null if none has it, or several and none for this household.",
        allow_none=True,
    )
    product = text("险种代码。")
    kind = text("险类。")
    holder_name = text("投保人。")
    insured_name = text("被保险人。")
    insured_number = text("被保险人证件号码（已脱敏）。 Masked.")
    household_no = text("户编号。")
    region = text("行政区划代码。")
    sum_insured = money("保险金额")
    premium = money("保险费")
    premium_finance = money("保险费（财政）")
    premium_household = money("保险费（农户）")
    premium_insurer = money("保险费（保险公司）")
    start_date = date("保险起期。")
    end_date = date("保险止期。")
    as_of = date("截止日期。 The package's date.")
    source = fields.Nested(Source, required=True)


class ClaimRow(ma.Schema):
    """One claim at the stage its insurer last stated."""

    institution = text("保险机构。 The insurer that stated it.")
    claim_no = text("赔案号。 Unique within its insurer.")
    policy_no = text("保单号。")
    loan_no = text("借据号。 The claim's or else its policy's.", allow_none=True)
    loan_institution = text("借据所在银行。 The bank that has the loan; see PolicyRow.", allow_none=True)
    household_no = text("户编号。 The policy's; null if that was never stated.", allow_none=True)
    region = text("行政区划代码。 The policy's, or else the loan's.", allow_none=True)
    event = text("出险原因。")
    event_date = date("出险日期。")
    force_majeure = text("是否不可抗力。", validate=_YES_NO)
    status = text("赔案状态。")
    amount = money("赔付金额")
    paid_date = date("赔付日期。", allow_none=True)
    reason = text("原因说明。", allow_none=True)
    as_of = date("截止日期。 The package's date.")
    source = fields.Nested(Source, required=True)


class ScoreboardFeedRow(Reported):
    """A line of a month's scoreboard: what an institution sent of one kind."""

    class Meta:
        """The month stands first, as in the rows."""

        fields = (
            *("month", "due_date", "institution", "institution_kind", "kind", "status", "as_of", "received_at"),
            *("applied_at", "files", "rows", "rejected_rows", "refused_files", "missing_files", "repeated_files"),
            *("stated_rows", "taken_rows", "stated_amount", "taken_amount", "untaken_amount"),
        )

    month = text("月份。")
    due_date = date("报送期限。 What is applied up to this day, included, is on time.")
    missing_files = text("缺号，如 2024-05-31 3-4。 Numbers that never came; null without any.", allow_none=True)
    repeated_files = text("重号。 Numbers that came twice with other contents; null without any.", allow_none=True)
