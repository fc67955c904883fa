"""Reservations: what the fund holds for applications, to the fen, in any order of what is told."""

from __future__ import annotations

import itertools
import json
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.funds import BANK, OTHER_BANK, TODAY, Application, loan

if TYPE_CHECKING:
    from tests.support.funds import FundCounty

CLAUSE = "篇六 四(八)"


def answer(number: str, status: str, amount: str = "50000.00", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the fund's answer to a first question."""
    after = {"institution": BANK, "amount": amount, "status": status, "covered": "yes", "clause": None} | more
    change = {"application_no": number, "attempt": 1, "as_of": TODAY, "until": None, "before": None, "after": after}
    return change | {"line": 1}


def test_a_deposit_carries_ten_times_itself_to_the_fen(county: FundCounty):
    """Balances and open reservations together may be 200,000,000.00; one fen more is refused."""
    county.deposit("D1", "20000000.00")
    county.tell_loans(loan("L1", None, "199900000.00"))
    county.tell_applications(Application("A1", "50000.00").asks())
    county.tell_applications(Application("A2", "50000.01").asks())
    county.tell_applications(Application("A3", "50000.00").asks())
    county.tell_applications(Application("A4", "0.01").asks())
    assert county.told == [
        answer("A1", "reserved"),
        answer("A2", "refused", "50000.01", covered="no", clause=CLAUSE),
        answer("A3", "reserved"),
        answer("A4", "refused", "0.01", covered="no", clause=CLAUSE),
    ]
    assert county.reserved() == "100000.00"


def test_the_deposit_counts_on_the_day_of_the_decision_and_with_that_bank(county: FundCounty):
    """What takes effect a day later, or lies at another bank, carries nothing."""
    county.deposit("D1", "5000.00", effective_date="2026-03-03")
    county.deposit("D2", "5000.00", institution=OTHER_BANK)
    county.tell_applications(Application("A1").asks())
    county.tell_applications(Application("A2").asks(decided="2026-03-03"))
    county.tell_applications(Application("A3", facts={"institution": OTHER_BANK}).asks())
    assert county.statuses() == {"A1/1": "refused", "A2/1": "reserved", "A3/1": "reserved"}


def test_many_questions_are_decided_in_the_order_of_the_applications(county: FundCounty):
    """The earlier application goes first, whatever its line; a smaller one behind may still find room."""
    county.deposit("D1", "8000.00")
    late, early, small = (
        Application("A1", facts={"applied": "2026-03-02"}),
        Application("A2", facts={"applied": "2026-03-01"}),
        Application("A3", "30000.00"),
    )
    county.tell_applications(late.asks(), early.asks(), small.asks())
    assert county.statuses() == {"A1/1": "refused", "A2/1": "reserved", "A3/1": "reserved"}
    assert [each["application_no"] for each in county.told] == ["A2", "A1", "A3"]


def test_a_policy_without_a_multiple_reserves_without_a_deposit(county: FundCounty):
    """Whether there is cover, the product's rules of loss say."""
    county.tell_applications(
        Application("A1", facts={"policy": "lushi"}).asks(),
        Application("A2", facts={"policy": "hainan_2022", "product": "none"}).asks(),
    )
    assert county.told[0] == answer("A1", "reserved")
    assert county.told[1] == answer("A2", "reserved", covered="no") | {"line": 2}


def test_a_policy_may_lend_on_without_cover(county: FundCounty):
    """Beyond the multiple a loan is reserved, without cover and with the clause."""
    county.deposit("D1", "5000.00")
    facts = {"policy": "guangxi_2019"}
    county.tell_applications(Application("A1", facts=facts).asks())
    county.tell_applications(Application("A2", "0.01", facts=facts).asks())
    clause = "广西2017（超过部分不贴息、不补偿）"
    assert county.told == [
        answer("A1", "reserved"),
        answer("A2", "reserved", "0.01", covered="no", clause=clause),
    ]


def test_a_reservation_is_closed_when_the_application_is_withdrawn(county: FundCounty):
    """What it held is free again, and the registry is told so."""
    county.deposit("D1", "5000.00")
    first, second = Application("A1"), Application("A2")
    county.tell_applications(first.asks())
    county.tell_applications(first.held())
    county.tell_applications(first.withdrawn())
    county.tell_applications(second.asks())
    assert county.statuses() == {"A1/1": "released", "A2/1": "reserved"}
    told = [(each["before"] and each["before"]["status"], each["after"]["status"]) for each in county.told]
    assert told == [(None, "reserved"), ("reserved", "released"), (None, "reserved")]


def test_a_loan_takes_the_place_of_its_reservation_at_once(county: FundCounty):
    """Until the ledger's balance is there the reservation stands; then it is released, and nothing counts twice."""
    county.deposit("D1", "5000.00")
    lent = Application("A1")
    county.tell_applications(lent.asks())
    county.tell_applications(lent.held())
    county.tell_applications(lent.lent("L1"))
    assert county.statuses() == {"A1/1": "reserved"}
    assert county.ask("feed/reservations", region="341599")[0]["loan_no"] == "L1"
    county.tell_loans(loan("L2", None, "0.00"), loan("L1", None, "50000.00"))
    assert (county.statuses(), county.reserved()) == ({"A1/1": "released"}, "0.00")
    county.tell_applications(Application("A2", "0.01").asks())
    assert county.told[-1]["after"]["status"] == "refused"


def test_a_loan_that_never_stood_gives_its_place_back(county: FundCounty):
    """A ledger that takes another's place takes a loan back: its reservation holds again."""
    county.deposit("D1", "5000.00")
    lent = Application("A1")
    county.tell_applications(lent.asks())
    county.tell_applications(lent.lent("L1"))
    county.tell_loans(loan("L1", None, "50000.00"))
    county.tell_loans(loan("L1", "50000.00", None))
    assert (county.statuses(), county.reserved()) == ({"A1/1": "reserved"}, "50000.00")


def test_a_refused_application_may_be_asked_for_again(county: FundCounty):
    """A new attempt is decided by what is free then; the first stays refused."""
    again = Application("A1")
    county.tell_applications(again.asks())
    county.tell_applications(again.refused())
    county.deposit("D1", "5000.00")
    county.tell_applications(again.asks())
    assert county.statuses() == {"A1/1": "refused", "A1/2": "reserved"}


def test_any_order_of_the_messages_and_repeats_end_alike(county: FundCounty):
    """Of one application and its loan: in each order the same is reserved, and nothing stays so."""
    made = Application("A1")
    begun, asks, *rest = made.begun(), made.asks(), made.held(), made.lent("L1"), loan("L1", None, "50000.00")
    for place, others in enumerate(itertools.permutations([asks, *rest])):
        order = list(others)
        order.insert(place % 5, begun)
        county.empty()
        # A loan that is there before it is asked for counts, until more is told of it.
        is_tight = order.index(asks) < order.index(rest[2])
        county.deposit("D1", "5000.00" if is_tight else "10000.00")
        messages = [
            county.say("loans_changed", 3, [each])
            if "loan_no" in each
            else county.say("applications_changed", 1, [each])
            for each in order
        ]
        for message in (*messages, *(messages if place % 4 == 0 else ())):
            assert county.deliver(message) is None
        assert (county.statuses(), county.reserved()) == ({"A1/1": "released"}, "0.00")
        assert [each["after"]["status"] for each in county.told] == ["reserved", "released"]


def test_a_question_that_was_withdrawn_before_it_came_takes_no_room(county: FundCounty):
    """It is answered and closed at once; the one behind it gets the room."""
    county.deposit("D1", "5000.00")
    first, second = Application("A1"), Application("A2")
    asks, withdrawn = first.asks(), first.withdrawn()
    county.tell_applications(withdrawn)
    county.tell_applications(asks, second.asks())
    assert county.statuses() == {"A1/1": "released", "A2/1": "reserved"}


def test_nothing_is_decided_while_it_is_told_anew(county: FundCounty):
    """What was on its way then is answered by the calendar; what was answered is not decided again."""
    county.deposit("D1", "10000.00")
    first, second = Application("A1"), Application("A2")
    county.tell_applications(first.asks())
    states = [first.becomes() | {"before": None}, second.asks()]
    county.tell_anew(("applications_changed", 1, states), ("loans_changed", 3, [loan("L1", None, "1.00")]))
    assert county.statuses() == {"A1/1": "reserved", "A2/1": "asked"}
    county.run_calendar()
    assert county.statuses() == {"A1/1": "reserved", "A2/1": "refused"}
    assert [each["application_no"] for each in county.told] == ["A1", "A2"]


def waiting(county: FundCounty) -> list[tuple[str, bool]]:
    """Return what `huilian doctor` says of applications that wait, and whether something is to be done."""
    office = county.office
    with county.transaction() as transaction:
        found = office.services["risk_fund"].examine(transaction, office.settings, office.context.rules)
        return [(each.what, each.remedy is not None) for each in found if "未答复的备付" in each.name]


def test_a_policy_that_cannot_be_read_is_asked_again(county: FundCounty):
    """The question waits, and the others are decided."""
    county.deposit("D1", "10000.00")
    lost = Application("A1", facts={"policy": "own"})
    county.tell_applications(lost.asks(), Application("A2").asks())
    assert county.statuses() == {"A1/1": "asked", "A2/1": "reserved"}
    assert waiting(county) == [("own: 1", True)]
    own = county.office.home.policies
    own.mkdir(exist_ok=True)
    text = (files("contracts") / "policies" / "xingan.toml").read_text("utf-8")
    (own / "own.toml").write_text(text.replace('name = "xingan"', 'name = "own"'), "utf-8")
    county.run_calendar()
    (own / "own.toml").unlink()
    assert waiting(county) == [("无 (none)", False)]
    assert county.statuses() == {"A1/1": "reserved", "A2/1": "reserved"}


def test_open_reservations_and_what_became_of_them_are_told(county: FundCounty):
    """By bank; in the household's story and the application's, each with its message."""
    county.deposit("D1", "5000.00")
    made = Application("A1")
    county.tell_applications(made.asks())
    [row] = county.ask("feed/reservations", region="341599", institution=BANK)
    assert {name: row[name] for name in ("application_no", "amount", "covered", "loan_no")} == {
        "application_no": "A1", "amount": "50000.00", "covered": "yes", "loan_no": None
    }  # fmt: skip
    assert county.ask("feed/reservations", region="341599", institution=OTHER_BANK) == []
    county.tell_applications(made.withdrawn())
    story = county.ask("application_story", application="A1")
    assert [(each["what"], each["state"], each["amount"]) for each in story] == [
        ("备付", "已备付", "50000.00"),
        ("备付", "已解除", "50000.00"),
    ]
    assert all(each["message"] for each in story)
    told = county.ask("household_story", household="HA1")
    assert [(each["number"], each["state"]) for each in told] == [("A1", "已备付"), ("A1", "已解除")]


def test_reservations_beyond_a_deposit_that_was_withdrawn_do_not_match(county: FundCounty):
    """The later ones are named, those that the rest carries are not."""
    county.deposit("D1", "10000.00")
    county.tell_applications(Application("A1").asks(), Application("A2").asks())
    assert county.ask("differences", region="341599") == []
    county.withdraw("W1", "5000.00")
    [found] = county.ask("differences", region="341599")
    assert (found["kind"], found["institution"], found["reference"]) == ("reservation_beyond_deposit", BANK, "A2")


def test_a_reservation_of_which_the_registry_knows_nothing_does_not_match(county: FundCounty):
    """Told anew, the registry has no such application: people look into it; told that it is gone, it is released."""
    county.deposit("D1", "5000.00")
    made = Application("A1")
    county.tell_applications(made.asks())
    county.tell_anew(("applications_changed", 1, []), ("loans_changed", 3, []))
    county.run_calendar()
    [found] = county.ask("differences", region="341599")
    assert (found["kind"], found["reference"]) == ("reservation_without_application", "A1")
    county.tell_applications(made.becomes() | {"before": None})
    county.tell_applications(made.gone())
    assert county.statuses() == {"A1/1": "released"}


def test_ten_thousand_questions_of_one_message_are_decided_in_seconds(county: FundCounty):
    """Set by set, in well under ten seconds; the last that fits is the last in order."""
    county.deposit("D1", "49999999.99")
    changes = [Application(f"A{number:05}", "50000.00").asks() for number in range(10_000)]
    started = time.process_time()
    county.tell_applications(*changes[:5_000])
    county.tell_applications(*changes[5_000:])
    assert time.process_time() - started < 5
    assert county.reserved() == "499950000.00"
    assert [number for number, status in county.statuses().items() if status == "refused"] == ["A09999/1"]
    assert len(county.told) == 10_000


def test_what_was_told_adds_up_to_what_stands(county: FundCounty):
    """All that became of reservations can be told anew."""
    county.deposit("D1", "5000.00")
    made = Application("A1")
    county.tell_applications(made.asks(), Application("A2").asks())
    county.tell_applications(made.withdrawn())
    with county.transaction() as transaction:
        [draft] = county.office.services["risk_fund"].tells["reservations_changed"](transaction)
    anew = [json.loads(line) for line in draft.body.splitlines()]
    assert [(e["application_no"], e["before"], e["after"]) for e in anew] == [
        (e["application_no"], e["before"], e["after"]) for e in county.told
    ]


pytestmark = pytest.mark.timeout(60)
