"""Insurance: an insurer's packages of policies, claims and period results.

A package says what happened since the last one and is no full list, so that nothing is
ever missing from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.registry import statements
from services.registry.domain import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.database import Transaction

__all__ = ["apply"]


def apply(transaction: Transaction, submission: dict[str, Any], tables: Mapping[str, str], application: int) -> Counts:
    """Apply a staged package as a whole; it publishes nothing."""
    changed = statements.apply(transaction, submission, tables, application)
    return Counts(changed, int(submission["manifest"]["accepted"]) - changed, 0)
