"""The registry's rules that need no database: kinds, counts, receipts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian import money
from huilian.errors import FileRefused
from schemas.records import LoanLedgerRecord, Record, RepaymentRecord, RosterRecord

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["KINDS", "Counts", "Kind", "check_totals", "is_named_by", "receipt"]


@dataclass(frozen=True)
class Kind:
    """How the records of one kind of submission are known apart.

    Args:
        record: their schema.
        key: the fields that name one record within its institution.
        totals: the amounts a manifest must state.
        dated: a date that cannot lie after the as-of date, and the code that says so.
    """

    record: type[Record]
    key: tuple[str, ...]
    totals: tuple[str, ...]
    dated: tuple[str, str] | None = None


KINDS: Final[dict[str, Kind]] = {
    "roster": Kind(RosterRecord, ("household_no", "identity_number"), ()),
    "loan_ledger": Kind(LoanLedgerRecord, ("loan_no",), ("principal", "balance"), ("start_date", "HL2018")),
    "repayment_journal": Kind(
        RepaymentRecord, ("transaction_no",), ("principal", "interest"), ("transaction_date", "HL2025")
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
