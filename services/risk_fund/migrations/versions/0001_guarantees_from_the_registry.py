"""The guarantee book, which the registry kept before, and which loans there are."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Take the registry's tables over as they are, with all that is in them."""
    for name in ("guarantee", "guarantee_compensation", "guarantee_release"):
        op.execute(f"ALTER TABLE registry.{name} SET SCHEMA risk_fund")
        op.execute(f"ALTER VIEW registry.newest_{name} SET SCHEMA risk_fund")
    op.execute("ALTER VIEW registry.guarantee_in_force SET SCHEMA risk_fund")
    op.execute("""
        -- A loan is there where the sum of its `n` is above nought. Only ever appended to.
        CREATE TABLE risk_fund.loan_change (
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL, household_no text COLLATE "C",
            region text COLLATE "C" NOT NULL, n integer NOT NULL
        );
        INSERT INTO risk_fund.loan_change SELECT institution, loan_no, household_no, region, 1 FROM registry.loan;
        -- What was told of loans so far is in there, wherever it still is on its way.
        INSERT INTO huilian.inbox (service, source, message, handled_at)
            SELECT 'risk_fund', source, id, now() FROM huilian.message WHERE type = 'loans_changed';
    """)
