"""Submissions move to the kernel, with their numbers, receipts, batches and rejections.

They are copied, not moved as tables: the kernel's tables are its owner's, who touches none that the services' role
could have laid a trigger on.
"""

import re

from alembic import op

revision = "0005"
down_revision = "0004"

SUBMISSION = (
    "number, submission, member, kind, as_of, manifest, manifest_message, status, received_at, applied_at,"
    " application, receipt"
)
PART = "submission, sequence, sha256, type, records, message"
REJECTION = "submission, line, field, code, reference"
STAGED = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'registry' AND tablename ~ '^staged_[0-9]+'"


def upgrade() -> None:
    """Copy them, let the registry's views read them where they are now, and take away what was theirs here."""
    op.execute(f"""
        INSERT INTO huilian.submission ({SUBMISSION}) OVERRIDING SYSTEM VALUE
            SELECT {SUBMISSION} FROM registry.submission ORDER BY number;
        INSERT INTO huilian.submission_part ({PART}) SELECT {PART} FROM registry.submission_part;
        INSERT INTO huilian.rejection ({REJECTION}) SELECT {REJECTION} FROM registry.rejection;
        DROP VIEW registry.file_gap;
    """)
    connection = op.get_bind()
    for view in ("difference_of_loans", "guarantee_in_force"):
        definition = str(connection.exec_driver_sql(f"SELECT pg_get_viewdef('registry.{view}')").scalar())
        definition = re.sub(r"\bregistry\.(submission|rejection)\b", r"huilian.\1", definition)
        op.execute(f"CREATE OR REPLACE VIEW registry.{view} AS {definition}")
    op.execute("DROP TABLE registry.rejection, registry.submission_part, registry.submission")
    # What was staged is staged again from the kept messages, by the service that owns the kind.
    for (table,) in connection.exec_driver_sql(STAGED).fetchall():
        op.execute(f"DROP TABLE registry.{table}")
