"""The folders of an edge, and how files are moved between them: at once, and never over another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from huilian.core import files
from huilian.core.errors import UsageError
from huilian.core.files import PUBLIC_FOLDER, SHARED_FOLDER, make_folder, sync, write_atomically

__all__ = ["EXPLANATION", "Folders", "free_name", "move", "readable_name", "sync", "write_atomically"]

EXPLANATION: Final = "_说明.txt"
"""What the name of a refused file's explanation ends with."""
NAME_BYTES: Final = 200
"""Of a name in `done/` or `refused/`; longer ones are cut."""
_SHARED: Final = ("inbox", "outbox", "done", "refused")
_PRIVATE: Final = ("underway", "unfinished", "spool", "keys", "trusted")


class Folders:
    """Where things are in an edge's data directory.

    Args:
        home: the directory itself.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.inbox = home / "inbox"
        """Files that the institution's systems drop here."""
        self.outbox = home / "outbox"
        """Answers in the institution's own formats."""
        self.done = home / "done"
        """Originals, once their receipt has come."""
        self.refused = home / "refused"
        """Originals that were refused, each with its reason."""
        self.underway = home / "underway"
        """Originals taken and not answered yet."""
        self.unfinished = home / "unfinished"
        """Answers being written."""
        self.lock = home / "edge.lock"
        """Locked by the edge that runs."""

    def make(self) -> None:
        """Make what is missing; what others put files into or take them from may be opened to their group."""
        make_folder(self.home, PUBLIC_FOLDER)
        for name in _PRIVATE:
            make_folder(self.home / name)
        for name in _SHARED:
            make_folder(self.home / name, SHARED_FOLDER)

    def check(self) -> None:
        """Let pass folders of one file system, since only within one a file is moved at once, and what is ours alone.

        Raises:
            UsageError: HL7001, one of them lies on another.
            ConfigurationError: HL6020 to HL6022, others may write to what is not shared with them.
        """
        for path in (*(self.home / name for name in _PRIVATE), self.lock):
            files.refuse_if_others_write(path, self.home)
        own = self.home.stat().st_dev
        for name in (*_SHARED, *_PRIVATE):
            if (self.home / name).stat().st_dev != own:
                chinese = f"文件夹 {name} 须与数据目录在同一文件系统"
                raise UsageError("HL7001", what=f"{chinese} ({name} must lie on the file system of the data directory)")

    def taken(self, number: int, file_name: str) -> Path:
        """Return where the original of an arrival lies while it is underway."""
        return self.underway / f"{number:06d}" / file_name


def free_name(folder: Path, wanted: str) -> str:
    """Return `wanted`, or a name like it that no file of the folder has: "a_2.csv" beside "a.csv"."""
    path, number = Path(wanted), 2
    suffix = path.suffix if len(path.suffix.encode()) < NAME_BYTES // 2 else ""
    # Room for what is added to it: a name has 255 bytes at most.
    stem = path.stem.encode()[: NAME_BYTES - len(suffix.encode())].decode("utf-8", "ignore")
    name = f"{stem}{suffix}"
    while (folder / name).exists():
        name, number = f"{stem}_{number}{suffix}", number + 1
    return name


def readable_name(file: Path) -> str:
    """Return a file's name as text; one that is no UTF-8 was written in Chinese by an older system."""
    try:
        file.name.encode()
    except UnicodeEncodeError:
        return os.fsencode(file.name).decode("gb18030", "replace")
    return file.name


def move(source: Path, target: Path) -> None:
    """Move a file, durably: after a crash it is at one of the two places."""
    source.rename(target)
    sync(target.parent)
    if source.parent.exists():
        sync(source.parent)
