"""Persons who act for members, and how what became of one message is found."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make room for persons; make the outcome of a message a question of an index."""
    op.execute("""
        CREATE TABLE huilian.person (
            member text NOT NULL REFERENCES huilian.member,
            code text NOT NULL,
            -- Nowhere else: what leaves the database names a person by member and code.
            name text NOT NULL,
            may text[] NOT NULL CHECK (cardinality(may) > 0 AND may <@ ARRAY['enter', 'approve']),
            from_date date NOT NULL,
            -- The first day on which she may do nothing more.
            until_date date CHECK (until_date >= from_date),
            PRIMARY KEY (member, code)
        );

        CREATE INDEX dead_letter_of_message ON huilian.dead_letter (source, message);
        CREATE INDEX refusal_sample_of_message ON huilian.refusal_sample (member, message) WHERE message IS NOT NULL;
        CREATE INDEX submission_of_message ON huilian.submission (member, manifest_message);
    """)
