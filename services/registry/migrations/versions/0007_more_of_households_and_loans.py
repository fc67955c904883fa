"""What rosters say of households since roster/v2, and ledgers of loans since loan_ledger/v3."""

from alembic import op

revision = "0007"
down_revision = "0006"

# In one order in both tables: a row goes into history as it stands.
OF_HOUSEHOLDS = """
    ADD COLUMN village_group text, ADD COLUMN has_subsistence_allowance text, ADD COLUMN has_disabled_member text,
    ADD COLUMN is_destitute_at_home text, ADD COLUMN out_of_poverty_year text, ADD COLUMN poverty_cause text,
    ADD COLUMN needs text, ADD COLUMN assets numeric(18,2), ADD COLUMN annual_outlay numeric(18,2)
"""
OF_LOANS = """
    ADD COLUMN signed date, ADD COLUMN confirmation_no text COLLATE "C", ADD COLUMN continuation text,
    ADD COLUMN original_loan_no text COLLATE "C"
"""
STAGED = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'registry' AND tablename ~ '^staged_[0-9]+'"


def upgrade() -> None:
    """Add the columns, and let the view of households have them."""
    op.execute(f"""
        ALTER TABLE registry.person {OF_HOUSEHOLDS};
        ALTER TABLE registry.person_history {OF_HOUSEHOLDS};
        ALTER TABLE registry.loan {OF_LOANS};
        ALTER TABLE registry.loan_history {OF_LOANS};
        CREATE OR REPLACE VIEW registry.household AS
            SELECT household_no, head_name, region, category, household_size, annual_income, as_of,
                   village_group, has_subsistence_allowance, has_disabled_member, is_destitute_at_home,
                   out_of_poverty_year, poverty_cause, needs, assets, annual_outlay
            FROM registry.person WHERE is_head = 'yes' AND missing_since IS NULL;
    """)
    # They lack these columns. What was staged is staged again from the kept messages.
    for (table,) in op.get_bind().exec_driver_sql(STAGED).fetchall():
        op.execute(f"DROP TABLE registry.{table}")
