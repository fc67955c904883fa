"""`huilian messages list|show|samples|retry|dismiss`: what was refused, why, and what becomes of it."""

from pathlib import Path
from typing import Annotated

import typer

from huilian.cli import options, screen, session
from huilian.errors import UsageError

__all__ = ["app"]

EXIT_REFUSED_AGAIN = 1

app = screen.group(
    "被拒报文（死信）：查看原因，处理后重试。",
    "Dead letters: why a message was refused, and what becomes of it.",
    "huilian messages list",
    "huilian messages show 3 --payload 3.bin",
    "huilian messages retry --all",
    "huilian messages dismiss 3 --reason 已电话核实",
)


@screen.command(
    app,
    "list",
    "列出未处理的被拒报文，最早的在前；以及只计数、未保留的。",
    "List the dead letters that wait, oldest first, and what was only counted.",
    "huilian messages list",
    "huilian messages list --all --json",
)
def list_messages(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="含已处理和已搁置的 (also those handled or dismissed since)")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """List the dead letters."""
    from huilian.cli import letters  # noqa: PLC0415  # see the package
    from huilian.counted_refusals import all_counts  # noqa: PLC0415
    from huilian.messages import dead_letters  # noqa: PLC0415

    with session.office() as office, office.database.transaction() as transaction:
        found, counts = dead_letters(transaction, everything=everything), all_counts(transaction)
    if as_json:
        screen.print_json([*map(letters.facts, found), *map(letters.facts_of_count, counts)])
        return
    rows = [
        [
            letter.number,
            screen.moment(letter.received_at),
            letter.service,
            letter.source,
            letter.type,
            f"{letter.code} {letter.chinese}",
            f"{letter.size:,}",
            letters.state(letter),
        ]
        for letter in found
    ]
    headings = [">编号", "收到", "拒收处", "来源", "类型", "原因", ">字节", "状态"]
    screen.show(screen.table(headings, rows))
    if counts:
        screen.show(letters.table_of_counts(counts))


@screen.command(
    app,
    "samples",
    "查看只计数、未保留的被拒报文的样本，最近的在前。开头的字节可能含个人信息，只用 --write 写入文件。",
    "Show samples of what was only counted, newest first. What they begin with is written to a file only.",
    "huilian messages samples",
    "huilian messages samples --write samples.ndjson",
)
def samples(
    *,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="连同开头的字节写入此文件 (write them here, bytes included)")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show samples of counted refusals."""
    from huilian.cli import letters  # noqa: PLC0415  # see the package
    from huilian.cli.documents import write_new  # noqa: PLC0415
    from huilian.counted_refusals import all_samples  # noqa: PLC0415
    from huilian.private_files import PRIVATE  # noqa: PLC0415

    with session.office() as office, office.database.transaction() as transaction:
        found = all_samples(transaction)
    if write is not None:
        write_new(write, letters.samples_with_bytes(found), PRIVATE)
    if as_json:
        screen.print_json([letters.facts_of_sample(sample) for sample in found])
    else:
        screen.show(letters.table_of_samples(found))
        if write is not None:
            screen.err().print(f"样本已写入 (written to) {write}", soft_wrap=True)


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
    from huilian.cli.documents import write_new  # noqa: PLC0415
    from huilian.messages import dead_letter  # noqa: PLC0415
    from huilian.private_files import PRIVATE  # noqa: PLC0415

    with session.office() as office, office.database.transaction() as transaction:
        letter, seal, content = dead_letter(transaction, number)
    facts = letters.facts(letter) | {"attributes": letters.attributes(seal)}
    if payload is not None:
        write_new(payload, content, PRIVATE)
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


@screen.command(
    app,
    "dismiss",
    "搁置不必再处理的被拒报文，并记下原因。报文保留，list --all 可见，不再重试。",
    "Put dead letters by that need nobody any more, with the reason. They stay, and are not retried.",
    "huilian messages dismiss 3 --reason 已电话核实，对方系统已改正",
    "huilian messages dismiss 3 4 5 --reason 测试报文",
)
def dismiss(
    numbers: Annotated[list[int], typer.Argument(metavar="N…", help="编号 (numbers)", show_default=False)],
    *,
    reason: Annotated[
        str, typer.Option(metavar="原因", help="记入审计日志，勿写个人信息 (for the audit log; name no person)")
    ],
    as_json: options.Json = False,
) -> None:
    """Put dead letters by, all of them or none."""
    from huilian.cli import letters  # noqa: PLC0415  # see the package

    chosen = sorted(set(numbers))
    with session.office() as office:
        letters.dismiss(office, chosen, reason)
    if as_json:
        screen.print_json([{"number": number, "dismissed": True, "reason": reason.strip()} for number in chosen])
    else:
        shown = "、".join(map(str, chosen))
        screen.out().print(f"[yellow]已搁置[/yellow] {shown} (dismissed)", soft_wrap=True)
