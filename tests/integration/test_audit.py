"""The audit log: whoever alters, removes, inserts or reorders a record is found out, by its number."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.core.errors import UsageError
from huilian.county import audit
from huilian.county.audit import GENESIS
from tests.support.county import MINUTE, NOW

if TYPE_CHECKING:
    from tests.support.county import County

FIRST = 7
"""The number of the first record after those of setting up: two members, two keys, the bank and its key."""
RECORDS = 5


def append(county: County, subject: str = "X", **detail: object) -> None:
    """Append one record."""
    with county.database.transaction() as transaction:
        audit.append(transaction, now=county.clock.now(), actor="test", action="probed", subject=subject, detail=detail)


def verified(county: County) -> tuple[int, str]:
    """Verify the chain."""
    with county.database.transaction() as transaction:
        return audit.verify(transaction)


def tamper(county: County, *statements: str) -> None:
    """Do what a superuser can, who switches the trigger off."""
    with county.database.transaction() as transaction:
        transaction.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            assert transaction.execute(statement) > 0


def finding(county: County) -> tuple[object, object]:
    """Return the record that verification names, and what it says of it."""
    with pytest.raises(UsageError) as found:
        verified(county)
    assert found.value.code == "HL7006"
    return found.value.facts["number"], found.value.facts["what"]


@pytest.fixture
def chained(county: County) -> County:
    """An office with five records more."""
    for number in range(RECORDS):
        append(county, f"S{number}", rows=number)
        county.clock.advance(MINUTE)
    return county


def test_a_chain_that_nobody_touched_verifies(chained: County):
    """It says how long it is and how it ends, which is worth keeping elsewhere."""
    last = chained.value("SELECT hash FROM huilian.audit ORDER BY number DESC LIMIT 1")
    assert verified(chained) == (FIRST + RECORDS - 1, last)


def test_each_record_follows_the_one_before(chained: County):
    """The first follows nothing."""
    hashes = chained.column("SELECT hash FROM huilian.audit ORDER BY number")
    previous = chained.column("SELECT previous FROM huilian.audit ORDER BY number")
    assert previous == [GENESIS, *hashes[:-1]]
    assert len(set(hashes)) == FIRST + RECORDS - 1


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'nobody'",
        "action = 'approved'",
        "subject = 'Y'",
        "detail = '{\"rows\": 3}'",
        "detail = '{}'",
        "at = at + interval '1 microsecond'",
        f"hash = '{'0' * 64}'",
    ],
)
def test_an_altered_record_is_named(chained: County, change: str):
    """Whatever of it was altered."""
    tamper(chained, f"UPDATE huilian.audit SET {change} WHERE number = {FIRST + 2}")
    assert finding(chained) == (FIRST + 2, "内容被改动 (altered)")


def test_an_altered_link_is_named(chained: County):
    """The record that no longer follows."""
    tamper(chained, f"UPDATE huilian.audit SET previous = '{GENESIS}' WHERE number = {FIRST + 2}")
    assert finding(chained) == (FIRST + 2, "与前一条不相接 (does not follow the one before)")


def test_an_altered_record_whose_hash_was_made_anew_is_found_by_the_next(chained: County):
    """To hide one change, all records after it have to be made anew, and then the last hash is another."""
    with chained.database.transaction() as transaction:
        [row] = transaction.rows("SELECT * FROM huilian.audit WHERE number = %s", [FIRST + 2])
    record = {name: row[name] for name in ("number", "actor", "action", "subject")} | {
        "at": row["at"].astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "detail": {"rows": 3},
    }
    forged = audit.record_hash(row["previous"], record)
    change = f"detail = '{{\"rows\": 3}}', hash = '{forged}'"
    tamper(chained, f"UPDATE huilian.audit SET {change} WHERE number = {FIRST + 2}")
    assert finding(chained) == (FIRST + 3, "与前一条不相接 (does not follow the one before)")


def test_a_missing_record_is_named(chained: County):
    """In the middle, and at the beginning."""
    tamper(chained, f"DELETE FROM huilian.audit WHERE number = {FIRST + 1}")
    assert finding(chained) == (FIRST + 1, "缺少记录 (missing)")
    tamper(chained, "DELETE FROM huilian.audit WHERE number = 1")
    assert finding(chained) == (1, "缺少记录 (missing)")


def test_a_missing_end_is_told_by_the_last_hash(chained: County):
    """No chain knows by itself how long it should be: compare with what was kept elsewhere."""
    before = verified(chained)
    tamper(chained, f"DELETE FROM huilian.audit WHERE number = {FIRST + RECORDS - 1}")
    count, last = verified(chained)
    assert (count, last != before[1]) == (before[0] - 1, True)


def test_renumbering_hides_no_deletion(chained: County):
    """The gap is closed, the link is not."""
    tamper(
        chained,
        f"DELETE FROM huilian.audit WHERE number = {FIRST + 1}",
        f"UPDATE huilian.audit SET number = number - 100 WHERE number > {FIRST + 1}",
        "UPDATE huilian.audit SET number = number + 99 WHERE number < 0",
    )
    assert finding(chained) == (FIRST + 1, "与前一条不相接 (does not follow the one before)")


def test_an_inserted_record_is_named(chained: County):
    """A copy of one, put at the end or in between."""
    place = FIRST + RECORDS
    columns = "at, actor, action, subject, detail, previous, hash"
    tamper(
        chained,
        f"INSERT INTO huilian.audit (number, {columns})"
        f" SELECT {place}, {columns} FROM huilian.audit WHERE number = {FIRST}",
    )
    assert finding(chained) == (place, "与前一条不相接 (does not follow the one before)")
    tamper(chained, f"UPDATE huilian.audit SET number = 0 WHERE number = {place}")
    assert finding(chained) == (1, "缺少记录 (missing)")


def test_two_records_changed_about_are_named(chained: County):
    """The first of them."""
    tamper(
        chained,
        f"UPDATE huilian.audit SET number = -1 WHERE number = {FIRST + 1}",
        f"UPDATE huilian.audit SET number = {FIRST + 1} WHERE number = {FIRST + 2}",
        f"UPDATE huilian.audit SET number = {FIRST + 2} WHERE number = -1",
    )
    assert finding(chained) == (FIRST + 1, "与前一条不相接 (does not follow the one before)")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE huilian.audit SET actor = 'x'", "DELETE FROM huilian.audit", "TRUNCATE huilian.audit"],
)
def test_the_database_itself_refuses_changes(chained: County, statement: str):
    """Also to whoever goes past our code; even a statement that would touch no row."""
    for condition in ("", " WHERE false"):
        if condition and statement.startswith("TRUNCATE"):
            continue
        with (
            pytest.raises(psycopg.errors.RaiseException, match="the audit log is append-only"),
            chained.database.transaction() as transaction,
        ):
            transaction.execute(statement + condition)
    assert verified(chained)[0] == FIRST + RECORDS - 1


def test_a_record_lives_and_dies_with_what_it_tells_of(chained: County):
    """Rolled back, it never was, and leaves no gap."""

    def append_and_fail() -> None:
        with chained.database.transaction() as transaction:
            audit.append(transaction, now=NOW, actor="test", action="undone", subject="X", detail={})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        append_and_fail()
    append(chained, "after")
    assert verified(chained)[0] == FIRST + RECORDS


def test_many_writers_keep_one_chain(county: County):
    """They wait for each other at its end."""
    threads = [threading.Thread(target=lambda: [append(county, "T") for _ in range(10)]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verified(county)[0] == FIRST - 1 + 60
    assert county.count("huilian.audit") == FIRST - 1 + 60


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=values)
def test_whatever_a_record_tells_it_verifies_afterwards(county: County, value: object):
    """The database writes numbers its own way, 1e22 as twenty-three digits; the hash is over what is read again."""
    append(county, "X", value=value)
    append(county, "X", **{"10": 1, "9": (1, 2), "b": {2: "x", 10: "y"}})
    verified(county)
