"""The loans that earn a subsidy, what is asked for them, and what became of it."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.execute("""
        -- What others told, as steps that add up in any order: what holds on a day is the sum of the steps up to it.
        -- `number` says in which order they came.
        CREATE SEQUENCE subsidy.step;
        CREATE TABLE subsidy.loan_step (
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL, day date NOT NULL,
            household_no text COLLATE "C", region text COLLATE "C" NOT NULL, product text NOT NULL,
            principal numeric(18,2) NOT NULL, annual_rate_percent numeric NOT NULL, start_date date NOT NULL,
            due_date date NOT NULL, settled_date date, status text NOT NULL, signed date, continuation text,
            original_loan_no text COLLATE "C", n integer NOT NULL,
            number bigint NOT NULL DEFAULT nextval('subsidy.step')
        );
        CREATE INDEX loan_step_of ON subsidy.loan_step (institution, loan_no);
        CREATE INDEX loan_step_household ON subsidy.loan_step (household_no) WHERE household_no IS NOT NULL;
        -- By ledger: how a balance changed, by journal: what was repaid.
        CREATE TABLE subsidy.balance_step (
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL, day date NOT NULL,
            told_by text NOT NULL CHECK (told_by IN ('ledger', 'journal')), amount numeric(18,2) NOT NULL,
            number bigint NOT NULL DEFAULT nextval('subsidy.step')
        );
        CREATE INDEX balance_step_of ON subsidy.balance_step (institution, loan_no);
        CREATE TABLE subsidy.household_step (
            household_no text COLLATE "C" NOT NULL, day date NOT NULL, category text NOT NULL, n integer NOT NULL
        );
        CREATE INDEX household_step_of ON subsidy.household_step (household_no);
        CREATE TABLE subsidy.rating_step (
            borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL, day date NOT NULL, grade text,
            n integer NOT NULL
        );
        CREATE INDEX rating_step_of ON subsidy.rating_step (borrower_no);

        -- What stands of these is where the sum of `n` is above nought.
        CREATE TABLE subsidy.mark_change (
            borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL, source text NOT NULL,
            reference text NOT NULL, mark text NOT NULL, from_date text, until_date text, n integer NOT NULL
        );
        CREATE TABLE subsidy.application_change (
            application_no text COLLATE "C" NOT NULL, borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL,
            region text NOT NULL, institution text COLLATE "C" NOT NULL, policy text NOT NULL, product text NOT NULL,
            loan_no text COLLATE "C", n integer NOT NULL
        );
        CREATE INDEX application_change_loan ON subsidy.application_change (institution, loan_no)
            WHERE loan_no IS NOT NULL;
        CREATE TABLE subsidy.reservation_change (
            application_no text COLLATE "C" NOT NULL, attempt text NOT NULL, status text NOT NULL,
            covered text NOT NULL, n integer NOT NULL
        );
        CREATE TABLE subsidy.service_area_change (
            institution text COLLATE "C" NOT NULL, region text COLLATE "C" NOT NULL, from_date text NOT NULL,
            until_date text, n integer NOT NULL
        );
        CREATE TABLE subsidy.led_household_change (
            enterprise_no text COLLATE "C" NOT NULL, household_no text COLLATE "C" NOT NULL, from_date text NOT NULL,
            until_date text, n integer NOT NULL
        );
        CREATE INDEX led_household_change_of ON subsidy.led_household_change (enterprise_no);

        -- What is asked for a loan and period. `filed` is the order of filing; a later claim that overlaps an earlier
        -- one of its loan takes its place.
        CREATE TABLE subsidy.claim (
            filed bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL, borrower_no text COLLATE "C",
            period_start date NOT NULL, period_end date NOT NULL,
            principal_days numeric(18,2), annual_rate_percent numeric, interest numeric(18,2),
            amount numeric(18,2) NOT NULL, document text,
            -- Who asks, when, and where that can be looked up; the region of a township, null of a bank.
            member text COLLATE "C" NOT NULL, region text COLLATE "C", date date NOT NULL, entered date NOT NULL,
            message text NOT NULL, submission text, line integer, replaced_by bigint
        );
        CREATE INDEX claim_of ON subsidy.claim (institution, loan_no) WHERE replaced_by IS NULL;
        CREATE INDEX claim_period ON subsidy.claim (period_end) WHERE replaced_by IS NULL;

        -- To whom the subsidy of a loan is paid: the newest counts.
        CREATE TABLE subsidy.payee (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL,
            payee_name text NOT NULL, payee_account text NOT NULL, payee_bank text,
            date date NOT NULL, member text NOT NULL, person text, message text NOT NULL
        );
        CREATE INDEX payee_of ON subsidy.payee (institution, loan_no, number);

        -- The settlement periods whose last day lies from `since` until the day before `until` were computed.
        -- `known` is the newest step that was there.
        CREATE TABLE subsidy.run (
            run_no text COLLATE "C" PRIMARY KEY, period text NOT NULL, institution text COLLATE "C",
            since date NOT NULL, until date NOT NULL, known bigint NOT NULL, estimated boolean NOT NULL,
            date date NOT NULL, entered date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL
        );

        -- The rows of a policy that results rest on, each set once.
        CREATE TABLE subsidy.reading (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parameters jsonb NOT NULL,
            digest text NOT NULL UNIQUE
        );

        -- One loan and settlement period in one run; one with `adjusts` corrects the period of another one. Some
        -- hundred thousand are entered at once, each with its run, claim, reading and first step, by one program: the
        -- server is not asked to look each of them up.
        CREATE TABLE subsidy.item (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            run_no text COLLATE "C" NOT NULL,
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL,
            borrower text NOT NULL, borrower_no text COLLATE "C", household_no text COLLATE "C",
            region text COLLATE "C" NOT NULL, policy text NOT NULL, product text NOT NULL,
            -- The last day is the one before `period_end`.
            period_start date NOT NULL, period_end date NOT NULL,
            adjusts bigint REFERENCES subsidy.item, claim bigint, filed bigint,
            -- `own` is what the county computes; `waiting` what it would be if there were money.
            asked numeric(18,2), own numeric(18,2) NOT NULL, approved numeric(18,2),
            paid numeric(18,2) NOT NULL DEFAULT 0, waiting numeric(18,2) NOT NULL DEFAULT 0,
            by_payer jsonb NOT NULL, reasons jsonb NOT NULL, segments jsonb NOT NULL,
            reading bigint, policy_version text NOT NULL, estimated boolean NOT NULL,
            state text NOT NULL, revision bigint NOT NULL,
            CHECK (period_start < period_end), CHECK (own >= 0 OR adjusts IS NOT NULL)
        );
        -- Of a loan and period one stands, besides its adjustments: nothing is owed twice.
        CREATE UNIQUE INDEX item_stands ON subsidy.item (institution, loan_no, period_end)
            WHERE state <> 'replaced' AND adjusts IS NULL;
        CREATE INDEX item_of_loan ON subsidy.item (institution, loan_no);
        CREATE INDEX item_of_household ON subsidy.item (household_no) WHERE household_no IS NOT NULL;
        CREATE INDEX item_of_run ON subsidy.item USING brin (run_no) WITH (pages_per_range = 16);
        CREATE INDEX item_adjusts ON subsidy.item (adjusts) WHERE adjusts IS NOT NULL;

        -- What became of items, in order. Those of one message have one revision.
        CREATE TABLE subsidy.item_step (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            item bigint NOT NULL, move text NOT NULL,
            former_state text, former_approved numeric(18,2), former_paid numeric(18,2),
            state text NOT NULL, approved numeric(18,2), paid numeric(18,2) NOT NULL,
            -- Of effect and of entry.
            date date NOT NULL, entered date NOT NULL,
            member text NOT NULL, person text, message text, reason text, revision bigint NOT NULL
        );
        CREATE INDEX item_step_of ON subsidy.item_step (item);
        CREATE INDEX item_step_revision ON subsidy.item_step USING brin (revision) WITH (pages_per_range = 16);
        CREATE SEQUENCE subsidy.item_revision;
    """)
