"""Texts of wrong settings, policies, contracts and adapters, HL6xxx."""

from __future__ import annotations

from typing import Final

__all__ = ["TEXTS"]


TEXTS: Final[dict[str, tuple[str, str]]] = {
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
    "HL6010": (
        "适配器 {adapter} 的设置 {setting}（{purpose}）有误：{what}；请在 huilian.toml 中写：{example}",
        "adapter {adapter}: the setting {setting} ({purpose}) is wrong: {what}; write in huilian.toml: {example}",
    ),
    "HL6011": (
        "适配器 {adapter} 没有设置 {setting}；请改正 huilian.toml 的 [adapters.{adapter}]，可用：{known}",
        "adapter {adapter} has no setting {setting}; mend [adapters.{adapter}] in huilian.toml; known: {known}",
    ),
    "HL6012": (
        "huilian.toml 中 [adapters.{name}] 不是本机的适配器；请改正名称或删去该表，可用：{known}",
        "[adapters.{name}] in huilian.toml is no adapter here; mend the name or remove the table; known: {known}",
    ),
    "HL6013": (
        "适配器名称 {name} 不能用：{what}",
        "the adapter name {name} cannot be used: {what}",
    ),
    "HL6014": (
        "目录 {folder} 已存在，未改动任何文件；请换名称、换 --into 目录，或先移走它",
        "{folder} exists already; nothing was changed: take another name, another --into, or move it away first",
    ),
    "HL6015": (
        "名称 {name} 有两处：目录 {folder}，以及已安装的 {other}；为免误用，两处都不采用：请给其中一个改名或移走",
        "the name {name} stands for two: the folder {folder} and, installed, {other}; neither is used: rename one",
    ),
    "HL6016": (
        (
            "数据目录 {home} 已加入县 {county}，不能改为县 {other}，未改动任何内容；请确认文件来自哪个县，"
            "要加入县 {other} 请另设数据目录（HUILIAN_HOME）"
        ),
        (
            "{home} has joined the county {county} and cannot be switched to {other}; nothing was changed: find out"
            " whose file it is, and to join {other} take another data directory (HUILIAN_HOME)"
        ),
    ),
    "HL6017": (
        (
            "文件 {file} 已损坏，无法判断平台密钥是否有效，暂不采信任何报文；请从备份恢复，"
            "或删除它并请县里另发密钥表（huilian member key HUILIAN --out FILE），电话核对指纹后采用"
        ),
        (
            "{file} is damaged: which platform keys count cannot be told and nothing is believed; restore it"
            " from the backup, or remove it and take the county's list of keys in with its fingerprint"
            " (huilian member key HUILIAN --out FILE)"
        ),
    ),
    "HL6020": (
        "他人可写 {path}（权限 {mode}），不予采用；请核对内容后执行 {remedy}",
        "others may write to {path} (mode {mode}), so it is not used; look through it, then run {remedy}",
    ),
    "HL6021": (
        "{path} 属于用户 {owner}，不属于 {account}，不予采用；请改由 {owner} 运行，或核对内容后以 root 执行 {remedy}",
        "{path} belongs to {owner}, not to {account}: run this as {owner}, or look through it and as root run {remedy}",
    ),
    "HL6022": (
        "上级目录 {path} 任何人可写（权限 {mode}），他人可调换其中的 {within}；请执行 {remedy}，或另选位置",
        "anybody may write to {path} (mode {mode}) and put another {within} there; run {remedy}, or take another place",
    ),
    "HL6023": (
        "数据库没有角色 {role}，所给的所有者也无权建立；请由数据库管理员执行 CREATE ROLE {role} LOGIN PASSWORD '…'",
        "the database has no role {role}, and the owner given may not make it: CREATE ROLE {role} LOGIN PASSWORD '…'",
    ),
    "HL6024": (
        "数据库角色 {role} 无权建立或升级数据表；请以 HUILIAN_DATABASE_OWNER_URL 给出所有者的地址，再运行 huilian init",
        "the database role {role} may not make or upgrade tables: set HUILIAN_DATABASE_OWNER_URL and run huilian init",
    ),
}
