"""Commands for what services answer, each made from its declaration; asked here, or of another county over HTTP."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import inspect
import itertools
import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast
from urllib.parse import quote

import typer
from rich.table import Table
from rich.text import Text

from huilian.cli import screen, session
from huilian.core import regions
from huilian.core.clock import SystemClock
from huilian.core.errors import ConfigurationError, HostUnavailable, UsageError
from huilian.core.files import explain, write_atomically
from huilian.county import audit, queries, row_output, service
from huilian.county.forms import FOLDER as FORMS
from huilian.county.forms import ListForm, outgoing_list, print_form, write_list
from huilian.county.submissions.queries import REPORTED, STATUS
from huilian.institution.transports.http import Client
from huilian.settings import Home
from huilian.wire import submission_kinds
from huilian.wire.names import CURSOR_HEADER, NOT_TAKEN_HEADER, PURPOSE_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import httpx
    from typer.core import TyperGroup

    from huilian.county.forms import Form
    from huilian.county.office import Office
    from huilian.county.queries import Parameter, Query, Row

__all__ = ["Lines", "Reader", "add_to", "basis_lines", "kind_in_chinese", "scoreboard", "show", "submissions"]


@dataclass(frozen=True)
class Lines:
    """An answer of many rows while it comes in.

    Args:
        cursor: what to give as `since` the next time, once every line is read; None where
            the answer has no cursor.
        lines: its lines, without their ends.
        not_taken: what of the files it rests on was not taken.
    """

    cursor: str | None
    lines: Iterator[str]
    not_taken: list[dict[str, Any]] = field(default_factory=list)


class Reader:
    """What can be read from a county's server.

    Args:
        url: `https://host[:port][/prefix]`; plain `http://` to this machine only.
        token: a reading token; what it may read is what is answered.
        ca_file: certificates to trust besides the usual ones.
        why: what personal data is read for; None leaves it to the token's own purpose.

    Every method raises `AccessDenied` for what the token may not read, `UsageError` for
    what makes no sense, and `HostUnavailable` when the server is away.
    """

    def __init__(self, url: str, token: str | None, ca_file: Path | None = None, *, why: str | None = None) -> None:
        headers = {} if why is None else {PURPOSE_HEADER: quote(why)}
        self._client = Client(url, token, ca_file=ca_file, headers=headers)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, address: str, **given: str | None) -> Any:  # noqa: ANN401  # whatever the document holds
        """Return the document at an address: `ask("statistics", month="2024-05")`."""
        return self._client.ask("GET", f"/{address}", query=given).json()

    @contextlib.contextmanager
    def rows(self, address: str, **given: str | None) -> Iterator[Lines]:
        """Give the rows at an address line by line: `rows("feed/loans", region="341599")`."""
        with self._client.stream(f"/{address}", given) as answer:
            left = json.loads(answer.headers.get(NOT_TAKEN_HEADER, "[]"))
            yield Lines(answer.headers.get(CURSOR_HEADER), _lines(answer), left)


def _lines(answer: httpx.Response) -> Iterator[str]:
    """Yield lines as they end by a line feed only: a value may hold what else is taken for a line's end."""
    rest = b""
    for chunk in answer.iter_bytes():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode()
    if rest:
        yield rest.decode()


def kind_in_chinese(kind: str) -> str:
    """Return the Chinese name of a kind of submission, or the kind itself: "贷款台账" of "loan_ledger"."""
    declared = submission_kinds.installed().get(kind)
    return declared.chinese if declared else kind


def scoreboard(found: Mapping[str, Any], _: object) -> Iterator[Table]:
    """Yield the scoreboard: one line for each institution and kind of file."""
    rows = [
        [
            row["institution"],
            kind_in_chinese(row["kind"]),
            REPORTED.get(row["status"], row["status"]),
            row["as_of"],
            screen.moment(_when(row["applied_at"])),
            *(f"{row[name]:,}" for name in ("files", "rows", "rejected_rows", "refused_files")),
            *(screen.amount(row[name]) for name in ("stated_amount", "untaken_amount")),
            "；".join(f"{gap['as_of']} {_span(gap['first'], gap['last'])}" for gap in row["missing_files"]) or None,
            "；".join(f"{repeat['as_of']} {repeat['number']}" for repeat in row["repeated_files"]) or None,
        ]
        for row in found["rows"]
    ]
    headings = ["机构", "种类", "报送", "截止日期", "入账时间", ">文件", ">行数", ">退回行", ">退回文件"]
    headings += [">自列金额", ">未入账金额", "缺号", "重号"]
    yield screen.table(headings, rows, title=f"{found['month']} 报送考核，期限 {found['due_date']}")


def submissions(found: Mapping[str, Any], _: object) -> Iterator[Table]:
    """Yield the submissions with their counts."""
    counts = ("rows", "accepted", "rejected", "changed", "unchanged", "missing")
    rows = [
        [
            screen.moment(_when(row["received_at"])),
            row["member"],
            row["file_name"],
            row["as_of"],
            STATUS.get(row["status"], row["status"]) + (f" {row['code']}" if row["code"] else ""),
            *(None if row[name] is None else f"{row[name]:,}" for name in counts),
        ]
        for row in found["submissions"]
    ]
    headings = ["收到", "机构", "文件", "截止日期", "状态", ">总行数", ">入账", ">退回", ">变动", ">未变", ">缺失"]
    yield screen.table(headings, rows)


def _when(moment: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(moment) if moment else None


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


COUNTY_DIGITS: Final = min(regions.LEVELS)
SHOWN: Final = 50
"""Rows in a table; `--json` has all."""
TABLE: Final = "table"
_SHOWS: Final[dict[str, Callable[..., Iterator[Table]]]] = {
    "scoreboard": scoreboard,
    "submissions": submissions,
}
"""What people see of the kernel's own queries."""
_LINE_ENDS: Final = {"ndjson": b"\n", "csv": b"\r\n"}


@dataclass(frozen=True)
class _Asked:
    """What a command was called with.

    Args:
        query: the question.
        given: its parameters by name, those that are the kernel's included.
        to: another server; None for this machine's office.
        token: what to read there with.
        ca: certificates to trust.
        why: what personal data is read for, where that is said.
    """

    query: Query
    given: Mapping[str, str | None]
    to: str | None
    token: str | None
    ca: Path | None
    why: str | None

    @contextlib.contextmanager
    def answer(self) -> Iterator[queries.Answer]:
        """Give the answer; rows are parsed while they are read."""
        if self.to is None:
            with session.reading() as office, self._recorded(office) as read, office.database.snapshot() as transaction:
                region = self.query.narrowing("region")
                if region and (code := self.given.get(region.name)):
                    regions.refuse_outside(office.settings.county, code)
                answer = self.query.ask(
                    transaction,
                    self.given,
                    today=office.clock.today(),
                    kinds=service.kinds(),
                    context=lambda: office.context,
                )
                if read is None:
                    yield answer
                elif self.query.document:
                    read.document()
                    yield answer
                else:
                    yield replace(answer, content=read.rows(answer.content))
        elif self.query.document:
            content = self._reader(self.to).ask(self.query.address, **self.given)
            yield queries.Answer(content, basis=content.get("rests_on", ()))
        else:
            with self._reader(self.to).rows(self.query.address, **self.given) as found:
                yield queries.Answer(map(json.loads, found.lines), found.cursor, found.not_taken)

    def _recorded(self, office: Office) -> contextlib.AbstractContextManager[audit.PersonalRead | None]:
        """Return what records a read of personal data here; nothing where the answer holds none."""
        if not self.query.personal:
            return contextlib.nullcontext()
        subject, purpose = self.query.subject(self.given), session.purpose(self.why)
        return audit.personal_read(
            office.database, office.clock, actor=session.actor(), purpose=purpose, subject=subject
        )

    def _reader(self, url: str) -> Reader:
        return Reader(url, self.token, self.ca, why=self.why)

    def write(self, form: str) -> str | None:
        """Write the rows to standard output as NDJSON or CSV; return the next cursor, if there is one."""
        if self.to is None:
            with self.answer() as answer:
                if form == "csv":
                    chunks = row_output.csv_chunks(answer.content, self.query.columns, header=self.given.get("header"))
                else:
                    chunks = row_output.ndjson_chunks(answer.content)
                for chunk in chunks:
                    sys.stdout.buffer.write(chunk)
            return self._beside(answer.cursor, answer.basis)
        given = {**self.given, "format": form}
        with self._reader(self.to).rows(self.query.address, **given) as found:
            for line in found.lines:
                sys.stdout.buffer.write(line.encode() + _LINE_ENDS[form])
        if self.query.follows and found.cursor is None:
            raise HostUnavailable("HL5003", url=self.to, what="no cursor")
        return self._beside(found.cursor, found.not_taken)

    @staticmethod
    def _beside(cursor: str | None, basis: Iterable[Row]) -> str | None:
        for line in basis_lines(queries.not_taken(basis)):
            screen.err().print(line, soft_wrap=True)
        return cursor


def add_to(group: TyperGroup) -> None:
    """Make a command of every query.

    Raises:
        ConfigurationError: HL6006, a service's command is called like another.
    """
    app = typer.Typer()
    feeds = screen.group(
        "数据流：供程序和表格软件读取，每行一条。",
        "Feeds: rows for programs and spreadsheets.",
        *(query.examples[0] for query in service.queries().values() if query.is_feed and query.examples),
    )
    app.add_typer(feeds, name="feed")
    groups: dict[str, typer.Typer] = {"feed": feeds}
    for query in service.queries().values():
        *above, name = query.words
        if query.words[0] in group.commands and not query.is_feed:
            raise ConfigurationError("HL6006", file=query.address, what=f"there is a command {query.words[0]}")
        into = app
        if above:
            if above[0] not in groups:
                groups[above[0]] = screen.group(query.chinese, query.english, *_examples(query))
                app.add_typer(groups[above[0]], name=above[0])
            into = groups[above[0]]
        screen.command(into, name, query.chinese, query.english, *_examples(query))(_command(query))
    reports = screen.group(
        "表格：按 A4 打印成 PDF，或写成待填写的名单。",
        "Forms on paper (PDF, A4), and lists to fill in.",
        *(_printing(form) for form in service.forms()),
    )
    if service.forms():
        app.add_typer(reports, name="report")
    for form in service.forms():
        screen.command(reports, form.name, form.chinese, form.english, _printing(form))(_print_command(form))
    group.commands.update(cast("TyperGroup", typer.main.get_command(app)).commands)


def _examples(query: Query) -> tuple[str, ...]:
    return query.examples or (" ".join(("huilian", *query.words, *_needed(query))),)


def _needed(query: Query) -> Iterator[str]:
    for parameter in query.parameters:
        if _is_needed(parameter):
            value = parameter.example or parameter.metavar
            yield value if parameter.positional else f"{parameter.option} {value}"


def _is_needed(parameter: Parameter) -> bool:
    # Over HTTP the token says within which region; a command has none where it asks this machine.
    return parameter.required or (parameter.narrows == "region" and not parameter.of_token)


def _command(query: Query) -> Callable[..., None]:
    def run(**given: Any) -> None:  # noqa: ANN401  # options: texts, files and flags
        to, token, ca, why = (given.pop(name, None) for name in ("to", "token", "ca", "why"))
        as_json = given.pop("as_json", False)
        cursor_file: Path | None = given.pop("cursor_file", None)
        form = given.pop("format", TABLE)
        _check(query, given | {"format": form})
        if cursor_file is not None and given["since"] is None:
            given["since"] = _read_cursor(cursor_file)
        asked = _Asked(query, given, to, token, ca, why)
        if form in row_output.FORMATS:
            following = asked.write(form)
            if cursor_file is not None and following is not None:
                _keep_cursor(cursor_file, following)
            if following is not None:
                screen.err().print(f"下一游标 {following}")
        else:
            _print(asked, as_json=as_json)

    # What typer reads the options from.
    run.__signature__ = inspect.Signature(list(_options(query)))  # type: ignore[attr-defined]  # functions may have it
    return run


def show(
    query: Query, given: Mapping[str, str | None], *, to: str | None, token: str | None, ca: Path | None, as_json: bool
) -> None:
    """Print the answer to a query, as its command does."""
    _print(_Asked(query, given, to, token, ca, why=None), as_json=as_json)


def _printing(form: Form | ListForm) -> str:
    out = "--out ." if isinstance(form, ListForm) else f"--out {form.name}.pdf"
    return " ".join(("huilian report", form.name, *_needed(service.query(form.query)), out))


def _print_command(form: Form | ListForm) -> Callable[..., None]:
    """Return the command that prints a form or writes a list: its query's parameters, and where to."""
    query = service.query(form.query)

    def run(**given: Any) -> None:  # noqa: ANN401  # options: texts and files
        to, token, ca, why, out = (given.pop(name, None) for name in ("to", "token", "ca", "why", "out"))
        _check(query, given)
        with _Asked(query, given, to, token, ca, why).answer() as answer:
            if isinstance(form, ListForm):
                out = _write_list(form, query, given, answer.content, out)
            else:
                content = json.loads(json.dumps(answer.content))
        if not isinstance(form, ListForm):
            own = Home.from_environment().folder / FORMS
            printed = print_form(form, content, own=own, on=SystemClock().today())
            try:
                write_atomically(out, printed)
            except OSError as error:
                raise UsageError("HL7021", file=out, what=explain(error)) from error
        screen.err().print(f"{out}")

    given = [each for each in _options(query) if each.name not in {"as_json", "format", "header"}]
    help_text = "写到此文件 (write to this file)"
    if isinstance(form, ListForm):
        help_text = (
            "写到此文件，或以约定的文件名写入此文件夹 (write to this file, or into this folder under its own name)"
        )
    out = Annotated[Path, typer.Option("--out", metavar="FILE", help=help_text)]
    run.__signature__ = inspect.Signature([*given, _option("out", out, ...)])  # type: ignore[attr-defined]  # as above
    return run


def _write_list(
    form: ListForm, query: Query, given: Mapping[str, str | None], rows: Iterable[Row], target: Path
) -> Path:
    """Write a list for the member it is narrowed to, else for the region; return where it is."""
    from huilian.adapters import loading  # noqa: PLC0415  # polars
    from huilian.wire import catalogue  # noqa: PLC0415  # the same

    home = Home.from_environment()
    adapter = loading.find(form.adapter, home.adapters)
    narrowed = [each for kind in ("member", "region") if (each := query.narrowing(kind)) and given.get(each.name)]
    receiver = str(given[narrowed[0].name])
    county = str(given[narrowed[-1].name])[:COUNTY_DIGITS]
    settings = loading.settings_for(adapter, county, home.adapter_tables(), home.adapters)
    contract = catalogue.installed().named(form.dataschema)
    outgoing = outgoing_list(form, rows, contract, asked=given, receiver=receiver, on=SystemClock().today())
    return write_list(outgoing, adapter, settings, target)


def _options(query: Query) -> Iterator[inspect.Parameter]:
    for parameter in query.parameters:
        metavar = "|".join(parameter.choices) or parameter.metavar
        help_text = f"{parameter.chinese} ({parameter.english})"
        if parameter.of_token:
            continue
        if parameter.positional:
            yield _option(parameter.name, Annotated[str, typer.Argument(metavar=metavar, help=help_text)], ...)
            continue
        option = typer.Option(parameter.option, metavar=metavar, help=help_text)
        yield _option(parameter.name, Annotated[str | None, option], ... if _is_needed(parameter) else None)
    if query.follows:
        yield _option(
            "since", Annotated[str | None, typer.Option(metavar="CURSOR", help="上次的游标 (the last cursor)")]
        )
        kept = typer.Option(metavar="FILE", help="游标存取于此文件 (read and keep the cursor here)")
        yield _option("cursor_file", Annotated[Path | None, kept])
    if not query.document:
        forms = "|".join(_forms(query))
        yield _option("format", Annotated[str, typer.Option(metavar=forms, help="格式 (format)")], _forms(query)[0])
        header = "CSV 表头：中文名，或 names 字段名 (header row: Chinese, or the fields' names)"
        yield _option("header", Annotated[str | None, typer.Option(metavar="|".join(row_output.HEADERS), help=header)])
    if query.personal:
        yield _option("why", session.Why)
    for name, kind in (("to", session.To), ("token", session.Token), ("ca", session.CaFile)):
        yield _option(name, kind)
    if not query.is_feed:
        yield _option("as_json", session.Json, default=False)


def _option(name: str, annotation: object, default: object = None) -> inspect.Parameter:
    default = inspect.Parameter.empty if default is ... else default
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _forms(query: Query) -> tuple[str, ...]:
    return row_output.FORMATS if query.is_feed else (TABLE, *row_output.FORMATS)


def _check(query: Query, given: Mapping[str, Any]) -> None:
    """Refuse a value that is none of those there are, before anything is opened.

    Raises:
        UsageError: HL7001.
    """
    choices = {parameter.name: parameter.choices for parameter in query.parameters if parameter.choices}
    if not query.document:
        choices |= {"format": _forms(query), "header": row_output.HEADERS}
    for name, known in choices.items():
        if given.get(name) not in (None, *known):
            raise UsageError("HL7001", what=f"--{name}: {', '.join(known)}")


def _print(asked: _Asked, *, as_json: bool) -> None:
    if as_json:
        _print_json(asked)
    else:
        _print_for_people(asked)


def _print_json(asked: _Asked) -> None:
    """Print a document as one object, or its one list; rows as one list, each as it comes."""
    with asked.answer() as answer:
        if asked.query.document:
            screen.print_json(answer.content[asked.query.listed] if asked.query.listed else answer.content)
            return
        before = "["
        for row in answer.content:
            sys.stdout.write(before + json.dumps(row, ensure_ascii=False))
            before = ", "
        sys.stdout.write("[]\n" if before == "[" else "]\n")


def _print_for_people(asked: _Asked) -> None:
    show = asked.query.show or _SHOWS.get(asked.query.address) or functools.partial(_plainly, asked.query)
    with asked.answer() as answer:
        for shown in show(answer.content, asked.given):
            if isinstance(shown, Table):
                screen.show(shown)
            else:
                screen.out().print(shown, soft_wrap=True)
        for line in basis_lines(answer.basis):
            screen.out().print(line, soft_wrap=True)


def _plainly(query: Query, content: Any, _: object) -> Iterator[Table | Text]:  # noqa: ANN401  # a document or rows
    """Yield a table: of a document its fields beneath each other, of rows the first and how many there are."""
    columns = [column for column in query.columns if not column.field.metadata.get("for_programs")]
    if query.document:
        yield screen.pairs({column.chinese or column.name: _shown(column, content) for column in columns})
        return
    found = iter(content)
    first = [[_shown(column, row) for column in columns] for row in itertools.islice(found, SHOWN)]
    number = len(first) + sum(1 for _ in found)
    yield screen.table([column.chinese for column in columns], first)
    more = f"，此处 {SHOWN} 条，全部请用 --json (the first {SHOWN} are shown)" if number > SHOWN else ""
    yield Text(f"共 {number:,} 条 (in all){more}")


def _shown(column: queries.Column, row: Row) -> object:
    value = column.of(row)
    return column.field.metadata.get("codes", {}).get(value, value) if isinstance(value, str) else value


def basis_lines(basis: Iterable[Row]) -> Iterator[Text]:
    """Yield what an answer rests on, a line for each institution: how much of its own totals was taken."""
    for row in basis:
        taken, stated, untaken = (screen.amount(row[f"{name}_amount"]) for name in ("taken", "stated", "untaken"))
        left = f"{row['untaken_rows']:,}"
        head = f"依据 (rests on) {row['institution']} {row['as_of']}："
        if stated is None:
            chinese, english = (
                f"{row['taken_rows']:,} 行入账，{left} 行未入账",
                f"{left} rows not taken, no control total",
            )
        else:
            chinese = f"该机构自列 {stated} 元，入账 {taken} 元；{left} 行 {untaken} 元未入账"
            english = f"{taken} of the institution's {stated}; {left} rows with {untaken} not taken"
        yield Text(f"{head}{chinese} ({english})", "yellow" if queries.not_taken([row]) else "dim")


def _read_cursor(file: Path) -> str | None:
    """Return the cursor kept in a file, or None when there is none yet.

    Raises:
        UsageError: HL3010, the file cannot be read.
    """
    try:
        return file.read_text("utf-8", errors="replace").strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError("HL3010", file=file, what=explain(error)) from error


def _keep_cursor(file: Path, cursor: str) -> None:
    """Keep a cursor, once everything before it is out.

    Raises:
        UsageError: HL7021, the file cannot be written.
    """
    sys.stdout.flush()  # a reader that has gone is an error here: what it did not read comes again
    try:
        write_atomically(file, cursor.encode() + b"\n")
    except OSError as error:
        raise UsageError("HL7021", file=file, what=explain(error)) from error
