"""Which of a day's files counts: the one with the highest number, in whatever order they came.

What a ledger merely confirms is not written, so the registry's rows do not tell what a file
with a higher number has stated. Its kept messages do; they are read again when one with a
lower number comes after it, which is rare, so that nothing is kept for it otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian import messages
from huilian.bulk import from_ndjson, to_csv

if TYPE_CHECKING:
    from huilian.database import Transaction

__all__ = ["leave_out_superseded"]

_BATCHES_OF_HIGHER: Final = """
    SELECT p.message FROM registry.submission s
    CROSS JOIN jsonb_to_recordset(s.manifest -> 'parts') AS m(sequence integer, type text, sha256 text)
    JOIN registry.submission_part p ON p.submission = s.submission AND p.sequence = m.sequence
     AND p.sha256 = m.sha256 AND p.type = m.type
    WHERE s.member = %(member)s AND s.kind = %(kind)s AND s.as_of = %(as_of)s AND s.status = 'accepted'
      AND s.file_sequence > coalesce(%(file_sequence)s, 0) AND m.type = 'loan_ledger'
    ORDER BY s.number, m.sequence
"""
_KEY: Final = pl.Schema({"loan_no": pl.String()})


def leave_out_superseded(transaction: Transaction, submission: dict[str, Any], table: str) -> int:
    """Take the loans out of a staged ledger that a file of its day with a higher number has stated; count them.

    Args:
        transaction: in which the ledger is applied.
        submission: the row of `registry.submission`; a file without a number stands below every number.
        table: the staging table.
    """
    batches = [row["message"] for row in transaction.rows(_BATCHES_OF_HIGHER, submission)]
    if not batches:
        return 0
    transaction.execute('CREATE TEMPORARY TABLE stated_higher (loan_no text COLLATE "C") ON COMMIT DROP')
    for batch in batches:
        [message] = messages.kept(transaction, submission["member"], [batch])
        loans = from_ndjson(message.body(), _KEY, checked=True)
        transaction.copy_in("stated_higher", ["loan_no"], [to_csv(loans)])
    transaction.execute("ANALYZE stated_higher")
    superseded = transaction.execute(
        f"DELETE FROM {table} s WHERE EXISTS (SELECT FROM stated_higher h WHERE h.loan_no = s.loan_no)"
    )
    if superseded:
        transaction.execute(f"ANALYZE {table} (loan_no)")
    return superseded
