"""What the rating service tells of borrowers: the blacklist, loans that force majeure struck, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county.changes import Fold
from huilian.policy.eligibility import bars_for_good

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = ["CONSEQUENCES", "MARKS", "STRUCK", "barred", "blacklisted"]

MARKS: Final = Fold(
    "registry.borrower_mark_change",
    key=("borrower", "borrower_no", "source", "reference"),
    state=("mark", "institution", "loan_no", "from_date", "until_date"),
)
"""What stands of them is in the view `registry.borrower_mark`."""
CONSEQUENCES: Final = Fold(
    "registry.consequence_change",
    key=("borrower", "borrower_no", "reference"),
    state=(
        "after", "change", "how", "institution", "loan_no", "region", "from_date", "until_date", "clause",
        "posted_from", "posted_until",
    ),
)  # fmt: skip
"""Reward and punishment; what stands of it is in the view `registry.consequence`."""
STRUCK: Final = """
    EXISTS (SELECT FROM registry.borrower_mark s WHERE s.mark = 'force_majeure' AND s.borrower = '{borrower}'
            AND s.borrower_no = l.{number} AND s.loan_no = l.loan_no
            AND coalesce(s.institution, l.institution) = l.institution)
"""
"""An SQL condition: force majeure has struck the loan of a table with the alias `l`.

`borrower` is the kind of who has it, `number` the column with her number.
"""


def blacklisted(
    transaction: Transaction, borrowers: Sequence[tuple[str, str]], day: dt.date, policy: Policy
) -> dict[tuple[str, str], bool]:
    """Return who of some borrowers is on the blacklist on a day, and whether maliciously.

    Where the policy bars for good after a malicious default, an entry of that kind holds after its end, too.

    Args:
        transaction: in which it is asked.
        borrowers: each by its kind and number.
        day: on which they stand there.
        policy: by which they are judged.
    """
    rows = transaction.rows(
        """
        SELECT borrower, borrower_no, bool_or(mark = 'blacklisted_maliciously') AS maliciously
        FROM registry.borrower_mark JOIN unnest(%(kinds)s::text[], %(numbers)s::text[]) AS asked (borrower, borrower_no)
             USING (borrower, borrower_no)
        WHERE mark <> 'force_majeure' AND from_date <= %(day)s
          AND (until_date IS NULL OR until_date > %(day)s OR (%(for_good)s AND mark = 'blacklisted_maliciously'))
        GROUP BY borrower, borrower_no
        """,
        {
            "kinds": [kind for kind, _ in borrowers],
            "numbers": [number for _, number in borrowers],
            "day": day,
            "for_good": bars_for_good(policy, "malicious_default"),
        },
    )
    return {(row["borrower"], row["borrower_no"]): row["maliciously"] for row in rows}


def barred(transaction: Transaction, borrowers: Sequence[tuple[str, str]], day: dt.date) -> dict[tuple[str, str], str]:
    """Return who of some borrowers is barred from new loans or any support on a day, and by which clause.

    Default is not among the grounds: the registry knows itself which loans were overdue, and the blacklist.

    Args:
        transaction: in which it is asked.
        borrowers: each by its kind and number.
        day: on which it holds.
    """
    rows = transaction.rows(
        """
        SELECT borrower, borrower_no, min(clause) AS clause
        FROM registry.consequence JOIN unnest(%(kinds)s::text[], %(numbers)s::text[]) AS asked (borrower, borrower_no)
             USING (borrower, borrower_no)
        WHERE change IN ('new_loans', 'support') AND how IN ('barred', 'barred_for_good')
          AND after NOT IN ('default', 'malicious_default')
          AND from_date::date <= %(day)s AND (until_date IS NULL OR until_date::date > %(day)s)
        GROUP BY borrower, borrower_no
        """,
        {"kinds": [kind for kind, _ in borrowers], "numbers": [number for _, number in borrowers], "day": day},
    )
    return {(row["borrower"], row["borrower_no"]): row["clause"] for row in rows}
