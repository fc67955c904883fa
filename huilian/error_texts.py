"""Every error code with its Chinese and its English text: the one catalogue.

Published: institutions show these texts to their people and programs branch on the
codes. A code is never reused and never changes its meaning; a text may be improved.
"""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    # HL1xxx: messages
    "HL1001": ("签名与内容不符，报文可能被改动", "the signature does not match; the message may have been altered"),
    "HL1002": ("签名密钥 {kid} 未登记", "the signing key {kid} is not registered"),
    "HL1003": ("签名密钥 {kid} 在签名时间不在有效期内", "the signing key {kid} was not valid at the time of signing"),
    "HL1004": ("机构 {member} 无权发送 {type}", "member {member} may not send {type}"),
    "HL1005": ("不支持的报文类型或版本 {type} {dataschema}", "unknown message type or version {type} {dataschema}"),
    "HL1006": ("报文 {size} 字节，超过上限 {limit} 字节", "the message has {size} bytes; at most {limit} are allowed"),
    "HL1007": ("报文内容不是有效的 JSON（第 {line} 行）", "the payload is not valid JSON (line {line})"),
    "HL1008": ("报文编号 {message} 已用于另一份内容", "message id {message} was already used for other bytes"),
    "HL1009": ("报文封装无法读取：{what}", "the message envelope cannot be read: {what}"),
    "HL1010": (
        "报文第 {line} 行字段 {field} 不符合约定：{what}",
        "line {line}, field {field} breaks the contract: {what}",
    ),
    "HL1011": ("压缩内容无法解开", "the compressed payload cannot be expanded"),
    "HL1012": ("处理报文时出错：{what}", "handling the message failed: {what}"),
    "HL1013": ("机构 {member} 已停用", "member {member} is suspended"),
    "HL1014": ("报文多次投递失败，队列已放弃", "the broker gave the message up after repeated deliveries"),
    "HL1015": (
        "签名时间 {time} 比现在晚，超出允许的误差",
        "the time of signing {time} lies in the future beyond the allowed skew",
    ),
    # HL2xxx: rows
    "HL2001": ("必填项为空", "a required value is empty"),
    "HL2002": (
        "不是有效金额（应为不带单位的数字，最多两位小数）",
        "not an amount (digits, at most two decimals, no unit)",
    ),
    "HL2003": ("不是有效日期", "not a date"),
    "HL2004": ("不是整数", "not a whole number"),
    "HL2005": ("代码不在约定范围内", "not one of the agreed codes"),
    "HL2006": ("内容过长", "the value is too long"),
    "HL2007": ("证件号码校验不通过", "the identity number fails its checksum"),
    "HL2008": ("行政区划代码无效", "not a valid region code"),
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
    "HL2017": ("不是有效利率（应为百分数，最多六位小数）", "not a rate (per cent a year, at most six decimals)"),
    "HL2018": ("起始日期晚于报表日期", "the start date is after the ledger's date"),
    "HL2019": ("交易流水号在本文件中重复", "the transaction number appears more than once in this file"),
    "HL2020": ("证件号码在本文件中重复", "the identity number appears more than once in this file"),
    "HL2021": ("户内没有户主或有多个户主", "the household has no head, or more than one"),
    "HL2022": ("同一户的信息前后不一致", "rows of one household disagree"),
    "HL2023": ("格式不符合约定", "the value does not have the agreed form"),
    "HL2024": ("引号不成对，此行无法读取", "unbalanced quotes; the row cannot be read"),
    "HL2025": ("交易日期晚于报表日期", "the transaction date is after the journal's date"),
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
    # HL3xxx: files
    "HL3001": (
        "文件 {file} 的合计行与明细不符：{field} 合计行为 {stated}，明细为 {found}；整份文件未导入，请核对后重新导出",
        (
            "the trailer of {file} disagrees with its rows: {field} is {stated} in the trailer, {found} in the rows; "
            "nothing was applied, check the export and send it again"
        ),
    ),
    "HL3002": (
        "文件 {file} 缺少合计行，可能未导出完整；整份文件未导入",
        "{file} has no trailer and may be cut short; nothing was applied",
    ),
    "HL3003": ("文件 {file} 缺少列：{columns}", "{file} lacks the columns {columns}"),
    "HL3004": ("文件 {file} 的列重复：{columns}", "{file} repeats the columns {columns}"),
    "HL3005": (
        "文件名 {file} 不符合约定，应形如 {example}",
        "the file name {file} is not as agreed; expected one like {example}",
    ),
    "HL3006": ("文件 {file} 为空", "{file} is empty"),
    "HL3007": (
        "文件 {file} 的编码无法识别（应为 {encodings}）",
        "the encoding of {file} is not recognised (expected {encodings})",
    ),
    "HL3008": ("文件 {file} 属于机构 {found}，不是 {expected}", "{file} belongs to {found}, not to {expected}"),
    "HL3009": ("文件 {file} 第 {line} 行：合计行之后还有数据", "{file}, line {line}: rows follow the trailer"),
    "HL3010": ("文件 {file} 无法读取：{what}", "{file} cannot be read: {what}"),
    "HL3011": (
        "文件 {file} 第 {line} 行：合计行 {field} 不是数字",
        "{file}, line {line}: {field} in the trailer is not a number",
    ),
    "HL3012": (
        "提交 {submission} 的明细与清单合计不符：{field} 清单为 {stated}，明细为 {found}；整份未导入",
        "submission {submission}: {field} is {stated} in the manifest, {found} in the rows; nothing was applied",
    ),
    "HL3013": (
        "提交 {submission} 中 {field} 重复；整份未导入",
        "submission {submission} repeats a {field}; nothing was applied",
    ),
    "HL3014": ("适配器 {adapter} 不接收文件 {file}", "adapter {adapter} does not take the file {file}"),
    "HL3015": ("文件 {file} 的日期 {as_of} 晚于今天", "{file} is dated {as_of}, after today"),
    "HL3016": (
        "文件 {file} 第 {line} 行超过 {limit} 字节，不是按行排列的文本",
        "{file}, line {line} exceeds {limit} bytes; this is not text in rows",
    ),
    "HL3017": (
        "文件 {file} 第 {line} 行：表头引号不成对，无法读取",
        "{file}, line {line}: the header's quotes are unbalanced; it cannot be read",
    ),
    "HL3018": (
        "文件 {file} 的表头有 {found} 列，上限为 {limit} 列",
        "the header of {file} has {found} columns; at most {limit} are allowed",
    ),
    # HL4xxx: access
    "HL4001": (
        "没有名为 {member} 的机构；用 huilian member list 查看",
        "there is no member {member}; see: huilian member list",
    ),
    "HL4002": ("令牌无效或已停用", "the token is unknown or revoked"),
    "HL4003": ("令牌无权读取区划 {region}", "the token may not read region {region}"),
    "HL4004": (
        "需要令牌：请在 Authorization 头中提供 Bearer 令牌",
        "a token is needed: send it as Authorization: Bearer",
    ),
    "HL4005": ("令牌无权读取该提交", "the token may not read this submission"),
    "HL4006": (
        "没有 {member} 的私钥；请在其所在机器上运行",
        "the private key of {member} is not here; run this where it is kept",
    ),
    "HL4007": ("机构 {member} 已存在", "member {member} exists already"),
    "HL4008": ("令牌无权读取机构 {member}", "the token may not read member {member}"),
    # HL5xxx: hosts
    "HL5001": ("数据库暂时不可用：{what}", "the database is not available now: {what}"),
    "HL5002": ("消息队列暂时不可用：{what}", "the message broker is not available now: {what}"),
    "HL5003": ("服务器 {url} 暂时不可用：{what}", "the server {url} is not available now: {what}"),
    "HL5004": (
        "等待回执超时（{seconds} 秒）；文件已留在本机待发区，再次运行同一命令即可继续",
        "no receipt within {seconds} seconds; the file stays spooled, run the same command to go on",
    ),
    "HL5005": ("报文 {type} 无处投递，没有服务接收它", "message {type} could not be routed; no service takes it"),
    "HL5006": (
        "同时读取的客户端过多，请稍后再试",
        "too many clients are reading at once; try again later",
    ),
    "HL5007": (
        "服务器内部错误，详情见服务器日志，编号 {reference}",
        "the server failed; its log says more under {reference}",
    ),
    # HL6xxx: configuration
    "HL6001": (
        "目录 {home} 尚未初始化；请先运行 huilian init --county 六位代码",
        "{home} is not set up; run: huilian init --county CODE",
    ),
    "HL6002": ("政策文件 {file} 有误：{what}", "policy {file} is wrong: {what}"),
    "HL6003": ("没有名为 {name} 的政策；可用：{known}", "there is no policy {name}; known: {known}"),
    "HL6004": ("没有名为 {name} 的适配器；可用：{known}", "there is no adapter {name}; known: {known}"),
    "HL6005": ("适配器 {adapter} 的 {hook} 有误：{what}", "adapter {adapter}: {hook} is wrong: {what}"),
    "HL6006": ("配置 {file} 有误：{what}", "configuration {file} is wrong: {what}"),
    "HL6007": (
        "政策 {policy} 在 {date} 没有 {parameter} 的取值",
        "policy {policy} has no value of {parameter} on {date}",
    ),
    "HL6008": ("目录 {home} 已经初始化为县 {county}", "{home} is already set up for county {county}"),
    "HL6009": ("访问规则 {file} 有误：{what}", "access rules {file} are wrong: {what}"),
    # HL7xxx: usage
    "HL7001": ("{what}", "{what}"),
    "HL7002": ("区划代码 {region} 无效：应为 6、9 或 12 位数字", "region {region} is not valid: 6, 9 or 12 digits"),
    "HL7003": ("月份 {month} 无效：应形如 2024-05", "month {month} is not valid: expected one like 2024-05"),
    "HL7004": ("游标 {cursor} 无效；请使用上次返回的游标", "cursor {cursor} is not valid; use the one returned last"),
    "HL7005": ("金额 {what} 无效", "not an amount: {what}"),
    "HL7006": ("审计日志第 {number} 条被改动或缺失：{what}", "audit record {number} was altered or is missing: {what}"),
    "HL7007": ("没有编号为 {number} 的死信", "there is no dead letter {number}"),
    "HL7008": ("没有编号为 {submission} 的提交", "there is no submission {submission}"),
    "HL7009": ("没有这个地址；接口说明见 /api/v1/openapi.json", "no such address; see /api/v1/openapi.json"),
    "HL7010": ("此地址不支持 {method}", "this address does not take {method}"),
    "HL7011": ("查询参数 {name} 有误：{what}", "query parameter {name} is wrong: {what}"),
}
