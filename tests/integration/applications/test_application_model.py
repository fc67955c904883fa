"""No sequence of messages, in any order and with repeats, brings an application to a state that the policy forbids."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from huilian.wire.envelope import Draft
from tests.support.applications import TAKEN_BY, form, identity_number, step
from tests.support.ratings import CLERK, COUNTY, DAY, DEPUTY, HEAD, VILLAGE

if TYPE_CHECKING:
    from huilian.wire.envelope import Message
    from tests.support.applications import ApplicationCounty

NUMBERS = st.sampled_from(("A1", "A2", "A3"))
HOUSEHOLDS = st.sampled_from(("H1", "H2"))
PEOPLE = st.sampled_from((CLERK, HEAD, DEPUTY))
ORDERS: dict[str, tuple[str, ...]] = {
    "anhui": (),
    "xingan": ("village_recommendation", "township_review", "bank_verification", "county_confirmation"),
    "lushi": ("village_review", "township_review", "county_confirmation", "guarantee"),
}
"""By policy: the reviews that lie between form 1 and the loan."""
MET = "civil_capacity;willing;able;source_of_repayment;project;no_bad_credit"
OVER = ("completed", "refused", "withdrawn", "expired")
OPEN = ("in_review", "returned", "pending", "confirmed", "lent")


class AnyOrder(RuleBasedStateMachine):
    """Members that send whatever they like, again and again, while days pass."""

    county: ApplicationCounty
    policy: str
    reached: set[str]
    """The states that any application was seen in."""

    @initialize()
    def begin(self) -> None:
        """Two households are rated and consent; the fund has room for little more than one loan."""
        self.county.empty()
        self.county.use(self.policy)
        self.county.deposit("D1", "4000.00")
        for household in ("H1", "H2"):
            self.county.list_household(household)
            self.county.rate_by_word(household, "AA", "100000.00")
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        """Send a message; whether it is refused is the service's affair, but it must not fail."""
        self.sent.append(message)
        self.deliver(message)

    def deliver(self, message: Message) -> None:
        """Deliver a message; nothing comes of it where it is about an application whose validity was over by then."""
        lapsed = self._lapsed(message)
        assert self.county.deliver(message) not in ("HL1012", "HL1014")
        assert lapsed == self._lapsed(message) or not lapsed

    def _lapsed(self, message: Message) -> list[dict[str, Any]]:
        """Return the application that a message is about, where its validity is over on the day of the act."""
        record = json.loads(message.body())
        return self.county.rows(
            "SELECT * FROM registry.application WHERE application_no = %s AND valid_until < %s"
            " AND state IN ('in_review', 'returned', 'pending', 'confirmed')",
            [record.get("application_no"), record["date"]],
        )

    def _apply(self, number: str, household: str, amount: str, person: str) -> None:
        fields = form(number, household, amount=amount, met=MET)
        self.send(self.county.record("application", "VILL1", person=person, **fields))

    def _decide(self, number: str, name: str, person: str, **fields: Any) -> None:  # noqa: ANN401
        record = step(number, name, **fields)
        self.send(self.county.record("application_step", TAKEN_BY[name], person=person, **record))

    @rule(number=NUMBERS, household=HOUSEHOLDS, amount=st.sampled_from(("30000.00", "60000.00")), person=PEOPLE)
    def apply(self, number: str, household: str, amount: str, person: str) -> None:
        """A household applies."""
        self._apply(number, household, amount, person)

    @rule(
        number=NUMBERS,
        name=st.sampled_from(tuple(TAKEN_BY)),
        person=PEOPLE,
        decision=st.sampled_from(("approve", "approve", "refuse", "send_back")),
        back_to=st.sampled_from(("apply", "village_review", "township_review", "county_confirmation")),
        amount=st.sampled_from((None, None, "20000.00", "60000.00")),
    )
    def decide(  # noqa: PLR0917  # as many as a step has
        self, number: str, name: str, person: str, decision: str, back_to: str, amount: str | None
    ) -> None:
        """Somebody decides a step."""
        fields: dict[str, Any] = {"decision": decision, "back_to": back_to if decision == "send_back" else None}
        fields |= {"reason": None if decision == "approve" else "不实", "amount": amount}
        self._decide(number, name, person, **fields)

    @rule(number=NUMBERS, steps=st.integers(1, 6))
    def go_on(self, number: str, steps: int) -> None:
        """Whoever has the next steps with an application takes them as they should be."""
        for _ in range(steps):
            self._take_next(number)

    @rule(number=NUMBERS)
    def hurry(self, number: str) -> None:
        """An application that is there, or a new one, goes all the way, if it may."""
        self.go_on(number, 1 + len(ORDERS[self.policy]))

    def _take_next(self, number: str) -> None:
        rows = self.county.rows(
            "SELECT state, stage, borrower_no FROM registry.application WHERE application_no = %s", [number]
        )
        if not rows or rows[0]["state"] == "returned":
            self._apply(number, rows[0]["borrower_no"] if rows else f"H{number[1]}", "25000.00", CLERK)
        elif rows[0]["state"] == "in_review":
            self._decide(number, rows[0]["stage"], DEPUTY if rows[0]["stage"].startswith("county") else HEAD)

    @rule(number=NUMBERS, member=st.sampled_from(("VILL1", "VILL2", "RCB01", "PSB01", COUNTY)))
    def withdraw(self, number: str, member: str) -> None:
        """Somebody withdraws."""
        record = {"application_no": number, "reason": "不再需要"}
        self.send(self.county.record("application_withdrawal", member, person=CLERK, **record))

    @rule(household=HOUSEHOLDS, ended=st.booleans())
    def consent(self, household: str, *, ended: bool) -> None:
        """A household ends its consent, or gives another."""
        today = self.county.clock.today()
        if ended:
            with self.county.transaction() as transaction:
                transaction.execute(
                    "UPDATE registry.consent SET until_date = greatest(from_date, %s)"
                    " WHERE household_no = %s AND until_date IS NULL",
                    [today, household],
                )
            return
        record = {
            "consent_no": f"{household}.{today}", "household_no": household, "scope": "credit_inquiry",
            "identity_number": identity_number(int(household[1:])), "institution": None, "document": None,
            "from_date": today, "until_date": None,
        }  # fmt: skip
        self.send(self.county.record("consent", "VILL1", person=CLERK, **record))

    @rule(ended=st.booleans())
    def suspend(self, *, ended: bool) -> None:
        """Lending is suspended for a while, or goes on."""
        today = self.county.clock.today()
        record = {
            "suspension_no": "S1", "region": VILLAGE, "institution": None, "product": None, "reason": "不良率过高",
            "from_date": today, "until_date": today if ended else None,
        }  # fmt: skip
        self.send(self.county.record("lending_suspension", COUNTY, person=HEAD, **record))

    @rule(data=st.data(), sealed_anew=st.booleans())
    def repeat(self, data: st.DataObject, *, sealed_anew: bool) -> None:
        """A message comes once more, late; or its record is sealed anew."""
        if not self.sent:
            return
        message = data.draw(st.sampled_from(self.sent))
        if sealed_anew:
            draft = Draft(message.type, message.dataschema, message.source, message.body())
            message = self.county.seal(message.source, draft)
        self.deliver(message)

    @rule(days=st.sampled_from((1, 10, 100)))
    def wait(self, days: int) -> None:
        """Days pass."""
        self.county.follow_calendar(days)

    @rule(days=st.sampled_from((1, 200)), withdrawn=st.booleans())
    def oversleep(self, days: int, *, withdrawn: bool) -> None:
        """Days pass, the calendar's work is not done, and members go on with all that is open."""
        self.county.clock.advance(days * DAY)
        rows = self.county.rows("SELECT application_no FROM registry.application WHERE state <> ALL(%s)", [list(OVER)])
        for number in sorted(row["application_no"] for row in rows):
            if withdrawn:
                self.withdraw(number, "VILL1")
            else:
                self._take_next(number)

    @invariant()
    def everybody_took_the_way(self) -> None:
        """What is confirmed was approved at each step in order, by its member, not by who entered, and all is told."""
        if not hasattr(self, "sent"):
            return
        rows = self.county.rows(
            "SELECT application_no, a.state, entered_by, entered_person, step, move, s.member, s.person, s.date"
            " FROM registry.application a JOIN registry.application_step s USING (application_no) ORDER BY s.number"
        )
        self.reached |= {row["state"] for row in rows}
        for number in {row["application_no"] for row in rows}:
            mine = [row for row in rows if row["application_no"] == number]
            assert [row["date"] for row in mine] == sorted(row["date"] for row in mine)
            way = self._last_way(mine)
            taken = [row for row in way if row["move"].startswith("approve") and row["person"] is not None]
            expected = ORDERS[self.policy]
            if mine[0]["state"] == "confirmed":
                assert tuple(row["step"] for row in taken) == expected
                assert not {(row["member"], row["person"]) for row in taken} & {
                    (mine[0]["entered_by"], mine[0]["entered_person"])
                }
            assert all(row["member"] == TAKEN_BY[row["step"]] for row in taken)

    def _last_way(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the steps that count still: one that was taken anew takes the place of what was decided before."""
        order, way = ORDERS[self.policy], []
        for row in rows:
            if row["move"] in ("submit", "resubmit", "return", "fund_returns"):
                way = []
            elif row["move"] == "fund_refuses":
                way.pop()
            elif row["move"] != "send_back":
                way.append(row)
        found: list[dict[str, Any]] = []
        for row in way:
            if row["move"].startswith("approve") and row["step"] in order:
                place = order.index(row["step"])
                found = [each for each in found if each["step"] in order and order.index(each["step"]) < place]
            found.append(row)
        return found

    @invariant()
    def nothing_stands_that_the_policy_forbids(self) -> None:
        """Nobody has two open, none is above the limit, and the fund holds for what is confirmed, once."""
        if not hasattr(self, "sent"):
            return
        applications = self.county.rows("SELECT * FROM registry.application ORDER BY application_no")
        open_of = [row["borrower_no"] for row in applications if row["state"] in OPEN]
        assert len(open_of) == len(set(open_of))
        assert all(row["amount"] <= 50_000 or self.policy == "lushi" for row in applications)
        assert all((row["stage"] is None) == (row["state"] not in OPEN) for row in applications)
        held = {f"{row['application_no']}/{row['attempt']}" for row in applications if row["reservation"] == "held"}
        assert held == {number for number, status in self.county.reserved().items() if status == "reserved"}
        assert all(row["reservation"] == "held" for row in applications if row["state"] == "confirmed")
        assert not [row for row in applications if row["state"] == "pending"]

    @invariant()
    def what_was_told_is_what_stands(self) -> None:
        """Whoever folds the changes has each application once, as it is."""
        if not hasattr(self, "sent"):
            return
        folded: dict[tuple[str, str, str | None], int] = {}
        for change in self.county.told_of_applications():
            for side, n in (("before", -1), ("after", 1)):
                if change[side]:
                    key = change["application_no"], change[side]["state"], change[side]["stage"]
                    folded[key] = folded.get(key, 0) + n
        rows = self.county.rows("SELECT application_no, state, stage FROM registry.application")
        assert {key: n for key, n in folded.items() if n} == {tuple(row.values()): 1 for row in rows}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("policy", sorted(ORDERS))
def test_no_order_of_messages_reaches_what_the_policy_forbids(application_county: ApplicationCounty, policy: str):
    """Applications, steps, withdrawals, consents, suspensions and repeats as they come, while days pass."""
    machine = type("AnyOrderHere", (AnyOrder,), {"county": application_county, "policy": policy, "reached": set()})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=4,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert machine.reached >= {"confirmed"}
