"""What Alembic runs for the statistics' migrations."""

from huilian.schema import run_in_alembic

run_in_alembic()
