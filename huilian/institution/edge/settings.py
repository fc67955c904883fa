"""What an edge is told: whose it is, which adapter speaks its formats, and where the county is.

It stands in `edge.toml` in the data directory. The address and the token may hold secrets:
`HUILIAN_EDGE_TO` and `HUILIAN_TOKEN` take precedence over the file, which is of mode 0600.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from huilian.core import files
from huilian.core.errors import ConfigurationError, UsageError
from huilian.core.files import PUBLIC_FOLDER, make_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.settings import Home

__all__ = ["EdgeSettings", "is_edge", "load", "save"]

FILE: Final = "edge.toml"
SCHEMES: Final = ("amqp", "amqps", "http", "https")
_MEMBER: Final = re.compile(r"[0-9A-Za-z_]{1,20}", re.ASCII)
_COUNTY: Final = re.compile(r"[1-9][0-9]{5}", re.ASCII)
_OVERRIDES: Final = {"to": "HUILIAN_EDGE_TO", "token": "HUILIAN_TOKEN"}


@dataclass(frozen=True)
class EdgeSettings:
    """What `edge.toml` says, with the environment's word over it.

    Args:
        member: the member whose edge this is.
        adapter: the adapter that speaks its formats.
        county: the six digits of the county it reports to.
        to: where the county is, `https://…` or `amqps://…`; empty where only bundles are carried.
        ca_file: certificates to trust besides the system's; empty for none.
        token: a token of the member, for HTTP.
    """

    member: str
    adapter: str
    county: str
    to: str = ""
    ca_file: str = ""
    token: str = ""

    @property
    def shown_to(self) -> str:
        """Return where the county is, without user and password."""
        parts = urlsplit(self.to)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}" if self.to else ""


def is_edge(home: Home) -> bool:
    """Return whether a data directory was set up as an edge."""
    return (home.folder / FILE).exists()


def load(home: Home, environment: Mapping[str, str] | None = None) -> EdgeSettings:
    """Return the settings of an edge.

    Raises:
        UsageError: HL7016, the directory was not set up as one.
        ConfigurationError: HL6006, a setting is wrong; HL6020 to HL6022, others may write to them or to the
            certificates they name.
    """
    file = home.folder / FILE
    if not file.exists():
        raise UsageError("HL7016", home=home.folder)
    files.refuse_if_others_write(file, home.folder)
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML, or not even UTF-8
        raise ConfigurationError("HL6006", file=file, what=str(error)) from None
    known = [field.name for field in fields(EdgeSettings)]
    for name, value in values.items():
        if name not in known or not isinstance(value, str):
            raise ConfigurationError("HL6006", file=file, what=f"{name}; known settings: {', '.join(known)}")
    try:
        settings = EdgeSettings(**values)
    except TypeError as error:
        raise ConfigurationError("HL6006", file=file, what=str(error)) from None
    named = os.environ if environment is None else environment
    given = {name: named.get(variable, "") for name, variable in _OVERRIDES.items()}
    settings = replace(settings, **{name: value for name, value in given.items() if value})
    _check(settings, str(file))
    if settings.ca_file:
        files.refuse_if_others_write(Path(settings.ca_file), Path(settings.ca_file))
    return settings


def save(home: Home, settings: EdgeSettings) -> None:
    """Write the settings, whole or not at all.

    Raises:
        ConfigurationError: HL6006, a setting is wrong.
    """
    file = home.folder / FILE
    _check(settings, str(file))
    lines = [
        f"{field.name} = {json.dumps(getattr(settings, field.name), ensure_ascii=False)}\n"
        for field in fields(EdgeSettings)
    ]
    make_folder(home.folder, PUBLIC_FOLDER)
    files.refuse_if_others_write(home.folder, home.folder)
    content = "# Settings of this institution's edge (惠联机构端). See docs/edge.md.\n" + "".join(lines)
    write_atomically(file, content.encode())


def _check(settings: EdgeSettings, file: str) -> None:
    wrong = None
    if not _MEMBER.fullmatch(settings.member):
        wrong = "member: 应为 1 至 20 位字母、数字或 _ (1 to 20 letters, digits or _)"
    elif not _COUNTY.fullmatch(settings.county):
        wrong = "county: 应为六位代码 (six digits are needed)"
    elif settings.to and (urlsplit(settings.to).scheme not in SCHEMES or not urlsplit(settings.to).hostname):
        wrong = "to: 应为 https:// 或 amqps:// 地址 (an https:// or amqps:// address is needed)"
    elif settings.ca_file and not Path(settings.ca_file).is_file():
        wrong = "ca_file: 没有这个文件 (no such file)"
    if wrong:
        raise ConfigurationError("HL6006", file=file, what=wrong)
