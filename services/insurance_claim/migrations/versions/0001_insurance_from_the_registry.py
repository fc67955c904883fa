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
        -- The ledgers whose changes were in `loan_change` before their messages came.
        CREATE TABLE insurance_claim.told (submission text PRIMARY KEY);
        INSERT INTO insurance_claim.loan_change SELECT institution, loan_no, household_no, region, 1 FROM registry.loan;
        INSERT INTO insurance_claim.told
            SELECT submission FROM huilian.submission WHERE kind = 'loan_ledger' AND status = 'accepted';
    """)
