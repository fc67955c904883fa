"""Which loan was lent on which confirmation, what differs, what goes on from what, and loans by household."""

from alembic import op

revision = "0012"
down_revision = "0011"

CONFIRMED = "{0}.confirmed IS NOT NULL AND {0}.state IN ('confirmed', 'lent', 'completed', 'expired')"
NOT_ANOTHERS = """NOT EXISTS (SELECT FROM registry.application o WHERE o.institution = l.institution
                                AND o.loan_no = l.loan_no AND o.application_no <> a.application_no)"""
# A code padded with zeros means the shorter one.
WITHIN = "starts_with(l.region, left(s.region, 6) || regexp_replace(substr(s.region, 7), '(000)+$', ''))"
GOES_ON = "EXISTS (SELECT FROM registry.loan_going_on g WHERE g.institution = l.institution AND g.loan_no = l.loan_no)"
# What is told of a loan that differs, with what was confirmed.
DIFFERS = """
    concat_ws('；',
        CASE WHEN l.principal > a.amount THEN format('金额 %s，确认 %s', l.principal, a.amount) END,
        CASE WHEN l.continuation IS DISTINCT FROM 'extension' AND l.continuation IS DISTINCT FROM 'moratorium'
              AND (l.due_date > l.start_date + make_interval(months => a.term)
                   OR l.due_date <= l.start_date + make_interval(months => a.term - 1))
             THEN format('期限 %s 至 %s，确认 %s 个月', l.start_date, l.due_date, a.term) END,
        CASE WHEN l.annual_rate_percent <> a.annual_rate_percent
             THEN format('年利率 %s%%，确认 %s%%', trim_scale(l.annual_rate_percent), trim_scale(a.annual_rate_percent))
        END,
        CASE WHEN l.institution <> a.institution THEN format('银行 %s，确认 %s', l.institution, a.institution) END,
        CASE WHEN a.borrower = 'household' AND l.household_no IS DISTINCT FROM a.borrower_no
             THEN format('户 %s，确认 %s', coalesce(l.household_no, '未列'), a.borrower_no)
             WHEN l.identity_number <> coalesce(a.applicant, a.borrower_no) THEN '借款人不是申请人' END,
        CASE WHEN l.confirmation_no <> a.confirmation_no
             THEN format('确认编号 %s，确认 %s', l.confirmation_no, a.confirmation_no) END,
        CASE WHEN l.start_date > a.valid_until
             THEN format('放款 %s，确认有效期至 %s', l.start_date, a.valid_until) END)
"""


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
    op.execute(f"""
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
            SELECT l.institution, l.loan_no, l.household_no, l.identity_number, l.product, l.principal,
                   greatest(l.balance, o.balance) AS balance, l.start_date, l.due_date, l.five_tier_class,
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

        -- Which loan may be the loan of which confirmed application: it states the number, or states none that is
        -- known and has bank and borrower.
        CREATE VIEW registry.loan_fitting AS
            SELECT f.application_no, f.is_stated, l.institution, l.loan_no FROM (
                SELECT a.application_no, true AS is_stated, l.institution, l.loan_no
                FROM registry.application a JOIN registry.loan l ON l.confirmation_no = a.confirmation_no
                WHERE {CONFIRMED.format("a")}
              UNION ALL
                SELECT a.application_no, false, l.institution, l.loan_no
                FROM registry.application a
                JOIN registry.loan l ON l.household_no = a.borrower_no AND l.identity_number = a.applicant
                 AND l.institution = a.institution
                WHERE a.borrower = 'household' AND {CONFIRMED.format("a")}
                  AND NOT EXISTS (SELECT FROM registry.application o
                                  WHERE o.confirmation_no = l.confirmation_no AND {CONFIRMED.format("o")})
              UNION ALL
                SELECT a.application_no, false, l.institution, l.loan_no
                FROM registry.application a JOIN registry.loan l ON l.identity_number = a.borrower_no
                 AND l.identity_type = 'unified_social_credit_code' AND l.institution = a.institution
                WHERE a.borrower = 'enterprise' AND {CONFIRMED.format("a")}
                  AND NOT EXISTS (SELECT FROM registry.application o
                                  WHERE o.confirmation_no = l.confirmation_no AND {CONFIRMED.format("o")})
            ) f JOIN registry.loan l ON l.institution = f.institution AND l.loan_no = f.loan_no
            WHERE NOT {GOES_ON};
        -- The loans that fall on a confirmation on which one was lent, that one among them. A product is compared by
        -- the bank's own code: what its other codes mean only who matches them knows.
        CREATE VIEW registry.loan_drawn AS
            SELECT a.application_no, a.confirmation_no, a.confirmed, a.amount, a.loan_no AS lent,
                   l.institution, l.loan_no, sum(l.principal) OVER (PARTITION BY a.application_no) AS drawn
            FROM registry.loan_fitting f
            JOIN registry.application a ON a.application_no = f.application_no AND a.institution = f.institution
            JOIN registry.loan l ON l.institution = f.institution AND l.loan_no = f.loan_no
            WHERE a.loan_no IS NOT NULL AND {NOT_ANOTHERS} AND (
                l.loan_no = a.loan_no OR f.is_stated
                OR (l.start_date BETWEEN a.confirmed AND coalesce(a.valid_until, 'infinity')
                    AND (a.bank_product IS NULL OR a.bank_product = l.product)));

        CREATE VIEW registry.difference_of_lending AS
            SELECT 'two_loans_on_one_confirmation' AS kind, l.institution, l.loan_no, l.household_no, l.region, l.as_of,
                   d.confirmation_no AS reference,
                   format('已放款借据 %s，合计 %s，确认 %s', d.lent, d.drawn, d.amount) AS detail
            FROM (SELECT DISTINCT ON (institution, loan_no) * FROM registry.loan_drawn WHERE loan_no <> lent
                  ORDER BY institution, loan_no, confirmed DESC, application_no) d
            JOIN registry.loan l ON l.institution = d.institution AND l.loan_no = d.loan_no
            WHERE d.drawn > d.amount
          UNION ALL
            SELECT 'loan_before_confirmation', l.institution, l.loan_no, l.household_no, l.region, l.as_of,
                   a.confirmation_no, format('放款 %s，确认 %s', l.start_date, a.confirmed)
            FROM registry.application a
            JOIN registry.loan l ON l.institution = a.institution AND l.loan_no = a.loan_no
            WHERE l.start_date < a.confirmed
          UNION ALL
            SELECT 'loan_differs_from_confirmation', institution, loan_no, household_no, region, as_of, confirmed_no,
                   differs
            FROM (
                SELECT l.*, a.confirmation_no AS confirmed_no, {DIFFERS} AS differs
                FROM registry.application a
                JOIN registry.loan l ON l.institution = a.institution AND l.loan_no = a.loan_no
              UNION ALL
                SELECT l.*, a.confirmation_no, {DIFFERS}
                FROM registry.loan_fitting f JOIN registry.application a ON a.application_no = f.application_no
                JOIN registry.loan l ON l.institution = f.institution AND l.loan_no = f.loan_no
                WHERE f.institution <> a.institution
            ) held WHERE differs <> ''
          UNION ALL
            SELECT CASE WHEN later.application_no IS NULL THEN 'loan_without_confirmation'
                        ELSE 'loan_before_confirmation' END,
                   l.institution, l.loan_no, l.household_no, l.region, l.as_of,
                   coalesce(later.confirmation_no, l.confirmation_no),
                   format('放款 %s，', l.start_date) || CASE WHEN later.application_no IS NULL THEN '没有可以对应的确认'
                       ELSE format('确认 %s', later.confirmed) END
            FROM registry.loan l LEFT JOIN LATERAL (
                SELECT a.application_no, a.confirmation_no, a.confirmed FROM registry.loan_fitting f
                JOIN registry.application a ON a.application_no = f.application_no
                WHERE f.institution = l.institution AND f.loan_no = l.loan_no AND NOT f.is_stated
                  AND l.start_date < a.confirmed AND (a.bank_product IS NULL OR a.bank_product = l.product)
                ORDER BY a.confirmed, a.application_no LIMIT 1
            ) later ON true
            WHERE EXISTS (SELECT FROM registry.application_start s
                          WHERE {WITHIN} AND l.start_date >= s.from_date)
              AND NOT {GOES_ON}
              AND NOT EXISTS (SELECT FROM registry.application a
                              WHERE a.institution = l.institution AND a.loan_no = l.loan_no)
              AND NOT EXISTS (SELECT FROM registry.loan_drawn d
                              WHERE d.institution = l.institution AND d.loan_no = l.loan_no)
              AND NOT EXISTS (SELECT FROM registry.loan_fitting f
                              JOIN registry.application a ON a.application_no = f.application_no
                              WHERE f.institution = l.institution AND f.loan_no = l.loan_no
                                AND f.institution <> a.institution)
          UNION ALL
            SELECT 'loan_in_suspended_area', l.institution, l.loan_no, l.household_no, l.region, l.as_of,
                   s.suspension_no, format('放款 %s，停贷 %s 起', l.start_date, s.from_date)
            FROM registry.lending_suspension s
            JOIN registry.loan l ON {WITHIN} AND l.start_date >= s.from_date
             AND (s.until_date IS NULL OR l.start_date < s.until_date)
             AND (s.institution IS NULL OR s.institution = l.institution)
            -- The bank's codes of products are not the policy's: which one a loan is of, its application says.
            WHERE NOT {GOES_ON} AND (s.product IS NULL OR EXISTS (
                SELECT FROM registry.application a
                WHERE a.institution = l.institution AND a.loan_no = l.loan_no AND a.product = s.product))
          UNION ALL
            SELECT 'continuation_without_original', l.institution, l.loan_no, l.household_no, l.region, l.as_of,
                   l.original_loan_no, NULL
            FROM registry.loan l
            WHERE l.continuation IN ('extension', 'renewal', 'moratorium') AND NOT {GOES_ON}
              AND CASE WHEN l.original_loan_no IS NULL THEN l.continuation = 'renewal'
                       ELSE l.original_loan_no <> l.loan_no END;

        CREATE OR REPLACE VIEW registry.difference AS
            SELECT kind, institution, loan_no, household_no, region, as_of, NULL::text COLLATE "C" AS reference,
                   NULL::text AS detail
            FROM registry.difference_of_loans
          UNION ALL
            SELECT 'loan_number_at_two_banks', l.institution, l.loan_no, l.household_no, l.region, l.as_of, NULL, NULL
            FROM registry.loan l
            WHERE EXISTS (SELECT FROM registry.loan o
                          WHERE o.loan_no = l.loan_no AND o.institution <> l.institution)
          UNION ALL
            SELECT kind, institution, loan_no, household_no, region, as_of, reference, detail
            FROM registry.difference_of_lending;

        -- Policies that insurers state: one stands where the sum of its `n` is above nought.
        CREATE TABLE registry.insurance_change (
            insurer text COLLATE "C" NOT NULL, policy_no text COLLATE "C" NOT NULL, loan_no text COLLATE "C",
            household_no text COLLATE "C", start_date text, end_date text, n integer NOT NULL
        );
        CREATE INDEX insurance_change_loan ON registry.insurance_change (loan_no) WHERE loan_no IS NOT NULL;
        CREATE INDEX insurance_change_household ON registry.insurance_change (household_no);
        CREATE VIEW registry.insured AS
            SELECT insurer, policy_no, loan_no, household_no, start_date::date, end_date::date
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
