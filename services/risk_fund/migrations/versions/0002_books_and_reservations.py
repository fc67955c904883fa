"""The fund's books, what it reserves for applications, and the balances that banks have lent."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables; what the database can hold to, it holds to."""
    op.execute("""
        -- What persons entered and others approved; it is booked when it is approved.
        CREATE TABLE risk_fund.fund_entry (
            entry_no text COLLATE "C" PRIMARY KEY, kind text NOT NULL, state text NOT NULL DEFAULT 'entered',
            institution text COLLATE "C" NOT NULL, party text NOT NULL,
            amount numeric(18,2) NOT NULL CHECK (amount > 0),
            effective date NOT NULL, document text, reason text,
            reference text COLLATE "C" REFERENCES risk_fund.fund_entry,
            date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL,
            decision_reason text, decided date, decided_member text, decided_person text, decided_message text,
            transaction bigint,
            CHECK (kind IN ('deposit', 'withdrawal', 'reversal') AND (kind = 'reversal') = (reference IS NOT NULL)),
            CHECK (state IN ('entered', 'booked', 'refused') AND (state = 'booked') = (transaction IS NOT NULL))
        );
        -- A reversal is done once; one that was refused may be entered anew.
        CREATE UNIQUE INDEX fund_entry_reversed ON risk_fund.fund_entry (reference) WHERE state <> 'refused';

        -- The books: debits above nought, credits below. `effective` is the day from which a posting counts,
        -- `entered` the day on which it was booked; `reverses` is the transaction that is taken back.
        CREATE TABLE risk_fund.posting (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            transaction bigint NOT NULL, account text NOT NULL, party text COLLATE "C" NOT NULL,
            amount numeric(18,2) NOT NULL CHECK (amount <> 0),
            effective date NOT NULL, entered date NOT NULL, message text NOT NULL, reason text NOT NULL,
            reverses bigint
        );
        CREATE SEQUENCE risk_fund.posting_transaction;
        CREATE INDEX posting_of_transaction ON risk_fund.posting (transaction);
        CREATE INDEX posting_of_account ON risk_fund.posting (account, party, effective);
        CREATE UNIQUE INDEX posting_reversed ON risk_fund.posting (reverses, account, party)
            WHERE reverses IS NOT NULL;

        -- The trial balance is nought on any day of either kind, whatever a service does.
        CREATE FUNCTION risk_fund.check_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM risk_fund.posting WHERE transaction = NEW.transaction
                       HAVING sum(amount) <> 0 OR count(DISTINCT (effective, entered, message)) > 1) THEN
                RAISE EXCEPTION 'the postings of a transaction add up to nought, and are booked together'
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER check_transaction AFTER INSERT ON risk_fund.posting
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION risk_fund.check_transaction();
        CREATE FUNCTION risk_fund.keep_postings() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a posting is reversed, never changed' USING ERRCODE = 'check_violation';
        END $$;
        CREATE TRIGGER keep_postings BEFORE UPDATE OR DELETE OR TRUNCATE ON risk_fund.posting
            FOR EACH STATEMENT EXECUTE FUNCTION risk_fund.keep_postings();

        -- What the registry tells of applications: one is what the sum of `n` is above nought for. Only appended to.
        CREATE TABLE risk_fund.application_change (
            application_no text COLLATE "C" NOT NULL, institution text COLLATE "C" NOT NULL, reservation text,
            attempt integer NOT NULL, loan_no text COLLATE "C", n integer NOT NULL
        );
        CREATE INDEX application_change_of ON risk_fund.application_change (application_no);

        -- One question of the registry, and what became of it. `multiple` is what the policy let a deposit carry.
        CREATE TABLE risk_fund.reservation (
            application_no text COLLATE "C" NOT NULL, attempt integer NOT NULL,
            borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL, region text COLLATE "C" NOT NULL,
            institution text COLLATE "C" NOT NULL, policy text NOT NULL, product text NOT NULL,
            amount numeric(18,2) NOT NULL, applied date NOT NULL, decided date NOT NULL,
            status text NOT NULL, covered text, clause text, multiple numeric, message text NOT NULL,
            -- The loan whose balance takes its place; the day on which what the registry wants took effect.
            loan_no text COLLATE "C", effective date,
            PRIMARY KEY (application_no, attempt),
            CHECK (status IN ('asked', 'reserved', 'refused', 'released')),
            CHECK ((status = 'asked') = (covered IS NULL))
        );
        CREATE INDEX reservation_asked ON risk_fund.reservation (institution) WHERE status = 'asked';
        CREATE INDEX reservation_open ON risk_fund.reservation (institution) INCLUDE (amount)
            WHERE status = 'reserved';
        CREATE INDEX reservation_of_loan ON risk_fund.reservation (loan_no) WHERE loan_no IS NOT NULL;
        CREATE INDEX reservation_of_borrower ON risk_fund.reservation (borrower_no);

        -- What became of reservations, in order. Those of one message have one revision.
        CREATE TABLE risk_fund.reservation_step (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            application_no text COLLATE "C" NOT NULL, attempt integer NOT NULL,
            former text, status text NOT NULL,
            -- Of effect and of entry.
            date date NOT NULL, entered date NOT NULL, message text, revision bigint NOT NULL,
            FOREIGN KEY (application_no, attempt) REFERENCES risk_fund.reservation
        );
        CREATE INDEX reservation_step_of ON risk_fund.reservation_step (application_no, attempt, number);
        CREATE INDEX reservation_step_revision ON risk_fund.reservation_step (revision);
        CREATE SEQUENCE risk_fund.reservation_revision;

        -- What each bank's loans owe by the newest that was told of them.
        CREATE TABLE risk_fund.bank_balance (
            institution text COLLATE "C" PRIMARY KEY, balance numeric(18,2) NOT NULL
        );
        CREATE INDEX loan_change_of_loan ON risk_fund.loan_change (loan_no);

        -- The loans are read anew, with their balances; what was told of them so far is in there.
        SELECT pg_advisory_xact_lock(hashtextextended('huilian.apply', 0));
        DELETE FROM risk_fund.loan_change;
        INSERT INTO risk_fund.loan_change SELECT institution, loan_no, household_no, region, 1 FROM registry.loan;
        INSERT INTO risk_fund.bank_balance SELECT institution, sum(balance) FROM registry.loan GROUP BY institution;
        INSERT INTO huilian.inbox (service, source, message, handled_at)
            SELECT 'risk_fund', source, id, now() FROM huilian.message WHERE type = 'loans_changed'
            ON CONFLICT DO NOTHING;
    """)
