"""Another county server, asked over HTTP for what its queries answer."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from huilian.http_names import CURSOR_HEADER, NOT_TAKEN_HEADER
from huilian.institution.transports.http import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

__all__ = ["Lines", "Reader"]


@dataclass(frozen=True)
class Lines:
    """An answer of many rows while it comes in.

    Args:
        cursor: what to give as `since` the next time, once every line is read; None where
            the answer has no cursor.
        lines: its lines, without their ends.
        not_taken: what of the files it rests on was not taken.
    """

    cursor: str | None
    lines: Iterator[str]
    not_taken: list[dict[str, Any]] = field(default_factory=list)


class Reader:
    """What can be read from a county's server.

    Args:
        url: `https://host[:port][/prefix]`; plain `http://` to this machine only.
        token: a reading token; what it may read is what is answered.
        ca_file: certificates to trust besides the usual ones.

    Every method raises `AccessDenied` for what the token may not read, `UsageError` for
    what makes no sense, and `HostUnavailable` when the server is away.
    """

    def __init__(self, url: str, token: str | None, ca_file: Path | None = None) -> None:
        self._client = Client(url, token, ca_file=ca_file)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, address: str, **given: str | None) -> Any:  # noqa: ANN401  # whatever the document holds
        """Return the document at an address: `ask("statistics", month="2024-05")`."""
        return self._client.ask("GET", f"/{address}", query=given).json()

    @contextlib.contextmanager
    def rows(self, address: str, **given: str | None) -> Iterator[Lines]:
        """Give the rows at an address line by line: `rows("feed/loans", region="341599")`."""
        with self._client.stream(f"/{address}", given) as answer:
            left = json.loads(answer.headers.get(NOT_TAKEN_HEADER, "[]"))
            yield Lines(answer.headers.get(CURSOR_HEADER), _lines(answer), left)


def _lines(answer: httpx.Response) -> Iterator[str]:
    """Yield lines as they end by a line feed only: a value may hold what else is taken for a line's end."""
    rest = b""
    for chunk in answer.iter_bytes():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode()
    if rest:
        yield rest.decode()
