"""The two roles of a database: its owner keeps the kernel's tables; the services' role works with their content.

The services' role is no superuser, and of the audit log it may read and add, nothing else. The services' own
schemas are its own: there it makes staging tables, gathers statistics and runs the services' migrations, so that
the owner never touches what the other could have laid a trigger on. Where a single address is given one role does
everything, and nothing is divided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.core.errors import ConfigurationError
from huilian.database.connection import quote

if TYPE_CHECKING:
    from huilian.database.connection import Transaction

__all__ = ["give", "granting", "make", "may_change"]


_APPEND_ONLY: Final = "audit"
_VERSION: Final = "alembic_version"
_MAY_CHANGE: Final = """
    SELECT NOT r.rolsuper AND r.rolname <> own.rolname AND (own.rolsuper OR own.rolcreaterole
        AND (current_setting('server_version_num')::integer < 160000
             OR pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')))
    FROM pg_roles r, pg_roles own WHERE r.rolname = %s AND own.rolname = current_user
"""
"""From version 16 on, whoever may make roles may change only those that are given to it."""


def make(transaction: Transaction, role: str, password: str = "") -> None:
    """Make the services' role unless it is there; it may log in, and nothing besides.

    One that is there gets the password, where one is given and the owner may set it.

    Args:
        transaction: as the owner, who must be allowed to make roles.
        role: its name.
        password: what it logs in with, where that is asked for.

    Raises:
        ConfigurationError: HL6023, it is missing, and the owner may not make it.
    """
    transaction.lock("huilian.roles")
    if transaction.value("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role]):
        if password and transaction.value(_MAY_CHANGE, [role]):
            secret = transaction.password_hash(role, password)
            transaction.execute(f"ALTER ROLE {quote(role)} PASSWORD {secret}")
        return
    if not transaction.value("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"):
        raise ConfigurationError("HL6023", role=role)
    secret = f" PASSWORD {transaction.password_hash(role, password)}" if password else ""
    transaction.execute(
        f"CREATE ROLE {quote(role)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS{secret}"
    )
    if not transaction.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        # Only who can be a role gives schemas to it.
        transaction.execute(f"GRANT {quote(role)} TO CURRENT_USER")


def may_change(transaction: Transaction, schemas: list[str]) -> bool:
    """Return whether this role may make these schemas, and change those that are there."""
    statement = """
        SELECT bool_and(CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                             ELSE pg_has_role(n.nspowner, 'USAGE') END)
        FROM unnest(%s::text[]) AS wanted LEFT JOIN pg_namespace n ON n.nspname = wanted
    """
    return bool(transaction.value(statement, [schemas]))


def give(transaction: Transaction, schema: str, role: str) -> None:
    """Give a schema and all in it to a role, also what an earlier version made as the owner."""
    transaction.execute(f"ALTER SCHEMA {quote(schema)} OWNER TO {quote(role)}")
    # Indexes and the sequences of columns go with their tables.
    statement = """
        SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relowner <> %s::regrole
    """
    for row in transaction.rows(statement, [schema, quote(role)]):
        transaction.execute(f"ALTER TABLE {row['name']} OWNER TO {quote(role)}")


def granting(schema: str, role: str) -> str:
    """Return the statements that let a role work in the kernel's schema; they may be run again."""
    to, within, audit, version = quote(role), quote(schema), quote(schema, _APPEND_ONLY), quote(schema, _VERSION)
    return f"""
        GRANT USAGE ON SCHEMA {within} TO {to};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {within} TO {to};
        REVOKE ALL ON {audit}, {version} FROM {to};
        GRANT SELECT, INSERT ON {audit} TO {to};
        GRANT SELECT ON {version} TO {to};
    """
