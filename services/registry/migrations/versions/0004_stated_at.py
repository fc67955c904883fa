"""When a statement was sealed: of what is posted by itself on one day the last to be sealed counts."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = ("guarantee", "guarantee_compensation", "guarantee_release", "policy", "claim", "period_result")


def upgrade() -> None:
    """Note it beside each statement; those that are there came before whatever will be stated."""
    for table in TABLES:
        op.execute(f"ALTER TABLE registry.{table} ADD COLUMN stated_at timestamptz NOT NULL DEFAULT '-infinity'")
