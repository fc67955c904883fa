"""What a refusal's text names is kept beside its code, so that the text can be written in either language."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make room for the facts; what was refused before has its English text alone."""
    op.execute("""
        ALTER TABLE huilian.dead_letter ADD COLUMN facts jsonb;
        ALTER TABLE huilian.refusal_sample ADD COLUMN facts jsonb;
    """)
