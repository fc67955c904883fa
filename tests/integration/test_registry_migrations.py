"""An office of an earlier version is brought up to date with all that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config

from huilian import schema
from huilian.database import Database
from services.registry import service

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def database(empty_database: str) -> Iterator[Database]:
    """A database with the registry's tables of the first version."""
    with Database(empty_database, size=2) as opened:
        with opened.transaction() as transaction:
            transaction.execute("CREATE SCHEMA registry")
        config = Config()
        config.set_main_option("script_location", str(service.component.migrations))
        config.attributes.update(url=empty_database, schema="registry")
        command.upgrade(config, "0001")
        yield opened


SUBMISSION = """
    INSERT INTO registry.submission (submission, member, kind, as_of, manifest, manifest_message, status, received_at)
    VALUES (%s, 'PSB01', 'loan_ledger', '2024-05-31', %s::jsonb, 'm', 'accepted', '2024-06-01T00:00:00Z')
"""
REPAYMENT = """
    INSERT INTO registry.repayment (institution, transaction_no, loan_no, transaction_date, principal, interest, as_of,
        submission, sequence, line) VALUES ('PSB01', 'T1', 'L1', '2024-05-15', 1, 0, '2024-05-31', 1, 0, 2)
"""


def test_submissions_and_differences_of_before_are_there_afterwards(database: Database):
    """Numbers of files are read from the manifests that have one; differences have no reference where none is due."""
    with database.transaction() as transaction:
        transaction.execute(SUBMISSION, ["first", "{}"])
        transaction.execute(SUBMISSION, ["third", '{"file_sequence": 3}'])
        transaction.execute(REPAYMENT)
        before = transaction.rows("SELECT * FROM registry.difference")
    schema.upgrade(database, [service.component])
    with database.transaction() as transaction:
        assert transaction.rows("SELECT submission, file_sequence FROM registry.submission ORDER BY number") == [
            {"submission": "first", "file_sequence": None},
            {"submission": "third", "file_sequence": 3},
        ]
        assert transaction.rows("SELECT first, last FROM registry.file_gap") == [{"first": 1, "last": 2}]
        after = transaction.rows("SELECT * FROM registry.difference")
    assert [row["kind"] for row in before] == ["repayment_without_loan"]
    assert after == [before[0] | {"reference": None}]


def test_what_the_version_before_writes_and_reads_goes_on_working(database: Database):
    """A process of the version before may run on for a while."""
    schema.upgrade(database, [service.component])
    with database.transaction() as transaction:
        transaction.execute(SUBMISSION, ["another", '{"rows": 1}'])
        transaction.execute(REPAYMENT)
        asked = "SELECT kind, institution, loan_no, household_no, region, as_of::text FROM registry.difference"
        assert [row["loan_no"] for row in transaction.rows(asked)] == ["L1"]
