"""Records as a file brings them: read one by one, and every fault of one told at once, by field and code.

A file of records is NDJSON, one record a line, or one JSON document: an object, or an array of objects.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.core import strict_json
from huilian.core.errors import FileRefused, UsageError
from huilian.core.files import explain
from huilian.wire.envelope import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["NO_RECORD", "RecordFile", "breaches", "in_order"]


NO_RECORD: Final = "HL3062"
"""What stands there is no JSON object."""
DOCUMENT_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a JSON document, which can only be read whole; NDJSON may be of any size."""
_MARK: Final = b"\xef\xbb\xbf"
"""What some editors put before UTF-8."""


class RecordFile:
    """A file of records, read once and line by line; memory does not grow with NDJSON.

    Args:
        path: the file, UTF-8.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of what was read of the file."""
        return self._digest.hexdigest()

    def records(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Yield (place, record); None where there stands something else than one JSON object.

        The place is the line in NDJSON, blank ones counted, and the number of the element in an array.

        Raises:
            UsageError: HL3010, the file cannot be read.
            FileRefused: HL3016, a line goes on for megabytes; HL3065, a JSON document is too large.
        """
        try:
            with self.path.open("rb") as stream:
                yield from self._document(stream) if _is_document(stream) else self._lines(stream)
        except OSError as error:
            raise UsageError("HL3010", file=self.path, what=explain(error)) from error

    def _lines(self, stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | None]]:
        number = 0
        while line := stream.readline(BODY_LIMIT + 1):
            number += 1
            if len(line) > BODY_LIMIT:
                raise FileRefused("HL3016", file=self.path.name, line=number, limit=BODY_LIMIT)
            self._digest.update(line)
            text = line.removeprefix(_MARK) if number == 1 else line
            if text.strip():
                yield number, _object(_parsed(text))

    def _document(self, stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | None]]:
        content = stream.read(DOCUMENT_LIMIT + 1)
        if len(content) > DOCUMENT_LIMIT:
            raise FileRefused("HL3065", file=self.path.name, limit=DOCUMENT_LIMIT)
        self._digest.update(content)
        document = _parsed(content.removeprefix(_MARK))
        for number, element in enumerate(document if isinstance(document, list) else [document], start=1):
            yield number, _object(element)


def _is_document(stream: BinaryIO) -> bool:
    """Return whether it begins like an array, or like an object that is spread over lines; stay at its beginning."""
    begins = stream.readline(BODY_LIMIT).removeprefix(_MARK)
    while begins and not begins.strip():
        begins = stream.readline(BODY_LIMIT)
    stream.seek(0)
    return begins.lstrip().startswith(b"[") or begins.strip() == b"{"


def _object(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _parsed(content: bytes) -> object:
    """Return what JSON says, exactly: no member twice, no NaN, no half of a character; None where it is no JSON."""
    try:
        found: object = strict_json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found


_FIELD: Final = re.compile(r"[a-z_]{1,40}", re.ASCII)
_REGION: Final = "region"
_NAME: Final = re.compile(r"[.\[]")
"""What ends a field's name where something in it is at fault."""
_CODES: Final = {
    ma.Schema().error_messages["unknown"]: "HL3063",
    ma.fields.Field.default_error_messages["required"]: "HL2001",
    ma.fields.Field.default_error_messages["null"]: "HL2001",
}
"""Codes of what marshmallow says itself: of our own kinds of value every text begins with its code."""
_CODE: Final = re.compile(r"HL[0-9]{4}", re.ASCII)


def breaches(schema: ma.Schema, record: Mapping[str, Any], county: str | None = None) -> list[tuple[str, str]]:
    """Return field and code of everything that is wrong with a record, in the contract's order.

    Nothing of the record is repeated. What is nested is called "members[0].share"; an error of the whole record has the
    empty field. Fields that the contract does not know come last, by name.

    Args:
        schema: of the contract.
        record: as JSON has it.
        county: six digits, where they are known: a region outside is wrong, as nobody there would see the record.
    """
    found: list[tuple[str, str]] = []
    try:
        schema.load(record)
    except ma.ValidationError as error:
        found += _breaches(error.messages_dict)
    region = record.get(_REGION)
    outside = county is not None and isinstance(region, str) and not region.startswith(county)
    if outside and _REGION in schema.fields and all(field != _REGION for field, _ in found):
        found.append((_REGION, "HL2009"))
    return in_order(schema, found)


def _breaches(found: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield field and code of each error."""
    if isinstance(found, dict):
        for name, inner in found.items():
            if isinstance(name, int):
                yield from _breaches(inner, f"{place}[{name}]")
            elif name == ma.exceptions.SCHEMA:
                yield from _breaches(inner, place)
            else:
                # An unknown field may be called anything.
                shown = name if _FIELD.fullmatch(name) else "?"
                yield from _breaches(inner, f"{place}.{shown}" if place else shown)
        return
    for text in found if isinstance(found, list) else [found]:
        stated = _CODE.match(str(text))
        yield place, stated[0] if stated else _CODES.get(str(text), "HL2023")


def in_order(schema: ma.Schema, found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return faults by field, in the contract's order; unknown fields come last, by name."""
    order = {field: place for place, field in enumerate(schema.fields)}

    def key(fault: tuple[str, str]) -> tuple[int, str]:
        name = _NAME.split(fault[0], maxsplit=1)[0]
        return order.get(name, len(order)), "" if name in order else name

    return sorted(found, key=key)
