"""Which message of a member is the newest: the key it last signed with is the one that sealed it."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Find a member's messages by the time of signing; the platform's own, which are most, are not asked for."""
    op.execute("CREATE INDEX message_from_member ON huilian.message (source, time) WHERE source <> 'HUILIAN'")
