"""Counts by bank."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.execute("CREATE TABLE changed_loans.bank (institution text PRIMARY KEY, changed bigint NOT NULL)")
