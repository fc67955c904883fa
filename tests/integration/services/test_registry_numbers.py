"""File numbers: gaps and repeats are told to the sender once, and shown while they last."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.wire import catalogue, envelope
from tests.support.builders.loans import state
from tests.support.reporting import NOW, ReportingCounty, Submission, resealed

DAY, NEXT_DAY = dt.date(2025, 1, 30), dt.date(2025, 1, 31)
BANK = "PSB01"


def file(sequence: int | None, as_of: dt.date = DAY, **extra: Any) -> Submission:  # noqa: ANN401  # whatever it has
    """Return a ledger that bears a number."""
    return Submission(BANK, as_of, [{"loan_no": "L1"} | state()], file_sequence=sequence, **extra)


def told(county: ReportingCounty) -> list[tuple[str, str | None, str]]:
    """Return kind, code and text of the notices handed out since the last look, each held to its contract."""
    notices = []
    schema = catalogue.installed().named("notices/v1").schema
    for message in county.handed_out:
        if message.type == "notices":
            assert (message.source, message.subject, message.dataschema) == ("HUILIAN", BANK, "notices/v1")
            notices += [json.loads(line) for line in message.body().splitlines()]
    county.handed_out.clear()
    assert [schema().validate(notice) for notice in notices] == [{} for _ in notices]
    assert {notice["date"] for notice in notices} <= {NOW.date().isoformat()}
    return [(notice["kind"], notice["code"], notice["text"]) for notice in notices]


def gaps(county: ReportingCounty, month: str = "2025-01") -> list[tuple[str, int, int]]:
    """Return the gaps the scoreboard shows of the bank's ledgers."""
    with county.transaction() as transaction:
        [row] = county.registry["scoreboard"](transaction, month=month, institution=BANK)["rows"]
    return [(gap["as_of"], gap["first"], gap["last"]) for gap in row["missing_files"]]


def repeats(county: ReportingCounty) -> list[tuple[str, int]]:
    """Return the repeated numbers the scoreboard shows."""
    with county.transaction() as transaction:
        [row] = county.registry["scoreboard"](transaction, month="2025-01", institution=BANK)["rows"]
    return [(repeat["as_of"], repeat["number"]) for repeat in row["repeated_files"]]


def missing(number: int, numbers: str, day: dt.date = DAY) -> tuple[str, str, str]:
    """Return the notice of missing files."""
    return "file_missing", "HL3040", f"{day} 的贷款台账已收到第 {number} 号文件，但第 {numbers} 号文件未收到；请补报"


def test_files_in_their_order_are_not_worth_a_word(county: ReportingCounty):
    """From 1 on, each day anew; nor are files without a number."""
    for submission in (file(1), file(2), file(1, NEXT_DAY), file(None), file(None, NEXT_DAY)):
        county.push(submission)
    assert told(county) == []
    assert gaps(county) == []
    assert repeats(county) == []


def test_a_gap_is_told_once_by_the_file_beyond_it_and_shown_until_it_is_closed(county: ReportingCounty):
    """What closes a part of it leaves the rest; what closes all of it leaves nothing."""
    county.push(file(4))
    assert told(county) == [missing(4, "1-3")]
    assert gaps(county) == [("2025-01-30", 1, 3)]
    county.push(file(5))
    county.push(file(2))
    assert told(county) == []
    assert gaps(county) == [("2025-01-30", 1, 1), ("2025-01-30", 3, 3)]
    county.push(file(7))
    assert told(county) == [missing(7, "6")]
    for number in (1, 3, 6):
        county.push(file(number))
    assert told(county) == []
    assert gaps(county) == []


def test_a_gap_may_be_as_large_as_a_number(county: ReportingCounty):
    """It is kept as its ends: a mistaken number costs nothing."""
    county.push(file(2**31 - 1))
    assert told(county) == [missing(2**31 - 1, f"1-{2**31 - 2}")]
    assert gaps(county) == [("2025-01-30", 1, 2**31 - 2)]
    county.push(file(2**31 - 1))
    assert gaps(county) == [("2025-01-30", 1, 2**31 - 2)]


def test_numbers_are_counted_by_member_kind_and_day(county: ReportingCounty):
    """Another bank's, another day's and another kind's files close nothing."""
    county.push(file(2))
    assert told(county) == [missing(2, "1")]
    county.push(file(1, NEXT_DAY))
    county.push(Submission("RCB01", DAY, [], file_sequence=1))
    county.push(Submission(BANK, DAY, [], kind="repayment_journal", file_sequence=1))
    with county.transaction() as transaction:
        rows = county.registry["scoreboard"](transaction, month="2025-01")["rows"]
    assert [(row["institution"], row["kind"]) for row in rows if row["missing_files"]] == [(BANK, "loan_ledger")]
    with county.transaction() as transaction:
        assert county.registry["scoreboard"](transaction, month="2025-02")["rows"][1]["missing_files"] == []


def test_the_same_number_over_other_bytes_is_told_and_shown(county: ReportingCounty):
    """Both are applied; the notice names the other. Once more, the later is no repeat, the earlier refused in words."""
    first, second = file(1), file(1)
    county.push(first)
    assert told(county) == []
    county.push(second)
    text = (
        f"2025-01-30 的贷款台账第 1 号文件与先前的 {first.name} 编号相同而内容不同，"
        "两份均已入账，同一笔以后到的为准；请核对编号"
    )
    assert told(county) == [("file_repeated", "HL3041", text)]
    assert repeats(county) == [("2025-01-30", 1)]
    receipt = county.receipt(second)
    county.carry(resealed(county, message) for message in county.messages(second))
    assert county.receipt(second) == receipt
    refusal = county.deliver(resealed(county, county.messages(first)[0])).refusal
    assert refusal is not None
    assert (refusal.code, refusal.facts["later"]) == ("HL1030", second.name)
    county.sent()
    assert told(county) == []


def test_a_file_under_another_name_with_the_same_bytes_is_no_repeat(county: ReportingCounty):
    """Senders name their submissions as they like; the file's digest tells."""
    first = file(1)
    county.push(first)
    county.push(file(1, stated={"file_sha256": first.sha256}))
    assert told(county) == []
    assert repeats(county) == []


def test_what_a_refused_file_passed_over_is_told_of_by_the_next_that_is_accepted(county: ReportingCounty):
    """It has come itself, so that the gaps on either side of it are told of apart."""
    county.push(file(3, stated={"totals": {"principal": "0.00", "balance": "0.00"}}))
    county.push(file(1))
    assert told(county) == []
    county.push(file(5))
    assert told(county) == [missing(5, "2、4")]


def test_a_notice_names_ten_gaps_at_most(county: ReportingCounty):
    """However many files were refused in between."""
    for number in range(2, 26, 2):
        county.push(file(number, stated={"totals": {"principal": "0.00", "balance": "0.00"}}))
    county.push(file(26))
    assert told(county) == [missing(26, "1、3、5、7、9、11、13、15、17、19……")]
    assert len(gaps(county)) == 13


def test_a_refused_file_has_come_but_repeats_nothing(county: ReportingCounty):
    """Its number is not missing, since its sender has a receipt; the corrected file may bear it again."""
    county.push(file(1, stated={"totals": {"principal": "0.00", "balance": "0.00"}}))
    county.push(file(2))
    assert told(county) == []
    assert gaps(county) == []
    county.push(file(1))
    assert told(county) == []
    assert repeats(county) == []


def test_a_file_that_is_not_complete_has_not_come(county: ReportingCounty):
    """Until its last batch is in it is missing, to be told and shown; then no more."""
    manifest, part = county.messages(file(1))
    county.carry([manifest])
    county.push(file(2))
    assert told(county) == [missing(2, "1")]
    assert gaps(county) == [("2025-01-30", 1, 1)]
    county.carry([part])
    assert gaps(county) == []


def test_a_notice_is_numbered_and_refers_to_the_file_that_showed_it(county: ReportingCounty):
    """By these it can be found again; it names no person and no region."""
    beyond = file(3)
    county.push(beyond)
    [message] = [message for message in county.handed_out if message.type == "notices"]
    [notice] = [json.loads(line) for line in message.body().splitlines()]
    assert {name: notice[name] for name in ("line", "notice_no", "reference", "region")} == {
        "line": 1,
        "notice_no": "submission-1",
        "reference": beyond.name,
        "region": None,
    }
    assert message.submission == beyond.name
    [kept] = county.rows("SELECT seal, payload FROM huilian.message WHERE type = 'notices' AND source = 'HUILIAN'")
    assert envelope.read(kept["seal"], bytes(kept["payload"])) == message


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True))
def test_in_whatever_order_files_come_their_gaps_are_shown_and_each_number_was_told_of(
    opened: ReportingCounty, arrived: list[int]
):
    """Shown is what is missing at the end; told of, before, every number that had been passed over."""
    opened.empty()
    said: set[int] = set()
    passed_over: set[int] = set()
    for place, number in enumerate(arrived):
        opened.push(file(number))
        passed_over |= set(range(1, number)) - set(arrived[:place])
        for _, _, text in told(opened):
            for span in text.split("但第 ")[1].split(" 号")[0].split("、"):
                first, _, last = span.partition("-")
                numbers = set(range(int(first), int(last or first) + 1))
                assert not numbers & said, "a number is told of once"
                said |= numbers
    assert said == passed_over
    shown = {number for _, first, last in gaps(opened) for number in range(first, last + 1)}
    assert shown == set(range(1, max(arrived))) - set(arrived)


def test_a_further_file_of_a_day_completes_it_and_misses_nothing(county: ReportingCounty):
    """The bank splits its ledger over several files: what stands in one is not missing from the next."""
    first = file(1)
    second = Submission(BANK, DAY, [{"loan_no": "L2"} | state()], file_sequence=2)
    assert county.push(first)["missing"] == 0
    receipt = county.push(second)
    assert (receipt["accepted"], receipt["changed"], receipt["missing"]) == (1, 1, 0)
    assert county.figures_of("2025-01")["loans"] == 2
