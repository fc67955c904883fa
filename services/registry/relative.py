"""Ledgers told by how they differ from the one before: a bank with a million loans sends the few that changed.

The county can complete such a ledger only from exactly the one it is based on. That holds
where `base` is the only ledger of its date, and no newer one is known: then the loans
that are not missing are the loans that ledger had, as it had them. Late ledgers correct
what was before it and leave that alone.

Whatever does not add up is no error of the bank's: it is asked for the ledger as a whole
(HL1021), and that is judged by itself.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian import money
from huilian.basis import ASKS_FOR_THE_WHOLE, content_sha256, has_base
from huilian.errors import MessageRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.database import Transaction

__all__ = ["GONE", "LEDGER", "figures", "hold_gone", "hold_to_base", "note_gone", "refusal"]

LEDGER: Final = "loan_ledger"
GONE: Final = "loans_gone"


def refusal(manifest: Mapping[str, Any]) -> MessageRefused:
    """Return what asks for the whole ledger."""
    return MessageRefused(ASKS_FOR_THE_WHOLE, base=manifest["base"])


def hold_to_base(transaction: Transaction, manifest: Mapping[str, Any]) -> None:
    """Let a ledger pass that can be completed from its base; one that is told as a whole always can.

    Raises:
        MessageRefused: HL1021, its base is not the newest ledger, or not the only one of its date; or it is numbered.
    """
    if not has_base(manifest):
        return
    of_newest_date = transaction.rows(
        "SELECT submission, manifest FROM registry.submission"
        " WHERE member = %(member)s AND kind = %(kind)s AND status = 'accepted' AND as_of < %(as_of)s::date"
        " AND as_of = (SELECT max(as_of) FROM registry.ledger WHERE institution = %(member)s)",
        {"member": manifest["member"], "kind": LEDGER, "as_of": manifest["as_of"]},
    )
    # Of a day's numbered files the highest counts: what each states must be kept, see `precedence`.
    is_numbered = manifest["file_sequence"] is not None
    known = [(row["submission"], content_sha256(row["manifest"])) for row in of_newest_date]
    if is_numbered or known != [(manifest["base"], manifest["base_sha256"])]:
        raise refusal(manifest)


def figures(
    transaction: Transaction, manifest: Mapping[str, Any], tables: Mapping[str, str]
) -> tuple[int, dict[str, Decimal]]:
    """Return the number of loans of the whole ledger, and the sums of its amounts.

    Args:
        transaction: nothing of the ledger is applied in it yet.
        manifest: of a ledger whose base holds, see `hold_to_base`.
        tables: staging tables by type of record.
    """
    row = transaction.row(
        f"""
        SELECT count(*) AS rows, coalesce(sum(principal), 0) AS principal, coalesce(sum(balance), 0) AS balance
        FROM (SELECT s.principal, s.balance FROM {tables[LEDGER]} s
              UNION ALL
              SELECT l.principal, l.balance FROM registry.loan l
              WHERE l.institution = %s AND l.missing_since IS NULL
                AND NOT EXISTS (SELECT FROM {tables[LEDGER]} s WHERE s.loan_no = l.loan_no)
                AND NOT EXISTS (SELECT FROM {tables[GONE]} g WHERE g.loan_no = l.loan_no)) AS ledger
        """,
        [manifest["member"]],
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    return int(row["rows"]), {name: Decimal(row[name]).quantize(money.FEN) for name in ("principal", "balance")}


def hold_gone(transaction: Transaction, manifest: Mapping[str, Any], tables: Mapping[str, str]) -> None:
    """Let pass when every loan that is gone was in the base, and is not told of besides.

    Raises:
        MessageRefused: HL1021, one was not, or is.
    """
    astray = transaction.value(
        f"""
        SELECT true FROM {tables[GONE]} g
        WHERE EXISTS (SELECT FROM {tables[LEDGER]} s WHERE s.loan_no = g.loan_no)
           OR NOT EXISTS (SELECT FROM registry.loan l WHERE l.institution = %s AND l.loan_no = g.loan_no
                          AND l.missing_since IS NULL)
        LIMIT 1
        """,
        [manifest["member"]],
    )
    if astray:
        raise refusal(manifest)


def note_gone(transaction: Transaction, table: str, facts: dict[str, Any]) -> int:
    """Open the absence of the loans in the staging table `table`; return how many were not rejected either."""
    return int(
        transaction.value(
            f"""
            WITH gone AS (
                UPDATE registry.loan l SET missing_since = %(as_of)s FROM {table} g
                WHERE l.institution = %(institution)s AND l.loan_no = g.loan_no AND l.missing_since IS NULL
                RETURNING l.loan_no
            )
            SELECT count(*) FROM gone
            WHERE NOT EXISTS (SELECT FROM registry.rejection r
                              WHERE r.submission = %(submission)s AND r.reference = gone.loan_no)
            """,
            facts,
        )
    )
