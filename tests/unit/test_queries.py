"""Queries as services declare them: what is refused, how they narrow, and how several services answer as one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import marshmallow as ma
import pytest

from huilian.core.errors import AccessDenied, ConfigurationError
from huilian.county import service
from huilian.county.answer_fields import Source, count, nested, text
from huilian.county.members.tokens import Scope
from huilian.county.queries import INSTITUTION, LAST_MONTH, REGION, Query
from huilian.county.service import Service
from huilian.database.schema import KERNEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.county.context import Context
    from huilian.database.connection import Transaction

TODAY = dt.date(2024, 6, 12)
NO_TRANSACTION = cast("Transaction", None)


class Row(ma.Schema):
    """A row."""

    kind = text("情形")
    number = count("数量")


def answer(_: Transaction, **asked: str | None) -> Iterator[dict[str, Any]]:
    """Answer with what was asked."""
    yield {"kind": "a", "number": 1, **asked}


def no_context() -> Context:
    """Fail: none of these answers rests on a policy."""
    raise AssertionError


QUERY = Query("feed/things", answer, Row, "东西。", "Return things.", parameters=(REGION, LAST_MONTH))


def test_a_query_is_asked_with_every_parameter_by_its_name():
    """What is not given is None, or its value on that day; what is no parameter is left out."""
    found = QUERY.ask(NO_TRANSACTION, {"region": "341599", "format": "csv"}, today=TODAY, kinds={}, context=no_context)
    assert list(found.content) == [{"kind": "a", "number": 1, "region": "341599", "month": "2024-05"}]
    assert (found.cursor, list(found.basis)) == (None, [])


@pytest.mark.parametrize(
    ("address", "words", "is_feed"),
    [("feed/things", ("feed", "things"), True), ("things_by_bank", ("things_by_bank",), False)],
)
def test_the_command_is_the_address(address: str, words: tuple[str, ...], *, is_feed: bool):
    """Unless it says otherwise."""
    query = replace(QUERY, address=address)
    assert (query.words, query.is_feed) == (words, is_feed)
    assert replace(query, command="th").words == ("th",)


@pytest.mark.parametrize("address", ["Things", "things/feed", "feed/", "feed/a/b", "a-b", ""])
def test_an_address_that_is_none_stops_the_process_that_loads_it(address: str):
    """The error names it."""
    with pytest.raises(ConfigurationError, match=r"HL6006.*is no address"):
        replace(QUERY, address=address)


def test_a_column_without_a_chinese_name_of_its_own_is_refused():
    """No clerk could read it; neither could one tell two of the same name apart."""

    class Nameless(Row):
        """A row with a field that has no Chinese name."""

        extra = ma.fields.String()

    class Twice(Row):
        """A row with two of one name."""

        other = text("数量")

    for row, column in ((Nameless, "extra"), (Twice, "number")):
        with pytest.raises(ConfigurationError, match=f"HL6006.*{column} has no Chinese name of its own"):
            replace(QUERY, row=row)


def test_what_is_nested_is_named_by_both():
    """In Chinese without anything between, for programs with an underscore."""

    class WithSource(Row):
        """A row that says where it was read."""

        source = nested(Source, "来源")

    columns = replace(QUERY, row=WithSource).columns
    assert [(column.name, column.chinese) for column in columns[-2:]] == [
        ("source_file_sha256", "来源文件SHA-256"),
        ("source_line", "来源行号"),
    ]
    assert columns[-1].of({"source": {"line": 7}}) == 7


def _services(monkeypatch: pytest.MonkeyPatch, *declared: Query) -> None:
    found = {f"s{number}": Service(f"s{number}", KERNEL, queries=(query,)) for number, query in enumerate(declared)}
    monkeypatch.setattr(service, "installed", lambda: found)
    service.queries.cache_clear()


@pytest.fixture
def _queries_as_installed() -> Iterator[None]:
    """Forget afterwards what a test has installed."""
    yield
    service.queries.cache_clear()


@pytest.mark.usefixtures("_queries_as_installed")
def test_several_services_answer_as_one(monkeypatch: pytest.MonkeyPatch):
    """Their rows in the order that the query names, each service's own among themselves as they come."""

    def rows(*kinds: str) -> Query:
        found = [{"kind": kind, "number": number} for number, kind in enumerate(kinds)]
        return Query("things", lambda _, **__: iter(found), Row, "东西。", "Return things.", order=("kind",))

    _services(monkeypatch, rows("a", "c", "c"), rows("b"), rows())
    found = service.query("things").ask(NO_TRANSACTION, {}, today=TODAY, kinds={}, context=no_context).content
    assert [(row["kind"], row["number"]) for row in found] == [("a", 0), ("b", 0), ("c", 1), ("c", 2)]


@pytest.mark.usefixtures("_queries_as_installed")
def test_several_services_answer_one_document(monkeypatch: pytest.MonkeyPatch):
    """Each gives the fields that it keeps."""

    def part(**fields: object) -> Query:
        return Query("thing", lambda _, **__: fields, Row, "东西。", "Return a thing.", document=True)

    _services(monkeypatch, part(kind="a"), part(number=7))
    found = service.query("thing").ask(NO_TRANSACTION, {}, today=TODAY, kinds={}, context=no_context).content
    assert found == {"kind": "a", "number": 7}


@pytest.mark.usefixtures("_queries_as_installed")
def test_two_services_with_one_address_and_no_order_are_refused(monkeypatch: pytest.MonkeyPatch):
    """Nobody could say which of them answers."""
    _services(monkeypatch, QUERY, QUERY)
    with pytest.raises(ConfigurationError, match=r"HL6006.*feed/things.*several services answer it differently"):
        service.queries()


def test_a_token_of_a_member_reads_nothing_that_cannot_be_narrowed_to_it():
    """A query without a parameter for a member would tell it of others."""
    assert INSTITUTION.narrows == "member"
    Scope("county", "341599", None).check_no_member()
    with pytest.raises(AccessDenied, match="HL4008"):
        Scope("bank", None, "RCB01").check_no_member()
