"""What came of translating one file, as the worker tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Outcome", "Place"]

Place = tuple[str, int]
"""(message type, line): what a record is known by."""


@dataclass(frozen=True)
class Outcome:
    """What came of one file.

    Args:
        recognised: whether its name was one of the adapter's.
        refused: the code by which the whole file was refused.
        refusal: the text of that.
        rows: data rows in all pieces.
        accepted: accepted rows.
        records: the accepted records by type and line, where they were asked for.
        errors: (line, field, code) of every rejection.
        faults: where pieces break the API's rules, or records their contract.
        digest: over all that came of it, the returned file included.
        peak: memory of the process at its highest so far, in bytes.
        broken: what ended it otherwise: another error, a process that died, or time that ran out.
    """

    recognised: bool = True
    refused: str | None = None
    refusal: str = ""
    rows: int = 0
    accepted: int = 0
    records: dict[Place, dict[str, Any]] = field(default_factory=dict)
    errors: frozenset[tuple[int, str, str]] = frozenset()
    faults: tuple[str, ...] = ()
    digest: str = ""
    peak: int = 0
    broken: str | None = None

    @staticmethod
    def of_json(answer: dict[str, Any]) -> Outcome:
        """Return the outcome in a worker's answer."""
        records = {(kind, record["line"]): record for kind, record in answer.pop("records", ())}
        errors = frozenset((line, name, code) for line, name, code in answer.pop("errors", ()))
        faults = tuple(answer.pop("faults", ()))
        return Outcome(records=records, errors=errors, faults=faults, **answer)

    def lines(self) -> frozenset[int]:
        """Return the lines that were rejected."""
        return frozenset(line for line, _, _ in self.errors)

    def wrong(self) -> str | None:
        """Return what must not be with any file, however damaged, or None."""
        return self.broken or (self.faults[0] if self.faults else None)
