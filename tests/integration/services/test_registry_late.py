"""Late, repeated and corrected ledgers, case by case; the model has the same cases at random."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.integration.services.test_statement_changes import published
from tests.support.assertions.ledgers import check_changes, check_figures, check_registry, push
from tests.support.builders.loans import SETTLED, VILLAGES, state, state_of_version_2
from tests.support.model import Ledger, Model
from tests.support.reporting import COUNTY, ReportingCounty, Submission

if TYPE_CHECKING:
    from tests.support.model import State

MONTHS = tuple(f"2025-{month:02}" for month in range(1, 7))
ENDS = dict(zip(MONTHS, (31, 28, 31, 30, 31, 30), strict=True))
A, B, C = state(balance="30000.00"), state(balance="20000.00"), state(balance="10000.00")


def end(month: int) -> dt.date:
    """Return the last day of a month of 2025."""
    return dt.date(2025, month, ENDS[MONTHS[month - 1]])


def replay(county: ReportingCounty, *ledgers: tuple[int, dict[str, State]]) -> Model:
    """Push ledgers of one bank, by month, and hold everything against the model after each."""
    model = Model()
    for month, rows in ledgers:
        push(county, model, Ledger("RCB01", end(month), rows))
        check_registry(county, model)
        check_changes(county, model)
        check_figures(county, model, MONTHS)
    return model


def balances(county: ReportingCounty) -> list[str]:
    """Return the county's balance at the end of each month."""
    return [county.figures_of(month)["balance"] for month in MONTHS]


def counts(county: ReportingCounty, month: int, rows: dict[str, State]) -> tuple[int, int, int]:
    """Push a ledger and return what its receipt counts."""
    receipt = county.push(Submission("RCB01", end(month), [{"loan_no": loan} | row for loan, row in rows.items()]))
    return receipt["changed"], receipt["unchanged"], receipt["missing"]


def test_a_late_ledger_corrects_its_own_month_and_leaves_what_was_confirmed_alone(county: ReportingCounty):
    """January and March say the same; February, which comes last, holds for February only."""
    replay(county, (1, {"L1": A}), (3, {"L1": A}), (2, {"L1": B}))
    assert balances(county) == ["30000.00", "20000.00"] + ["30000.00"] * 4


def test_a_late_ledger_holds_until_the_next_that_had_the_loan(county: ReportingCounty):
    """March does not have the loan, so February's word holds through March, until April confirms the old state."""
    replay(county, (1, {"L1": A}), (3, {"L2": A}), (4, {"L1": A, "L2": A}), (2, {"L1": B}))
    assert balances(county) == ["30000.00", "20000.00", "50000.00"] + ["60000.00"] * 3


def test_a_late_ledger_is_the_newest_word_on_a_loan_no_later_one_had(county: ReportingCounty):
    """The loan went missing in March; what February says of it is the last that is known."""
    replay(county, (1, {"L1": A}), (3, {}), (2, {"L1": B}))
    assert balances(county) == ["30000.00"] + ["20000.00"] * 5
    assert county.rows("SELECT as_of::text, missing_since::text FROM registry.loan") == [
        {"as_of": "2025-02-28", "missing_since": "2025-03-31"}
    ]


def test_a_late_ledger_that_does_not_have_a_missing_loan_dates_its_absence_back(county: ReportingCounty):
    """A loan missing in March is missing since February when February's ledger comes and does not have it either."""
    replay(county, (1, {"L1": A}), (3, {}), (2, {}))
    assert county.rows("SELECT missing_since::text FROM registry.loan") == [{"missing_since": "2025-02-28"}]
    assert county.rows("SELECT * FROM registry.loan_absence") == []


def test_a_late_ledger_in_the_midst_of_an_absence_parts_it(county: ReportingCounty):
    """Missing from February to April; March's ledger had it after all, and only March knows better."""
    ledgers = [(1, {"L1": A}), (2, {}), (3, {}), (4, {}), (5, {"L1": A}), (3, {"L1": B})]
    replay(county, *ledgers, (4, {"L1": C}), (2, {"L1": C}))
    assert balances(county) == ["30000.00", "10000.00", "20000.00", "10000.00", "30000.00", "30000.00"]


def test_a_late_ledger_brings_a_loan_nobody_knew(county: ReportingCounty):
    """A loan that only a late ledger has is known from its date on, and missing from the next."""
    replay(county, (1, {"L1": A}), (3, {"L1": A}), (2, {"L1": A, "L2": B}))
    assert balances(county) == ["30000.00"] + ["50000.00"] * 5


def test_a_late_ledger_dates_a_loan_back_over_ledgers_that_did_not_have_it(county: ReportingCounty):
    """The loan was first seen in April; January's ledger had it, those between did not."""
    replay(county, (4, {"L1": A}), (2, {}), (3, {}), (1, {"L1": B}), (3, {"L1": C}), (2, {"L1": A}))
    assert balances(county) == ["20000.00", "30000.00", "10000.00", "30000.00", "30000.00", "30000.00"]


def test_a_corrected_file_of_a_late_date_corrects_that_date(county: ReportingCounty):
    """Of two files of February the second counts; a loan only the first had keeps its state."""
    replay(county, (1, {"L1": A, "L2": A}), (3, {"L1": A, "L2": A}), (2, {"L1": B, "L2": B}), (2, {"L1": C}))
    assert balances(county) == ["60000.00", "30000.00"] + ["60000.00"] * 4


def test_a_corrected_file_of_the_newest_date_corrects_it_and_leaves_no_history(county: ReportingCounty):
    """A state that a second file of its date corrects never held, and a loan that it does not have never was."""
    replay(county, (1, {"L1": A}), (2, {"L1": B, "L2": B}), (2, {"L1": A}))
    assert balances(county) == ["30000.00"] * 6
    assert county.rows("SELECT loan_no FROM registry.loan") == [{"loan_no": "L1"}]
    assert county.rows("SELECT balance::text, as_of::text FROM registry.loan_history") == [
        {"balance": "30000.00", "as_of": "2025-01-31"}
    ]


def test_ledgers_in_the_opposite_order_come_to_the_same_states(county: ReportingCounty):
    """Six months, each another state, last one first."""
    months = [(number, {"L1": state(balance=f"{number}0000.00", principal="60000.00")}) for number in range(1, 7)]
    replay(county, *reversed(months))
    assert balances(county) == [f"{number}0000.00" for number in range(1, 7)]


def test_the_receipt_counts_against_what_was_known_of_the_date(county: ReportingCounty):
    """Changed, unchanged and missing, for a first, a repeated, a newer and a late ledger."""
    rows = {"L1": A, "L2": A, "L3": A}
    assert counts(county, 1, rows) == (3, 0, 0)
    assert counts(county, 1, {"L1": B, "L2": A}) == (1, 1, 1)
    assert counts(county, 4, {"L1": B, "L4": A}) == (1, 1, 1)
    assert counts(county, 5, {"L1": B}) == (0, 1, 1)
    assert counts(county, 2, {"L1": A, "L2": A}) == (1, 1, 0)
    assert counts(county, 3, {"L1": B, "L2": A}) == (1, 1, 0)
    # The February ledger never had L3: it is missing from one ledger on, not counted again by each.
    assert counts(county, 6, {}) == (0, 0, 1)


def test_a_ledger_that_confirms_everything_publishes_nothing(county: ReportingCounty):
    """Unchanged rows leave no message, no history and no new number in the feed."""
    rows = {"L1": A, "L2": SETTLED}
    counts(county, 1, rows)
    before = county.everything()
    assert counts(county, 2, rows) == (0, 2, 0)
    after = county.everything()
    assert after["loan"] == before["loan"]
    assert after["history"] == []
    assert county.rows("SELECT count(*) FROM huilian.message WHERE type = 'loans_changed'") == [{"count": 1}]


def feed(county: ReportingCounty, region: str = COUNTY, **scope: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the feed's cursor and rows."""
    with county.transaction() as transaction:
        cursor, rows = county.registry["loan_feed"](transaction, region=region, **scope)
        return cursor, list(rows)


def test_what_a_ledger_says_of_a_loans_agreement_is_kept_told_and_answered(county: ReportingCounty):
    """By the newest version; a ledger by an older one says nothing of it, and what held before stays in history."""
    renewed = {"signed": "2024-01-02", "confirmation_no": "QR1", "continuation": "renewal", "original_loan_no": "L0"}
    county.push(Submission("RCB01", end(1), [{"loan_no": "L1"} | state(**renewed)]))
    _, [row] = feed(county)
    assert {name: row[name] for name in renewed} == renewed
    county.push(Submission("RCB01", end(2), [{"loan_no": "L1"} | state(**renewed | {"continuation": "moratorium"})]))
    county.push(Submission("RCB01", end(3), [{"loan_no": "L1"} | state_of_version_2()]))
    _, [row] = feed(county)
    assert {name: row[name] for name in renewed} == dict.fromkeys(renewed)
    kept = county.rows("SELECT continuation FROM registry.loan_history ORDER BY as_of")
    assert [entry["continuation"] for entry in kept] == ["renewal", "moratorium"]
    changes = published(county, "loans_changed")
    assert [change["after"]["continuation"] for change in changes] == ["renewal", "moratorium", None]
    assert changes[1]["before"]["original_loan_no"] == "L0"


def test_the_feed_tells_what_changed_since_a_cursor_and_where_it_was_read(county: ReportingCounty):
    """A row names submission, message, file, digest and line; identity numbers are masked."""
    moved = B | {"region": VILLAGES[2], "identity_number": "A123456789012"}
    first = Submission("RCB01", end(1), [{"loan_no": "L1"} | A, {"loan_no": "L2"} | A], part_rows=1)
    county.push(first)
    cursor, rows = feed(county)
    assert (cursor, [row["loan_no"] for row in rows]) == ("1", ["L1", "L2"])
    second = Submission("RCB01", end(2), [{"loan_no": "L1"} | A, {"loan_no": "L2"} | moved], part_rows=1)
    manifest, *parts = county.messages(second)
    county.carry([*parts, manifest])
    cursor, rows = feed(county, since=cursor)
    assert cursor == "2"
    assert rows == [
        {
            "institution": "RCB01",
            "loan_no": "L2",
            "contract_no": None,
            "household_no": "H1",
            "borrower_name": "张三",
            "identity_number": "A12345***9012",
            "region": VILLAGES[2],
            "product": "POOR",
            "principal": "50000.00",
            "balance": "20000.00",
            "annual_rate_percent": "4.350000",
            "rate_type": None,
            "start_date": "2024-01-10",
            "due_date": "2026-01-10",
            "settled_date": None,
            "repayment_method": None,
            "purpose": '养羊, "优质"',
            "five_tier_class": "normal",
            "overdue_days": 0,
            "overdue_principal": "0.00",
            "overdue_interest": "0.00",
            "status": "normal",
            "branch": None,
            "as_of": "2025-02-28",
            "source": {
                "submission": second.name,
                "message": parts[1].id,
                "file_name": f"{second.name}.csv",
                "file_sha256": second.sha256,
                "line": 3,
            },
            **dict.fromkeys(("signed", "confirmation_no", "continuation", "original_loan_no")),
        }
    ]
    assert feed(county, VILLAGES[2])[1] == rows
    assert feed(county, since=cursor) == ("2", [])
    assert feed(county, institution="PSB01") == ("2", [])


def test_a_ledger_applied_while_the_feed_is_read_does_not_break_it(county: ReportingCounty):
    """The rows are of one moment, and what comes meanwhile is told after the cursor."""
    counts(county, 1, {"L1": A})
    with county.transaction() as transaction:
        cursor, rows = county.registry["loan_feed"](transaction, region=COUNTY)
        counts(county, 2, {"L1": B, "L2": A})
        read = [(row["loan_no"], row["balance"]) for row in rows]
    assert read == [("L1", "20000.00"), ("L2", "30000.00")]
    assert [row["loan_no"] for row in feed(county, since=cursor)[1]] == ["L1", "L2"]
