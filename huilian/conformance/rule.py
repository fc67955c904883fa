"""What a rule is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from huilian.conformance.results import Finding, Note
    from huilian.conformance.subject import Subject

__all__ = ["DoesNotApplyError", "Rule"]


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
