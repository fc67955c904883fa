"""`huilian adapters`, and the group `huilian adapter`."""

from typing import TYPE_CHECKING, Any, Final

import typer

from huilian.cli import options, screen

if TYPE_CHECKING:
    from huilian.adapters import Adapter

__all__ = ["app", "register"]

app: Final = screen.group(
    "新建与检查适配器。",
    "Write a new adapter, and check one.",
    "huilian adapter new village_bank",
    "huilian adapter check village_bank",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "adapters",
        "列出已安装的适配器：各自接收与写出的文件名、可用的设置。",
        "List the installed adapters: the files they take and write, and their settings.",
        "huilian adapters",
        "huilian adapters --json",
    )(adapters)


def adapters(*, as_json: options.Json = False) -> None:
    """List the adapters; one that breaks the rules is named with what is wrong."""
    from huilian import adapters as installed  # noqa: PLC0415  # polars
    from huilian.errors import ConfigurationError  # noqa: PLC0415

    found: list[dict[str, Any]] = []
    broken = []
    for name, origin in installed.installed().items():
        try:
            found.append(_facts(installed.find(name)) | {"origin": origin})
        except ConfigurationError as error:
            broken.append(error)
    if as_json:
        screen.print_json(found)
    else:
        headings = ["适配器", "名称", "版本", "机构类型", "接收", "写出", "设置"]
        screen.show(screen.table(headings, map(_row, found)))
    for problem in broken:
        screen.error(problem)
    raise typer.Exit(1 if broken else 0)


def _facts(adapter: "Adapter") -> dict[str, Any]:
    return {
        "name": adapter.name,
        "version": adapter.version,
        "chinese": adapter.chinese,
        "kinds": sorted(adapter.institution_kinds),
        "reads": dict(adapter.reads),
        "writes": dict(adapter.writes),
        "settings": {
            name: {
                "type": setting.kind.__name__,
                "chinese": setting.chinese,
                "default": _plain(setting.default),
                "choices": list(setting.choices),
            }
            for name, setting in adapter.settings.items()
        },
        "exempt": dict(adapter.exempt),
    }


def _plain(default: Any) -> Any:  # noqa: ANN401  # a text, a number, true or false, or a table of texts
    return dict(default) if hasattr(default, "items") else default


def _row(facts: dict[str, Any]) -> list[Any]:
    settings = (f"{name}（{setting['chinese']}）" for name, setting in facts["settings"].items())
    columns = [facts["kinds"], facts["reads"].values(), facts["writes"].values(), settings]
    return [facts["name"], facts["chinese"], facts["version"], *("\n".join(lines) or None for lines in columns)]
