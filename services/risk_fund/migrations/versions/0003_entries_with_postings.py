"""Entries of any kind with what they book; term deposits, cover that was set aside by hand, and alarms."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Keep with each entry what it books, as what was entered so far would be booked; make the tables."""
    op.execute("""
        ALTER TABLE risk_fund.posting ADD COLUMN reference text COLLATE "C";
        CREATE INDEX posting_of_reference ON risk_fund.posting (reference) WHERE reference IS NOT NULL;
        DROP INDEX risk_fund.posting_reversed;
        CREATE UNIQUE INDEX posting_reversed ON risk_fund.posting (reverses, account, party, coalesce(reference, ''))
            WHERE reverses IS NOT NULL;

        ALTER TABLE risk_fund.fund_entry
            ADD COLUMN postings jsonb NOT NULL DEFAULT '[]',
            ALTER COLUMN institution DROP NOT NULL,
            DROP CONSTRAINT fund_entry_check,
            ADD CONSTRAINT fund_entry_reverses CHECK ((kind = 'reversal') = (reference IS NOT NULL));
        UPDATE risk_fund.fund_entry e SET postings = (
            SELECT jsonb_build_array(
                jsonb_build_object('account', 'deposit', 'party', e.institution,
                                   'amount', (sign * e.amount)::text, 'reference', NULL),
                jsonb_build_object('account', 'contribution', 'party', e.party,
                                   'amount', (-sign * e.amount)::text, 'reference', NULL))
            FROM (SELECT CASE WHEN (e.kind = 'deposit')
                          OR (e.kind = 'reversal' AND f.kind = 'withdrawal') THEN 1 ELSE -1 END AS sign
                  FROM (SELECT) one LEFT JOIN risk_fund.fund_entry f ON f.entry_no = e.reference) s
        );

        -- What a deposit that was placed for a term is to earn; it counts once its entry is booked.
        CREATE TABLE risk_fund.term_deposit (
            term_deposit_no text COLLATE "C" PRIMARY KEY, institution text COLLATE "C" NOT NULL,
            amount numeric(18,2) NOT NULL, effective_date date NOT NULL, due_date date NOT NULL,
            annual_rate_percent numeric NOT NULL,
            date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL
        );

        -- Cover that the county set aside by hand: with a region that village's own fund guarantees.
        CREATE TABLE risk_fund.set_aside (
            reservation_no text COLLATE "C" PRIMARY KEY, institution text COLLATE "C" NOT NULL,
            region text COLLATE "C", loan_no text COLLATE "C", amount numeric(18,2) NOT NULL CHECK (amount > 0),
            reason text NOT NULL, date date NOT NULL, member text NOT NULL, person text NOT NULL,
            message text NOT NULL,
            released date, released_member text, released_person text, released_message text, release_reason text,
            CHECK ((released IS NULL) = (released_message IS NULL))
        );
        CREATE INDEX set_aside_of_bank ON risk_fund.set_aside (institution) WHERE released IS NULL;
        -- What of it still takes room: where its loan is known, the loan's balance takes its place at the bank.
        CREATE VIEW risk_fund.set_aside_open AS
            SELECT s.* FROM risk_fund.set_aside s WHERE released IS NULL AND (region IS NOT NULL OR NOT EXISTS (
                SELECT FROM risk_fund.loan_change l WHERE l.institution = s.institution AND l.loan_no = s.loan_no
                HAVING sum(l.n) > 0));

        -- Guarantees that cost more than the policy let when the book came that has them.
        CREATE TABLE risk_fund.guarantee_fee_difference (
            submission integer NOT NULL, guarantee_no text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL,
            allowed_percent numeric NOT NULL, clause text NOT NULL, PRIMARY KEY (submission, guarantee_no, loan_no)
        );

        -- What insurers' periods come to, as it was told: there where the sum of `n` is above nought.
        CREATE TABLE risk_fund.insurance_result_change (
            insurer text COLLATE "C" NOT NULL, period text COLLATE "C" NOT NULL, fund_share text NOT NULL,
            returned text NOT NULL, n integer NOT NULL
        );
        CREATE INDEX insurance_result_change_of ON risk_fund.insurance_result_change (insurer, period);

        -- What was told to county and finance bureau, from the day it was seen until it was gone.
        CREATE TABLE risk_fund.fund_alarm (
            kind text NOT NULL, subject text COLLATE "C" NOT NULL, since date NOT NULL, text text NOT NULL, ended date,
            PRIMARY KEY (kind, subject, since)
        );
        CREATE UNIQUE INDEX fund_alarm_open ON risk_fund.fund_alarm (kind, subject) WHERE ended IS NULL;
    """)
