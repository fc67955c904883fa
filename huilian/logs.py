"""Structured logs: one JSON object a line on standard error, without persons.

Events name members, submissions, counts and codes. A processor stands last in the chain
and stars whatever looks like an identity number, a phone number or a key, and drops
fields by which persons are named, should a caller ever hand one in.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

__all__ = ["configure", "redact"]

FORBIDDEN_FIELDS: Final = frozenset(
    {"name", "borrower_name", "person_name", "head_name", "identity_number", "phone", "account", "account_last_four",
     "private_key", "password", "token", "payload", "row", "url"}
)
"""Fields that are dropped wherever they appear."""
_PERSONAL: Final = re.compile(r"(?<![0-9A-Za-z])(?:[1-9][0-9]{16}[0-9Xx]|1[3-9][0-9]{9}|[0-9]{16,19})(?![0-9A-Za-z])")
_KEY: Final = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop forbidden fields and star what looks personal in the others."""
    for field in FORBIDDEN_FIELDS & set(event):
        event[field] = "***"
    for field, value in event.items():
        if isinstance(value, str):
            event[field] = _KEY.sub("***", _PERSONAL.sub("***", value))
    return event


def configure(*, level: str = "info", human: bool = False) -> None:
    """Send logs to standard error, as JSON lines, or in columns for people."""
    renderer: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if human else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
