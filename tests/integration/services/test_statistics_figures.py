"""The figures people read, in exact values, and what holds while they change."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest

from huilian.core.errors import UsageError
from huilian.county import rebuild
from tests.support.builders.loans import SETTLED, VILLAGES, WRITTEN_OFF, state
from tests.support.reporting import COUNTY, ReportingCounty, Submission

NOTHING = {
    "loans": 0,
    "households": 0,
    "lent": "0.00",
    "balance": "0.00",
    "overdue_balance": "0.00",
    "bad_balance": "0.00",
    "bad_loan_ratio": None,
    "due_loan_recovery_rate": None,
}


def push(county: ReportingCounty, as_of: str, bank: str = "RCB01", **loans: dict[str, Any]) -> None:
    """Push a ledger."""
    rows = [{"loan_no": loan} | row for loan, row in loans.items()]
    county.push(Submission(bank, dt.date.fromisoformat(as_of), rows))


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of an answer alone."""
    return {name: answer[name] for name in NOTHING}


def test_a_county_without_loans_has_figures_without_ratios(county: ReportingCounty):
    """Nothing lent is zero, and no ratio: never 0/0."""
    answer = county.figures_of("2025-01", by="village")
    assert answer == {
        "region": COUNTY,
        "month": "2025-01",
        **NOTHING,
        "stale": ["PSB01", "RCB01"],
        "by": "village",
        "rows": [],
    }


def test_the_figures_of_two_banks_in_three_villages(county: ReportingCounty):
    """Every figure by its definition: households are counted once, written off is not repaid."""
    bad = state(household_no="H2", balance="10000.00", five_tier_class="substandard", overdue_days=40)
    due = state(household_no="H3", region=VILLAGES[2], balance="20000.00", status="overdue", due_date="2025-01-20")
    push(county, "2025-01-31", L1=state(), L2=bad, L3=due, L4=SETTLED | {"due_date": "2025-01-05"})
    push(county, "2025-01-31", "PSB01", L1=state(product="RURAL", region=VILLAGES[1]), L2=WRITTEN_OFF)
    answer = county.figures_of("2025-01", by="township")
    # Due this year: L3 (30,000 of 50,000 repaid), L4 (all of 50,000), PSB01's L2 (20,000 of 50,000).
    assert told(answer) == {
        "loans": 4,
        "households": 3,
        "lent": "300000.00",
        "balance": "130000.00",
        "overdue_balance": "30000.00",
        "bad_balance": "10000.00",
        "bad_loan_ratio": "0.076923",
        "due_loan_recovery_rate": "0.666667",
    }
    assert [(row["region"], row["loans"], row["households"], row["balance"]) for row in answer["rows"]] == [
        ("341599001", 3, 2, "110000.00"),
        ("341599002", 1, 1, "20000.00"),
    ]
    by_bank = county.figures_of("2025-01", by="institution")["rows"]
    assert [(row["institution"], row["households"], row["due_loan_recovery_rate"]) for row in by_bank] == [
        ("PSB01", 1, "0.400000"),
        ("RCB01", 3, "0.800000"),
    ]
    assert told(county.figures_of("2025-01", VILLAGES[1], product="POOR")) == NOTHING
    assert county.figures_of("2025-01", "341599001000", institution="PSB01")["balance"] == "50000.00"


def test_what_falls_due_needs_no_new_ledger(county: ReportingCounty):
    """A loan counts as due from its due month to the end of that year, by the passing of time alone."""
    push(county, "2024-12-31", L1=state(balance="20000.00", due_date="2025-02-10"))
    months = ("2024-12", "2025-01", "2025-02", "2025-12", "2026-01")
    rates = [county.figures_of(month)["due_loan_recovery_rate"] for month in months]
    assert rates == [None, None, "0.600000", "0.600000", None]


def test_a_loan_that_moved_is_counted_where_it_is(county: ReportingCounty):
    """A village that a loan has left is not listed, whether it left within a month or later, folded or rebuilt."""
    push(county, "2025-01-10", L1=state(), L2=state(household_no="H2"))
    push(county, "2025-01-20", L1=state(region=VILLAGES[2]), L2=state(household_no="H2"))
    push(county, "2025-02-20", L1=state(region=VILLAGES[2]), L2=state(household_no="H2", region=VILLAGES[1]))
    expected = [[VILLAGES[0], VILLAGES[2]], [VILLAGES[1], VILLAGES[2]]]
    for _ in range(2):
        answers = [county.figures_of(month, by="village")["rows"] for month in ("2025-01", "2025-02")]
        assert [[row["region"] for row in rows] for rows in answers] == expected
        assert [[row["households"] for row in rows] for rows in answers] == [[1, 1], [1, 1]]
        assert county.rebuild() == {
            "loans_changed": 1,
            "continuations_changed": 0,
            "compensations_changed": 0,
            "receipt": 3,
        }


def test_a_bank_is_stale_in_the_months_it_has_not_reported_for(county: ReportingCounty):
    """Suspended banks are not waited for; asked for one bank, the others are not named."""
    push(county, "2025-01-15", L1=state())
    push(county, "2025-02-28", "PSB01", L1=state())
    assert county.figures_of("2025-01")["stale"] == ["PSB01"]
    assert county.figures_of("2025-02")["stale"] == ["RCB01"]
    assert county.figures_of("2025-03")["stale"] == ["PSB01", "RCB01"]
    assert county.figures_of("2025-03", institution="RCB01")["stale"] == ["RCB01"]
    county.rebuild()
    assert county.figures_of("2025-02")["stale"] == ["RCB01"]
    try:
        with county.transaction() as transaction:
            transaction.execute("UPDATE huilian.member SET suspended_at = now() WHERE code = 'RCB01'")
        assert county.figures_of("2025-03")["stale"] == ["PSB01"]
    finally:
        with county.transaction() as transaction:
            transaction.execute("UPDATE huilian.member SET suspended_at = NULL")


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"month": "2025-13"}, "HL7003"),
        ({"month": "0000-01"}, "HL7003"),
        ({"month": "2025-1"}, "HL7003"),
        ({"region": "3415"}, "HL7002"),
        ({"region": "%"}, "HL7002"),
        ({"by": "household"}, "HL7001"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_by_its_code(
    county: ReportingCounty, question: dict[str, str], code: str
):
    """Region, month and breakdown are checked before anything is read."""
    with pytest.raises(UsageError) as caught:
        county.figures({"region": COUNTY, "month": "2025-01"} | question)
    assert caught.value.code == code


def test_readers_see_the_old_figures_until_a_rebuild_is_done(county: ReportingCounty):
    """While figures are folded anew nobody waits, and nobody sees them half done."""
    push(county, "2025-01-31", L1=state())
    with county.transaction() as transaction:
        rebuild.rebuild(transaction, county.office, "statistics", actor="test")
        with county.transaction() as reader:
            reader.execute("SET LOCAL lock_timeout = '5s'")
            answer = county.statistics["figures"](reader, region=COUNTY, month="2025-01")
            assert (answer["loans"], answer["stale"]) == (1, ["PSB01"])
    assert county.figures_of("2025-01")["loans"] == 1


def test_changes_that_arrive_during_a_rebuild_are_not_counted_twice(county: ReportingCounty):
    """The rebuild has them from the registry; their message, which waited for it, finds them folded."""
    for message in county.messages(
        Submission("RCB01", dt.date(2025, 1, 31), [{"loan_no": f"L{number}"} | state() for number in range(3)])
    ):
        county.deliver(message)
    [changes] = [message for message in county.sent() if message.type == "loans_changed"]
    worker = threading.Thread(target=county.deliver, args=[changes])
    with county.transaction() as transaction:
        rebuild.rebuild(transaction, county.office, "statistics", actor="test")
        worker.start()
        worker.join(0.5)
        assert worker.is_alive(), "it waits for the rebuild"
    worker.join(10)
    assert county.figures_of("2025-01")["loans"] == 3
    assert county.dead_letters() == []


def test_parts_that_waited_are_dropped_by_a_rebuild_that_has_them(county: ReportingCounty):
    """A rebuild knows every ledger the registry has applied, so nothing of it is left to wait for."""
    push(county, "2025-01-31", L1=state())
    with county.transaction() as transaction:
        transaction.execute("INSERT INTO statistics.change_part VALUES ('RCB01-x', 0, NULL, 'none')")
    county.rebuild()
    assert county.rows("SELECT * FROM statistics.change_part") == []
    assert county.figures_of("2025-01")["balance"] == "50000.00"
