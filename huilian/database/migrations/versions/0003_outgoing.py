"""What is addressed to members: in which order they fetch it, and what of it was handed over."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make room for each member's list of what is addressed to it."""
    op.execute("""
        CREATE TABLE huilian.outgoing (
            member text NOT NULL REFERENCES huilian.member,
            -- Counted by member, without gaps, as it is entered: whoever has read up to one has all before it.
            position bigint NOT NULL,
            message text NOT NULL UNIQUE REFERENCES huilian.message,
            handed_over_at timestamptz,
            PRIMARY KEY (member, position)
        );
        CREATE INDEX message_to_member ON huilian.message (subject, type) WHERE source = 'HUILIAN';
    """)
