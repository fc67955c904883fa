"""`huilian adapter new`."""

from pathlib import Path
from typing import Annotated

import typer

from huilian.cli import screen

__all__ = ["register"]


def register(app: typer.Typer) -> None:
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
    from huilian.home import Home  # noqa: PLC0415  # only this command needs them
    from huilian.scaffold import scaffold  # noqa: PLC0415  # the same

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
