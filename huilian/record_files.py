"""Canonical records in a file: NDJSON, one record a line; or one JSON document, an object or an array of them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from huilian.core import strict_json
from huilian.envelope import BODY_LIMIT
from huilian.errors import FileRefused, UsageError
from huilian.system_errors import why

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["RecordFile"]

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
            raise UsageError("HL3010", file=self.path, what=why(error)) from error

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
