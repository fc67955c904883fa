"""Texts of denied access, and of joining and leaving, HL4xxx."""

from __future__ import annotations

from typing import Final

__all__ = ["TEXTS"]


TEXTS: Final[dict[str, tuple[str, str]]] = {
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
    "HL4009": (
        "文件 {file} 无法采信：{what}；请对方重新生成并原样传送",
        "{file} cannot be believed: {what}; have it made again and sent unaltered",
    ),
    "HL4010": (
        "文件 {file} 签署于 {time}，只在 {days} 天内有效；请对方重新生成",
        "{file} was signed at {time} and counts for {days} days; have it made again",
    ),
    "HL4011": (
        "文件 {file} 已于 {time} 使用过，不能再次使用",
        "{file} was used at {time} already and cannot be used again",
    ),
    "HL4012": (
        "文件 {file} 中的密钥已登记在 {member} 名下，不能再次登记；请对方用新密钥重新生成",
        "the key in {file} is entered for {member} already; have the file made again with a new key",
    ),
    "HL4013": (
        "密钥指纹不符：文件 {file} 中为 {found}；请勿采用，并与对方电话核对",
        "the fingerprint does not agree: in {file} it is {found}; do not use the file, and call the other side",
    ),
    "HL4014": (
        "文件 {file} 是给 {found} 的，不是给 {expected} 的",
        "{file} is meant for {found}, not for {expected}",
    ),
    "HL4015": (
        "文件 {file} 由密钥 {kid} 签署，该密钥{what}；请用有效密钥重新生成，或由县里另行登记新公钥",
        "{file} is signed under the key {kid}: {what}; sign with one that counts, or have the county enter the new one",
    ),
    "HL4016": ("机构 {member} {what}", "member {member}: {what}"),
    "HL4019": (
        "公钥不能使用：{what}；请对方用惠联或 openssl 重新生成密钥对",
        "the public key cannot be used: {what}; have a new pair made with Huilian or openssl",
    ),
    "HL4020": (
        "{name} 的密钥时间有误：{what}；请核对时钟和有效天数，重新生成",
        "the times of a key in {name} are wrong: {what}; look at the clocks and the days, and make it again",
    ),
    "HL4021": (
        "密钥 {kid} 已于 {since} 在本机吊销，不能再采信；请县里用现用密钥重新签发",
        "the key {kid} was revoked here at {since} and is not believed again; have the county sign with the one in use",
    ),
    "HL4022": (
        (
            "密钥 {kid} 是平台正在使用的签名密钥，吊销后无人能签发吊销通知；请先轮换，再吊销旧密钥："
            "huilian member key HUILIAN --rotate"
        ),
        (
            "the platform signs with the key {kid}: nobody could sign its revocation; rotate first, then revoke it:"
            " huilian member key HUILIAN --rotate"
        ),
    ),
    "HL4023": (
        (
            "文件 {file} 不是由本机信任且仍有效的平台密钥签署的（签署者 {kids}）；请与县里电话核对指纹，"
            "再用 --fingerprint 采用"
        ),
        (
            "{file} is signed by no platform key that counts here (signed by {kids}); compare the fingerprint by"
            " telephone, then take it with --fingerprint"
        ),
    ),
    "HL4040": (
        (
            "读取个人数据须说明用途：在请求头 {header} 中写明（命令为 --why），或由县里为令牌登记用途："
            "huilian token purpose {label} 用途"
        ),
        (
            "a read of personal data needs a purpose: say it in the header {header} (of a command: --why), or have the"
            " county enter one for the token: huilian token purpose {label} TEXT"
        ),
    ),
    "HL4041": (
        "用途应为 1 至 {limit} 个可显示的字符，且不得含身份证号码",
        "a purpose has 1 to {limit} printable characters and no identity number",
    ),
}
