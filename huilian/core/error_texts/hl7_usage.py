"""Texts of commands and calls made wrongly, HL7xxx."""

from __future__ import annotations

from typing import Final

__all__ = ["TEXTS"]


TEXTS: Final[dict[str, tuple[str, str]]] = {
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
    "HL7012": (
        "此地址只答复机构的令牌；请县里用 huilian token add 名称 --member 机构代码 发放",
        "only a member's token is answered here; have the county give one out: huilian token add LABEL --member CODE",
    ),
    "HL7013": (
        "目录 {home} 已有一个 huilian edge 在运行；同一目录只能运行一个",
        "another huilian edge runs on {home}; only one may at a time",
    ),
    "HL7014": (
        "文件包 {file} 的条目 {entry} 有误：{what}；整个文件包未导入，请重新制作或原样再拷贝一次",
        "bundle {file}, entry {entry}: {what}; nothing of it was taken, make it anew or copy it again unaltered",
    ),
    "HL7015": (
        "文件包 {file} 是给 {found} 的，不是给 {expected} 的；请在收件方的机器上读入",
        "bundle {file} is meant for {found}, not for {expected}; read it on the machine of its receiver",
    ),
    "HL7016": (
        "目录 {home} 不是机构端目录；请先运行 huilian edge init",
        "{home} is not set up as an institution's edge; run: huilian edge init",
    ),
    "HL7017": ("区划 {region} 不在本县 {county} 之内", "region {region} lies outside this county, {county}"),
    "HL7018": (
        "编号 {number} 的死信{what}，不能搁置或重试",
        "dead letter {number} is not waiting ({what}): it can be neither dismissed nor retried",
    ),
    "HL7019": ("没有因不能核验而搁置的报文", "nothing is kept aside for want of verification"),
    "HL7020": ("没有待交给 {receiver} 的报文", "there is nothing to hand over to {receiver}"),
    "HL7021": ("{file} 无法写入：{what}", "{file} cannot be written: {what}"),
    "HL7022": ("{what} 已登记，不能重复登记", "{what} is registered already"),
    "HL7023": ("{member} 没有有效密钥", "{member} has no key that counts"),
    "HL7024": (
        "机构 {member} 没有代码为 {person} 的人员；用 huilian person list 查看",
        "member {member} has no person {person}; see: huilian person list",
    ),
    "HL7025": ("没有编号为 {message} 的报文", "there is no message {message}"),
    "HL7026": ("选项 {option} 有误：{what}", "option {option}: {what}"),
    "HL7027": ("编号 {number} 没有评级", "there is no rating of {number}"),
    "HL7028": ("没有编号为 {number} 的申请", "there is no application {number}"),
}
