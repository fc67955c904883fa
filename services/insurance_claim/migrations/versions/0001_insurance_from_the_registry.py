"""Policies, claims and results, which the registry kept before, and the loans that there are."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Take the registry's tables over as they are, with all that is in them."""
    for name in ("policy", "claim", "period_result"):
        op.execute(f"ALTER TABLE registry.{name} SET SCHEMA insurance_claim")
        op.execute(f"ALTER VIEW registry.newest_{name} SET SCHEMA insurance_claim")
    op.execute("""
        -- A loan is there, with this household and region, where the sum of `n` is above nought. Only ever appended to.
        CREATE TABLE insurance_claim.loan_change (
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL, household_no text COLLATE "C",
            region text COLLATE "C" NOT NULL, n integer NOT NULL
        );
        INSERT INTO insurance_claim.loan_change SELECT institution, loan_no, household_no, region, 1 FROM registry.loan;
        -- What was told of loans so far is in there, wherever it still is on its way.
        INSERT INTO huilian.inbox (service, source, message, handled_at)
            SELECT 'insurance_claim', source, id, now() FROM huilian.message WHERE type = 'loans_changed';
    """)
