"""Texts of errors in rows, HL2xxx."""

from __future__ import annotations

from typing import Final

__all__ = ["TEXTS"]


TEXTS: Final[dict[str, tuple[str, str]]] = {
    "HL2001": (
        "必填项为空（/、-、0、无、NULL 等占位符及 00000000、99991231 等占位日期按空处理）",
        "a required value is empty (/, -, 0, NULL and dates such as 00000000 or 99991231 count as empty)",
    ),
    "HL2002": (
        "不是有效金额（应为数字，如 50000.00：不带单位，前面不补零，最多两位小数）",
        "not an amount (digits such as 50000.00: no unit, no zeros in front, at most two decimals)",
    ),
    "HL2003": ("不是有效日期（应为 2024-05-31，不带时间）", "not a date (such as 2024-05-31, without a time)"),
    "HL2004": ("不是整数（应为数字，如 30，不带单位）", "not a whole number (digits such as 30, no unit)"),
    "HL2005": ("代码不在约定范围内", "not one of the agreed codes"),
    "HL2006": ("内容过长", "the value is too long"),
    "HL2007": (
        "证件号码校验不通过（个人应为 18 位居民身份证号码，机构应为 18 位统一社会信用代码）",
        "the identity number fails its checksum (18 characters: a resident's number, or a unified social credit code)",
    ),
    "HL2008": ("行政区划代码无效（应为 6、9 或 12 位数字）", "not a valid region code (6, 9 or 12 digits)"),
    "HL2009": ("行政区划不属于本县", "the region lies outside this county"),
    "HL2010": ("数值不得为负", "the value must not be negative"),
    "HL2011": ("借款余额大于借款金额", "the balance exceeds the principal"),
    "HL2012": ("到期日期早于起始日期", "the due date is before the start date"),
    "HL2013": ("已结清但仍有余额", "marked settled but a balance remains"),
    "HL2014": ("借据号在本文件中重复", "the loan number appears more than once in this file"),
    "HL2015": (
        "列数与表头不一致（应为 {expected} 列，实为 {found} 列）",
        "{found} columns where the header has {expected}",
    ),
    "HL2016": ("存在无法按文件编码解读的字节", "bytes that cannot be read in the file's encoding"),
    "HL2017": (
        "不是有效利率（应为不带 % 的百分数，如 4.35，最多六位小数）",
        "not a rate (per cent a year such as 4.35, without %, at most six decimals)",
    ),
    "HL2018": ("起始日期晚于报表日期", "the start date is after the ledger's date"),
    "HL2019": ("交易流水号在本文件中重复", "the transaction number appears more than once in this file"),
    "HL2020": ("证件号码在本文件中重复", "the identity number appears more than once in this file"),
    "HL2021": ("户内没有户主或有多个户主", "the household has no head, or more than one"),
    "HL2022": ("同一户的信息前后不一致", "rows of one household disagree"),
    "HL2023": ("格式不符合约定", "the value does not have the agreed form"),
    "HL2024": ("引号不成对，此行无法读取", "unbalanced quotes; the row cannot be read"),
    "HL2025": (
        "已发生之事（交易、结清、代偿、解保、出险、赔付等）的日期晚于报表日期",
        "the date of what has happened (transaction, settlement, event, payment) is after the file's date",
    ),
    "HL2026": (
        "同户其他成员的记录未被接收，整户一并退回",
        "another row of the household was rejected, so the whole household is returned",
    ),
    "HL2027": ("金额过大，超出一笔业务的可能范围", "the amount is larger than any one transaction can be"),
    "HL2028": ("在保余额大于担保金额", "the outstanding amount exceeds the amount guaranteed"),
    "HL2029": ("分险比例合计不是百分之一百", "the shares of the risk do not add up to 100 per cent"),
    "HL2030": ("累计追回大于代偿本金与利息之和", "more was recovered than was paid"),
    "HL2031": ("各方承担的保险费之和不等于保险费", "the shares of the premium do not add up to it"),
    "HL2032": ("赔付日期早于出险日期", "paid before the event"),
    "HL2033": (
        "记录长度应为 {expected} 字节，实为 {found} 字节",
        "the record has {found} bytes where every one has {expected}",
    ),
    "HL2034": (
        "末尾的汉字不完整，编号或代码被截断",
        "the field ends in half a character; a number or code was cut off",
    ),
    "HL2035": (
        "记录类型无法识别（明细以 D、B 或 K 开头）",
        "a record of unknown kind (details begin with D, B or K)",
    ),
    "HL2037": (
        "金额精确到分以下，不予四舍五入（万元最多六位小数，元最多两位）",
        "the amount is finer than a fen and is never rounded (at most six decimals of 万元, two of yuan)",
    ),
    "HL2038": (
        "号码以数字格式存放，末几位可能已丢失；请将单元格设为文本格式后重新填写",
        "a number of this kind stored as a number may have lost its last digits; make the cell text and enter it again",
    ),
    "HL2039": ("单元格 {cell} 无法取值：{what}", "cell {cell} has no value that can be read: {what}"),
    "HL2040": (
        "债权银行{bank}不在对照表中；请更正名称，或在 huilian.toml 的 [adapters.guarantee_company] banks 中补充",
        "the bank {bank} is not in the table; correct its name, or add it to banks under [adapters.guarantee_company]",
    ),
    "HL2041": (
        "担保合同号与借据号（代偿、解保另加日期）和本表前面的行重复",
        "an earlier row of the sheet has the same guarantee and loan number (and date, if compensated or released)",
    ),
    "HL2042": (
        "保单号、赔案号或期间在本文件中重复",
        "the number of the policy or claim, or the period, appears more than once in this file",
    ),
    "HL2043": (
        "不是约定的报文元素（应为 Policy、Claim 或 PeriodResult）",
        "not one of the agreed elements (Policy, Claim, PeriodResult)",
    ),
    "HL2044": ("同一元素中该项出现多次", "this item appears more than once in the element"),
    "HL2045": (
        "收款账号只应提供后四位，不得报送完整账号",
        "only the last four digits of the account may be sent, never the whole number",
    ),
    "HL2046": (
        "该项内含有其他元素，应只有文字",
        "there are elements inside this item; it must be plain text",
    ),
    "HL2047": (
        "各方承担之和不等于损失本金与利息之和",
        "the shares of a loss do not add up to its principal and interest",
    ),
    "HL2050": (
        "标为户主的成员，姓名与户主姓名不一致；请核对是否户主与户主姓名",
        "a member marked as the head has another name than the head is said to have; check both",
    ),
    "HL2051": (
        "是否户主与“与户主关系”矛盾（户主的关系应为户主或本人，其他成员不应是）；请核对",
        "whether a member is the head contradicts the relation to the head; check both",
    ),
    "HL2060": (
        "含有乱码（{what}），原字已丢失，请在来源系统中补正后重新导出",
        "a character was lost and {what} stands in its place; mend it where it comes from and export again",
    ),
    "HL2061": (
        "含有私用区字符 {what}（自造字，各系统显示不同），请改用 GB 18030 收录的字",
        "it has the private use character {what}, which every system shows differently; use one of GB 18030",
    ),
    "HL2062": (
        "含有不可见字符或控制字符 {what}，请删去后重新填写",
        "it has the invisible or control character {what}; take it out and enter the value again",
    ),
    "HL2063": (
        "与本文件前面一行的编号只差字母大小写或全角、半角，疑为重复；确为两笔的，请改用不易混淆的编号",
        (
            "an earlier row has this number but for upper and lower case or full-width characters, a probable repeat; "
            "give one of them another number if they are two"
        ),
    ),
    "HL2070": ("终止（结清）日期早于起始日期", "the loan was settled before it started"),
    "HL2071": (
        "证件号码中的出生日期晚于报表日期或早于 1900 年",
        "the day of birth in the identity number is after the file's date, or before 1900",
    ),
    "HL2072": (
        "年利率不可能（应为 0.5 至 36 之间的百分数；4.35 表示年利率 4.35%，不写作 435 或 0.0435）",
        "an impossible rate (from 0.5 to 36 per cent a year; 4.35 is 4.35 %, never 435 or 0.0435)",
    ),
    "HL2073": (
        "担保费率不可能（应为 0，或 0.05 至 10 之间的百分数；1 表示年费率 1%，不写作 0.01）",
        "an impossible fee (0, or from 0.05 to 10 per cent a year; 1 is 1 %, never 0.01)",
    ),
    "HL2074": (
        "日期不可能（距报表日期过远，可能是占位日期或年份有误）",
        "an impossible date (too far from the file's; a placeholder, or a wrong year)",
    ),
    "HL2075": (
        "这是 15 位旧身份证号码，请填写 18 位居民身份证号码",
        "this is an old number of 15 digits; enter the resident identity number of 18",
    ),
    "HL2076": (
        "这是残疾人证号，请填写其前 18 位的居民身份证号码",
        "this is the number of a disability certificate; enter the identity number, its first 18 characters",
    ),
    "HL2077": (
        "号码中有空格或看不见的字符，请删除后重新填写",
        "there are blanks or invisible characters inside the number; remove them",
    ),
    "HL2080": ("应为村的 12 位区划代码", "the region code of a village is needed, of 12 digits"),
    "HL2081": ("年龄不可能（大于 150）", "an impossible age (above 150)"),
    "HL2082": ("同一指标或情形写了两次", "an indicator or a ground is named twice"),
    "HL2083": ("指标得分应为 0 至 100、最多两位小数", "points are from 0 to 100, with at most two decimals"),
    "HL2084": ("没有填写任何指标或否决情形", "neither an indicator nor a ground of exclusion is stated"),
    "HL2085": ("村不在文件名所写的区划内", "the village lies outside the region that the file's name states"),
    "HL2086": ("同一户（企业）在本文件中重复", "the household or enterprise appears more than once in this file"),
    "HL2090": (
        "逾期天数与逾期日期、报表日期不符",
        "the days overdue disagree with the day since when it is overdue, and the file's date",
    ),
    "HL2091": (
        "同一借据、同一计息起日在本文件中重复",
        "the same loan and first day of a period appear more than once in this file",
    ),
    "HL2092": ("同一批次的同一序号在本文件中重复", "the same payment of a batch appears more than once in this file"),
    "HL2110": (
        "同一申请的同一步骤，或同一编号的授权书，在本文件中重复",
        "the same step of an application, or the same consent, appears more than once in this file",
    ),
}
