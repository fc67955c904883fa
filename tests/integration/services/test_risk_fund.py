"""Guarantee books: several types of record in one submission, applied whole, in any order."""

from __future__ import annotations

import datetime as dt
import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.county.messages.processor import Result
from huilian.wire import envelope
from tests.support.builders.loans import VILLAGES, state
from tests.support.builders.statements import compensation, guarantee, release
from tests.support.reporting import COUNTY, GUARANTOR, ReportingCounty, Submission, again, resealed

JANUARY, FEBRUARY, MARCH = dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31)
BOOK = [guarantee("G1", "L1"), guarantee("G2", "L2"), compensation("G9", "L9"), release("G8", "L8")]


def book(as_of: dt.date, rows: list[dict[str, Any]], **extra: Any) -> Submission:  # noqa: ANN401  # whatever it has
    """Return a guarantee book."""
    return Submission(GUARANTOR, as_of, rows, kind="guarantee_book", **extra)


def counts(receipt: dict[str, Any]) -> tuple[int, int, int]:
    """Return changed, unchanged and missing."""
    assert receipt["status"] == "accepted"
    return receipt["changed"], receipt["unchanged"], receipt["missing"]


def known(county: ReportingCounty, view: str = "newest_guarantee") -> list[tuple[str, str, str]]:
    """Return number, outstanding amount and date of guarantees."""
    rows = county.rows(
        f"SELECT guarantee_no, outstanding_amount::text, as_of::text FROM risk_fund.{view} ORDER BY 1, 3"
    )
    return [tuple(row.values()) for row in rows]


def found(county: ReportingCounty, region: str = COUNTY, **scope: str) -> list[tuple[str, str, str, str | None]]:
    """Return kind, institution, loan and reference of what does not match."""
    with county.transaction() as transaction:
        rows = county.registry["differences"](transaction, region=region, **scope)
        return [(row["kind"], row["institution"], row["loan_no"], row["reference"]) for row in rows]


def test_a_book_is_applied_whole_with_every_type_of_its_records(county: ReportingCounty):
    """Its receipt counts the rows of all sheets, and each row keeps where it came from."""
    file = book(JANUARY, BOOK, rejected=["G7"], part_rows=1)
    receipt = county.push(file)
    assert receipt == {
        "submission": file.name,
        "member": GUARANTOR,
        "kind": "guarantee_book",
        "as_of": "2025-01-31",
        "status": "accepted",
        "rows": 5,
        "accepted": 4,
        "rejected": 1,
        "changed": 4,
        "unchanged": 0,
        "missing": 0,
        "code": None,
        "message": None,
        "file_sha256": file.sha256,
    }
    [answer] = county.rows("SELECT seal, payload FROM huilian.message WHERE type = 'receipt' AND source = 'HUILIAN'")
    assert envelope.read(answer["seal"], bytes(answer["payload"])).dataschema == "receipt/v2"
    assert county.rows(
        "SELECT member, guarantee_no, institution, loan_no, guarantor_share_percent::text AS share, as_of::text,"
        " sequence, line FROM risk_fund.guarantee ORDER BY guarantee_no"
    ) == [
        {
            "member": GUARANTOR,
            "guarantee_no": f"G{number}",
            "institution": "RCB01",
            "loan_no": f"L{number}",
            "share": "50.000000",
            "as_of": "2025-01-31",
            "sequence": number - 1,
            "line": number + 1,
        }
        for number in (1, 2)
    ]
    assert county.rows(
        "SELECT guarantee_no, principal::text, interest::text, line FROM risk_fund.guarantee_compensation"
    ) == [{"guarantee_no": "G9", "principal": "48765.43", "interest": "12.34", "line": 4}]
    assert county.rows("SELECT guarantee_no, released_amount::text, reason FROM risk_fund.guarantee_release") == [
        {"guarantee_no": "G8", "released_amount": "50000.00", "reason": "还清"}
    ]
    assert county.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'staged%'") == []


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_book_is_applied_by_whichever_of_its_messages_comes_last(county: ReportingCounty, order: tuple[int, ...]):
    """Manifest and a batch of each type in any order: nothing is seen before the last of them."""
    messages = county.messages(book(JANUARY, BOOK))
    assert len(messages) == 4
    *first, last = (messages[place] for place in order)
    for message in first:
        assert county.deliver(message).result is Result.HANDLED
        assert known(county) == []
    county.carry([last])
    assert known(county) == [("G1", "50000.00", "2025-01-31"), ("G2", "50000.00", "2025-01-31")]


def test_what_a_book_no_longer_has_is_missing_unless_released_or_rejected(county: ReportingCounty):
    """A release of this book or of one before it explains a guarantee that is gone; so does a row not taken."""
    five = [guarantee(f"G{number}", f"L{number}") for number in range(1, 6)]
    assert counts(county.push(book(JANUARY, [*five, release("G2", "L2")]))) == (6, 0, 0)
    rows = [five[0], release("G3", "L3", released_date="2025-02-03")]
    assert counts(county.push(book(FEBRUARY, rows, rejected=["G4"]))) == (1, 1, 1)
    assert known(county, "guarantee_in_force") == [("G1", "50000.00", "2025-02-28")]
    assert counts(county.push(book(MARCH, [five[4]]))) == (0, 1, 1)


def test_an_empty_book_says_that_every_guarantee_is_missing(county: ReportingCounty):
    """A book without a row is complete with its manifest, and nothing is in force any more."""
    county.push(book(JANUARY, BOOK))
    assert counts(county.push(book(FEBRUARY, []))) == (0, 0, 2)
    assert known(county, "guarantee_in_force") == []
    assert len(known(county)) == 2


def test_a_corrected_book_of_one_date_takes_the_place_of_the_first(county: ReportingCounty):
    """What it says anew counts, and what it leaves out is missing, once, and no longer in force."""
    county.push(book(JANUARY, BOOK))
    first = guarantee("G1", "L1", outstanding_amount="40000.00")
    assert counts(county.push(book(JANUARY, [first]))) == (1, 0, 1)
    assert known(county, "guarantee_in_force") == [("G1", "40000.00", "2025-01-31")]
    assert counts(county.push(book(FEBRUARY, [first]))) == (0, 1, 0)


def test_a_late_book_never_overwrites_newer_facts(county: ReportingCounty):
    """It counts against what was known of its date, stands in history, and changes nothing that is in force."""
    county.push(book(JANUARY, [guarantee("G1", "L1"), guarantee("G2", "L2")]))
    county.push(book(MARCH, [guarantee("G1", "L1", outstanding_amount="30000.00")]))
    in_force = known(county, "guarantee_in_force")
    late = [guarantee("G1", "L1", outstanding_amount="45000.00"), guarantee("G3", "L3")]
    assert counts(county.push(book(FEBRUARY, late))) == (2, 0, 1)
    assert known(county, "guarantee_in_force") == in_force == [("G1", "30000.00", "2025-03-31")]
    assert known(county, "guarantee") == [
        ("G1", "50000.00", "2025-01-31"),
        ("G1", "45000.00", "2025-02-28"),
        ("G1", "30000.00", "2025-03-31"),
        ("G2", "50000.00", "2025-01-31"),
        ("G3", "50000.00", "2025-02-28"),
    ]


def test_totals_of_each_type_are_held_to_its_rows(county: ReportingCounty):
    """A total is named with the type of its records; nothing of the book is applied."""
    totals = book(JANUARY, BOOK).totals()
    assert totals == {
        "guarantees.guaranteed_amount": "100000.00",
        "guarantees.outstanding_amount": "100000.00",
        "guarantee_compensations.principal": "48765.43",
        "guarantee_compensations.interest": "12.34",
        "guarantee_releases.released_amount": "50000.00",
    }
    field = "guarantee_compensations.interest"
    wrong = totals | {field: "12.35"}
    file = book(JANUARY, BOOK, stated={"totals": wrong})
    receipt = county.push(file)
    assert (receipt["status"], receipt["code"]) == ("refused", "HL3012")
    assert receipt["message"] == (
        f"提交 {file.name} 的明细与清单合计不符：{field} 清单为 12.35，明细为 12.34；整份未导入"
    )
    assert known(county) == []


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (guarantee("G1", "L1"), "HL3013"),
        (release("G8", "L8", released_amount="1.00"), "HL3013"),
        (guarantee("G3", "L3", start_date="2025-02-01"), "HL2018"),
        (compensation("G3", "L3", compensated_date="2025-02-01"), "HL2025"),
        (release("G3", "L3", released_date="2025-02-01"), "HL2025"),
    ],
)
def test_a_book_that_repeats_a_key_or_tells_of_what_lies_ahead_is_refused(
    county: ReportingCounty, row: dict[str, Any], code: str
):
    """Nothing of it is applied, whichever sheet is wrong."""
    receipt = county.push(book(JANUARY, [*BOOK, row]))
    assert (receipt["status"], receipt["code"]) == ("refused", code)
    assert known(county) == []


def test_a_contract_may_guarantee_several_loans(county: ReportingCounty):
    """The same number with another loan is another guarantee."""
    assert counts(county.push(book(JANUARY, [guarantee("G1", "L1"), guarantee("G1", "L2")]))) == (2, 0, 0)


def test_a_batch_counts_only_as_the_type_its_manifest_names(county: ReportingCounty):
    """The bytes of one sheet stated as those of another leave the book incomplete."""
    file = book(JANUARY, [guarantee("G1", "L1")])
    manifest, part = county.messages(file)
    [stated] = manifest.json()["parts"]
    county.carry([county.manifest(file, [stated | {"type": "guarantee_releases"}]), part])
    assert county.receipt(file) is None
    county.carry([manifest])
    assert known(county) == [("G1", "50000.00", "2025-01-31")]


def test_only_a_guarantor_submits_a_book_not_even_an_empty_one(county: ReportingCounty):
    """What a bank may not state record by record it may not state by a manifest either."""
    file = Submission("RCB01", JANUARY, [], kind="guarantee_book")
    assert county.deliver(county.messages(file)[0]).result is Result.REFUSED
    [stolen] = county.messages(Submission("RCB01", JANUARY, [guarantee("G1", "L1")], kind="guarantee_book"))[1:]
    assert county.deliver(stolen).result is Result.REFUSED
    assert county.dead_letters() == [("HL1004", "member RCB01 may not send guarantees")] * 2


def test_a_book_holds_no_records_of_other_kinds(county: ReportingCounty):
    """A manifest that names a batch of policies in a book of guarantees is refused."""
    stated = {"parts": [{"sequence": 0, "type": "policies", "records": 0, "sha256": "0" * 64}]}
    assert county.deliver(county.messages(book(JANUARY, [], stated=stated))[0]).result is Result.REFUSED
    assert county.dead_letters() == [("HL1010", "line 1, field parts breaks the contract: type policies")]


def test_a_record_of_another_county_is_refused(county: ReportingCounty):
    """As everywhere, whoever wrote the sender."""
    row = guarantee("G1", "L1", region="110101001001")
    assert county.deliver(county.messages(book(JANUARY, [row]))[1]).result is Result.REFUSED
    assert county.dead_letters() == [("HL1010", "line 1, field region breaks the contract: HL2009")]


def test_a_crash_that_empties_the_staging_tables_costs_nothing(county: ReportingCounty):
    """What the unlogged tables lost is filled in again from the kept messages, each type into its own."""
    manifest, *parts = county.messages(book(JANUARY, BOOK, part_rows=1))
    county.carry([manifest, *parts[:-1]])
    with county.transaction() as transaction:
        tables = transaction.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'staged%' ORDER BY 1")
        assert [row["tablename"].rpartition("_guarant")[2] for row in tables] == [
            "ee_compensations",
            "ee_releases",
            "ees",
        ]
        for row in tables:
            transaction.execute(f"TRUNCATE risk_fund.{row['tablename']}")
    county.carry(parts[-1:])
    assert len(known(county)) == 2
    assert county.rows("SELECT count(*) FROM risk_fund.guarantee_release") == [{"count": 1}]


def test_a_book_translated_anew_before_it_was_complete_counts_as_translated_last(county: ReportingCounty):
    """What was staged of any type is thrown away with the manifest it belonged to."""
    first = book(JANUARY, BOOK)
    rows = [row | ({"outstanding_amount": "1.00"} if row["type"] == "guarantees" else {}) for row in BOOK]
    second = book(JANUARY, rows, number=first.number)
    manifest, *parts = county.messages(first)
    new_manifest, *new_parts = county.messages(second)
    county.carry([manifest, parts[0], new_manifest, *new_parts])
    assert [amount for _, amount, _ in known(county)] == ["1.00", "1.00"]


def test_what_does_not_match_between_guarantees_and_loans_is_named(county: ReportingCounty):
    """No such loan at that bank, two guarantees of one loan, a payment without a guarantee; others match."""
    for bank, loans in {"RCB01": ("L1", "L2"), "PSB01": ("L3",)}.items():
        county.push(Submission(bank, JANUARY, [{"loan_no": loan} | state() for loan in loans]))
    ignored = {kind for kind, *_ in found(county)}
    assert ignored == {"household_not_on_roster"}
    rows = [
        guarantee("G1", "L1"),
        guarantee("G2", "L2"),
        guarantee("G3", "L2"),
        guarantee("G4", "L3", region=VILLAGES[1]),
        guarantee("G5", "L9", outstanding_amount="0.00"),
        compensation("G1", "L1"),
        compensation("G1", "L2"),
        compensation("G7", "L7"),
    ]
    county.push(book(JANUARY, rows))
    assert [row for row in found(county) if row[0] not in ignored] == [
        ("compensation_without_guarantee", GUARANTOR, "L2", "G1"),
        ("compensation_without_guarantee", GUARANTOR, "L7", "G7"),
        ("guarantee_without_loan", GUARANTOR, "L3", "G4"),
        ("two_guarantees_on_one_loan", GUARANTOR, "L2", "G2"),
        ("two_guarantees_on_one_loan", GUARANTOR, "L2", "G3"),
    ]
    assert found(county, VILLAGES[1]) == [("guarantee_without_loan", GUARANTOR, "L3", "G4")]
    assert found(county, institution="PSB01") == [("household_not_on_roster", "PSB01", "L3", None)]
    county.push(book(FEBRUARY, [row for row in rows[:4] if row["guarantee_no"] != "G3"]))
    assert [row[0] for row in found(county, institution=GUARANTOR)] == [
        "compensation_without_guarantee",
        "compensation_without_guarantee",
        "guarantee_without_loan",
    ]


def test_a_loan_number_at_two_banks_is_named_at_each(county: ReportingCounty):
    """Either may be mistaken; a number that one bank reports twice over time is not."""
    for bank, loans in {"RCB01": ("L1", "L2"), "PSB01": ("L2", "L3")}.items():
        for month in (JANUARY, FEBRUARY):
            county.push(Submission(bank, month, [{"loan_no": loan} | state() for loan in loans]))
    assert [row for row in found(county) if row[0] != "household_not_on_roster"] == [
        ("loan_number_at_two_banks", "PSB01", "L2", None),
        ("loan_number_at_two_banks", "RCB01", "L2", None),
    ]


TABLES = ("guarantee", "guarantee_compensation", "guarantee_release")


def everything(county: ReportingCounty) -> dict[str, list[dict[str, Any]]]:
    """Return what is known of guarantees, submissions by name, without when it came in."""
    return {
        table: [
            {name: value for name, value in row.items() if name not in ("submission", "application")}
            for row in county.rows(
                f"SELECT g.*, s.submission AS origin FROM risk_fund.{table} g"
                " JOIN huilian.submission s ON s.number = g.submission ORDER BY g.as_of, g.guarantee_no, g.loan_no"
            )
        ]
        for table in (*TABLES, "guarantee_in_force", *(f"newest_{name}" for name in TABLES))
    }


@st.composite
def books(draw: st.DrawFn) -> list[Submission]:
    """Return a few books of the same guarantees, no two of them with the same date and number."""
    days = draw(
        st.lists(
            st.tuples(st.sampled_from([JANUARY, FEBRUARY, MARCH]), st.integers(1, 2)),
            min_size=2,
            max_size=4,
            unique=True,
        )
    )
    amounts = st.sampled_from(["50000.00", "40000.00", "0.00"])
    rows = st.fixed_dictionaries(
        {},
        optional={
            "G1": amounts.map(lambda amount: guarantee("G1", "L1", outstanding_amount=amount)),
            "G2": amounts.map(lambda amount: guarantee("G2", "L2", outstanding_amount=amount)),
            "C1": st.sampled_from(["0.00", "5.00"]).map(lambda amount: compensation("G1", "L1", recovered=amount)),
            "R2": st.sampled_from(["还清", None]).map(lambda reason: release("G2", "L2", reason=reason)),
        },
    )
    return [
        book(day, list(draw(rows).values()), file_sequence=number, number=-place)
        for place, (day, number) in enumerate(days)
    ]


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(pushed=books(), data=st.data())
def test_the_same_books_in_any_order_come_to_the_same(
    opened: ReportingCounty, pushed: list[Submission], data: st.DataObject
):
    """Whatever order they come in, and however often; what is known is what the newest statement of each date says."""
    opened.empty()
    for file in sorted(pushed, key=lambda file: (file.as_of, file.file_sequence)):
        opened.push(file)
    expected = everything(opened)
    assert known(opened) == _newest(pushed)
    opened.empty()
    for file in data.draw(st.permutations(pushed)):
        opened.push(file)
    assert everything(opened) == expected
    for file in data.draw(st.permutations(pushed)):
        opened.carry(resealed(opened, message) for message in opened.messages(file))
        # The same content in another file, without a number: it confirms, and has nothing new to say.
        assert counts(opened.push(again(file, file_sequence=None)))[0] == 0
    assert everything(opened) == expected


def _newest(pushed: list[Submission]) -> list[tuple[str, str, str]]:
    """Return number, amount and date of what the newest book with it said of each guarantee."""
    newest: dict[str, tuple[str, str, str]] = {}
    for file in sorted(pushed, key=lambda file: (file.as_of, file.file_sequence)):
        for row in file.of_type("guarantees"):
            newest[row["guarantee_no"]] = (row["guarantee_no"], row["outstanding_amount"], file.as_of.isoformat())
    return sorted(newest.values())


def test_a_message_of_a_book_is_kept_as_it_was_signed(county: ReportingCounty):
    """From the registry's row back to the record: message, line and content."""
    county.push(book(JANUARY, BOOK))
    [row] = county.rows(
        "SELECT g.line, m.seal, m.payload FROM risk_fund.guarantee g"
        " JOIN huilian.submission s ON s.number = g.submission"
        " JOIN huilian.submission_part p ON p.submission = s.submission AND p.sequence = g.sequence"
        " JOIN huilian.message m ON m.id = p.message WHERE g.guarantee_no = 'G2'"
    )
    records = [json.loads(line) for line in envelope.read(row["seal"], bytes(row["payload"])).body().splitlines()]
    [record] = [record for record in records if record["line"] == row["line"]]
    assert (record["guarantee_no"], record["loan_no"]) == ("G2", "L2")
