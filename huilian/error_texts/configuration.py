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
}
