"""What can be wrong with a policy file: every fault with its line, in Chinese and English, and what to do."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TEXTS", "Fault", "WrongValueError", "refuse_others"]


TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "not_toml": ("不是 TOML 文件：{what}", "no TOML: {what}"),
    "toml_twice": (
        "{word} 前面已有，见第 {first} 行；并到那里，一张表、一个键只写一次",
        "{word} stands already, in line {first}; a table or key is written once: move this there",
    ),
    "toml_mark": (
        "全角符号 {mark}：引号、逗号、等号、括号都用半角，如 {ascii}",
        "the full-width mark {mark}: quotes, commas, equals signs and brackets are those of ASCII, as {ascii}",
    ),
    "toml_comma": (
        "列表没有写完：上一行末尾少了逗号，或少了 ]",
        "the list does not end: a comma is missing behind the line before, or a ]",
    ),
    "toml_row": (
        "一行规定 {{ … }} 必须写在同一行内，以 }} 结束，各项之间用逗号",
        "a row {{ … }} stands on one line, ends with }} and has commas between its keys",
    ),
    "not_text": (
        "不是 UTF-8 文本；请在编辑器里另存为 UTF-8 编码",
        "no UTF-8 text; save it in the editor as UTF-8",
    ),
    "name": (
        "名称是 {name}，文件却叫 {stem}；请改成一致",
        "is {name}, but the file is called {stem}; make them the same",
    ),
    "missing": ("缺少 {key}", "{key} is missing"),
    "unknown_key": ("没有这个键{like}；可用：{known}", "unknown key{like}; known: {known}"),
    "unknown_word": ("{word} 不在可用值之内：{known}", "{word} is not one of {known}"),
    "twice": ("{word} 出现两次", "{word} stands twice"),
    "table": ("必须是表，含 {known}", "must be a table of {known}"),
    "list": ("必须是列表", "must be a list"),
    "empty": ("不能为空", "must not be empty"),
    "text": ("必须是文本，不是 {found}", "must be a text, not {found}"),
    "flag": ("必须是 true 或 false，不是 {found}", "must be true or false, not {found}"),
    "true": ("只能写 true，或者不写", "must be true or left out"),
    "code": ("只能用小写字母、数字和下划线，字母开头", "takes small letters, digits and underscores, a letter first"),
    "amount": (
        '金额单位元，写成两位小数的文本，如 "50000.00"，不是 {found}',
        'must be yuan as a text with two decimals, like "50000.00", not {found}',
    ),
    "percent": ('百分数写成文本，如 "4.35%"，不是 {found}', 'must be per cent as a text, like "4.35%", not {found}'),
    "number": ('数写成文本，如 "1.10"，不是 {found}', 'must be a number as a text, like "1.10", not {found}'),
    "whole": (
        "必须是不小于 {least} 的整数，不加引号，不是 {found}",
        "must be a whole number of at least {least}, without quotes, not {found}",
    ),
    "months": (
        "单位是月，写成不小于 1 的整数，不加引号，如 24，不是 {found}",
        "must be months, a whole number of at least 1, without quotes, like 24, not {found}",
    ),
    "date": ('日期写成文本，如 "2019-01-01"，不是 {found}', 'must be a date as a text, like "2019-01-01", not {found}'),
    "day_of_year": (
        '月和日写成文本，如 "03-31"，不是 {found}',
        'must be month and day as a text, like "03-31", not {found}',
    ),
    "window": (
        '起止日写成 "06-10..06-20"，可跨年（"12-25..01-05"），不是 {found}',
        'must be the days of a year like "06-10..06-20", or over the new year "12-25..01-05", not {found}',
    ),
    "days_in_order": ("日期必须从年初到年末排列", "the days must be in the order of the year"),
    "duration": (
        '期限写成 "5 working days"（工作日）、"30 days"（日历日）或 "1 months"（月），不是 {found}',
        'must be a time like "5 working days", "30 days" or "1 months", not {found}',
    ),
    "range": (
        "不是区间：{found}；写成 {example}，“..<” 和 “<..” 表示不含该数，两端都可省去",
        'no range: {found}; write {example}; "..<" and "<.." leave a number out, either end may be left out',
    ),
    "range_order": ("区间 {found} 的下限大于上限", "the range {found} ends before it begins"),
    "rate": (
        '利率写成 "4.35%"、benchmark x 1.10、lpr_1y + 0.5%、contract，或 lowest(5%, benchmark, contract)，不是 {found}',
        'must be "4.35%", benchmark x 1.10, lpr_1y + 0.5%, contract or lowest(5%, benchmark, contract), not {found}',
    ),
    "shares_mixed": (
        '份额要么全是百分数（"70%"），要么全是整数比（1）',
        'shares are either all per cent ("70%") or all whole numbers (1)',
    ),
    "shares_total": ("合计为 {total}%，不是 100%", "adds up to {total} per cent, not 100"),
    "value_or_none": (
        "要写 value，或写 none = true（方案无此规定）",
        "needs either value or none = true (no such limit)",
    ),
    "facts_differ": (
        "各行所列条件不同：本行为 {found}，首行为 {expected}",
        "all rows of a table name the same facts: this row has {found}, the first has {expected}",
    ),
    "facts_unknown": ("这里不能按 {fact} 区分；可用：{known}", "cannot depend on {fact} here; known: {known}"),
    "constant_list": (
        "没有条件的表只能有一行；请写明各行适用的条件",
        "a table without facts has one row; name what each row applies to",
    ),
    "overlap": ("与第 {line} 行重叠：{case}", "overlaps with line {line}: {case}"),
    "gap": (
        "没有说到：{case}；请补一行，方案未规定的写 none = true",
        "is silent on: {case}; add a row, with none = true where the plan says nothing",
    ),
    "no_grades": ("用到等级，但文件没有 grades", "speaks of grades, but the file lists none in `grades`"),
    "level_of_region": ("{word} 不是 6、9 或 12 位区划代码", "{word} is no region code of 6, 9 or 12 digits"),
    "levels_differ": (
        "{old} 与 {new} 不是同一级区划",
        "{old} and {new} are not regions of one level",
    ),
    "step_unknown": (
        "前面没有步骤 {word}；在它之前的有：{known}",
        "no step {word} comes before; known: {known}",
    ),
    "steps_begin": (
        '第一步必须是借款人的申请：by 只写借款人，或写 takes = "request"',
        'the first step is the borrower\'s request: only borrowers in `by`, or takes = "request"',
    ),
    "steps_one": (
        "takes = {takes} 只能有一步，第 {line} 行已经有",
        "one step only may have takes = {takes}; line {line} has it already",
    ),
    "steps_order": (
        "takes = {takes} 的步骤要写在 {other}（第 {line} 行）之前",
        "the step with takes = {takes} must come before {other} (line {line})",
    ),
    "bounds": ("上限与下限矛盾：{what}", "the bounds contradict each other: {what}"),
    "needs": ("写了 {key}，就要写 {other}", "{key} needs {other}"),
    "product_of": (
        '写成 from = "helping_2026.household"：另一政策的产品',
        'must be like from = "helping_2026.household", a product of another policy',
    ),
    "policy_of": ("另一政策读不了：{what}", "the other policy cannot be read: {what}"),
    "grades_differ": (
        "那个产品按等级 {grades} 规定，本文件的 grades 必须相同",
        "that product speaks of the grades {grades}: `grades` of this file must be the same",
    ),
    "no_product": ("至少要有一个 [products.…]", "needs at least one [products.…]"),
}
"""Chinese and English by key of the fault."""


class WrongValueError(ValueError):
    """A value that its key cannot take.

    Args:
        key: of `TEXTS`.
        facts: what its text names.
    """

    def __init__(self, key: str, /, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts

    def told(self) -> str:
        """Return what is wrong in Chinese, with the English in brackets behind it."""
        chinese, english = (text.format(**self.facts) for text in TEXTS[self.key])
        return f"{chinese} ({english})"


@dataclass(frozen=True)
class Fault:
    """One fault of a policy file.

    Args:
        file: its name.
        line: counted from 1.
        place: the key, as in `products.old.subsidy.share[1].value`.
        key: of `TEXTS`; a program may branch on it.
        facts: what its text names.
    """

    file: str
    line: int
    place: str
    key: str
    facts: Mapping[str, object]

    def text(self, language: str = "zh") -> str:
        """Return what is wrong and what to do, in "zh" or "en", without file and line."""
        chinese, english = TEXTS[self.key]
        text = (chinese if language == "zh" else english).format(like=self._like(), **self.facts)
        return f"{self.place}: {text}" if self.place else text

    def _like(self) -> str:
        """Return which known key is most like the last one of the place."""
        known = str(self.facts.get("known", "")).split(", ")
        like = difflib.get_close_matches(self.place.rpartition(".")[2], known, 1)
        return f" ({like[0]}?)" if like else ""

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "file": self.file,
            "line": self.line,
            "place": self.place,
            "fault": self.key,
            "chinese": self.text("zh"),
            "english": self.text("en"),
        }


def refuse_others(raw: object, known: set[str]) -> None:
    """Let pass a table that has no other keys than those known.

    Raises:
        WrongValueError: it is no table, or has others.
    """
    if not isinstance(raw, dict) or set(raw) - known:
        raise WrongValueError("table", known=", ".join(sorted(known)))
