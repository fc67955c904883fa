"""What villages collect, who reviews and posts it, and what is found of borrowers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.rating import states
from services.rating.states import Case
from tests.simulation.acts.applications import PEOPLE, member_for
from tests.simulation.truth import VILLAGE_OF
from tests.support.carried_county import CLERK, DAY, DEPUTY, HEAD
from tests.support.ratings import indicators

if TYPE_CHECKING:
    from random import Random

    from services.rating.states import Stage
    from tests.simulation.county import SimulatedCounty

POINTS = (
    "credit=90;income=80;labour=90;integrity=90;basics=80;civility=90",
    "credit=95;income=95;labour=95;integrity=95;basics=95;civility=95",
    "credit=70;income=65;labour=70;integrity=66;basics=70;civility=65",
    "credit=40;income=20;labour=30;integrity=20;basics=30;civility=20",
    "income=65",
)


def file_groups(county: SimulatedCounty, random: Random) -> None:
    """Villages and townships file their working groups."""
    for member in ("VILL1", "VILL3", "TOWN1", "TOWN2"):
        group = {"region": county.members[member][1], "members": 5, "representatives": 2, "plan": "评级方案1号"}
        county.act(random, "rating_group", member, person=CLERK, **group)


def collect(county: SimulatedCounty, random: Random) -> None:
    """A village states indicators of its households, having taken their requests."""
    village = random.choice(list(VILLAGE_OF))
    region, today = VILLAGE_OF[village], county.clock.today()
    rows = []
    for household in county.truth.households.values():
        if household.region == region:
            if states.asks_consent_first(county.named, Case("household", household.category, today)):
                request = {
                    "request_no": county.new_number("RR"), "borrower": "household", "borrower_no": household.number,
                    "region": region, "consent": "yes",
                }  # fmt: skip
                county.act(random, "rating_request", village, person=CLERK, **request)
            grounds = "crime" if random.random() < 0.05 else "none"
            stated = {"village": region, "exclusions": grounds, "collected_on": today, "kind": household.category}
            rows.append(indicators(household.number, random.choice(POINTS), **stated))
    county.tell(f"{village} collects indicators of {[row['borrower_no'] for row in rows]}")
    county.post(random, *county.submission(village, "rating_indicators", {"rating_indicators": rows}))


def rate_on(county: SimulatedCounty, random: Random) -> None:
    """Whoever has the next step of a rating takes it as it should be, for a while."""
    for _ in range(random.randint(1, 6)):
        county.settle(random)
        rows = county.rows(
            "SELECT * FROM rating.assessment WHERE state IN ('collected', 'in_review', 'to_be_posted') ORDER BY number"
        )
        if not rows:
            return
        row = random.choice(rows)
        case = Case(row["borrower"], row["household_kind"], row["collected_on"])
        path = states.path(county.named, case)
        place = states.stage_named(path, row["stage"])
        if place is None:
            return
        stage = path[place]
        member = member_for(stage.by, row["region"], "RCB01")
        person = random.choice((HEAD, DEPUTY))
        if stage.is_posting:
            fields = _posting(county, random, row, stage)
            county.act(random, "rating_posting", member, person=person, **fields)
            county.settle(random)
            county.clock.advance(random.choice((7, 8, 15)) * DAY)
            county.work_by_calendar(random)
        else:
            record = {
                "region": row["region"], "step": stage.step, "borrower": row["borrower"],
                "borrower_no": row["borrower_no"], "count": 1, "consents": 1, "decision": "approve", "back_to": None,
                "reason": None,
            }  # fmt: skip
            county.act(random, "rating_step", member, person=person, **record)


def _posting(county: SimulatedCounty, random: Random, row: dict[str, Any], stage: Stage) -> dict[str, Any]:
    """Return how all that waits with a rating is posted, now and then for too short."""
    waiting = county.rows(
        "SELECT count(*) AS n FROM rating.assessment WHERE state = 'to_be_posted' AND region = %s AND stage = %s",
        [row["region"], row["stage"]],
    )
    first = county.clock.today()
    days = stage.window.amount if stage.window else 7
    return {
        "region": row["region"], "step": stage.step, "round": stage.round, "first_day": first,
        "last_day": first + (random.choice((days, days, 3)) - 1) * DAY, "complaint_line": "0564-1234567",
        "count": waiting[0]["n"],
    }  # fmt: skip


def meddle_with_rating(county: SimulatedCounty, random: Random) -> None:
    """Somebody takes a step of a rating, whoever may and whichever is due."""
    rows = county.rows("SELECT * FROM rating.assessment ORDER BY number")
    if rows:
        row = random.choice(rows)
        decision = random.choice(("approve", "refuse", "send_back"))
        record = {
            "region": row["region"], "step": random.choice((row["stage"] or "county_review", "township_review")),
            "borrower": "household", "borrower_no": random.choice((None, row["borrower_no"])),
            "count": random.randint(1, 3), "consents": None, "decision": decision,
            "back_to": "collect" if decision == "send_back" else None,
            "reason": None if decision == "approve" else "不实",
        }  # fmt: skip
        member = random.choice(list(county.keys))
        county.act(random, "rating_step", member, person=random.choice(PEOPLE), **record)


def object_to(county: SimulatedCounty, random: Random) -> None:
    """Somebody objects to a rating, or an objection is answered."""
    open_ones = county.rows("SELECT objection_no FROM rating.objection WHERE answered_on IS NULL ORDER BY 1")
    if open_ones and random.random() < 0.6:
        record = {"objection_no": open_ones[0]["objection_no"], "upheld": random.choice(("yes", "no"))}
        county.act(random, "rating_answer", "TOWN1", person=HEAD, answer="经核实", **record)
    else:
        number = random.choice(list(county.truth.households))
        record = {"objection_no": county.new_number("O"), "borrower": "household", "borrower_no": number}
        county.act(random, "rating_objection", "VILL1", person=CLERK, reason="收入不实", **record)


def find(county: SimulatedCounty, random: Random) -> None:
    """A township finds what a borrower did, or a bank puts him on the blacklist, or ends that."""
    number, today = random.choice(list(county.truth.households)), county.clock.today()
    known = {"borrower": "household", "borrower_no": number}
    if random.random() < 0.5:
        deed = random.choice(("right_use", "wrong_use", "false_claim"))
        known |= {"reference": county.new_number("D"), "deed": deed}
        county.act(random, "borrower_deed", "TOWN1", institution=None, loan_no=None, **known)
    else:
        ended = random.random() < 0.5
        malicious = random.choice(("yes", "no"))
        known |= {"entry_no": f"B{number}", "malicious": malicious, "from_date": today, "reason": "逃废债务"}
        county.act(random, "blacklist_entry", "RCB01", until_date=today if ended else None, **known)


def set_line(county: SimulatedCounty, random: Random) -> None:
    """A bank sets the line of a borrower."""
    today = county.clock.today()
    record = {
        "borrower": "household", "borrower_no": random.choice(list(county.truth.households)),
        "amount": random.choice(("30000.00", "50000.00", "100000.00")), "from_date": today,
        "until_date": today + 365 * DAY,
    }  # fmt: skip
    county.act(random, "credit_line", random.choice(("RCB01", "PSB01")), **record)


def set_collective(county: SimulatedCounty, random: Random) -> None:
    """A township assesses a village's credit and its leaders' work."""
    marks = ("good", "fair", "poor")
    record = {"region": VILLAGE_OF["VILL1"], "credit": random.choice(marks), "committee": random.choice(marks)}
    county.act(random, "collective_credit", "TOWN1", **record)


ACTS = {
    "file_groups": (0, file_groups),
    "collect": (4, collect),
    "rate_on": (8, rate_on),
    "meddle_with_rating": (2, meddle_with_rating),
    "object_to": (2, object_to),
    "find": (2, find),
    "set_line": (2, set_line),
    "set_collective": (1, set_collective),
}
