"""Which households each bank was told of, as those of the villages it serves."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table."""
    op.execute("""
        -- Of what was told a digest: names and numbers stand in registry.person alone.
        CREATE TABLE registry.household_sent (
            member text COLLATE "C" NOT NULL, household_no text COLLATE "C" NOT NULL, region text COLLATE "C" NOT NULL,
            digest text NOT NULL,
            PRIMARY KEY (member, household_no)
        );
    """)
