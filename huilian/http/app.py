"""The application: every section put together, for one open office."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response

from huilian.http import (
    access_log,
    differences,
    errors,
    feed,
    key_announcements,
    messages,
    operations,
    outgoing,
    platform_keys,
    receipts,
    scoreboard,
    statistics,
    submissions,
)
from huilian.http.answers import Error
from huilian.http.endpoints import SECURITY_SCHEME
from huilian.http.interface import EXTENSION, QUERIES, Interface
from huilian.http.metrics import Metrics
from huilian.http_names import PREFIX
from huilian.service import query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import marshmallow as ma
    from werkzeug.exceptions import HTTPException

    from huilian.office import Office

__all__ = ["create_app", "specification"]

API_VERSION: Final = "1"
"""The version in every path. It changes when what was agreed on no longer holds."""
SECTIONS: Final = (
    messages,
    key_announcements,
    platform_keys,
    receipts,
    outgoing,
    submissions,
    feed,
    statistics,
    scoreboard,
    differences,
    operations,
)
CONFIGURATION: Final = {
    "API_TITLE": "惠联 Huilian",
    "API_VERSION": API_VERSION,
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": PREFIX,
    "OPENAPI_JSON_PATH": "openapi.json",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": "脱贫人口小额信贷数据交换接口。 Sealed messages in; receipts, loans and figures out. "
            "Money is decimal strings in yuan, ratios decimal strings, dates ISO 8601."
        }
    },
}


class _Api(flask_smorest.Api):  # type: ignore[misc]  # the package has no types
    """The API with our own errors in place of the framework's."""

    ERROR_SCHEMA = Error

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer what the framework refuses."""
        return errors.http_error_reply(error)

    def _register_pagination_header(self) -> None:
        """Leave the framework's pagination out of the document: nothing here comes in pages."""


def create_app(office: Office, checks: Mapping[str, Callable[[], None]] | None = None) -> Flask:
    """Return the WSGI application of an open office.

    Args:
        office: the open data directory.
        checks: what must hold, besides the database, for `/readyz`: by name, functions that
            raise when it does not.

    Raises:
        ConfigurationError: HL6006, no installed service answers what the interface asks;
            HL6009 and others, the office's processor cannot be made.
    """
    app, _ = _assemble()
    queries = {name: query(name) for name in QUERIES}
    _ = office.processor  # a missing key or policy must fail here, not at the first message
    app.extensions[EXTENSION] = Interface(office, dict(checks or {}), Metrics(office, queries), queries)
    access_log.register(app)
    return app


def specification() -> dict[str, Any]:
    """Return the OpenAPI document; it needs no office."""
    _, api = _assemble()
    document: dict[str, Any] = api.spec.to_dict()
    return {"openapi": document.pop("openapi"), **document}


def _assemble() -> tuple[Flask, _Api]:
    app = Flask("huilian.http", static_folder=None)
    app.config.update(CONFIGURATION)
    plugin = MarshmallowPlugin()
    api = _Api(app, spec_kwargs={"marshmallow_plugin": plugin})
    if plugin.converter is not None:  # it is, once the API took the plugin in
        plugin.converter.add_attribute_function(_own_description)  # type: ignore[no-untyped-call]  # apispec's own
    api.spec.components.security_scheme(SECURITY_SCHEME, {"type": "http", "scheme": "bearer"})
    for section in SECTIONS:
        api.register_blueprint(section.section().blueprint)
    errors.register(app)
    return app, api


def _own_description(_: object, field: ma.fields.Field[Any], **__: object) -> dict[str, Any]:
    """Return what a contract's field says of itself: contracts bring their own kinds of value."""
    describe = getattr(field, "json_schema", None)
    if describe is None:
        return {}
    described: dict[str, Any] = describe()
    if "zh" in field.metadata:
        described["x-zh"] = field.metadata["zh"]
    if field.allow_none:
        described["type"] = [described["type"], "null"]
        if "enum" in described:
            described["enum"] = [*described["enum"], None]
    return described
