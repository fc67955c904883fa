"""Which of a day's files counts: the one with the highest number, in whatever order they came.

What a ledger merely confirms is not written, so the registry's rows do not tell what a file
with a higher number has stated. Its kept messages do; they are read again when one with a
lower number comes after it, which is rare, so that nothing is kept for it otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county.submissions.staging import kept_frames
from huilian.wire.batches import to_csv
from services.registry.columns import LEDGER, PARTS

if TYPE_CHECKING:
    from huilian.county.submissions.kinds import Submission
    from huilian.database.connection import Transaction

__all__ = ["leave_out_superseded"]


_HIGHER: Final = """
    SELECT number FROM huilian.submission WHERE member = %(member)s AND kind = %(kind)s AND as_of = %(as_of)s
      AND status = 'accepted' AND file_sequence > coalesce(%(file_sequence)s, 0) ORDER BY number
"""


def leave_out_superseded(transaction: Transaction, submission: Submission, table: str) -> int:
    """Take the loans out of a ledger that a file of its day with a higher number has stated; count them.

    Args:
        transaction: in which the ledger is applied.
        submission: the ledger; a file without a number stands below every number.
        table: the table with its loans.
    """
    higher = [row["number"] for row in transaction.rows(_HIGHER, submission.facts)]
    if not higher:
        return 0
    transaction.execute('CREATE TEMPORARY TABLE stated_higher (loan_no text COLLATE "C") ON COMMIT DROP')
    for number in higher:
        for loans in kept_frames(transaction, number, LEDGER, PARTS[LEDGER].record, ["loan_no"]):
            transaction.copy_in("stated_higher", ["loan_no"], [to_csv(loans.select("loan_no"))])
    transaction.execute("ANALYZE stated_higher")
    superseded = transaction.execute(
        f"DELETE FROM {table} s WHERE EXISTS (SELECT FROM stated_higher h WHERE h.loan_no = s.loan_no)"
    )
    if superseded:
        transaction.execute(f"ANALYZE {table} (loan_no)")
    return superseded
