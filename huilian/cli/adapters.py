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


_FACTS: Final = ("version", "chinese", "kinds", "reads", "writes", "settings", "exempt")
"""What a broken adapter does not tell."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "adapters",
        "列出适配器，已安装的与数据目录 adapters/ 下的：各自接收与写出的文件名、可用的设置。有故障的照列，退出码为 1。",
        "List the adapters, installed or in the data directory's adapters/: the files they take and write, and their "
        "settings. One that is broken is listed with its error; the exit code is then 1.",
        "huilian adapters",
        "huilian adapters --json",
    )(adapters)


def adapters(*, as_json: options.Json = False) -> None:
    """List the adapters; one that is broken stands among them with what is wrong."""
    from huilian import adapters as all_adapters  # noqa: PLC0415  # polars
    from huilian.errors import ConfigurationError  # noqa: PLC0415
    from huilian.home import Home  # noqa: PLC0415

    within = Home.from_environment().adapters
    found: list[dict[str, Any]] = []
    broken = []
    for name, origin in all_adapters.known(within).items():
        try:
            found.append(_facts(all_adapters.find(name, within)) | {"origin": origin, "error": None})
        except ConfigurationError as error:
            broken.append(error)
            told = {"code": error.code, "chinese": error.chinese, "english": error.english}
            found.append({"name": name, **dict.fromkeys(_FACTS), "origin": origin, "error": told})
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
    if facts["error"]:
        return [facts["name"], f"故障 {facts['error']['code']} (broken)", *[None] * 5]
    settings = (f"{name}（{setting['chinese']}）" for name, setting in facts["settings"].items())
    columns = [facts["kinds"], facts["reads"].values(), facts["writes"].values(), settings]
    return [facts["name"], facts["chinese"], facts["version"], *("\n".join(lines) or None for lines in columns)]
