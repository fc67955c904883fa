"""What people found that borrowers did."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of findings."""
    op.execute("""
        CREATE TABLE rating.deed (
            reference text COLLATE "C" NOT NULL, borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL,
            deed text NOT NULL, institution text COLLATE "C", loan_no text COLLATE "C",
            date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL,
            PRIMARY KEY (member, reference)
        );
        CREATE INDEX deed_of_borrower ON rating.deed (borrower_no);
    """)
