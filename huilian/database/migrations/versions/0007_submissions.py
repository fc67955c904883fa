"""Submissions are the kernel's, whichever service owns their kinds; the registry brings what it has (its step 0005)."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables of submissions, numbered on from the registry's where those are there."""
    op.execute("""
        CREATE TABLE huilian.submission (
            number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            submission text NOT NULL UNIQUE,
            member text NOT NULL,
            kind text NOT NULL,
            as_of date NOT NULL,
            manifest jsonb NOT NULL,
            manifest_message text NOT NULL,
            status text NOT NULL CHECK (status IN ('receiving', 'accepted', 'refused')),
            received_at timestamptz NOT NULL,
            applied_at timestamptz,
            -- The place in the order in which submissions are applied, one order for all kinds: the feeds' cursor.
            application integer UNIQUE,
            receipt jsonb,
            file_sequence integer GENERATED ALWAYS AS ((manifest ->> 'file_sequence')::integer) STORED
        );
        CREATE INDEX submission_series ON huilian.submission (member, kind, as_of, file_sequence);
        CREATE TABLE huilian.submission_part (
            submission text NOT NULL,
            sequence integer NOT NULL,
            sha256 text NOT NULL,
            type text NOT NULL,
            records integer NOT NULL,
            message text NOT NULL,
            PRIMARY KEY (submission, sequence, sha256)
        );
        CREATE TABLE huilian.rejection (
            submission integer NOT NULL REFERENCES huilian.submission,
            line integer NOT NULL,
            field text NOT NULL,
            code text NOT NULL,
            reference text
        );
        CREATE INDEX rejection_submission ON huilian.rejection (submission, line);

        -- Numbers below one that came of which no file was accepted or refused: from `first` to `last`.
        CREATE VIEW huilian.file_gap AS
            SELECT member, kind, as_of, before + 1 AS first, file_sequence - 1 AS last
            FROM (SELECT member, kind, as_of, file_sequence,
                         coalesce(lag(file_sequence) OVER (PARTITION BY member, kind, as_of ORDER BY file_sequence), 0)
                             AS before
                  FROM huilian.submission WHERE file_sequence IS NOT NULL AND status <> 'receiving') AS numbered
            WHERE file_sequence - before > 1;

        -- From the catalogue alone: the owner reads nothing that the services' role could have changed.
        SELECT setval(pg_get_serial_sequence('huilian.submission', 'number'), last_value) FROM pg_sequences
        WHERE schemaname = 'registry' AND sequencename = 'submission_number_seq' AND last_value IS NOT NULL;
    """)
