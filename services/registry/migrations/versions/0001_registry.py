"""Households, persons, loans with their history, repayments, submissions and what does not match."""

from alembic import op

revision = "0001"
down_revision = None

# Keys compare byte by byte ("C"): faster, and the same order on every machine.
LOAN_STATE = """
    contract_no text, household_no text COLLATE "C", borrower_name text NOT NULL,
    identity_type text NOT NULL, identity_number text NOT NULL, region text COLLATE "C" NOT NULL, product text NOT NULL,
    principal numeric(18,2) NOT NULL, balance numeric(18,2) NOT NULL, annual_rate_percent numeric(9,6) NOT NULL,
    rate_type text, start_date date NOT NULL, due_date date NOT NULL, settled_date date, repayment_method text,
    purpose text, five_tier_class text NOT NULL, overdue_days integer NOT NULL,
    overdue_principal numeric(18,2) NOT NULL, overdue_interest numeric(18,2) NOT NULL, status text NOT NULL, branch text
"""
# `submission` and `line` say where the state was first read, `application` when it came in.
PROVENANCE = "as_of date NOT NULL, submission integer NOT NULL, sequence integer NOT NULL, line integer NOT NULL"


def upgrade() -> None:
    """Make the registry's tables."""
    op.execute(f"""
        CREATE TABLE registry.submission (
            number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            submission text NOT NULL UNIQUE,
            member text NOT NULL,
            kind text NOT NULL,
            as_of date NOT NULL,
            manifest jsonb NOT NULL,
            manifest_message text NOT NULL,
            status text NOT NULL CHECK (status IN ('receiving', 'accepted', 'refused')),
            received_at timestamptz NOT NULL,
            applied_at timestamptz,
            application integer UNIQUE,
            receipt jsonb
        );
        CREATE TABLE registry.submission_part (
            submission text NOT NULL,
            sequence integer NOT NULL,
            sha256 text NOT NULL,
            type text NOT NULL,
            records integer NOT NULL,
            message text NOT NULL,
            PRIMARY KEY (submission, sequence, sha256)
        );
        CREATE TABLE registry.rejection (
            submission integer NOT NULL REFERENCES registry.submission,
            line integer NOT NULL,
            field text NOT NULL,
            code text NOT NULL,
            reference text
        );
        CREATE INDEX rejection_submission ON registry.rejection (submission, line);

        CREATE TABLE registry.loan (
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL, {LOAN_STATE}, {PROVENANCE},
            application integer NOT NULL,
            -- The first ledger date, after the last that had the loan, that did not; null while it is reported.
            missing_since date,
            PRIMARY KEY (institution, loan_no)
        );
        CREATE INDEX loan_application ON registry.loan USING brin (application) WITH (pages_per_range = 16);
        CREATE TABLE registry.loan_history (
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL, {LOAN_STATE}, {PROVENANCE},
            PRIMARY KEY (institution, loan_no, as_of)
        );
        -- Spans of ledger dates [since, until) whose ledgers did not have the loan.
        CREATE TABLE registry.loan_absence (
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL,
            since date NOT NULL, until date NOT NULL,
            PRIMARY KEY (institution, loan_no, since), CHECK (since < until)
        );
        -- The dates an institution has reported for.
        CREATE TABLE registry.ledger (
            institution text COLLATE "C" NOT NULL, as_of date NOT NULL, submission integer NOT NULL,
            PRIMARY KEY (institution, as_of)
        );

        CREATE TABLE registry.person (
            household_no text COLLATE "C" NOT NULL, identity_number text COLLATE "C" NOT NULL, head_name text NOT NULL,
            person_name text NOT NULL, relation_to_head text NOT NULL, region text COLLATE "C" NOT NULL,
            category text NOT NULL, is_head text NOT NULL, health text, labour_skill text, household_size integer,
            annual_income numeric(18,2), phone text, account_last_four text, {PROVENANCE},
            missing_since date,
            PRIMARY KEY (household_no, identity_number)
        );
        CREATE INDEX person_identity_number ON registry.person (identity_number);
        CREATE TABLE registry.person_history (LIKE registry.person, PRIMARY KEY (household_no, identity_number, as_of));
        CREATE VIEW registry.household AS
            SELECT household_no, head_name, region, category, household_size, annual_income, as_of
            FROM registry.person WHERE is_head = 'yes' AND missing_since IS NULL;

        CREATE TABLE registry.repayment (
            institution text COLLATE "C" NOT NULL, transaction_no text COLLATE "C" NOT NULL,
            loan_no text COLLATE "C" NOT NULL, transaction_date date NOT NULL, principal numeric(18,2) NOT NULL,
            interest numeric(18,2) NOT NULL, channel text, {PROVENANCE},
            PRIMARY KEY (institution, transaction_no)
        );
        CREATE INDEX repayment_loan ON registry.repayment (institution, loan_no);

        -- What does not match is derived, so it is never out of date.
        CREATE VIEW registry.difference AS
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
                              JOIN registry.rejection r ON r.submission = g.submission AND r.reference = l.loan_no
                              WHERE g.institution = l.institution AND g.as_of = (
                                  SELECT max(as_of) FROM registry.ledger WHERE institution = l.institution))
          UNION ALL
            SELECT DISTINCT 'repayment_without_loan', r.institution, r.loan_no, NULL, NULL, r.as_of
            FROM registry.repayment r
            WHERE NOT EXISTS (SELECT FROM registry.loan l
                              WHERE l.institution = r.institution AND l.loan_no = r.loan_no);
    """)
