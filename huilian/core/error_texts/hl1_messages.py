"""Texts of refused messages, HL1xxx."""

from __future__ import annotations

from typing import Final

__all__ = ["TEXTS"]


TEXTS: Final[dict[str, tuple[str, str]]] = {
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
    "HL1016": ("机构 {member} 已退出，其签名不再有效", "member {member} has left; its signatures count no more"),
    "HL1019": (
        "机构 {member} 没有能读取 {dataschema} 的适配器；请在县平台登记该机构的适配器",
        "member {member} has no adapter that reads {dataschema}; enter its adapter at the county",
    ),
    "HL1020": ("报文内容未被接收：{what}", "the content is not taken: {what}"),
    "HL1021": (
        "台账所依据的 {base} 不是县平台最新的台账；请发送完整台账（惠联会自动重新发送）",
        "the county's newest ledger is not {base}, which this one is based on; send it whole (Huilian does by itself)",
    ),
    "HL1022": (
        "机构 {member} 今天已送满 {mib} MiB，未再接收；文件请留在待发区，明天再送，或请县里调高 daily_mib",
        "member {member} has used up its {mib} MiB of today: send the file tomorrow, or have daily_mib raised",
    ),
    "HL1023": (
        "报文被拒绝（{what}），且机构 {member} 待处理的被拒报文已满，未再保留；文件请留在待发区，待县里处理后再送",
        "refused ({what}) and not kept: too many of {member}'s wait at the county; keep the file, send it after that",
    ),
    "HL1025": (
        (
            "签名密钥 {kid} 已于 {ended} 失效，报文在其后 {days} 天以上才送达，不再接收；请用现用密钥重新签名报送"
            "（再次运行 huilian push，机构端会自动重签）"
        ),
        (
            "the signing key {kid} ended at {ended}; what comes more than {days} days later is not taken:"
            " have it sealed anew with the key in use (run huilian push again; an edge does it by itself)"
        ),
    ),
    "HL1026": (
        "签名密钥 {kid} 已于 {since} 在本机吊销，此后收到的报文一律不采信；请县里用现用密钥重新签发",
        (
            "the signing key {kid} was revoked here at {since}: nothing it sealed that comes since is believed;"
            " have the county seal it anew"
        ),
    ),
    "HL1027": (
        "报文中的平台密钥表不能采用：{what}",
        "the list of the platform's keys in the message is not taken: {what}",
    ),
    "HL1030": (
        (
            "提交 {submission} 已入账，此后同一天又报送了 {later}，以后报的为准；"
            "仍要以本文件为准的，请换一个提交编号重新报送（惠联会自动处理）"
        ),
        (
            "submission {submission} was taken, and {later} has taken its place since; "
            "to state the file again, send it under another name (Huilian does by itself)"
        ),
    ),
    "HL1031": (
        "机构 {member} 没有代码为 {person} 的人员；请县里用 huilian person add 登记",
        "member {member} has no person {person}; have the county enter her: huilian person add",
    ),
    "HL1032": (
        "机构 {member} 的人员 {person} 在 {date} 不在任期内",
        "the person {person} of member {member} does not act on {date}",
    ),
    "HL1033": (
        "机构 {member} 的人员 {person} 没有 {right} 权限",
        "the person {person} of member {member} has not the right to {right}",
    ),
    "HL1034": (
        "录入人不能审批本人录入的事项：{member} {person}",
        "who entered does not approve: {member} {person}",
    ),
    "HL1035": ("记录未被接收，原因：{what}", "the record is refused; reasons: {what}"),
    "HL1036": (
        "{type} 不能单条报送，只能整份报送（huilian push）",
        "a record of {type} does not travel alone: send the whole file (huilian push)",
    ),
    "HL1037": (
        "县里没有服务受理种类为 {kind} 的报送；请核对种类，或请县里安装受理它的服务",
        "no service of the county takes submissions of the kind {kind}; check it, or have the county install one",
    ),
}
