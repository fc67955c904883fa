"""The states of a case as data, and the order in which the policy has it decided, paid and collected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core.error_texts import Bilingual
from huilian.county.procedure.state_machine import Machine, Move
from huilian.policy.reading import Reading
from schemas.compensations import CASE_STATE

if TYPE_CHECKING:
    from huilian.policy.policies import Entry, Policy, Product
    from huilian.policy.values import Duration

__all__ = ["CASE", "COLLECTION", "OPEN", "PAYMENT", "REVIEW", "Path", "Stage", "path"]

OPEN: Final = ("in_review", "returned", "approved", "paid", "recovered", "written_off")
"""The states in which a loan has its case: no other is entered for it."""

CASE: Final = Machine(
    "case",
    CASE_STATE,
    (
        Move("resubmit", ("returned",), "in_review", "bank, station", "the same number, corrected"),
        Move("approve", ("in_review",), "in_review", "the step's member", "its needs; another review follows"),
        Move("approve_last", ("in_review",), "approved", "the step's member", "insurers have decided; shares are due"),
        Move("approve_settled", ("in_review",), "paid", "the step's member", "nothing is left that others bear"),
        Move("send_back", ("in_review",), "in_review", "the step's member", "a reason, a step the policy lets"),
        Move("return", ("in_review",), "returned", "the step's member", "a reason, the request"),
        Move("refuse", ("in_review",), "refused", "the step's member, policy", "a reason"),
        Move("share_again", ("approved",), "approved", "insurer, bank", "paid or recovered before anybody paid"),
        Move("settle", ("approved",), "paid", "insurer, bank", "nothing is left that others bear"),
        Move("pay", ("approved",), "approved", "a party", "its share, or a part of it"),
        Move("pay_last", ("approved",), "paid", "a party", "all shares are paid"),
        Move("take_back_payment", ("approved", "paid", "recovered"), "approved", "fund", "the payment is reversed"),
        Move("recover", ("approved",), "approved", "bank, insurer", "what came back is shared"),
        Move("recover", ("paid", "recovered"), "paid", "bank, insurer", "what came back is shared"),
        Move("recover", ("written_off",), "written_off", "bank, insurer", "what came back is shared"),
        Move("recover_all", ("paid", "recovered"), "recovered", "bank, insurer", "all that was made good came back"),
        Move("write_off", ("paid",), "written_off", "fund", "somebody else approves it"),
        Move("take_back_write_off", ("written_off",), "paid", "fund", "the write-off is reversed"),
    ),
)
"""What may become of a case; it begins when compensation is asked for."""

REQUEST, REVIEW, PAYMENT, COLLECTION = "request", "review", "payment", "collection"
_ASKING: Final = frozenset({"household", "enterprise", "bank", "system"})


@dataclass(frozen=True)
class Stage:
    """One place in the order.

    Args:
        name: of the step.
        title: what people call it.
        takes: what it is: request, review, payment or collection.
        by: kinds of member that may take it; empty: any.
        needs: what it needs.
        evidence: the papers that it asks for.
        within: how long it may take.
        back_to: the steps to which it may be sent back.
        clause: where the plan says so.
    """

    name: str
    title: str
    takes: str
    by: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    within: Duration | None = None
    back_to: tuple[str, ...] = ()
    clause: str = ""

    @property
    def called(self) -> Bilingual:
        """Return what people call it; in English by its code, as records name it."""
        return Bilingual(self.title, self.name)


_REQUEST: Final = Stage("apply", "申请风险补偿", REQUEST)
_APPROVAL: Final = Stage("county_approval", "县级核定", REVIEW, ("county",), ("four_eyes",))
_PAYMENT: Final = Stage("pay", "拨付", PAYMENT, ("county", "finance"))
"""What every order has, where the policy does not say it."""


@dataclass(frozen=True)
class Path:
    """The stages of a case in order: a request, reviews, the payment, the collection."""

    stages: tuple[Stage, ...]

    def place(self, name: str | None) -> int | None:
        """Return the place of a stage; None where the policy does not have it."""
        return next((place for place, stage in enumerate(self.stages) if stage.name == name), None)

    def first(self, takes: str) -> Stage | None:
        """Return the first stage that is one of these."""
        return next((stage for stage in self.stages if stage.takes == takes), None)

    def is_last_review(self, place: int) -> bool:
        """Return whether no review follows a place."""
        return all(stage.takes != REVIEW for stage in self.stages[place + 1 :])

    def called(self, name: str | None) -> Bilingual | str:
        """Return what people call a step; its code where the policy does not have it."""
        place = self.place(name)
        return name or "-" if place is None else self.stages[place].called


def path(policy: Policy, product: Product | None, situation: dict[str, Any]) -> Path:
    """Return the stages of a case: a plan that names no request, approval or payment has one all the same.

    Raises:
        MissingFactError: the policy asks for a fact that the situation does not give.
    """
    entries = [] if product is None else Reading(policy, product).entries("compensation_steps", situation)
    found = [_stage(entry, is_first=not place) for place, entry in enumerate(entries)]
    kinds = {takes: [stage for stage in found if stage.takes == takes] for takes in (REQUEST, REVIEW, PAYMENT)}
    return Path(
        (
            *(kinds[REQUEST][:1] or [_REQUEST]),
            *(kinds[REVIEW] or [_APPROVAL]),
            *(kinds[PAYMENT][:1] or [_PAYMENT]),
            *(stage for stage in found if stage.takes == COLLECTION),
        )
    )


def _stage(entry: Entry, *, is_first: bool) -> Stage:
    by = tuple(entry["by"])
    asks = is_first and set(by) <= _ASKING
    return Stage(
        entry["step"],
        entry["title"],
        entry["takes"] or (REQUEST if asks else REVIEW),
        tuple(kind for kind in by if kind not in {"household", "enterprise", "system"}),
        tuple(entry["needs"] or ()),
        tuple(entry["evidence"] or ()),
        entry["within"],
        tuple(entry["back_to"] or ()),
        entry.source,
    )
