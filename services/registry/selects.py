"""What the registry answers: the consolidated feeds of loans and households, and which ledgers there are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity, money, regions
from huilian.core.errors import UsageError
from huilian.county.submissions import entries
from schemas.records import CONTINUATION, FIVE_TIER_CLASS, HOUSEHOLD_CATEGORY, LOAN_STATUS
from schemas.stories import labelled
from services.registry.parties.disclosure import KNOWN, SERVED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = ["STORY", "household_feed", "household_on_form", "ledger_dates", "loan_feed", "product_codes"]


_LISTED: Final = "SELECT region, category, as_of, submission, sequence, line FROM registry.{table}"
_LOAN: Final = """
    SELECT institution, loan_no, region, principal, balance, start_date, five_tier_class, overdue_days, status, as_of,
           continuation, original_loan_no, submission, sequence, line
    FROM registry.{table} WHERE household_no = %(household)s
"""
_GOES_ON: Final = "original_loan_no <> loan_no AND continuation <> 'none'"
STORY: Final = f"""
    WITH listed AS (
        {_LISTED.format(table="person_history")} WHERE household_no = %(household)s AND is_head = 'yes'
      UNION
        {_LISTED.format(table="person")} WHERE household_no = %(household)s AND is_head = 'yes'
    ), loan AS (
        {_LOAN.format(table="loan")} UNION ALL {_LOAN.format(table="loan_history")}
    )
    SELECT as_of AS "on", 0 AS rank, region, NULL AS institution, '花名册' AS what, NULL AS number,
           NULL::numeric AS amount, {labelled("category", HOUSEHOLD_CATEGORY)} AS state, submission, sequence, line,
           NULL AS said_in
    FROM listed
  UNION ALL
    SELECT * FROM (
        SELECT DISTINCT ON (institution, loan_no) start_date, 1, region, institution,
               CASE WHEN {_GOES_ON} THEN {labelled("continuation", CONTINUATION)} ELSE '放款' END, loan_no, principal,
               CASE WHEN {_GOES_ON} THEN '原借据 ' || original_loan_no END, submission, sequence, line, NULL
        FROM loan ORDER BY institution, loan_no, as_of
    ) AS lent
  UNION ALL
    SELECT r.transaction_date, 2, l.region, r.institution, '还款', r.loan_no, r.principal + r.interest, NULL,
           r.submission, r.sequence, r.line, NULL
    FROM registry.repayment r
    JOIN (SELECT DISTINCT institution, loan_no, region FROM loan) l USING (institution, loan_no)
  UNION ALL
    SELECT as_of, 3, region, institution, '台账余额', loan_no, balance,
           concat({labelled("status", LOAN_STATUS)}, '（', {labelled("five_tier_class", FIVE_TIER_CLASS)}, '）',
                  CASE WHEN continuation IN ('extension', 'moratorium')
                       THEN '，' || {labelled("continuation", CONTINUATION)} END,
                  -- Who was granted time is not overdue.
                  CASE WHEN overdue_days > 0 AND continuation IS DISTINCT FROM 'moratorium'
                       THEN format('，逾期 %%s 天', overdue_days) END),
           submission, sequence, line, NULL
    FROM loan
"""
"""What happened to a household: when it was on the roster, its loans ledger by ledger, its repayments."""
_CURSOR: Final = re.compile(r"^[0-9]{1,9}$", re.ASCII)


def loan_feed(
    transaction: Transaction, *, region: str, since: str | None = None, institution: str | None = None
) -> tuple[str, Iterator[dict[str, Any]]]:
    """Return the loans of a region that changed since a cursor, each as it is now, and the next cursor.

    Rows come in the order in which they became known. Money and rates are decimal
    strings, dates ISO. `source` says where the row came from: submission, message, file,
    its SHA-256 and the line in it. Identity numbers are masked.

    Args:
        transaction: the feed is one moment's truth; it must stay open while rows are read.
        region: a county, township or village; loans within it.
        since: the cursor a former call returned; everything without it.
        institution: only this member's loans.

    Raises:
        UsageError: HL7004, the cursor is not one; HL7002, the region is not one.
    """
    if since is not None and not _CURSOR.match(since):
        raise UsageError("HL7004", cursor=since[:20])
    region = regions.normalise(region)
    cursor = entries.newest_application(transaction)
    if int(since or 0) > cursor:
        # Issued before a restore from a backup: from it a reader would miss what is applied again.
        raise UsageError("HL7004", cursor=str(since))
    rows = transaction.stream(
        """
        SELECT * FROM registry.loan
        WHERE application > %(since)s AND region LIKE %(region)s
          AND (%(institution)s::text IS NULL OR institution = %(institution)s)
        ORDER BY application, institution, loan_no
        """,
        {"since": int(since or 0), "region": region + "%", "institution": institution},
    )
    return str(cursor), _with_origins(transaction, rows)


def _with_origins(transaction: Transaction, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    origins: dict[int, _Origin] | None = None
    for row in rows:
        if origins is None:
            # Read once the rows stand: no ledger that is applied meanwhile can be among them.
            origins = _origins(transaction)
        yield _feed_row(row, origins[row["submission"]])


@dataclass(frozen=True)
class _Origin:
    """What a ledger's rows have in common: where they came from."""

    submission: str
    file_name: str
    file_sha256: str
    messages: dict[int, str]


def _origins(transaction: Transaction) -> dict[int, _Origin]:
    messages: dict[int, dict[int, str]] = {}
    for row in transaction.rows(
        "SELECT s.number, p.sequence, p.message FROM huilian.submission s"
        " CROSS JOIN jsonb_to_recordset(s.manifest -> 'parts') AS m(sequence integer, sha256 text)"
        " JOIN huilian.submission_part p"
        " ON p.submission = s.submission AND p.sequence = m.sequence AND p.sha256 = m.sha256"
        " WHERE s.kind = 'loan_ledger' AND s.status = 'accepted'"
    ):
        messages.setdefault(row["number"], {})[row["sequence"]] = row["message"]
    rows = transaction.rows(
        "SELECT number, submission, manifest ->> 'file_name' AS file_name, manifest ->> 'file_sha256' AS file_sha256"
        " FROM huilian.submission WHERE kind = 'loan_ledger' AND status = 'accepted'"
    )
    return {
        row["number"]: _Origin(row["submission"], row["file_name"], row["file_sha256"], messages.get(row["number"], {}))
        for row in rows
    }


def _feed_row(row: dict[str, Any], origin: _Origin) -> dict[str, Any]:
    return {
        "institution": row["institution"],
        "loan_no": row["loan_no"],
        "contract_no": row["contract_no"],
        "household_no": row["household_no"],
        "borrower_name": row["borrower_name"],
        "identity_number": identity.mask(row["identity_number"]),
        "region": row["region"],
        "product": row["product"],
        "principal": money.text(row["principal"]),
        "balance": money.text(row["balance"]),
        "annual_rate_percent": f"{row['annual_rate_percent']:f}",
        "rate_type": row["rate_type"],
        "start_date": row["start_date"].isoformat(),
        "due_date": row["due_date"].isoformat(),
        "settled_date": row["settled_date"].isoformat() if row["settled_date"] else None,
        "repayment_method": row["repayment_method"],
        "purpose": row["purpose"],
        "five_tier_class": row["five_tier_class"],
        "overdue_days": row["overdue_days"],
        "overdue_principal": money.text(row["overdue_principal"]),
        "overdue_interest": money.text(row["overdue_interest"]),
        "status": row["status"],
        "branch": row["branch"],
        "as_of": row["as_of"].isoformat(),
        "source": {
            "submission": origin.submission,
            "message": origin.messages.get(row["sequence"]),
            "file_name": origin.file_name,
            "file_sha256": origin.file_sha256,
            "line": row["line"],
        },
        "signed": row["signed"].isoformat() if row["signed"] else None,
        "confirmation_no": row["confirmation_no"],
        "continuation": row["continuation"],
        "original_loan_no": row["original_loan_no"],
    }


_BEYOND_ROSTER: Final = (
    *("has_subsistence_allowance", "has_disabled_member", "is_destitute_at_home", "poverty_cause", "needs"),
    *("household_size", "annual_income", "annual_outlay", "assets"),
)
"""What a bank does not see of a household that it only serves."""
_AMOUNTS: Final = ("annual_income", "annual_outlay", "assets")
_SHOWN: Final = (
    *("household_no", "head_name", "region", "village_group", "category", "has_subsistence_allowance"),
    *("has_disabled_member", "is_destitute_at_home", "out_of_poverty_year", "poverty_cause", "needs"),
    *("household_size", *_AMOUNTS, "as_of"),
)


def _shown(name: str) -> str:
    """Return SQL for a column of the feed of households, null where the reader may not see it."""
    value = f"h.{name}::text" if name in (*_AMOUNTS, "as_of") else f"h.{name}"
    if name in _BEYOND_ROSTER:
        value = f"CASE WHEN %(institution)s::text IS NULL OR s.is_known THEN {value} END"
    return f"{value} AS {name}"


def household_feed(
    transaction: Transaction, *, region: str, policy: Policy, today: dt.date, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the households of a region, each as the newest roster has it, by region and number.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village; households within it.
        policy: not asked here.
        today: the county's day, on which consents and service areas must hold.
        institution: only what this member may see: its customers and who consented, whole; of the villages that it
            serves as their lead bank, who is on the roster.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    del policy
    return transaction.stream(
        f"""
        WITH known AS MATERIALIZED ({KNOWN}), served AS MATERIALIZED ({SERVED})
        SELECT {", ".join(map(_shown, _SHOWN))}, r.score, r.grade, r.line AS credit_line, r.valid_until AS rated_until
        FROM registry.household h
        CROSS JOIN LATERAL (
            SELECT h.household_no IN (SELECT household_no FROM known) AS is_known,
                   h.region IN (SELECT region FROM served) AS is_served OFFSET 0
        ) s
        LEFT JOIN registry.rating r ON r.borrower = 'household' AND r.borrower_no = h.household_no
        WHERE h.region LIKE %(region)s AND (%(institution)s::text IS NULL OR s.is_known OR s.is_served)
        ORDER BY h.region, h.household_no
        """,
        {"region": regions.normalise(region) + "%", "institution": institution, "today": today},
    )


def household_on_form(
    transaction: Transaction, *, number: str, region: str | None, policy: Policy, today: dt.date
) -> dict[str, Any]:
    """Return what a form shows of a household's head; of who is not on the roster nothing.

    Args:
        transaction: in which it is read.
        number: of the household.
        region: within which it must lie, where that is said.
        policy: not asked here.
        today: not asked here.
    """
    del policy, today
    head = transaction.row(
        "SELECT person_name, identity_number, household_size, village_group, annual_income FROM registry.person"
        " WHERE household_no = %s AND is_head = 'yes' AND missing_since IS NULL AND region LIKE %s",
        [number, f"{region or ''}%"],
    ) or dict.fromkeys(("person_name", "identity_number", "household_size", "village_group", "annual_income"))
    masked = head["identity_number"] and identity.mask(head["identity_number"])
    income = None if head["annual_income"] is None else money.text(head["annual_income"])
    return {
        "name": head["person_name"],
        "identity_number": masked,
        "household_size": head["household_size"],
        "village_group": head["village_group"],
        "annual_income": income,
    }


def ledger_dates(transaction: Transaction) -> list[tuple[str, dt.date]]:
    """Return which institution has reported for which date."""
    rows = transaction.rows("SELECT institution, as_of FROM registry.ledger ORDER BY institution, as_of")
    return [(row["institution"], row["as_of"]) for row in rows]


def product_codes(transaction: Transaction) -> list[tuple[str, str]]:
    """Return the product codes of all loans, each with its institution."""
    rows = transaction.rows("SELECT institution, product FROM registry.loan GROUP BY 1, 2 ORDER BY 1, 2")
    return [(row["institution"], row["product"]) for row in rows]
