"""The loans that earn a subsidy, what is asked for them, and what became of it."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.execute("SELECT 1")
