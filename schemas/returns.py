"""What the county sends to institutions, beside receipts: confirmations, notices, credit records."""

from __future__ import annotations

from schemas import fields as f
from schemas.records import KEY, Record

__all__ = ["CREDIT_SUBJECT", "NOTICE_KIND", "ConfirmationRecord", "CreditRecord", "NoticeRecord"]

NOTICE_KIND = {
    "lending_suspended": "暂停放贷",
    "lending_resumed": "恢复放贷",
    "message_refused": "报文退回",
    "file_missing": "文件缺号",
    "file_repeated": "文件重号",
    "does_not_match": "数据不符",
    "key_expiring": "密钥将到期",
}
CREDIT_SUBJECT = {"household": "农户", "enterprise": "企业", "institution": "金融机构"}


class ConfirmationRecord(Record):
    """One household the county has confirmed for a loan at a bank (确认名单, 附件三)."""

    line = f.Whole(required=True, metadata={"zh": "序号"})
    confirmation_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "确认编号"})
    institution = f.Text(20, pattern=KEY, required=True, metadata={"zh": "贷款银行"})
    household_no = f.Text(32, pattern=KEY, required=True, metadata={"zh": "户编号"})
    borrower_name = f.Text(60, required=True, metadata={"zh": "借款人姓名"})
    identity_number = f.IdentityNumber(required=True, metadata={"zh": "证件号码"})
    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    product = f.Text(20, required=True, metadata={"zh": "产品代码"})
    amount = f.Money(required=True, metadata={"zh": "确认金额"})
    months = f.Whole(required=True, metadata={"zh": "期限(月)"})
    confirmed_date = f.Date(required=True, metadata={"zh": "确认日期"})
    valid_until = f.Date(required=True, allow_none=True, metadata={"zh": "有效期至"})


class NoticeRecord(Record):
    """One thing an institution must know or do (通知). It names no person."""

    line = f.Whole(required=True, metadata={"zh": "序号"})
    notice_no = f.Text(60, pattern=KEY, required=True, metadata={"zh": "通知编号"})
    kind = f.Code(NOTICE_KIND, required=True, metadata={"zh": "通知种类"})
    date = f.Date(required=True, metadata={"zh": "通知日期"})
    region = f.RegionCode(required=True, allow_none=True, metadata={"zh": "行政区划代码"})
    reference = f.Text(120, pattern=KEY, required=True, allow_none=True, metadata={"zh": "业务编号"})
    code = f.Text(6, pattern=r"^HL[0-9]{4}$", required=True, allow_none=True, metadata={"zh": "错误代码"})
    text = f.Text(500, required=True, metadata={"zh": "内容"})


class CreditRecord(Record):
    """One entry of the credit-information platform (信用信息平台, 篇五): published, so the number is masked."""

    line = f.Whole(required=True, metadata={"zh": "序号"})
    subject = f.Code(CREDIT_SUBJECT, required=True, metadata={"zh": "主体类型"})
    name = f.Text(60, required=True, metadata={"zh": "名称"})
    masked_number = f.Text(30, pattern=r"^[0-9A-Z]{1,6}\*+[0-9A-Z]{1,4}$", required=True, metadata={"zh": "证件号码"})
    grade = f.Text(10, required=True, allow_none=True, metadata={"zh": "信用等级"})
    credit_line = f.Money(required=True, allow_none=True, metadata={"zh": "授信额度"})
    decided_date = f.Date(required=True, metadata={"zh": "认定日期"})
    valid_until = f.Date(required=True, allow_none=True, metadata={"zh": "有效期至"})
    award = f.Text(20, required=True, allow_none=True, metadata={"zh": "奖惩类型"})
    award_reason = f.Text(200, required=True, allow_none=True, metadata={"zh": "奖惩事由"})
    posted_days = f.Whole(required=True, allow_none=True, metadata={"zh": "公示期(天)"})
