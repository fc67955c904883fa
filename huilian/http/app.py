"""The application: every section put together, for one open office."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response

from huilian.http import errors, messages, operations, queries
from huilian.http.answers import Error
from huilian.http.endpoints import SECURITY_SCHEME
from huilian.http.interface import EXTENSION, Interface
from huilian.http.metrics import Metrics
from huilian.wire.names import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import marshmallow as ma
    from werkzeug.exceptions import HTTPException

    from huilian.county.office import Office

__all__ = ["create_app", "specification"]

API_VERSION: Final = "1"
"""The version in every path. It changes when what was agreed on no longer holds."""
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
        ConfigurationError: HL6006, a service declares what cannot be; HL6009 and others, the office's processor
            cannot be made.
    """
    app, _ = _assemble()
    _ = office.processor  # a missing key or policy must fail here, not at the first message
    app.extensions[EXTENSION] = Interface(office, dict(checks or {}), Metrics(office))
    operations.log_requests(app)
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
    sections = [
        messages.messages_section(),
        *messages.sections(),
        messages.receipts_section(),
        messages.outgoing_section(),
    ]
    for section in (*sections, *queries.sections(), operations.section()):
        api.register_blueprint(section.blueprint)
    errors.register(app)
    return app, api


def _own_description(_: object, field: ma.fields.Field[Any], **__: object) -> dict[str, Any]:
    """Return a field's Chinese name, and of a contract's own kind of value what it says of itself."""
    described: dict[str, Any] = getattr(field, "json_schema", dict)()
    if "zh" in field.metadata:
        described["x-zh"] = field.metadata["zh"]
    if field.allow_none and "type" in described:
        described["type"] = [described["type"], "null"]
        if "enum" in described:
            described["enum"] = [*described["enum"], None]
    return described
