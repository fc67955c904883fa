"""What a rule is, what it looks at, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.conformance import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings
    from huilian.conformance.samples import Sample, Samples
    from huilian.conformance.worker import Bench
    from huilian.wire.catalogue import Catalogue

__all__ = [
    "DONE",
    "EXEMPT",
    "FAILED",
    "SAMPLE_COUNTY",
    "DoesNotApplyError",
    "Finding",
    "Note",
    "Report",
    "Result",
    "Rule",
    "Subject",
]


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


class DoesNotApplyError(Exception):
    """A rule has nothing to look at: its reason stands in the report.

    Args:
        reason: in Chinese and English.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Rule:
    """One rule.

    Args:
        name: by which an adapter may declare itself exempt.
        chinese: its name for people.
        english: what it holds an adapter to, in one sentence.
        examine: yields what is wrong, and notes on how it looked; raises `DoesNotApplyError` where there is nothing
            to look at.
        reading: whether it is about files that are read: it does not apply to an adapter that only writes.
        always: whether no adapter can be exempt.
    """

    name: str
    chinese: str
    english: str
    examine: Callable[[Subject], Iterator[Finding | Note]]
    reading: bool = True
    always: bool = False


SAMPLE_COUNTY: Final = "341599"
"""The fictitious county that samples are of, unless another is named."""


@dataclass(frozen=True)
class Subject:
    """An adapter under examination.

    Args:
        adapter: the adapter.
        origin: its entry point's value, "adapters.rural_commercial_bank:adapter".
        catalogue: the contracts there are.
        settings: what it is told.
        samples: what its package carries.
        files: what was named beside them.
        bench: where files are translated.
        folder: for files made on the way.
        exemptable: the names of the rules that an adapter may be exempt from.
    """

    adapter: Adapter
    origin: str
    catalogue: Catalogue
    settings: AdapterSettings
    samples: Samples
    files: tuple[Sample, ...]
    bench: Bench
    folder: Path
    exemptable: frozenset[str]

    def incoming(self) -> Iterator[Sample]:
        """Yield samples and files of what the adapter reads; those of what it writes are not read."""
        written = set(self.adapter.writes.values())
        yield from (sample for sample in (*self.samples.good, *self.files) if sample.name not in written)

    def damaged(self) -> Iterator[tuple[Sample, str]]:
        """Yield what is small enough to be tried in hundreds of damaged forms, with its kind."""
        for sample in self.incoming():
            identity = self.adapter.recognise(sample.name)
            if identity is not None and len(sample.data) <= samples.LARGEST_DAMAGED:
                yield sample, identity.kind
