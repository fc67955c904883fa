"""The registry's rules that need no database: kinds, counts, receipts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian import money
from huilian.errors import FileRefused
from schemas.guarantees import GuaranteeCompensationRecord, GuaranteeRecord, GuaranteeReleaseRecord
from schemas.insurance import ClaimRecord, PeriodResultRecord, PolicyRecord
from schemas.records import LoanGone, LoanLedgerRecord, RepaymentRecord, RosterRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from huilian.records.record import Record

__all__ = ["KINDS", "Counts", "Kind", "Part", "check_totals", "is_named_by", "kinds_with", "receipt"]


@dataclass(frozen=True)
class Part:
    """How the records of one type are known apart within a submission.

    Args:
        record: their schema.
        key: the fields that name one record within its institution.
        totals: the amounts of it that a manifest must state.
        dated: the dates that cannot lie after the as-of date, each with the code that says so.
    """

    record: type[Record]
    key: tuple[str, ...]
    totals: tuple[str, ...] = ()
    dated: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Kind:
    """What one kind of submission is made of.

    Args:
        parts: by type of record; one that is the submission itself is called as the kind is.
    """

    parts: Mapping[str, Part]

    def stated(self, message_type: str, field: str) -> str:
        """Return how manifest and errors call a field: by its type, too, where that is not the kind."""
        return field if message_type in KINDS else f"{message_type}.{field}"


KINDS: Final[dict[str, Kind]] = {
    "roster": Kind({"roster": Part(RosterRecord, ("household_no", "identity_number"))}),
    "loan_ledger": Kind(
        {
            "loan_ledger": Part(LoanLedgerRecord, ("loan_no",), ("principal", "balance"), (("start_date", "HL2018"),)),
            # Of a ledger told by its differences only; see `relative`.
            "loans_gone": Part(LoanGone, ("loan_no",)),
        }
    ),
    "repayment_journal": Kind(
        {
            "repayment_journal": Part(
                RepaymentRecord, ("transaction_no",), ("principal", "interest"), (("transaction_date", "HL2025"),)
            )
        }
    ),
    "guarantee_book": Kind(
        {
            # A contract may cover several loans, each with amounts of its own.
            "guarantees": Part(
                GuaranteeRecord,
                ("guarantee_no", "loan_no"),
                ("guaranteed_amount", "outstanding_amount"),
                (("start_date", "HL2018"),),
            ),
            "guarantee_compensations": Part(
                GuaranteeCompensationRecord,
                ("guarantee_no", "loan_no", "compensated_date"),
                ("principal", "interest"),
                (("compensated_date", "HL2025"),),
            ),
            "guarantee_releases": Part(
                GuaranteeReleaseRecord,
                ("guarantee_no", "loan_no", "released_date"),
                ("released_amount",),
                (("released_date", "HL2025"),),
            ),
        }
    ),
    "insurance_package": Kind(
        {
            # A package bears the day it was made. Policies are sold ahead; claims are of what has happened.
            "policies": Part(PolicyRecord, ("policy_no",), ("sum_insured", "premium")),
            "claims": Part(
                ClaimRecord, ("claim_no",), ("amount",), (("event_date", "HL2025"), ("paid_date", "HL2025"))
            ),
            "period_results": Part(PeriodResultRecord, ("period",)),
        }
    ),
}


@dataclass(frozen=True)
class Counts:
    """What applying a submission did, in records."""

    changed: int
    unchanged: int
    missing: int


def is_named_by(submission: str, member: str) -> bool:
    """Return whether a submission's name is one that `member` may give: member, kind, date and digest.

    The kind stands in it so that a member whose code begins another's cannot take that one's names.
    """
    return any(submission.startswith(f"{member}-{kind}-") for kind in KINDS)


def kinds_with(message_type: str) -> list[str]:
    """Return the kinds of submission that have records of this type."""
    return [name for name, kind in KINDS.items() if message_type in kind.parts]


def check_totals(manifest: dict[str, Any], rows: int, sums: dict[str, Decimal]) -> None:
    """Hold what was received to what the manifest states.

    Raises:
        FileRefused: HL3012, naming the first figure that differs.
    """
    found: dict[str, str] = {"accepted": str(rows)} | {field: money.text(amount) for field, amount in sums.items()}
    stated = {"accepted": str(manifest["accepted"])} | {field: manifest["totals"].get(field, "") for field in sums}
    for field, figure in found.items():
        if stated[field] != figure:
            raise FileRefused(
                "HL3012", submission=manifest["submission"], field=field, stated=stated[field] or "-", found=figure
            )


def receipt(manifest: dict[str, Any], counts: Counts | None, refusal: FileRefused | None = None) -> dict[str, Any]:
    """Return the receipt of a submission, as its contract has it.

    Args:
        manifest: the manifest as it came.
        counts: what applying it did, or None when it was refused.
        refusal: why it was refused.
    """
    answer = {field: manifest[field] for field in ("submission", "member", "kind", "as_of")}
    done = counts or Counts(0, 0, 0)
    return answer | {
        "status": "accepted" if counts else "refused",
        "rows": manifest["rows"],
        "accepted": manifest["accepted"] if counts else 0,
        "rejected": manifest["rejected"] if counts else manifest["rows"],
        "changed": done.changed,
        "unchanged": done.unchanged,
        "missing": done.missing,
        "code": refusal.code if refusal else None,
        "message": refusal.chinese if refusal else None,
        "file_sha256": manifest["file_sha256"],
    }
