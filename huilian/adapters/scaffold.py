"""From the templates to a package."""

from __future__ import annotations

import importlib.util
import keyword
import re
import string
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from huilian.adapters import loading
from huilian.core.errors import ConfigurationError
from huilian.core.files import PUBLIC, PUBLIC_FOLDER, make_folder, write
from huilian.settings import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

__all__ = ["scaffold"]


_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_LONGEST_NAME: Final = 40
_PACKAGE: Final = "package"
"""The folder among the templates that is called as the adapter."""
_TEMPLATE: Final = ".template"
_SAMPLE: Final = ".csv"
_STATED: Final = ".errors.csv"


def scaffold(name: str, into: Path) -> list[Path]:
    """Write a package for an adapter called `name` into a new folder of that name in `into`; return its files.

    Raises:
        ConfigurationError: HL6013, the name cannot be that of a package; HL6014, the folder exists.
    """
    _check(name)
    folder = into / name
    if folder.exists() or folder.is_symlink():
        raise ConfigurationError("HL6014", folder=folder)
    words = {"name": name, "distribution": name.replace("_", "-"), "class_name": name.title().replace("_", "")}
    written = []
    for path, template in _templates(files("huilian.adapters") / "template", ()):
        target = folder.joinpath(*(name if part == _PACKAGE else part for part in path[:-1]))
        make_folder(target, PUBLIC_FOLDER)
        target /= path[-1].removesuffix(_TEMPLATE)
        write(target, _filled(path[-1], template.read_text("utf-8"), words), PUBLIC)
        written.append(target)
    return written


def _check(name: str) -> None:
    known = loading.known(Home.from_environment().adapters)
    what = None
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        what = "应为小写字母、数字和下划线，例如 village_bank (lower-case letters, digits and underscores)"
    elif keyword.iskeyword(name) or keyword.issoftkeyword(name):
        what = "是 Python 的保留字 (it is a word of Python's)"
    elif importlib.util.find_spec(name) is not None or name in known:
        what = "已有同名的 Python 包或适配器 (a package or adapter of this name is there)"
    if what:
        raise ConfigurationError("HL6013", name=name, what=what)


def _templates(folder: Traversable, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _templates(entry, (*path, entry.name))
        elif entry.is_file():
            yield (*path, entry.name), entry


def _filled(file_name: str, text: str, words: dict[str, str]) -> bytes:
    if file_name.endswith(_TEMPLATE):
        return string.Template(text).substitute(words).encode()
    if file_name.endswith(_SAMPLE) and not file_name.endswith(_STATED):
        # As core systems write them; in the repository they are UTF-8, so that a change of them can be read.
        return text.replace("\n", "\r\n").encode("gb18030")
    return text.encode()
