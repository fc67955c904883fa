"""Kinds of submission: what both sides must know of each, the institution that sends it and the county that takes it.

The kernel names no kind. Packages bring theirs by the entry point group `huilian.submission_kinds`, each a callable
that returns a list of `SubmissionKind`. A declaration names contracts and loads none: every command may read it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PATTERN", "RecordType", "SubmissionKind", "installed", "is_full_list"]

GROUP: Final = "huilian.submission_kinds"
PATTERN: Final = "^[a-z_]+$"
"""How a kind may be called: names of submissions hold it."""


@dataclass(frozen=True)
class RecordType:
    """How the records of one type are held together within a submission.

    Args:
        key: the fields that name one record within its institution.
        totals: the amounts of it that a manifest must state.
        dated: the dates that cannot lie after the as-of date, each with the code that says so.
    """

    key: tuple[str, ...]
    totals: tuple[str, ...] = ()
    dated: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SubmissionKind:
    """A kind of submission.

    Args:
        name: as names of submissions and manifests have it.
        chinese: its name for people.
        records: by message type; records of the type that is called as the kind are the submission itself.
        is_full_list: whether it lists all there is: what one lacks is missing, and the next of its day replaces it.
        gone: the type of the records that name what is no longer there, where the kind may be told by its differences
            from the one before; they hold the key's only field.
    """

    name: str
    chinese: str
    records: Mapping[str, RecordType]
    is_full_list: bool = False
    gone: str | None = None


@functools.cache
def installed() -> dict[str, SubmissionKind]:
    """Return every kind that an installed package declares, by name.

    Raises:
        ConfigurationError: HL6006, two packages declare one.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415  # every command reads settings, few ask for kinds

    found: dict[str, SubmissionKind] = {}
    for point in entry_points(group=GROUP):
        for kind in point.load()():
            if kind.name in found:
                what = f"the kind of submission {kind.name} is declared twice"
                raise ConfigurationError("HL6006", file=point.value, what=what)
            found[kind.name] = kind
    return found


def is_full_list(kind: str) -> bool:
    """Return whether `kind` lists all there is; one that nobody declares any more does not."""
    declared = installed().get(kind)
    return declared is not None and declared.is_full_list
