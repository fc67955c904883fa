"""What came of a rule, and of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["DONE", "EXEMPT", "FAILED", "Finding", "Note", "Report", "Result"]

DONE: Final = "done"
FAILED: Final = "failed"
EXEMPT: Final = "exempt"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:
        where: the sample, the contract or the hook; with the place in it where there is one.
        what: what is wrong there, in Chinese and English.
    """

    where: str
    what: str


@dataclass(frozen=True)
class Note:
    """What a rule says of how it looked, whatever it found.

    Args:
        where: the sample.
        what: what was done with it, in Chinese and English.
    """

    where: str
    what: str


@dataclass(frozen=True)
class Result:
    """What came of one rule.

    Args:
        rule: its name.
        chinese: its name for people.
        status: `DONE`, `FAILED` or `EXEMPT`.
        cases: how many files or records were tried.
        findings: what is wrong, where it failed.
        reason: why it is exempt.
        notes: how the rule looked, where it has something to say of that.
    """

    rule: str
    chinese: str
    status: str
    cases: int = 0
    findings: tuple[Finding, ...] = ()
    reason: str | None = None
    notes: tuple[Note, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {
            "rule": self.rule,
            "chinese": self.chinese,
            "status": self.status,
            "cases": self.cases,
            "findings": [{"where": finding.where, "what": finding.what} for finding in self.findings],
            "reason": self.reason,
            "notes": [{"where": note.where, "what": note.what} for note in self.notes],
        }


@dataclass(frozen=True)
class Report:
    """What came of all rules for one adapter."""

    adapter: str
    version: str
    results: tuple[Result, ...]

    @property
    def conforms(self) -> bool:
        """Return whether no rule failed."""
        return all(result.status != FAILED for result in self.results)

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        results = [result.as_json() for result in self.results]
        return {"adapter": self.adapter, "version": self.version, "conforms": self.conforms, "rules": results}
