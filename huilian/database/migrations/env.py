"""What Alembic runs for the kernel's migrations."""

from huilian.database.schema import run_in_alembic

run_in_alembic()
