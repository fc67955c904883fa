"""Entries of any kind with what they book; postings that say of which loan or case they are."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Keep with each entry what it books, as what was entered so far would be booked."""
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
    """)
