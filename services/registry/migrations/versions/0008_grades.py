"""Ratings as the rating service tells of them, and which grades were sent to whom."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATE = """
    region text COLLATE "C", score text, grade text, line text, valid_from text, valid_until text,
    posted_from text, posted_until text
"""


def upgrade() -> None:
    """Make the tables. Ratings that were told before are brought by `huilian rebuild registry`."""
    op.execute(f"""
        -- A rating is in force where the sum of its `n` is above nought.
        CREATE TABLE registry.rating_change (
            borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL, {STATE}, n integer NOT NULL
        );
        CREATE INDEX rating_change_of_borrower ON registry.rating_change (borrower_no);
        CREATE VIEW registry.rating AS
            SELECT borrower, borrower_no, region, score, grade, line, valid_from, valid_until, posted_from, posted_until
            FROM registry.rating_change GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 HAVING sum(n) > 0;
        -- What each member was told last, so that it is told what has changed and nothing twice.
        CREATE TABLE registry.grade_sent (
            member text COLLATE "C" NOT NULL, borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL, {STATE},
            PRIMARY KEY (member, borrower, borrower_no)
        );
    """)
