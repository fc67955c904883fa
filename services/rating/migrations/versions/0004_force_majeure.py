"""The insurers' claims of loans, to know which of them force majeure has struck."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables of what insurance tells; `huilian rebuild rating` brings what was told before."""
    op.execute("""
        CREATE TABLE rating.policy_change (
            insurer text COLLATE "C" NOT NULL, policy_no text COLLATE "C" NOT NULL,
            household_no text COLLATE "C" NOT NULL, n integer NOT NULL
        );
        CREATE INDEX policy_change_of_household ON rating.policy_change (household_no);
        CREATE TABLE rating.claim_change (
            insurer text COLLATE "C" NOT NULL, claim_no text COLLATE "C" NOT NULL,
            policy_no text COLLATE "C" NOT NULL, loan_no text COLLATE "C", force_majeure text NOT NULL,
            status text NOT NULL, n integer NOT NULL
        );
        CREATE INDEX claim_change_of_loan ON rating.claim_change (loan_no) WHERE force_majeure = 'yes';
    """)
