"""`huilian messages list|show|retry`: what was refused, why, and once more."""

from pathlib import Path
from typing import Annotated

import typer

from huilian.cli import options, screen, session
from huilian.errors import UsageError

__all__ = ["app"]

EXIT_REFUSED_AGAIN = 1

app = screen.group(
    "被拒报文（死信）：查看原因，处理后重试。",
    "Dead letters: why a message was refused, and once more.",
    "huilian messages list",
    "huilian messages show 3 --payload 3.bin",
    "huilian messages retry --all",
)


@screen.command(
    app,
    "list",
    "列出未处理的被拒报文，最早的在前。",
    "List the dead letters that wait, oldest first.",
    "huilian messages list",
    "huilian messages list --all --json",
)
def list_messages(
    *,
    everything: Annotated[bool, typer.Option("--all", help="含已重试成功的 (also those handled since)")] = False,
    as_json: options.Json = False,
) -> None:
    """List the dead letters."""
    from huilian.cli import letters  # noqa: PLC0415  # see the package
    from huilian.messages import dead_letters  # noqa: PLC0415

    with session.office() as office, office.database.transaction() as transaction:
        found = dead_letters(transaction, include_retried=everything)
    if as_json:
        screen.print_json([letters.facts(letter) for letter in found])
        return
    rows = [
        [
            letter.number,
            screen.moment(letter.received_at),
            letter.service,
            letter.source,
            letter.type,
            f"{letter.code} {screen.chinese_of(letter.code, letter.reason)}",
            f"{letter.size:,}",
            "已处理" if letter.retried_at else "待处理",
        ]
        for letter in found
    ]
    headings = [">编号", "收到", "拒收处", "来源", "类型", "原因", ">字节", "状态"]
    screen.show(screen.table(headings, rows))


@screen.command(
    app,
    "show",
    "查看一条被拒报文：原因、属性、处理轨迹。内容可能含个人信息，只用 --payload 写入文件，从不显示。",
    "Show a dead letter. Its payload may name persons: it is written to a file only, never shown.",
    "huilian messages show 3",
    "huilian messages show 3 --payload 3.bin",
)
def show(
    number: Annotated[int, typer.Argument(metavar="N", help="编号 (number)")],
    *,
    payload: Annotated[
        Path | None, typer.Option(metavar="FILE", help="把内容原样写入此文件 (write the bytes here)")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show one dead letter."""
    from huilian.cli import letters  # noqa: PLC0415  # see the package
    from huilian.messages import dead_letter  # noqa: PLC0415

    with session.office() as office, office.database.transaction() as transaction:
        letter, seal, content = dead_letter(transaction, number)
    facts = letters.facts(letter) | {"attributes": letters.attributes(seal)}
    if payload is not None:
        letters.write(payload, content)
    if as_json:
        screen.print_json(facts)
    else:
        screen.show(letters.table(letter, seal, kept=len(content)))
        if payload is not None:
            screen.err().print(f"内容已写入 (written to) {payload}", soft_wrap=True)


@screen.command(
    app,
    "retry",
    "按原有字节、原有顺序重新接收。仍被拒绝的继续保留。",
    "Let the kept bytes in again, in order. What is refused again stays.",
    "huilian messages retry 3",
    "huilian messages retry --all",
)
def retry(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="N…", help="编号 (numbers)", show_default=False)
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="全部待处理的 (all that wait)")] = False,
    as_json: options.Json = False,
) -> None:
    """Let dead letters in again."""
    from huilian.cli import letters  # noqa: PLC0415  # see the package
    from huilian.messages import dead_letters  # noqa: PLC0415

    if bool(numbers) == everything:
        raise UsageError("HL7001", what="请给出编号或 --all (give numbers or --all)")
    with session.office() as office:
        with office.database.transaction() as transaction:
            chosen = sorted(set(numbers or [])) or [letter.number for letter in dead_letters(transaction)]
        results = [letters.retry(office, number) for number in chosen]
        session.settle(office, entirely=True)
    if as_json:
        screen.print_json([result.as_json() for result in results])
    else:
        rows = [
            [result.number, "已处理" if result.handled else "仍被拒绝", result.code, result.reason]
            for result in results
        ]
        screen.show(screen.table([">编号", "结果", "代码", "原因"], rows))
    raise typer.Exit(0 if all(result.handled for result in results) else EXIT_REFUSED_AGAIN)
