"""Whose files are, and who else may write to them: what others may change is refused before it is read.

A file counts when it and the folders it lies in, up to the data directory, belong to this account or to root and are
written by nobody else; and when nobody else can put another data directory in its place.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import stat
from typing import TYPE_CHECKING, Final

from huilian.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["CODES", "faults", "hold", "tree"]

CODES: Final = ("HL6020", "HL6021", "HL6022")
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_ROOT: Final = 0


def hold(path: Path, within: Path) -> None:
    """Let a file or folder pass that nobody else may change; one that is not there passes.

    Args:
        path: what is about to be read.
        within: the folder whose content it is: the data directory; the file itself where it lies anywhere.

    Raises:
        ConfigurationError: HL6020, others may write to it or to a folder it lies in; HL6021, one of these belongs to
            somebody else; HL6022, anybody may put another in the place of `within`.
    """
    for fault in faults([path], within):
        raise fault


def faults(paths: Iterable[Path], within: Path) -> Iterator[ConfigurationError]:
    """Yield everything that `hold` would refuse of these, each once, what lies above first."""
    yield from _above(within)
    seen: set[Path] = set()
    for path in paths:
        between = [folder for folder in path.parents if folder.is_relative_to(within)]
        for each in (*reversed(between), path):
            if each not in seen:
                seen.add(each)
                yield from _own(each, whole=each != within)


def tree(folder: Path) -> Iterator[Path]:
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
