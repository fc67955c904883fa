"""A message is known by its sender and its id: what another makes up under the same id changes nothing for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config

from huilian.county.messages import courier, mailbox, store
from huilian.county.messages.processor import Result
from huilian.database import schema
from huilian.database.connection import Database
from huilian.database.schema import KERNEL
from huilian.wire import bundle
from huilian.wire.envelope import Draft
from tests.support.county import BANK, Probe, manifest_draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.wire.envelope import Message
    from tests.support.county import County

OTHER = "RCB02"
SAME = "00000000-0000-4000-8000-000000000001"


def two_of_one_id(county: County) -> tuple[Message, Message]:
    """Return messages of two banks under one id, the first that of the other bank."""
    key = county.add_member(OTHER)
    draft = Draft("submission_manifest", "submission_manifest/v1", OTHER, b'{"number": 7}')
    return county.seal(draft, key=key, source=OTHER, message_id=SAME), county.seal(message_id=SAME)


def test_two_members_may_hand_in_the_same_id(county: County):
    """Neither is refused (HL1008) nor answered as repeated; each is handed on, handled and answered by itself."""
    theirs, ours = two_of_one_id(county)
    probe = Probe()
    county.only(probe.service())
    came = [county.processor.intake(each.seal, each.payload).result for each in (theirs, ours, theirs, ours)]
    assert came == [Result.HANDLED, Result.HANDLED, Result.REPEATED, Result.REPEATED]
    service = probe.service()
    done = [county.processor.deliver(service, each.seal, each.payload).result for each in (theirs, ours, theirs, ours)]
    assert done == [Result.HANDLED, Result.HANDLED, Result.REPEATED, Result.REPEATED]
    assert county.dead_letters() == []
    assert county.column("SELECT source FROM huilian.inbox ORDER BY 1") == [BANK, OTHER]
    assert county.column(f"SELECT source FROM huilian.outbox WHERE message = '{SAME}' ORDER BY position") == [
        OTHER,
        BANK,
    ]
    with county.database.transaction() as transaction:
        assert store.kept(transaction, OTHER, [SAME]) == [theirs]
        assert store.kept(transaction, BANK, [SAME]) == [ours]


def test_the_same_member_may_not(county: County):
    """Its id with other bytes stays what it was: refused."""
    first, second = (county.seal(manifest_draft(number), message_id=SAME) for number in (1, 2))
    assert county.processor.intake(first.seal, first.payload).result is Result.HANDLED
    refusal = county.processor.intake(second.seal, second.payload).refusal
    assert refusal is not None
    assert refusal.code == "HL1008"


def test_the_platforms_ids_cannot_be_taken_by_a_member(county: County):
    """A member that was sent a message and uses its id takes nothing off anybody's list."""
    with county.database.transaction() as transaction:
        county.processor.send(transaction, Draft("receipt", "receipt/v1", BANK, b"{}"), message_id=SAME)
    ours = county.seal(message_id=SAME)
    assert county.processor.intake(ours.seal, ours.payload).result is Result.HANDLED
    with county.database.transaction() as transaction:
        entries = mailbox.after(transaction, BANK, ["receipt"], cursor=None, now=county.clock.now())
        assert [(entry.position, entry.message) for entry in entries] == [(1, SAME)]
        assert [each.source for each in store.kept(transaction, "HUILIAN", [SAME])] == ["HUILIAN"]


def test_a_bundle_may_hold_both(county: County, tmp_path: Path):
    """Carried by hand, they are two messages as well."""
    both = two_of_one_id(county)
    assert bundle.write(tmp_path / "both.hlb", "HUILIAN", both) == 2
    with bundle.opened(tmp_path / "both.hlb") as opened:
        taken = courier.let_in(county.office, opened, actor="test")
    assert (taken.new, taken.repeated) == (2, 0)
    assert county.count("huilian.outbox") == 2


@pytest.fixture
def earlier(empty_database: str) -> Iterator[Database]:
    """The kernel's tables of the version before."""
    with Database(empty_database, size=2) as opened:
        with opened.transaction() as transaction:
            transaction.execute("CREATE SCHEMA huilian")
        config = Config()
        config.set_main_option("script_location", str(KERNEL.migrations))
        config.attributes.update(url=empty_database, schema="huilian")
        command.upgrade(config, "0004")
        yield opened


def test_a_data_directory_of_before_is_opened_with_all_that_it_holds(earlier: Database):
    """What was handled, carried and handed over stays so, each under its sender."""
    with earlier.transaction() as transaction:
        transaction.execute(
            "INSERT INTO huilian.member (code, kind, name, added_at) VALUES ('RCB01', 'bank', 'x', now())"
        )
        transaction.many(
            "INSERT INTO huilian.message (id, source, type, subject, time, digest, seal, payload, received_at)"
            " VALUES (%s, %s, 'x', 'RCB01', now(), '', '', '', now())",
            [["a", "RCB01"], ["b", "HUILIAN"]],
        )
        transaction.execute("INSERT INTO huilian.inbox VALUES ('registry', 'a', now())")
        transaction.execute("INSERT INTO huilian.outbox (message, created_at) VALUES ('a', now()), ('b', now())")
        transaction.execute("INSERT INTO huilian.outgoing VALUES ('RCB01', 1, 'b', now())")
    schema.upgrade(earlier, [KERNEL])
    with earlier.transaction() as transaction:
        assert transaction.rows("SELECT service, source, message FROM huilian.inbox") == [
            {"service": "registry", "source": "RCB01", "message": "a"}
        ]
        assert transaction.rows("SELECT source, message FROM huilian.outbox ORDER BY position") == [
            {"source": "RCB01", "message": "a"},
            {"source": "HUILIAN", "message": "b"},
        ]
        assert transaction.rows("SELECT source, message, handed_over_at IS NULL AS waits FROM huilian.outgoing") == [
            {"source": "HUILIAN", "message": "b", "waits": False}
        ]
