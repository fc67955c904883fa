"""Rows of sums, told by the text they begin with: the same words in texts and in workbooks."""

from __future__ import annotations

import re
from typing import Final

from adapters.toolkit.text import label

__all__ = ["LIKE_SUMS", "is_like_sums", "is_total", "sub_total"]

LIKE_SUMS: Final = "[计計总總汇匯彙]"
"""Of these each of the words has one, and hardly any text that begins a row of data."""
_LIKE_SUMS: Final = re.compile(LIKE_SUMS)
_ADDED: Final = r"(?::|\([^()]*\)|[0-9户戶人笔筆个個])*"
"""What may stand behind the word: 合计（元）, 合计：, 合计3笔. Each character matches in one way: searches end."""
_SUMS: Final = re.compile(rf"(?:总?合计|总计|共计|汇总|總?合計|總計|共計|[匯彙]總){_ADDED}")
_SUB_TOTALS: Final = re.compile(rf".{{0,20}}(小计|分计|合计|总计|小計|分計|合計|總計){_ADDED}")


def is_total(text: str) -> bool:
    """Return whether a row that begins with `text` holds the sums of all rows."""
    return is_like_sums(text) and _SUMS.fullmatch(label(text)) is not None


def sub_total(text: str) -> str | None:
    """Return the mark of a row of sub-totals, 小计, if a row that begins with `text` is one; never what it is of."""
    found = _SUB_TOTALS.fullmatch(label(text)) if is_like_sums(text) and not is_total(text) else None
    return found[1] if found else None


def is_like_sums(text: str) -> bool:
    """Return whether it is worth a closer look: most rows begin with a number."""
    return _LIKE_SUMS.search(text) is not None
