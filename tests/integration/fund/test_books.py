"""The fund's books beside deposits: term deposits, dues, villages' funds, cover by hand, bounds and alarms."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huilian.core import money
from huilian.wire import envelope
from services.risk_fund import books, position
from services.risk_fund.books import Posting
from tests.support.builders.statements import guarantee
from tests.support.carried_county import COUNTY, HEAD, VILLAGE
from tests.support.funds import BANK, FINANCE, GUARANTOR, INSURER, OTHER_BANK, TODAY, Application, loan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.funds import FundCounty

DAY = dt.timedelta(days=1)


def balances(county: FundCounty, **asked: str) -> dict[str, str]:
    """Return the balances that are not nought, by account and party."""
    rows = county.ask("fund", **asked)
    assert sum(Decimal(row["balance"]) for row in rows) == 0
    return {f"{row['account']} {row['party']}": row["balance"] for row in rows if row["balance"] != "0.00"}


def book(county: FundCounty, *postings: Posting, effective: str = TODAY, entered: str = TODAY) -> int:
    """Book a transaction as a service does."""
    days = {"effective": dt.date.fromisoformat(effective), "entered": dt.date.fromisoformat(entered)}
    with county.transaction() as transaction:
        return books.book(transaction, postings, **days, message="m", reason="试")


def compensate(county: FundCounty, amount: str, *, claim: str = "C1", effective: str = TODAY) -> None:
    """Book what the fund pays for a loss."""
    paid = Decimal(amount)
    book(
        county,
        Posting(books.COMPENSATION, BANK, paid, claim),
        Posting(books.DEPOSIT, BANK, -paid, claim),
        effective=effective,
    )


def place(county: FundCounty, number: str, amount: str, **fields: Any) -> str | None:  # noqa: ANN401  # of a record
    """Enter a term deposit of a year, of today; return the code of a refusal."""
    record = {
        "term_deposit_no": number, "institution": BANK, "amount": amount, "effective_date": TODAY,
        "due_date": "2027-03-02", "annual_rate_percent": "1.50", "document": None,
    }  # fmt: skip
    return county.send("fund_term_deposit", **record | fields)


def end(county: FundCounty, number: str, term_deposit: str, interest: str, **fields: Any) -> str | None:  # noqa: ANN401
    """Enter the end of a term deposit; return the code of a refusal."""
    record = {"end_no": number, "term_deposit_no": term_deposit, "interest": interest, "effective_date": TODAY}
    return county.send("fund_term_deposit_end", **record | {"document": None} | fields)


def settle(county: FundCounty, kind: str, number: str, amount: str, **fields: Any) -> str | None:  # noqa: ANN401
    """Enter a receipt or a payment; return the code of a refusal."""
    record = {
        f"{kind}_no": number, "institution": BANK, "amount": amount, "effective_date": TODAY, "document": None,
        "party": BANK, "account": "interest", "reference": None,
    }  # fmt: skip
    return county.send(f"fund_{kind}", **record | fields)


def test_a_term_deposit_moves_money_and_brings_it_back_with_interest(county: FundCounty):
    """Nothing is placed that does not lie there; what was placed ends once; the deposit carries as much as before."""
    county.deposit("D1", "1000.00")
    assert place(county, "T1", "1000.01") == "HL1103"
    assert place(county, "T1", "600.00", due_date=TODAY) == "HL1035"
    assert place(county, "T1", "600.00") is None
    assert place(county, "T1", "600.00", annual_rate_percent="1.60") == "HL1059"
    assert end(county, "E1", "T1", "9.13") == "HL1106"
    assert county.approve("T1") is None
    assert balances(county) == {
        f"deposit {BANK}": "400.00", f"term_deposit {BANK}": "600.00", "contribution county": "-1000.00",
    }  # fmt: skip
    [pot] = county.ask("fund_pots")
    assert (pot["deposit"], pot["term_deposit"], pot["most"], pot["free"]) == (
        "400.00", "600.00", "10000.00", "10000.00",
    )  # fmt: skip
    assert place(county, "T2", "400.00") is None
    assert county.approve("T2") is None
    county.clock.advance(365 * DAY)
    [first, _] = county.ask("fund_term_deposits")
    assert (first["agreed_interest"], first["interest"], first["state"]) == ("9.13", "0.00", "due")
    assert end(county, "E1", "T1", "9.13", effective_date="2027-03-02") is None
    assert end(county, "E2", "T1", "9.13", effective_date="2027-03-02") is None
    assert county.approve("E1") is None
    assert county.approve("E2") == "HL1103"
    assert balances(county) == {
        f"deposit {BANK}": "609.13", f"term_deposit {BANK}": "400.00", f"interest {BANK}": "-9.13",
        "contribution county": "-1000.00",
    }  # fmt: skip
    assert [row["state"] for row in county.ask("fund_term_deposits")] == ["ended", "due"]
    assert {row["reference"] for row in county.ask("feed/fund_postings")} == {None, "T1", "T2"}


def test_whatever_was_booked_is_reversed_once(county: FundCounty):
    """An entry of any kind, by the same record; the books say both."""
    county.deposit("D1", "1000.00")
    assert place(county, "T1", "600.00") is None
    assert county.approve("T1") is None
    assert settle(county, "receipt", "I1", "3.21") is None
    assert county.approve("I1") is None
    for number, reversed_ in (("R1", "T1"), ("R2", "I1")):
        assert county.send("fund_reversal", reversal_no=number, reference=reversed_, reason="误记") is None
        assert county.send("fund_reversal", reversal_no=f"{number}X", reference=reversed_, reason="误记") == "HL1105"
        assert county.approve(number) is None
    assert county.send("fund_reversal", reversal_no="R3", reference="R1", reason="误记") == "HL1102"
    assert balances(county) == {f"deposit {BANK}": "1000.00", "contribution county": "-1000.00"}
    assert county.ask("fund_term_deposits")[0]["state"] == "ended"
    [kinds] = [[row["kind"] for row in county.ask("feed/fund_entries", state="booked")]]
    assert sorted(kinds) == ["deposit", "receipt", "reversal", "reversal", "term_deposit"]


def test_no_more_is_settled_than_is_owed(county: FundCounty):
    """Of a case by its number; what others settled meanwhile is not settled again."""
    county.deposit("D1", "1000.00")
    owed = {"party": "township", "account": "second_tier_due"}
    assert settle(county, "receipt", "S1", "30.00", **owed) == "HL1108"
    book(
        county,
        Posting(books.SECOND_TIER_DUE, "township", Decimal("30.00"), "C1"),
        Posting(books.WRITTEN_OFF, BANK, Decimal("-30.00"), "C1"),
    )
    assert settle(county, "receipt", "S1", "30.01", **owed, reference="C1") == "HL1108"
    assert settle(county, "receipt", "S1", "30.00", **owed, reference="C2") == "HL1108"
    for number in ("S1", "S2"):
        assert settle(county, "receipt", number, "20.00", **owed, reference="C1") is None
    assert county.approve("S1") is None
    assert county.approve("S2") == "HL1108"
    assert county.ask("fund_dues") == [
        {
            "kind": "second_tier_due",
            "party": "township",
            "reference": "C1",
            "amount": "10.00",
            "due": None,
            "late": "no",
        }
    ]
    to_insurer = {"party": INSURER, "account": "dispersal"}
    assert settle(county, "payment", "P1", "1.00", **to_insurer) == "HL1108"
    book(
        county,
        Posting(books.INSURANCE_LOSS, INSURER, Decimal("180.00")),
        Posting(books.DISPERSAL, INSURER, Decimal("-180.00")),
    )
    assert settle(county, "receipt", "P2", "1.00", **to_insurer) == "HL1108"
    assert settle(county, "payment", "P3", "180.00", **to_insurer) is None
    assert county.approve("P3") is None
    assert balances(county)[f"insurance_loss {INSURER}"] == "180.00"
    assert balances(county)[f"deposit {BANK}"] == "840.00"


def test_a_bank_gets_what_the_policy_gives_for_lending_once(county: FundCounty):
    """Of what it lent to households in the year: 2 % whatever its losses, 2 % as a reward; nothing for another year."""
    county.use("hainan_2022")
    county.deposit("D1", "10000.00")
    county.tell_loans(loan("L1", None, "50000.00"), loan("L2", None, "30000.00"), loan("L3", None, "9.00"))
    assert county.ask("fund_rewards", year="2025") == []
    [row] = county.ask("fund_rewards", year="2026")
    assert list(row.values()) == [BANK, "household", "150000.00", "3000.00", "3000.00"]
    reward = {"account": "lending_reward", "reference": "2026"}
    assert settle(county, "payment", "P1", "6000.01", **reward) == "HL1108"
    assert settle(county, "payment", "P1", "0.01", account="lending_reward", reference="2025") == "HL1108"
    assert settle(county, "payment", "P1", "0.01", account="lending_reward") == "HL1108"
    for number in ("P1", "P2"):
        assert settle(county, "payment", number, "3000.01", **reward) is None
    assert county.approve("P1") is None
    assert county.approve("P2") == "HL1108"
    assert balances(county)[f"lending_reward {BANK}"] == "3000.01"


def test_a_villages_fund_guarantees_a_multiple_of_itself(county: FundCounty):
    """Five times, by this policy; what it guarantees is free again when it is released."""
    county.use("lushi")
    movement = {
        "movement_no": "V1", "region": VILLAGE, "movement": "deposit", "institution": BANK, "party": "village",
        "amount": "10000.00", "effective_date": TODAY, "document": None,
    }  # fmt: skip
    assert county.send("village_fund_movement", **movement | {"region": COUNTY}) == "HL1110"
    assert county.send("village_fund_movement", **movement) is None
    assert county.approve("V1") is None
    guarantee = {
        "institution": BANK, "region": VILLAGE, "loan_no": "L1", "amount": "50000.00", "reason": "互助担保",
    }  # fmt: skip
    assert county.send("fund_reservation", COUNTY, reservation_no="G1", **guarantee) is None
    assert county.send("fund_reservation", COUNTY, reservation_no="G1", **guarantee) is None
    more = guarantee | {"amount": "0.01", "loan_no": "L2"}
    assert county.send("fund_reservation", COUNTY, reservation_no="G2", **more) == "HL1107"
    [row] = [row for row in county.ask("fund_limits") if row["measure"] == "village_fund"]
    assert (row["party"], row["amount"], row["most"], row["free"], row["kept"]) == (
        VILLAGE, "50000.00", "50000.00", "0.00", "yes",
    )  # fmt: skip
    for _ in range(2):
        assert county.send("fund_release", COUNTY, reference="G1", reason="已还清") is None
    assert county.send("fund_release", COUNTY, person=HEAD, reference="G1", reason="已还清") == "HL1109"
    assert county.send("fund_reservation", COUNTY, reservation_no="G2", **more) is None
    assert balances(county) == {f"village_fund {VILLAGE}": "10000.00", "village_contribution village": "-10000.00"}
    assert [(row["reservation_no"], row["released"]) for row in county.ask("feed/set_aside")] == [
        ("G1", TODAY), ("G2", None),
    ]  # fmt: skip


def test_what_is_set_aside_by_hand_takes_room_until_its_loan_is_known(county: FundCounty):
    """Beside what applications reserve; a loan's balance takes its place, so that it counts once."""
    county.deposit("D1", "10000.00")
    by_hand = {"institution": BANK, "region": None, "loan_no": "L1", "amount": "60000.00", "reason": "线下确认"}
    assert county.send("fund_reservation", COUNTY, reservation_no="G1", **by_hand) is None
    assert county.send("fund_reservation", FINANCE, reservation_no="G9", **by_hand) == "HL1004"
    more = by_hand | {"loan_no": None, "amount": "40000.01"}
    assert county.send("fund_reservation", COUNTY, reservation_no="G2", **more) == "HL1107"
    application = Application("A1")
    county.tell_applications(application.begun())
    county.tell_applications(application.asks())
    assert county.statuses() == {"A1/1": "refused"}
    county.tell_loans(loan("L1", None, "50000.00"))
    [pot] = county.ask("fund_pots")
    assert (pot["lent"], pot["set_aside"], pot["free"]) == ("50000.00", "0.00", "50000.00")
    assert county.send("fund_reservation", COUNTY, reservation_no="G2", **more | {"amount": "50000.00"}) is None
    assert county.ask("fund_pots")[0]["free"] == "0.00"


def test_the_policy_bounds_the_fund_and_what_it_carries(county: FundCounty):
    """A minimum, a total with shares, a lowest and a highest multiple; each with its clause."""
    county.use("lushi")
    county.deposit("D1", "9999999.99")
    county.deposit("D2", "1000.00", party="city")
    county.tell_loans(loan("L1", None, "50000.00"))
    limits = {(row["measure"], row["party"]): row for row in county.ask("fund_limits")}
    assert list(limits) == [
        ("balance", None), ("contribution", "county"), ("contribution", "city"), ("lending", BANK),
        ("guarantees", None),
    ]  # fmt: skip
    said = {key: (row["amount"], row["least"], row["most"], row["kept"]) for key, row in limits.items()}
    assert said["balance", None] == ("10000999.99", "10000000.00", None, "yes")
    assert said["contribution", "county"] == ("9999999.99", "9999999.99", None, "yes")
    # What the city awards is due from nobody.
    assert said["contribution", "city"] == ("1000.00", None, None, "yes")
    assert said["lending", BANK] == ("50000.00", "50004999.95", None, "no")
    assert said["guarantees", None] == ("0.00", None, "50000000.00", "yes")
    assert limits["lending", BANK]["clause"] == "篇八 三(一)二是（放大5至10倍以上）"
    county.use("yanchi")
    said = {row["measure"]: (row["amount"], row["least"], row["kept"]) for row in county.ask("fund_limits")[:2]}
    assert said["total"] == ("10000999.99", "80000000.00", "no")


def test_a_bank_without_a_deposit_lends_nothing_where_it_comes_first(county: FundCounty):
    """The plan has the deposit paid in before lending."""
    county.tell_loans(loan("L1", None, "50000.00", institution=OTHER_BANK))
    [lending] = [row for row in county.ask("fund_limits") if row["measure"] == "lending"]
    assert (lending["party"], lending["most"], lending["free"], lending["kept"]) == (
        OTHER_BANK, "0.00", "-50000.00", "no",
    )  # fmt: skip


def notices(county: FundCounty) -> list[tuple[str, str, str]]:
    """Return to whom notices went, their kind and reference, in order."""
    rows = county.rows("SELECT DISTINCT ON (id) payload, seal, subject FROM huilian.message WHERE type = 'notices'")
    told = []
    for row in rows:
        for line in envelope.read(row["seal"], bytes(row["payload"])).body().splitlines():
            record = json.loads(line)
            told.append((row["subject"], record["kind"], record["reference"]))
    return sorted(told)


def test_what_was_used_is_to_be_refilled_and_both_offices_are_told_once(county: FundCounty):
    """Within a month, by this policy: spoken of a week before, a default of the fund the day after."""
    county.use("anhui")
    county.deposit("D1", "100000.00")
    compensate(county, "22175.00", claim="C1")
    compensate(county, "1000.00", claim="C2", effective="2026-03-10")
    county.clock.advance(10 * DAY)
    [first, second] = county.ask("fund_dues")
    assert (first["amount"], first["due"], first["late"]) == ("22175.00", "2026-04-02", "no")
    assert (second["amount"], second["due"]) == ("1000.00", "2026-04-10")
    county.run_jobs("risk_fund")
    assert county.ask("fund_alarms") == []
    county.run_jobs("risk_fund", days=14)
    [alarm] = county.ask("fund_alarms")
    assert (alarm["kind"], alarm["subject"], alarm["since"]) == (
        "deadline", "replenishment.2026-04-02", "2026-03-26",
    )  # fmt: skip
    county.run_jobs("risk_fund", days=8)
    assert [(row["kind"], row["since"]) for row in county.ask("fund_alarms")] == [
        ("default", "2026-04-03"), ("deadline", "2026-04-03"),
    ]  # fmt: skip
    # What comes in refills the oldest first.
    county.deposit("D2", "22275.00")
    [left] = county.ask("fund_dues")
    assert (left["amount"], left["due"]) == ("900.00", "2026-04-10")
    county.run_jobs("risk_fund", days=1)
    assert [row["kind"] for row in county.ask("fund_alarms")] == ["deadline"]
    told = [
        (member, "step_overdue", subject)
        for member in (COUNTY, FINANCE)
        for subject in ("replenishment.2026-04-02", "replenishment.2026-04-02", "replenishment.2026-04-10")
    ]
    assert notices(county) == told


def result(share: str, returned: str = "0.00") -> dict[str, Any]:
    """Return what an insurer's period comes to."""
    return {
        "premiums": "1000000.00", "claims": "1300000.00", "fund_share": share, "insurer_share": "120000.00",
        "returned": returned, "policy": "yanchi", "approved": TODAY,
    }  # fmt: skip


def test_the_funds_part_of_an_insurers_period_is_booked_and_paid(county: FundCounty):
    """As it was settled; told otherwise later, in whatever order, the books follow by the difference."""
    county.deposit("D1", "200000.00")
    about = {"insurer": INSURER, "period": "2025", "as_of": "2025-12-31", "until": None}
    first, second = result("180000.00"), result("0.00", "100.00")
    telling = {"service": "insurance_claim"}
    county.tell("insurance_results_changed", 1, [about | {"before": None, "after": first}], **telling)
    booked = balances(county, on="2025-12-31")
    assert booked == {f"insurance_loss {INSURER}": "180000.00", f"dispersal {INSURER}": "-180000.00"}
    assert county.ask("fund_dues") == [
        {"kind": "dispersal", "party": INSURER, "reference": "2025", "amount": "-180000.00", "due": None, "late": "no"}
    ]
    later = result("180000.00", "0.01")
    county.tell("insurance_results_changed", 1, [about | {"before": later, "after": second}], **telling)
    assert balances(county, on="2025-12-31") == booked
    county.tell("insurance_results_changed", 1, [about | {"before": first, "after": later}], **telling)
    assert balances(county, on="2025-12-31") == {
        f"insurance_profit {INSURER}": "-100.00", f"dispersal {INSURER}": "100.00",
    }  # fmt: skip
    assert settle(county, "receipt", "S1", "100.00", party=INSURER, account="dispersal") is None
    assert county.approve("S1") is None
    assert balances(county)[f"deposit {BANK}"] == "200100.00"


def test_a_guarantee_that_costs_more_than_the_policy_lets_differs(county: FundCounty):
    """Nothing of a household's, one per cent of an enterprise's; the county's own policy says so."""
    county.use("lushi")
    rows = [
        guarantee("G1", "L1", fee_rate_percent="0"),
        guarantee("G2", "L2", fee_rate_percent="0.50"),
        guarantee("G3", "L3", fee_rate_percent="1", subject="enterprise"),
        guarantee("G4", "L4", fee_rate_percent="1.01", subject="enterprise"),
    ]
    lines = [{"line": line} | row for line, row in enumerate(rows, start=1)]
    for row in lines:
        del row["type"]
    parts = {"guarantees": lines, "guarantee_compensations": [], "guarantee_releases": []}
    totals = {"guarantees.guaranteed_amount": "200000.00", "guarantees.outstanding_amount": "200000.00"}
    totals |= dict.fromkeys(
        (
            "guarantee_compensations.principal", "guarantee_compensations.interest",
            "guarantee_releases.released_amount",
        ),
        "0.00",
    )  # fmt: skip
    book_of_today = county.seal_submission(GUARANTOR, "guarantee_book", parts, file_name="g.xlsx", totals=totals)
    receipt = county.submit(book_of_today)
    assert receipt["status"] == "accepted", receipt
    differing = [row for row in county.ask("differences") if row["kind"] == "guarantee_fee_differs"]
    assert [(row["institution"], row["loan_no"], row["reference"], row["detail"]) for row in differing] == [
        (GUARANTOR, "L2", "G2", "担保费率 0.5%，政策为 0%（篇八 三(一)三是（免收担保费））"),
        (GUARANTOR, "L4", "G4", "担保费率 1.01%，政策为 1%（篇八 三(一)三是（按1%/年收取））"),
    ]
    [capacity] = [row for row in county.ask("fund_limits") if row["measure"] == "guarantees"]
    assert (capacity["amount"], capacity["free"]) == ("200000.00", "49800000.00")


amounts = st.integers(0, 500).map(money.from_fen)


@given(st.lists(st.tuples(amounts, amounts), max_size=8))
def test_what_waits_to_be_refilled_is_what_was_used_less_what_came_in(days: list[tuple[Decimal, Decimal]]):
    """Whatever comes in when nothing waits is not kept for later."""
    waiting = Decimal(0)
    for used, refilled in days:
        waiting = max(Decimal(0), waiting + used - refilled)
    begin = dt.date(2026, 1, 1)
    left = position.replenishments((begin + place * DAY, *day) for place, day in enumerate(days))
    assert sum(amount for _, amount in left) == waiting
    assert all(amount > 0 for _, amount in left)
    assert [day for day, _ in left] == sorted({day for day, _ in left})


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([BANK, OTHER_BANK]), st.integers(1, 10**9), st.integers(0, 9), st.integers(0, 9)),
        min_size=1,
        max_size=6,
    ),
    st.sets(st.integers(0, 5)),
)
def test_balances_by_both_days_are_what_was_booked_until_then(
    county_of_books: FundCounty, booked: list[tuple[str, int, int, int]], reversed_: Iterable[int]
):
    """Of effect and of entry, with what was reversed later; together they are nought on any day of either kind."""
    begin = dt.date(2026, 3, 1)
    model: list[tuple[str, int, int, int]] = []
    county_of_books.empty()
    for place, (bank, fen, effective, entered) in enumerate(booked):
        amount = money.from_fen(fen)
        days = {"effective": (begin + effective * DAY).isoformat(), "entered": (begin + entered * DAY).isoformat()}
        number = book(
            county_of_books, Posting("deposit", bank, amount), Posting("contribution", "county", -amount), **days
        )
        model.append((bank, fen, effective, entered))
        if place in reversed_:
            later = min(entered + 1, 9)
            with county_of_books.transaction() as transaction:
                books.reverse(transaction, number, entered=begin + later * DAY, message="n", reason="冲销")
            model.append((bank, -fen, effective, later))
    for on, entered_by in ((0, 9), (9, 0), (4, 4), (9, 9)):
        asked = {"on": (begin + on * DAY).isoformat(), "entered_by": (begin + entered_by * DAY).isoformat()}
        expected: dict[str, int] = {}
        for bank, fen, effective, entered in model:
            if effective <= on and entered <= entered_by:
                expected[f"deposit {bank}"] = expected.get(f"deposit {bank}", 0) + fen
                expected["contribution county"] = expected.get("contribution county", 0) - fen
        assert balances(county_of_books, **asked) == {
            name: money.text(money.from_fen(fen)) for name, fen in expected.items() if fen
        }


@pytest.fixture(scope="session")
def county_of_books(fund_county: FundCounty) -> FundCounty:
    """The county, which the test empties itself: one that draws its data runs many times."""
    return fund_county
