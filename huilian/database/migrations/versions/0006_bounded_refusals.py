"""What anybody can have refused is counted, not kept; what members hand in has a limit; dead letters can be put by."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make room for counts, samples, each member's day, and reasons for putting a dead letter by."""
    op.execute("""
        -- Refusals of which nothing whole is kept. The member is '' where the signature does not say who sent it.
        CREATE TABLE huilian.refusal_count (
            service text NOT NULL,
            code text NOT NULL,
            member text NOT NULL,
            times bigint NOT NULL,
            bytes bigint NOT NULL,
            first_at timestamptz NOT NULL,
            last_at timestamptz NOT NULL,
            samples bigint NOT NULL DEFAULT 0,
            sampled_at timestamptz,
            audited_on date,
            PRIMARY KEY (service, code, member)
        );
        -- A ring for each count: the slots are written over, so that there are never more.
        CREATE TABLE huilian.refusal_sample (
            service text NOT NULL,
            code text NOT NULL,
            member text NOT NULL,
            slot integer NOT NULL,
            at timestamptz NOT NULL,
            reason text NOT NULL,
            message text,
            submission text,
            seal text NOT NULL,
            payload bytea NOT NULL,
            size bigint NOT NULL,
            sha256 text NOT NULL,
            PRIMARY KEY (service, code, member, slot)
        );
        CREATE INDEX refusal_sample_of_submission ON huilian.refusal_sample (submission) WHERE submission IS NOT NULL;

        -- What each member has handed in on a day, taken or refused, and how many refusals it was told of.
        CREATE TABLE huilian.member_day (
            member text NOT NULL REFERENCES huilian.member,
            day date NOT NULL,
            bytes bigint NOT NULL,
            notices bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (member, day)
        );

        ALTER TABLE huilian.dead_letter ADD COLUMN dismissed_at timestamptz, ADD COLUMN dismissed_reason text,
            ADD CHECK ((dismissed_at IS NULL) = (dismissed_reason IS NULL));
        CREATE INDEX dead_letter_waiting ON huilian.dead_letter (source)
            WHERE retried_at IS NULL AND dismissed_at IS NULL;
        -- By which it is found when a message first came whose key has ended since.
        CREATE INDEX dead_letter_of_seal ON huilian.dead_letter (seal_sha256);

        -- The message a sender was last told of, and its place: that one sealed anew is worth another notice.
        ALTER TABLE huilian.notice_sent ADD COLUMN place text, ADD COLUMN message text;
    """)
