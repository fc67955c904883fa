"""What a policy says of the way from a computed subsidy to its payment: who acts, how long it is posted, by when."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.policy.reading import Reading
from huilian.policy.structure import FILERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from huilian.county.context import Context
    from huilian.policy.policies import Entry
    from huilian.policy.values import Duration, Window
    from huilian.policy.working_days import WorkingDays

__all__ = ["DAY", "Procedure", "Procedures"]

DAY: Final = dt.timedelta(days=1)
_FILING, _REVIEW, _POSTING, _PAYMENT = "filing", "review", "posting", "payment"
_BORROWERS: Final = {"household", "enterprise", "system"}


@dataclass(frozen=True)
class Procedure:
    """The way of the subsidies of one product, on a day.

    Args:
        filers: kinds of member that file.
        approvers: kinds of member that approve; empty: any that may send an approval.
        payers: kinds of member that order the payment; empty: any that may.
        posted: how long it is posted; None: not by a number of days.
        windows: the days of every year of which one is posted whole.
        approved_within: of the claim.
        paid_within: of the approval.
        filed_within: of the end of the period.
    """

    filers: tuple[str, ...]
    approvers: tuple[str, ...]
    payers: tuple[str, ...]
    posted: Duration | None
    windows: tuple[Window, ...]
    approved_within: Duration | None
    paid_within: Duration | None
    filed_within: Duration | None

    @property
    def is_posted(self) -> bool:
        """Return whether subsidies are posted before they are approved."""
        return self.posted is not None or bool(self.windows)

    def last_day(self, first_day: dt.date, working_days: WorkingDays) -> dt.date:
        """Return the earliest last day of a posting that begins on a day."""
        earliest = first_day if self.posted is None else working_days.after(first_day - DAY, self.posted)
        if not self.windows:
            return earliest
        # A window that crosses the new year may have begun in the year before.
        spans = (_span(each, year) for each in self.windows for year in range(first_day.year, first_day.year + 2))
        return max(earliest, min(last for first, last in spans if first >= first_day))


def _span(window: Window, year: int) -> tuple[dt.date, dt.date]:
    first = dt.date(year, *window.first)
    return first, dt.date(year + (window.last < window.first), *window.last)


class Procedures:
    """The procedures of products, each read once.

    Args:
        context: of the county.
        day: on which the policies are read.
    """

    def __init__(self, context: Context, day: dt.date) -> None:
        self._context, self._day = context, day
        self._known: dict[tuple[str, str, str], Procedure | None] = {}

    def of(self, item: Mapping[str, Any]) -> Procedure | None:
        """Return the procedure of an item's policy, product and borrower; None where the policy has it no more."""
        key = item["policy"], item["product"], item["borrower"]
        if key not in self._known:
            self._known[key] = self._read(*key)
        return self._known[key]

    def by_kind(
        self, groups: Iterable[Mapping[str, Any]], kind: str, act: str
    ) -> tuple[list[Mapping[str, Any]], list[Procedure]]:
        """Return the groups of items for which a kind of member acts, and the procedures of the others.

        Args:
            groups: rows with `policy`, `product` and `borrower`.
            kind: of the member.
            act: "approvers" or "payers".
        """
        allowed: list[Mapping[str, Any]] = []
        others: list[Procedure] = []
        for group in groups:
            procedure = self.of(group)
            if procedure is None:
                continue  # the policy has it no more: people decide what to do
            acting = getattr(procedure, act)
            if not acting or kind in acting:
                allowed.append(group)
            else:
                others.append(procedure)
        return allowed, others

    def _read(self, name: str, product_name: str, borrower: str) -> Procedure | None:
        policy = self._context.rules.named(name)
        product = policy.products.get(product_name)
        if product is None:
            return None
        known = {"borrower": borrower, "event": self._day}
        reading = Reading(policy, product)
        steps: defaultdict[str, list[Entry]] = defaultdict(list)
        for place, entry in enumerate(product.lists.get("subsidy_steps", ())):
            # When it was signed, for how much and by whom differs from loan to loan: who acts does not.
            if entry.may_hold(known):
                is_filing = not place and set(entry["by"]) <= set(FILERS)
                steps[entry["takes"] or (_FILING if is_filing else _REVIEW)].append(entry)
        reviews, postings, payments = steps[_REVIEW], steps[_POSTING], steps[_PAYMENT]
        said = [entry["posted"] for entry in (*postings, *reviews) if entry["posted"]]
        return Procedure(
            _kinds(steps[_FILING]),
            _kinds(reviews[-1:]),
            _kinds(payments),
            reading.value("subsidy.posting", known) or next(iter(said), None),
            tuple(reading.value("subsidy.posting_windows", known) or ()),
            reviews[-1]["within"] if reviews else None,
            reading.value("subsidy.paid_within", known) or (payments[-1]["within"] if payments else None),
            reading.value("subsidy.filed_within", known),
        )


def _kinds(steps: Iterable[Entry]) -> tuple[str, ...]:
    return tuple(kind for step in steps for kind in step["by"] if kind not in _BORROWERS)
