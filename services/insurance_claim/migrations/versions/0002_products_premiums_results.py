"""Products, premiums that were paid, when claims are due, settled results, and which loans should be covered."""

from alembic import op

revision = "0002"
down_revision = "0001"

TAKEN = "date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL"


def upgrade() -> None:
    """Make the tables, and read the loans anew with what tells whether they are to be covered."""
    op.execute(f"""
        CREATE TABLE insurance_claim.product (
            institution text COLLATE "C" NOT NULL, product text COLLATE "C" NOT NULL, title text NOT NULL,
            kind text NOT NULL, cover text, from_date date NOT NULL, until_date date, {TAKEN},
            PRIMARY KEY (institution, product, from_date)
        );
        CREATE TABLE insurance_claim.premium_payment (
            payment_no text COLLATE "C" PRIMARY KEY, institution text COLLATE "C" NOT NULL, payer text NOT NULL,
            policy_no text COLLATE "C", amount numeric(18,2) NOT NULL CHECK (amount > 0), paid_date date NOT NULL,
            -- A payment is taken back once.
            reverses text COLLATE "C" UNIQUE REFERENCES insurance_claim.premium_payment, document text, {TAKEN}
        );
        -- Until when an insurer pays by the plan, counted from the day of the first word of the claim.
        CREATE TABLE insurance_claim.payout_due (
            member text COLLATE "C" NOT NULL, claim_no text COLLATE "C" NOT NULL, filed date NOT NULL, due date,
            late_since date,
            PRIMARY KEY (member, claim_no)
        );
        -- What was decided of an insurer's result of a period, in order; the newest that was approved holds.
        CREATE TABLE insurance_claim.settlement (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, institution text COLLATE "C" NOT NULL,
            period text COLLATE "C" NOT NULL, first_day date NOT NULL, last_day date NOT NULL,
            premiums numeric(18,2) NOT NULL, claims numeric(18,2) NOT NULL, decision text NOT NULL, reason text,
            fund_share numeric(18,2) NOT NULL, insurer_share numeric(18,2) NOT NULL, returned numeric(18,2) NOT NULL,
            shares jsonb NOT NULL, parameters jsonb NOT NULL, policy text NOT NULL, approved date NOT NULL, {TAKEN}
        );
        CREATE INDEX settlement_of ON insurance_claim.settlement (institution, period, number);
        CREATE VIEW insurance_claim.settled AS
            SELECT DISTINCT ON (institution, period) * FROM insurance_claim.settlement WHERE decision = 'approve'
            ORDER BY institution, period, number DESC;
        -- What the fund tells of cases of compensation; one is there where the sum of its `n` is above nought.
        CREATE TABLE insurance_claim.compensation_change (
            claim_no text COLLATE "C" NOT NULL, institution text COLLATE "C" NOT NULL,
            loan_no text COLLATE "C" NOT NULL, household_no text COLLATE "C", region text COLLATE "C" NOT NULL,
            fund_paid text NOT NULL, n integer NOT NULL
        );
        CREATE INDEX compensation_change_of_loan ON insurance_claim.compensation_change (loan_no);

        SELECT pg_advisory_xact_lock(hashtextextended('huilian.apply', 0));
        ALTER TABLE insurance_claim.loan_change ADD COLUMN status text, ADD COLUMN start_date text;
        DELETE FROM insurance_claim.loan_change;
        INSERT INTO insurance_claim.loan_change (institution, loan_no, household_no, region, status, start_date, n)
            SELECT institution, loan_no, household_no, region, status, start_date::text, 1 FROM registry.loan;
        INSERT INTO huilian.inbox (service, source, message, handled_at)
            SELECT 'insurance_claim', source, id, now() FROM huilian.message WHERE type = 'loans_changed'
            ON CONFLICT DO NOTHING;
    """)
