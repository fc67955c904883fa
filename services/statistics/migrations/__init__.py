"""The statistics' tables, as Alembic migrations."""
