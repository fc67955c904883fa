"""The states of an assessment as data, and the order in which the policy has it reviewed and posted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.county.procedure.state_machine import Machine, Move
from huilian.policy.reading import Reading, step_takes

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal
    from typing import Any

    from huilian.policy.policies import Policy
    from huilian.policy.values import Duration

__all__ = [
    "ASSESSMENT", "OPEN", "UNDER_WAY", "Case", "Stage", "asks_consent_first", "bars_for_good", "path", "stage_named",
    "step_titles",
]  # fmt: skip

_COLLECTED: Final = ("incomplete", "collected")
UNDER_WAY: Final = ("in_review", "to_be_posted", "posted", "objected")
"""The states between the first approval and the end of the last posting."""
OPEN: Final = (*_COLLECTED, *UNDER_WAY)
"""The states in which nothing was decided for good."""

ASSESSMENT: Final = Machine(
    "rating",
    {
        "incomplete": "资料不全",
        "collected": "已采集",
        "in_review": "审核中",
        "to_be_posted": "待公示",
        "posted": "公示中",
        "objected": "有异议",
        "active": "有效",
        "refused": "不予评级",
        "expired": "已到期",
        "superseded": "已被取代",
        "withdrawn": "已取消",
    },
    (
        Move("collect", _COLLECTED, "collected", "station, county", "all indicators the policy weighs"),
        Move("lack", _COLLECTED, "incomplete", "station, county", "an indicator is missing"),
        Move("bar", (*_COLLECTED, *UNDER_WAY), "refused", "policy", "a ground, the age, the score; malicious default"),
        Move("approve", ("collected", "in_review"), "in_review", "the step's member", "four eyes, the count"),
        Move("approve_to_post", ("collected", "in_review"), "to_be_posted", "the step's member", "the last step first"),
        Move("approve_last", ("collected", "in_review"), "active", "the step's member", "no posting asked for"),
        Move("refuse", ("collected", "in_review"), "refused", "the step's member", "a reason"),
        Move("send_back", ("in_review",), "in_review", "the step's member", "a reason, a step the policy lets"),
        Move("return", ("in_review",), "collected", "the step's member", "a reason, the first step"),
        Move("post", ("to_be_posted",), "posted", "the step's member", "a window as long as the policy asks"),
        Move("object", ("posted", "objected"), "objected", "station, county", "within the window"),
        Move("dismiss", ("objected",), "posted", "station, county", "four eyes, no other objection open"),
        Move("uphold", ("objected",), "collected", "station, county", "four eyes, an answer"),
        Move("post_again", ("posted",), "to_be_posted", "calendar", "the window is over, another round follows"),
        Move("go_on", ("posted",), "in_review", "calendar", "the window is over, another step follows"),
        Move("activate", ("posted",), "active", "calendar", "the last window is over, no objection open"),
        Move("expire", ("active",), "expired", "calendar", "the validity is over"),
        Move("supersede", (*UNDER_WAY, "active"), "superseded", "newer assessment", "its approval"),
        Move("regrade", ("active",), "superseded", "policy", "repayment or default: another grade takes its place"),
        Move("withdraw", ("active",), "withdrawn", "policy", "a default or the blacklist"),
    ),
)
"""What may become of an assessment; it begins when indicators are collected."""


@dataclass(frozen=True)
class Case:
    """What the order of steps may depend on: the household's kind is None for an enterprise."""

    borrower: str
    household_kind: str | None
    collected_on: dt.date
    line: Decimal | None = None

    @property
    def situation(self) -> dict[str, Any]:
        """Return it as facts of a policy."""
        facts = {"borrower": self.borrower, "household_kind": self.household_kind, "amount": self.line}
        return facts | {"signed": self.collected_on, "event": self.collected_on}


@dataclass(frozen=True)
class Stage:
    """One place in the order.

    Args:
        name: of the step; of a posting with its round, "post.1".
        step: of the policy.
        by: kinds of member that may take it; empty: any station and the county.
        round: of a posting, from 1; 0 of a review.
        window: of a posting: how long.
        needs: what a review needs.
        back_to: the steps to which it may be sent back.
    """

    name: str
    step: str
    by: tuple[str, ...]
    round: int = 0
    window: Duration | None = None
    needs: tuple[str, ...] = ()
    back_to: tuple[str, ...] = ()

    @property
    def is_posting(self) -> bool:
        """Return whether it is a round of posting."""
        return self.round > 0


POSTING: Final = "posting"
"""The step that `rating.posting` makes where no step of the policy says when it is posted."""
_BORROWERS: Final = {"household", "enterprise", "system"}
_TITLES: Final = {
    "village_review": "村级评议", "township_review": "乡镇审查", "county_review": "县级审核", POSTING: "公示",
}  # fmt: skip
_LEVELS: Final = ("village", "township", "county")
"""Who reviews where the policy does not say: each level, from below."""


def path(policy: Policy, case: Case) -> tuple[Stage, ...]:
    """Return the reviews and postings of a case, in order.

    A step that says how long it is posted is posted after its review, in as many rounds as it says. Where none does,
    the rounds of `rating.posting` come before the first step that needs a posting, or else last.

    Raises:
        MissingFactError: the policy asks for a fact that the case does not give.
    """
    reading = Reading(policy, None)
    entries = reading.entries("rating.steps", case.situation)
    reviews = [entry for entry in entries if step_takes(entry) in ("review", "posting")]
    says_when = any(entry["posted"] or step_takes(entry) == "posting" for entry in reviews)
    window = reading.value("rating.posting", case.situation)
    rounds = int(reading.value("rating.posting_rounds", case.situation, 1) or 1)
    general = [] if says_when or window is None else _rounds(POSTING, (), window, rounds)
    stages: list[Stage] = []
    if not any(step_takes(entry) == "review" for entry in reviews):
        stages += [Stage(f"{level}_review", f"{level}_review", (level,)) for level in _LEVELS]
    for entry in reviews:
        needs = tuple(entry["needs"] or ())
        if "posting" in needs and general:
            stages += general
            general = []
        by = tuple(kind for kind in entry["by"] if kind not in _BORROWERS)
        if step_takes(entry) == "review":
            stages.append(Stage(entry["step"], entry["step"], by, needs=needs, back_to=tuple(entry["back_to"] or ())))
        if entry["posted"] or step_takes(entry) == "posting":
            stages += _rounds(entry["step"], by, entry["posted"] or window, entry["rounds"] or rounds)
    return (*stages, *general)


def step_titles(policy: Policy) -> dict[str, str]:
    """Return what people call each step, also those that a policy has which says nothing of steps."""
    return _TITLES | {entry["step"]: entry["title"] for entry in policy.general.lists.get("rating.steps", ())}


def asks_consent_first(policy: Policy, case: Case) -> bool:
    """Return whether the policy's order begins with a request by which the borrower consents to inquiry."""
    entries = Reading(policy, None).entries("rating.steps", case.situation)
    first = next(iter(entries), None)
    return first is not None and step_takes(first) == "request" and "consent" in (first["needs"] or ())


def _rounds(step: str, by: tuple[str, ...], window: Duration | None, rounds: int) -> list[Stage]:
    return [Stage(f"{step}.{number}", step, by, number, window) for number in range(1, rounds + 1)]


def stage_named(stages: tuple[Stage, ...], name: str | None) -> int | None:
    """Return the place of a stage in an order; None where the policy has it no more."""
    return next((place for place, stage in enumerate(stages) if stage.name == name), None)


_BARRED: Final = frozenset({"rating", "grade", "support", "new_loans", "blacklist"})
"""Whoever is barred from one of these for good is not rated again."""


def bars_for_good(policy: Policy) -> bool:
    """Return whether a malicious default bars a borrower for good, even after its entry of the blacklist ended."""
    return any(
        entry["after"] == "malicious_default" and entry["how"] == "barred_for_good" and _BARRED & set(entry["changes"])
        for entry in policy.general.lists.get("consequences", ())
    )
