"""What Alembic runs for the registry's migrations."""

from huilian.schema import run_in_alembic

run_in_alembic()
