"""Access rules: which kind of member may send and receive which message. The rest is refused.

The rules are data, in `contracts/access.toml`, so that an institution can read them::

    [loan_ledger]
    send = ["bank"]
    receive = ["platform"]
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from huilian.errors import ConfigurationError, MessageRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "AccessRules", "load"]

KINDS: Final[dict[str, str]] = {
    "county": "县级主管部门",
    "township": "乡镇服务站",
    "village": "村服务部",
    "bank": "银行",
    "guarantor": "担保公司",
    "insurer": "保险公司",
    "finance": "财政局",
    "credit_bureau": "信用信息平台",
    "platform": "惠联平台",
}
"""Kinds of member and their Chinese names; "platform" is Huilian's own services."""


@dataclass(frozen=True)
class AccessRules:
    """Who may send and who may receive, by message type."""

    send: Mapping[str, frozenset[str]]
    receive: Mapping[str, frozenset[str]]

    def check_send(self, member: str, kind: str, message_type: str) -> None:
        """Let pass a member of `kind` that sends `message_type`.

        Raises:
            MessageRefused: HL1004, no rule allows it.
        """
        if kind not in self.send.get(message_type, frozenset()):
            raise MessageRefused("HL1004", member=member, type=message_type)

    def may_receive(self, kind: str, message_type: str) -> bool:
        """Return whether a member of `kind` may be handed `message_type`."""
        return kind in self.receive.get(message_type, frozenset())


def parse(text: str, name: str) -> AccessRules:
    """Return the rules in a TOML text.

    Raises:
        ConfigurationError: HL6009, naming what is wrong.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("HL6009", file=name, what=str(error)) from None
    rules: dict[str, dict[str, frozenset[str]]] = {"send": {}, "receive": {}}
    for message_type, table in tables.items():
        if not isinstance(table, dict) or set(table) != {"send", "receive"}:
            raise ConfigurationError("HL6009", file=name, what=f"[{message_type}] needs exactly send and receive")
        for side, kinds in table.items():
            if not isinstance(kinds, list):
                raise ConfigurationError("HL6009", file=name, what=f"[{message_type}] {side} must be a list of kinds")
            for kind in kinds:
                if not isinstance(kind, str) or kind not in KINDS:
                    what = f"[{message_type}] {side}: unknown kind {kind}"
                    raise ConfigurationError("HL6009", file=name, what=what)
            rules[side][message_type] = frozenset(kinds)
    return AccessRules(rules["send"], rules["receive"])


def load() -> AccessRules:
    """Return the published rules."""
    return parse(files("contracts").joinpath("access.toml").read_text(encoding="utf-8"), "contracts/access.toml")
