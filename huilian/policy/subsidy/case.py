"""The loan for which a subsidy is asked, and what a policy pays for it."""

from __future__ import annotations

import bisect
import datetime as dt
import functools
import itertools
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError, fields, post_load, validates_schema

from huilian.core import money
from huilian.policy.case_fields import Amount, CaseSchema, Date, Number, Region, Whole, Words
from huilian.policy.facts import FACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.policy.policies import Policy, Product
    from huilian.policy.reading import Reading

__all__ = [
    "CASE", "NOT_TOLD", "REASONS", "Balances", "OtherLoan", "Payment", "Period", "Reason", "Segment", "Subsidy",
    "SubsidyCase", "plain_number",
]  # fmt: skip


REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "no_product": ("签订之日没有适用的产品", "no product was open when the contract was signed"),
    "not_of_product": (
        "贷款不属于该产品（借款人或签订日不符）",
        "the product takes no such borrower or day",
    ),
    "no_subsidy": ("该产品不贴息", "the product pays no subsidy"),
    "malicious": ("恶意违约，不予贴息", "a malicious default earns no subsidy"),
    "not_lead_bank": ("不是包干银行的贷款，不予贴息", "the lender is not the area's lead bank"),
    "over_lending_multiple": ("超过基金放大倍数的贷款，不予贴息", "lent beyond the multiple of the fund"),
    "excluded": ("属于不予贴息的情形", "a ground for exclusion is met"),
    "not_said": ("方案对此期间没有规定贴息", "the plan says nothing of this time"),
    "share": ("只按比例贴息", "a part of the interest is subsidised"),
    "part_of_principal": ("超出部分的本金不贴息", "a part of the principal is not subsidised"),
    "households_led": ("超过带动户数对应的本金不贴息", "the principal passes what matches the households led"),
    "older_loans": ("本户较早的贷款已占用可贴息本金", "older loans use up the principal that may be subsidised"),
    "principal_cap": ("超过可贴息本金上限", "the principal passes its cap"),
    "principal_refused": ("超过可贴息本金上限，不予贴息", "the principal passes its cap; nothing is paid"),
    "daily_cap": ("超过每日贴息上限", "the subsidy of a day passes its cap"),
    "overdue": ("到期日起不贴息", "nothing is paid from the due date on"),
    "moratorium_not_subsidised": ("延期期间不贴息", "the time of the moratorium is not subsidised"),
    "period_forfeited": ("逾期，本结算期不予贴息", "overdue: the settlement period is forfeited"),
    "not_repaid_on_time": ("未按期还清，不予贴息", "the loan was not repaid on time"),
    "not_repaid_yet": ("还清后才贴息", "the subsidy is paid after repayment"),
    "cap": ("超过贴息上限，按上限支付", "the subsidy is cut to its cap"),
    "cap_refused": ("超过贴息上限，不予支付", "the subsidy would pass its cap and is refused"),
    "cap_waits": ("超过贴息上限，等待", "the subsidy would pass its cap and waits"),
    "appropriation_refused": ("年度预算已用完，不予支付", "the year's appropriation is used up: refused"),
    "appropriation_waits": ("年度预算已用完，按申报先后等待", "the year's appropriation is used up: waits in order"),
}
"""Chinese and English by code: what lowers or refuses a subsidy."""

_DAY: Final = dt.timedelta(days=1)
NOT_TOLD: Final = ""
"""A grade that the case leaves out; null means: not rated."""
_PLACES: Final = Decimal("0.000001")
_NOTHING_OWED: Final = "既无余额也无本金 (neither balances nor principal)"
_TWICE: Final = "同一天有两个余额 (two balances on one day)"
_BEFORE_START: Final = "早于起始日 (before start)"
_PERS: Final = ("loan", "household", "borrower_and_bank", "village", "county")

Balances = tuple[tuple[dt.date, Decimal], ...]


@dataclass(frozen=True)
class OtherLoan:
    """Another loan of the same household.

    Args:
        loan_no: its number.
        start: its first day.
        balances: from which day on which balance.
        institution: its bank.
        principal: holds from `start` until the first balance; None: the first balance does.
    """

    loan_no: str
    start: dt.date
    balances: Balances = ()
    institution: str | None = None
    principal: Decimal | None = None

    def most_owed(self, since: dt.date, day: dt.date) -> Decimal:
        """Return the highest balance from a day to another, both included."""
        if day < self.start:
            return money.ZERO
        first = self.balances[0][1] if self.balances else money.ZERO
        known = [(self.start, first if self.principal is None else self.principal), *self.balances]
        at = max(bisect.bisect_right(known, since, key=lambda each: each[0]) - 1, 0)
        return max(balance for start, balance in known[at:] if start <= day)


@dataclass(frozen=True)
class Payment:
    """A subsidy that was paid before.

    Args:
        per: whose: "loan", "household", "borrower_and_bank", "village" or "county".
        on: the last day of its settlement period.
        amount: yuan.
    """

    per: str
    on: dt.date
    amount: Decimal


@dataclass(frozen=True)
class SubsidyCase:
    """A loan for which a subsidy is asked; see the manual for the fields.

    Args:
        loan_no: its number at its bank.
        kind: "household" or "enterprise".
        start: its first day.
        due: its due date; after an extension, the new one.
        principal: the contract's.
        annual_rate_percent: the contract's; None where it is not known.
        household_no: of the borrower.
        product: None: the first that is open to this kind on the day of signing.
        signed: None: the day of the start.
        due_at_signing: where the loan was extended; its term is counted to this day.
        balances: from which day on which balance; before the first, the principal.
        settled: the day of full repayment.
        households_led: by an enterprise.
        paid_before: subsidies that the household had in all.
        institution: the bank.
        grade: of the household; None: not rated; "": not told.
        household_kind: as the roster has it.
        malicious: whether the borrower defaulted on purpose.
        other_loans: of the household.
        exclusions: grounds that are met.
        lead_bank: whether the bank is the area's lead bank; None: not told, and taken as true.
        region: code of the household's region.
        over_lending_multiple: whether the loan went beyond the multiple of the fund when it was lent.
        moratorium_months: granted; None: as many as the policy gives.
        payments_before: what was paid before, for caps that count a loan, a bank, a village, a year or a period.
        appropriation_used: by claims that were filed before, paid or waiting; None: the budget is not asked.
        paid_on_estimate: what was paid for the same periods beforehand.
    """

    loan_no: str
    kind: str
    start: dt.date
    due: dt.date
    principal: Decimal
    annual_rate_percent: Decimal | None
    household_no: str | None = None
    product: str | None = None
    signed: dt.date | None = None
    due_at_signing: dt.date | None = None
    balances: Balances = ()
    settled: dt.date | None = None
    households_led: int | None = None
    paid_before: Decimal = money.ZERO
    institution: str | None = None
    grade: str | None = NOT_TOLD
    household_kind: str | None = None
    malicious: bool = False
    other_loans: tuple[OtherLoan, ...] = ()
    exclusions: tuple[str, ...] = ()
    lead_bank: bool | None = None
    region: str | None = None
    over_lending_multiple: bool = False
    moratorium_months: int | None = None
    payments_before: tuple[Payment, ...] | None = None
    appropriation_used: Decimal | None = None
    paid_on_estimate: Decimal | None = None


class _BalanceSchema(CaseSchema):
    since = Date(required=True, data_key="from")
    balance = Amount(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> tuple[dt.date, Decimal]:
        """Return the day and the balance."""
        return data["since"], data["balance"]


class _Balances(fields.List[tuple[dt.date, Decimal]]):
    """Balances by day, in order, no day twice."""

    def __init__(self) -> None:
        super().__init__(fields.Nested(_BalanceSchema), load_default=(), allow_none=True)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # marshmallow's
        found: list[Any] = super()._deserialize(value, attr, data, **kwargs)
        if len({day for day, _ in found}) < len(found):
            raise ValidationError(_TWICE)
        return tuple(sorted(found))


class _OtherLoanSchema(CaseSchema):
    of = OtherLoan
    loan_no = Words(required=True)
    start = Date(required=True)
    balances = _Balances()
    institution = Words(allow_none=True)
    principal = Amount(allow_none=True)
    settled = Date(allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> OtherLoan:
        """Return the loan; from the day of its repayment it owes nothing."""
        settled = data.pop("settled", None)
        data["balances"] = data["balances"] or ()
        if not data["balances"] and data.get("principal") is None:
            raise ValidationError(_NOTHING_OWED, "balances")
        if settled is not None:
            data["balances"] = (*(each for each in data["balances"] if each[0] < settled), (settled, money.ZERO))
        return OtherLoan(**data)


class _PaymentSchema(CaseSchema):
    of = Payment
    per = Words(*_PERS, required=True)
    on = Date(required=True)
    amount = Amount(required=True)


class _SubsidyCaseSchema(CaseSchema):
    of = SubsidyCase
    loan_no = Words(required=True)
    kind = Words("household", "enterprise", required=True)
    start = Date(required=True)
    due = Date(required=True)
    principal = Amount(required=True)
    annual_rate_percent = Number(required=True, allow_none=True, most=100)
    household_no = Words(allow_none=True)
    product = Words(allow_none=True)
    signed = Date(allow_none=True)
    due_at_signing = Date(allow_none=True)
    balances = _Balances()
    settled = Date(allow_none=True)
    households_led = Whole(allow_none=True)
    paid_before = Amount(allow_none=True)
    institution = Words(allow_none=True)
    grade = Words(allow_none=True)
    household_kind = Words(*(FACTS["household_kind"].words or ()), allow_none=True)
    malicious = fields.Boolean(truthy={True}, falsy={False}, allow_none=True)
    other_loans = fields.List(fields.Nested(_OtherLoanSchema), allow_none=True)
    exclusions = fields.List(Words(), allow_none=True)
    lead_bank = fields.Boolean(truthy={True}, falsy={False}, allow_none=True)
    region = Region(allow_none=True)
    over_lending_multiple = fields.Boolean(truthy={True}, falsy={False}, allow_none=True)
    moratorium_months = Whole(allow_none=True)
    payments_before = fields.List(fields.Nested(_PaymentSchema), allow_none=True)
    appropriation_used = Amount(allow_none=True)
    paid_on_estimate = Amount(allow_none=True)

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_: object) -> None:
        if data["due"] < data["start"]:
            raise ValidationError(_BEFORE_START, "due")
        if (settled := data.get("settled")) is not None and settled < data["start"]:
            raise ValidationError(_BEFORE_START, "settled")

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> SubsidyCase:
        """Return the case; null is the same as left out, but a grade of null is: not rated."""
        known: dict[str, Any] = {}
        for key, value in data.items():
            if value is not None or key in _MAY_BE_NONE:
                known[key] = tuple(value) if isinstance(value, list) else value
        return SubsidyCase(**known)


_MAY_BE_NONE: Final = ("annual_rate_percent", "grade")
CASE: Final = _SubsidyCaseSchema()
"""Loads a case from JSON."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Days on which nothing changed.

    Args:
        since: the first day.
        until: the day after the last.
        months: where months are counted, how many.
        principal: the subsidised part of the balance.
        rate_percent: a year, times the share that is subsidised.
        amount: exact.
    """

    since: dt.date
    until: dt.date
    months: int | None
    principal: Decimal
    rate_percent: Decimal
    amount: Decimal

    def as_json(self) -> dict[str, Any]:
        """Return it for a program; `amount` has six places and is not for adding up."""
        months = {} if self.months is None else {"months": self.months}
        return {
            "from": self.since.isoformat(),
            "to": self.until.isoformat(),
            "days": (self.until - self.since).days,
            **months,
            "principal": plain_number(self.principal),
            "rate_percent": plain_number(self.rate_percent),
            "amount": f"{self.amount.quantize(_PLACES, 'ROUND_HALF_UP'):f}",
        }


@dataclass(frozen=True, slots=True)
class Period:
    """A settlement period.

    Args:
        first: day.
        last: day, included.
        exact: what it earns, before rounding.
        amount: what is paid.
        waiting: what waits for money.
        by_payer: parts of the amount.
        steps: what caps and budgets did to the rounded amount.
    """

    first: dt.date
    last: dt.date
    exact: Decimal
    amount: Decimal
    waiting: Decimal
    by_payer: Mapping[str, Decimal]
    steps: tuple[dict[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "from": self.first.isoformat(),
            "to": (self.last + _DAY).isoformat(),
            "exact": f"{self.exact.quantize(_PLACES, 'ROUND_HALF_UP'):f}",
            "rounded": money.text(money.round_to_fen(self.exact)),
            "amount": money.text(self.amount),
            "waiting": money.text(self.waiting),
            "by_payer": {payer: money.text(part) for payer, part in self.by_payer.items()},
        }


@dataclass(frozen=True, slots=True)
class Reason:
    """Why less is paid, or nothing.

    Args:
        code: of `REASONS`.
        clause: that it rests on; empty where the case itself is the reason.
        ground: of an exclusion.
    """

    code: str
    clause: str = ""
    ground: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        chinese, english = REASONS[self.code]
        ground = {"ground": self.ground} if self.ground else {}
        return {"code": self.code, "chinese": chinese, "english": english, "clause": self.clause, **ground}


@dataclass(frozen=True, slots=True)
class Subsidy:
    """What a policy pays for a loan in a time.

    Args:
        case: the loan.
        policy: by which it was judged.
        product: None where there is none.
        periods: that were settled.
        segments: that their amounts rest on.
        reasons: what lowered or refused something.
        estimated: whether the policy pays on an estimate first.
        readings: what was read of the policy.
        steps: what was found out about the contract.
    """

    case: SubsidyCase
    policy: Policy
    product: Product | None
    periods: tuple[Period, ...] = ()
    segments: tuple[Segment, ...] = ()
    reasons: tuple[Reason, ...] = ()
    estimated: bool = False
    readings: tuple[Reading, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()

    @property
    def amount(self) -> Decimal:
        """What is paid."""
        return sum((period.amount for period in self.periods), money.ZERO)

    @property
    def waiting(self) -> Decimal:
        """What waits for money."""
        return sum((period.waiting for period in self.periods), money.ZERO)

    @property
    def by_payer(self) -> dict[str, Decimal]:
        """Who pays which part."""
        parts: dict[str, Decimal] = {}
        for payer, part in itertools.chain.from_iterable(period.by_payer.items() for period in self.periods):
            parts[payer] = parts.get(payer, money.ZERO) + part
        return parts

    @property
    def known_until(self) -> dt.date | None:
        """The last day for which a published rate that was used is known, where that is passed."""
        return min((each.known_until for each in self.readings if each.known_until), default=None)

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        read = {(row["rule"], row["line"]): row for reading in self.readings for row in reading.used}
        found: dict[str, Any] = {
            "loan_no": self.case.loan_no,
            "amount": money.text(self.amount),
            "by_payer": {payer: money.text(part) for payer, part in self.by_payer.items()},
            "segments": [segment.as_json() for segment in self.segments],
            "reasons": [reason.as_json() for reason in self.reasons],
            "policy": self.policy.name,
            "version": self.policy.version,
            "product": self.product.name if self.product else None,
            "waiting": money.text(self.waiting),
            "periods": [period.as_json() for period in self.periods],
            "estimated": self.estimated,
            "parameters": list(read.values()),
            "steps": [*self.steps, *itertools.chain.from_iterable(period.steps for period in self.periods)],
            "known_until": self.known_until.isoformat() if self.known_until else None,
        }
        if self.case.paid_on_estimate is not None:
            found["difference"] = money.text(self.amount - self.case.paid_on_estimate)
        return found


@functools.lru_cache(maxsize=10_000)
def plain_number(number: Decimal) -> str:
    """Return a number with two places, or as many as it has."""
    short = number.normalize()
    return f"{short:f}" if -int(short.as_tuple().exponent) > 2 else f"{number:.2f}"  # noqa: PLR2004
