"""The registry's tables, as Alembic migrations."""
