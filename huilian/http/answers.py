"""What is answered: the shape of every JSON answer and of every row of a feed."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from huilian.http.answer_fields import count as _count
from huilian.http.answer_fields import date as _date
from huilian.http.answer_fields import money as _money
from huilian.http.answer_fields import ratio as _ratio
from huilian.http.answer_fields import text as _text

__all__ = [
    "Accepted",
    "Difference",
    "Error",
    "FeedRow",
    "Figures",
    "FiguresRow",
    "Health",
    "OutgoingMessage",
    "Readiness",
    "Receiving",
    "Source",
    "Submission",
    "Submissions",
    "Taken",
]


def _amount(description: str) -> fields.String:
    return _money(description, allow_none=True)


class Error(ma.Schema):
    """Why a request was not met."""

    code = _text("错误代码，永不改变。 Stays the same; programs branch on it.", validate=validate.Length(equal=6))
    message = _text("中文说明。")
    message_en = _text("The same in English.")


class Accepted(ma.Schema):
    """A message that is kept, and will be handled."""

    message = _text("The message's id.")
    status = _text("Taken now, or known already.", validate=validate.OneOf(("taken", "repeated")))


class Receiving(ma.Schema):
    """A submission that is not complete yet, or not applied."""

    status = _text(validate=validate.Equal("receiving"))


class FiguresRow(ma.Schema):
    """The figures of a region, institution or product at a month's end."""

    institution = fields.String(metadata={"description": "By institution: the member's code."})
    product = fields.String(metadata={"description": "By product: its code."})
    region = fields.String(metadata={"description": "By township or village: its code."})
    loans = _count("贷款笔数。 Loans with a balance.")
    households = _count("贷款户数。 Households with such a loan.")
    lent = _money("累计发放。 Principal ever lent")
    balance = _money("贷款余额。 Balance")
    overdue_balance = _money("逾期余额。 Balance of overdue loans")
    bad_balance = _money("不良余额。 Balance classed substandard, doubtful or loss")
    bad_loan_ratio = _ratio("不良率。 Bad balance over balance")
    due_loan_recovery_rate = _ratio("到期贷款收回率。 Repaid of what fell due this year, over what fell due")


class Taken(ma.Schema):
    """How much of what an institution's newest files state of themselves was taken."""

    institution = _text("机构。")
    kind = _text("种类。 The kind of submission.")
    as_of = _date("截止日期。 The newest date.")
    stated_rows = _count("自列行数。 Rows by the files' own count.")
    taken_rows = _count("入账行数。 Rows taken.")
    untaken_rows = _count("未入账行数。 Rows not taken.")
    amount = _text("金额项目。 Which amount is compared.", allow_none=True)
    stated_amount = _amount("自列金额。 By the files' own totals; null where one states none")
    taken_amount = _amount("入账金额。 Taken")
    untaken_amount = _amount("未入账金额。 Not taken")


class Figures(FiguresRow):
    """The figures of a region at a month's end, and their parts."""

    class Meta:
        """Named by region and month; the parts are in `rows`."""

        exclude = ("institution", "product")

    region = _text("The region asked for.")
    month = _text("The month asked for.")
    stale = fields.List(
        fields.String(), required=True, metadata={"description": "Banks that have not reported for it."}
    )
    rests_on = fields.List(
        fields.Nested(Taken), required=True, metadata={"description": "What the figures rest on, bank by bank."}
    )
    by = fields.String(metadata={"description": "What `rows` are by."})
    rows = fields.List(fields.Nested(FiguresRow))


class Source(ma.Schema):
    """Where a loan's state was first read."""

    submission = _text("提交编号。")
    message = _text("The message that carried it.", allow_none=True)
    file_name = _text("来源文件。")
    file_sha256 = _text("The file's SHA-256.")
    line = _count("The line in the file.")


class FeedRow(ma.Schema):
    """One loan as it is now."""

    institution = _text("机构。")
    loan_no = _text("借据号。 Unique within its institution.")
    contract_no = _text("合同号。", allow_none=True)
    household_no = _text("户编号。", allow_none=True)
    borrower_name = _text("借款人。")
    identity_number = _text("证件号码（已脱敏）。 Masked.")
    region = _text("行政区划代码。")
    product = _text("产品代码。")
    principal = _money("借款金额")
    balance = _money("借款余额")
    annual_rate_percent = _text("年利率（%）。 Per cent a year.")
    rate_type = _text("利率类型。", allow_none=True)
    start_date = _date("起始日期。")
    due_date = _date("到期日期。")
    settled_date = _date("终止日期。", allow_none=True)
    repayment_method = _text("还款方式。", allow_none=True)
    purpose = _text("贷款用途。", allow_none=True)
    five_tier_class = _text("五级分类。")
    overdue_days = _count("逾期天数。")
    overdue_principal = _money("欠本金额")
    overdue_interest = _money("欠息金额")
    status = _text("贷款状态。")
    branch = _text("经办机构。", allow_none=True)
    as_of = _date("截止日期。 The ledger's date.")
    source = fields.Nested(Source, required=True)


class Difference(ma.Schema):
    """What does not match between ledgers, roster, journals, guarantees, policies and claims."""

    kind = _text(
        validate=validate.OneOf(
            (
                "household_not_on_roster",
                "borrower_not_in_household",
                "region_not_the_households",
                "missing_with_balance",
                "repayment_without_loan",
                "loan_number_at_two_banks",
                "guarantee_without_loan",
                "two_guarantees_on_one_loan",
                "compensation_without_guarantee",
                "policy_without_loan",
                "claim_without_policy",
            )
        )
    )
    institution = _text("机构。 The member that stated it.")
    loan_no = _text("借据号。 Null only of a claim that names no loan.", allow_none=True)
    household_no = _text("户编号。", allow_none=True)
    region = _text("行政区划代码。", allow_none=True)
    as_of = _date("截止日期。")
    reference = _text("业务编号。 The number of the guarantee, policy or claim; null of loans.", allow_none=True)


class Submission(ma.Schema):
    """A submission and what became of its rows; the counts are null until it is applied."""

    submission = _text("提交编号。")
    member = _text("机构。")
    kind = _text("种类。")
    as_of = _date("截止日期。")
    status = _text(validate=validate.OneOf(("receiving", "accepted", "refused")))
    received_at = fields.AwareDateTime(required=True)
    applied_at = fields.AwareDateTime(required=True, allow_none=True)
    file_name = _text("文件名。")
    rows = _count("总行数。")
    accepted = _count("入账。", allow_none=True)
    rejected = _count("退回。", allow_none=True)
    changed = _count("变动。", allow_none=True)
    unchanged = _count("未变。", allow_none=True)
    missing = _count("缺失。", allow_none=True)
    code = _text("Why it was refused as a whole.", allow_none=True)


class Submissions(ma.Schema):
    """All submissions the token may see, newest first."""

    submissions = fields.List(fields.Nested(Submission), required=True)


class OutgoingMessage(ma.Schema):
    """One sealed message for the member that asked."""

    cursor = _text("妥存本条后，下次作为 after 给出。 What to give as `after` once this message is kept safely.")
    seal = _text("封装：带分离载荷的 JWS。 The compact JWS with detached payload.")
    payload = _text("载荷字节的 base64。 The payload's bytes as they were signed, in base64 (RFC 4648, 4).")


class Health(ma.Schema):
    """The process answers."""

    status = _text(validate=validate.Equal("alive"))


class Readiness(ma.Schema):
    """Whether the server can do its work, and what of it cannot."""

    status = _text(validate=validate.OneOf(("ready", "not_ready")))
    checks = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": '"ok", or the code of what is wrong, by check.'},
    )
