"""The scoreboard (考核): what each institution should have sent for a month, and what came of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from huilian.core.clock import CHINA, first_day, following_month, last_day
from huilian.county.members import directory
from huilian.county.submissions import numbering
from huilian.county.submissions.reconciliation import reconciliation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from huilian.county.submissions.kinds import Kind
    from huilian.database.connection import Transaction

__all__ = ["DUE_DAY", "scoreboard", "scoreboard_feed"]

DUE_DAY: Final = 10
"""The day of the following month, included, up to which a file is on time; the plans are silent: assumed."""

_FIGURES: Final = """
    SELECT member, kind, max(as_of) FILTER (WHERE status = 'accepted') AS as_of,
           count(*) FILTER (WHERE status = 'accepted') AS files,
           coalesce(sum((manifest ->> 'rows')::bigint) FILTER (WHERE status = 'accepted'), 0)::bigint AS rows,
           coalesce(sum((receipt ->> 'rejected')::bigint) FILTER (WHERE status = 'accepted'), 0)::bigint
               AS rejected_rows,
           count(*) FILTER (WHERE status = 'refused') AS refused_files
    FROM huilian.submission WHERE as_of BETWEEN %(since)s AND %(until)s GROUP BY member, kind
"""
# Of several files of the newest date the first counts: a correction sent later makes nobody late.
_FIRST: Final = """
    SELECT DISTINCT ON (member, kind) member, kind, received_at, applied_at
    FROM huilian.submission WHERE status = 'accepted' AND as_of BETWEEN %(since)s AND %(until)s
    ORDER BY member, kind, as_of DESC, application
"""
_GAPS: Final = """
    SELECT member, kind, as_of, first, last FROM huilian.file_gap
    WHERE as_of BETWEEN %(since)s AND %(until)s ORDER BY member, kind, as_of, first
"""
_TAKEN: Final = ("stated_rows", "taken_rows", "stated_amount", "taken_amount", "untaken_amount")
_Key = tuple[str, str]


def scoreboard(
    transaction: Transaction, *, kinds: Mapping[str, Kind], month: str, institution: str | None = None
) -> dict[str, Any]:
    """Return what members that must send something have sent for a month, dated within it.

    Args:
        transaction: one moment's truth.
        kinds: all that are installed, by name; each says who must send it, others are shown where they were sent.
        month: "2024-05".
        institution: only this member.

    Returns:
        `month`, `due_date` and `rows`, one for each institution and kind of submission:
        `status` (on_time, late, missing), the newest `as_of`, when the first file of that
        date was received and applied, `files` accepted with their `rows` and
        `rejected_rows`, `refused_files`, how much of what the files of the newest date state
        of themselves was taken (see `reconciliation`), the numbers that never came (`missing_files`: of
        which date, from which to which) and those that came twice with other contents
        (`repeated_files`).

    Raises:
        UsageError: HL7003, no such month.
    """
    since = first_day(month)
    due = following_month(since).replace(day=DUE_DAY)
    facts = {"since": since, "until": last_day(since)}
    figures = _by_key(transaction.rows(_FIGURES, facts))
    first = _by_key(transaction.rows(_FIRST, facts))
    gaps = transaction.rows(_GAPS, facts)
    repeats = numbering.repeated(transaction, facts)
    found = reconciliation(transaction, kinds=kinds, month=month, institution=institution, within=True)
    taken = {(row["institution"], row["kind"]): row for row in found}
    due_from = {kind.due_from: name for name, kind in kinds.items()}
    rows = []
    for member in directory.all_members(transaction):
        must_send = due_from.get(member.kind)
        if must_send is None or member.suspended or institution not in (None, member.code):
            continue
        others = sorted(kind for code, kind in figures if code == member.code and kind != must_send)
        for kind in (must_send, *others):
            key = (member.code, kind)
            rows.append(
                {"institution": member.code, "institution_kind": member.kind, "kind": kind}
                | _shown(figures.get(key), first.get(key), due)
                | {name: taken.get(key, {}).get(name) for name in _TAKEN}
                | {
                    "missing_files": [
                        {"as_of": gap["as_of"].isoformat(), "first": gap["first"], "last": gap["last"]}
                        for gap in gaps
                        if (gap["member"], gap["kind"]) == key
                    ],
                    "repeated_files": [
                        {"as_of": repeat["as_of"].isoformat(), "number": repeat["file_sequence"]}
                        for repeat in repeats
                        if (repeat["member"], repeat["kind"]) == key
                    ],
                }
            )
    return {"month": month, "due_date": due.isoformat(), "rows": rows}


def scoreboard_feed(
    transaction: Transaction, *, kinds: Mapping[str, Kind], month: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the rows of `scoreboard`, each with its `month` and `due_date`, for tables and spreadsheets.

    Numbers that never came or came twice are one text: "2024-05-31 1；2024-05-31 3-4", null without any.
    """
    found = scoreboard(transaction, kinds=kinds, month=month, institution=institution)
    for row in found["rows"]:
        gaps = [f"{gap['as_of']} {numbering.span(gap['first'], gap['last'])}" for gap in row["missing_files"]]
        repeats = [f"{repeat['as_of']} {repeat['number']}" for repeat in row["repeated_files"]]
        yield (
            {"month": found["month"], "due_date": found["due_date"]}
            | row
            | {
                "missing_files": "；".join(gaps) or None,
                "repeated_files": "；".join(repeats) or None,
            }
        )


def _by_key(rows: list[dict[str, Any]]) -> dict[_Key, dict[str, Any]]:
    return {(row["member"], row["kind"]): row for row in rows}


def _shown(figures: dict[str, Any] | None, first: dict[str, Any] | None, due: dt.date) -> dict[str, Any]:
    counts = {name: figures[name] if figures else 0 for name in ("files", "rows", "rejected_rows", "refused_files")}
    if figures is None or first is None:
        return {"status": "missing", "as_of": None, "received_at": None, "applied_at": None} | counts
    deadline = dt.datetime.combine(due + dt.timedelta(days=1), dt.time.min, CHINA)
    return {
        "status": "on_time" if first["applied_at"] < deadline else "late",
        "as_of": figures["as_of"].isoformat(),
        "received_at": _moment(first["received_at"]),
        "applied_at": _moment(first["applied_at"]),
    } | counts


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")
