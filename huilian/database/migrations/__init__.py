"""The kernel's tables, as Alembic migrations."""
