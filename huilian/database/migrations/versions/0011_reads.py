"""What a token is for, and the reads of one household in the audit log."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make room for a token's purpose; make who read of a household a question of an index."""
    op.execute("""
        -- For what personal data is read with it; null: each read has to say why.
        ALTER TABLE huilian.token ADD COLUMN purpose text;
        CREATE INDEX audit_subject ON huilian.audit (subject, number);
    """)
