"""Guarantees, insurance, file numbers, and what does not match between them and the loans."""

from alembic import op

revision = "0002"
down_revision = "0001"

KEY = 'text COLLATE "C" NOT NULL'
MONEY = "numeric(18,2) NOT NULL"
RATE = "numeric(9,6) NOT NULL"
# `submission` and `line` say where the statement was read, `application` when it came in; of a date's files
# the one with the highest `file_sequence` counts, 0 where files are not numbered.
STATED = (
    "as_of date NOT NULL, file_sequence integer NOT NULL, submission integer NOT NULL, sequence integer NOT NULL,"
    " line integer NOT NULL, application integer NOT NULL"
)


def newest(table: str, key: str) -> str:
    """Return the view with the newest statement of each record."""
    return (
        f"CREATE VIEW registry.newest_{table} AS SELECT DISTINCT ON (member, {key}) * FROM registry.{table}"
        f" ORDER BY member, {key}, as_of DESC;"
    )


def upgrade() -> None:
    """Make tables for what guarantors and insurers state, and extend what there is additively."""
    op.execute(f"""
        CREATE TABLE registry.guarantee (
            member {KEY}, guarantee_no {KEY}, loan_no {KEY},
            guaranteed_name text NOT NULL, guaranteed_number text NOT NULL, subject text NOT NULL,
            -- The bank that lent; the member is the guarantor.
            institution {KEY}, region {KEY}, guaranteed_amount {MONEY}, outstanding_amount {MONEY},
            fee_rate_percent {RATE}, start_date date NOT NULL, due_date date NOT NULL, counter_guarantee text,
            government_share_percent {RATE}, bank_share_percent {RATE}, guarantor_share_percent {RATE},
            re_guarantor_share_percent {RATE}, {STATED},
            PRIMARY KEY (member, guarantee_no, loan_no, as_of)
        );
        CREATE INDEX guarantee_submission ON registry.guarantee (submission);
        CREATE TABLE registry.guarantee_compensation (
            member {KEY}, guarantee_no {KEY}, loan_no {KEY}, compensated_date date NOT NULL,
            principal {MONEY}, interest {MONEY}, recovered {MONEY}, {STATED},
            PRIMARY KEY (member, guarantee_no, loan_no, compensated_date, as_of)
        );
        CREATE TABLE registry.guarantee_release (
            member {KEY}, guarantee_no {KEY}, loan_no {KEY}, released_date date NOT NULL,
            released_amount {MONEY}, reason text, {STATED},
            PRIMARY KEY (member, guarantee_no, loan_no, released_date, as_of)
        );
        CREATE TABLE registry.policy (
            member {KEY}, policy_no {KEY}, product text NOT NULL, kind text NOT NULL, holder_name text NOT NULL,
            insured_name text NOT NULL, insured_number text NOT NULL, household_no {KEY}, region {KEY},
            loan_no text COLLATE "C", sum_insured {MONEY}, premium {MONEY}, premium_finance {MONEY},
            premium_household {MONEY}, premium_insurer {MONEY}, start_date date NOT NULL, end_date date NOT NULL,
            {STATED},
            PRIMARY KEY (member, policy_no, as_of)
        );
        CREATE TABLE registry.claim (
            member {KEY}, claim_no {KEY}, policy_no {KEY}, loan_no text COLLATE "C", event text NOT NULL,
            event_date date NOT NULL, force_majeure text NOT NULL, status text NOT NULL, amount {MONEY},
            paid_date date, payee_account_last_four text, reason text, {STATED},
            PRIMARY KEY (member, claim_no, as_of)
        );
        CREATE TABLE registry.period_result (
            member {KEY}, period {KEY}, premiums {MONEY}, claims {MONEY}, expenses {MONEY}, {STATED},
            PRIMARY KEY (member, period, as_of)
        );

        -- A record's state at a date is the newest statement of it up to then.
        {newest("guarantee", "guarantee_no, loan_no")}
        {newest("guarantee_compensation", "guarantee_no, loan_no, compensated_date")}
        {newest("guarantee_release", "guarantee_no, loan_no, released_date")}
        {newest("policy", "policy_no")}
        {newest("claim", "claim_no")}
        {newest("period_result", "period")}

        ALTER TABLE registry.submission
            ADD COLUMN file_sequence integer GENERATED ALWAYS AS ((manifest ->> 'file_sequence')::integer) STORED;
        CREATE INDEX submission_series ON registry.submission (member, kind, as_of, file_sequence);
        -- In force is what its guarantor's newest book has, with something left of it.
        CREATE VIEW registry.guarantee_in_force AS
            SELECT g.* FROM registry.guarantee g
            JOIN (SELECT DISTINCT ON (member) number FROM registry.submission
                  WHERE kind = 'guarantee_book' AND status = 'accepted'
                  ORDER BY member, as_of DESC, coalesce(file_sequence, 0) DESC, application DESC) newest_book
              ON newest_book.number = g.submission
            WHERE g.outstanding_amount > 0;

        -- Numbers below one that came of which no file was accepted or refused: from `first` to `last`.
        CREATE VIEW registry.file_gap AS
            SELECT member, kind, as_of, before + 1 AS first, file_sequence - 1 AS last
            FROM (SELECT member, kind, as_of, file_sequence,
                         coalesce(lag(file_sequence) OVER (PARTITION BY member, kind, as_of ORDER BY file_sequence), 0)
                             AS before
                  FROM registry.submission WHERE file_sequence IS NOT NULL AND status <> 'receiving') AS numbered
            WHERE file_sequence - before > 1;

        ALTER VIEW registry.difference RENAME TO difference_of_loans;
        -- `institution` is who stated it, `reference` its number there: of a guarantee, a policy or a claim.
        CREATE VIEW registry.difference AS
            SELECT kind, institution, loan_no, household_no, region, as_of, NULL::text COLLATE "C" AS reference
            FROM registry.difference_of_loans
          UNION ALL
            SELECT 'loan_number_at_two_banks', l.institution, l.loan_no, l.household_no, l.region, l.as_of, NULL
            FROM registry.loan l
            WHERE EXISTS (SELECT FROM registry.loan o
                          WHERE o.loan_no = l.loan_no AND o.institution <> l.institution)
          UNION ALL
            SELECT 'guarantee_without_loan', g.member, g.loan_no, NULL, g.region, g.as_of, g.guarantee_no
            FROM registry.guarantee_in_force g
            WHERE NOT EXISTS (SELECT FROM registry.loan l
                              WHERE l.institution = g.institution AND l.loan_no = g.loan_no)
          UNION ALL
            SELECT 'two_guarantees_on_one_loan', g.member, g.loan_no, NULL, g.region, g.as_of, g.guarantee_no
            FROM registry.guarantee_in_force g
            WHERE (g.institution, g.loan_no) IN (SELECT institution, loan_no FROM registry.guarantee_in_force
                                                 GROUP BY institution, loan_no HAVING count(*) > 1)
          UNION ALL
            SELECT 'compensation_without_guarantee', c.member, c.loan_no, NULL, NULL, c.as_of, c.guarantee_no
            FROM registry.newest_guarantee_compensation c
            WHERE NOT EXISTS (SELECT FROM registry.guarantee g WHERE g.member = c.member
                              AND g.guarantee_no = c.guarantee_no AND g.loan_no = c.loan_no)
          UNION ALL
            SELECT 'policy_without_loan', p.member, p.loan_no, p.household_no, p.region, p.as_of, p.policy_no
            FROM registry.newest_policy p
            WHERE p.loan_no IS NOT NULL AND NOT EXISTS (SELECT FROM registry.loan l WHERE l.loan_no = p.loan_no)
          UNION ALL
            SELECT 'claim_without_policy', c.member, c.loan_no, NULL, NULL, c.as_of, c.claim_no
            FROM registry.newest_claim c
            WHERE NOT EXISTS (SELECT FROM registry.policy p WHERE p.member = c.member AND p.policy_no = c.policy_no);
    """)
