"""Whatever comes in whatever order: no more is reserved than the deposit carries, and nothing stays reserved."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.risk_fund import books
from services.risk_fund.books import Posting
from tests.support.funds import BANK, Application, loan

if TYPE_CHECKING:
    from collections.abc import Callable

    from huilian.wire.envelope import Message
    from tests.support.funds import Change, FundCounty

MULTIPLE = 10
AMOUNTS = st.sampled_from(("100.00", "250.01", "400.00"))
FIRST = dt.date(2026, 3, 2)


class Registry:
    """What the registry does with applications, as far as the fund sees of it; its messages are on their way."""

    def __init__(self, county: FundCounty) -> None:
        self.county = county
        self.made: dict[str, Application] = {}
        self.lent: dict[str, str] = {}
        self.waiting: list[Message] = []
        self.delivered: list[Message] = []
        self.read = 0

    def told(self, *changes: Change) -> None:
        """Put one message about applications on its way."""
        self.waiting.append(self.county.say("applications_changed", 1, changes))

    def open_ones(self, reservation: str) -> list[Application]:
        """Return the applications for which the registry wants this of the fund."""
        return [each for each in self.made.values() if each.state and each.state["reservation"] == reservation]

    def apply(self, amount: str) -> None:
        """Begin an application and ask the fund for it, in one message or two."""
        made = Application(f"A{len(self.made)}", amount)
        self.made[made.number] = made
        if len(self.made) % 2:
            self.told(made.begun())
        self.told(made.asks())

    def ask_again(self, place: int) -> None:
        """Ask once more for an application that the fund refused."""
        refused = [each for each in self.made.values() if each.state and each.state["state"] == "in_review"]
        if refused:
            self.told(refused[place % len(refused)].asks())

    def withdraw(self, place: int) -> None:
        """Withdraw one that is asked for or held."""
        if found := [*self.open_ones("asked"), *self.open_ones("held")]:
            self.told(found[place % len(found)].withdrawn())

    def lend(self, place: int) -> None:
        """See the loan of one that is held in the ledger."""
        if found := self.open_ones("held"):
            made = found[place % len(found)]
            loan_no = f"L{made.number}"
            self.lent[loan_no] = made.amount
            self.waiting.append(self.county.say("loans_changed", 3, [loan(loan_no, None, made.amount)]))
            self.told(made.lent(loan_no))

    def take_back(self, place: int) -> None:
        """See a loan no more: a ledger took another's place."""
        if self.lent:
            loan_no = sorted(self.lent)[place % len(self.lent)]
            gone = loan(loan_no, self.lent.pop(loan_no), None)
            self.waiting.append(self.county.say("loans_changed", 3, [gone]))

    def deliver(self, place: int) -> None:
        """Let a message arrive, any of those on their way, and read what the fund answers."""
        if self.waiting:
            message = self.waiting.pop(place % len(self.waiting))
            self.delivered.append(message)
            assert self.county.deliver(message) is None
        self.hear()

    def repeat(self, place: int) -> None:
        """Let a message arrive once more."""
        if self.delivered:
            assert self.county.deliver(self.delivered[place % len(self.delivered)]) is None
        self.hear()

    def hear(self) -> None:
        """Go on with what the fund has answered since."""
        for answer in self.county.told[self.read :]:
            self.read += 1
            made = self.made[answer["application_no"]]
            state = made.state
            waits = state is not None and (state["reservation"], state["attempt"]) == ("asked", answer["attempt"])
            if waits and answer["after"]["status"] in ("reserved", "refused"):
                self.told(made.held() if answer["after"]["status"] == "reserved" else made.refused())

    def wanted(self) -> dict[str, Decimal]:
        """Return what should be reserved by what the registry knows, once everything has arrived."""
        return {
            made.number: Decimal(made.amount)
            for made in self.made.values()
            if made.state
            and (
                made.state["reservation"] == "held"
                or (made.state["loan_no"] is not None and made.state["loan_no"] not in self.lent)
            )
        }


def move_deposit(county: FundCounty, amount: str) -> None:
    """Deposit or withdraw."""
    with county.transaction() as transaction:
        books.hold(transaction)
        postings = [Posting(books.DEPOSIT, BANK, Decimal(amount)), Posting("contribution", "county", -Decimal(amount))]
        books.book(transaction, postings, effective=FIRST, entered=FIRST, message="m", reason="试")


def standing(county: FundCounty) -> tuple[Decimal, Decimal, Decimal]:
    """Return what is reserved, what balances and reservations come to, and what the deposit carries."""
    [row] = county.rows(
        "SELECT r.reserved, r.reserved + coalesce((SELECT sum(balance) FROM risk_fund.bank_balance), 0) AS committed,"
        " coalesce((SELECT sum(amount) FROM risk_fund.posting WHERE account = 'deposit'), 0) AS deposit"
        " FROM (SELECT coalesce(sum(amount), 0) AS reserved FROM risk_fund.reservation WHERE status = 'reserved') r"
    )
    return row["reserved"], row["committed"], MULTIPLE * row["deposit"]


def step(county: FundCounty, act: Callable[[], None]) -> None:
    """Take a step: where more is reserved after it, the deposit carries all there is."""
    reserved, committed, _ = standing(county)
    act()
    now_reserved, now_committed, carried = standing(county)
    assert now_reserved <= reserved or now_committed <= max(committed, carried)


def open_now(county: FundCounty) -> dict[str, Decimal]:
    """Return what is reserved by application."""
    rows = county.rows("SELECT application_no, amount FROM risk_fund.reservation WHERE status = 'reserved'")
    return {row["application_no"]: row["amount"] for row in rows}


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), AMOUNTS),
        st.tuples(
            st.sampled_from(("deliver", "deliver", "deliver", "lend", "withdraw", "repeat", "ask_again", "take_back")),
            st.integers(0, 5),
        ),
        st.tuples(st.just("deposit"), st.sampled_from(("10.00", "40.00", "65.01"))),
        st.tuples(st.just("take_out"), st.sampled_from(("10.00", "25.00"))),
    ),
    min_size=8,
    max_size=40,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_no_more_is_reserved_than_the_deposit_carries_and_nothing_stays_reserved(
    county: FundCounty, acts: list[tuple[str, Any]]
):
    """After each message, and at the end against what the registry wants and what a rebuild makes of it."""
    county.empty()
    registry = Registry(county)
    move_deposit(county, "40.00")
    moves: dict[str, Callable[[str], None]] = {
        "deposit": lambda amount: move_deposit(county, amount),
        "take_out": lambda amount: move_deposit(county, f"-{amount}"),
    }
    for name, what in acts:
        if name in moves:
            moves[name](what)
        else:
            step(county, lambda name=name, what=what: getattr(registry, name)(what))
    while registry.waiting:
        step(county, lambda: registry.deliver(0))
    assert registry.open_ones("asked") == []
    assert open_now(county) == registry.wanted()
    before, told = county.statuses(), len(county.told)
    states = [made.becomes() | {"before": None} for made in registry.made.values()]
    loans = [loan(loan_no, None, amount) for loan_no, amount in registry.lent.items()]
    county.tell_anew(("applications_changed", 1, states), ("loans_changed", 3, loans))
    county.run_calendar()
    assert (county.statuses(), len(county.told)) == (before, told)
