"""The states of an application as data, and the order in which the policy has it decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core.error_texts import Bilingual
from huilian.county.procedure.state_machine import Machine, Move
from huilian.policy.reading import Reading, step_takes
from schemas.applications import APPLICATION_STATE

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from huilian.policy.policies import Entry, Policy, Product
    from huilian.policy.values import Duration

__all__ = ["APPLICATION", "BARE", "BEFORE_LOAN", "OPEN", "Case", "Path", "Paths", "Stage", "path", "titles"]

_DECIDED: Final = ("in_review", "confirmed")
BEFORE_LOAN: Final = ("in_review", "returned", "pending", "confirmed")
"""The states from which an application lapses."""
OPEN: Final = (*BEFORE_LOAN, "lent")
"""The states in which something is due still."""

APPLICATION: Final = Machine(
    "application",
    APPLICATION_STATE,
    (
        Move("resubmit", ("returned",), "in_review", "station, bank", "the same number, corrected"),
        Move("approve", ("in_review",), "in_review", "the step's member", "its needs; another review follows"),
        Move("approve_to_reserve", ("in_review",), "pending", "the step's member", "eligible still, all is shown"),
        Move("approve_last", ("in_review",), "confirmed", "the step's member", "the fund holds, the loan is due"),
        Move("reserve", ("pending",), "in_review", "fund", "it has room; another review follows"),
        Move("confirm", ("pending",), "confirmed", "fund", "it has room; the loan is due"),
        Move("fund_refuses", ("pending",), "in_review", "fund", "no room: who asked decides anew"),
        Move("fund_returns", ("pending",), "returned", "fund", "no room, and nobody reviews"),
        Move("send_back", _DECIDED, "in_review", "the step's member", "a reason, a step the policy lets"),
        Move("return", _DECIDED, "returned", "the step's member", "a reason, the request"),
        Move("refuse", _DECIDED, "refused", "the step's member", "a reason"),
        Move("withdraw", BEFORE_LOAN, "withdrawn", "station, bank, county", "a reason"),
        Move("lapse", BEFORE_LOAN, "expired", "calendar", "its validity is over"),
        # It may have begun before the confirmation lapsed.
        Move("lend", ("confirmed", "expired"), "lent", "ledger", "a loan on it; a cover is due"),
        Move("lend_last", ("confirmed", "expired"), "completed", "ledger", "a loan on it; nothing else is due"),
        Move("lend_another", ("lent",), "lent", "ledger", "an earlier loan, come later"),
        Move("lend_another_last", ("completed",), "completed", "ledger", "an earlier loan, come later"),
        Move("take_back", ("lent", "completed"), "confirmed", "ledger", "a correction that lacks the loan"),
        Move("cover", ("lent",), "lent", "insurer", "a policy; another cover is due"),
        Move("cover_last", ("lent",), "completed", "insurer", "a policy; nothing else is due"),
    ),
)
"""What may become of an application; it begins when it is submitted."""

_BORROWERS: Final = {"household", "enterprise", "system"}
REQUEST, REVIEW, CONFIRMATION, LOAN, COVER = "request", "review", "confirmation", "loan", "cover"


@dataclass(frozen=True)
class Case:
    """What the order of steps may depend on: the household's kind is None for an enterprise."""

    borrower: str
    household_kind: str | None
    applied: dt.date
    amount: Decimal

    @property
    def situation(self) -> dict[str, Any]:
        """Return it as facts of a policy."""
        return {
            "borrower": self.borrower,
            "household_kind": self.household_kind,
            "signed": self.applied,
            "amount": self.amount,
        }


@dataclass(frozen=True)
class Stage:
    """One place in the order.

    Args:
        name: of the step.
        title: what people call it.
        takes: what it is: request, review, confirmation, loan or cover.
        by: kinds of member that may take it; empty: any.
        needs: what it needs.
        within: how long it may take.
        back_to: the steps to which it may be sent back.
        clause: where the plan says so.
    """

    name: str
    title: str
    takes: str
    by: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    within: Duration | None = None
    back_to: tuple[str, ...] = ()
    clause: str = ""

    @property
    def called(self) -> Bilingual:
        """Return what people call it; in English by its code, as records name it."""
        return Bilingual(self.title, self.name)

    @property
    def is_reviewed(self) -> bool:
        """Return whether people decide it."""
        return self.takes in {REVIEW, CONFIRMATION}


_REQUEST: Final = Stage("apply", "申请", REQUEST)
_LOAN: Final = Stage("lend", "放款", LOAN)
"""What every order has, where the policy does not say it."""


@dataclass(frozen=True)
class Path:
    """The stages of an application in order: a request, reviews, the loan, covers."""

    stages: tuple[Stage, ...]

    def called(self, name: str) -> str:
        """Return what people call a step; its code where the policy does not have it."""
        place = self.place(name)
        return name if place is None else self.stages[place].called

    def place(self, name: str | None) -> int | None:
        """Return the place of a stage; None where the policy has it no more."""
        return next((place for place, stage in enumerate(self.stages) if stage.name == name), None)

    @property
    def asks_at(self) -> int:
        """Return the place after which the fund is asked: the confirmation, or the last review, or the request."""
        reviewed = [place for place, stage in enumerate(self.stages) if stage.is_reviewed]
        confirmation = next((place for place in reviewed if self.stages[place].takes == CONFIRMATION), None)
        return confirmation if confirmation is not None else max(reviewed, default=0)

    def after_loan(self, place: int, move: str) -> tuple[str, str | None]:
        """Return the move by which the loan or a cover at a place is there, and the stage that is due then."""
        following = self.stages[place + 1].name if place + 1 < len(self.stages) else None
        return (move if following else f"{move}_last"), following


BARE: Final = Path((_REQUEST, _LOAN))
"""The order where the policy has the product no more."""


def path(policy: Policy, product: Product, case: Case) -> Path:
    """Return the stages of an application.

    A plan that names no request, or no loan, has one all the same: the first and the last before the covers.

    Raises:
        MissingFactError: the policy asks for a fact that the case does not give.
    """
    entries = Reading(policy, product).entries("application_steps", case.situation)
    found = [_stage(entry) for entry in entries]
    requests = [stage for stage in found if stage.takes == REQUEST][:1] or [_REQUEST]
    reviews = [stage for stage in found if stage.is_reviewed]
    loans = [stage for stage in found if stage.takes == LOAN][:1] or [_LOAN]
    covers = [stage for stage in found if stage.takes == COVER]
    return Path((*requests, *reviews, *loans, *covers))


def _stage(entry: Entry) -> Stage:
    by = tuple(kind for kind in entry["by"] if kind not in _BORROWERS)
    return Stage(
        entry["step"],
        entry["title"],
        step_takes(entry),
        by,
        tuple(entry["needs"] or ()),
        entry["within"],
        tuple(entry["back_to"] or ()),
        entry.source,
    )


def titles(policy: Policy) -> dict[tuple[str, str], str]:
    """Return what people call each step, by product and code."""
    return {
        (name, step): title
        for name, product in policy.products.items()
        for step, title in (
            *((each.name, each.title) for each in (_REQUEST, _LOAN)),
            *((entry["step"], entry["title"]) for entry in product.lists.get("application_steps", ())),
        )
    }


class Paths:
    """The paths of many applications, each made once for what it depends on."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Path] = {}
        self._facts: dict[int, tuple[str, ...]] = {}
        # By identity of what a policy file was read to: it is kept alive here.
        self._policies: dict[int, Policy] = {}

    def of(self, policy: Policy, product: Product, case: Case) -> Path:
        """Return the path of a case."""
        known = id(product)
        if known not in self._facts:
            entries = product.lists.get("application_steps", ())
            self._facts[known] = tuple(sorted({fact for entry in entries for fact in entry.when}))
            self._policies[known] = policy
        key = (known, *(case.situation.get(fact) for fact in self._facts[known]))
        if key not in self._known:
            self._known[key] = path(policy, product, case)
        return self._known[key]
