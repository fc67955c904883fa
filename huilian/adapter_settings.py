"""An adapter's settings: what `huilian.toml` says of them, held against what the adapter declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from huilian.adapter_registration import suits
from huilian.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection

    from huilian.adapters import Setting

__all__ = ["example", "refuse_unknown", "values"]

_KINDS: Final = {
    str: "应为文字 (a text)",
    int: "应为整数 (a whole number)",
    bool: "应为 true 或 false (true or false)",
    dict: "应为文字对照表 (a table of texts)",
}
_EXAMPLES: Final[dict[type, Any]] = {str: "…", int: 1, bool: True, dict: {"甲": "乙"}}
"""Shown where a setting has no default that could be."""


def refuse_unknown(tables: Mapping[str, object], known: Collection[str]) -> None:
    """Let pass tables of adapters that exist.

    Raises:
        ConfigurationError: HL6012, there is a table of another name, which would silently count for nothing.
    """
    for name in tables:
        if name not in known:
            raise ConfigurationError("HL6012", name=name, known=", ".join(sorted(known)))


def values(adapter: str, declared: Mapping[str, Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every declared setting's value: what is given, or its default.

    Args:
        adapter: the adapter's name.
        declared: its settings.
        given: its table in `huilian.toml`.

    Raises:
        ConfigurationError: HL6010, a setting is missing, of another type or none of its choices; HL6011, there is no
            such setting.
    """
    for name in given:
        if name not in declared:
            known = "，".join(f"{each}（{setting.chinese}）" for each, setting in declared.items()) or "无 (none)"
            raise ConfigurationError("HL6011", adapter=adapter, setting=name, known=known)
    found = {}
    for name, setting in declared.items():
        value = given.get(name, setting.default)
        what = _wrong(value, setting)
        if what:
            raise ConfigurationError(
                "HL6010",
                adapter=adapter,
                setting=name,
                purpose=setting.chinese,
                what=what,
                example=f"[adapters.{adapter}]\n{example(name, setting)}",
            )
        found[name] = dict(value) if setting.kind is dict else value
    return found


def _wrong(value: object, setting: Setting) -> str:
    if value is None:
        return "未设置 (it is not set)"
    if not suits(value, setting.kind):
        return _KINDS[setting.kind]
    if setting.choices and value not in setting.choices:
        return f"不能是 {value}，只能是 {'、'.join(setting.choices)} 之一 (it is none of its choices)"
    return ""


def example(name: str, setting: Setting) -> str:
    """Return how the setting is written in `huilian.toml`: `telephone = "…"`."""
    import tomlkit  # noqa: PLC0415  # seldom needed: only where a setting is wrong or shown

    value = _EXAMPLES[setting.kind] if setting.default in (None, {}) else setting.default
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        value = table
    return tomlkit.dumps({name: value}).rstrip()
