"""Structured logs: one JSON object a line on standard error, without persons.

Events name members, submissions, counts and codes. A processor stands last before the
renderer: whatever a caller, or a library that logs through Python's own `logging`, hands
in, it stars what looks like an identity number, a phone number, an account or a key, and
what stands under a name by which persons and secrets go, however deep. Of an error it
keeps its kind and where it came from, never its text, which may quote a record.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from huilian.core.errors import HuilianError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["configure", "redact", "where"]


FORBIDDEN_FIELDS: Final = frozenset(
    {
        "private_key",
        "password",
        "secret",
        "token",
        "authorization",
        "payload",
        "row",
        "url",
    }
)
"""Fields whose values are starred wherever they appear."""
_PERSONAL_FIELD: Final = re.compile("(?:^|_)(?:name|identity|phone|account)(?:_|$)")
"""So are those of fields whose names have one of these words, "borrower_name": no record is known here."""
STARS: Final = "***"
DEPTH: Final = 8
"""How deep a value may be nested; what lies deeper is not shown."""
FRAMES: Final = 12
"""How many of the frames an error passed through are shown, counted from where it arose."""

_SENSITIVE: Final = re.compile(
    r"""
    (?P<plain>                                  # digests and the names made of them, whose digits mean nothing
        (?<![0-9A-Za-z]) (?: (?=[0-9]*[a-f])[0-9a-f]{64} | [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} ) (?![0-9A-Za-z])
      | (?<=-[0-9]{8}-) (?=[0-9]*[a-f])[0-9a-f]{16} (?![0-9A-Za-z])
    )
  | -----BEGIN\ [A-Z0-9 ]+-----  (?: .*? -----END\ [A-Z0-9 ]+----- | .* )
  | (?<![0-9]) (?:
        [1-9][0-9]{16}[0-9Xx]                   # identity number
      | [1-9][0-9]{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}  # the same before 1999
      | (?:86|0)?1[3-9][0-9]{9}                 # mobile phone
      | [0-9]{16,}                              # bank card or account, or any of these run together
    ) (?![0-9])
    """,
    re.VERBOSE | re.DOTALL,
)


def where(error: BaseException) -> str:
    """Return the frames an error passed through and its kind, without its text, which may quote a record."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    lines = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    return " > ".join([*lines, type(error).__name__])


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Star forbidden fields and what looks personal in the others; show errors by kind and place only."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    clean: dict[str, Any] = {str(field): _clean_field(field, value, DEPTH) for field, value in event.items()}
    if isinstance(error, BaseException):
        clean["error"], clean["where"] = _kind(error), where(error)
    return clean


def _clean_field(field: object, value: object, depth: int) -> object:
    return STARS if isinstance(field, str) and _is_forbidden(field.lower()) else _clean(value, depth)


def _is_forbidden(field: str) -> bool:
    return field in FORBIDDEN_FIELDS or _PERSONAL_FIELD.search(field) is not None


def _clean(value: object, depth: int) -> object:
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return STARS if _SENSITIVE.search(str(value)) else value
    if isinstance(value, BaseException):
        return _kind(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{len(value)} bytes"
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return _clean_inside(value, depth - 1) if depth else STARS
    return _SENSITIVE.sub(_starred, str(value))


def _clean_inside(
    value: Mapping[object, object] | list[object] | tuple[object, ...] | set[object] | frozenset[object], depth: int
) -> object:
    if isinstance(value, Mapping):
        return {str(_clean(field, depth)): _clean_field(field, inner, depth) for field, inner in value.items()}
    return [_clean(inner, depth) for inner in value]


def _starred(found: re.Match[str]) -> str:
    return found["plain"] or STARS


def _kind(error: BaseException) -> str:
    return error.code if isinstance(error, HuilianError) else type(error).__name__


class _Bridge(logging.Handler):
    """Sends what libraries log through Python's `logging` the same way as our own events."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand one record over."""
        structlog.get_logger().log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)


def configure(*, level: str = "info", human: bool = False) -> None:
    """Send logs to standard error, as JSON lines, or in columns for people."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if human
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    if not any(isinstance(handler, _Bridge) for handler in root.handlers):
        root.addHandler(_Bridge())
    # Libraries say much at "info" that is of use to their authors only.
    root.setLevel(max(number, logging.WARNING))
