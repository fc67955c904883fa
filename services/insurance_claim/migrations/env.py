"""What Alembic runs for the migrations of insurance."""

from huilian.schema import run_in_alembic

run_in_alembic()
