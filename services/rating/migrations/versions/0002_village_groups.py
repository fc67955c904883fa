"""The group of its village to which a household belongs."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the group; of households told before it is not known: `huilian rebuild rating` brings it."""
    op.execute("ALTER TABLE rating.household_change ADD COLUMN village_group text")
