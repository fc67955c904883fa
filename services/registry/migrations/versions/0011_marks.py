"""Marks of borrowers as the rating service tells of them: the blacklist, and loans that force majeure struck."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table and the view. Marks that were told before are brought by `huilian rebuild registry`."""
    op.execute("""
        -- A mark stands where the sum of its `n` is above nought.
        CREATE TABLE registry.borrower_mark_change (
            borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL, source text COLLATE "C" NOT NULL,
            reference text COLLATE "C" NOT NULL, mark text NOT NULL, institution text COLLATE "C",
            loan_no text COLLATE "C", from_date text, until_date text, n integer NOT NULL
        );
        CREATE INDEX borrower_mark_change_of_borrower ON registry.borrower_mark_change (borrower_no);
        -- Until when each holds, the reader compares with her day.
        CREATE VIEW registry.borrower_mark AS
            SELECT borrower, borrower_no, source, reference, mark, institution, loan_no, from_date::date,
                   until_date::date
            FROM registry.borrower_mark_change GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 HAVING sum(n) > 0;
    """)
