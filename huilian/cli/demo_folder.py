"""The demonstration's directory: emptied each time, and never anything that is not one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from huilian.errors import UsageError
from huilian.private_files import PRIVATE, make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MARK", "held"]

MARK: Final = ".huilian-demo"
"""The file that says: this directory was made by the demonstration and may be emptied by it."""
STOP_SECONDS: Final = 15.0


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Give a fresh directory, held until the block ends.

    Raises:
        UsageError: HL7001, it holds something else, or a demonstration that still runs.
    """
    mark = folder / MARK
    if folder.exists() and not mark.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        what = f"{folder} 不是演示目录，不会清空；请用 --home 另指定 (not a demonstration's: name another with --home)"
        raise UsageError("HL7001", what=what)
    make_folder(folder)
    mark.touch(mode=PRIVATE)
    with mark.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            what = f"{folder} 中的演示还在运行 (the demonstration there is still running)"
            raise UsageError("HL7001", what=what) from None
        _stop_left_over(folder / "postgresql")
        for path in folder.iterdir():
            if path != mark and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != mark:
                path.unlink()
        yield


def _stop_left_over(data: Path) -> None:
    """Stop a database that a demonstration left running when it was killed."""
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError, IndexError):
        return
    if os.fsencode(data) not in command:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)  # PostgreSQL's fast shutdown
    deadline = time.monotonic() + STOP_SECONDS
    while (data / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
