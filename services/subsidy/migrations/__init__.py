"""The tables of subsidies, as Alembic migrations."""
