"""No sequence of messages, in any order and with repeats, brings a rating to a state that the policy forbids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.support.ratings import CLERK, COUNTY, DEPUTY, HEAD, VILLAGE, indicators, loan

if TYPE_CHECKING:
    from huilian.wire.envelope import Message
    from tests.support.ratings import RatingCounty

HOUSEHOLDS = st.sampled_from(("H1", "H2"))
POINTS = st.sampled_from(("credit=80;income=70;labour=90", "credit=95;income=95;labour=95", "credit=40", "income=65"))
PEOPLE = st.sampled_from((CLERK, HEAD, DEPUTY))
LEVELS = {"village_review": "VILL1", "township_review": "TOWN1", "county_review": COUNTY}
ORDER = ("village_review", "township_review", "county_review", "county_review.1")


class AnyOrder(RuleBasedStateMachine):
    """Members that send whatever they like, again and again, while days pass."""

    county: RatingCounty
    reached: set[str]
    """The states that any rating was seen in."""

    @initialize()
    def begin(self) -> None:
        """Nobody is rated; the groups are filed."""
        self.county.empty()
        self.county.enrol([indicators(each) for each in ("H1", "H2")])
        self.county.file_groups()
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        """Send a message; whether it is refused is the service's affair, but it must not fail."""
        self.sent.append(message)
        assert self.county.deliver(message) not in ("HL1012", "HL1014")

    @rule(household=HOUSEHOLDS, points=POINTS, person=PEOPLE, excluded=st.booleans())
    def collect(self, household: str, points: str, person: str, *, excluded: bool) -> None:
        """The village states indicators."""
        today = self.county.clock.today().isoformat()
        grounds = "crime" if excluded else "none"
        row = indicators(household, points, person=person, exclusions=grounds, collected_on=today)
        for message in self.county.submission([row]):
            self.send(message)

    @rule(
        step=st.sampled_from(tuple(LEVELS)),
        person=PEOPLE,
        household=st.none() | HOUSEHOLDS,
        count=st.integers(1, 2),
        decision=st.sampled_from(("approve", "approve", "approve", "refuse", "send_back")),
        back_to=st.sampled_from(("collect", "village_review", "township_review")),
    )
    def decide(  # noqa: PLR0917  # as many as a step has
        self, step: str, person: str, household: str | None, count: int, decision: str, back_to: str
    ) -> None:
        """Somebody decides a step."""
        fields: dict[str, Any] = {"borrower_no": household, "count": 1 if household else count, "decision": decision}
        fields |= {"back_to": back_to if decision == "send_back" else None}
        fields |= {"reason": None if decision == "approve" else "不实"}
        record = {"region": VILLAGE, "step": step, "borrower": "household", "consents": None} | fields
        self.send(self.county.record("rating_step", LEVELS[step], person=person, **record))

    @rule(count=st.integers(1, 2), days=st.sampled_from((3, 7)))
    def post(self, count: int, days: int) -> None:
        """The county posts."""
        first = self.county.clock.today()
        last = first.fromordinal(first.toordinal() + days - 1)
        record = {"region": VILLAGE, "step": "county_review", "round": 1, "first_day": first, "last_day": last}
        self.send(self.county.record("rating_posting", COUNTY, complaint_line="12345", count=count, **record))

    @rule(household=HOUSEHOLDS)
    def go_on(self, household: str) -> None:
        """Whoever has the next step with a household takes it as it should be; the clock may have to wait."""
        rows = self.county.rows(
            "SELECT state, stage FROM rating.assessment WHERE borrower_no = %s"
            " AND state IN ('incomplete', 'collected', 'in_review', 'to_be_posted', 'posted') ORDER BY number DESC",
            [household],
        )
        if not rows or rows[0]["state"] == "incomplete":
            points = "credit=80;income=70;labour=90"
            today = self.county.clock.today().isoformat()
            for message in self.county.submission([indicators(household, points, collected_on=today)]):
                self.send(message)
        elif rows[0]["state"] == "posted":
            self.county.run_calendar(7)
        elif rows[0]["state"] == "to_be_posted":
            waiting = self.county.rows("SELECT count(*) AS n FROM rating.assessment WHERE state = 'to_be_posted'")
            self.post(waiting[0]["n"], 7)
        else:
            self.decide(rows[0]["stage"], DEPUTY, household, 1, "approve", "collect")

    @rule(number=st.sampled_from(("O1", "O2")), household=HOUSEHOLDS)
    def object_to(self, number: str, household: str) -> None:
        """Somebody objects."""
        record = {"objection_no": number, "borrower": "household", "borrower_no": household, "reason": "不实"}
        self.send(self.county.record("rating_objection", "VILL1", person=CLERK, **record))

    @rule(number=st.sampled_from(("O1", "O2")), upheld=st.sampled_from(("yes", "no")), person=PEOPLE)
    def answer(self, number: str, upheld: str, person: str) -> None:
        """Somebody answers."""
        record = {"objection_no": number, "upheld": upheld, "answer": "经核实"}
        self.send(self.county.record("rating_answer", "TOWN1", person=person, **record))

    @rule(household=HOUSEHOLDS, outcome=st.sampled_from(("settled", "bad")), number=st.sampled_from(("L1", "L2")))
    def tell(self, household: str, outcome: str, number: str) -> None:
        """The registry tells what became of a loan."""
        settled = {"status": "settled", "balance": "0.00", "settled_date": "2024-12-31"}
        after = settled if outcome == "settled" else {"status": "overdue", "five_tier_class": "loss"}
        self.county.tell("loans_changed", 2, [loan(household, number, {}, after)])

    @rule(household=HOUSEHOLDS, ended=st.booleans())
    def blacklist(self, household: str, *, ended: bool) -> None:
        """A bank enters a malicious default, or ends the entry."""
        today = self.county.clock.today()
        record = {"entry_no": household, "borrower": "household", "borrower_no": household, "malicious": "yes"}
        record |= {"from_date": today, "until_date": today if ended else None, "reason": "逃废债务"}
        self.send(self.county.record("blacklist_entry", "RCB01", **record))

    @rule(household=HOUSEHOLDS, deed=st.sampled_from(("right_use", "wrong_use", "false_claim")))
    def find(self, household: str, deed: str) -> None:
        """A township finds what a borrower did."""
        record = {"reference": f"{household}.{deed}", "borrower": "household", "borrower_no": household, "deed": deed}
        self.send(self.county.record("borrower_deed", "TOWN1", institution=None, loan_no=None, **record))

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """A message comes once more, late."""
        if self.sent:
            self.county.deliver(data.draw(st.sampled_from(self.sent)))

    @rule(days=st.sampled_from((1, 7, 400)))
    def wait(self, days: int) -> None:
        """Days pass."""
        self.county.run_calendar(days)

    @invariant()
    def everybody_took_the_way(self) -> None:
        """What is in force was approved at each level in order, by others than entered it, and posted in full."""
        if not hasattr(self, "sent"):
            return
        steps = self.county.rows(
            "SELECT a.number, a.borrower_no, a.state, a.cause, a.entered_by, a.score, a.valid_from, s.stage, s.move,"
            " s.member, s.person, s.date FROM rating.assessment a LEFT JOIN rating.step s ON s.assessment = a.number"
            " ORDER BY a.number, s.number"
        )
        for number in {row["number"] for row in steps}:
            mine = [row for row in steps if row["number"] == number]
            if mine[0]["valid_from"] is None or mine[0]["cause"] != "indicators":
                continue
            way = self._last_way(mine)
            assert tuple(row["stage"] for row in way if row["move"].startswith("approve")) == ORDER[:3]
            assert not {f"{row['member']}:{row['person']}" for row in way} & set(mine[0]["entered_by"])
            assert way[-1]["move"] == "activate"

    @staticmethod
    def _last_way(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the steps since it was last sent back, up to its coming into force."""
        way: list[dict[str, Any]] = []
        for row in rows:
            if row["move"] in ("return", "uphold"):
                way = []
            elif row["move"] == "send_back":
                way = way[:-1]
            elif row["move"] not in ("object", "dismiss"):
                way.append(row)
            if row["move"] == "activate":
                break
        return way

    @invariant()
    def nothing_stands_that_the_policy_forbids(self) -> None:
        """Nobody is in force twice, excluded, unposted, with an objection open or an entry of the blacklist."""
        if not hasattr(self, "sent"):
            return
        self.reached |= {row["state"] for row in self.county.rows("SELECT DISTINCT state FROM rating.assessment")}
        wrong = self.county.rows(
            """
            SELECT a.number, a.state FROM rating.assessment a LEFT JOIN rating.posting p ON p.number = a.posting
            WHERE a.state IN ('active', 'in_review', 'to_be_posted', 'posted', 'objected') AND EXISTS (
                  SELECT FROM rating.blacklist b WHERE b.borrower_no = a.borrower_no AND b.until_date IS NULL)
               OR a.state = 'active' AND (a.exclusions <> '' OR a.grade IS NULL
                  OR (a.cause = 'indicators' AND p.last_day >= a.valid_from)
                  OR EXISTS (SELECT FROM rating.objection o WHERE o.assessment = a.number AND o.answered_on IS NULL))
               OR a.state = 'objected' AND NOT EXISTS (
                  SELECT FROM rating.objection o WHERE o.assessment = a.number AND o.answered_on IS NULL)
               OR a.state = 'posted' AND p.number IS NULL
               OR a.state NOT IN ('incomplete', 'collected', 'refused', 'superseded') AND a.score IS NULL
            """
        )
        assert wrong == []

    @invariant()
    def what_was_told_is_what_is_in_force(self) -> None:
        """Whoever folds the changes has the ratings in force, each once."""
        if not hasattr(self, "sent"):
            return
        folded: dict[tuple[str, str], int] = {}
        for change in self.county.told:
            for side, n in (("before", -1), ("after", 1)):
                if change[side]:
                    key = change["borrower_no"], change[side]["grade"]
                    folded[key] = folded.get(key, 0) + n
        active = self.county.rows("SELECT borrower_no, grade FROM rating.assessment WHERE state = 'active'")
        assert {key: n for key, n in folded.items() if n} == {(row["borrower_no"], row["grade"]): 1 for row in active}


@pytest.mark.timeout(120)
def test_no_order_of_messages_reaches_what_the_policy_forbids(rating_county: RatingCounty):
    """Steps, postings, objections, defaults and repeats as they come, while days pass."""
    machine = type("AnyOrderHere", (AnyOrder,), {"county": rating_county, "reached": set()})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert machine.reached >= {"collected", "in_review", "to_be_posted", "posted", "active"}
