"""A message is known by its source and id: whoever makes up another member's id stands in nobody's way."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Have every table that names a message name its source too."""
    op.execute("""
        ALTER TABLE huilian.inbox DROP CONSTRAINT inbox_message_fkey;
        ALTER TABLE huilian.outbox DROP CONSTRAINT outbox_message_fkey, DROP CONSTRAINT outbox_message_key;
        ALTER TABLE huilian.outgoing DROP CONSTRAINT outgoing_message_fkey;
        ALTER TABLE huilian.message DROP CONSTRAINT message_pkey, ADD PRIMARY KEY (source, id);

        ALTER TABLE huilian.inbox ADD COLUMN source text;
        UPDATE huilian.inbox i SET source = m.source FROM huilian.message m WHERE m.id = i.message;
        ALTER TABLE huilian.inbox ALTER COLUMN source SET NOT NULL,
            DROP CONSTRAINT inbox_pkey, ADD PRIMARY KEY (service, source, message),
            ADD FOREIGN KEY (source, message) REFERENCES huilian.message (source, id);

        ALTER TABLE huilian.outbox ADD COLUMN source text;
        UPDATE huilian.outbox o SET source = m.source FROM huilian.message m WHERE m.id = o.message;
        ALTER TABLE huilian.outbox ALTER COLUMN source SET NOT NULL, ADD UNIQUE (source, message),
            ADD FOREIGN KEY (source, message) REFERENCES huilian.message (source, id);

        -- Only the platform's own messages are addressed to members.
        ALTER TABLE huilian.outgoing ADD COLUMN source text NOT NULL DEFAULT 'HUILIAN' CHECK (source = 'HUILIAN'),
            ADD FOREIGN KEY (source, message) REFERENCES huilian.message (source, id);
    """)
