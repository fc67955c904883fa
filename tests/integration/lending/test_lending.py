"""What the ledger says, against what was confirmed."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from huilian.county import service
from huilian.wire import envelope
from services.registry.applications import lending
from services.registry.applications.differences import JOB
from tests.support.builders.loans import VILLAGES
from tests.support.lending import (
    APPLICANT,
    BANK,
    CONFIRMED,
    OTHER_BANK,
    application,
    confirm,
    differences,
    loan,
    push,
    standing,
    start,
    suspend,
)

if TYPE_CHECKING:
    from tests.support.reporting import ReportingCounty

MAY, JUNE, JULY = dt.date(2024, 5, 31), dt.date(2024, 6, 30), dt.date(2024, 7, 31)
STRANGER = "34159919800101002X"
DUE = ("confirmed", "lend", None, "held")
COMPLETED = ("completed", None, "L1", "released")


def published(county: ReportingCounty) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the changes of loans and applications that the registry published, oldest first."""
    rows = county.rows(
        "SELECT m.type, m.seal, m.payload FROM huilian.message m JOIN huilian.outbox o ON o.message = m.id"
        " AND o.source = m.source WHERE m.type IN ('loans_changed', 'applications_changed') ORDER BY o.position"
    )
    bodies = [(row["type"], envelope.read(row["seal"], bytes(row["payload"])).body()) for row in rows]
    return [(name, [json.loads(line) for line in body.splitlines()]) for name, body in bodies]


def test_a_loan_that_states_its_confirmation_completes_the_application(county: ReportingCounty):
    """The reservation is released with the loan's number, and that is told after the loan itself."""
    confirm(county, application())
    push(county, loan(confirmation_no="A1"))
    assert standing(county) == {"A1": COMPLETED}
    told = published(county)
    assert [name for name, _ in told] == ["applications_changed", "loans_changed", "applications_changed"]
    [change] = told[-1][1]
    sides = [{name: change[side][name] for name in ("reservation", "loan_no")} for side in ("before", "after")]
    assert sides == [{"reservation": "held", "loan_no": None}, {"reservation": "released", "loan_no": "L1"}]
    assert change["as_of"] == "2024-05-20"
    [act] = county.rows("SELECT * FROM registry.application_step WHERE move = 'lend_last'")
    [part] = county.rows("SELECT message FROM huilian.submission_part")
    assert (act["member"], act["date"], act["step"]) == (BANK, dt.date(2024, 5, 20), "lend")
    assert act["message"] == part["message"]
    assert differences(county) == []


def test_a_loan_without_a_number_is_told_by_bank_borrower_product_and_day(county: ReportingCounty):
    """Whatever does not fit leaves the application where it is; the first and the last day of the confirmation fit."""
    confirm(county, application())
    stranger = loan("L2", identity_number=STRANGER)
    push(county, loan("L1", household_no="H2"), stranger, loan("L3", product="RURAL"))
    push(county, loan("L4", start_date="2024-05-09"), loan("L5", start_date="2024-08-11"), as_of=dt.date(2024, 8, 31))
    push(county, loan("L6"), bank=OTHER_BANK)
    assert standing(county) == {"A1": DUE}
    push(county, loan("L7", start_date="2024-08-10"), as_of=dt.date(2024, 9, 30))
    assert standing(county) == {"A1": ("completed", None, "L7", "released")}
    push(county, loan("L8", start_date="2024-05-10"), as_of=dt.date(2024, 10, 31))
    assert standing(county) == {"A1": ("completed", None, "L8", "released")}


def test_a_loan_that_fits_two_confirmations_is_of_neither_until_its_bank_says_of_which(county: ReportingCounty):
    """With one of them lent on, the other is meant."""
    confirm(county, application("A1"), application("A2"))
    start(county, "341599", "2024-05-01")
    push(county, loan("L1"))
    assert standing(county) == {"A1": DUE, "A2": DUE}
    unclear = [("loan_without_confirmation", "L1", None, "放款 2024-05-20，没有可以对应的确认")]
    assert differences(county) == unclear
    push(county, loan("L1", confirmation_no="A2"), loan("L2"), as_of=JUNE)
    assert standing(county) == {
        "A1": ("completed", None, "L2", "released"),
        "A2": ("completed", None, "L1", "released"),
    }
    assert differences(county) == []


def test_an_enterprise_is_known_by_its_credit_code(county: ReportingCounty):
    """It has no household."""
    code = "91341500MA2NXXXX1A"
    confirm(county, application(borrower="enterprise", borrower_no=code, applicant=None, policy="lushi"))
    push(county, loan(household_no=None, identity_type="unified_social_credit_code", identity_number=code))
    assert standing(county)["A1"][2:] == ("L1", "released")


def test_a_confirmation_that_comes_after_the_ledger_finds_its_loan(county: ReportingCounty):
    """Whichever comes first, the end is the same."""
    push(county, loan())
    confirm(county, application())
    assert standing(county) == {"A1": COMPLETED}


def test_a_confirmation_that_has_lapsed_is_lent_on_by_a_loan_that_had_begun_before(county: ReportingCounty):
    """Ledgers come after the month. One that began after the lapse is of no confirmation, unless it says of which."""
    lapsed = {"state": "expired", "stage": None, "reservation": "released"}
    confirm(county, application("A1", **lapsed))
    confirm(county, application("A2", borrower_no="H2", valid_until=dt.date(2024, 5, 19), **lapsed))
    confirm(county, application("A3", borrower_no="H3", valid_until=dt.date(2024, 5, 19), **lapsed))
    start(county, "341599001", "2024-05-01")
    push(county, loan(), loan("L2", household_no="H2"), loan("L3", household_no="H3", confirmation_no="A3"))
    assert standing(county) == {
        "A1": COMPLETED,
        "A2": ("expired", None, None, "released"),
        "A3": ("completed", None, "L3", "released"),
    }
    assert differences(county) == [
        ("loan_differs_from_confirmation", "L3", "A3", "放款 2024-05-20，确认有效期至 2024-05-19"),
        ("loan_without_confirmation", "L2", None, "放款 2024-05-20，没有可以对应的确认"),
    ]


def test_a_ledger_that_takes_the_place_of_another_takes_the_loan_back(county: ReportingCounty):
    """What it lacks never was: the fund holds again, until the loan comes back."""
    confirm(county, application())
    other = loan("L9", household_no="H9")
    push(county, loan(), other)
    assert standing(county) == {"A1": COMPLETED}
    push(county, other)
    assert standing(county) == {"A1": DUE}
    assert published(county)[-1][1][0]["after"]["reservation"] == "held"
    push(county, loan("L2"), other, as_of=JUNE)
    assert standing(county) == {"A1": ("completed", None, "L2", "released")}


def test_a_correction_of_the_borrower_takes_the_loan_from_one_and_gives_it_to_another(county: ReportingCounty):
    """Both applications follow from the same ledger."""
    confirm(county, application("A1"), application("A2", borrower_no="H2"))
    push(county, loan())
    push(county, loan(household_no="H2"), as_of=JUNE)
    assert standing(county) == {"A1": DUE, "A2": COMPLETED}


def test_a_late_ledger_with_an_earlier_loan_gives_that_one_its_confirmation(county: ReportingCounty):
    """As if the ledgers had come in order."""
    confirm(county, application())
    push(county, loan("L2", start_date="2024-06-20"), as_of=JUNE)
    assert standing(county) == {"A1": ("completed", None, "L2", "released")}
    push(county, loan("L1"), as_of=MAY)
    assert standing(county) == {"A1": COMPLETED}
    moves = [row["move"] for row in county.rows("SELECT move FROM registry.application_step ORDER BY number")]
    assert moves == ["approve_last", "lend_last", "lend_another_last"]


def test_what_is_no_more_confirmed_takes_no_loan(county: ReportingCounty):
    """Withdrawn, refused, sent back: whoever lends all the same is told."""
    confirm(county, application("A1"))
    with county.transaction() as transaction:
        transaction.execute("UPDATE registry.application SET state = 'withdrawn', stage = NULL")
    start(county, "341599", "2024-05-20")
    push(county, loan(confirmation_no="A1"))
    assert standing(county) == {"A1": ("withdrawn", None, None, "held")}
    assert differences(county) == [("loan_without_confirmation", "L1", "A1", "放款 2024-05-20，没有可以对应的确认")]


def test_loans_need_a_confirmation_from_the_day_and_in_the_region_that_the_county_says(county: ReportingCounty):
    """The day itself is among them, what began before is not."""
    rows = [
        loan("L1", start_date="2024-05-19", household_no="H4"),
        loan("L2", household_no="H5"),
        loan("L3", household_no="H6", region=VILLAGES[2]),
    ]
    push(county, *rows)
    assert differences(county) == []
    start(county, "341599001000", "2024-05-20")
    found = [("loan_without_confirmation", "L2", None, "放款 2024-05-20，没有可以对应的确认")]
    assert differences(county) == found
    assert differences(county, institution=BANK) == found
    assert differences(county, institution=OTHER_BANK) == []
    start(county, "341599", "2024-05-01")
    assert [row[1] for row in differences(county)] == ["L1", "L2", "L3"]
    assert [row[1] for row in differences(county, region=VILLAGES[2])] == ["L3"]


def test_a_loan_before_its_confirmation_is_told_whether_it_states_the_number_or_not(county: ReportingCounty):
    """One that states it is the loan all the same; for the other, the confirmation waits."""
    confirm(county, application("A1"), application("A2", borrower_no="H2"))
    start(county, "341599", "2024-05-01")
    early = {"start_date": "2024-05-09", "due_date": "2025-05-09"}
    push(county, loan("L1", **early), loan("L2", household_no="H2", confirmation_no="A2", **early))
    assert standing(county) == {"A1": DUE, "A2": ("completed", None, "L2", "released")}
    assert differences(county) == [
        ("loan_before_confirmation", "L1", "A1", "放款 2024-05-09，确认 2024-05-10"),
        ("loan_before_confirmation", "L2", "A2", "放款 2024-05-09，确认 2024-05-10"),
    ]
    [act] = county.rows("SELECT date FROM registry.application_step WHERE move = 'lend_last'")
    assert act["date"] == CONFIRMED, "no step comes before the one that it follows"


def test_a_loan_that_differs_says_in_what(county: ReportingCounty):
    """Amount above, term in either direction, rate, household, person, and the number that nobody knows."""
    numbers = [f"A{number}" for number in range(1, 7)]
    confirm(county, *(application(number, borrower_no=number.replace("A", "H")) for number in numbers))
    push(
        county,
        loan("L1", principal="50000.01", balance="50000.01", household_no="H1"),
        loan("L2", household_no="H2", due_date="2025-05-21", annual_rate_percent="4.750000"),
        loan("L3", household_no="H3", due_date="2025-04-20"),
        loan("L4", household_no="H9", confirmation_no="A4"),
        loan("L5", household_no="H5", identity_number=STRANGER, confirmation_no="A5"),
        loan("L6", household_no="H6", confirmation_no="Z9", principal="40000.00", balance="40000.00"),
    )
    assert {number: found[2] for number, found in standing(county).items()} == {
        number: number.replace("A", "L") for number in numbers
    }
    kind = "loan_differs_from_confirmation"
    assert differences(county) == [
        (kind, "L1", "A1", "金额 50000.01，确认 50000.00"),
        (kind, "L2", "A2", "期限 2024-05-20 至 2025-05-21，确认 12 个月；年利率 4.75%，确认 4.35%"),
        (kind, "L3", "A3", "期限 2024-05-20 至 2025-04-20，确认 12 个月"),
        (kind, "L4", "A4", "户 H9，确认 H4"),
        (kind, "L5", "A5", "借款人不是申请人"),
        (kind, "L6", "A6", "确认编号 Z9，确认 A6"),
    ]
    assert APPLICANT not in str(differences(county))


def test_a_loan_of_another_bank_that_states_a_confirmation_is_not_its_loan(county: ReportingCounty):
    """The confirmation was for one bank; the other is told."""
    confirm(county, application())
    start(county, "341599", "2024-05-01")
    push(county, loan(confirmation_no="A1"), bank=OTHER_BANK)
    assert standing(county) == {"A1": DUE}
    told = [("loan_differs_from_confirmation", "L1", "A1", "银行 PSB01，确认 RCB01")]
    assert differences(county) == told
    assert differences(county, institution=OTHER_BANK) == told
    assert differences(county, institution=BANK) == []


def test_draws_on_one_confirmation_are_told_once_they_are_more_than_was_confirmed(county: ReportingCounty):
    """Two draws within the amount are in order; with a third one all but the first are too many."""
    confirm(county, application())
    start(county, "341599", "2024-05-01")
    draws = [
        loan(number, principal=amount, balance=amount, start_date=day, due_date=f"2025{day[4:]}")
        for number, amount, day in (
            ("L1", "20000.00", "2024-05-20"),
            ("L2", "30000.00", "2024-05-25"),
            ("L3", "0.01", "2024-05-26"),
        )
    ]
    push(county, *draws[:2])
    assert standing(county) == {"A1": COMPLETED}
    assert differences(county) == []
    push(county, *draws, as_of=JUNE)
    assert standing(county) == {"A1": COMPLETED}
    detail = "已放款借据 L1，合计 50000.01，确认 50000.00"
    assert differences(county) == [
        ("two_loans_on_one_confirmation", "L2", "A1", detail),
        ("two_loans_on_one_confirmation", "L3", "A1", detail),
    ]


def test_a_second_loan_that_states_the_number_is_told_without_any_start(county: ReportingCounty):
    """Two full loans on one confirmation."""
    confirm(county, application())
    push(county, loan("L1", confirmation_no="A1"), loan("L2", confirmation_no="A1", start_date="2024-05-21"))
    assert standing(county) == {"A1": COMPLETED}
    assert differences(county) == [
        ("two_loans_on_one_confirmation", "L2", "A1", "已放款借据 L1，合计 100000.00，确认 50000.00"),
    ]


def test_an_extension_or_renewal_of_a_known_loan_needs_no_confirmation_and_takes_none(county: ReportingCounty):
    """Of the borrower's own loan at the same bank; else it is told, and is a loan like any other."""
    confirm(county, application())
    start(county, "341599", "2024-05-01")
    old = {"start_date": "2023-05-20", "due_date": "2024-05-20"}
    push(
        county,
        loan("L0", **old, balance="0.00", status="settled", settled_date="2024-05-20"),
        loan("L1", continuation="renewal", original_loan_no="L0"),
        loan("L2", continuation="renewal", original_loan_no="L7", household_no="H2"),
        loan("L3", continuation="renewal", household_no="H3"),
        loan("L4", continuation="extension", original_loan_no="L0", household_no="H4", identity_number=STRANGER),
        loan("L5", continuation="extension", household_no="H5", **old),
        loan("L6", continuation="moratorium", household_no="H6", **old),
    )
    assert standing(county) == {"A1": DUE}
    assert differences(county) == [
        ("continuation_without_original", "L2", "L7", None),
        ("continuation_without_original", "L3", None, None),
        ("continuation_without_original", "L4", "L0", None),
        *(
            ("loan_without_confirmation", number, None, "放款 2024-05-20，没有可以对应的确认")
            for number in ("L2", "L3", "L4")
        ),
    ]


def test_an_original_that_comes_late_takes_the_renewal_from_the_confirmation(county: ReportingCounty):
    """As if it had been known when the renewal came."""
    confirm(county, application())
    renewal = loan("L1", continuation="renewal", original_loan_no="L0")
    push(county, renewal, as_of=JUNE)
    assert standing(county) == {"A1": COMPLETED}
    push(county, loan("L0", start_date="2023-05-20", due_date="2024-05-20"), as_of=MAY)
    assert standing(county) == {"A1": DUE}
    assert differences(county) == []


def test_where_nothing_was_confirmed_nothing_is_read_of_the_loans(county: ReportingCounty):
    """Not even the table that has them."""
    with county.transaction() as transaction:
        assert list(lending.follow_ledger(transaction, county.office.context, BANK, ["no_such_table"])) == []


def test_a_loan_where_lending_is_suspended_is_told(county: ReportingCounty):
    """From its first day until the day before its end, of the bank or of all, of the product that was confirmed."""
    confirm(county, application("A5", borrower_no="H5", product="household"))
    suspend(county, "S1", VILLAGES[0], "2024-05-20", "2024-05-22")
    suspend(county, "S2", VILLAGES[1], "2024-05-01", bank=OTHER_BANK)
    suspend(county, "S3", VILLAGES[2], "2024-05-01", product="household")
    push(
        county,
        loan("L1", start_date="2024-05-19", household_no="H1"),
        loan("L2", start_date="2024-05-20", household_no="H2"),
        loan("L3", start_date="2024-05-22", household_no="H3"),
        loan("L4", region=VILLAGES[1], household_no="H4"),
        loan("L5", region=VILLAGES[2], household_no="H5"),
        loan("L6", region=VILLAGES[2], household_no="H6"),
        loan("L7", continuation="renewal", original_loan_no="L1", start_date="2024-05-21"),
    )
    assert differences(county) == [
        ("loan_in_suspended_area", "L2", "S1", "放款 2024-05-20，停贷 2024-05-20 起"),
        ("loan_in_suspended_area", "L5", "S3", "放款 2024-05-20，停贷 2024-05-01 起"),
    ]


def test_a_bank_is_told_once_of_each_difference(county: ReportingCounty):
    """By a notice that names loan and kind and no person; of what differs otherwise later it is told again."""
    confirm(county, application())
    start(county, "341599", "2024-05-01")
    push(county, loan(annual_rate_percent="4.750000"), loan("L2", household_no="H2"))
    push(county, loan("L7", household_no="H7"), bank=OTHER_BANK)
    told = notices(county)
    assert [(member, notice["reference"], notice["text"]) for member, notice in told] == [
        (OTHER_BANK, "L7", "借据 L7 未经确认放款：放款 2024-05-20，没有可以对应的确认"),
        (BANK, "L1", "借据 L1 放款与确认不一致：年利率 4.75%，确认 4.35%"),
        (BANK, "L2", "借据 L2 未经确认放款：放款 2024-05-20，没有可以对应的确认"),
    ]
    assert {(notice["kind"], notice["date"], notice["region"]) for _, notice in told} == {
        ("does_not_match", "2026-01-05", VILLAGES[0])
    }
    assert notices(county) == []
    push(county, loan(annual_rate_percent="5.000000"), loan("L2", household_no="H2"), as_of=JUNE)
    assert [notice["text"] for _, notice in notices(county)] == ["借据 L1 放款与确认不一致：年利率 5%，确认 4.35%"]


def notices(county: ReportingCounty) -> list[tuple[str, dict[str, Any]]]:
    """Run the job; return the notices that the platform sends, each with the member that it is for."""
    county.handed_out.clear()
    with county.transaction() as transaction:
        JOB.run(county.office, transaction, dt.date(2026, 1, 5))
    county.carry(county.sent())
    sent = [message for message in county.handed_out if message.type == "notices"]
    return [(message.subject, json.loads(line)) for message in sent for line in message.body().splitlines()]


def test_the_story_of_a_household_tells_what_differs_and_what_goes_on(county: ReportingCounty):
    """Each line with the message, the file and the line that say so."""
    start(county, "341599", "2024-05-01")
    late = {"overdue_days": 3, "status": "overdue"}
    push(
        county,
        loan("L0", start_date="2023-05-20", due_date="2024-05-20", balance="0.00", status="settled"),
        loan("L1", continuation="renewal", original_loan_no="L0"),
        loan("L2", continuation="moratorium", **late),
    )
    with county.transaction() as transaction:
        query, today = service.query("household_story"), county.office.clock.today()
        policy = county.office.context.policy
        told = list(query.answer(transaction, household="H1", policy=policy, today=today))
    assert [(row["on"], row["what"], row["number"], row["state"]) for row in told] == [
        ("2023-05-20", "放款", "L0", None),
        ("2024-05-20", "续贷", "L1", "原借据 L0"),
        ("2024-05-20", "放款", "L2", None),
        ("2024-05-31", "台账余额", "L0", "结清（正常）"),
        ("2024-05-31", "台账余额", "L1", "正常（正常）"),
        ("2024-05-31", "台账余额", "L2", "逾期（正常），延期还本付息"),
        ("2024-05-31", "数据不符", "L2", "未经确认放款：放款 2024-05-20，没有可以对应的确认"),
    ]
    assert all(row["message"] and row["file_name"] and row["line"] for row in told)
