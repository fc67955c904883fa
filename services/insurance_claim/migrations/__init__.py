"""The tables of insurance, as Alembic migrations."""
