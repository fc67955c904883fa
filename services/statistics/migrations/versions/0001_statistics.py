"""Roll-ups by village, institution, product, month and due month; households; who has reported."""

from alembic import op

revision = "0001"
down_revision = None

CELL = """
    region text COLLATE "C" NOT NULL, institution text COLLATE "C" NOT NULL, product text COLLATE "C" NOT NULL,
    month date NOT NULL
"""


def upgrade() -> None:
    """Make the statistics' tables."""
    op.execute(f"""
        -- What changed in a month; a month's figures are the sum up to it. Money in fen.
        CREATE TABLE statistics.roll_up (
            {CELL}, due_month date NOT NULL,
            loans bigint NOT NULL, lent bigint NOT NULL, balance bigint NOT NULL, overdue_balance bigint NOT NULL,
            bad_balance bigint NOT NULL, repaid bigint NOT NULL,
            PRIMARY KEY (region, institution, product, month, due_month)
        );
        -- Households are counted once however many loans they hold, so they cannot be summed up
        -- beforehand: this keeps by how many its loans with a balance changed. Only ever appended to.
        CREATE TABLE statistics.household_change (
            {CELL}, household_no text COLLATE "C" NOT NULL, loans integer NOT NULL
        );
        CREATE TABLE statistics.report (
            institution text COLLATE "C" NOT NULL, as_of date NOT NULL, PRIMARY KEY (institution, as_of)
        );
        CREATE TABLE statistics.change_part (
            submission text NOT NULL, sequence integer NOT NULL, total integer, message text NOT NULL,
            PRIMARY KEY (submission, sequence)
        );
        CREATE TABLE statistics.folded (submission text PRIMARY KEY);
    """)
