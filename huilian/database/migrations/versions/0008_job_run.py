"""Which jobs were run, and for which day."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make room for what was run by the calendar."""
    op.execute("""
        CREATE TABLE huilian.job_run (
            job text NOT NULL,
            -- The day for which it was run, which may be earlier than the day on which it was.
            due date NOT NULL,
            run_at timestamptz NOT NULL,
            PRIMARY KEY (job, due)
        );
    """)
