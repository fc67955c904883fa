"""Reward and punishment of borrowers as the rating service tells of it, and what the credit platform was sent."""

from alembic import op

revision = "0015"
down_revision = "0014"

STATE = """
    after text NOT NULL, change text NOT NULL, how text NOT NULL, institution text COLLATE "C",
    loan_no text COLLATE "C", region text COLLATE "C", from_date text NOT NULL, until_date text, clause text NOT NULL,
    posted_from text, posted_until text
"""
KEY = 'borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL, reference text COLLATE "C" NOT NULL'


def upgrade() -> None:
    """Make the tables and the view; `huilian rebuild registry` brings what was told before."""
    op.execute(f"""
        -- A consequence stands where the sum of its `n` is above nought.
        CREATE TABLE registry.consequence_change ({KEY}, {STATE}, n integer NOT NULL);
        CREATE INDEX consequence_change_of_borrower ON registry.consequence_change (borrower_no);
        CREATE VIEW registry.consequence AS
            SELECT borrower, borrower_no, reference, after, change, how, institution, loan_no, region, from_date,
                   until_date, clause, posted_from, posted_until
            FROM registry.consequence_change GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
            HAVING sum(n) > 0;
        CREATE TABLE registry.consequence_sent (
            member text COLLATE "C" NOT NULL, {KEY}, {STATE}, PRIMARY KEY (member, borrower, borrower_no, reference)
        );
    """)
