"""What the breaker judged month by month, where it stops lending, and what the fund owes of cases."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the breaker's tables; `huilian rebuild statistics` brings balances by class of what was told before."""
    op.execute("""
        -- What a month adds to the balance of each class, for policies that call other classes bad than the roll-up.
        CREATE TABLE statistics.class_balance (
            region text COLLATE "C" NOT NULL, month date NOT NULL, five_tier_class text NOT NULL,
            balance bigint NOT NULL, PRIMARY KEY (region, month, five_tier_class)
        );
        -- A month that is over is judged once, by what was known then, and stays as it was judged. Money in fen.
        -- `steps` has each breaker's figure by its key, `state` what the next month is judged from.
        CREATE TABLE statistics.breaker_month (
            region text COLLATE "C" NOT NULL, month date NOT NULL,
            balance bigint NOT NULL, bad_balance bigint NOT NULL,
            due_principal bigint NOT NULL, due_repaid bigint NOT NULL, fund_in_default boolean NOT NULL,
            policy text NOT NULL, steps json NOT NULL, state json NOT NULL, judged date NOT NULL,
            PRIMARY KEY (region, month)
        );
        -- `held` are the breakers that stopped lending within a month that is not judged yet, by their keys.
        CREATE TABLE statistics.lending_stop (
            suspension_no text COLLATE "C" PRIMARY KEY, region text COLLATE "C" NOT NULL, policy text NOT NULL,
            reason text NOT NULL, text text NOT NULL, clause text, from_date date NOT NULL, until_date date,
            held jsonb NOT NULL
        );
        CREATE UNIQUE INDEX one_stop_at_a_time ON statistics.lending_stop (region) WHERE until_date IS NULL;
        CREATE SEQUENCE statistics.breaker_revision;
        -- What was told of cases of compensation; what a case was on a day is the sum of what was told up to it.
        CREATE TABLE statistics.case_change (
            claim_no text COLLATE "C" NOT NULL, as_of date NOT NULL, fund_share numeric(18, 2),
            fund_paid numeric(18, 2) NOT NULL, fund_due date, n integer NOT NULL
        );
        CREATE INDEX case_change_due ON statistics.case_change (fund_due);
    """)
