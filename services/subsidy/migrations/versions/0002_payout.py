"""Postings, approvals, payments and cases of false claims."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables; what the database can hold to, it holds to."""
    op.execute("""
        -- Both days are posted.
        CREATE TABLE subsidy.posting (
            posting_no text COLLATE "C" PRIMARY KEY, run_no text COLLATE "C" NOT NULL REFERENCES subsidy.run,
            region text COLLATE "C" NOT NULL, first_day date NOT NULL, last_day date NOT NULL,
            complaint_line text NOT NULL, count bigint NOT NULL,
            date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL
        );
        -- The newest posting of an item; what its claimant was told of last.
        ALTER TABLE subsidy.item ADD COLUMN posting text COLLATE "C" REFERENCES subsidy.posting,
            ADD COLUMN told text;
        CREATE INDEX item_of_posting ON subsidy.item (posting) WHERE posting IS NOT NULL;
        CREATE INDEX item_untold ON subsidy.item (number) WHERE claim IS NOT NULL AND told IS DISTINCT FROM state;

        CREATE TABLE subsidy.objection (
            objection_no text COLLATE "C" PRIMARY KEY, item bigint NOT NULL REFERENCES subsidy.item,
            posting text COLLATE "C" NOT NULL REFERENCES subsidy.posting,
            run_no text COLLATE "C" NOT NULL, institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL,
            reason text NOT NULL, date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL,
            upheld text, answer text, answered_on date, answer_member text, answer_person text, answer_message text,
            CHECK ((answered_on IS NULL) = (upheld IS NULL))
        );
        CREATE INDEX objection_of ON subsidy.objection (item);

        CREATE TABLE subsidy.approval (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            run_no text COLLATE "C" NOT NULL REFERENCES subsidy.run, count bigint NOT NULL,
            amount numeric(18,2) NOT NULL, decision text NOT NULL, reason text,
            date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL
        );

        CREATE TABLE subsidy.payment (
            payment_no text COLLATE "C" PRIMARY KEY, run_no text COLLATE "C" NOT NULL REFERENCES subsidy.run,
            institution text COLLATE "C" NOT NULL, count bigint NOT NULL, amount numeric(18,2) NOT NULL,
            date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL
        );
        -- What a bank was told to pay. `payee` is the card it was told of, null where it pays its own customer.
        CREATE TABLE subsidy.payment_order (
            payment_no text COLLATE "C" NOT NULL REFERENCES subsidy.payment, line integer NOT NULL,
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL,
            payee bigint REFERENCES subsidy.payee, amount numeric(18,2) NOT NULL CHECK (amount > 0),
            purpose text NOT NULL,
            result text CHECK (result IN ('paid', 'bounced')), reason text, paid_date date,
            answered_by text, answer_message text,
            PRIMARY KEY (payment_no, line), CHECK ((result = 'paid') = (paid_date IS NOT NULL) OR result IS NULL)
        );
        CREATE INDEX payment_order_of_loan ON subsidy.payment_order (institution, loan_no);
        -- Of which items an order is made. While one is under way or paid, nothing else pays the item.
        CREATE TABLE subsidy.payment_item (
            item bigint NOT NULL REFERENCES subsidy.item, payment_no text COLLATE "C" NOT NULL, line integer NOT NULL,
            bounced boolean NOT NULL DEFAULT false, PRIMARY KEY (payment_no, line, item),
            FOREIGN KEY (payment_no, line) REFERENCES subsidy.payment_order
        );
        CREATE UNIQUE INDEX payment_item_once ON subsidy.payment_item (item) WHERE NOT bounced;

        CREATE TABLE subsidy.false_claim (
            case_no text COLLATE "C" PRIMARY KEY, kind text NOT NULL,
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL, reason text NOT NULL,
            date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL,
            decision text, amount numeric(18,2), decision_reason text,
            decided date, decided_member text, decided_person text, decided_message text,
            CHECK ((decision = 'approve') = (amount IS NOT NULL) OR decision IS NULL AND amount IS NULL)
        );
        CREATE INDEX false_claim_of ON subsidy.false_claim (institution, loan_no);
        CREATE TABLE subsidy.clawback (
            clawback_no text COLLATE "C" PRIMARY KEY, case_no text COLLATE "C" NOT NULL REFERENCES subsidy.false_claim,
            amount numeric(18,2) NOT NULL CHECK (amount > 0), effective_date date NOT NULL,
            date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL
        );
        CREATE INDEX clawback_of ON subsidy.clawback (case_no);
    """)
