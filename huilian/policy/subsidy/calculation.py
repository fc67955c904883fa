"""The subsidy of one loan: when it earns, what it earns, what is paid."""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.clock import months_later
from huilian.core.errors import ConfigurationError
from huilian.policy.reading import Reading
from huilian.policy.subsidy.case import Period, Reason, Segment, Subsidy, SubsidyCase
from huilian.policy.subsidy.rules import DAY, MONTHS_A_YEAR, ProductRules, period_end, period_start, whole_weights
from huilian.policy.tables import MissingFactError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from huilian.policy.policies import Entry, Policy
    from huilian.policy.reference_rates import ReferenceRates
    from huilian.policy.subsidy.case import OtherLoan
    from huilian.policy.subsidy.rules import DayTerms
    from huilian.policy.tables import Row

__all__ = ["Subsidies"]


_EXACT: Final = Context(prec=60)
"""Enough digits that no product of principal, rate, share and days loses one."""


class Subsidies:
    """The subsidies that one policy pays.

    Args:
        policy: the county's.
        rates: published rates.
    """

    def __init__(self, policy: Policy, rates: ReferenceRates) -> None:
        self.policy = policy
        self.rates = rates
        self._rules: dict[str, ProductRules] = {}

    def assess(self, case: SubsidyCase, since: dt.date | None = None, until: dt.date | None = None) -> Subsidy:
        """Return what is paid for a loan.

        Args:
            case: the loan.
            since: settlement periods count whose last day is this day or later; None: from the first.
            until: and before this day; None: to the end of the loan, as far as it is known.

        Raises:
            MissingFactError: the policy asks for something that the case does not tell.
            UnknownRateError: a reference rate is not known.
            ConfigurationError: HL6007, the policy has no such product, or no value where one is needed.
        """
        signed = case.signed or case.start
        product = self.policy.product(case.product, borrower=case.kind, signed=signed)
        if product is None:
            if case.product is not None:
                parameter = f"products.{case.product}"
                raise ConfigurationError("HL6007", policy=self.policy.name, date=signed, parameter=parameter)
            return Subsidy(case, self.policy, None, reasons=(Reason("no_product"),))
        if case.kind not in product.borrowers or (product.open is not None and not product.open.has(signed)):
            return Subsidy(case, self.policy, product, reasons=(Reason("not_of_product"),))
        rules = self._rules.get(product.name)
        if rules is None:
            rules = self._rules[product.name] = ProductRules(self.policy, product, self.rates)
        if not rules.pays:
            return Subsidy(case, self.policy, product, reasons=(Reason("no_subsidy"),))
        with localcontext(_EXACT):
            return _Calculation(rules, case, signed, since, until).result()


@dataclass(slots=True)
class _Earned:
    """A segment while it grows; `part` is its amount times the denominator of the contract."""

    since: dt.date
    until: dt.date
    months: int
    principal: Decimal
    terms: DayTerms
    part: Decimal


class _Calculation:
    """The subsidy of one loan."""

    def __init__(
        self, rules: ProductRules, case: SubsidyCase, signed: dt.date, since: dt.date | None, until: dt.date | None
    ) -> None:
        self.rules, self.case, self.since, self.until = rules, case, since, until
        self.known = rules.situation(case, signed)
        self.contract = rules.contract(self.known)
        self.by_month = self.contract.day_count != "days"
        self.denominator = 100 * (MONTHS_A_YEAR if self.by_month else self.contract.basis)
        self.reasons: dict[tuple[str, str], Reason] = {}
        self.terms: dict[int, DayTerms] = {}
        self.read = Reading(rules.policy, rules.product, rules.rates)
        self.periods: list[Period] = []
        self.segments: list[Segment] = []
        self.due, self.stop = self._due_and_stop()
        self.older = [each for each in case.other_loans if _age(each) < _age(case)] if rules.by_older_loans else []

    def result(self) -> Subsidy:
        """Return the subsidy."""
        case, contract, rules = self.case, self.contract, self.rules
        refused = self._refused()
        for reason in refused:
            self._note(reason)
        if not refused:
            self._settle_loan()
        estimated = rules.estimated is not None and bool(self.periods) and self._estimated()
        found = self.terms.values()
        step = {"step": "contract", "signed": self.known["signed"].isoformat(), "term": self.known["term"]}
        return Subsidy(
            case,
            rules.policy,
            rules.product,
            tuple(self.periods),
            tuple(self.segments),
            tuple(self.reasons.values()),
            estimated,
            (contract.reading, *(each.reading for each in found), self.read),
            ({**step, "due": self.due.isoformat()}, *(step for each in found for step in each.steps)),
        )

    def _refused(self) -> list[Reason]:
        """Return why the loan earns nothing at all."""
        case, contract = self.case, self.contract
        found = []
        if case.malicious and contract.malicious is not None:
            found.append(contract.malicious)
        if case.lead_bank is False and contract.lead_bank is not None:
            found.append(contract.lead_bank)
        if case.over_lending_multiple:
            beyond = self.read.row("fund.beyond", {**self.known, "event": self.known["signed"]})
            found.append(Reason("over_lending_multiple", beyond.source if beyond else ""))
        return found

    def _estimated(self) -> bool:
        return bool(self.read.value("subsidy.estimated", {"event": self.periods[-1].last}))

    def _note(self, reason: Reason) -> None:
        self.reasons[reason.code, reason.clause + reason.ground] = reason

    # When the loan earns.

    def _due_and_stop(self) -> tuple[dt.date, dt.date]:
        """Return the due date that counts, and the day from which nothing is earned, however long the loan runs."""
        case, contract = self.case, self.contract
        due = stop = case.due
        if (grace := contract.moratorium) is not None:
            months = grace["months"] if case.moratorium_months is None else min(case.moratorium_months, grace["months"])
            due = months_later(case.due, months)
            due = max(case.due, due if grace["until"] is None else min(due, grace["until"]))
            stop = case.due if grace["subsidised"] is False else due
        last = min(filter(None, (case.settled, self.until)), default=stop)
        # A line that was drawn and repaid owes nothing at its due date, though nobody closed it.
        self.overdue = last > due and (case.settled is not None or self._balance(due) > 0)
        if stop < min(due, last):
            self._note(Reason("moratorium_not_subsidised", grace.source if grace else ""))
        if contract.overdue.value == "continues":
            return due, dt.date.max if stop == due else stop
        if self.overdue:
            self._note(Reason("overdue", contract.overdue.source))
        return due, stop

    def _settle_loan(self) -> None:
        if self.contract.on_repayment is None:
            self._settle_by_period()
        else:
            self._settle_on_repayment(self.contract.on_repayment)

    def _settle_on_repayment(self, rule: Row) -> None:
        """Settle the whole loan in the period that holds the day of repayment, as a rule says."""
        settled, contract = self.case.settled, self.contract
        if settled is None or (self.until is not None and settled >= self.until):
            self._note(Reason("not_repaid_yet", rule.source))
            return
        if contract.overdue.value == "only_repaid_on_time" and settled > self.due:
            self.reasons.clear()
            self._note(Reason("not_repaid_on_time", contract.overdue.source))
            return
        last = period_end(contract.period_ends, settled)
        if (self.since is None or self.since <= last) and (self.until is None or last < self.until):
            self._settle(self.case.start, last, min(settled, self.stop))

    def _settle_by_period(self) -> None:
        """Settle each period whose last day lies in the time asked for."""
        ends, start, until = self.contract.period_ends, self.case.start, self.until
        end = min(self.case.settled or dt.date.max, self.stop)
        if until is None:
            until = period_end(ends, max((self.due if end == dt.date.max else end) - DAY, start)) + DAY
        last = period_end(ends, max(self.since or start, start))
        while last < until:
            first = max(period_start(ends, last), start)
            if first >= end:
                break
            self._settle(first, last, end)
            last = period_end(ends, last + DAY)

    def _settle(self, first: dt.date, last: dt.date, end: dt.date) -> None:
        """Settle one period, of which the loan earns to the day before `end`."""
        if first >= end:
            return
        earned: list[_Earned] = []
        pieces = self._months(first, last, end) if self.by_month else self._days(first, min(last + DAY, end))
        for since, until, balance in pieces:
            self._earn(earned, since, until, balance)
        if self.contract.overdue.value == "forfeits_period" and self.overdue and self.due < last:
            self._note(Reason("period_forfeited", self.contract.overdue.source))
            earned = []
        if not earned:
            return
        self.segments += [
            Segment(
                each.since,
                each.until,
                each.months if self.by_month else None,
                each.principal,
                each.terms.rate,
                each.part / self.denominator,
            )
            for each in earned
        ]
        self._pay(first, last, earned)

    # What it earns.

    def _days(self, first: dt.date, until: dt.date) -> Iterator[tuple[dt.date, dt.date, Decimal]]:
        """Yield days on which nothing changes: the first, the day after the last, the balance."""
        case, rules = self.case, self.rules
        days = {day for day, _ in case.balances if first < day < until}
        at = bisect.bisect_right(rules.days, (first, 1))
        while at < len(rules.days) and (day := rules.days[at][0]) < until:
            days.add(day)
            at += 1
        if rules.by_loan_year:
            years = range(first.year - case.start.year, until.year - case.start.year + 1)
            days.update(months_later(case.start, year * MONTHS_A_YEAR) for year in years)
        if rules.by_older_loans:
            days.update(self._year_starts(first, until))
            days.update(day for other in self.older for day in (other.start, *(day for day, _ in other.balances)))
        inner = sorted(day for day in days if first < day < until)
        for since, end in itertools.pairwise((first, *inner, until)):
            yield since, end, self._balance(since)

    def _year_starts(self, first: dt.date, until: dt.date) -> Iterator[dt.date]:
        """Yield the first days of subsidy years after one day and before another."""
        day = period_end(self.contract.year_ends, first) + DAY
        while day < until:
            yield day
            day = period_end(self.contract.year_ends, day) + DAY

    def _months(self, first: dt.date, last: dt.date, end: dt.date) -> Iterator[tuple[dt.date, dt.date, Decimal]]:
        """Yield the months whose last day lies in a period: the first day, the day after the last, what counts."""
        start = self.case.start
        started = self.contract.day_count == "started_months"
        past = (first.year - start.year) * MONTHS_A_YEAR + first.month - start.month - 1
        for number in itertools.count(max(past, 0)):
            since, until = months_later(start, number), months_later(start, number + 1)
            if since >= end or since > last:
                return
            counted = min(until, end)
            if first < counted <= last + DAY and (until <= end or started):
                changes = [balance for day, balance in self.case.balances if since < day < counted]
                owed = (self._balance(since), *changes)
                yield since, counted, max(owed) if started else min(owed)

    def _balance(self, day: dt.date) -> Decimal:
        balance = self.case.principal
        for since, each in self.case.balances:
            if since > day:
                break
            balance = each
        return balance

    def _earn(self, earned: list[_Earned], since: dt.date, until: dt.date, balance: Decimal) -> None:
        terms = self.rules.terms(self.contract, self.known, since, self.case.start)
        self.terms[id(terms)] = terms
        if terms.refused is not None:
            self._note(terms.refused)
            return
        for ground in self.case.exclusions:
            if (entry := terms.exclusions.get(ground)) is not None:
                self._note(Reason("excluded", entry.source, ground))
                return
        principal = self._principal(terms, since, balance)
        days = (until - since).days
        part = principal * terms.rate * (1 if self.by_month else days)
        for cap in terms.subsidy_caps:
            if cap["within"] == "day" and part > (most := cap["amount"] * days * self.denominator):
                self._note(Reason("daily_cap", cap.source))
                part = most
        if terms.lowered is not None and principal:
            self._note(terms.lowered)
        if not part:
            return
        before = earned[-1] if earned else None
        if before and before.until == since and before.principal == principal and before.terms is terms:
            before.until, before.months, before.part = until, before.months + 1, before.part + part
        else:
            earned.append(_Earned(since, until, 1, principal, terms, part))

    def _principal(self, terms: DayTerms, day: dt.date, balance: Decimal) -> Decimal:
        """Return the part of a balance that is subsidised."""
        principal = balance
        if terms.slices:
            principal = money.ZERO
            for low, high, part, row in terms.slices:
                if balance > low:
                    principal += ((balance if high is None else min(balance, high)) - low) * part
                    if part < 1:
                        self._note(Reason("part_of_principal", row.source))
        if terms.per_household_led is not None:
            each, row = terms.per_household_led
            if self.case.households_led is None:
                raise MissingFactError(row.rule, "households_led")
            if principal > (most := each * self.case.households_led):
                self._note(Reason("households_led", row.source))
                principal = most
        for cap in terms.principal_caps:
            left = cap["amount"] - self._owed_by_older(cap, day)
            if principal > max(left, 0):
                code = "older_loans" if left < cap["amount"] else "principal_cap"
                self._note(Reason(code if cap["beyond"] == "cut" else "principal_refused", cap.source))
                principal = max(left, money.ZERO) if cap["beyond"] == "cut" else money.ZERO
        return principal

    def _owed_by_older(self, cap: Entry, day: dt.date) -> Decimal:
        """Return what older loans use of a cap: the most that each owed from the start of its time to the day."""
        if cap["per"] == "loan":
            return money.ZERO
        if cap["per"] in {"village", "county"}:
            raise MissingFactError(cap.rule, cap["per"])
        since = {"day": day, "lifetime": dt.date.min}.get(cap["within"])
        if cap["within"] == "period" and self.contract.on_repayment:
            since = self.case.start
        elif since is None:
            ends = self.contract.year_ends if cap["within"] == "year" else self.contract.period_ends
            since = period_start(ends, period_end(ends, day))
        used = money.ZERO
        for other in self.older:
            if cap["per"] == "borrower_and_bank":
                if self.case.institution is None or other.institution is None:
                    raise MissingFactError(cap.rule, "institution")
                if other.institution != self.case.institution:
                    continue
            used += other.most_owed(since, day)
        return used

    # What is paid.

    def _pay(self, first: dt.date, last: dt.date, earned: Sequence[_Earned]) -> None:
        """Round what a period earned, once; then apply caps and the year's budget."""
        exact = sum((each.part for each in earned), Decimal(0)) / self.denominator
        amount, waiting, steps = money.round_to_fen(exact), money.ZERO, list[dict[str, Any]]()
        for cap in earned[-1].terms.subsidy_caps:
            if cap["within"] == "day":
                continue
            used = self._paid_before(cap, last)
            left = max(cap["amount"] - used, money.ZERO)
            if amount > left:
                paid = left if cap["beyond"] == "cut" else money.ZERO
                code = {"cut": "cap", "refuse": "cap_refused", "wait": "cap_waits"}[cap["beyond"]]
                self._note(Reason(code, cap.source))
                steps.append(_limited("cap", cap, used, amount, paid))
                waiting = amount if cap["beyond"] == "wait" else waiting
                amount = paid
        if self.case.appropriation_used is not None and amount:
            amount, waiting = self._appropriated(last, amount, waiting, steps)
        self.periods.append(
            Period(first, last, exact, amount, waiting, _divide(amount, earned), tuple(steps)),
        )

    def _paid_before(self, cap: Entry, last: dt.date) -> Decimal:
        """Return what counts on a cap: what was paid before, and in earlier periods of this run."""
        case, per, within = self.case, cap["per"], cap["within"]
        since, end = dt.date.min, dt.date.max
        if within != "lifetime":
            ends = self.contract.year_ends if within == "year" else self.contract.period_ends
            end = period_end(ends, last)
            since = period_start(ends, end)
        run = sum((period.amount for period in self.periods if period.last >= since), money.ZERO)
        if per == "household" and within == "lifetime":
            return run + case.paid_before
        if case.payments_before is None:
            if per in {"village", "county"}:
                raise MissingFactError(cap.rule, "payments_before")
            # Not told how much of it counts: all of it, so that the cap holds.
            return run + case.paid_before
        told = (each.amount for each in case.payments_before if each.per == per and since <= each.on <= end)
        return run + sum(told, money.ZERO)

    def _appropriated(
        self, last: dt.date, amount: Decimal, waiting: Decimal, steps: list[dict[str, Any]]
    ) -> tuple[Decimal, Decimal]:
        """Return what the year's budget pays, and what waits: a claim is paid whole or not at all."""
        for entry in self.rules.product.lists.get("subsidy.appropriations", ()):
            if entry["year"].has(last):
                self.read.use(entry)
                claimed = (each.amount + each.waiting for each in self.periods if entry["year"].has(each.last))
                used = (self.case.appropriation_used or money.ZERO) + sum(claimed)
                if amount > entry["amount"] - used:
                    waits = entry["beyond"] == "wait"
                    self._note(Reason("appropriation_waits" if waits else "appropriation_refused", entry.source))
                    steps.append(_limited("appropriation", entry, used, amount, money.ZERO))
                    return money.ZERO, amount if waits else waiting
        return amount, waiting


def _age(loan: SubsidyCase | OtherLoan) -> tuple[dt.date, str, str]:
    """Return what puts the loans of a household in order; numbers repeat across banks."""
    return loan.start, loan.loan_no, loan.institution or ""


def _limited(step: str, entry: Entry, used: Decimal, asked: Decimal, paid: Decimal) -> dict[str, Any]:
    amounts = {"limit": entry["amount"], "used": used, "asked": asked, "paid": paid}
    return {"step": step, "rule": entry.rule, **{name: money.text(amount) for name, amount in amounts.items()}}


def _divide(amount: Decimal, earned: Sequence[_Earned]) -> Mapping[str, Decimal]:
    """Return who pays which part of an amount; the parts add up."""
    weights = earned[0].terms.payers
    if any(each.terms.payers != weights for each in earned):
        parts: dict[str, Fraction] = {}
        for each in earned:
            whole = sum(each.terms.payers.values())
            for payer, weight in each.terms.payers.items():
                parts[payer] = parts.get(payer, Fraction(0)) + Fraction(each.part) * weight / whole
        weights = whole_weights(parts)
    if len(weights) == 1:
        return dict.fromkeys(weights, amount) if amount else {}
    return {payer: part for payer, part in money.split(amount, weights).items() if part}
