"""A county whose villages, township, office and banks rate households, each by persons of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from huilian.wire.envelope import Draft
from tests.support.carried_county import (
    BEGIN,
    CLERK,
    COUNTY,
    DAY,
    DEPUTY,
    HEAD,
    MEMBERS,
    OTHER_VILLAGE,
    TOWNSHIP,
    VILLAGE,
    CarriedCounty,
    members,
    policy_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from huilian.wire.envelope import Message

__all__ = [
    "BEGIN",
    "CLERK",
    "COUNTY",
    "DAY",
    "DEPUTY",
    "HEAD",
    "MEMBERS",
    "OTHER_VILLAGE",
    "TOWNSHIP",
    "VILLAGE",
    "RatingCounty",
    "claim",
    "deed",
    "household",
    "indicators",
    "loan",
    "members",
    "policy",
    "policy_file",
]


class RatingCounty(CarriedCounty):
    """A county with two villages, their township and two banks."""

    policy: ClassVar[str] = "rated"

    # -- what is collected -------------------------------------------------------------------------------------------

    def submission(
        self, rows: Iterable[dict[str, Any]], *, member: str = "VILL1", number: int = 0, part_rows: int = 10_000
    ) -> list[Message]:
        """Seal a file of indicators: its manifest and its batches."""
        parts = {"rating_indicators": [{"line": line} | row for line, row in enumerate(rows, start=3)]}
        more = {"file_name": "评级指标.xlsx", "number": number, "part_rows": part_rows}
        return self.seal_submission(member, "rating_indicators", parts, **more)

    def collect(
        self, rows: Iterable[dict[str, Any]], *, member: str = "VILL1", number: int = 0, enrolled: bool = True
    ) -> dict[str, Any]:
        """Send a file of indicators of whom the roster has, unless it is said otherwise; return its receipt."""
        rows = list(rows)
        if enrolled:
            self.enrol(rows)
        return self.submit(self.submission(rows, member=member, number=number))

    def enrol(self, rows: Iterable[dict[str, Any]]) -> None:
        """Have the households of whom the roster says nothing there, of no kind."""
        homes = {row["borrower_no"]: row["village"] for row in rows if row["borrower"] == "household"}
        with self.transaction() as transaction:
            transaction.execute(
                "INSERT INTO rating.household_change (household_no, region, category, n)"
                " SELECT number, village, '', 1 FROM unnest(%s::text[], %s::text[]) AS home (number, village)"
                " WHERE NOT EXISTS (SELECT FROM rating.household_change WHERE household_no = number)",
                [list(homes), list(homes.values())],
            )

    def state(self, row: dict[str, Any], *, member: str = "VILL1") -> str | None:
        """Send one record of indicators by itself, of whom the roster has; return the code of a refusal."""
        self.enrol([row])
        body = json.dumps({"line": 1} | row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        draft = Draft("rating_indicators", "rating_indicators/v1", member, body, bulk=True)
        return self.deliver(self.seal(member, draft))

    def run_calendar(self, days: int = 0) -> None:
        """Let days pass, and the calendar's work be done."""
        self.run_jobs("rating", days)

    # -- what stands -------------------------------------------------------------------------------------------------

    def states(self, borrower_no: str) -> list[str]:
        """Return the states of a borrower's assessments, oldest first."""
        rows = self.rows("SELECT state FROM rating.assessment WHERE borrower_no = %s ORDER BY number", [borrower_no])
        return [row["state"] for row in rows]

    def stage(self, borrower_no: str) -> str | None:
        """Return where a borrower's newest assessment stands."""
        rows = self.rows("SELECT stage FROM rating.assessment WHERE borrower_no = %s ORDER BY number", [borrower_no])
        stage: str | None = rows[-1]["stage"]
        return stage

    # -- the whole way -----------------------------------------------------------------------------------------------

    def file_groups(self) -> None:
        """File the working groups of the village and the township."""
        for member in ("VILL1", "VILL2", "TOWN1"):
            group = {"region": MEMBERS[member][1], "members": 5, "representatives": 2, "plan": "评级方案1号"}
            assert self.send("rating_group", member, person=CLERK, **group) is None

    def step(self, member: str, step: str, count: int = 1, **fields: Any) -> str | None:  # noqa: ANN401
        """Decide a step, by default approve it for all of the member's region; return the code of a refusal."""
        record = {
            "region": COUNTY if member == COUNTY else MEMBERS[member][1] or COUNTY, "step": step,
            "borrower": "household", "borrower_no": None, "count": count, "consents": None, "decision": "approve",
            "back_to": None, "reason": None,
        }  # fmt: skip
        return self.send("rating_step", member, **record | fields)

    def post(self, count: int = 1, step: str = "county_review", **fields: Any) -> str | None:  # noqa: ANN401
        """Post what waits in the village, from today for seven days; return the code of a refusal."""
        first = self.clock.today()
        record = {
            "region": VILLAGE, "step": step, "round": 1, "first_day": first, "last_day": first + 6 * DAY,
            "complaint_line": "0564-1234567", "count": count,
        }  # fmt: skip
        return self.send("rating_posting", COUNTY, **record | fields)

    def object_to(self, number: str, borrower_no: str = "H1", **fields: Any) -> str | None:  # noqa: ANN401
        """Object to a posted rating; return the code of a refusal."""
        record = {"objection_no": number, "borrower": "household", "borrower_no": borrower_no, "reason": "收入不实"}
        return self.send("rating_objection", "VILL1", **{"person": CLERK} | record | fields)

    def answer(self, number: str, upheld: str, **fields: Any) -> str | None:  # noqa: ANN401
        """Answer an objection; return the code of a refusal."""
        return self.send("rating_answer", "TOWN1", objection_no=number, upheld=upheld, answer="经核实", **fields)

    def rate(self, *households: str) -> None:
        """Bring households of the village into force."""
        self.collect([indicators(each) for each in households])
        self.file_groups()
        count = len(households)
        assert self.step("VILL1", "village_review", count) is None
        assert self.step("TOWN1", "township_review", count) is None
        assert self.step(COUNTY, "county_review", count) is None
        assert self.post(count) is None
        self.run_calendar(7)
        assert [self.states(each)[-1] for each in households] == ["active"] * count


def indicators(borrower_no: str, points: str = "credit=80;income=70;labour=90", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what a village states of a household."""
    return {
        "source": "village", "borrower": "household", "borrower_no": borrower_no, "village": VILLAGE,
        "kind": "ordinary", "applicant_age": 40, "indicators": points, "exclusions": "none",
        "collected_on": "2024-03-01", "person": CLERK,
    } | fields  # fmt: skip


def household(borrower_no: str, category: str | None, before: str | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return how the registry tells that a household is on the roster, is of another kind, or is there no more."""

    def state(kind: str | None) -> dict[str, Any] | None:
        return kind and {"region": VILLAGE, "category": kind, "household_size": 4, "annual_income": "20000.00"} | more

    known = {"household_no": borrower_no, "as_of": "2024-03-01", "until": None}
    return known | {"before": state(before), "after": state(category), "line": 2}


def loan(borrower_no: str, loan_no: str, before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
    """Return how the registry tells what became of a loan: what is not said is of a sound one."""
    sound = {
        "household_no": borrower_no, "region": VILLAGE, "product": "A", "principal": "50000.00",
        "balance": "50000.00", "annual_rate_percent": "4.35", "start_date": "2024-03-11", "due_date": "2025-03-11",
        "settled_date": None, "five_tier_class": "normal", "overdue_days": 0, "overdue_principal": "0.00",
        "overdue_interest": "0.00", "status": "normal",
    }  # fmt: skip
    states = {"before": before if before is None else sound | before, "after": sound | after}
    return {"institution": "RCB01", "loan_no": loan_no, "as_of": "2024-04-30", "until": None} | states | {"line": 2}


def claim(number: str, loan_no: str, **state: str) -> dict[str, Any]:
    """Return how an insurer's claim of a loan is told, which force majeure struck."""
    after = {"policy_no": f"P-{number}", "loan_no": loan_no, "event_date": "2024-03-01", "force_majeure": "yes"}
    after |= {"status": "surveying", "amount": "0.00", "paid_date": None} | state
    known = {"insurer": "INS01", "claim_no": number, "as_of": "2024-03-01", "until": None}
    return known | {"before": None, "after": after, "line": 2}


def policy(number: str, household_no: str = "H1") -> dict[str, Any]:
    """Return how the policy of a claim is told."""
    known = {"insurer": "INS01", "policy_no": f"P-{number}", "as_of": "2024-03-01", "until": None}
    after = {"household_no": household_no, "loan_no": None, "start_date": "2024-01-01", "end_date": "2025-01-01"}
    return known | {"before": None, "after": after, "line": 2}


def deed(reference: str, deed: str, **fields: str) -> dict[str, Any]:
    """Return what was found of a borrower."""
    loan_of = {"institution": None, "loan_no": None}
    return {"reference": reference, "borrower": "household", "borrower_no": "H1", "deed": deed} | loan_of | fields
