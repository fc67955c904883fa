"""An address for each query that a service declares: `GET /api/v1/statistics`, `/feed/loans` and so on.

Rows are written while they are read, from an open transaction: it is one moment's truth and
stays open until the last row is written or the client goes away, whichever is first.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import marshmallow as ma
import structlog
from flask import Response, request
from marshmallow import fields, validate

from huilian.core.errors import HostUnavailable
from huilian.core.logs import where
from huilian.county import audit, queries, row_output, service
from huilian.http.answers import Error
from huilian.http.endpoints import Answer, Section, as_json
from huilian.http.interface import current, scope
from huilian.wire.names import CURSOR_HEADER, NOT_TAKEN_HEADER, PURPOSE_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from huilian.county.queries import Parameter, Query, Row
    from huilian.database.connection import Transaction

__all__ = ["CSV", "NDJSON", "plain_text", "sections"]

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
READER_SECONDS: Final = 300
"""How long a client may leave the database waiting before the database ends the transaction."""
FEEDS: Final = "数据流：供程序和表格软件读取，每行一条。 Rows for programs and spreadsheets."
NOTHING: Final[Mapping[str, str]] = {}
_LONGEST: Final = 60
_PLAIN_TEXT: Final = validate.And(
    validate.Length(min=1, max=_LONGEST),
    validate.Regexp(r"^[^\x00-\x1f\x7f]+$", error="Control characters are not allowed."),
)
_SINCE: Final = queries.Parameter(
    "since", "上次返回的游标", "the cursor that the last answer gave; without it every row", example="12"
)
_FORMAT: Final = queries.Parameter(
    "format",
    "格式",
    "NDJSON, one object a line, or CSV with a header row and UTF-8 BOM; without it the Accept header decides, "
    "and without that it is NDJSON",
    choices=row_output.FORMATS,
)
_HEADER: Final = queries.Parameter(
    "header",
    "CSV 表头：chinese 为中文名，names 为字段名",
    "what the header row of a CSV has: Chinese names, unless the fields' names are asked for",
    choices=row_output.HEADERS,
)


class Why(ma.Schema):
    """What personal data is read for."""

    purpose = fields.String(
        data_key=PURPOSE_HEADER,
        metadata={
            "description": "读取个人数据的用途，记入审计日志。 What personal data is read for, for the audit log: "
            "UTF-8, as it is or percent-encoded. Without it the token's own purpose counts; without that the answer "
            "is HL4040."
        },
    )


_log = structlog.get_logger(__name__)


def sections() -> list[Section]:
    """Return the queries' addresses, those with the same first word together."""
    made: dict[str, Section] = {}
    for query in service.queries().values():
        name = query.address.partition("/")[0]
        if name not in made:
            made[name] = Section(name, FEEDS if query.is_feed else f"{query.chinese} {query.english}")
        headers = Why if query.personal else None
        made[name].get(f"/{query.address}", _view(query), *_answers(query), query=_question(query), headers=headers)
    return list(made.values())


def plain_text(description: str, **described: object) -> fields.String:
    """Return a parameter that is a short text."""
    return fields.String(validate=_PLAIN_TEXT, metadata={"description": description, **described})


def _question(query: Query) -> type[ma.Schema]:
    extra = ([_SINCE] if query.follows else []) + ([] if query.document else [_FORMAT, _HEADER])
    return ma.Schema.from_dict({each.name: _parameter(each) for each in (*query.parameters, *extra)})


def _parameter(parameter: Parameter) -> fields.String:
    english = parameter.english[:1].upper() + parameter.english[1:]
    if parameter.narrows == "region":
        english += "; without it all that the token may read"
    metadata: dict[str, Any] = {"description": f"{parameter.chinese}。 {english}."}
    if parameter.example:
        metadata["example"] = parameter.example
    check = validate.OneOf(parameter.choices) if parameter.choices else _PLAIN_TEXT
    return fields.String(required=parameter.required, validate=check, metadata=metadata)


def _answers(query: Query) -> list[Answer]:
    refused = [Answer(403, "Nobody says why personal data is read.", Error)] if query.personal else []
    if query.document:
        return [Answer(200, "The answer.", query.row), *refused]
    headers: dict[str, Any] = {}
    if query.rests_on:
        headers[NOT_TAKEN_HEADER] = (
            "What of the files these rows rest on was not taken, as `rests_on` of the statistics "
            "has it; absent where all was."
        )
    if query.follows:
        headers[CURSOR_HEADER] = "What to give as `since` next time."
    described = {name: {"description": said, "schema": {"type": "string"}} for name, said in headers.items()}
    return [
        Answer(200, "The rows, one a line.", query.row, content_type=NDJSON, headers=described),
        Answer(200, "The rows, one a line.", {"type": "string"}, content_type=CSV, headers=described),
        *refused,
    ]


def _view(query: Query) -> Callable[..., Response]:
    def view(given: dict[str, str], said: Mapping[str, str] = NOTHING) -> Response:
        asked = given | _narrowed(query, given)
        office = current().office
        known: dict[str, Any] = {
            "today": office.clock.today(),
            "kinds": service.kinds(),
            "context": lambda: office.context,
        }
        read = _read(query, asked, said.get("purpose"))
        if not query.document:
            ask = functools.partial(query.ask, given=asked, **known)
            return _streamed(ask, query, read, asked.get("format"), asked.get("header"))
        with office.database.snapshot() as transaction:
            answer = query.ask(transaction, asked, **known)
        with read as recorded:
            if recorded is not None:
                recorded.document()
        return as_json(answer.content)

    view.__name__ = query.address.replace("/", "_")
    view.__doc__ = f"{query.english}\n\n{query.notes}"
    return view


def _read(
    query: Query, asked: Mapping[str, str | None], said: str | None
) -> contextlib.AbstractContextManager[audit.PersonalRead | None]:
    """Return what records a read of personal data; nothing where the answer holds none.

    Raises:
        AccessDenied: HL4040, neither the request nor its token says what it is for; HL4041, that is no purpose.
    """
    if not query.personal:
        return contextlib.nullcontext()
    reader, office = scope(), current().office
    if said is not None:
        # The header's bytes are UTF-8; WSGI hands them on as Latin-1.
        said = unquote(said.encode("latin-1", "replace").decode("utf-8", "replace"))
    purpose = reader.purpose_of(said)
    return audit.personal_read(
        office.database, office.clock, actor=reader.actor, purpose=purpose, subject=query.subject(asked)
    )


def _narrowed(query: Query, given: Mapping[str, str]) -> dict[str, str | None]:
    """Return what the token lets the question be narrowed to.

    Raises:
        AccessDenied: the token may not read that.
    """
    reader, county = scope(), current().county
    narrowed: dict[str, str | None] = {}
    if region := query.narrowing("region"):
        narrowed[region.name] = reader.region_for(given.get(region.name), county)
    else:
        reader.check_whole_county(county)
    if member := query.narrowing("member"):
        narrowed[member.name] = reader.member_for(given.get(member.name))
    else:
        reader.check_no_member()
    return narrowed


def _streamed(
    ask: Callable[[Transaction], queries.Answer],
    query: Query,
    read: contextlib.AbstractContextManager[audit.PersonalRead | None],
    asked_format: str | None,
    header: str | None,
) -> Response:
    """Return an answer that is written while its rows are read.

    Args:
        ask: called with the transaction that stays open; its errors are answered as such.
        query: names the columns of a CSV.
        read: what records it.
        asked_format: "ndjson", "csv", or None for what the Accept header prefers.
        header: what the header row of a CSV has.

    Raises:
        HostUnavailable: HL5006 or HL5010, too many are being read to already.
    """
    content_type = _content_type(asked_format)
    interface = current()
    with contextlib.ExitStack() as stack:
        token = scope().label
        interface.streams.enter(token)
        stack.callback(interface.streams.leave, token)
        recorded = stack.enter_context(read)  # the last to be left but the place: its end is told when all is closed
        transaction = stack.enter_context(interface.office.database.snapshot())
        transaction.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{READER_SECONDS}s'")
        answer = ask(transaction)
        found = iter(answer.content)
        if isinstance(found, Iterator) and hasattr(found, "close"):
            # Its cursor must be closed while the transaction is still its own.
            stack.callback(found.close)
        if recorded is not None and request.method != "HEAD":
            found = recorded.rows(found)
        first = list(itertools.islice(found, row_output.ROWS_A_CHUNK))
        held = stack.pop_all()

    def release() -> None:
        with contextlib.suppress(HostUnavailable):  # gone already, with all it held
            held.close()

    reply = Response(status=200, content_type=f"{content_type}; charset=utf-8")
    reply.headers["Vary"] = "Accept"
    if answer.cursor is not None:
        reply.headers[CURSOR_HEADER] = answer.cursor
    if left := queries.not_taken(answer.basis):
        reply.headers[NOT_TAKEN_HEADER] = json.dumps(left, separators=(",", ":"))
    if request.method == "HEAD":
        release()  # nobody will iterate, nor close what nobody iterates
        return reply
    everything: Iterator[Row] = itertools.chain(first, found)
    if content_type == CSV:
        reply.response = _until_broken(row_output.csv_chunks(everything, query.columns, header=header))
    else:
        reply.response = _until_broken(row_output.ndjson_chunks(everything))
    reply.call_on_close(release)
    return reply


def _content_type(asked_format: str | None) -> str:
    if asked_format is not None:
        return CSV if asked_format == "csv" else NDJSON
    return request.accept_mimetypes.best_match([NDJSON, CSV], NDJSON)


def _until_broken(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except Exception as error:  # noqa: BLE001  # whatever it is, what has left cannot be called back
        _log.warning("stream_broken", error=type(error).__name__, where=where(error))
        # The status has left: only a connection cut off tells the client that there was more.
        raise ConnectionAbortedError from None
