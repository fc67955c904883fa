"""Reward and punishment in force: what follows for borrowers, how it was posted, and what was told of it."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATE = """
    after text NOT NULL, change text NOT NULL, how text NOT NULL, institution text COLLATE "C",
    loan_no text COLLATE "C", region text COLLATE "C", from_date date NOT NULL, until_date date, clause text NOT NULL
"""
BORROWER = 'borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL'


def upgrade() -> None:
    """Make the tables; the blacklist has also whom a policy puts there after something else than malicious default."""
    op.execute(f"""
        CREATE TABLE rating.consequence_posting (
            posting_no text COLLATE "C" PRIMARY KEY, region text COLLATE "C" NOT NULL, first_day date NOT NULL,
            last_day date NOT NULL, complaint_line text NOT NULL, count integer NOT NULL,
            date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL
        );
        -- `cause` is the loan, or the finding where it is about none: from each everything follows once.
        CREATE TABLE rating.consequence (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {BORROWER}, {STATE},
            cause text COLLATE "C" NOT NULL, unless text, policy text NOT NULL, entered date NOT NULL, ended date,
            posting text COLLATE "C" REFERENCES rating.consequence_posting,
            UNIQUE (borrower_no, borrower, cause, after, change, how)
        );
        CREATE INDEX consequence_to_post ON rating.consequence (region) WHERE posting IS NULL AND ended IS NULL;
        CREATE VIEW rating.consequence_standing AS
            SELECT c.borrower, c.borrower_no, 'K' || c.number AS reference, c.after, c.change, c.how, c.institution,
                   c.loan_no, c.region, c.from_date, c.until_date, c.clause, p.first_day AS posted_from,
                   p.last_day AS posted_until
            FROM rating.consequence c LEFT JOIN rating.consequence_posting p ON p.posting_no = c.posting
            WHERE c.ended IS NULL;
        CREATE TABLE rating.consequence_told (
            {BORROWER}, reference text COLLATE "C" NOT NULL, {STATE}, posted_from date, posted_until date,
            PRIMARY KEY (borrower_no, borrower, reference)
        );
        CREATE SEQUENCE rating.consequence_revision;
        CREATE OR REPLACE VIEW rating.mark AS
            -- An entry that ended on the day it began was taken back.
            SELECT borrower, borrower_no, member AS source, entry_no AS reference,
                   CASE malicious WHEN 'yes' THEN 'blacklisted_maliciously' ELSE 'blacklisted' END AS mark,
                   NULL::text AS institution, NULL::text AS loan_no, from_date, until_date
            FROM rating.blacklist WHERE until_date IS NULL OR until_date > from_date
          UNION ALL
            SELECT borrower, borrower_no, member, reference, 'force_majeure', institution, loan_no, date, NULL
            FROM rating.deed WHERE deed = 'force_majeure'
          UNION ALL
            -- A claim does not name the bank: household and number are the loan's.
            SELECT 'household', p.household_no, c.insurer, c.claim_no, 'force_majeure', NULL, c.loan_no, NULL, NULL
            FROM rating.claim_change c JOIN rating.policy_change p
              ON p.insurer = c.insurer AND p.policy_no = c.policy_no
            WHERE c.force_majeure = 'yes' AND c.status <> 'declined' AND c.loan_no IS NOT NULL
            GROUP BY c.insurer, c.claim_no, c.loan_no, p.household_no HAVING sum(c.n) > 0 AND sum(p.n) > 0
          UNION ALL
            -- A malicious default is an entry already.
            SELECT borrower, borrower_no, 'HUILIAN', 'K' || number, 'blacklisted', NULL, NULL, from_date, until_date
            FROM rating.consequence
            WHERE change = 'blacklist' AND how IN ('barred', 'barred_for_good') AND after <> 'malicious_default'
              AND ended IS NULL;
    """)
