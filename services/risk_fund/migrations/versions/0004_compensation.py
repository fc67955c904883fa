"""Cases of compensation, who paid and recovered what, and what is held against one another of each loss."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables; read the loans anew, with the terms by which the policy judges a loss."""
    op.execute("""
        ALTER TABLE risk_fund.loan_change
            ADD COLUMN product text, ADD COLUMN principal numeric(18,2), ADD COLUMN balance numeric(18,2),
            ADD COLUMN annual_rate_percent numeric, ADD COLUMN start_date date, ADD COLUMN due_date date,
            ADD COLUMN signed date, ADD COLUMN status text;
        CREATE INDEX loan_change_of_household ON risk_fund.loan_change (household_no) WHERE household_no IS NOT NULL;
        CREATE INDEX application_change_of_loan ON risk_fund.application_change (loan_no) WHERE loan_no IS NOT NULL;

        -- What insurers' policies and claims are about: one stands where the sum of its `n` is above nought.
        CREATE TABLE risk_fund.policy_change (
            insurer text COLLATE "C" NOT NULL, policy_no text COLLATE "C" NOT NULL, household_no text COLLATE "C",
            loan_no text COLLATE "C", n integer NOT NULL
        );
        CREATE INDEX policy_change_of_policy ON risk_fund.policy_change (insurer, policy_no);
        CREATE INDEX policy_change_of_loan ON risk_fund.policy_change (loan_no) WHERE loan_no IS NOT NULL;
        CREATE TABLE risk_fund.claim_change (
            insurer text COLLATE "C" NOT NULL, claim_no text COLLATE "C" NOT NULL, policy_no text COLLATE "C" NOT NULL,
            loan_no text COLLATE "C", status text NOT NULL, amount numeric(18,2) NOT NULL, n integer NOT NULL
        );

        -- Money is kept by party; what others said is kept as they said it. `facts` is what the policy was asked.
        CREATE TABLE risk_fund.compensation_case (
            claim_no text COLLATE "C" PRIMARY KEY, borrower text NOT NULL, borrower_no text COLLATE "C",
            household_no text COLLATE "C", region text COLLATE "C" NOT NULL, institution text COLLATE "C" NOT NULL,
            loan_no text COLLATE "C" NOT NULL, policy text NOT NULL, policy_version text NOT NULL,
            product text NOT NULL, filed_by text NOT NULL, entered_member text NOT NULL, entered_person text,
            message text NOT NULL,
            applied date NOT NULL, entered date NOT NULL, overdue_since date NOT NULL,
            principal numeric(18,2) NOT NULL CHECK (principal > 0), interest numeric(18,2) NOT NULL,
            cause text NOT NULL, insurance_claimed numeric(18,2) NOT NULL, collections integer, evidence text,
            signed text NOT NULL,
            state text NOT NULL, stage text, stage_since date NOT NULL, due date, chased date,
            insurance_paid numeric(18,2) NOT NULL, insurance_policy_no text, insurance_claim_no text,
            recovered_before numeric(18,2) NOT NULL, recovered numeric(18,2) NOT NULL CHECK (recovered >= 0),
            covered numeric(18,2), shares jsonb NOT NULL, paid jsonb NOT NULL, recovery_shares jsonb NOT NULL,
            returned jsonb NOT NULL, return_by date, return_chased date, fund_due date, decided date, paid_date date,
            refusals jsonb NOT NULL, facts jsonb NOT NULL, calculation jsonb NOT NULL, reason text,
            CHECK (state IN ('in_review', 'returned', 'approved', 'paid', 'recovered', 'written_off', 'refused'))
        );
        -- A loss is made good once: whatever a service does, a loan has one case that was not refused.
        CREATE UNIQUE INDEX compensation_case_of_loan ON risk_fund.compensation_case (institution, loan_no)
            WHERE state <> 'refused';
        CREATE INDEX compensation_case_of_household ON risk_fund.compensation_case (household_no);
        CREATE SEQUENCE risk_fund.compensation_revision;

        -- What became of cases, in order; `date` is the day of effect, `entered` the day on which it was noted.
        CREATE TABLE risk_fund.compensation_step (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            claim_no text COLLATE "C" NOT NULL REFERENCES risk_fund.compensation_case DEFERRABLE INITIALLY DEFERRED,
            move text NOT NULL, state text NOT NULL, date date NOT NULL, entered date NOT NULL, member text NOT NULL,
            person text, message text, step text, decision text, back_to text, reason text, party text,
            amount numeric(18,2), reference text, document text, snapshot jsonb
        );
        CREATE INDEX compensation_step_of ON risk_fund.compensation_step (claim_no, number);

        -- What banks recovered, as they said it last.
        CREATE TABLE risk_fund.recovery (
            institution text COLLATE "C" NOT NULL, transaction_no text COLLATE "C" NOT NULL,
            loan_no text COLLATE "C" NOT NULL, recovered_date date NOT NULL, principal numeric(18,2) NOT NULL,
            interest numeric(18,2) NOT NULL, entered date NOT NULL, member text NOT NULL, message text NOT NULL,
            PRIMARY KEY (institution, transaction_no)
        );
        CREATE INDEX recovery_of_loan ON risk_fund.recovery (institution, loan_no);
        CREATE TABLE risk_fund.collection (
            collection_no text COLLATE "C" PRIMARY KEY, institution text COLLATE "C" NOT NULL,
            loan_no text COLLATE "C" NOT NULL, kind text NOT NULL, result text NOT NULL, document text,
            date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL
        );
        CREATE INDEX collection_of_loan ON risk_fund.collection (institution, loan_no);

        -- Shares paid, recoveries handed back, losses written off; the fund's part has its entry of the same number.
        CREATE TABLE risk_fund.case_movement (
            number text COLLATE "C" PRIMARY KEY, kind text NOT NULL CHECK (kind IN ('payment', 'return', 'write_off')),
            claim_no text COLLATE "C" NOT NULL REFERENCES risk_fund.compensation_case, party text NOT NULL,
            institution text COLLATE "C", amount numeric(18,2) NOT NULL CHECK (amount > 0),
            effective_date date NOT NULL, reason text, date date NOT NULL, entered date NOT NULL, member text NOT NULL,
            person text NOT NULL, message text NOT NULL
        );
        CREATE INDEX case_movement_of ON risk_fund.case_movement (claim_no);
        CREATE VIEW risk_fund.case_payment AS
            SELECT m.*, CASE WHEN m.party <> 'fund' THEN 'booked' WHEN r.entry_no IS NOT NULL THEN 'reversed'
                             ELSE coalesce(e.state, 'entered') END AS state
            FROM risk_fund.case_movement m LEFT JOIN risk_fund.fund_entry e ON e.entry_no = m.number
            LEFT JOIN risk_fund.fund_entry r ON r.reference = e.entry_no AND r.state = 'booked';

        -- Loans are read anew, with their terms; policies and claims as the insurers' service tells them.
        SELECT pg_advisory_xact_lock(hashtextextended('huilian.apply', 0));
        DELETE FROM risk_fund.loan_change;
        INSERT INTO risk_fund.loan_change
            (institution, loan_no, household_no, region, product, principal, balance,
             annual_rate_percent, start_date, due_date, signed,
             status, n)
        SELECT institution, loan_no, household_no, region, product, principal, balance,
               annual_rate_percent, start_date, due_date, signed,
               status, 1 FROM registry.loan;
        DELETE FROM risk_fund.bank_balance;
        INSERT INTO risk_fund.bank_balance SELECT institution, sum(balance) FROM registry.loan GROUP BY institution;
        INSERT INTO huilian.inbox (service, source, message, handled_at)
            SELECT 'risk_fund', source, id, now() FROM huilian.message WHERE type = 'loans_changed'
            ON CONFLICT DO NOTHING;
    """)
