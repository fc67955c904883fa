"""What is owed for the settlement periods that end in a time, held against what is asked, loan by loan.

The policy's own function says what is owed. A newer run of a period takes the place of what is not posted yet; what
is posted stays, and what has changed since then is a signed adjustment in the run of a later period.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.clock import months_later
from huilian.core.errors import ConfigurationError
from huilian.policy.reference_rates import UnknownRateError
from huilian.policy.subsidy import Payment, Subsidies
from huilian.policy.tables import MissingFactError
from services.subsidy.cases import Needs, Scope, case_of, loans, others_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.policy.subsidy import Subsidy
    from services.subsidy.cases import Before, Claim, Loan

__all__ = ["DAY", "Found", "Run", "scope_of"]

DAY: Final = dt.timedelta(days=1)
_VILLAGE: Final = 12
NO_PRODUCT: Final = "-"
"""Where the policy has none for a loan, or nothing is known of the loan."""
_OWN: Final = {
    "unknown_loan": ("台账中没有该借据", "no ledger has this loan"),
    "unknown_borrower": (
        "不是花名册上的农户，也没有确认的申请",
        "neither a household of the roster nor a confirmed enterprise",
    ),
    "outside_region": ("借据不在申报乡镇的辖区内", "the loan is not of the region of the township that asks"),
    "not_computable": ("缺少核算所需的资料：{what}", "something that the policy asks for is not known: {what}"),
    "nothing_earned": ("本期没有应贴息的本金和天数", "nothing was owed on any day of the period that earns"),
    "other_borrower": ("申报的户编号不是该借据的借款人", "the claim names another borrower than the loan's"),
    "other_days": ("申报的期间包括其他结算期", "the days of the claim reach into another settlement period"),
    "refused_before": (
        "审批时不予贴息：{what}；重新申报后再核算",
        "it was refused when it came to be approved: {what}; it is computed anew when it is asked for anew",
    ),
    "objection_upheld": (
        "公示异议成立：{what}；重新申报后再核算",
        "an objection was upheld: {what}; it is computed anew when it is asked for anew",
    ),
    "forfeited": (
        "认定为虚报冒领，本期贴息取消：{what}",
        "a false claim was found, what it earned is forfeited: {what}",
    ),
    "appropriation": ("年度预算不足，等待", "the year's appropriation does not suffice: it waits"),
    "of_other_period": ("申报的期间不是该借据的结算期", "the period asked for is no settlement period of the loan"),
}
"""Chinese and English by code: what the policy's function does not say."""


def scope_of(period: str, institution: str | None = None) -> Scope:
    """Return what a period as "2021-Q2", "2021-H1", "2021-06" or "2021" is about."""
    year, _, part = period.partition("-")
    first, months = 1, 12
    if part.startswith("Q"):
        first, months = 3 * int(part[1]) - 2, 3
    elif part.startswith("H"):
        first, months = 6 * int(part[1]) - 5, 6
    elif part:
        first, months = int(part), 1
    since = dt.date(int(year), first, 1)
    return Scope(since, months_later(since, months), institution)


@dataclass(slots=True)
class Found:
    """What a run found of one loan and period: a row of `subsidy.item` that is not written yet."""

    loan: Loan
    borrower: str
    borrower_no: str | None
    policy: str
    product: str
    version: str
    start: dt.date
    end: dt.date
    state: str
    own: Decimal
    asked: Decimal | None = None
    waiting: Decimal = money.ZERO
    claim: int | None = None
    adjusts: int | None = None
    by_payer: Mapping[str, Decimal] | None = None
    reasons: Sequence[Mapping[str, Any]] = ()
    segments: Sequence[Mapping[str, Any]] = ()
    readings: Sequence[Mapping[str, Any]] | None = None
    estimated: bool = False


def _reason(code: str, **facts: object) -> dict[str, Any]:
    chinese, english = _OWN[code]
    return {"code": code, "chinese": chinese.format(**facts), "english": english.format(**facts), "clause": ""}


class Run:
    """One run over the loans of a scope; what was computed before in it counts for what comes after.

    Args:
        transaction: in which it reads; it writes nothing.
        context: policies and rates.
        scope: which settlement periods, of which bank.
        today: the day of the run: a period that is not over is estimated.
    """

    def __init__(self, transaction: Transaction, context: Context, scope: Scope, today: dt.date) -> None:
        self._transaction, self._context, self._scope = transaction, context, scope
        self._is_over = today >= scope.until
        self._own = context.policy
        self.county = context.county
        self._rates = context.rates
        self._policies: dict[str, Policy] = {self._own.name: self._own}
        self._subsidies: dict[str, Subsidies] = {}
        self._meant: dict[tuple[str, str], tuple[Policy, str | None]] = {}
        self._used: dict[tuple[str, str], list[tuple[dt.date, Decimal]]] = defaultdict(list)
        self._payments: dict[str, list[Payment]] = defaultdict(list)
        self._readings: dict[tuple[int, ...], tuple[Any, list[dict[str, Any]]]] = {}
        used = transaction.rows("SELECT DISTINCT institution, product FROM subsidy.loan_step")
        named = transaction.rows("SELECT DISTINCT policy FROM subsidy.application_change")
        for row in used:
            self._meaning(row["institution"], row["product"])
        for row in named:
            self._policy(row["policy"])
        self.needs = Needs.of(list(self._policies.values()))
        self._marks = self._read_marks()
        self._areas = self._read_areas()
        self._led: dict[str, int] = self._read_led()
        self._stopped = self._read_stopped()
        self._read_before()

    # -- what counts besides the loan --------------------------------------------------------------------------------

    def _policy(self, name: str) -> Policy | None:
        if name not in self._policies:
            try:
                self._policies[name] = self._context.rules.named(name)
            except ConfigurationError:
                return None
        return self._policies[name]

    def _meaning(self, institution: str, code: str) -> tuple[Policy, str | None]:
        """Return the policy and product that a bank means by its code; the county's policy where nobody has said."""
        key = institution, code
        if key not in self._meant:
            meant = self._context.policy_product(institution, code)
            policy = self._policy(meant[0]) if meant else None
            self._meant[key] = (self._own, None) if policy is None or meant is None else (policy, meant[1])
        return self._meant[key]

    def _read_marks(self) -> dict[tuple[str, str], set[str]]:
        rows = self._transaction.rows(
            "SELECT borrower, borrower_no, mark FROM (SELECT borrower, borrower_no, source, reference, mark, from_date,"
            " until_date FROM subsidy.mark_change GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(n) > 0) m"
            " WHERE mark LIKE 'blacklisted%%' AND from_date::date < %(until)s"
            " AND (until_date IS NULL OR until_date::date >= %(until)s)",
            self._scope.facts,
        )
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in rows:
            found[row["borrower"], row["borrower_no"]].add(row["mark"])
        return found

    def _read_areas(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self._transaction.rows(
            "SELECT institution, region, from_date::date, until_date::date FROM subsidy.service_area_change"
            " GROUP BY institution, region, from_date, until_date HAVING sum(n) > 0"
        ):
            found[row["region"]].append(row)
        return found

    def _read_led(self) -> dict[str, int]:
        rows = self._transaction.rows(
            "SELECT enterprise_no, count(DISTINCT household_no) AS n FROM (SELECT enterprise_no, household_no,"
            " from_date, until_date FROM subsidy.led_household_change GROUP BY 1, 2, 3, 4 HAVING sum(n) > 0) l"
            " WHERE from_date::date < %(until)s AND (until_date IS NULL OR until_date::date >= %(until)s)"
            " GROUP BY enterprise_no",
            self._scope.facts,
        )
        return {row["enterprise_no"]: row["n"] for row in rows}

    def _read_stopped(self) -> dict[tuple[str, str, dt.date], dict[str, Any]]:
        """Return what people decided against, by loan and period: it stays so until it is asked for anew."""
        rows = self._transaction.rows(
            "SELECT DISTINCT ON (institution, loan_no, period_end)"
            " institution, loan_no, period_end, move, reason, claim"
            " FROM subsidy.item_step JOIN subsidy.item i ON i.number = item"
            " WHERE move IN ('refuse', 'uphold', 'forfeit') AND adjusts IS NULL AND period_end > %(since)s"
            " AND period_end <= %(until)s ORDER BY institution, loan_no, period_end, item_step.number DESC",
            self._scope.facts,
        )
        return {(row["institution"], row["loan_no"], row["period_end"]): row for row in rows}

    def _read_before(self) -> None:
        """Read what earlier runs granted, and this one does not touch: it counts on caps and budgets."""
        needs, scope = self.needs, self._scope
        if not (needs.caps or needs.queue):
            return
        for row in self._transaction.stream(
            "SELECT institution, loan_no, household_no, region, policy, product, period_end, own, waiting"
            " FROM subsidy.item WHERE state NOT IN ('unclaimed', 'refused', 'replaced') AND (state = ANY(%(kept)s)"
            "  OR period_end <= %(since)s OR period_end > %(until)s"
            "  OR institution <> coalesce(%(institution)s, institution))",
            scope.facts,
        ):
            self._count(row, row["period_end"] - DAY, row["own"], row["waiting"])

    def _count(self, of: Mapping[str, Any], last: dt.date, own: Decimal, waiting: Decimal) -> None:
        if self.needs.queue:
            self._used[of["policy"], of["product"]].append((last, own + waiting))
            for per, key in (("village", of["region"][:_VILLAGE]), ("county", "")):
                self._payments[f"{per}/{key}"].append(Payment(per, last, own))
        if self.needs.caps and own:
            loan = f"loan/{of['institution']}/{of['loan_no']}"
            self._payments[loan].append(Payment("loan", last, own))
            if of["household_no"] is not None:
                self._payments[f"household/{of['household_no']}"].append(Payment("household", last, own))
                bank = f"bank/{of['household_no']}/{of['institution']}"
                self._payments[bank].append(Payment("borrower_and_bank", last, own))

    def _paid(self, loan: Loan, without: Before | None) -> tuple[Payment, ...]:
        """Return what counts on the caps of a loan, without the period that is looked at anew."""
        keys = [f"loan/{loan.institution}/{loan.loan_no}"]
        if loan.household_no is not None:
            keys += [f"household/{loan.household_no}", f"bank/{loan.household_no}/{loan.institution}"]
        if self.needs.queue and loan.region is not None:
            keys += [f"village/{loan.region[:_VILLAGE]}", "county/"]
        found = [payment for key in keys for payment in self._payments.get(key, ())]
        if without is not None and without.own:
            pers = {payment.per for payment in found}
            found += [Payment(per, without.end - DAY, -without.own) for per in sorted(pers)]
        return tuple(found)

    def _lead_bank(self, loan: Loan) -> bool | None:
        if not self._areas or loan.region is None:
            return None
        day = loan.signed or loan.start_date
        for length in (12, 9, 6):
            for area in self._areas.get(loan.region[:length], ()):
                if area["from_date"] <= day and (area["until_date"] is None or day < area["until_date"]):
                    return bool(area["institution"] == loan.institution)
        return None

    # -- loan by loan ------------------------------------------------------------------------------------------------

    def found(self) -> Iterator[Found]:
        """Yield what is owed or asked for each loan and period, in the order in which claims are served."""
        stands = {
            (row["institution"], row["loan_no"], row["period_end"])
            for row in self._transaction.stream(
                "SELECT institution, loan_no, period_end FROM subsidy.item WHERE state = ANY(%(kept)s)"
                " AND adjusts IS NULL AND period_end > %(since)s AND period_end <= %(until)s",
                self._scope.facts,
            )
        }
        # What earlier periods got too much, or too little, is known before this one is held to caps and budgets.
        for engine, only_standing in ((self._adjusted, True), (self._compared, False)):
            for kin in loans(self._transaction, self._scope, self.needs, only_standing=only_standing):
                for loan in kin:
                    if self._scope.institution not in {None, loan.institution}:
                        continue
                    for found in engine(loan, kin):
                        if (loan.institution, loan.loan_no, found.end) in stands and found.adjusts is None:
                            continue
                        if found.state not in {"unclaimed", "refused"} and (self.needs.caps or self.needs.queue):
                            self._count(self._of(found), found.end - DAY, found.own, found.waiting)
                        yield found

    @staticmethod
    def _of(found: Found) -> dict[str, Any]:
        loan = found.loan
        return {
            "institution": loan.institution, "loan_no": loan.loan_no, "household_no": loan.household_no,
            "region": loan.region or "", "policy": found.policy, "product": found.product,
        }  # fmt: skip

    def _adjusted(self, loan: Loan, kin: Sequence[Loan]) -> Iterator[Found]:
        """Yield what earlier periods of a loan earn more or less than was computed then."""
        who = self._who(loan) if loan.before and loan.region is not None else None
        if who is None:
            return
        for before in loan.before:
            try:
                yield from self._adjust(loan, before, who, kin)
            except (MissingFactError, UnknownRateError, ConfigurationError):
                # What stands there stays; what lacks is told where the period of the run is compared.
                return

    def _compared(self, loan: Loan, kin: Sequence[Loan]) -> Iterator[Found]:
        """Yield what a loan earns in the periods of the run, held against what is asked."""
        claims = loan.claims
        if loan.region is None:
            yield from self._refused(loan, claims, "unknown_loan")
            return
        who = self._who(loan)
        if who is None:
            yield from self._refused(loan, claims, "unknown_borrower", self._judged_by(loan)[0])
            return
        if any(claim.region is not None and not loan.region.startswith(claim.region) for claim in claims):
            yield from self._refused(loan, claims, "outside_region", who.policy)
            return
        try:
            yield from self._compare(loan, claims, who, kin)
        except (MissingFactError, UnknownRateError, ConfigurationError) as error:
            yield from self._refused(loan, claims, "not_computable", who.policy, what=_lacking(error))

    def _judged_by(self, loan: Loan) -> tuple[Policy, str | None]:
        """Return policy and product of a loan: those of its application, or what its bank means by its code."""
        if loan.policy is not None and (policy := self._policy(loan.policy)) is not None:
            return policy, loan.policy_product
        return self._meaning(loan.institution, loan.product)

    def _who(self, loan: Loan) -> _Who | None:
        policy, product = self._judged_by(loan)
        kind = loan.borrower or self._kind(loan, policy, product)
        if kind is None:
            return None
        return _Who(kind, loan.borrower_no if kind == "enterprise" else loan.household_no, policy, product)

    def _kind(self, loan: Loan, policy: Policy, product: str | None) -> str | None:
        if loan.household_no is not None:
            return "household"
        meant = policy.products.get(product) if product else None
        return "enterprise" if meant is not None and tuple(meant.borrowers) == ("enterprise",) else None

    def _refused(
        self, loan: Loan, claims: Sequence[Claim], code: str, policy: Policy | None = None, **facts: object
    ) -> Iterator[Found]:
        """Yield claims that get nothing, whatever the policy says."""
        policy = policy or self._own
        for end, asked in itertools.groupby(sorted(claims, key=lambda each: each.end), key=lambda each: each.end):
            same = list(asked)
            yield Found(
                loan, loan.borrower or "household", loan.borrower_no or loan.household_no, policy.name,
                loan.policy_product or NO_PRODUCT, policy.version,
                min(each.start for each in same), end, "refused", money.ZERO,
                sum((each.amount for each in same), money.ZERO), claim=max(each.filed for each in same),
                reasons=[_reason(code, **facts)],
            )  # fmt: skip

    def _assess(
        self, loan: Loan, who: _Who, kin: Sequence[Loan], since: dt.date, until: dt.date, *,
        is_asked: bool, before: Before | None = None,
    ) -> Subsidy:  # fmt: skip
        name = who.policy.name
        if name not in self._subsidies:
            self._subsidies[name] = Subsidies(who.policy, self._rates)
        marks = self._marks.get((who.kind, who.number or ""), ())
        needs = self.needs
        payments = self._paid(loan, before) if needs.caps or needs.queue else ()
        case = case_of(
            loan, who.kind, who.product,
            others=others_of(loan, kin) if needs.kin else (),
            payments=payments,
            paid_before=_of_household(payments) if payments else money.ZERO,
            households_led=self._led.get(who.number or "", 0) if who.kind == "enterprise" and who.number else None,
            lead_bank=self._lead_bank(loan),
            is_malicious="blacklisted_maliciously" in marks,
            exclusions=("blacklisted",) if marks else (),
            appropriation_used=self._appropriated(who, loan, until - DAY) if is_asked and needs.queue else None,
            needs=needs,
        )  # fmt: skip
        return self._subsidies[name].assess(case, since, until)

    def _appropriated(self, who: _Who, loan: Loan, last: dt.date) -> Decimal | None:
        """Return what was used before of the budget of a product for the year of a day; None where there is none."""
        budget = self._budget(who, loan, last)
        return None if budget is None else budget[1]

    def _budget(self, who: _Who, loan: Loan, last: dt.date) -> tuple[Decimal, Decimal] | None:
        """Return the budget of a product for the year of a day, and what was used of it; None where there is none."""
        product = who.policy.product(who.product, borrower=who.kind, signed=loan.signed or loan.start_date)
        for entry in product.lists.get("subsidy.appropriations", ()) if product else ():
            if entry["year"].has(last):
                used = self._used.get((who.policy.name, product.name if product else ""), ())
                return entry["amount"], sum((amount for day, amount in used if entry["year"].has(day)), money.ZERO)
        return None

    def _compare(self, loan: Loan, claims: list[Claim], who: _Who, kin: Sequence[Loan]) -> Iterator[Found]:
        scope = self._scope
        result = self._assess(loan, who, kin, scope.since, scope.until, is_asked=bool(claims))
        if not self._is_over and not result.estimated and result.periods:
            return
        for period in result.periods:
            end = period.last + DAY
            same = [claim for claim in claims if period.first < claim.end <= end]
            claims = [claim for claim in claims if claim not in same]
            found = self._found(loan, who, result, period.first, end)
            found.own, found.waiting, found.by_payer = period.amount, period.waiting, period.by_payer
            if same:
                found.asked = sum((claim.amount for claim in same), money.ZERO)
                found.claim = max(claim.filed for claim in same)
            found.state = self._state(found)
            self._hold_back(found, same)
            if found.asked is not None or found.own:
                if found.state == "refused" and not found.reasons:
                    found.reasons = [_reason("nothing_earned")]
                yield found
        for end, asked in itertools.groupby(sorted(claims, key=lambda each: each.end), key=lambda each: each.end):
            same = list(asked)
            found = self._found(loan, who, result, min(each.start for each in same), end)
            found.asked, found.claim = sum((each.amount for each in same), money.ZERO), max(e.filed for e in same)
            found.state, found.segments = "refused", ()
            code = "of_other_period" if result.periods else "nothing_earned"
            found.reasons = found.reasons or [_reason(code)]
            yield found

    def _hold_back(self, found: Found, claims: Sequence[Claim]) -> None:
        """Note what is wrong with claims themselves, and what people decided against."""
        loan = found.loan
        if any(claim.borrower_no not in {None, found.borrower_no, loan.household_no} for claim in claims):
            found.state, found.reasons = "differing", [*found.reasons, _reason("other_borrower")]
        # A claim may count from the first day of a period in which the loan began later.
        if any(loan.start_date <= claim.start < found.start for claim in claims):
            found.state, found.reasons = "differing", [*found.reasons, _reason("other_days")]
        stopped = self._stopped.get((loan.institution, loan.loan_no, found.end))
        if stopped is None or (stopped["move"] != "forfeit" and stopped["claim"] != found.claim):
            return
        code = {"forfeit": "forfeited", "refuse": "refused_before", "uphold": "objection_upheld"}[stopped["move"]]
        found.reasons = [*found.reasons, _reason(code, what=stopped["reason"] or "")]
        if stopped["move"] == "uphold":
            found.state = "differing"
        else:
            found.state, found.own, found.waiting, found.by_payer = "refused", money.ZERO, money.ZERO, {}

    def _state(self, found: Found) -> str:
        if found.asked is None:
            # Nobody asks before the period is over.
            return "computed" if found.estimated else "unclaimed"
        owed = found.own or found.waiting
        if not owed:
            return "refused"
        if found.asked != owed:
            return "differing"
        return "computed" if found.own else "waiting"

    def _found(self, loan: Loan, who: _Who, result: Subsidy, start: dt.date, end: dt.date) -> Found:
        return Found(
            loan, who.kind, who.number, result.policy.name, result.product.name if result.product else NO_PRODUCT,
            result.policy.version, start, end, "computed", money.ZERO,
            reasons=[reason.as_json() for reason in result.reasons],
            segments=[
                segment.as_json() | {"balance_by": loan.told_by(segment.since)}
                for segment in result.segments
                if start <= segment.since < end
            ],
            readings=self._read(result), estimated=result.estimated and not self._is_over,
        )  # fmt: skip

    def _read(self, result: Subsidy) -> list[dict[str, Any]]:
        """Return the rows of the policy that a result rests on, each list once for all that rest on the same."""
        # Those of contract and days are the same objects for many loans, and kept alive by what is known.
        key = (*map(id, result.readings[:-1]), *(result.readings[-1].rows if result.readings else ()))
        known = self._readings.get(key)
        if known is None:
            rows = {number: row for reading in result.readings for number, row in reading.rows.items()}
            known = self._readings[key] = (result.readings, [row.as_json() for row in rows.values()])
        return known[1]

    def _adjust(self, loan: Loan, before: Before, who: _Who, kin: Sequence[Loan]) -> Iterator[Found]:
        """Yield what an earlier period earns more or less than was computed then."""
        result = self._assess(loan, who, kin, before.end - DAY, before.end, is_asked=False, before=before)
        own = result.amount - before.own
        if not own:
            return
        found = self._found(loan, who, result, before.start, before.end)
        found.own, found.adjusts, found.estimated = own, before.item, False
        weights = {payer: money.to_fen(part) for payer, part in result.by_payer.items()} or {"county": 1}
        parts = money.split(abs(own), weights)
        found.by_payer = {payer: part if own > 0 else -part for payer, part in parts.items() if part}
        budget = self._budget(who, loan, before.end - DAY) if own > 0 and self.needs.queue else None
        if budget is not None and own > budget[0] - budget[1]:
            found.state, found.own, found.waiting, found.by_payer = "waiting", money.ZERO, own, {}
            found.reasons = [*found.reasons, _reason("appropriation")]
        yield found


@dataclass(frozen=True, slots=True)
class _Who:
    """Whose loan it is, and by which policy and product it is judged."""

    kind: str
    number: str | None
    policy: Policy
    product: str | None


def _of_household(payments: Iterable[Payment]) -> Decimal:
    return sum((each.amount for each in payments if each.per == "household"), money.ZERO)


def _lacking(error: Exception) -> str:
    if isinstance(error, MissingFactError):
        return error.fact
    return (
        error.series if isinstance(error, UnknownRateError) else str(getattr(error, "facts", {}).get("parameter", ""))
    )
