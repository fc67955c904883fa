"""What Alembic runs for the risk fund's migrations."""

from huilian.schema import run_in_alembic

run_in_alembic()
