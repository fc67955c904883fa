"""What is told of lead banks and of households that are led has a number of its own."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the sequence."""
    op.execute("CREATE SEQUENCE registry.party_revision")
