"""What a member may see of households: the roster of the villages a bank serves, its customers, and who consented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.registry.parties.periods import HOLDS
from services.registry.parties.service_areas import lead_bank

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database.connection import Transaction

__all__ = ["KNOWN", "SCOPE_OF_KIND", "SERVED", "is_disclosed"]

SCOPE_OF_KIND: Final = {
    "bank": "share_with_bank",
    "guarantor": "share_with_guarantor",
    "insurer": "share_with_insurer",
}
"""What a household consents to, so that members of a kind may see all that the roster has of it."""
_KINDS: Final = " ".join(f"WHEN '{kind}' THEN '{scope}'" for kind, scope in SCOPE_OF_KIND.items())
KNOWN: Final = f"""
    SELECT l.household_no FROM registry.loan l WHERE l.institution = %(institution)s AND l.household_no IS NOT NULL
  UNION
    SELECT c.household_no FROM registry.consent c JOIN huilian.member m ON m.code = %(institution)s
    WHERE CASE m.kind {_KINDS} END = ANY(c.scope) AND (c.institution IS NULL OR c.institution = m.code)
      AND {HOLDS.format("c", "%(today)s::date")}
"""
"""SQL for the households that `%(institution)s` sees whole `%(today)s`: who has a loan there, and who consented."""
SERVED: Final = f"""
    SELECT v.region FROM (SELECT DISTINCT region FROM registry.household) v
    WHERE {lead_bank("v.region", "%(today)s::date")} = %(institution)s
"""
"""SQL for the villages that `%(institution)s` serves `%(today)s`: it sees who is on their roster, and no more."""


def is_disclosed(transaction: Transaction, household: str, institution: str, today: dt.date) -> bool:
    """Return whether a member may see that a household is on the roster.

    Args:
        transaction: in which it is read.
        household: its number.
        institution: the member's code.
        today: the day on which consents and service areas must hold.
    """
    return bool(
        transaction.value(
            f"SELECT EXISTS (SELECT FROM ({KNOWN}) k WHERE k.household_no = %(household)s)"
            " OR EXISTS (SELECT FROM registry.household h WHERE h.household_no = %(household)s"
            f" AND {lead_bank('h.region', '%(today)s::date')} = %(institution)s)",
            {"household": household, "institution": institution, "today": today},
        )
    )
