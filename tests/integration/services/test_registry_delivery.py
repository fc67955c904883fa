"""Messages delivered twice, late, in any order and interleaved: what is known in the end is the same."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.core.errors import HostUnavailable
from huilian.county import changes
from huilian.county.messages.processor import Result
from huilian.wire import batches
from tests.support.assertions.ledgers import check_changes, check_figures, check_registry, submission
from tests.support.builders.loans import OVERDUE, SETTLED, VILLAGES, state
from tests.support.model import Ledger, Model
from tests.support.reporting import BANKS, ReportingCounty, Submission, again, open_county, resealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.wire.envelope import Message
    from tests.support.servers.postgresql import PostgreSQLNode

JANUARY, FEBRUARY, MARCH = dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31)
MONTHS = ("2025-01", "2025-02", "2025-03")
ROWS = {
    "L1": state(),
    "L2": state(household_no="H2", balance="40000.00"),
    "L3": OVERDUE,
    "L4": state(region=VILLAGES[2], household_no=None),
    "L5": SETTLED,
}


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportingCounty]:
    """A county on a database of this module's own, where a payload has two lines at most."""
    url = postgresql_node.create_database("registry_delivery")
    with pytest.MonkeyPatch.context() as patch, open_county(url, tmp_path_factory.mktemp("home")) as opened:
        patch.setattr(batches, "LINE_LIMIT", 2)
        yield opened


def scatter(county: ReportingCounty, messages: list[Message], random: Random) -> None:
    """Deliver the messages and those they cause in any order, some of them twice or more."""
    pool = list(messages)
    delivered: list[Message] = []
    while pool:
        message = pool.pop(random.randrange(len(pool)))
        outcome = county.deliver(message)
        # A ledger that was sealed anew when another of its day had taken its place is refused, in words.
        assert outcome.refusal is None or outcome.refusal.code == "HL1030"
        delivered.append(message)
        if random.random() < 0.3:
            pool.append(random.choice(delivered))
        pool += county.sent()


def applied(county: ReportingCounty, files: list[tuple[Submission, Ledger]]) -> Model:
    """Return the model of the ledgers in the order in which they were applied, their receipts held against it."""
    ledgers = {file.name: ledger for file, ledger in files}
    model = Model()
    for row in county.rows("SELECT submission, receipt FROM huilian.submission ORDER BY application"):
        ledger = ledgers[row["submission"]]
        counts = model.counts(ledger)
        assert {name: row["receipt"][name] for name in counts} == counts
        model.enter(ledger)
    assert len(model.ledgers) == len(files)
    return model


@st.composite
def ledgers(draw: st.DrawFn) -> list[Ledger]:
    """Return two or three ledgers of about five loans."""
    states = st.sampled_from(list(ROWS.values()))
    return draw(
        st.lists(
            st.builds(
                Ledger,
                st.sampled_from(BANKS),
                st.sampled_from([JANUARY, FEBRUARY, MARCH]),
                st.dictionaries(st.sampled_from(list(ROWS)), states, max_size=5),
                st.frozensets(st.just("L9")),
            ),
            min_size=2,
            max_size=3,
        )
    )


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(ledgers(), st.integers(0, 2**16))
def test_messages_in_any_order_and_number_come_to_the_same(county: ReportingCounty, pushed: list[Ledger], seed: int):
    """Manifests, batches, changes and receipts of several ledgers, shuffled and repeated, give what the model says."""
    random = Random(seed)  # noqa: S311  # a shuffle that its seed repeats
    county.empty()
    files = [(submission(ledger, part_rows=2), ledger) for ledger in pushed]
    messages = [message for file, _ in files for message in county.messages(file)]
    scatter(county, messages + [resealed(county, message) for message in messages if random.random() < 0.2], random)
    model = applied(county, files)
    check_registry(county, model)
    check_changes(county, model)
    check_figures(county, model, MONTHS)
    before = county.everything()
    scatter(county, [resealed(county, message) for message in messages], random)
    assert county.everything() == before
    assert county.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'staged%'") == []
    assert county.rows("SELECT * FROM statistics.change_part") == []


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_submission_is_applied_by_whichever_of_its_messages_comes_last(
    county: ReportingCounty, order: tuple[int, ...]
):
    """In each order of manifest and batches nothing is seen before the last, and everything after it."""
    county.empty()
    ledger = Ledger("RCB01", JANUARY, ROWS)
    file = submission(ledger, part_rows=2)
    messages = county.messages(file)
    assert len(messages) == 4
    *first, last = (messages[place] for place in order)
    for message in first:
        assert county.deliver(message).result is Result.HANDLED
        assert county.receipt(file) is None
        assert county.rows("SELECT * FROM registry.loan") == []
        assert county.sent() == []
    county.carry([last])
    check_registry(county, applied(county, [(file, ledger)]))


@pytest.mark.parametrize("away", [False, True], ids=["disk full", "server away"])
def test_an_application_cut_off_while_its_loans_are_entered_leaves_nothing(
    county: ReportingCounty, monkeypatch: pytest.MonkeyPatch, *, away: bool
):
    """Neither loans nor messages; the same message, let in again, applies the ledger whole."""
    county.empty()
    ledger = Ledger("RCB01", JANUARY, ROWS)
    file = submission(ledger, part_rows=2)
    *first, last = county.messages(file)
    for message in first:
        assert county.deliver(message).result is Result.HANDLED

    def fail(*_: object) -> None:
        if not away:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with psycopg.connect(county.office.database.url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with monkeypatch.context() as cut_off:
        cut_off.setattr(changes.Changes, "_keep", fail)
        if away:
            with pytest.raises(HostUnavailable, match="HL5001"):
                county.deliver(last)
        else:
            assert county.deliver(last).result is Result.REFUSED
    assert county.receipt(file) is None
    assert county.rows("SELECT * FROM registry.loan") == []
    assert [message.type for message in county.sent()] == ([] if away else ["notices"])
    county.carry([last])
    model = applied(county, [(file, ledger)])
    check_registry(county, model)
    check_changes(county, model)
    check_figures(county, model, MONTHS)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_changes_are_folded_when_the_last_of_them_is_in(county: ReportingCounty, order: tuple[int, ...]):
    """In each order of its parts an application's changes count all together or not at all."""
    county.empty()
    for message in county.messages(submission(Ledger("RCB01", JANUARY, ROWS), part_rows=2)):
        county.deliver(message)
    changes = [message for message in county.sent() if message.type == "loans_changed"]
    assert [(message.sequence, message.total) for message in changes] == [(0, None), (1, None), (2, 3)]
    loans = []
    for place in order:
        county.deliver(changes[place])
        county.deliver(changes[place])
        loans.append(county.figures_of("2025-01")["loans"])
    assert loans == [0, 0, 4]


def test_a_submission_pushed_again_answers_with_the_same_receipt_and_changes_nothing(county: ReportingCounty):
    """The same file in new messages is answered by the first receipt, even after a newer ledger."""
    county.empty()
    file = submission(Ledger("RCB01", JANUARY, ROWS, frozenset({"L9"})), part_rows=2)
    receipt = county.push(file)
    assert receipt == {
        "submission": file.name,
        "member": "RCB01",
        "kind": "loan_ledger",
        "as_of": "2025-01-31",
        "status": "accepted",
        "rows": 6,
        "accepted": 5,
        "rejected": 1,
        "changed": 5,
        "unchanged": 0,
        "missing": 0,
        "code": None,
        "message": None,
        "file_sha256": file.sha256,
    }
    county.push(submission(Ledger("RCB01", FEBRUARY, {"L1": SETTLED}), part_rows=2))
    before = county.everything()
    county.carry(resealed(county, message) for message in county.messages(file))
    answers = county.rows(
        "SELECT convert_from(payload, 'UTF8')::jsonb AS receipt FROM huilian.message"
        f" WHERE type = 'receipt' AND source = 'HUILIAN' AND submission = '{file.name}'"
    )
    assert [row["receipt"] for row in answers] == [receipt, receipt]
    assert county.everything() == before


def test_a_file_translated_anew_before_it_was_complete_counts_as_translated_last(county: ReportingCounty):
    """What was staged of the first translation is not mixed with the second, though it has as many records."""
    county.empty()
    first = submission(Ledger("RCB01", JANUARY, {"L1": state(), "L2": state(), "L3": state()}), part_rows=2)
    rows = [dict(row, balance="10.00") for row in first.rows]
    second = Submission("RCB01", JANUARY, rows, part_rows=2, number=first.number)
    manifest, *parts = county.messages(first)
    new_manifest, *new_parts = county.messages(second)
    assert second.name == first.name
    for message in (*new_parts, manifest, parts[0]):
        assert county.deliver(message).result is Result.HANDLED
    assert county.receipt(first) is None
    county.carry([new_manifest])
    assert [str(row["balance"]) for row in county.rows("SELECT balance FROM registry.loan")] == ["10.00"] * 3
    county.carry([parts[1]])
    assert county.dead_letters() == []


def test_a_batch_the_manifest_does_not_name_is_never_applied(county: ReportingCounty):
    """A batch in the place of another, with as many records, is passed over for the one that was stated."""
    county.empty()
    file = Submission("RCB01", JANUARY, [{"loan_no": "L1"} | state()])
    other = Submission("RCB01", JANUARY, [{"loan_no": "L1"} | state(borrower_name="王五")], number=file.number)
    manifest, part = county.messages(file)
    county.carry([part])
    stray = county.messages(other)[1]
    county.carry([stray, manifest])
    assert [row["borrower_name"] for row in county.rows("SELECT borrower_name FROM registry.loan")] == ["张三"]


def test_a_ledger_without_rows_says_that_every_loan_is_missing(county: ReportingCounty):
    """A submission of no batches is complete with its manifest."""
    county.empty()
    county.push(submission(Ledger("RCB01", JANUARY, ROWS), part_rows=2))
    receipt = county.push(Submission("RCB01", FEBRUARY, []))
    assert (receipt["accepted"], receipt["changed"], receipt["missing"]) == (0, 0, 5)
    assert county.figures_of("2025-02")["loans"] == 4


def test_two_files_of_one_content_and_date_are_two_submissions(county: ReportingCounty):
    """A file with another digest is applied of its own right, and finds everything unchanged."""
    county.empty()
    file = submission(Ledger("RCB01", JANUARY, ROWS), part_rows=2)
    county.push(file)
    receipt = county.push(again(file))
    assert (receipt["changed"], receipt["unchanged"], receipt["missing"]) == (0, 5, 0)


def test_messages_carried_by_several_hands_at_once_come_to_the_same(county: ReportingCounty):
    """Four workers deliver three ledgers, each message twice, while the figures are rebuilt over and over."""
    county.empty()
    pushed = [
        Ledger("RCB01", JANUARY, ROWS),
        Ledger("RCB01", MARCH, ROWS | {"L1": SETTLED}),
        Ledger("RCB01", FEBRUARY, {"L1": OVERDUE, "L2": ROWS["L2"]}),
        Ledger("PSB01", JANUARY, {"L1": ROWS["L1"], "L6": ROWS["L4"]}),
    ]
    files = [(submission(ledger, part_rows=2), ledger) for ledger in pushed]
    messages = [message for file, _ in files for message in county.messages(file)]
    waiting = messages + [resealed(county, message) for message in messages]

    def deliver(message: Message) -> Result:
        while True:
            try:
                return county.deliver(message).result
            except HostUnavailable:  # PostgreSQL gave one of two deadlocked up: hosts try again
                continue

    def rebuild(_: int) -> None:
        with contextlib.suppress(HostUnavailable):
            county.rebuild()

    with ThreadPoolExecutor(5) as pool:
        rebuilds = pool.map(rebuild, range(6))
        while waiting:
            results = pool.map(deliver, [message for message in waiting for _ in range(2)])
            assert Result.REFUSED not in set(results)
            waiting = county.sent()
        list(rebuilds)
    model = applied(county, files)
    check_registry(county, model)
    check_changes(county, model)
    check_figures(county, model, MONTHS)
