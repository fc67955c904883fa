"""What a submission is held to before any of it is applied: its manifest's totals, its keys, and what stood before.

Full lists list all there is. One that lacks more than a share of what stood (10 %, assumed; a setting by kind) is a
damaged or partial file, unless its sender says how many records may be missing. A record that the file has, but that
was rejected, is not missing: it is told as rejected.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from huilian.core import money
from huilian.core.error_texts import LACKS_TOO_MUCH
from huilian.core.errors import FileRefused
from huilian.database.connection import quote
from huilian.settings import MISSING_AT_MOST_PERCENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.county.submissions.kinds import Kind, Part, Records, Submission
    from huilian.database.connection import Transaction

__all__ = ["check"]


def check(
    transaction: Transaction, submission: Submission, kind: Kind, records: Records, percent: Mapping[str, int]
) -> None:
    """Hold a submission to its manifest, and a full list to what stood.

    Args:
        transaction: nothing of the submission is applied in it yet; its rejections are kept.
        submission: what was sent.
        kind: of the submission.
        records: all of them.
        percent: by kind, how much of what stood a full list may lack; of others, the default.

    Raises:
        FileRefused: HL3012, a total differs; HL3013, a key appears twice; HL3066, too much is missing; or the code of
            a date that lies after the as-of date.
        MessageRefused: HL1021, what is told by differences contradicts itself or its base.
    """
    if submission.is_single:
        # Its manifest was made of it: only its dates are its sender's own.
        for message_type, part in kind.parts.items():
            for record in records.frames(message_type):
                for field, code in part.dated:
                    if (record.item(0, field) or submission.as_of) > submission.as_of:
                        raise FileRefused(code)
        return
    _check_manifest(transaction, submission, kind, records)
    _check_shortfall(transaction, submission, kind, records, percent)


def _check_manifest(transaction: Transaction, submission: Submission, kind: Kind, records: Records) -> None:
    rows = 0
    totals: dict[str, Decimal] = {}
    repeated: list[str] = []
    for message_type, part in kind.parts.items():
        found, keys, sums = _figures(transaction, records.table(message_type), part)
        rows += found
        totals |= {kind.stated(message_type, field): amount for field, amount in sums.items()}
        if keys != found:
            repeated += [kind.stated(message_type, field) for field in part.key]
    if submission.base and kind.whole:
        rows, whole = kind.whole(transaction, submission, records)
        totals = dict(whole)
    _check_totals(submission, rows, totals)
    for message_type, part in kind.parts.items():
        if not part.dated:
            continue
        latest = ", ".join(f"max({quote(field)}) AS {quote(field)}" for field, _ in part.dated)
        newest = transaction.row(f"SELECT {latest} FROM {records.table(message_type)}") or {}
        for field, code in part.dated:
            if (newest[field] or submission.as_of) > submission.as_of:
                raise FileRefused(code)
    if repeated:
        raise FileRefused("HL3013", submission=submission.name, field=", ".join(repeated))


def _check_shortfall(
    transaction: Transaction, submission: Submission, kind: Kind, records: Records, percent: Mapping[str, int]
) -> None:
    if kind.shortfall is None or _was_accepted(transaction, submission):
        return
    found = kind.shortfall(transaction, submission, records)
    allowed = submission.manifest.get("allow_missing") or 0
    share = percent.get(kind.name, MISSING_AT_MOST_PERCENT)
    if found.missing > allowed and found.missing * 100 > found.stood * share:
        facts = {"stood": found.stood, "missing": found.missing, "percent": share, "allowed": allowed}
        raise FileRefused(LACKS_TOO_MUCH, **facts)


def _was_accepted(transaction: Transaction, submission: Submission) -> bool:
    """Return whether the same file was accepted before: sent again, it is held against nothing that came after it."""
    known = transaction.value(
        "SELECT true FROM huilian.submission WHERE member = %(member)s AND kind = %(kind)s AND as_of = %(as_of)s"
        " AND status = 'accepted' AND number <> %(number)s AND manifest ->> 'file_sha256' = %(sha256)s LIMIT 1",
        submission.facts | {"sha256": submission.manifest["file_sha256"]},
    )
    return bool(known)


def _figures(transaction: Transaction, table: str, part: Part) -> tuple[int, int, dict[str, Decimal]]:
    """Return how many rows a table has, how many keys, and the sums of its amounts."""
    sums = "".join(f", coalesce(sum({quote(field)}), 0) AS {quote(field)}" for field in part.totals)
    key = ", ".join(quote(field) for field in part.key)
    row = transaction.row(f"SELECT count(*) AS rows, count(DISTINCT ({key})) AS keys{sums} FROM {table}")
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    found, keys = int(row.pop("rows")), int(row.pop("keys"))
    return found, keys, {field: Decimal(amount).quantize(money.FEN) for field, amount in row.items()}


def _check_totals(submission: Submission, rows: int, sums: Mapping[str, Decimal]) -> None:
    """Hold what was received to what the manifest states.

    Raises:
        FileRefused: HL3012, naming the first figure that differs.
    """
    totals: Mapping[str, Any] = submission.manifest["totals"]
    found = {"accepted": str(rows)} | {field: money.text(amount) for field, amount in sums.items()}
    stated = {"accepted": str(submission.accepted)} | {field: totals.get(field, "") for field in sums}
    for field, figure in found.items():
        if stated[field] != figure:
            raise FileRefused(
                "HL3012", submission=submission.name, field=field, stated=stated[field] or "-", found=figure
            )
