"""`huilian adapters`, `huilian adapter check` and `huilian adapter new`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from huilian.cli import screen, session
from huilian.core.errors import UsageError
from huilian.core.files import explain_no_file

if TYPE_CHECKING:
    from huilian.adapters import Adapter
    from huilian.conformance.rule import Report, Rule
    from huilian.settings import Home

__all__ = ["app", "register", "register_check", "register_new"]


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


def adapters(*, as_json: session.Json = False) -> None:
    """List the adapters; one that is broken stands among them with what is wrong."""
    from huilian.adapters import loading as all_adapters  # noqa: PLC0415  # polars
    from huilian.core.errors import ConfigurationError  # noqa: PLC0415
    from huilian.settings import Home  # noqa: PLC0415

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


SAMPLE_COUNTY = "341599"
STATUS = {"done": "通过", "failed": "未通过", "exempt": "豁免"}


def register_check(app: typer.Typer) -> None:
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
    as_json: session.Json = False,
) -> None:
    """Run the conformance suite."""
    for file in files or ():
        if what := explain_no_file(file):
            raise UsageError("HL3010", file=file, what=what)
    from huilian import conformance  # noqa: PLC0415  # polars
    from huilian.settings import Home  # noqa: PLC0415  # needed only here
    from huilian.wire import catalogue  # noqa: PLC0415  # polars

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
        _show_report(report)
    raise typer.Exit(0 if report.conforms else 1)


def _named(name: str, home: "Home") -> "tuple[Adapter, str, Path | None]":
    """Return the adapter that is meant, its entry point's value, and the folder it lies in if it is not installed.

    What is no name of an adapter but a folder is taken as one, wherever it lies.
    """
    from huilian.adapters import loading  # noqa: PLC0415  # polars

    folder = Path(name).expanduser()
    known = loading.known(home.adapters)
    if name not in known and folder.is_dir():
        found = loading.in_folder(folder)
        return loading.check(found.loaded(), found.name), found.value, folder
    adapter = loading.find(name, home.adapters)
    lies_in = home.adapters / name
    if lies_in.is_dir():
        return adapter, loading.in_folder(lies_in, name).value, lies_in
    return adapter, known[name], None


def _show_report(report: "Report") -> None:
    rows: list[list[Any]] = []
    for result in report.results:
        told = [f"{finding.where}：{finding.what}" for finding in result.findings]
        told += [f"{note.where}：{note.what}" for note in result.notes]
        said = result.reason or "\n".join(told) or None
        rows.append([result.rule, result.chinese, STATUS[result.status], result.cases or None, said])
    title = f"{report.adapter} {report.version}：{'符合全部规则' if report.conforms else '不符合'}"
    title += " (conforms)" if report.conforms else " (does not conform)"
    screen.show(screen.table(["规则", "名称", "结果", ">次数", "说明"], rows, title=title))


def register_new(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "new",
        "新建一个适配器包：分隔文本的完整示例，含样例与测试，可直接通过检查。已有同名目录时不改动任何文件。",
        "Write a new adapter package that works and passes the check; nothing that exists is changed.",
        "huilian adapter new village_bank",
        "huilian adapter new village_bank --into $HUILIAN_HOME/adapters",
    )(new)


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="适配器名称，例如 village_bank (name)")],
    *,
    into: Annotated[Path, typer.Option(metavar="DIR", help="放在哪个目录下 (where)", show_default="当前目录")] = Path(),
) -> None:
    """Write the package and say what to do next."""
    from huilian.adapters.scaffold import scaffold  # noqa: PLC0415  # the same
    from huilian.settings import Home  # noqa: PLC0415  # only this command needs them

    written = scaffold(name, into)
    folder = into / name
    console = screen.out()
    console.print(f"[green]已建立[/green]：{folder}，{len(written)} 个文件 (written)", soft_wrap=True)
    for path in written:
        console.print(f"  {path.relative_to(into)}", soft_wrap=True, highlight=False)
    console.print("下一步 (next)：", soft_wrap=True)
    place = Home.from_environment().adapters
    for step in (
        f"huilian adapter check {folder}",
        f"改 {folder / name / 'layout.py'}，换上本机构的列、代码与日期写法 (change the columns, codes and dates)",
        f"把样例放入 {folder / name / 'samples'}，不得含真实人员 (put samples there, without real people)",
        f"huilian adapter check {folder} FILE…",
        f"启用 (to use it)：移入 {place}，或 pip install --no-deps --no-build-isolation {folder}",
    ):
        console.print(f"  {step}", soft_wrap=True, markup=False)
