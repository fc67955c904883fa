"""Database schemas: each component owns one, and brings it up to date by Alembic migrations.

A component is the kernel or a service; its migrations lie in its package and its
version is kept inside its own schema, so that components are upgraded on their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from huilian.core.errors import ConfigurationError
from huilian.database import roles
from huilian.database.connection import Database, connect, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KERNEL", "Component", "is_current", "upgrade"]


@dataclass(frozen=True)
class Component:
    """What owns a database schema.

    Args:
        schema: its name in PostgreSQL.
        migrations: the folder with `versions`.
        after: the schemas that are brought up to date before it: its migrations take something over from them.
    """

    schema: str
    migrations: Path
    after: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """Return the newest revision, by file name: revisions are numbered from 0001."""
        return max(path.stem.partition("_")[0] for path in (self.migrations / "versions").glob("[0-9]*.py"))


KERNEL: Final = Component("huilian", Path(__file__).parent / "migrations")


def is_current(database: Database, components: Sequence[Component]) -> bool:
    """Return whether every component's tables are at its newest revision, and may be worked with."""
    readable = """
        SELECT EXISTS (
            SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = %s AND c.relname = 'alembic_version'
            AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        )
    """
    with database.transaction() as transaction:
        for component in components:
            if not transaction.value(readable, [component.schema]):
                return False
            table = quote(component.schema, "alembic_version")
            if transaction.value(f"SELECT version_num FROM {table}") != component.head:
                return False
    return True


def upgrade(database: Database, components: Sequence[Component]) -> None:
    """Bring every component to its newest revision; processes that do so at once wait for each other.

    Raises:
        HostUnavailable: HL5001, the database is away.
        ConfigurationError: HL6024, the role may not change tables, and no owner's address is given.
    """
    if is_current(database, components):
        return
    # Imported here: Alembic takes a third of a second, and is needed once a release.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    with database.transaction() as transaction:
        role = str(transaction.value("SELECT current_user"))
    divided = _make_schemas(database, components, role)
    for component in components:
        config = Config()
        # One environment for all: a component has nothing but its versions.
        config.set_main_option("script_location", str(KERNEL.migrations).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", str(component.migrations / "versions").replace("%", "%%"))
        is_kernel = component == KERNEL
        url = database.owner_url if is_kernel else database.url
        granted_to = role if divided and is_kernel else None
        config.attributes.update(url=url, schema=component.schema, granted_to=granted_to)
        command.upgrade(config, "head")


def _make_schemas(database: Database, components: Sequence[Component], role: str) -> bool:
    """Make the schemas that are missing, as the owner; return whether that is another role than the services'."""
    with Database(database.owner_url, size=1) as owner, owner.transaction() as transaction:
        transaction.lock("huilian.upgrade")
        if not roles.may_change(transaction, [component.schema for component in components]):
            raise ConfigurationError("HL6024", role=transaction.value("SELECT current_user"))
        divided = bool(transaction.value("SELECT current_user <> %s", [role]))
        for component in components:
            transaction.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(component.schema)}")
            if divided and component != KERNEL:
                roles.give(transaction, component.schema, role)
    return divided


def run_in_alembic() -> None:
    """Run one component's migrations inside Alembic's own environment; called by its `env.py`."""
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
        if attributes.get("granted_to"):
            # In one transaction with the tables: at no revision may the services do more or less than they should.
            connection.execute(text(roles.granting(attributes["schema"], attributes["granted_to"])))
    engine.dispose()
