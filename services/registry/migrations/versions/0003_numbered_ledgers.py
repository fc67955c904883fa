"""What any file of a numbered ledger has rejected is not missing from it, in whatever order they came."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let `missing_with_balance` look at every numbered file of the newest date, not at the last to arrive."""
    op.execute("""
        CREATE OR REPLACE VIEW registry.difference_of_loans AS
            SELECT 'household_not_on_roster' AS kind, l.institution, l.loan_no, l.household_no, l.region, l.as_of
            FROM registry.loan l
            WHERE NOT EXISTS (SELECT FROM registry.household h WHERE h.household_no = l.household_no)
          UNION ALL
            SELECT 'borrower_not_in_household', l.institution, l.loan_no, l.household_no, l.region, l.as_of
            FROM registry.loan l
            WHERE l.identity_type = 'resident_identity_card'
              AND EXISTS (SELECT FROM registry.household h WHERE h.household_no = l.household_no)
              AND NOT EXISTS (SELECT FROM registry.person p WHERE p.household_no = l.household_no
                              AND p.identity_number = l.identity_number AND p.missing_since IS NULL)
          UNION ALL
            SELECT 'region_not_the_households', l.institution, l.loan_no, l.household_no, l.region, l.as_of
            FROM registry.loan l JOIN registry.household h ON h.household_no = l.household_no
            WHERE l.region NOT LIKE h.region || '%' AND h.region NOT LIKE l.region || '%'
          UNION ALL
            SELECT 'missing_with_balance', l.institution, l.loan_no, l.household_no, l.region, l.missing_since
            FROM registry.loan l WHERE l.missing_since IS NOT NULL AND l.balance > 0
              -- A row that was not taken is told of as rejected, by the ledger that had it.
              AND NOT EXISTS (SELECT FROM registry.ledger g
                              JOIN registry.submission s ON s.member = g.institution AND s.kind = 'loan_ledger'
                               AND s.as_of = g.as_of AND s.status = 'accepted'
                               AND (s.number = g.submission OR s.file_sequence IS NOT NULL)
                              JOIN registry.rejection r ON r.submission = s.number AND r.reference = l.loan_no
                              WHERE g.institution = l.institution AND g.as_of = (
                                  SELECT max(as_of) FROM registry.ledger WHERE institution = l.institution))
          UNION ALL
            SELECT DISTINCT 'repayment_without_loan', r.institution, r.loan_no, NULL, NULL, r.as_of
            FROM registry.repayment r
            WHERE NOT EXISTS (SELECT FROM registry.loan l
                              WHERE l.institution = r.institution AND l.loan_no = r.loan_no);
    """)
