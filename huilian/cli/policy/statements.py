"""`huilian policy check`, `explain` and `diff`."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from huilian.cli import screen, session
from huilian.core.errors import UsageError
from huilian.core.files import explain_no_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

    from huilian.policy.faults import Fault
    from huilian.policy.policies import Policy
    from huilian.policy.workbench.explanation import Difference, Statement

__all__ = ["Named", "as_day", "load", "register", "show_faults", "source"]


Named = Annotated[
    str,
    typer.Argument(
        metavar="POLICY", help="政策文件，或随附、本县政策的名称 (a file, or a policy's name)", show_default=False
    ),
]
On = Annotated[str, typer.Option("--on", metavar="DATE", help="哪一天 (the day)", show_default=False)]
Signed = Annotated[
    str | None, typer.Option("--signed", metavar="DATE", help="合同签订日 (when the contract was signed)")
]
OneProduct = Annotated[str | None, typer.Option("--product", metavar="NAME", help="只看该产品 (this product only)")]
Facts = Annotated[
    list[str] | None,
    typer.Option("--fact", metavar="NAME=VALUE", help="已知的条件，可多次 (a fact that is known; may be repeated)"),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    screen.command(
        app,
        "check",
        "检查政策文件：一次列出全部错误，各有文件与行号、位置和改法。无误退出码 0，有误 1。"
        "--assumed 另列文件中标为假定（assumed）的取值。",
        "Check a policy file: every fault at once, with file and line, place, and what to do. Exit 0 or 1. --assumed "
        "lists the values that are marked so.",
        "huilian policy check 本县.toml",
        "huilian policy check anhui --assumed",
        "huilian policy check 本县.toml --json",
    )(check)
    screen.command(
        app,
        "explain",
        "解读：政策在某一天怎么规定，依据哪一条。--signed 只看该日签订的合同适用的行；"
        "--fact 给出其他已知条件。最后列出当天公布的利率，以及已知到哪一天。",
        "Tell what a policy says on a day and from which clause. --signed leaves the rows for contracts of that day, "
        "--fact names what else is known. The published rates of the day follow, with the day until which they are "
        "known.",
        "huilian policy explain anhui --on 2020-06-01",
        "huilian policy explain lushi --on 2020-06-01 --signed 2019-03-01 --product household",
        "huilian policy explain lushi --on 2020-06-01 --fact grade=AA --fact term=36",
        "huilian policy explain 本县.toml --on 2024-01-01 --json",
    )(explain)
    screen.command(
        app,
        "diff",
        "比较：两份政策，或同一政策在两天（--on 与 --and），哪些规定不同，逐条列出。比较两天时，"
        "各取当天签订的合同适用的规定；要看同一份合同，用 --signed。",
        "Compare two policies, or one on two days (--on, --and), rule by rule. Of two days each is told for contracts "
        "signed that day; --signed compares them for the same contract.",
        "huilian policy diff anhui lushi",
        "huilian policy diff 旧.toml 新.toml --on 2024-01-01",
        "huilian policy diff yanchi --on 2020-06-01 --and 2021-06-01",
        "huilian policy diff yanchi --on 2023-06-01 --and 2024-06-01 --signed 2021-03-01 --json",
    )(diff)


def source(named: str) -> "tuple[Traversable, Path]":
    """Return the file that somebody names by its path or by a policy's name, and where it finds other policies.

    Raises:
        UsageError: HL3010, there is no such file.
        ConfigurationError: HL6003, no policy has that name; HL6020 to HL6022, others may write to the county's own.
    """
    from huilian.county import rules  # noqa: PLC0415  # see the package
    from huilian.settings import Home  # noqa: PLC0415

    file = Path(named)
    if file.is_file():
        return file, file.parent
    if file.suffix or len(file.parts) > 1:
        raise UsageError("HL3010", file=file, what=explain_no_file(file))
    home = Home.from_environment()
    return rules.find(home, named), home.policies


def load(named: str) -> "Policy":
    """Return the policy that somebody names by its path, or by its name.

    Raises:
        UsageError: HL3010, there is no such file.
        ConfigurationError: HL6002 or HL6003, as `policies.load` raises them.
    """
    from huilian.policy import policies  # noqa: PLC0415  # see the package

    file, folder = source(named)
    return policies.load(file, folder=folder)


def as_day(option: str, text: str) -> dt.date:
    """Return the day that an option names.

    Raises:
        UsageError: HL7026, it is none.
    """
    from huilian.policy.facts import read_date  # noqa: PLC0415  # see the package

    day: dt.date = _read(option, lambda: read_date(text))
    return day


def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="政策文件或名称 (a file, or a name)", show_default=False)],
    *,
    assumed: Annotated[bool, typer.Option("--assumed", help="列出假定的取值 (list assumed values)")] = False,
    as_json: session.Json = False,
) -> None:
    """Check one file."""
    from huilian.policy import policies  # noqa: PLC0415  # see the package
    from huilian.policy.workbench import explanation  # noqa: PLC0415

    found, folder = source(file)
    policy, faults = policies.check(found, folder=folder)
    said = [] if policy is None else explanation.statements(policy, known={})
    ours = [each for each in said if each.assumed]
    if as_json:
        facts: dict[str, Any] = {"file": found.name, "status": "faulty" if policy is None else "sound"}
        facts |= {"faults": [fault.as_json() for fault in faults], "policy": policy and _facts(policy)}
        screen.print_json(facts | ({"assumed": [each.as_json() for each in ours]} if assumed else {}))
    elif policy is None:
        show_faults(str(found), faults)
    else:
        stated = sum(1 for each in said if each.line)
        console = screen.out()
        title = f"{policy.name} {policy.version} {policy.title}"
        counts = f"产品 {', '.join(policy.products)}；{stated} 项规定，其中 {len(ours)} 项为假定"
        english = f"sound: {stated} statements, {len(ours)} of them assumed"
        console.print(f"无误：{title}；{counts} ({english})", style=None, markup=False, soft_wrap=True)
        if assumed and ours:
            screen.show(_table(ours, lines=True))
    raise typer.Exit(1 if policy is None else 0)


def show_faults(file: str, faults: "Sequence[Fault]") -> None:
    """Print the faults of a file, each with its line, in Chinese and English."""
    console = screen.out()
    for fault in faults:
        console.print(f"{file}:{fault.line}: {fault.text('zh')}", markup=False, soft_wrap=True)
        console.print(f"    {fault.text('en')}", markup=False, soft_wrap=True, style="dim")
    console.print(f"{len(faults)} 处错误 (faults)", soft_wrap=True)


def _facts(policy: "Policy") -> dict[str, Any]:
    facts = {"name": policy.name, "version": policy.version, "title": policy.title, "plans": list(policy.plans)}
    return facts | {"products": list(policy.products)}


def explain(
    policy: Named,
    *,
    on: On,
    signed: Signed = None,
    product: OneProduct = None,
    fact: Facts = None,
    as_json: session.Json = False,
) -> None:
    """Explain one policy on one day."""
    from huilian.policy import reference_rates  # noqa: PLC0415  # see the package
    from huilian.policy.workbench import explanation  # noqa: PLC0415
    from huilian.settings import Home  # noqa: PLC0415

    found = load(policy)
    _known_product(found, product)
    known = _known(found, as_day("--on", on), signed, fact or [])
    said = explanation.statements(found, known=known, product=product)
    unsaid = explanation.defaults(found, known=known, product=product)
    published = reference_rates.load(Home.from_environment().folder)
    days = dict.fromkeys([known["accrued"], known.get("signed", known["accrued"])])
    rates = {day.isoformat(): explanation.published_rates(published, day) for day in days}
    if as_json:
        facts = _facts(found) | {"on": on, "signed": signed, "rates": rates}
        facts |= {"statements": [each.as_json() for each in said], "defaults": [each.as_json() for each in unsaid]}
        screen.print_json(facts)
        return
    day = f"{on}{f'，签订于 {signed} (signed)' if signed else ''}"
    screen.out().print(f"{found.name} {found.version} {found.title}：{day}", markup=False, soft_wrap=True)
    for part in dict.fromkeys(each.product for each in said):
        screen.show(_table([each for each in said if each.product == part], title=_part(found, part)))
    if unsaid:
        rows = [[_place(each), each.title, each.shown_value()] for each in unsaid]
        screen.show(
            screen.table(["规则", "名称", "默认"], rows, title="文件没有写，按默认 (not in the file: defaults)")
        )
    for each_day, each_rates in rates.items():
        _show_rates(each_day, each_rates)


def _show_rates(day: str, rates: "Sequence[dict[str, Any]]") -> None:
    headings = ["利率", "期限（月）", ">年利率", "自", "已知至 (known until)"]
    rows = [
        [
            each["series"],
            each["term"],
            f"{each['percent']}%",
            each["since"],
            _until(each["known_until"], each["passed"]),
        ]
        for each in rates
    ]
    screen.show(screen.table(headings, rows, title=f"{day} 公布的利率 (published rates)"))


def _until(day: str, passed: bool) -> str:  # noqa: FBT001  # of the rate
    return f"{day}；之后的请录入 rates.toml (enter later ones)" if passed else day


def diff(
    policy: Named,
    other: Annotated[
        str | None, typer.Argument(metavar="POLICY", help="另一份 (the other one)", show_default=False)
    ] = None,
    *,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="哪一天 (the day)")] = None,
    later: Annotated[str | None, typer.Option("--and", metavar="DATE", help="另一天 (the other day)")] = None,
    signed: Signed = None,
    product: OneProduct = None,
    fact: Facts = None,
    as_json: session.Json = False,
) -> None:
    """Compare two policies, or two days of one."""
    from huilian.policy.workbench import explanation  # noqa: PLC0415  # see the package

    if (other is None) == (later is None) or (later is not None and on is None):
        what = "比较两份政策，或一份政策的两天：A B，或 A --on DATE --and DATE (two policies, or two days of one)"
        raise UsageError("HL7001", what=what)
    one, another = load(policy), load(other or policy)
    for each in (one, another):
        _known_product(each, product)
    sides = []
    decided: list[str] = []
    for side, option, text in ((one, "--on", on), (another, "--and", later or on)):
        day = None if text is None else as_day(option, text)
        # Of two days, each is what holds for a contract of that day.
        known = _known(side, day, signed or (text if later else None), fact or [])
        decided = [each for each in explanation.DATES if each in known]
        said = explanation.statements(side, known=known, product=product)
        sides.append([*said, *explanation.defaults(side, known=known, product=product)])
    found, sources = explanation.compare(sides[0], sides[1], decided=decided)
    names = [
        " ".join(filter(None, (side.name, side.version, day))) for side, day in ((one, on), (another, later or on))
    ]
    if as_json:
        facts = [_facts(side) | {"on": day} for side, day in ((one, on), (another, later or on))]
        told = [each.as_json() for each in found]
        screen.print_json({"one": facts[0], "other": facts[1], "rules": told, "only_sources_differ": sources})
        return
    if found:
        screen.show(screen.table(["规则", "名称", *names], [_difference(each) for each in found]))
    counts = f"{len(found)} 条规定不同；另有 {sources} 条只是依据不同"
    english = f"{len(found)} rules differ; {sources} in their source only"
    screen.out().print(f"{counts} ({english})", soft_wrap=True)


def _difference(found: "Difference") -> list[str | None]:
    said = (found.one, found.other)
    return [_place((found.one or found.other)[0]), found.title, *("\n".join(map(_line, each)) or None for each in said)]


def _line(said: "Statement") -> str:
    when = said.shown_when()
    return f"{f'{when}：' if when else ''}{said.shown_value()}{'（假定）' if said.assumed else ''}"


def _place(said: "Statement") -> str:
    return f"{said.product}.{said.rule}" if said.product else said.rule


def _part(policy: "Policy", product: str) -> str:
    if not product:
        return "对全部产品 (for all products)"
    return f"产品 {product} {policy.products[product].title}"


def _table(said: "Sequence[Statement]", *, title: str | None = None, lines: bool = False) -> Any:  # noqa: ANN401  # rich's
    headings = [*([">行"] if lines else []), "规则", "名称", "适用", "取值", "依据", "假定"]
    rows = [
        [
            *([each.line] if lines else []),
            _place(each) if lines else each.rule,
            each.title,
            each.shown_when() or None,
            each.shown_value(),
            each.source or None,
            "假定" if each.assumed else None,
        ]
        for each in said
    ]
    return screen.table(headings, rows, title=title)


def _known(policy: "Policy", on: dt.date | None, signed: str | None, named: "Sequence[str]") -> dict[str, Any]:
    """Return the facts that the options name: of a day, what accrues and what happens on it."""
    from huilian.policy.workbench import explanation  # noqa: PLC0415  # see the package

    known: dict[str, Any] = {} if on is None else dict.fromkeys(explanation.OF_THE_DAY, on)
    if signed is not None:
        known["signed"] = as_day("--signed", signed)
    for each in named:
        name, mark, value = each.partition("=")
        if not mark:
            raise UsageError("HL7026", option="--fact", what=f"{each}：应为 NAME=VALUE (is needed)")
        known[name] = _read(f"--fact {name}", lambda: explanation.read_fact(name, value, policy.vocabulary))  # noqa: B023
    return known


def _read(option: str, reader: Any) -> Any:  # noqa: ANN401  # of the option's type
    from huilian.policy.faults import WrongValueError  # noqa: PLC0415  # see the package

    try:
        return reader()
    except WrongValueError as error:
        raise UsageError("HL7026", option=option, what=error.told()) from None


def _known_product(policy: "Policy", product: str | None) -> None:
    if product is not None and product not in policy.products:
        what = f"{policy.name} 没有产品 {product}；可用：{', '.join(policy.products)} (no such product; known)"
        raise UsageError("HL7026", option="--product", what=what)
