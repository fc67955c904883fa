"""`huilian person`: the people who act for members."""

import datetime as dt
from typing import Annotated

import typer

from huilian.cli import screen, session
from huilian.core.errors import UsageError

__all__ = ["app"]

app = screen.group(
    "人员：各机构由谁录入、由谁审批。",
    "Persons: who enters and who approves for a member.",
    "huilian person add LH01 --member 341599101 --may enter",
    "huilian person list --member 341599101",
    "huilian person end LH01 --member 341599101",
)

Code = Annotated[str, typer.Argument(metavar="CODE", help="人员代码，在该机构内唯一 (her code at the member)")]
Member = Annotated[str, typer.Option("--member", metavar="CODE", help="所属机构 (the member she acts for)")]


@screen.command(
    app,
    "add",
    "登记人员。记录中的 person 字段写人员代码；姓名只存县里的数据库，不写 --name 则在此输入。代码不重复使用。",
    "Enter a person. Records name her by her code; her name stays in the county's database.",
    "huilian person add LH01 --member 341599101 --may enter",
    "huilian person add LH02 --member 341599101 --may enter --may approve --from 2024-06-01 --until 2026-06-01",
)
def add(
    code: Code,
    *,
    member: Member,
    may: Annotated[
        list[str],
        typer.Option(metavar="enter|approve", help="权限：录入、审批，可重复 (what she may do)"),
    ],
    name: Annotated[str, typer.Option(metavar="姓名", prompt="姓名 (name)", help="姓名 (her name)")],
    from_date: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="自哪天起，默认今天 (first day; default: today)")
    ] = None,
    until_date: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="到哪天止，当天不含 (from that day on no more)")
    ] = None,
    as_json: session.Json = False,
) -> None:
    """Enter a person."""
    from huilian.county.members import persons  # noqa: PLC0415  # see the package

    begins, ends = _day(from_date), _day(until_date)
    with session.office() as office, office.database.transaction() as transaction:
        first = begins or office.clock.today()
        person = persons.Person(member, code, name, tuple(may), first, ends)
        persons.add(transaction, person, now=office.clock.now(), actor=session.actor())
    if as_json:
        screen.print_json({"member": member, "code": code, "may": may, "from": first, "until": ends})
        return
    screen.out().print(f"[green]已登记[/green] {member} {code} (added)", soft_wrap=True)


@screen.command(
    app,
    "list",
    "列出人员，已终止的也在内。",
    "List the persons, those that ended, too.",
    "huilian person list",
    "huilian person list --member 341599101 --json",
)
def list_persons(
    *,
    member: Annotated[str | None, typer.Option(metavar="CODE", help="只看该机构 (this member only)")] = None,
    as_json: session.Json = False,
) -> None:
    """List persons."""
    from huilian.county.members import persons  # noqa: PLC0415  # see the package

    with session.office() as office, office.database.transaction() as transaction:
        found, today = persons.persons(transaction, member), office.clock.today()
    if as_json:
        facts = ("member", "code", "name", "may")
        screen.print_json(
            [
                {name: getattr(person, name) for name in facts}
                | {"from": person.from_date, "until": person.until_date, "acts": person.acts_on(today)}
                for person in found
            ]
        )
        return
    rows = [
        [
            person.member,
            person.code,
            person.name,
            "、".join(persons.RIGHTS[right] for right in person.may),
            person.from_date,
            person.until_date,
            "是" if person.acts_on(today) else "否",
        ]
        for person in found
    ]
    screen.show(screen.table(["机构", "代码", "姓名", "权限", "起", "止(不含)", "今日有效"], rows))


@screen.command(
    app,
    "end",
    "终止人员：自该日起不再录入、审批；以前所做的保留。",
    "Let a person do nothing more from a day on; what she did before stays.",
    "huilian person end LH01 --member 341599101",
    "huilian person end LH01 --member 341599101 --on 2024-07-01",
)
def end(
    code: Code,
    *,
    member: Member,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="自哪天起，默认今天 (from which day on; default: today)")
    ] = None,
    as_json: session.Json = False,
) -> None:
    """End a person."""
    from huilian.county.members import persons  # noqa: PLC0415  # see the package

    day = _day(on)
    with session.office() as office, office.database.transaction() as transaction:
        ended = persons.end(
            transaction, member, code, day or office.clock.today(), now=office.clock.now(), actor=session.actor()
        )
    if as_json:
        screen.print_json({"member": member, "code": code, "until": ended.until_date})
        return
    screen.out().print(f"[yellow]已终止[/yellow] {member} {code}：{ended.until_date} 起 (ended)", soft_wrap=True)


def _day(text: str | None) -> dt.date | None:
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        what = "日期应形如 2024-06-01 (a date looks like 2024-06-01)"
        raise UsageError("HL7001", what=what) from None
