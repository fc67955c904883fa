"""The risk fund's tables, as Alembic migrations."""
