"""What figures rest on (对账): how much of what institutions' files state of themselves was taken, and how much not.

A file ends with its own control totals, rejected rows included. Held against them, the figures of a month can be
compared with the institution's paper: "534,500.00 of the bank's 538,500.00; 4 rows with 4,000.00 not taken".

Of each institution and kind the newest date within reach counts, and of that date every file number. Of several files
of one number the last is what the institution says; a smaller one that came after some rows were rejected, and has no
more rows than those, brings these rows, mended, and is added to it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.clock import first_day, last_day
from huilian.county.members import directory

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from huilian.county.submissions.kinds import Kind
    from huilian.database.connection import Transaction

__all__ = ["reconciliation"]

_FILES: Final = """
    SELECT s.member, s.kind, s.as_of, coalesce(s.file_sequence, 0) AS file_sequence, s.manifest,
           s.receipt - 'refusals' AS receipt
    FROM huilian.submission s
    JOIN (SELECT member, kind, max(as_of) AS as_of FROM huilian.submission
          WHERE status = 'accepted' AND as_of <= %(until)s AND (%(since)s::date IS NULL OR as_of >= %(since)s)
            AND (%(institution)s::text IS NULL OR member = %(institution)s)
            AND (%(kind)s::text IS NULL OR kind = %(kind)s)
          GROUP BY member, kind) newest USING (member, kind, as_of)
    WHERE s.status = 'accepted' AND s.manifest ->> 'file_name' IS DISTINCT FROM s.manifest_message
    ORDER BY s.member, s.kind, s.application
"""


def reconciliation(
    transaction: Transaction,
    *,
    kinds: Mapping[str, Kind],
    month: str,
    institution: str | None = None,
    kind: str | None = None,
    within: bool = False,
) -> list[dict[str, Any]]:
    """Return what the figures at the end of a month rest on, a row for each institution and kind of submission.

    Args:
        transaction: one moment's truth.
        kinds: all that are installed, by name.
        month: "2024-05".
        institution: only this member's files.
        kind: only this kind of submission.
        within: only dates within the month; without it, the newest date up to its end.

    Returns:
        `institution`, `kind`, `as_of`; `stated_rows` by the files' own count, or the rows they have where they state
        none; `taken_rows` and `untaken_rows`; `amount`, which amount is compared (null where there is none);
        `stated_amount` (null where a file states none), `taken_amount` and `untaken_amount`, decimal strings.

    Raises:
        UsageError: HL7003, no such month.
    """
    first = first_day(month)
    facts = {
        "since": first if within else None,
        "until": last_day(first),
        "institution": institution,
        "kind": kind,
    }
    amounts = {name: each.amount for name, each in kinds.items()}
    found: dict[tuple[str, str, dt.date], dict[int, _File]] = {}
    for row in transaction.rows(_FILES, facts):
        numbered = found.setdefault((row["member"], row["kind"], row["as_of"]), {})
        _add(numbered, row["file_sequence"], _File(row["manifest"], row["receipt"], amounts.get(row["kind"])))
    known = {member.code for member in directory.all_members(transaction)}
    return list(_shown({key: files for key, files in found.items() if key[0] in known}, amounts))


class _File:
    """What a file states of itself, and what was taken of it; files that complete it included."""

    def __init__(self, manifest: dict[str, Any], receipt: dict[str, Any], name: str | None) -> None:
        control = manifest.get("control_totals") or {"rows": None, "amounts": {}}
        stated = control["amounts"].get(name) if name else None
        self.rows = int(manifest["rows"] if control["rows"] is None else control["rows"])
        self.taken_rows = int(receipt["accepted"])
        self.stated = None if stated is None else money.parse(stated)
        refused = receipt.get("refused_totals", {})
        fields = name.split("+") if name else []
        self.taken = _sum(money.parse(manifest["totals"].get(each, "0.00")) for each in fields) - _sum(
            money.parse(refused.get(each, "0.00")) for each in fields
        )


def _add(numbered: dict[int, _File], number: int, file: _File) -> None:
    before = numbered.get(number)
    if before is not None and file.rows <= before.rows - before.taken_rows:
        before.taken_rows += file.taken_rows
        before.taken += file.taken
    else:
        numbered[number] = file


def _shown(
    found: dict[tuple[str, str, dt.date], dict[int, _File]], amounts: Mapping[str, str | None]
) -> Iterator[dict[str, Any]]:
    for (member, kind, as_of), numbered in sorted(found.items()):
        files = numbered.values()
        stated = [file.stated for file in files if file.stated is not None]
        all_state = len(stated) == len(files)
        rows, taken_rows = sum(file.rows for file in files), sum(file.taken_rows for file in files)
        amount, taken = _sum(stated), _sum(file.taken for file in files)
        name = amounts.get(kind)
        yield {
            "institution": member,
            "kind": kind,
            "as_of": as_of.isoformat(),
            "stated_rows": rows,
            "taken_rows": taken_rows,
            "untaken_rows": rows - taken_rows,
            "amount": name,
            "stated_amount": money.text(amount) if name and all_state else None,
            "taken_amount": money.text(taken) if name else None,
            "untaken_amount": money.text(amount - taken) if name and all_state else None,
        }


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal()).quantize(money.FEN)
