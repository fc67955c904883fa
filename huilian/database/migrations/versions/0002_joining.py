"""Joining requests that were taken, members that left, notices that were sent."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make room for what joining and leaving have to remember."""
    op.execute("""
        ALTER TABLE huilian.member ADD COLUMN left_at timestamptz;

        -- Joining requests and key announcements: each counts once, for ever.
        CREATE TABLE huilian.taken_document (
            sha256 text PRIMARY KEY,
            member text NOT NULL REFERENCES huilian.member,
            kind text NOT NULL,
            kid text NOT NULL REFERENCES huilian.member_key,
            taken_at timestamptz NOT NULL
        );

        -- What a member was told, so that it is not told again at once.
        CREATE TABLE huilian.notice_sent (
            member text NOT NULL REFERENCES huilian.member,
            kind text NOT NULL,
            reference text NOT NULL,
            code text NOT NULL,
            times integer NOT NULL DEFAULT 1,
            sent_at timestamptz NOT NULL,
            PRIMARY KEY (member, kind, reference, code)
        );
    """)
