"""Reading tokens: shown once, kept as a hash, revoked for good, and audited."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

import pytest

from huilian.core.errors import AccessDenied, UsageError
from huilian.county import audit
from huilian.county.members import directory, tokens
from huilian.county.members.directory import Member
from huilian.county.members.tokens import Scope, Token
from huilian.database import schema
from huilian.database.connection import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = dt.datetime(2024, 6, 3, 9, 30, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=1)


@pytest.fixture
def database(fresh_database: str) -> Iterator[Database]:
    """The kernel's tables and one bank."""
    with Database(fresh_database) as opened:
        schema.upgrade(opened, [schema.KERNEL])
        with opened.transaction() as transaction:
            bank = Member("RCB01", "bank", "农商行", "rural_commercial_bank", None, suspended=False)
            directory.add(transaction, bank, now=NOW, actor="test")
        yield opened


def _add(database: Database, label: str, *, region: str | None = None, member: str | None = None) -> str:
    with database.transaction() as transaction:
        return tokens.add(transaction, label, now=NOW, actor="operator:test", region=region, member=member)


def test_a_secret_is_not_kept(database: Database):
    """Nothing in the database is or contains it; what is kept is its SHA-256."""
    secret = _add(database, "office", region="341599")
    assert len(secret) >= 43  # 256 bits in BASE64URL
    with database.transaction() as transaction:
        row = transaction.row("SELECT * FROM huilian.token")
        records = transaction.rows("SELECT * FROM huilian.audit")
    assert row is not None
    assert row["sha256"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(row)
    assert secret not in str(records)


def test_a_token_has_the_scope_it_was_given(database: Database):
    """A region, zeros that pad it left out, or a member."""
    office, bank = _add(database, "office", region="341599101000"), _add(database, "bank", member="RCB01")
    with database.transaction() as transaction:
        assert tokens.scope_of(transaction, office) == Scope("office", "341599101", None)
        assert tokens.scope_of(transaction, bank) == Scope("bank", None, "RCB01")


@pytest.mark.parametrize("secret", ["", "nobody's", "\udcff", "x" * 10_000])
def test_a_secret_nobody_has_reads_nothing(database: Database, secret: str):
    """Whatever a client sends as its token."""
    with database.transaction() as transaction, pytest.raises(AccessDenied) as denied:
        tokens.scope_of(transaction, secret)
    assert denied.value.code == "HL4002"


def test_a_revoked_token_reads_nothing_and_stays_revoked(database: Database):
    """Revoking again changes nothing; its label is not given to another."""
    secret = _add(database, "office", region="341599")
    for moment in (NOW, LATER):
        with database.transaction() as transaction:
            tokens.revoke(transaction, "office", now=moment, actor="operator:test")
    with database.transaction() as transaction:
        with pytest.raises(AccessDenied, match="HL4002"):
            tokens.scope_of(transaction, secret)
        assert tokens.all_tokens(transaction) == [Token("office", "341599", None, NOW, NOW)]
    with pytest.raises(UsageError, match="HL7022 office is registered already"):
        _add(database, "office", region="341599")


def test_the_token_of_a_suspended_member_reads_nothing(database: Database):
    """Suspending a member closes both of its ways."""
    secret = _add(database, "bank", member="RCB01")
    with database.transaction() as transaction:
        transaction.execute("UPDATE huilian.member SET suspended_at = %s", [NOW])
        with pytest.raises(AccessDenied, match="HL4002"):
            tokens.scope_of(transaction, secret)


def test_adding_and_revoking_are_in_the_audit_log(database: Database):
    """Who, what and when; the chain holds."""
    _add(database, "office", region="341599")
    with database.transaction() as transaction:
        tokens.revoke(transaction, "office", now=LATER, actor="operator:other")
    with database.transaction() as transaction:
        records = transaction.rows("SELECT at, actor, action, subject, detail FROM huilian.audit ORDER BY number")[-2:]
        assert audit.verify(transaction)[0] == 3  # the member's, and these two
    assert [(row["at"], row["actor"], row["action"], row["subject"]) for row in records] == [
        (NOW, "operator:test", "token.added", "office"),
        (LATER, "operator:other", "token.revoked", "office"),
    ]
    assert records[0]["detail"] == {"region": "341599", "member": None, "purpose": None}


@pytest.mark.parametrize(
    ("label", "scope", "code"),
    [
        ("both", {"region": "341599", "member": "RCB01"}, "HL7001"),
        ("neither", {}, "HL7001"),
        ("", {"region": "341599"}, "HL7001"),
        ("a\nb", {"region": "341599"}, "HL7001"),
        ("x" * 61, {"region": "341599"}, "HL7001"),
        ("region", {"region": "3415"}, "HL7002"),
        ("member", {"member": "RCB99"}, "HL4001"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(database: Database, label: str, scope: dict[str, str], code: str):
    """Exactly one of a region and a member that are there, under a label that can be read."""
    with pytest.raises((UsageError, AccessDenied)) as refused:
        _add(database, label, **scope)
    assert refused.value.code == code
    with database.transaction() as transaction:
        assert tokens.all_tokens(transaction) == []


def test_revoking_what_is_not_there_is_refused(database: Database):
    """A misspelt label leaves the token that was meant in force: say so."""
    with database.transaction() as transaction, pytest.raises(UsageError, match="there is no such token"):
        tokens.revoke(transaction, "nobody", now=NOW, actor="operator:test")
