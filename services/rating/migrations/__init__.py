"""The rating service's tables, as Alembic migrations."""
