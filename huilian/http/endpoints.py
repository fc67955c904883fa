"""How addresses are registered: flask-smorest behind a typed face.

An address is a function, the schema of its query and the answers it may give. Its
docstring is its description in the OpenAPI document: the first line sums it up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import flask_smorest
import marshmallow as ma
from flask import Response
from webargs.flaskparser import FlaskParser

from huilian.core.errors import UsageError
from huilian.http import interface
from huilian.wire.names import PREFIX

__all__ = ["JSON", "SECURITY_SCHEME", "Answer", "Section", "as_json"]

JSON: Final = "application/json"
SECURITY_SCHEME: Final = "token"
ECHOED_CHARACTERS: Final = 40
"""How much of a parameter's name an error repeats."""

View = Callable[..., Response]


def as_json(value: object, status: int = 200) -> Response:
    """Return `value` as a JSON answer: UTF-8 as it is written, compact."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status, mimetype=JSON)


class _QueryParser(FlaskParser):
    """Reads query strings strictly: a misspelt parameter is refused, not ignored."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": ma.RAISE}

    def handle_error(self, error: ma.ValidationError, *_: object, **__: object) -> NoReturn:
        """Tell of the first parameter that is wrong."""
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]  # marshmallow's own
        name, found = next(iter(messages["query"].items()))
        what = found[0] if isinstance(found, list) else str(found)
        raise UsageError("HL7011", name=str(name)[:ECHOED_CHARACTERS], what=what)


class _Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # the package has no types
    ARGUMENTS_PARSER = _QueryParser()


@dataclass(frozen=True)
class Answer:
    """One answer an address may give, for the OpenAPI document.

    Args:
        status: the HTTP status.
        description: when it is given.
        schema: what is in it; None when it is not an object of ours.
        content_type: its media type.
        headers: OpenAPI header objects by name.
    """

    status: int
    description: str
    schema: type[ma.Schema] | Mapping[str, Any] | None = None
    content_type: str = JSON
    headers: Mapping[str, Any] = field(default_factory=dict)


class Section:
    """Addresses that belong together.

    Args:
        name: their tag in the OpenAPI document.
        description: what they are for.
        prefix: what their paths begin with.
        needs_token: whether every one of them needs a reading token.
    """

    def __init__(self, name: str, description: str, *, prefix: str = PREFIX, needs_token: bool = True) -> None:
        self.blueprint = _Blueprint(name, __name__, description=description, url_prefix=prefix)
        self._security: list[dict[str, list[str]]] = [{SECURITY_SCHEME: []}] if needs_token else []
        if needs_token:
            self.blueprint.before_request(interface.authenticate)

    def get(
        self,
        rule: str,
        view: View,
        *answers: Answer,
        query: type[ma.Schema] | None = None,
        headers: type[ma.Schema] | None = None,
        **described: object,
    ) -> None:
        """Register an address that is read; `described` goes into its OpenAPI description as it is.

        The view is called with what `query` finds in the query string, then with what `headers` finds in the headers.
        """
        if headers is not None:
            view = self.blueprint.arguments(headers, location="headers")(view)
        if query is not None:
            view = self.blueprint.arguments(query, location="query")(view)
        self._register("GET", rule, view, answers, described)

    def post(self, rule: str, view: View, *answers: Answer, **described: object) -> None:
        """Register an address that is written to; `described` goes into its OpenAPI description as it is."""
        self._register("POST", rule, view, answers, described)

    def _register(
        self, method: str, rule: str, view: View, answers: Sequence[Answer], described: Mapping[str, object]
    ) -> None:
        for answer in answers:
            view = self.blueprint.alt_response(
                answer.status,
                schema=answer.schema,
                description=answer.description,
                content_type=answer.content_type,
                headers=dict(answer.headers) or None,
                success=answer.status < _QueryParser.DEFAULT_VALIDATION_STATUS,
            )(view)
        view = self.blueprint.doc(**{"security": self._security, **described})(view)
        self.blueprint.route(rule, methods=[method])(view)
