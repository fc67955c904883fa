"""What the county can be asked. A service declares its queries; address, command, CSV and OpenAPI follow.

    Query(
        "feed/loans",
        loan_feed,
        FeedRow,
        "输出区划内的借据，每笔一行",
        "Return the loans of a region.",
        parameters=(REGION, INSTITUTION),
    )

is answered at `GET /api/v1/feed/loans`, by `huilian feed loans` and in Python by
`service.query("feed/loans").ask(transaction, {"region": "341599"}, ...)`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import marshmallow as ma

from huilian.core.clock import previous_month
from huilian.core.errors import ConfigurationError
from huilian.county.audit import Subject
from huilian.county.submissions.reconciliation import reconciliation

if TYPE_CHECKING:
    import datetime as dt

    from rich.console import RenderableType

    from huilian.county.context import Context
    from huilian.county.submissions.kinds import Kind
    from huilian.database.connection import Transaction

__all__ = [
    "INSTITUTION",
    "LAST_MONTH",
    "MONTH",
    "REGION",
    "Answer",
    "Column",
    "Parameter",
    "Query",
    "Row",
    "not_taken",
]

Row = Mapping[str, Any]
_ADDRESS: Final = re.compile(r"(feed/)?[a-z][a-z_]*")


@dataclass(frozen=True)
class Parameter:
    """What can be said in a question: a parameter of the address, an option of the command.

    Args:
        name: in addresses; see `option`.
        chinese: what it means.
        english: the same.
        metavar: what stands for its value in help texts.
        example: a value.
        required: whether it must be given.
        choices: the values there are, if only these.
        narrows: "region", its value is a region and the answer lies within it; "member", the answer is one member's.
            What a token may read is held against both.
        default: the value on a day, where none is given.
        positional: whether the command takes it without an option.
        of_token: whether only a token says it: the command has no such option.
        is_subject: whether the answer is about whom its value names by number: a household, a borrower.
    """

    name: str
    chinese: str
    english: str
    metavar: str = "TEXT"
    example: str | None = None
    required: bool = False
    choices: tuple[str, ...] = ()
    narrows: Literal["region", "member"] | None = None
    default: Callable[[dt.date], str] | None = None
    positional: bool = False
    of_token: bool = False
    is_subject: bool = False

    @property
    def option(self) -> str:
        """Return the command's option: "--entered-by" of "entered_by"."""
        return f"--{self.name.replace('_', '-')}"


REGION: Final = Parameter(
    "region",
    "区划代码：县 6 位、乡镇 9 位、村 12 位",
    "code of a county, township or village: 6, 9 or 12 digits",
    metavar="CODE",
    example="341599",
    narrows="region",
)
INSTITUTION: Final = Parameter(
    "institution", "只看该机构", "this member only", metavar="CODE", example="RCB01", narrows="member"
)
MONTH: Final = Parameter("month", "月份", "month", metavar="YYYY-MM", example="2024-05", required=True)
LAST_MONTH: Final = replace(
    MONTH,
    chinese="月份，不写则为上月",
    english="month; without it the last that is over",
    required=False,
    default=previous_month,
)


@dataclass(frozen=True)
class Column:
    """A column of a table or CSV.

    Args:
        path: the field, or a field and the field within it.
        chinese: what people call it.
        field: its kind.
    """

    path: tuple[str, ...]
    chinese: str
    field: ma.fields.Field[Any]

    @property
    def name(self) -> str:
        """Return what programs call it: "source_line"."""
        return "_".join(self.path)

    def of(self, row: Row) -> Any:  # noqa: ANN401  # whatever it holds
        """Return its value in a row."""
        value: Any = row
        for name in self.path:
            value = value[name]
        return value


@dataclass(frozen=True)
class Answer:
    """What was answered.

    Args:
        content: a document, or rows that are read while the transaction is open.
        cursor: of rows that can be followed: what to give as `since` next time.
        basis: how much of the files it rests on was taken, as `Taken` has it.
    """

    content: Any
    cursor: str | None = None
    basis: Sequence[Row] = ()


@dataclass(frozen=True)
class Query:
    """One question, declared by the service that answers it.

    Args:
        address: below `/api/v1`, and the words of the command: "statistics", "feed/loans". What begins with "feed/"
            is made for programs and spreadsheets.
        answer: called with the transaction and every parameter by its name, None where it was not given. Returns
            rows, with `follows` a cursor and rows, or a document.
        row: one row's fields in their order, or the document's.
        chinese: what it is; its first sentence stands in lists of commands.
        english: the same; its first sentence sums the address up.
        notes: what programmers have to know besides, in the OpenAPI document.
        parameters: without one that narrows to a region only tokens of the whole county are answered, and without
            one that narrows to a member no token of a member.
        document: whether the answer is one JSON object; else rows, streamed as NDJSON or CSV.
        listed: the key of a document that holds nothing but one list.
        follows: whether the answer can be followed by a cursor; `answer` takes `since`.
        needs_kinds: whether `answer` also takes `kinds`: all kinds of submission, by name.
        needs_policy: whether `answer` also takes `policy`, the county's, and `today`.
        needs_context: whether `answer` also takes `context`: all that a handler may know.
        order: fields by which the rows are sorted first. With it several services may answer the same address: their
            rows come as one answer, in this order. A document needs no order: each service gives its own fields.
        personal: whether the answer names persons, or tells of households or borrowers one by one. Each read of it is
            in the audit log: who, what, why.
        rests_on: the kind of submission that the answer is made of. How much of the files was taken stands in a
            document as `rests_on`; rows have beside them what was not taken.
        command: the words of the command where they are not the address.
        examples: commands to copy.
        show: returns what people see instead of a plain table: called with the document, or the rows, and the
            question.
    """

    address: str
    answer: Callable[..., Any]
    row: type[ma.Schema]
    chinese: str
    english: str
    notes: str = ""
    parameters: tuple[Parameter, ...] = ()
    document: bool = False
    listed: str | None = None
    follows: bool = False
    needs_kinds: bool = False
    needs_policy: bool = False
    needs_context: bool = False
    order: tuple[str, ...] = ()
    personal: bool = False
    rests_on: str | None = None
    command: str | None = None
    examples: tuple[str, ...] = ()
    show: Callable[[Any, Mapping[str, str | None]], Iterable[RenderableType]] | None = None

    def __post_init__(self) -> None:
        """Refuse a declaration from which not everything follows.

        Raises:
            ConfigurationError: HL6006, it names what is wrong.
        """
        if not _ADDRESS.fullmatch(self.address):
            raise ConfigurationError("HL6006", file=self.address, what="is no address: words, or feed/words")
        named = [column.chinese for column in self.columns]
        for column in () if self.document else self.columns:
            if not column.chinese or named.count(column.chinese) > 1:
                what = f"{column.name} has no Chinese name of its own"
                raise ConfigurationError("HL6006", file=self.address, what=what)

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words of its command after "huilian"."""
        return tuple((self.command or self.address.replace("/", " ")).split())

    @property
    def is_feed(self) -> bool:
        """Return whether it is made for programs and spreadsheets."""
        return self.address.startswith("feed/")

    @functools.cached_property
    def columns(self) -> list[Column]:
        """Return the columns of its rows; what is nested stands by its path."""
        return list(columns(self.row))

    def narrowing(self, kind: str) -> Parameter | None:
        """Return the parameter that narrows the answer to a "region" or "member", if it has one."""
        return next((parameter for parameter in self.parameters if parameter.narrows == kind), None)

    def subject(self, given: Mapping[str, str | None]) -> Subject:
        """Return what a read with these parameters is about, for the audit log."""
        names = [each.name for each in self.parameters] + (["since"] if self.follows else [])
        said = {name: value for name in names if (value := given.get(name)) is not None}
        about = [each.name for each in self.parameters if each.is_subject]
        about += [each.name for kind in ("region", "member") if (each := self.narrowing(kind))]
        return Subject(self.address, next((said[name] for name in about if name in said), "*"), said)

    def ask(
        self,
        transaction: Transaction,
        given: Mapping[str, str | None],
        *,
        today: dt.date,
        kinds: Mapping[str, Kind],
        context: Callable[[], Context],
    ) -> Answer:
        """Return the answer.

        Args:
            transaction: one moment's truth; it stays open until the last row is read.
            given: parameters by name.
            today: the county's day.
            kinds: all kinds of submission, by name.
            context: returns what handlers may know.

        Raises:
            UsageError: what was given makes no sense.
        """
        asked = {each.name: given.get(each.name) for each in self.parameters}
        for each in self.parameters:
            if asked[each.name] is None and each.default is not None:
                asked[each.name] = each.default(today)
        extra: dict[str, Any] = {"kinds": kinds} if self.needs_kinds else {}
        if self.needs_policy:
            extra |= {"policy": context().policy, "today": today}
        if self.needs_context:
            extra |= {"context": context()}
        if self.follows:
            cursor, content = self.answer(transaction, since=given.get("since"), **asked)
        else:
            cursor, content = None, self.answer(transaction, **asked, **extra)
        if self.rests_on is None:
            return Answer(content, cursor)
        member = self.narrowing("member")
        basis = reconciliation(
            transaction,
            kinds=kinds,
            month=asked.get("month") or f"{today:%Y-%m}",
            institution=asked[member.name] if member else None,
            kind=self.rests_on,
        )
        return Answer(content | {"rests_on": basis} if self.document else content, cursor, basis)


def columns(schema: type[ma.Schema]) -> Iterator[Column]:
    """Yield the columns of a row; what is nested stands by its path."""
    for name, field in schema().fields.items():
        chinese = field.metadata.get("zh", "")
        if isinstance(field, ma.fields.Nested):
            for inner in columns(field.schema.__class__):
                yield Column((name, *inner.path), chinese + inner.chinese, inner.field)
        else:
            yield Column((name,), chinese, field)


def not_taken(basis: Iterable[Row]) -> list[Row]:
    """Return of what an answer rests on, see `Taken`, the institutions of whose files something was not taken."""
    return [row for row in basis if row["untaken_rows"] or row["untaken_amount"] not in (None, "0.00")]
