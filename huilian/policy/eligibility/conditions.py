"""Conditions of a loan and grounds against it, as far as the facts of a case show them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from huilian.policy.reading import Reason
from huilian.policy.structure import CONDITIONS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from huilian.policy.eligibility.case import EligibilityCase
    from huilian.policy.eligibility.judgement import Judgement
    from huilian.policy.policies import Entry, Policy

__all__ = ["barred", "bars_for_good", "conditions", "exclusions"]


_GUARANTOR: Final = "guarantor"


def conditions(judgement: Judgement) -> None:
    """Check each condition of the loan; one that nobody shows is to be shown."""
    for entry in judgement.entries("lending.conditions"):
        code = entry["condition"]
        name = entry["name"] or code
        met = judgement.case.shown.get(name)
        if met is None and code in _FOUND:
            met = _FOUND[code](judgement, entry)
        judgement.steps.append({"check": name, "met": met, "source": entry.source})
        title = entry["title"] or CONDITIONS[code]
        if met is None:
            judgement.to_be_shown.append(Reason(name, title, entry.source))
        elif not met:
            judgement.reasons.append(Reason(name, f"不满足：{title}", entry.source))


def exclusions(judgement: Judgement) -> None:
    """Check the grounds that were found, and those that the case shows itself."""
    case, situation = judgement.case, judgement.situation
    found = judgement.reading.exclusions("lending.exclusions", case.exclusions, situation)
    for entry in judgement.entries("lending.exclusions", naming="debt_ratio"):
        # The ratio itself is the ground.
        if entry not in found:
            found.append(entry)
    for entry in found:
        judgement.steps.append({"check": entry["ground"], "met": False, "source": entry.source})
        judgement.reasons.append(Reason(entry["ground"], entry["title"], entry.source))


_BARRING: Final = MappingProxyType(
    {
        "default": ("defaulted_ever", "no_default_ever"),
        "malicious_default": ("blacklisted_maliciously", "not_blacklisted_maliciously"),
    }
)
"""By what bars from new loans for good: the fact of a case that says it, and the condition that it breaks."""


def bars_for_good(policy: Policy, after: str) -> bool:
    """Return whether a policy bars from new loans for good after something that a borrower did."""
    return any(map(_bars, (each for each in _consequences(policy) if each["after"] == after)))


def _consequences(policy: Policy) -> tuple[Entry, ...]:
    return policy.general.lists.get("consequences", ())


def _bars(consequence: Entry) -> bool:
    return consequence["how"] == "barred_for_good" and "new_loans" in consequence["changes"]


def barred(judgement: Judgement) -> None:
    """Check whether a consequence bars the borrower from new loans for good, where no condition says so already."""
    shown = judgement.case.shown
    found = {after: code for after, (fact, code) in _BARRING.items() if shown.get(fact)}
    for entry in _consequences(judgement.policy) if found else ():
        code = found.get(entry["after"], "")
        told = any(each.code in {code, "not_blacklisted"} for each in judgement.reasons)
        if code and _bars(entry) and not told and entry.holds(judgement.on_the_day):
            judgement.reading.use(entry)
            judgement.steps.append({"check": code, "met": False, "source": entry.source})
            judgement.reasons.append(Reason(code, f"不满足：{CONDITIONS[code]}", entry.source))


def _known(fact: Any, met: Callable[[Any], object]) -> bool | None:  # noqa: ANN401  # any fact
    return None if fact is None else bool(met(fact))


def _on_roster(case: EligibilityCase, day: dt.date) -> bool | None:
    if case.roster_since is None:
        return None
    return case.roster_since <= day and (case.roster_until is None or day < case.roster_until)


def _in_region_list(judgement: Judgement, entry: Entry) -> bool | None:
    lists = judgement.policy.vocabulary.region_lists
    codes = tuple(code for name in lists if entry["list"] in {None, name} for code in lists[name])
    region = judgement.case.region
    if region is None or region.startswith(codes):
        return None if region is None else True
    # Of a wide region, a part may be on the list.
    return None if any(code.startswith(region) for code in codes) else False


def _rated(judgement: Judgement, _: Entry) -> bool | None:
    case = judgement.case
    if case.grade or (case.score is not None and not judgement.policy.vocabulary.grades):
        return True
    return False if case.grade is None else None


def _not_blacklisted(judgement: Judgement, _: Entry) -> bool | None:
    shown = judgement.case.shown
    if shown.get("blacklisted_maliciously"):
        return False
    return None if "blacklisted" not in shown else not shown["blacklisted"]


def _not_blacklisted_maliciously(judgement: Judgement, _: Entry) -> bool | None:
    shown = judgement.case.shown
    if "blacklisted_maliciously" in shown:
        return not shown["blacklisted_maliciously"]
    return True if shown.get("blacklisted") is False else None


def _no_open_default(judgement: Judgement, _: Entry) -> bool | None:
    return _known(judgement.case.existing_loans, lambda loans: not any(loan.overdue_days for loan in loans))


def _no_default_ever(judgement: Judgement, entry: Entry) -> bool | None:
    if "defaulted_ever" in judgement.case.shown:
        return not judgement.case.shown["defaulted_ever"]
    # Loans of today say nothing of earlier ones.
    return False if _no_open_default(judgement, entry) is False else None


# A monitored household may be registered, or not.
_REGISTERED: Final = {"poor": True, "out_of_poverty": True, "marginal": False, "ordinary": False}


def _programme_scale(judgement: Judgement, entry: Entry) -> bool | None:
    case = judgement.case
    if case.programme_balance is None or case.amount is None or entry["amount"] is None:
        return None
    return bool(case.programme_balance + case.amount <= entry["amount"])


_FOUND: Final[Mapping[str, Callable[[Judgement, Entry], bool | None]]] = MappingProxyType(
    {
        "no_collateral": lambda judgement, _: set(judgement.case.collateral) <= {_GUARANTOR, "none"},
        "no_guarantor": lambda judgement, _: _GUARANTOR not in judgement.case.collateral,
        "on_roster": lambda judgement, _: _on_roster(judgement.case, judgement.case.date),
        "on_roster_of_day": lambda judgement, entry: _on_roster(judgement.case, entry["day"] or judgement.case.date),
        "in_region_list": _in_region_list,
        "rated": _rated,
        "not_blacklisted": _not_blacklisted,
        "not_blacklisted_maliciously": _not_blacklisted_maliciously,
        "no_open_default": _no_open_default,
        "no_default_ever": _no_default_ever,
        "registered_poor": lambda judgement, _: _REGISTERED.get(judgement.case.household_kind or ""),
        "of_household_kind": lambda judgement, entry: _known(
            judgement.case.household_kind, (entry["kinds"] or ()).count
        ),
        "leads_households": lambda judgement, _: _known(judgement.case.households_led, bool),
        "programme_scale": _programme_scale,
        "programme_end": lambda judgement, entry: None if entry["day"] is None else judgement.case.date <= entry["day"],
    }
)
"""Conditions that other facts of a case show, where the case does not say itself whether they are met."""
