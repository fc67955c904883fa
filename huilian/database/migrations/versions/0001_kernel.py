"""Messages, inbox, outbox, dead letters, members, keys, tokens and the audit log."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the kernel's tables."""
    op.execute("""
        CREATE TABLE huilian.member (
            code text PRIMARY KEY,
            kind text NOT NULL,
            name text NOT NULL,
            adapter text,
            region text,
            added_at timestamptz NOT NULL,
            suspended_at timestamptz
        );
        CREATE TABLE huilian.member_key (
            kid text PRIMARY KEY,
            member text NOT NULL REFERENCES huilian.member,
            public_key bytea NOT NULL CHECK (length(public_key) = 32),
            valid_from timestamptz NOT NULL,
            valid_until timestamptz NOT NULL CHECK (valid_until > valid_from),
            revoked_at timestamptz
        );
        CREATE TABLE huilian.token (
            sha256 text PRIMARY KEY,
            label text NOT NULL UNIQUE,
            region text,
            member text REFERENCES huilian.member,
            added_at timestamptz NOT NULL,
            revoked_at timestamptz,
            CHECK (num_nonnulls(region, member) = 1)
        );

        CREATE TABLE huilian.message (
            id text PRIMARY KEY,
            source text NOT NULL,
            type text NOT NULL,
            subject text NOT NULL,
            time timestamptz NOT NULL,
            submission text,
            sequence integer,
            digest text NOT NULL,
            seal text NOT NULL,
            payload bytea NOT NULL,
            received_at timestamptz NOT NULL
        );
        -- Payloads come compressed: trying again only costs time.
        ALTER TABLE huilian.message ALTER COLUMN payload SET STORAGE EXTERNAL;
        CREATE INDEX message_submission ON huilian.message (submission, type, sequence);

        CREATE TABLE huilian.inbox (
            service text NOT NULL,
            message text NOT NULL REFERENCES huilian.message,
            handled_at timestamptz NOT NULL,
            PRIMARY KEY (service, message)
        );
        CREATE TABLE huilian.outbox (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            message text NOT NULL UNIQUE REFERENCES huilian.message,
            created_at timestamptz NOT NULL,
            carried_at timestamptz,
            attempts integer NOT NULL DEFAULT 0,
            last_error text
        );
        CREATE INDEX outbox_waiting ON huilian.outbox (position) WHERE carried_at IS NULL;

        CREATE TABLE huilian.dead_letter (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            service text NOT NULL,
            code text NOT NULL,
            reason text NOT NULL,
            trace text,
            message text,
            source text,
            type text,
            submission text,
            seal text NOT NULL,
            seal_sha256 text NOT NULL,
            payload bytea NOT NULL,
            size bigint NOT NULL,
            sha256 text NOT NULL,
            times integer NOT NULL DEFAULT 1,
            received_at timestamptz NOT NULL,
            last_received_at timestamptz NOT NULL,
            retried_at timestamptz,
            UNIQUE (service, code, seal_sha256, sha256)
        );

        CREATE TABLE huilian.audit (
            number bigint PRIMARY KEY,
            at timestamptz NOT NULL,
            actor text NOT NULL,
            action text NOT NULL,
            subject text NOT NULL,
            detail jsonb NOT NULL,
            previous text NOT NULL,
            hash text NOT NULL
        );
        CREATE FUNCTION huilian.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
        CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON huilian.audit
            FOR EACH STATEMENT EXECUTE FUNCTION huilian.refuse_change();
    """)
