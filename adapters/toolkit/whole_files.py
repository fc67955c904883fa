"""Writing a file whole or not at all.

A file is written beside its place and moved there when it is complete and on disk, so
that whoever looks sees the old file, none, or the new one, never a part. After an error
nothing is left; after a kill the part stays under a name of its own, which the next attempt takes over.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from huilian.core.errors import FileRefused
from huilian.core.files import explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["replacing"]

_SUFFIX: Final = ".part"


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `target` when the block ends without an error.

    Raises:
        FileRefused: HL3039, it cannot be written.
    """
    part = target.with_name(target.name + _SUFFIX)
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise FileRefused("HL3039", file=target.name, what=explain(error)) from error
    finally:
        with suppress(OSError):
            part.unlink()
