"""`huilian policy cases` and `try`."""

import json
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from huilian.cli import screen, session
from huilian.cli.policy.statements import Named, as_day, load, show_faults, source
from huilian.core.errors import UsageError
from huilian.core.files import explain_no_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.policy.workbench.case_file import Outcome

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    screen.command(
        app,
        "cases",
        "运行政策文件旁的案例（<名称>.cases.toml）：给定什么、应得什么。不符的列出应得与实得及计算步骤。"
        "全部相符退出码 0，否则 1。",
        "Run the cases beside a policy file (<name>.cases.toml): what is given, what must come out. A case that fails "
        "shows expected, found and the steps. Exit 0 or 1.",
        "huilian policy cases anhui",
        "huilian policy cases 本县.toml",
        "huilian policy cases 本县.cases.toml --json",
    )(cases)
    screen.command(
        app,
        "try",
        "试算：文件每行一条 JSON 记录，逐行按政策判定，一行进一行出，顺序不变，附所读的每项规定和每个计算步骤。"
        "判定不了的行在原位给出错误；有这样的行时退出码 1。INPUT 写 - 则读标准输入。服务用的是同一套计算。",
        "Judge records by a policy: a line of JSON in, a line out, in order, with every rule that was read and every "
        "step. A line that cannot be judged answers with its errors in its place; exit 1 then. Services judge by the "
        "same functions.",
        "huilian policy try subsidy anhui 贷款.ndjson --from 2020-01-01 --to 2021-01-01",
        "huilian policy try rating lushi 农户.ndjson",
        "huilian policy try eligibility 本县.toml - < 申请.ndjson",
        "huilian policy try loss yanchi 损失.ndjson",
        "huilian policy try breaker xingan 各月.ndjson",
    )(try_records)


def cases(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="政策或案例文件，或政策名称 (a policy, or its cases)", show_default=False),
    ],
    *,
    as_json: session.Json = False,
) -> None:
    """Run the cases of one file."""
    from huilian.policy import reference_rates, working_days  # noqa: PLC0415  # see the package
    from huilian.policy.workbench import case_file  # noqa: PLC0415
    from huilian.settings import Home  # noqa: PLC0415

    if file.endswith(case_file.SUFFIX):
        beside = Path(file)
        own = file.removesuffix(case_file.SUFFIX) + ".toml"
        # Cases of a policy that comes with Huilian may lie anywhere.
        policy = load(own if Path(own).is_file() else Path(own).stem)
    else:
        there = Path(str(source(file)[0]))
        beside = there.with_name(there.stem + case_file.SUFFIX)
        policy = load(file)
    if (why := explain_no_file(beside)) is not None:
        raise UsageError("HL3010", file=beside, what=why)
    read, faults = case_file.read(beside)
    folder = Home.from_environment().folder
    rates, days = reference_rates.load(folder), working_days.load(folder)
    outcomes = [case_file.run(case, policy, rates, days) for case in read]
    failed = [outcome for outcome in outcomes if outcome.wrong]
    if as_json:
        counts = {"cases": len(outcomes), "failed": len(failed), "faults": [fault.as_json() for fault in faults]}
        facts = {"policy": policy.name, "version": policy.version, "file": beside.name}
        screen.print_json(facts | counts | {"outcomes": [outcome.as_json() for outcome in outcomes]})
    else:
        if faults:
            show_faults(str(beside), faults)
        for outcome in failed:
            _show_failed(str(beside), outcome)
        text = f"{policy.name} {policy.version}：{len(outcomes)} 个案例，{len(failed)} 个不符"
        screen.out().print(f"{text} ({len(outcomes)} cases, {len(failed)} failed)", markup=False, soft_wrap=True)
    raise typer.Exit(1 if failed or faults else 0)


def _show_failed(file: str, outcome: "Outcome") -> None:
    console = screen.out()
    case = outcome.case
    console.print(f"{file}:{case.line}: 不符 {case.title}（{case.source}）(failed)", markup=False, soft_wrap=True)
    for key, (expected, found) in outcome.wrong.items():
        console.print(f"    {key}: 应为 (expected) {_text(expected)}", markup=False, soft_wrap=True)
        console.print(f"    {' ' * len(key)}  实为 (found)    {_text(found)}", markup=False, soft_wrap=True)
    for key in ("segments", "steps", "reasons", "refusals"):
        for step in outcome.found.get(key, []):
            console.print(f"    {key}: {_text(step)}", markup=False, soft_wrap=True, style="dim")


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def try_records(
    function: Annotated[
        str,
        typer.Argument(
            metavar="FUNCTION", help="rating | eligibility | subsidy | loss | breaker | insurance", show_default=False
        ),
    ],
    policy: Named,
    file: Annotated[
        str, typer.Argument(metavar="INPUT", help="NDJSON 文件，- 为标准输入 (or standard input)", show_default=False)
    ],
    *,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="subsidy：结算期末自该日起 (periods that end from then on)"),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="subsidy：结算期末早于该日 (and before then)")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="总是 JSON，写与不写相同 (always JSON, with or without)")
    ] = False,
) -> None:
    """Judge the records of one file."""
    from huilian.policy import reference_rates, working_days  # noqa: PLC0415  # see the package
    from huilian.policy.workbench import trial  # noqa: PLC0415
    from huilian.settings import Home  # noqa: PLC0415

    del as_json
    if function not in trial.FUNCTIONS:
        raise UsageError("HL7026", option="FUNCTION", what=f"{function}；可用 (known)：{', '.join(trial.FUNCTIONS)}")
    span = {name: as_day(name, day) for name, day in (("--from", since), ("--to", until)) if day is not None}
    if span and function not in trial.SPANNED:
        what = f"只用于 {', '.join(trial.SPANNED)} (for these only)"
        raise UsageError("HL7026", option=", ".join(span), what=what)
    if len(span) > 1 and span["--to"] < span["--from"]:
        raise UsageError("HL7026", option="--to", what="早于 --from (before --from)")
    folder = Home.from_environment().folder
    rates, days = reference_rates.load(folder), working_days.load(folder)
    judged = trial.Trial(function, load(policy), rates, days, span.get("--from"), span.get("--to"))
    failed = False
    with _opened(file) as opened:
        for answer in judged.answers(_lines(opened, trial.LONGEST_BYTES)):
            failed = failed or "errors" in answer
            screen.print_json(answer)
            if file == "-":
                sys.stdout.flush()  # whoever writes lines may wait for each answer
    raise typer.Exit(1 if failed else 0)


def _opened(file: str) -> "IO[bytes]":
    if file == "-":
        return sys.stdin.buffer
    if (why := explain_no_file(Path(file))) is not None:
        raise UsageError("HL3010", file=file, what=why)
    return Path(file).open("rb")


def _lines(opened: "IO[bytes]", longest: int) -> "Iterator[bytes]":
    """Yield the lines of a file; of one that is too long only so much that this can be told."""
    while line := opened.readline(longest + 1):
        rest: Any = line
        while len(rest) > longest and not rest.endswith(b"\n"):
            rest = opened.readline(longest + 1)
        yield line
