"""Who else has a part in a loan: consents, enterprises and whom they lead, agreements, lead banks, suspensions."""

from alembic import op

revision = "0010"
down_revision = "0009"

TAKEN = "date date NOT NULL, member text NOT NULL, person text, message text NOT NULL"
# `until_date` is the first day on which it no longer holds; `ended_...` is the later record that brought it forward.
PERIOD = f"""
    from_date date NOT NULL, until_date date, {TAKEN},
    ended_on date, ended_member text, ended_person text, ended_message text,
    CHECK (until_date >= from_date)
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(f"""
        CREATE TABLE registry.consent (
            consent_no text COLLATE "C" PRIMARY KEY, household_no text COLLATE "C" NOT NULL,
            identity_number text NOT NULL, scope text[] NOT NULL, institution text COLLATE "C", document text, {PERIOD}
        );
        CREATE INDEX consent_of_household ON registry.consent (household_no);

        CREATE TABLE registry.enterprise (
            enterprise_no text COLLATE "C" PRIMARY KEY, name text NOT NULL, region text COLLATE "C" NOT NULL,
            kind text NOT NULL, {PERIOD}
        );
        -- As the ends of a range it lets the index hold that nothing with the same number overlaps.
        CREATE TYPE registry.number_range AS RANGE (subtype = text, collation = "C");
        CREATE TABLE registry.led_household (
            enterprise_no text COLLATE "C" NOT NULL REFERENCES registry.enterprise,
            household_no text COLLATE "C" NOT NULL, way text NOT NULL, orders text, shares text,
            shares_amount numeric(18,2), {PERIOD},
            PRIMARY KEY (enterprise_no, household_no, from_date),
            CONSTRAINT led_once_at_a_time EXCLUDE USING gist (
                registry.number_range(household_no, household_no, '[]') WITH &&,
                daterange(from_date, until_date) WITH &&)
        );
        CREATE INDEX led_household_of ON registry.led_household (household_no);
        CREATE TABLE registry.enterprise_benefit (
            enterprise_no text COLLATE "C" NOT NULL REFERENCES registry.enterprise, reference text COLLATE "C" NOT NULL,
            household_no text COLLATE "C" NOT NULL, received date NOT NULL, kind text NOT NULL,
            amount numeric(18,2) NOT NULL, {TAKEN},
            PRIMARY KEY (enterprise_no, reference)
        );
        CREATE INDEX enterprise_benefit_of ON registry.enterprise_benefit (household_no);

        CREATE TABLE registry.agreement (
            agreement_no text COLLATE "C" PRIMARY KEY, kind text NOT NULL, region text COLLATE "C" NOT NULL,
            members text[] NOT NULL, households text[] NOT NULL, enterprises text[] NOT NULL,
            application_no text COLLATE "C", institution text COLLATE "C", loan_no text COLLATE "C",
            reports text, document text NOT NULL, {PERIOD}
        );
        CREATE INDEX agreement_of_household ON registry.agreement USING gin (households);

        CREATE TABLE registry.service_area (
            institution text COLLATE "C" NOT NULL, region text COLLATE "C" NOT NULL, branch text,
            responsible text NOT NULL, {PERIOD},
            PRIMARY KEY (institution, region, from_date),
            CONSTRAINT one_lead_bank_at_a_time EXCLUDE USING gist (
                registry.number_range(region, region, '[]') WITH &&, daterange(from_date, until_date) WITH &&)
        );

        CREATE TABLE registry.lending_suspension (
            suspension_no text COLLATE "C" PRIMARY KEY, region text COLLATE "C" NOT NULL,
            institution text COLLATE "C", product text, reason text NOT NULL, {PERIOD}
        );
    """)
