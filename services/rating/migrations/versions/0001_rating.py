"""Indicators as they were stated, assessments and their steps, postings, objections, lines, marks, the blacklist."""

from alembic import op

revision = "0001"
down_revision = None

BORROWER = 'borrower text NOT NULL, borrower_no text COLLATE "C" NOT NULL'
TAKEN = """
    date date NOT NULL, member text NOT NULL, person text NOT NULL, message text NOT NULL
"""


def upgrade() -> None:
    """Make the rating service's tables; what the database can hold to, it holds to."""
    op.execute(f"""
        -- What the registry tells of households: one is there where the sum of its `n` is above nought.
        CREATE TABLE rating.household_change (
            household_no text COLLATE "C" NOT NULL, region text COLLATE "C" NOT NULL, category text NOT NULL,
            n integer NOT NULL
        );
        CREATE INDEX household_change_of_household ON rating.household_change (household_no);

        -- One collection's word, one row a submission: the last word on each indicator is found when it is judged.
        CREATE TABLE rating.statement (
            {BORROWER}, member text NOT NULL, source text NOT NULL, collected_on date NOT NULL,
            stated_at timestamptz NOT NULL, submission integer NOT NULL,
            sequence integer NOT NULL, line integer NOT NULL,
            village text COLLATE "C" NOT NULL, kind text, age integer, indicators text, exclusions text,
            person text NOT NULL,
            PRIMARY KEY (borrower, borrower_no, submission, source)
        );

        CREATE TABLE rating.assessment (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            {BORROWER}, region text COLLATE "C" NOT NULL, household_kind text, age integer,
            indicators text NOT NULL, exclusions text NOT NULL, collected_on date NOT NULL,
            -- Who entered what it rests on, each as member:person.
            entered_by text[] NOT NULL,
            score numeric(5,2), grade text, line numeric(18,2), refused text NOT NULL,
            policy text NOT NULL,
            -- Why it began: new indicators, or what a borrower did since.
            cause text NOT NULL,
            state text NOT NULL,
            -- Where it stands in the policy's order: the step that comes next.
            stage text,
            posting bigint,
            reason text,
            -- When its first approval froze it.
            approved_on date,
            valid_from date, valid_until date, ended_on date,
            -- Of the last posting before it came into force.
            posted_from date, posted_until date,
            -- Since when the policy asks for another rating.
            again_on date,
            revision bigint NOT NULL,
            CHECK (state <> 'active' OR (valid_from IS NOT NULL AND ended_on IS NULL AND score IS NOT NULL)),
            CHECK (state NOT IN ('posted', 'objected') OR posting IS NOT NULL),
            CHECK (state IN ('incomplete', 'collected', 'refused', 'superseded') OR approved_on IS NOT NULL)
        );
        -- One at most is collected, one under way, one in force.
        CREATE UNIQUE INDEX assessment_collected ON rating.assessment (borrower, borrower_no)
            WHERE state IN ('incomplete', 'collected');
        CREATE UNIQUE INDEX assessment_under_way ON rating.assessment (borrower, borrower_no)
            WHERE state IN ('in_review', 'to_be_posted', 'posted', 'objected');
        CREATE UNIQUE INDEX assessment_active ON rating.assessment (borrower, borrower_no) WHERE state = 'active';
        CREATE INDEX assessment_of_borrower ON rating.assessment (borrower_no, borrower, number);
        CREATE INDEX assessment_revision ON rating.assessment (revision);
        CREATE INDEX assessment_posting ON rating.assessment (posting) WHERE posting IS NOT NULL;

        -- What was approved stays as it was approved, whatever a service does.
        CREATE FUNCTION rating.keep_approved() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'an approved assessment does not change';
        END $$;
        CREATE TRIGGER keep_approved BEFORE UPDATE ON rating.assessment FOR EACH ROW
            WHEN (OLD.state NOT IN ('incomplete', 'collected')
              AND (OLD.borrower, OLD.borrower_no, OLD.region, OLD.household_kind, OLD.age, OLD.indicators,
                  OLD.exclusions, OLD.collected_on, OLD.entered_by, OLD.score, OLD.grade, OLD.line,
                  OLD.refused, OLD.policy)
              IS DISTINCT FROM (NEW.borrower, NEW.borrower_no, NEW.region, NEW.household_kind, NEW.age,
                  NEW.indicators, NEW.exclusions, NEW.collected_on, NEW.entered_by, NEW.score, NEW.grade, NEW.line,
                  NEW.refused, NEW.policy))
            EXECUTE FUNCTION rating.keep_approved();

        CREATE TABLE rating.step (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            assessment bigint NOT NULL REFERENCES rating.assessment, stage text NOT NULL, move text NOT NULL,
            reason text, date date NOT NULL, member text NOT NULL, person text, message text
        );
        CREATE INDEX step_of_assessment ON rating.step (assessment);

        CREATE TABLE rating.posting (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            region text COLLATE "C" NOT NULL, stage text NOT NULL, round integer NOT NULL,
            first_day date NOT NULL, last_day date NOT NULL, complaint_line text NOT NULL, count integer NOT NULL,
            {TAKEN}
        );
        CREATE TABLE rating.objection (
            objection_no text COLLATE "C" PRIMARY KEY, assessment bigint NOT NULL REFERENCES rating.assessment,
            posting bigint NOT NULL REFERENCES rating.posting, reason text NOT NULL, {TAKEN},
            upheld text, answer text, answered_on date, answer_member text, answer_person text
        );
        CREATE INDEX objection_of_assessment ON rating.objection (assessment);

        CREATE TABLE rating.request (
            request_no text COLLATE "C" PRIMARY KEY, {BORROWER}, region text COLLATE "C" NOT NULL,
            consent text NOT NULL, {TAKEN}
        );
        CREATE INDEX request_of_borrower ON rating.request (borrower_no);
        CREATE TABLE rating.working_group (
            region text COLLATE "C" NOT NULL, members integer NOT NULL, representatives integer NOT NULL,
            plan text NOT NULL, {TAKEN}, PRIMARY KEY (region, date)
        );
        CREATE TABLE rating.credit_line (
            institution text COLLATE "C" NOT NULL, {BORROWER}, amount numeric(18,2) NOT NULL,
            from_date date NOT NULL, until_date date NOT NULL, assessment bigint NOT NULL, {TAKEN},
            PRIMARY KEY (borrower_no, borrower, institution, from_date)
        );
        CREATE TABLE rating.collective_credit (
            region text COLLATE "C" NOT NULL, credit text NOT NULL, committee text NOT NULL, {TAKEN},
            PRIMARY KEY (region, date)
        );
        CREATE TABLE rating.blacklist (
            entry_no text COLLATE "C" NOT NULL, {BORROWER}, malicious text NOT NULL, from_date date NOT NULL,
            until_date date, reason text NOT NULL, {TAKEN}, PRIMARY KEY (member, entry_no)
        );
        CREATE INDEX blacklist_of_borrower ON rating.blacklist (borrower_no);
        -- What became of a loan, each kind of it once a loan.
        CREATE TABLE rating.outcome (
            institution text COLLATE "C" NOT NULL, loan_no text COLLATE "C" NOT NULL, after text NOT NULL,
            borrower_no text COLLATE "C" NOT NULL, date date NOT NULL, assessment bigint,
            PRIMARY KEY (institution, loan_no, after)
        );
        -- What was told of households so far is in nobody's hands yet: `huilian rebuild rating` brings it.
    """)
