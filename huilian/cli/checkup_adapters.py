"""What `huilian doctor` says of adapters: which are broken, and into which others may put code."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from huilian import adapter_folders, adapters, file_ownership
from huilian.cli.findings import OK, Finding, failed
from huilian.errors import HuilianError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.errors import ConfigurationError
    from huilian.home import Home

__all__ = ["examine", "open_to_others"]

_TITLE: Final = "适配器 (adapters)"


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
            if error.code not in file_ownership.CODES:  # those are told with all others of their kind
                yield failed(_TITLE, error, f"修好、移走或卸载它 (mend, move or uninstall it): {origin}")
    yield Finding(_TITLE, OK, ", ".join(sound))


def open_to_others(home: Home) -> Iterator[ConfigurationError]:
    """Yield what others may change of the adapters in the data directory; folders that hold none are told elsewhere."""
    with contextlib.suppress(HuilianError):
        for name, folder in adapter_folders.folders(home.adapters).items():
            with contextlib.suppress(HuilianError):
                yield from adapters.in_folder(folder, name).faults(home.folder)
