"""Receipts: how a submission is answered, and what stands of those that were."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Final

from huilian.county import audit
from huilian.county.submissions import entries
from huilian.county.submissions.kinds import Counts
from huilian.wire import catalogue
from huilian.wire.envelope import Draft

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from huilian.core.errors import FileRefused
    from huilian.county.submissions.kinds import Kind, Submission
    from huilian.database.connection import Transaction

__all__ = ["draft", "make", "note", "receipt", "submissions", "superseded_by", "tell"]

_TELLS_REFUSALS: Final = 4
"""The version of the contract that tells of single records."""


def make(manifest: Mapping[str, Any], counts: Counts | None, refusal: FileRefused | None = None) -> dict[str, Any]:
    """Return the receipt of a submission, as its contract has it.

    Args:
        manifest: the manifest as it came.
        counts: what applying it did, or None when it was refused.
        refusal: why it was refused.
    """
    answer = {field: manifest[field] for field in ("submission", "member", "kind", "as_of")}
    done = counts or Counts(0, 0, 0)
    refused = len({each.record for each in done.refused})
    return answer | {
        "status": "accepted" if counts else "refused",
        "rows": manifest["rows"],
        "accepted": manifest["accepted"] - refused if counts else 0,
        "rejected": manifest["rejected"] + refused if counts else manifest["rows"],
        "changed": done.changed,
        "unchanged": done.unchanged,
        "missing": done.missing,
        "code": refusal.code if refusal else None,
        "message": refusal.chinese if refusal else None,
        "file_sha256": manifest["file_sha256"],
    }


def draft(answer: Mapping[str, Any], manifest: Mapping[str, Any]) -> Draft:
    """Return the receipt under a contract that its sender knows: the oldest from that of the manifest's version on.

    One that refuses single records is of the version that can say so.
    """
    oldest = _TELLS_REFUSALS if "refusals" in answer else 2 if "file_sequence" in manifest else 1
    version = next(version for version in _versions(manifest["kind"]) if version >= oldest)
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return Draft("receipt", f"receipt/v{version}", answer["member"], body, submission=answer["submission"])


@functools.cache
def _versions(kind: str) -> list[int]:
    """Return the versions of the receipt that know a kind, the oldest first: those up to 2 list the kinds they know."""
    receipts = (each for each in catalogue.installed().contracts.values() if each.type == "receipt")
    return sorted(each.version for each in receipts if not each.schema(only=("kind",)).validate({"kind": kind}))


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return every receipt there is; holds off submissions until the transaction ends."""
    entries.hold_applications(transaction)
    statement = "SELECT receipt, manifest FROM huilian.submission WHERE receipt IS NOT NULL ORDER BY number"
    rows = transaction.rows(statement)
    return (draft(row["receipt"], row["manifest"]) for row in rows)


def note(transaction: Transaction, submission: Submission, answer: Mapping[str, Any], now: dt.datetime) -> None:
    """Enter what became of a submission into the audit log.

    Args:
        transaction: in which it was answered.
        submission: what was sent.
        answer: its receipt.
        now: the present moment.
    """
    counted = ("rows", "accepted", "rejected", "changed", "unchanged", "missing", "code", "file_sha256")
    stated = {
        "kind": submission.kind,
        "as_of": str(submission.as_of),
        "manifest_message": submission.manifest_message,
    }
    audit.append(
        transaction,
        now=now,
        actor=submission.member,
        action=f"submission.{answer['status']}",
        subject=submission.name,
        detail=stated | {field: answer[field] for field in counted},
    )


def receipt(transaction: Transaction, submission: str) -> dict[str, Any] | None:
    """Return the receipt of a submission, or None while it is not applied or not known."""
    return transaction.value("SELECT receipt FROM huilian.submission WHERE submission = %s", [submission])  # type: ignore[no-any-return]  # jsonb


def superseded_by(transaction: Transaction, submission: str, *, kinds: Mapping[str, Kind]) -> str | None:
    """Return the newest submission that has taken the place of an accepted one, or None while that stands.

    Of a full list or a journal that is another file of the same day and number, applied later. Where files of a day
    stand side by side, only one of whose records something else was stated since is superseded; see `Kind.standing`.
    """
    found = entries.find(transaction, submission)
    if found is None or found.status != "accepted":
        return None
    later: str | None = transaction.value(
        "SELECT submission FROM huilian.submission WHERE member = %(member)s AND kind = %(kind)s"
        " AND as_of = %(as_of)s AND coalesce(file_sequence, 0) = coalesce(%(file_sequence)s, 0)"
        " AND status = 'accepted' AND application > %(application)s ORDER BY application DESC LIMIT 1",
        found.facts,
    )
    standing = kinds[found.kind].standing if found.kind in kinds else None
    if later is None or standing is None or found.receipt is None:
        return later
    return later if standing(transaction, found) < found.receipt["accepted"] else None


def submissions(transaction: Transaction, *, member: str | None = None) -> list[dict[str, Any]]:
    """Return all submissions with their counts, newest first."""
    rows = transaction.rows(
        # Not the reasons why single records were refused: they may be many, and nobody asks for them here.
        "SELECT submission, member, kind, as_of::text, status, received_at, applied_at,"
        " receipt - 'refusals' AS receipt,"
        " manifest ->> 'file_name' AS file_name, (manifest ->> 'rows')::integer AS rows"
        " FROM huilian.submission WHERE %(member)s::text IS NULL OR member = %(member)s ORDER BY number DESC",
        {"member": member},
    )
    counts = ("accepted", "rejected", "changed", "unchanged", "missing", "code")
    return [row | {name: (row["receipt"] or {}).get(name) for name in counts} | {"receipt": None} for row in rows]
