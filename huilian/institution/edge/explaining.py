"""What stands beside a refused file: which file, where in it, why, and what to do, in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.clock import CHINA

if TYPE_CHECKING:
    import datetime as dt

    from huilian.errors import HuilianError

__all__ = ["explanation", "explanation_of_receipt"]

_SEND_AGAIN: Final = "更正后把文件重新放入 inbox 文件夹；本机和县里均未导入其中任何一行。"
_REMEDIES: Final = {
    "HL3005": "请按约定改名后重新放入 inbox 文件夹。",
    "HL3008": "请核对机构代码；这份文件不应由本机报送。",
    "HL3010": "请检查文件权限和内容，确认导出完成后重新放入 inbox 文件夹。",
    "HL3015": "请核对文件名中的日期，改正后重新放入 inbox 文件夹。",
    "HL1004": "请与县级主管部门联系，核对本机构可以报送的种类；确认后重新放入 inbox 文件夹。",
    "HL1005": "本机软件与县里的版本不一致，请升级后重新放入 inbox 文件夹。",
    "HL6005": "这是软件的问题，不是文件的问题：请把错误代码和本说明交给软件维护人员，修复后重新放入 inbox 文件夹。",
}
_BY_CLASS: Final = {
    "HL1": "请把错误代码告知县级主管部门；问题解决后把文件重新放入 inbox 文件夹。",
    "HL3": _SEND_AGAIN,
}
_NOT_STATED: Final = "整份文件"
_FIELDS: Final = ("field", "columns", "cell", "sheet")
"""Facts of an error that name a column, cell or sheet, the first that is there counts."""


def explanation(file_name: str, error: HuilianError, now: dt.datetime) -> str:
    """Return what to write beside a file that was refused by this machine or by the county.

    Args:
        file_name: the file.
        error: why.
        now: the present moment.
    """
    facts = error.facts
    line = f"第 {facts['line']} 行" if "line" in facts else _NOT_STATED
    field = next((str(facts[name]) for name in _FIELDS if name in facts), "—")
    return _text(file_name, error.code, error.chinese, error.english, now, line=line, field=field)


def explanation_of_receipt(file_name: str, code: str | None, reason: str | None, now: dt.datetime) -> str:
    """Return what to write beside a file that the county refused as a whole, by its receipt."""
    return _text(file_name, code or "—", reason or "—", "", now, line=_NOT_STATED, field="—")


def _text(file_name: str, code: str, chinese: str, english: str, now: dt.datetime, *, line: str, field: str) -> str:
    remedy = _REMEDIES.get(code) or _BY_CLASS.get(code[:3], _SEND_AGAIN)
    lines = [
        "惠联：此文件被退回，未入账",
        "",
        f"文件：{file_name}",
        f"行号：{line}",
        f"字段：{field}",
        f"错误代码：{code}",
        f"原因：{chinese}",
        f"处理办法：{remedy}",
        f"时间：{now.astimezone(CHINA):%Y-%m-%d %H:%M:%S}",
        *(["", english] if english and english != chinese else []),
    ]
    return "".join(f"{line}\r\n" for line in lines)
