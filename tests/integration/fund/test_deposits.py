"""Deposits, withdrawals and reversals: by whom, with four eyes, and what the books make of them."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest

from huilian.cli.application import run
from services.risk_fund import books
from services.risk_fund.books import Posting
from tests.support.carried_county import CLERK, COUNTY, HEAD
from tests.support.funds import BANK, FINANCE, OTHER_BANK, TODAY

if TYPE_CHECKING:
    from tests.support.funds import FundCounty

DAY = dt.timedelta(days=1)


def balances(county: FundCounty, **asked: str) -> dict[tuple[str, str], str]:
    """Return the balances by account and party."""
    return {(row["account"], row["party"]): row["balance"] for row in county.ask("fund", **asked)}


def test_a_deposit_is_booked_when_somebody_else_approves_it(county: FundCounty):
    """Until then the books have nothing; the posting names the message of the approval."""
    assert county.enter("deposit", "D1", "20000000.00") is None
    assert balances(county) == {}
    approval = county.record("fund_approval", COUNTY, person=HEAD, reference="D1", decision="approve", reason=None)
    assert county.deliver(approval) is None
    assert balances(county) == {("deposit", BANK): "20000000.00", ("contribution", "county"): "-20000000.00"}
    debit, credit = county.ask("feed/fund_postings")
    assert (debit["number"], debit["transaction"]) == (credit["number"] - 1, credit["transaction"])
    same = {"effective": TODAY, "entered": TODAY, "message": approval.id, "reason": "存入 D1", "reverses": None}
    for posting, said in (
        (debit, {"account": "deposit", "party": BANK, "amount": "20000000.00"}),
        (credit, {"account": "contribution", "party": "county", "amount": "-20000000.00"}),
    ):
        assert {name: posting[name] for name in (*said, *same)} == said | same
    [entry] = county.ask("feed/fund_entries", state="booked")
    assert (entry["person"], entry["decided_member"], entry["decided_person"]) == (CLERK, COUNTY, HEAD)


def test_whoever_enters_does_not_approve(county: FundCounty):
    """Nor does a person without the right, or on a day before it was entered."""
    assert county.enter("deposit", "D1", "1.00", person=HEAD) is None
    assert county.approve("D1") == "HL1034"
    assert county.approve("D1", person=CLERK) == "HL1033"
    assert county.approve("D1", date="2026-03-01", member=COUNTY) == "HL1062"
    assert county.approve("D9") == "HL1101"
    assert county.approve("D1", decision="refuse", person=HEAD) == "HL1035"
    assert balances(county) == {}


def test_a_deposit_that_is_refused_is_not_booked(county: FundCounty):
    """A refusal has a reason, and is not followed by an approval."""
    assert county.enter("deposit", "D1", "1.00") is None
    assert county.approve("D1", "refuse") == "HL1064"
    assert county.approve("D1", "refuse", reason="金额不符") is None
    assert county.approve("D1") == "HL1102"
    assert (balances(county), county.ask("feed/fund_entries")[0]["state"]) == ({}, "refused")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"institution": FINANCE}, "HL1104"),
        ({"institution": "NOBODY"}, "HL1104"),
        ({"date": "2026-03-03"}, "HL1062"),
        ({"person": "P9"}, "HL1031"),
        ({"amount": "0.00"}, "HL1035"),
        ({"amount": "-1.00"}, "HL1035"),
    ],
)
def test_a_deposit_that_cannot_be_is_refused(county: FundCounty, fields: dict[str, str], code: str):
    """Money lies at a bank of the county, is above nought, and is entered by somebody who may, on a day that was."""
    assert county.enter("deposit", "D1", **{"amount": "1.00"} | fields) == code


def test_a_bank_does_not_move_the_funds_money(county: FundCounty):
    """Only the finance bureau and the county do."""
    assert county.send("fund_approval", BANK, reference="D1", decision="approve", reason=None) == "HL1004"


def test_the_same_record_again_changes_nothing_and_another_is_refused(county: FundCounty):
    """Its number stays its own."""
    for _ in range(2):
        assert county.enter("deposit", "D1", "1000.00") is None
    for _ in range(2):
        assert county.approve("D1") is None
    assert county.enter("deposit", "D1", "1000.00") is None
    assert county.enter("deposit", "D1", "1000.01") == "HL1059"
    assert county.enter("withdrawal", "D1", "1000.00") == "HL1059"
    county.withdraw("W1", "1000.00")
    assert county.enter("withdrawal", "W1", "1000.00") is None
    assert balances(county) == {("deposit", BANK): "0.00", ("contribution", "county"): "0.00"}


def test_no_more_is_withdrawn_than_lies_there_on_any_later_day(county: FundCounty):
    """One fen more is refused, when it is entered and when it is approved."""
    county.deposit("D1", "1000.00")
    county.withdraw("W1", "400.00", effective_date="2026-03-10")
    assert county.enter("withdrawal", "W2", "600.01") == "HL1103"
    assert county.enter("withdrawal", "W3", "600.00", effective_date="2026-03-01") == "HL1103"
    assert county.enter("withdrawal", "W4", "600.00", institution=OTHER_BANK) == "HL1103"
    assert county.enter("withdrawal", "W5", "600.00") is None
    assert county.enter("withdrawal", "W6", "0.01") is None
    assert county.approve("W5") is None
    assert county.approve("W6") == "HL1103"
    assert balances(county)["deposit", BANK] == "0.00"
    assert balances(county, on="2026-03-09")["deposit", BANK] == "400.00"


def test_a_reversal_is_done_once_and_from_the_day_of_what_it_takes_back(county: FundCounty):
    """The books say on each day what they said of it; nothing is rewritten."""
    county.deposit("D1", "1000.00")
    county.clock.advance(2 * DAY)
    reversal = {"reference": "D1", "reason": "存错银行"}
    assert county.send("fund_reversal", reversal_no="R1", **reversal) is None
    assert county.send("fund_reversal", reversal_no="R2", **reversal) == "HL1105"
    assert county.approve("R1", "refuse", reason="再核对") is None
    assert county.send("fund_reversal", reversal_no="R2", **reversal) is None
    assert county.approve("R2") is None
    assert county.send("fund_reversal", reversal_no="R3", **reversal) == "HL1105"
    assert county.send("fund_reversal", reversal_no="R2", **reversal) is None
    assert county.send("fund_reversal", reversal_no="R4", reference="R2", reason="不对") == "HL1102"
    assert balances(county, on=TODAY) == {("deposit", BANK): "0.00", ("contribution", "county"): "0.00"}
    assert balances(county, on=TODAY, entered_by=TODAY)["deposit", BANK] == "1000.00"
    assert balances(county, on="2026-03-01") == {}


def test_a_deposit_that_was_spent_is_not_reversed(county: FundCounty):
    """It would leave less than nothing there."""
    county.deposit("D1", "1000.00")
    county.withdraw("W1", "0.01")
    assert county.send("fund_reversal", reversal_no="R1", reference="D1", reason="存错") == "HL1103"
    assert county.send("fund_reversal", reversal_no="R2", reference="W1", reason="误支") is None
    assert county.approve("R2") is None
    assert county.send("fund_reversal", reversal_no="R1", reference="D1", reason="存错") is None
    assert county.approve("R1") is None
    assert balances(county)["deposit", BANK] == "0.00"


def put(county: FundCounty, *amounts: str) -> None:
    """Book a transaction of these amounts, as a service that errs might."""
    with county.transaction() as transaction:
        books.book(
            transaction,
            [Posting(books.DEPOSIT, f"B{place}", Decimal(amount)) for place, amount in enumerate(amounts)],
            effective=dt.date(2026, 3, 2),
            entered=dt.date(2026, 3, 2),
            message="m",
            reason="试",
        )


def test_the_database_refuses_what_does_not_add_up(county: FundCounty):
    """Whatever a service does: at the end of its transaction nothing of it is there."""
    put(county, "3.00", "-1.00", "-2.00")
    with pytest.raises(psycopg.errors.CheckViolation, match="add up to nought"):
        put(county, "1.00", "-0.99")
    assert county.rows("SELECT sum(amount)::text AS n, count(*) AS rows FROM risk_fund.posting") == [
        {"n": "0.00", "rows": 3}
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE risk_fund.posting SET amount = -amount",
        "DELETE FROM risk_fund.posting",
        "TRUNCATE risk_fund.posting",
        """INSERT INTO risk_fund.posting (transaction, account, party, amount, effective, entered, message, reason)
        VALUES (9, 'deposit', 'B1', 0.00, '2026-03-02', '2026-03-02', 'm', '试')""",
        # Another day, or another message, is no part of the transaction.
        """INSERT INTO risk_fund.posting (transaction, account, party, amount, effective, entered, message, reason)
        SELECT transaction, account, party, -amount, effective + 1, entered, message, reason FROM risk_fund.posting""",
    ],
)
def test_the_database_keeps_what_was_booked(county: FundCounty, statement: str):
    """Nothing is changed or taken away, or added later."""
    put(county, "1.00", "-1.00")
    with pytest.raises(psycopg.errors.CheckViolation), county.transaction() as transaction:
        transaction.execute(statement)


def test_the_database_reverses_a_transaction_once(county: FundCounty):
    """A second reversal breaks a unique index."""
    put(county, "1.00", "-1.00")
    [row] = county.rows("SELECT max(transaction) AS n FROM risk_fund.posting")
    again = {"entered": dt.date(2026, 3, 3), "message": "n", "reason": "冲销"}
    with county.transaction() as transaction:
        books.reverse(transaction, row["n"], **again)
    with pytest.raises(psycopg.errors.UniqueViolation), county.transaction() as transaction:
        books.reverse(transaction, row["n"], **again)


def test_the_command_shows_the_balances_and_their_sum(
    county: FundCounty, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """By both dates."""
    county.deposit("D1", "20000000.00")
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))
    assert run(["fund", "show", "--on", TODAY, "--entered-by", TODAY]) == 0
    shown = capsys.readouterr().out
    assert "县级财政" in shown
    assert "(trial balance) 0.00" in shown
    assert run(["fund", "show", "--entered-by", "2026-03-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(["fund", "show", "--on", "gestern"]) != 0
