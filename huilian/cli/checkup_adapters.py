"""What `huilian doctor` says of adapters: which are broken, and who else may put code where they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian import adapter_folders, adapters
from huilian.cli.findings import OK, WARN, Finding, failed
from huilian.errors import HuilianError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.home import Home

__all__ = ["examine"]

_TITLE: Final = "适配器 (adapters)"
_FOLDER: Final = "适配器目录 (folder of adapters)"
_SHOWN_AT_MOST: Final = 5
"""Files that are named, of those open to others."""


def examine(home: Home) -> Iterator[Finding]:
    """Look at every adapter; one that is broken does not hide the others."""
    try:
        known = adapters.known(home.adapters)
    except HuilianError as error:
        yield failed(_TITLE, error)
        return
    sound = []
    for name, origin in known.items():
        try:
            adapters.find(name, home.adapters)
            sound.append(name)
        except HuilianError as error:
            yield failed(_TITLE, error, f"修好、移走或卸载它 (mend, move or uninstall it): {origin}")
    yield Finding(_TITLE, OK, ", ".join(sound))
    if home.adapters.is_dir():
        open_ones = [*_open_to_others(home), *adapter_folders.open_to_others(home.adapters)]
        if open_ones:
            shown = " ".join(map(str, open_ones[:_SHOWN_AT_MOST]))
            what = f"{len(open_ones)} 处他人可写，写入者可使本机运行其程序 (others may write, and so run code): {shown}"
            yield Finding(_FOLDER, WARN, what, f"chmod go-w {shown}")


def _open_to_others(home: Home) -> Iterator[Path]:
    """Yield the data directory where others may write to it: they could put another `adapters/` into it."""
    if home.folder.stat().st_mode & adapter_folders.OTHERS_WRITE:
        yield home.folder
