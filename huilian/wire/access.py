"""Access rules: which kind of member may send and receive which message, which service may publish it.

The rules are data, in `contracts/access.toml`, so that an institution can read them. What no rule allows is refused::

    [receipt]
    send = ["platform"]
    receive = ["bank", "county", "platform"]
    publish = ["registry"]

`send` and `receive` name kinds of member. `publish` names the services that may tell such a message to other services,
or through the platform to a member; `"*"` is every service. An installed service may bring an `access.toml` of its own,
beside its module: it gives the rules of its own messages, and may add itself to `publish` of others.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import tomllib
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from huilian.core.errors import ConfigurationError, MessageRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "AccessRules", "is_service", "load", "parse", "service_code"]


KINDS: Final[dict[str, str]] = {
    "county": "县级主管部门",
    "township": "乡镇服务站",
    "village": "村服务部",
    "bank": "银行",
    "guarantor": "担保公司",
    "insurer": "保险公司",
    "finance": "财政局",
    "credit_bureau": "信用信息平台",
    "reguarantor": "再担保公司",
    "auditor": "审计机关",
    "supervisor": "监管部门",
    "platform": "惠联平台",
}
"""Kinds of member and their Chinese names; "platform" is Huilian's own services."""
EVERY_SERVICE: Final = "*"
SERVICES: Final = "huilian.services"
"""The entry point group that services are found by."""
_SERVICE: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_PREFIX: Final = "service."


def service_code(name: str) -> str:
    """Return the code under which a service seals: "service.registry". No member can be called so."""
    return _PREFIX + name


def is_service(code: str) -> bool:
    """Return whether `code` is that of a service."""
    return code.startswith(_PREFIX)


@dataclass(frozen=True)
class AccessRules:
    """Who may send, who may receive and which service may publish, by message type."""

    send: Mapping[str, frozenset[str]]
    receive: Mapping[str, frozenset[str]]
    publish: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def check_send(self, member: str, kind: str, message_type: str) -> None:
        """Let pass a member of `kind`, or a service, that sends `message_type`.

        Raises:
            MessageRefused: HL1004, no rule allows it.
        """
        if is_service(member):
            allowed = self.may_publish(member.removeprefix(_PREFIX), message_type)
        else:
            allowed = self.may_send(kind, message_type)
        if not allowed:
            raise MessageRefused("HL1004", member=member, type=message_type)

    def may_send(self, kind: str, message_type: str) -> bool:
        """Return whether a member of `kind` may send `message_type`."""
        return kind in self.send.get(message_type, frozenset())

    def may_receive(self, kind: str, message_type: str) -> bool:
        """Return whether a member of `kind` may be handed `message_type`."""
        return kind in self.receive.get(message_type, frozenset())

    def may_publish(self, service: str, message_type: str) -> bool:
        """Return whether a service may publish `message_type`."""
        return bool({service, EVERY_SERVICE} & self.publish.get(message_type, frozenset()))

    def published_by(self, service: str) -> list[str]:
        """Return the types of which the rules name a service as a publisher."""
        return sorted(name for name, services in self.publish.items() if service in services)


def parse(text: str, name: str) -> AccessRules:
    """Return the rules in a TOML text.

    Raises:
        ConfigurationError: HL6009, naming what is wrong.
    """
    rules = AccessRules({}, {}, {})
    for message_type, table in _tables(text, name).items():
        _add_whole(rules, message_type, table, name)
    return rules


def _tables(text: str, name: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("HL6009", file=name, what=str(error)) from None


def _add_whole(rules: AccessRules, message_type: str, table: object, name: str) -> None:
    if not isinstance(table, dict) or set(table) - {"publish"} != {"send", "receive"}:
        raise ConfigurationError("HL6009", file=name, what=f"[{message_type}] needs exactly send and receive")
    _add(rules, message_type, table, name)


def _add(rules: AccessRules, message_type: str, table: Mapping[str, object], name: str) -> None:
    for side, stated in table.items():
        if not isinstance(stated, list):
            raise ConfigurationError("HL6009", file=name, what=f"[{message_type}] {side} must be a list of kinds")
        for each in stated:
            known = isinstance(each, str) and (_is_publisher(each) if side == "publish" else each in KINDS)
            if not known:
                what = "service" if side == "publish" else "kind"
                what = f"[{message_type}] {side}: unknown {what} {each}"
                raise ConfigurationError("HL6009", file=name, what=what)
        getattr(rules, side)[message_type] = frozenset(stated)


def _is_publisher(name: str) -> bool:
    return name == EVERY_SERVICE or _SERVICE.fullmatch(name) is not None


def load() -> AccessRules:
    """Return the published rules, with those that installed services bring; read anew when a file changes.

    Raises:
        ConfigurationError: HL6009, naming what is wrong.
    """
    found = ((name, path, path.stat().st_mtime_ns) for name, path in _files() if path.exists())
    return _read(tuple(found))


@functools.cache
def _files() -> tuple[tuple[str, Path], ...]:
    """Return the files with rules: ours, named by "", and one for each service, by its name, which need not exist."""
    found = [("", Path(str(files("contracts").joinpath("access.toml"))))]
    for point in sorted(entry_points(group=SERVICES), key=lambda point: point.name):
        spec = importlib.util.find_spec(point.module)
        if spec is not None and spec.origin is not None:
            found.append((point.name, Path(spec.origin).with_name("access.toml")))
    return tuple(found)


@functools.lru_cache(maxsize=1)
def _read(found: tuple[tuple[str, Path, int], ...]) -> AccessRules:
    (_, ours, _), *brought = found
    rules = parse(ours.read_text(encoding="utf-8"), "contracts/access.toml")
    for service, path, _ in brought:
        _bring(rules, service, path)
    return rules


def _bring(rules: AccessRules, service: str, path: Path) -> None:
    """Add the rules that a service brings: whole ones for its own messages, for others itself as a publisher."""
    name = str(path)
    for message_type, table in _tables(path.read_text(encoding="utf-8"), name).items():
        if not isinstance(table, dict) or table.get("publish", [service]) != [service]:
            what = f'[{message_type}] publish: only "{service}" may stand here'
            raise ConfigurationError("HL6009", file=name, what=what)
        if message_type not in rules.send:
            _add_whole(rules, message_type, table, name)
        elif set(table) != {"publish"}:
            raise ConfigurationError("HL6009", file=name, what=f"[{message_type}] may have publish only")
        else:
            publishing = rules.publish.get(message_type, frozenset()) | {service}
            _add(rules, message_type, {"publish": sorted(publishing)}, name)
