"""Files and folders with a mode of their own, whatever the umask is: who may read and write them is decided here."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

__all__ = [
    "GROUP_READS",
    "PRIVATE",
    "PRIVATE_FOLDER",
    "PUBLIC",
    "PUBLIC_FOLDER",
    "SHARED_FOLDER",
    "make_folder",
    "open_to_write",
    "share",
    "sync",
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
