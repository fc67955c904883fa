"""One judgement: the case, the policy, and what was found so far."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from huilian.policy.eligibility.case import REASONS
from huilian.policy.facts import FACTS
from huilian.policy.reading import Reason, step_takes
from huilian.policy.tables import MissingFactError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from huilian.policy.eligibility.case import EligibilityCase
    from huilian.policy.policies import Entry, Policy, Product
    from huilian.policy.reading import Reading
    from huilian.policy.tables import Row

__all__ = ["Judgement", "needed"]


_TITLES: Final = MappingProxyType({"purpose": "贷款用途", "existing_loans": "已有贷款"})
"""Of keys that are neither facts nor conditions."""


class Judgement:
    """One judgement: the case, the policy, and what was found so far."""

    def __init__(self, policy: Policy, product: Product, case: EligibilityCase, reading: Reading) -> None:
        self.policy = policy
        self.product = product
        self.case = case
        self.reading = reading
        self.reasons: list[Reason] = []
        self.to_be_shown: list[Reason] = []
        self.consequences: list[Reason] = []
        self.steps: list[Mapping[str, Any]] = []
        self.situation: dict[str, Any] = {
            "signed": case.date,
            "borrower": case.borrower,
            "household_kind": case.household_kind,
            "score": case.score,
            "age": case.age,
            "term": case.term,
            "amount": case.amount,
            "rate": case.annual_rate_percent,
            "bank": case.institution,
            "debt_ratio": case.debt_ratio_percent,
            "households_led": case.households_led,
            "region_list": policy.vocabulary.region_list_of(case.region),
            "county_kind": policy.county_kind,
        }
        if case.grade != "":
            self.situation["grade"] = case.grade

    def against(self, code: str, clause: str = "", *, more: str = "", about: str = "") -> None:
        """Note a reason, once."""
        if all((each.code, each.about) != (code, about) for each in self.reasons):
            self.reasons.append(Reason(code, REASONS[code][0] + more, clause, about))

    def not_shown(self, fact: str) -> None:
        """Note that the case does not give a fact."""
        self.against("not_shown", more=f"：{_title(fact)}", about=fact)

    def found(self, code: str, told: bool | str, clause: str) -> None:  # noqa: FBT001  # what the case says
        """Note a reason that the case itself says; a text says more."""
        self.steps.append({"check": code, "met": False, "source": clause})
        self.against(code, clause, more=f"：{told}" if isinstance(told, str) else "")

    @property
    def on_the_day(self) -> dict[str, Any]:
        """Return the facts with the day of the application as that of the event."""
        return {**self.situation, "event": self.case.date}

    @property
    def request(self) -> Entry | None:
        """Return the step by which such a borrower asks for a loan, None where the policy has none."""
        steps = self.product.lists.get("application_steps", ())
        return next((each for each in steps if step_takes(each) == "request" and each.may_hold(self.known)), None)

    @property
    def known(self) -> dict[str, Any]:
        """Return the facts that the case gives."""
        return {fact: value for fact, value in self.situation.items() if value is not None}

    def limit(self, rule: str) -> Row | None:
        """Return the row of a limit, None where there is none."""
        row = self.reading.row(f"lending.{rule}", self.situation)
        return None if row is None or row.value is None else row

    def hold(self, row: Row, given: Any, *, met: bool, code: str, more: str = "") -> None:  # noqa: ANN401  # any fact
        """Note a check, and the reason where a limit is not met."""
        rule = row.rule.rpartition(".")[2]
        self.steps.append({"check": rule, "given": str(given), "met": met, "source": row.source})
        if not met:
            self.against(code, row.source, more=more)

    def entries(self, name: str, *, naming: str = "") -> Iterator[Entry]:
        """Yield the entries of a list that hold; one that depends on a fact nobody gives is to be shown."""
        for entry in self.product.lists.get(name, ()):
            if naming and naming not in entry.when:
                continue
            try:
                holds = entry.holds(self.situation)
            except MissingFactError as error:
                title = f"{entry['title'] or ''}（{_title(error.fact)}）"
                self.to_be_shown.append(Reason(entry["ground"] or entry["condition"], title, entry.source, error.fact))
                continue
            if holds:
                self.reading.use(entry)
                yield entry


def _title(fact: str) -> str:
    return FACTS[fact].title if fact in FACTS else _TITLES.get(fact, fact)


def needed(row: Row, fact: str, value: Any) -> Any:  # noqa: ANN401  # any fact
    """Return a fact that a rule asks for.

    Raises:
        MissingFactError: the case does not give it.
    """
    if value is None:
        raise MissingFactError(row.rule, fact)
    return value
