"""Marks of borrowers: what the blacklist and force majeure come to, and what was told of it."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the view of what stands and the table of what was told; `huilian rebuild registry` brings earlier marks."""
    op.execute("""
        CREATE INDEX policy_change_of_policy ON rating.policy_change (policy_no);
        CREATE INDEX claim_change_struck ON rating.claim_change (claim_no) WHERE force_majeure = 'yes';
        CREATE VIEW rating.mark AS
            -- An entry that ended on the day it began was taken back.
            SELECT borrower, borrower_no, member AS source, entry_no AS reference,
                   CASE malicious WHEN 'yes' THEN 'blacklisted_maliciously' ELSE 'blacklisted' END AS mark,
                   NULL::text AS institution, NULL::text AS loan_no, from_date, until_date
            FROM rating.blacklist WHERE until_date IS NULL OR until_date > from_date
          UNION ALL
            SELECT borrower, borrower_no, member, reference, 'force_majeure', institution, loan_no, date, NULL
            FROM rating.deed WHERE deed = 'force_majeure'
          UNION ALL
            -- A claim does not name the bank: household and number are the loan's.
            SELECT 'household', p.household_no, c.insurer, c.claim_no, 'force_majeure', NULL, c.loan_no, NULL, NULL
            FROM rating.claim_change c JOIN rating.policy_change p
              ON p.insurer = c.insurer AND p.policy_no = c.policy_no
            WHERE c.force_majeure = 'yes' AND c.status <> 'declined' AND c.loan_no IS NOT NULL
            GROUP BY c.insurer, c.claim_no, c.loan_no, p.household_no HAVING sum(c.n) > 0 AND sum(p.n) > 0;
        CREATE TABLE rating.mark_told (
            borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL, source text COLLATE "C" NOT NULL,
            reference text COLLATE "C" NOT NULL, mark text NOT NULL, institution text COLLATE "C",
            loan_no text COLLATE "C", from_date date, until_date date
        );
        CREATE INDEX mark_told_of_borrower ON rating.mark_told (borrower_no);
        CREATE INDEX mark_told_by_reference ON rating.mark_told (reference);
        CREATE SEQUENCE rating.mark_revision;
        INSERT INTO rating.mark_told SELECT * FROM rating.mark;
    """)
