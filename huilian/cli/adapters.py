"""`huilian adapters`."""

from typing import Any

import typer

from huilian.cli import options, screen

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "adapters",
        "列出已安装的适配器，以及各自接收的文件名。",
        "List the installed adapters and the file names they take.",
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
            adapter = installed.find(name)
        except ConfigurationError as error:
            broken.append(error)
            continue
        kinds = sorted(adapter.institution_kinds)
        facts = {"name": name, "version": adapter.version, "chinese": adapter.chinese, "kinds": kinds}
        found.append(facts | {"reads": dict(adapter.reads), "origin": origin})
    if as_json:
        screen.print_json(found)
    else:
        rows = [
            [
                entry["name"],
                entry["chinese"],
                entry["version"],
                " ".join(entry["kinds"]),
                "\n".join(entry["reads"].values()),
            ]
            for entry in found
        ]
        screen.show(screen.table(["适配器", "名称", "版本", "机构类型", "文件名示例"], rows))
    for problem in broken:
        screen.error(problem)
    raise typer.Exit(1 if broken else 0)
