"""An office of an earlier version is brought up to date with all that it holds."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.config import Config

from huilian.county.messages import store
from huilian.county.office import components
from huilian.database import schema
from huilian.database.connection import Database
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from services.registry import service
from tests.support.builders.loans import state, state_of_version_2
from tests.support.reporting import NOW, Submission, open_county

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.database.connection import Transaction

FIRST, LAST = "0001", "0004"
"""The registry's first version, and the last by which submissions were its own."""
KERNEL_THEN = "0006"
"""The version of the kernel's tables that went with it."""


def bring(database: Database, component: schema.Component, revision: str) -> None:
    """Bring a component's tables to a version of before."""
    with database.transaction() as transaction:
        transaction.execute(f"CREATE SCHEMA IF NOT EXISTS {component.schema}")
    config = Config()
    config.set_main_option("script_location", str(schema.KERNEL.migrations))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(component.migrations / "versions"))
    config.attributes.update(url=database.url, schema=component.schema)
    command.upgrade(config, revision)


@pytest.fixture
def database(empty_database: str) -> Iterator[Database]:
    """A database with the tables of the version before submissions were the kernel's."""
    with Database(empty_database, size=2) as opened:
        bring(opened, schema.KERNEL, KERNEL_THEN)
        bring(opened, service.component, LAST)
        yield opened


SUBMISSION = """
    INSERT INTO registry.submission (submission, member, kind, as_of, manifest, manifest_message, status, received_at,
        applied_at, application, receipt)
    VALUES (%s, 'PSB01', 'loan_ledger', '2024-05-31', %s::jsonb, %s, %s, '2024-06-01T00:00:00Z',
        '2024-06-01T00:01:00Z', %s, %s::jsonb)
"""
REPAYMENT = """
    INSERT INTO registry.repayment (institution, transaction_no, loan_no, transaction_date, principal, interest, as_of,
        submission, sequence, line) VALUES ('PSB01', 'T1', 'L1', '2024-05-15', 1, 0, '2024-05-31', 1, 0, 2)
"""
PERSON = """
    INSERT INTO registry.person (household_no, identity_number, head_name, person_name, relation_to_head, region,
        category, is_head, as_of, submission, sequence, line)
    VALUES ('H1', '1', '张三', '张三', '户主', '341599001001', 'monitored', 'yes', '2025-01-01', 1, 0, 2)
"""
KEPT = {
    "submission": "SELECT * FROM {}.submission ORDER BY number",
    "submission_part": "SELECT * FROM {}.submission_part ORDER BY submission, sequence, sha256",
    "rejection": "SELECT * FROM {}.rejection ORDER BY submission, line, field, code",
    "file_gap": "SELECT * FROM {}.file_gap ORDER BY member, kind, as_of, first",
}


def enter(transaction: Transaction) -> None:
    """Enter submissions as the version before left them: accepted, refused, under way, and one that is gone."""
    for name, manifest, status, application, receipt in (
        ("first", {}, "accepted", 1, {"status": "accepted", "accepted": 3}),
        ("third", {"file_sequence": 3}, "accepted", 2, {"status": "accepted", "accepted": 7}),
        ("gone", {}, "receiving", None, None),
        ("refused", {"file_sequence": None}, "refused", 4, {"status": "refused", "code": "HL3012"}),
        ("under way", {"file_sequence": 5}, "receiving", None, None),
    ):
        answer = None if receipt is None else json.dumps(receipt)
        transaction.execute(SUBMISSION, [name, json.dumps(manifest), f"of {name}", status, application, answer])
        transaction.execute("INSERT INTO registry.submission_part VALUES (%s, 0, 'aa', 'loan_ledger', 3, 'm')", [name])
    transaction.execute("DELETE FROM registry.submission WHERE submission = 'gone'")
    for line, reference in ((4, "L4"), (4, None), (9, "L9")):
        transaction.execute("INSERT INTO registry.rejection VALUES (2, %s, 'balance', 'HL2002', %s)", [line, reference])
    transaction.execute("CREATE UNLOGGED TABLE registry.staged_5 (sequence integer)")


def kept(transaction: Transaction, where: str) -> dict[str, list[dict[str, Any]]]:
    """Return all that a schema keeps of submissions."""
    return {name: transaction.rows(statement.format(where)) for name, statement in KEPT.items()}


def test_every_submission_of_before_is_the_kernels_afterwards(database: Database):
    """With its number, its receipt, its batches and its rejections; what is entered next is numbered on."""
    with database.transaction() as transaction:
        enter(transaction)
        before = kept(transaction, "registry")
    schema.upgrade(database, components())
    with database.transaction() as transaction:
        assert kept(transaction, "huilian") == before
        assert [row["number"] for row in before["submission"]] == [1, 2, 4, 5]
        assert [(row["first"], row["last"]) for row in before["file_gap"]] == [(1, 2)]
        assert len(before["rejection"]) == 3
        transaction.execute(SUBMISSION.replace("registry.", "huilian."), ["next", "{}", "m", "receiving", None, None])
        assert transaction.value("SELECT number FROM huilian.submission WHERE submission = 'next'") == 6
        for table in (*KEPT, "staged_5"):
            assert transaction.value("SELECT to_regclass(%s)", [f"registry.{table}"]) is None


def test_an_office_that_is_new_numbers_submissions_from_one(fresh_database: str):
    """There the registry has none to bring."""
    with Database(fresh_database, size=2) as opened:
        schema.upgrade(opened, components())
        with opened.transaction() as transaction:
            assert kept(transaction, "huilian") == {name: [] for name in KEPT}
            transaction.execute(SUBMISSION.replace("registry.", "huilian."), ["a", "{}", "m", "receiving", None, None])
            assert transaction.value("SELECT number FROM huilian.submission") == 1
            assert transaction.value("SELECT to_regclass('registry.submission')") is None


def test_differences_of_before_are_there_afterwards(fresh_database: str):
    """Of the first version, too; they have no reference where none is due."""
    with Database(fresh_database, size=2) as opened:
        bring(opened, schema.KERNEL, KERNEL_THEN)
        bring(opened, service.component, FIRST)
        with opened.transaction() as transaction:
            transaction.execute(REPAYMENT)
            before = transaction.rows("SELECT * FROM registry.difference")
        schema.upgrade(opened, components())
        with opened.transaction() as transaction:
            after = transaction.rows("SELECT * FROM registry.difference")
    assert [row["kind"] for row in before] == ["repayment_without_loan"]
    assert after == [before[0] | {"reference": None}]


def test_a_submission_that_was_under_way_goes_on(database: Database, tmp_path: Path):
    """Its first batch came to the version before, its last comes to this one: then it is applied whole."""
    sent = Submission(
        "RCB01", dt.date(2025, 1, 31), [{"loan_no": name} | state_of_version_2() for name in ("L1", "L2")], part_rows=1
    )
    bodies = [(json.dumps(records[0], ensure_ascii=False) + "\n").encode() for _, records in sent.bodies()]
    ids = [str(uuid.uuid4()) for _ in bodies]
    parts = [
        {"sequence": place, "type": "loan_ledger", "records": 1, "sha256": hashlib.sha256(body).hexdigest()}
        for place, body in enumerate(bodies)
    ]
    manifest = {
        "submission": sent.name,
        "member": "RCB01",
        "kind": "loan_ledger",
        "as_of": "2025-01-31",
        "adapter": "test",
        "adapter_version": "1",
        "file_name": "a.csv",
        "file_sha256": sent.sha256,
        "rows": 2,
        "accepted": 2,
        "rejected": 0,
        "totals": sent.totals(),
        "parts": parts,
    }
    with database.transaction() as transaction:
        transaction.execute(SUBMISSION, [sent.name, json.dumps(manifest), "m", "receiving", None, None])
        transaction.execute("UPDATE registry.submission SET member = 'RCB01', as_of = '2025-01-31', applied_at = NULL")
        transaction.execute(
            "INSERT INTO registry.submission_part VALUES (%s, 0, %s, 'loan_ledger', 1, %s)",
            [sent.name, parts[0]["sha256"], ids[0]],
        )
        transaction.execute("CREATE UNLOGGED TABLE registry.staged_1 (sequence integer, loan_no text)")
    with open_county(database.url, tmp_path) as county:
        batches = [
            envelope.seal(
                Draft("loan_ledger", "loan_ledger/v1", "RCB01", body, bulk=True, submission=sent.name, sequence=place),
                county.keys["RCB01"],
                source="RCB01",
                time=NOW,
                message_id=ids[place],
            )
            for place, body in enumerate(bodies)
        ]
        with county.transaction() as transaction:
            store.keep(transaction, batches[0], now=NOW)
        county.carry(batches[1:])
        receipt = county.receipt(sent)
        assert receipt is not None
        assert (receipt["status"], receipt["accepted"], receipt["changed"]) == ("accepted", 2, 2)
        assert county.rows("SELECT loan_no, sequence FROM registry.loan ORDER BY loan_no") == [
            {"loan_no": "L1", "sequence": 0},
            {"loan_no": "L2", "sequence": 1},
        ]


def test_what_was_known_of_households_and_loans_lacks_what_is_asked_since(empty_database: str, tmp_path: Path):
    """It stays, null where nobody said anything; what was staged is staged again, since its table lacks the columns."""
    with Database(empty_database, size=2) as database:
        bring(database, schema.KERNEL, "heads")
        bring(database, service.component, "0006")
        with database.transaction() as transaction:
            transaction.execute(PERSON)
            transaction.execute("CREATE UNLOGGED TABLE registry.staged_7 (sequence integer, loan_no text)")
        with open_county(empty_database, tmp_path) as county:
            assert county.rows("SELECT to_regclass('registry.staged_7') AS staged") == [{"staged": None}]
            with county.transaction() as transaction:
                [household] = county.registry["household_feed"](
                    transaction, region="341599", policy=None, today=dt.date(2025, 1, 31)
                )
            assert (household["household_no"], household["category"], household["needs"]) == ("H1", "monitored", None)
            sent = Submission("RCB01", dt.date(2025, 1, 31), [{"loan_no": "L1"} | state(signed="2024-01-02")])
            assert county.push(sent)["accepted"] == 1
            assert county.rows("SELECT signed FROM registry.loan") == [{"signed": dt.date(2024, 1, 2)}]
