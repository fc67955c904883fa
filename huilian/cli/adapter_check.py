"""`huilian adapter check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from huilian.cli import options, screen
from huilian.errors import UsageError
from huilian.system_errors import why_no_file

if TYPE_CHECKING:
    from huilian.adapters import Adapter
    from huilian.conformance.results import Report
    from huilian.conformance.rule import Rule
    from huilian.home import Home

__all__ = ["register"]

SAMPLE_COUNTY = "341599"
STATUS = {"done": "通过", "failed": "未通过", "exempt": "豁免"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "check",
        "检查适配器：用其样例和给出的文件逐条核对规则；尚未安装的，给出其目录即可。"
        "退出码：0 全部通过或豁免，1 有未通过的规则，2 用法或配置有误。",
        "Hold an adapter, known or in a folder, to every rule, by its samples and the files named. "
        "Exit 0 all done or exempt, 1 not, 2 usage.",
        "huilian adapter check rural_commercial_bank",
        "huilian adapter check ./village_bank",
        "huilian adapter check village_bank 导出/VB01_LOAN_20240531.csv --county 520626 --json",
    )(check)


def check(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FOLDER", help="适配器，见 huilian adapters；或其目录 (or its folder)")
    ],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE…]", help="机构的文件 (files to translate)", show_default=False)
    ] = None,
    *,
    county: Annotated[
        str, typer.Option(metavar="CODE", help="样例与文件所属的县 (county of samples and files)")
    ] = SAMPLE_COUNTY,
    as_json: options.Json = False,
) -> None:
    """Run the conformance suite."""
    for file in files or ():
        if what := why_no_file(file):
            raise UsageError("HL3010", file=file, what=what)
    from huilian import catalogue, conformance  # noqa: PLC0415  # polars
    from huilian.home import Home  # noqa: PLC0415  # needed only here

    home = Home.from_environment()
    adapter, origin, lies_in = _named(name, home)
    console = screen.err()
    with console.status("") as status:

        def told(rule: "Rule") -> None:
            status.update(f"{rule.chinese} ({rule.name}) …")

        report = conformance.examine(
            adapter,
            origin,
            catalogue.installed(),
            files=files,
            county=county,
            told=home.adapter_tables().get(adapter.name) if files else None,
            lies_in=lies_in,
            progress=told,
        )
    if as_json:
        screen.print_json(report.as_json())
    else:
        _show(report)
    raise typer.Exit(0 if report.conforms else 1)


def _named(name: str, home: "Home") -> "tuple[Adapter, str, Path | None]":
    """Return the adapter that is meant, its entry point's value, and the folder it lies in if it is not installed.

    What is no name of an adapter but a folder is taken as one, wherever it lies.
    """
    from huilian import adapters  # noqa: PLC0415  # polars

    folder = Path(name).expanduser()
    known = adapters.known(home.adapters)
    if name not in known and folder.is_dir():
        found = adapters.in_folder(folder)
        return adapters.check(found.loaded(), found.name), found.value, folder
    adapter = adapters.find(name, home.adapters)
    lies_in = home.adapters / name
    if lies_in.is_dir():
        return adapter, adapters.in_folder(lies_in, name).value, lies_in
    return adapter, known[name], None


def _show(report: "Report") -> None:
    rows: list[list[Any]] = []
    for result in report.results:
        told = [f"{finding.where}：{finding.what}" for finding in result.findings]
        told += [f"{note.where}：{note.what}" for note in result.notes]
        said = result.reason or "\n".join(told) or None
        rows.append([result.rule, result.chinese, STATUS[result.status], result.cases or None, said])
    title = f"{report.adapter} {report.version}：{'符合全部规则' if report.conforms else '不符合'}"
    title += " (conforms)" if report.conforms else " (does not conform)"
    screen.show(screen.table(["规则", "名称", "结果", ">次数", "说明"], rows, title=title))
