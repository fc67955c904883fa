"""Why the embedded PostgreSQL does not start: whose its directory is, and what the server itself says of it."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Failure"]

LINES_SHOWN: Final = 5
LONGEST: Final = 1_000
"""Characters of what the server says that an error repeats."""
ROOTS_SERVER: Final = "pgserver"
"""PostgreSQL does not run as root: for root it runs as this account, which is made where it is missing."""
_TOLD: Final = re.compile(r"(?:FATAL|PANIC|ERROR|HINT|DETAIL|LOG): +(.+)|(?:pg_ctl|initdb|postgres|/bin/sh): (.+)")


class Failure:
    """What can be said of a start that failed.

    Args:
        folder: the server's data directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / "log"
        self._said: list[str] = []
        self._known = 0

    def begin(self) -> None:
        """Look from here on: lines of before are not repeated, since a server at work may have quoted rows in them."""
        self._said = []
        self._known = 0
        with contextlib.suppress(OSError):
            self._known = self._log.stat().st_size

    def said(self, text: str) -> None:
        """Take in what a program of PostgreSQL's wrote."""
        self._said = text.splitlines()

    def is_final(self) -> bool:
        """Return whether another try would end in the same way, whenever it is made."""
        return self._owners() is not None

    def is_coming_up(self) -> bool:
        """Return whether a server runs in the directory: it may be recovering, or ending."""
        try:
            pid = int((self.folder / "postmaster.pid").read_text("ascii").splitlines()[0])
            os.kill(pid, 0)
        except PermissionError:
            return True
        except (OSError, ValueError, IndexError):
            return False
        return True

    def reason(self, error: BaseException) -> str:
        """Return which directory it is, what is wrong and what to do, in both languages.

        Args:
            error: what the last try raised; its kind is told where the server says nothing.
        """
        owners = self._owners()
        if owners:
            owner, needed = owners
            mend = f"chown -R {needed}: {self.folder}"
            return (
                f"内置 PostgreSQL 未能启动，数据目录 {self.folder} 属于用户 {owner}，应属于 {needed}；"
                f"请以 root 执行 {mend} 后重试，或改由当初建立它的用户运行"
                f" (its directory belongs to {owner}, not to {needed}: as root run {mend}, or be who set it up)"
            )
        kind = str(error) if isinstance(error, RuntimeError) else getattr(error, "strerror", None)
        said = " / ".join(self._last_lines()) or kind or type(error).__name__
        return (
            f"内置 PostgreSQL 未能启动，数据目录 {self.folder}；服务器说明：{said[-LONGEST:]}；请据此处理后重试，"
            f"完整日志在 {self._log} (the embedded server did not start; mend what it says; its log is there)"
        )

    def _owners(self) -> tuple[str, str] | None:
        """Return to whom the data belongs and to whom it must, if these differ."""
        import pwd  # noqa: PLC0415  # not on every system

        files = [self.folder / "PG_VERSION"]
        own = os.geteuid()
        if own:
            files.append(self.folder)
        else:
            # The directory itself is given to the server's account; what lies in it, not.
            with contextlib.suppress(KeyError):
                own = pwd.getpwnam(ROOTS_SERVER).pw_uid
        for file in files:
            with contextlib.suppress(OSError):
                owner = file.stat().st_uid
                if own and owner != own:
                    return _account(owner), _account(own)
        return None

    def _last_lines(self) -> list[str]:
        lines = [line for line in self._said if _TOLD.search(line)]
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            log.seek(self._known)
            lines = log.read().decode("utf-8", "replace").splitlines() or lines
        return [_shown(line) for line in lines[-LINES_SHOWN:]]


def _account(uid: int) -> str:
    import pwd  # noqa: PLC0415  # not on every system

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _shown(line: str) -> str:
    """Return a line without the time and process it begins with."""
    found = _TOLD.search(line)
    return (found[1] or found[2]) if found else line.strip()
