"""What does not match of guarantees and insurance is for the services to tell that own these."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Leave of the differences those of loans and repayments."""
    op.execute("""
        CREATE OR REPLACE VIEW registry.difference AS
            SELECT kind, institution, loan_no, household_no, region, as_of, NULL::text COLLATE "C" AS reference
            FROM registry.difference_of_loans
          UNION ALL
            SELECT 'loan_number_at_two_banks', l.institution, l.loan_no, l.household_no, l.region, l.as_of, NULL
            FROM registry.loan l
            WHERE EXISTS (SELECT FROM registry.loan o
                          WHERE o.loan_no = l.loan_no AND o.institution <> l.institution);
    """)
