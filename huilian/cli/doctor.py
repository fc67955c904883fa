"""`huilian doctor`."""

import typer

from huilian.cli import options, screen, session

__all__ = ["register"]

_SHOWN = {"ok": "[green]正常[/green]", "warn": "[yellow]注意[/yellow]", "fail": "[red]故障[/red]"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "doctor",
        "体检：目录、密钥、数据库、队列、时钟、待处理事项，各给出办法。有故障时退出码 1。",
        "Check the office, line by line, with what to do; exit 1 when something fails.",
        "huilian doctor",
        "huilian doctor --json",
    )(doctor)


def doctor(*, as_json: options.Json = False) -> None:
    """Check the data directory and all that hangs on it."""
    from rich.markup import escape  # noqa: PLC0415  # see the package

    from huilian.cli import checkup  # noqa: PLC0415
    from huilian.home import Home  # noqa: PLC0415

    session.log("error")  # what is wrong is in the findings
    findings = checkup.examine(Home.from_environment())
    worst = checkup.worst(findings)
    if as_json:
        screen.print_json({"status": worst, "checks": [finding.as_json() for finding in findings]})
    else:
        console = screen.out()
        for finding in findings:
            console.print(f"{_SHOWN[finding.status]}  {escape(finding.name)}：{escape(finding.what)}", soft_wrap=True)
            if finding.remedy:
                console.print(f"      → {escape(finding.remedy)}", soft_wrap=True)
    raise typer.Exit(1 if worst == checkup.FAIL else 0)
