"""Applications: what was asked for, each step that was taken, what is due, and what the fund holds for it."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables."""
    op.execute("""
        CREATE TABLE registry.application (
            application_no text COLLATE "C" PRIMARY KEY,
            borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL, household_kind text,
            applicant text, applicant_name text,
            region text COLLATE "C" NOT NULL, institution text COLLATE "C" NOT NULL, bank_product text,
            policy text NOT NULL, product text NOT NULL,
            amount numeric(18,2) NOT NULL, term integer NOT NULL, annual_rate_percent numeric(9,6),
            purpose text NOT NULL, way text, collateral text, other_loans numeric(18,2) NOT NULL,
            signed text NOT NULL, family_adults integer NOT NULL, family_signed integer NOT NULL,
            -- Conditions by code, true or false, and grounds of exclusion, gathered from the steps.
            shown jsonb NOT NULL DEFAULT '{}', grounds text[] NOT NULL DEFAULT '{}', document text,
            entered_by text NOT NULL, entered_person text NOT NULL, message text NOT NULL,
            -- The day that form 1 states, and the day on which it was sealed.
            applied date NOT NULL, entered date NOT NULL,
            state text NOT NULL, stage text, stage_since date NOT NULL,
            -- The last day for the step that is due; null where the policy sets none.
            due date, chased date,
            reservation text, attempt integer NOT NULL DEFAULT 0, decided date,
            -- The last day on which it is valid as it stands: the application's, then the confirmation's.
            confirmation_no text COLLATE "C", confirmed date, valid_until date,
            loan_no text COLLATE "C", reason text,
            -- The applications that changed in one transaction have one revision.
            revision bigint NOT NULL
        );
        CREATE INDEX application_of_borrower ON registry.application (borrower_no);
        CREATE INDEX application_due ON registry.application (due) WHERE stage IS NOT NULL;
        CREATE INDEX application_confirmation ON registry.application (confirmation_no);
        CREATE INDEX application_by_revision ON registry.application (revision);
        CREATE SEQUENCE registry.application_revision;

        -- What happened to it, in order. `snapshot`, of a confirmation: the application as it was confirmed, with
        -- the facts it was judged by.
        CREATE TABLE registry.application_step (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            application_no text COLLATE "C" NOT NULL REFERENCES registry.application,
            move text NOT NULL, step text, title text, decision text, back_to text, reason text,
            amount numeric(18,2), term integer, annual_rate_percent numeric(9,6), met text, grounds text,
            opinion text, sealed text, document text,
            date date NOT NULL, due date, member text NOT NULL, person text, message text, snapshot jsonb,
            -- The day on which it was sealed, or noted by what nobody seals: the calendar, the fund, the ledger.
            entered date NOT NULL
        );
        CREATE INDEX application_step_of ON registry.application_step (application_no, number);

        -- Who was sent a confirmation: whom its end is told.
        CREATE TABLE registry.confirmation_told (
            confirmation_no text COLLATE "C", member text COLLATE "C", PRIMARY KEY (confirmation_no, member)
        );

        CREATE TABLE registry.application_start (
            region text COLLATE "C" PRIMARY KEY, from_date date NOT NULL, member text NOT NULL, person text NOT NULL,
            date date NOT NULL, message text NOT NULL
        );
    """)
