"""Database schemas: each component owns one, and brings it up to date by Alembic migrations.

A component is the kernel or a service; its migrations lie in its package and its
version is kept inside its own schema, so that components are upgraded on their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from huilian.database import connect, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huilian.database import Database

__all__ = ["KERNEL", "Component", "is_current", "upgrade"]


@dataclass(frozen=True)
class Component:
    """What owns a database schema.

    Args:
        schema: its name in PostgreSQL.
        migrations: the folder with `env.py` and `versions`.
    """

    schema: str
    migrations: Path

    @property
    def head(self) -> str:
        """Return the newest revision, by file name: revisions are numbered from 0001."""
        return max(path.stem.partition("_")[0] for path in (self.migrations / "versions").glob("[0-9]*.py"))


KERNEL: Final = Component("huilian", Path(__file__).parent / "migrations")


def is_current(database: Database, components: Sequence[Component]) -> bool:
    """Return whether every component's tables are at its newest revision."""
    with database.transaction() as transaction:
        for component in components:
            table = quote(component.schema, "alembic_version")
            if not transaction.value("SELECT to_regclass(%s) IS NOT NULL", [table]):
                return False
            if transaction.value(f"SELECT version_num FROM {table}") != component.head:
                return False
    return True


def upgrade(database: Database, components: Sequence[Component]) -> None:
    """Bring every component to its newest revision; processes that do so at once wait for each other.

    Raises:
        HostUnavailable: HL5001, the database is away.
    """
    if is_current(database, components):
        return
    # Imported here: Alembic takes a third of a second, and is needed once a release.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    with database.transaction() as transaction:
        transaction.lock("huilian.upgrade")
        for component in components:
            transaction.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(component.schema)}")
    for component in components:
        config = Config()
        config.set_main_option("script_location", str(component.migrations).replace("%", "%%"))
        config.attributes.update(url=database.url, schema=component.schema)
        command.upgrade(config, "head")


def run_in_alembic() -> None:
    """Run one component's migrations inside Alembic's own environment; called by each `env.py`."""
    from alembic import context  # noqa: PLC0415  # see upgrade()
    from sqlalchemy import create_engine, pool, text  # noqa: PLC0415

    attributes = context.config.attributes
    # The driver's own connection, so that every URL that opens the database elsewhere opens it here.
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(attributes["url"]), poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('huilian.migrate', 0))"))
        context.configure(
            connection=connection, version_table_schema=attributes["schema"], transaction_per_migration=False
        )
        context.run_migrations()
    engine.dispose()
