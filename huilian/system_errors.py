"""What the operating system says of files, in words for people: its own texts are English inside Chinese sentences."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["KNOWN", "why", "why_no_file"]

_CHINESE: Final = {
    errno.ENOENT: "没有这个文件或目录",
    errno.EACCES: "没有权限",
    errno.EPERM: "系统不允许",
    errno.EEXIST: "已存在，不会覆盖，请换一个文件名",
    errno.EISDIR: "是目录，不是文件",
    errno.ENOTDIR: "路径中有一段不是目录",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已用完",
    errno.EROFS: "文件系统只读",
    errno.EIO: "读写磁盘出错",
    errno.EMFILE: "打开的文件太多",
    errno.ENAMETOOLONG: "文件名太长",
    errno.EBUSY: "正被占用",
    errno.EADDRINUSE: "这个地址和端口已被占用，请换一个端口，或先停下占用它的程序",
    errno.EADDRNOTAVAIL: "本机没有这个地址",
}
KNOWN: Final = frozenset(_CHINESE) - {errno.ENOENT, errno.EEXIST}
"""Errors that whoever runs a command can put right, whatever was being done; that nobody foresaw a missing file is
a fault of ours."""


def why(error: BaseException) -> str:
    """Return why a file could not be read or written, in Chinese and English; never what it is called or holds."""
    english = getattr(error, "strerror", None) or type(error).__name__
    chinese = _CHINESE.get(getattr(error, "errno", None) or 0)
    return f"{chinese} ({english})" if chinese else english


def why_no_file(path: Path) -> str | None:
    """Return why there is no file at a path that could be read through; None where there is one."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return why(error)
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode):
        return why(OSError(errno.EISDIR, os.strerror(errno.EISDIR)))
    return "不是普通文件 (not a regular file)"
