"""Files: written whole and with a mode of their own, refused where others may change them, and their errors in words.

Who may read and write a file is decided here, whatever the umask is. The operating system's own texts are English
inside Chinese sentences; `explain` says the same in both languages.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import shlex
import stat
from typing import TYPE_CHECKING, Final

from huilian.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

__all__ = [
    "EXPLAINED",
    "GROUP_READS",
    "OWNERSHIP_CODES",
    "PRIVATE",
    "PRIVATE_FOLDER",
    "PUBLIC",
    "PUBLIC_FOLDER",
    "SHARED_FOLDER",
    "explain",
    "explain_no_file",
    "make_folder",
    "open_to_write",
    "ownership_faults",
    "refuse_if_others_write",
    "share",
    "sync",
    "walk",
    "write",
    "write_atomically",
    "write_new",
]


PRIVATE: Final = 0o600
"""Keys, settings, what is in the spool: its owner's alone."""
GROUP_READS: Final = 0o640
"""What an institution's other systems fetch."""
PUBLIC: Final = 0o644
"""What holds neither secrets nor persons."""
PRIVATE_FOLDER: Final = 0o700
SHARED_FOLDER: Final = 0o750
"""Where an institution's other systems find files; it may be opened to their group for writing."""
PUBLIC_FOLDER: Final = 0o755


def make_folder(path: Path, mode: int = PRIVATE_FOLDER) -> None:
    """Make a folder, and those above it that are missing, for all to read; one that is there stays as it is."""
    if not path.parent.exists():
        make_folder(path.parent, PUBLIC_FOLDER)
    try:
        path.mkdir(mode)
    except FileExistsError:
        if not path.is_dir():
            raise
        return
    # The folder above may hand its group down, by a bit that stays.
    path.chmod(mode | path.stat().st_mode & stat.S_ISGID)


def open_to_write(path: Path, mode: int = PRIVATE) -> BinaryIO:
    """Open a file for writing that takes the place of what is called so, with this mode from its first byte on."""
    # Emptied, it might be a link to elsewhere, or another's who reads along.
    path.unlink(missing_ok=True)
    return _open_new(path, mode)


def _open_new(path: Path, mode: int) -> BinaryIO:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    os.fchmod(handle, mode)
    return os.fdopen(handle, "wb")


def share(path: Path, folder: Path) -> None:
    """Let those read a file who may look into a folder: its group does."""
    group = folder.stat().st_gid
    mode = GROUP_READS
    if path.stat().st_gid != group:
        try:
            os.chown(path, -1, group)
        except PermissionError:
            mode = PUBLIC  # not of that group ourselves; the folder keeps the others out
    path.chmod(mode)


def write(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a file."""
    with open_to_write(path, mode) as file:
        file.write(content)


def write_new(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a file that was not there, durably.

    Raises:
        FileExistsError: it is there.
    """
    with _open_new(path, mode) as file:
        file.write(content)
    sync(path)


def sync(path: Path) -> None:
    """Have a file's content, or a folder's entries, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Replace a file, durably, so that after a crash it is either the old or the new one."""
    temporary = path.with_name(path.name + ".new")
    write(temporary, content, mode)
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


OWNERSHIP_CODES: Final = ("HL6020", "HL6021", "HL6022")
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_ROOT: Final = 0


def refuse_if_others_write(path: Path, within: Path) -> None:
    """Let a file or folder pass that nobody else may change; one that is not there passes.

    Args:
        path: what is about to be read.
        within: the folder whose content it is: the data directory; the file itself where it lies anywhere.

    Raises:
        ConfigurationError: HL6020, others may write to it or to a folder it lies in; HL6021, one of these belongs to
            somebody else; HL6022, anybody may put another in the place of `within`.
    """
    for fault in ownership_faults([path], within):
        raise fault


def ownership_faults(paths: Iterable[Path], within: Path) -> Iterator[ConfigurationError]:
    """Yield everything that `hold` would refuse of these, each once, what lies above first."""
    yield from _above(within)
    seen: set[Path] = set()
    for path in paths:
        between = [folder for folder in path.parents if folder.is_relative_to(within)]
        for each in (*reversed(between), path):
            if each not in seen:
                seen.add(each)
                yield from _own(each, whole=each != within)


def walk(folder: Path) -> Iterator[Path]:
    """Yield a folder and all in it; links further in, which may lead round in circles, are not followed."""
    pending = [folder]
    while pending:
        path = pending.pop()
        yield path
        if path.is_dir() and (path == folder or not path.is_symlink()):
            with contextlib.suppress(OSError):  # closed to this account: it is not read either
                pending += sorted(path.iterdir(), reverse=True)


def _own(path: Path, *, whole: bool) -> Iterator[ConfigurationError]:
    """Yield what is wrong with a path itself: with a link, and with what it leads to.

    A folder is mended with all in it where it is `whole`: an edge's data directory has some that others do write to.
    """
    try:
        found = path.lstat()
        target = path.stat()
    except OSError:
        return
    shown = shlex.quote(str(path))
    for status, option in ((found, " -h" if stat.S_ISLNK(found.st_mode) else ""), (target, "")):
        if status.st_uid not in (_ROOT, os.geteuid()):
            account = _account(os.geteuid())
            remedy = f"chown{option} {account} {shown}"
            owner = _account(status.st_uid)
            yield ConfigurationError("HL6021", path=path, owner=owner, account=account, remedy=remedy)
            break
    if target.st_mode & _OTHERS_WRITE:
        mode = _shown(target.st_mode)
        option = "-R " if whole and stat.S_ISDIR(target.st_mode) else ""
        yield ConfigurationError("HL6020", path=path, mode=mode, remedy=f"chmod {option}go-w {shown}")


def _above(folder: Path) -> Iterator[ConfigurationError]:
    """Yield the folders above one in which anybody may rename what is another's."""
    places = {above: below for path in (folder, folder.resolve()) for below, above in _pairs(path.absolute())}
    for above, below in sorted(places.items()):
        try:
            mode = above.stat().st_mode
        except OSError:
            continue
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            remedy = f"chmod o-w {shlex.quote(str(above))}"
            yield ConfigurationError("HL6022", path=above, mode=_shown(mode), within=below.name, remedy=remedy)


def _pairs(path: Path) -> Iterator[tuple[Path, Path]]:
    while path != path.parent:
        yield path, path.parent
        path = path.parent


def _shown(mode: int) -> str:
    return f"{stat.S_IMODE(mode):04o}"


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


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
EXPLAINED: Final = frozenset(_CHINESE) - {errno.ENOENT, errno.EEXIST}
"""Errors that whoever runs a command can put right, whatever was being done; that nobody foresaw a missing file is
a fault of ours."""


def explain(error: BaseException) -> str:
    """Return why a file could not be read or written, in Chinese and English; never what it is called or holds."""
    english = getattr(error, "strerror", None) or type(error).__name__
    chinese = _CHINESE.get(getattr(error, "errno", None) or 0)
    return f"{chinese} ({english})" if chinese else english


def explain_no_file(path: Path) -> str | None:
    """Return why there is no file at a path that could be read through; None where there is one."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return explain(error)
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode):
        return explain(OSError(errno.EISDIR, os.strerror(errno.EISDIR)))
    return "不是普通文件 (not a regular file)"
