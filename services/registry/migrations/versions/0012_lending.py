"""Which loan was lent on which confirmation, what differs, what goes on from what, and loans by household."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make indexes, views and the note of what was told."""
    # A ledger adds to summaries of pages, not to a tree: loading is hardly slower, and a household's loans are found
    # within a millisecond. What is stated of few loans has a tree of its own.
    for table in ("loan", "loan_history"):
        op.execute(f"""
            CREATE INDEX {table}_household ON registry.{table} USING brin (
                household_no text_bloom_ops (n_distinct_per_range = 1000, false_positive_rate = 0.002)
            ) WITH (pages_per_range = 16);
        """)
    op.execute("""
        CREATE INDEX loan_confirmation ON registry.loan (confirmation_no) WHERE confirmation_no IS NOT NULL;
        CREATE INDEX loan_original ON registry.loan (institution, original_loan_no) WHERE original_loan_no IS NOT NULL;
        CREATE INDEX loan_history_original ON registry.loan_history (institution, original_loan_no)
            WHERE original_loan_no IS NOT NULL;
        CREATE INDEX loan_enterprise ON registry.loan (identity_number)
            WHERE identity_type = 'unified_social_credit_code';
        CREATE INDEX application_loan ON registry.application (institution, loan_no) WHERE loan_no IS NOT NULL;

        -- Loans that go on from a known one of the same borrower: no new loans.
        CREATE VIEW registry.loan_going_on AS
            SELECT l.institution, l.loan_no, l.original_loan_no
            FROM registry.loan l
            JOIN registry.loan o ON o.institution = l.institution AND o.loan_no = l.original_loan_no
            WHERE l.original_loan_no IS NOT NULL AND l.original_loan_no <> l.loan_no
              AND l.continuation IN ('extension', 'renewal', 'moratorium')
              AND (o.household_no = l.household_no OR o.identity_number = l.identity_number)
              AND o.start_date <= l.start_date AND o.original_loan_no IS DISTINCT FROM l.loan_no;
        -- Loans as a borrower has them: one that goes on is one with that from which it does, and who was granted a
        -- moratorium is not overdue.
        CREATE VIEW registry.loan_once AS
            SELECT l.institution, l.loan_no, l.confirmation_no, l.household_no, l.identity_number, l.product,
                   l.principal, greatest(l.balance, o.balance) AS balance, l.start_date, l.due_date, l.five_tier_class,
                   CASE WHEN l.continuation = 'moratorium' THEN 0 ELSE greatest(l.overdue_days, o.overdue_days) END
                       AS overdue_days
            FROM registry.loan l LEFT JOIN LATERAL (
                SELECT o.balance, CASE WHEN o.continuation = 'moratorium' THEN 0 ELSE o.overdue_days END AS overdue_days
                FROM registry.loan_going_on g
                JOIN registry.loan o ON o.institution = g.institution AND o.loan_no = g.original_loan_no
                WHERE l.original_loan_no IS NOT NULL AND g.institution = l.institution AND g.loan_no = l.loan_no
            ) o ON true
            WHERE NOT EXISTS (SELECT FROM registry.loan_going_on g
                              WHERE g.institution = l.institution AND g.original_loan_no = l.loan_no);

        -- Policies that insurers state: one stands where the sum of its `n` is above nought.
        CREATE TABLE registry.insurance_change (
            insurer text COLLATE "C" NOT NULL, policy_no text COLLATE "C" NOT NULL, loan_no text COLLATE "C",
            household_no text COLLATE "C", start_date text, end_date text, n integer NOT NULL,
            -- That told it; entered as soon as it is counted.
            message text
        );
        CREATE INDEX insurance_change_without_message ON registry.insurance_change (insurer) WHERE message IS NULL;
        CREATE INDEX insurance_change_loan ON registry.insurance_change (loan_no) WHERE loan_no IS NOT NULL;
        CREATE INDEX insurance_change_household ON registry.insurance_change (household_no);
        CREATE VIEW registry.insured AS
            SELECT insurer, policy_no, loan_no, household_no, start_date::date, end_date::date,
                   max(message) FILTER (WHERE n > 0) AS message
            FROM registry.insurance_change GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) > 0;

        -- What was told of loans that go on from another: from `as_of` until the day before `until`.
        CREATE TABLE registry.continuation_told (
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL,
            original_loan_no text COLLATE "C" NOT NULL, as_of date NOT NULL, until date,
            region text COLLATE "C" NOT NULL, product text NOT NULL, principal numeric(18,2) NOT NULL,
            both_outstanding text NOT NULL,
            PRIMARY KEY (institution, loan_no, original_loan_no, as_of)
        );

        -- Of which difference its bank was told.
        CREATE TABLE registry.difference_told (
            number bigint GENERATED ALWAYS AS IDENTITY,
            kind text NOT NULL, institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL,
            reference text COLLATE "C" NOT NULL, detail text NOT NULL, region text NOT NULL, date date NOT NULL,
            PRIMARY KEY (institution, loan_no, kind, reference, detail)
        );
    """)
