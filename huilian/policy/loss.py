"""Loss: what of a bad loan is made good, who bears which share of it, and to whom later recoveries go."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError, fields

from huilian.core import money
from huilian.core.errors import ConfigurationError
from huilian.policy.case_fields import Amount, CaseSchema, Date, Region, Whole, Words
from huilian.policy.facts import FACTS, Interval
from huilian.policy.reading import Reading, Reason
from huilian.policy.tables import MissingFactError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.policy import facts
    from huilian.policy.policies import Policy, Product
    from huilian.policy.tables import Row
    from huilian.policy.values import Duration
    from huilian.policy.working_days import WorkingDays

__all__ = ["CASE", "REASONS", "FundRoom", "Loss", "LossCase", "fund_room", "rewards_for_lending", "share"]


REASONS: Final = MappingProxyType(
    {
        "malicious": ("恶意违约，不予补偿", "A malicious default is not made good"),
        "cause_not_covered": ("损失原因不在补偿范围内", "The cause of the loss is not covered"),
        "not_guaranteed": ("贷款没有担保", "The loan is not guaranteed"),
        "too_early": ("逾期天数或缓冲期未到", "The waiting days or the buffer are not over"),
        "too_late": ("逾期天数已超过可申请的期限", "The loan has been overdue too long to ask"),
        "over_lending_multiple": ("贷款超过风险补偿金的放大倍数", "The loan exceeds the fund's multiple"),
        "not_covered": ("不在补偿范围内", "The loan is not covered"),
        "nothing_said": ("方案未规定补偿", "The plan says nothing of such a loan"),
        "no_compensation": ("该产品没有风险补偿", "The product has no compensation"),
    }
)
"""Codes of refusals, in Chinese and English."""

_BANK: Final = "bank"
_INSURER: Final = "insurer"
_GUARANTORS: Final = frozenset({"guarantor", "reguarantor"})
_HUNDRED: Final = Decimal(100)
_NO_PRODUCT: Final = (
    "政策没有这个产品，或没有当日对此类借款人开放的产品 (no such product for this borrower on that day)"
)


@dataclass(frozen=True)
class LossCase:
    """A loss for which a bank, or a borrower, asks compensation.

    Args:
        loan_no: of the loan.
        kind: "household" or "enterprise".
        signed: the day of the contract.
        cause: "force_majeure", "other" or "malicious".
        principal: lost, before anybody paid.
        interest: lost.
        product: of the policy; None: the first that was open to such a borrower when the contract was signed.
        event: the day of the request.
        due: the day on which the loan fell due.
        overdue_days: on the day of the request.
        insurance_paid: by the insurer.
        recovered_before: the request.
        recovered_after: the compensation was paid.
        recovered_on: the day of the last recovery.
        guaranteed: whether a guarantor stands for the loan.
        institution: code of the bank.
        household_kind: of the household.
        grade: of the borrower; None: has none; "": not known.
        amount: of the loan when it was lent.
        term: of the loan, in months.
        region: code of the borrower's village.
        older_balance: what the borrower's older programme loans still owe; they come first in the covered amount.
        over_lending_multiple: whether the loan went beyond the multiple of the fund when it was lent.
    """

    loan_no: str
    kind: str
    signed: dt.date
    cause: str
    principal: Decimal
    interest: Decimal = money.ZERO
    product: str | None = None
    event: dt.date | None = None
    due: dt.date | None = None
    overdue_days: int | None = None
    insurance_paid: Decimal = money.ZERO
    recovered_before: Decimal = money.ZERO
    recovered_after: Decimal = money.ZERO
    recovered_on: dt.date | None = None
    guaranteed: bool | None = None
    institution: str | None = None
    household_kind: str | None = None
    grade: str | None = ""
    amount: Decimal | None = None
    term: int | None = None
    region: str | None = None
    older_balance: Decimal = money.ZERO
    over_lending_multiple: bool = False


class _LossCaseSchema(CaseSchema):
    of = LossCase

    loan_no = Words(required=True)
    kind = Words("household", "enterprise", required=True)
    signed = Date(required=True)
    cause = Words(*(FACTS["cause"].words or ()), required=True)
    principal = Amount(required=True)
    interest = Amount(load_default=money.ZERO)
    product = Words(allow_none=True, load_default=None)
    event = Date(allow_none=True, load_default=None)
    due = Date(allow_none=True, load_default=None)
    overdue_days = Whole(allow_none=True, load_default=None)
    insurance_paid = Amount(load_default=money.ZERO)
    recovered_before = Amount(load_default=money.ZERO)
    recovered_after = Amount(load_default=money.ZERO)
    recovered_on = Date(allow_none=True, load_default=None)
    guaranteed = fields.Boolean(truthy={True}, falsy={False}, allow_none=True, load_default=None)
    institution = Words(allow_none=True, load_default=None)
    household_kind = Words(*(FACTS["household_kind"].words or ()), allow_none=True, load_default=None)
    grade = Words(allow_none=True, load_default="")
    amount = Amount(allow_none=True, load_default=None)
    term = Whole(allow_none=True, load_default=None)
    region = Region(allow_none=True, load_default=None)
    older_balance = Amount(load_default=money.ZERO)
    over_lending_multiple = fields.Boolean(truthy={True}, falsy={False}, load_default=False)


CASE: Final = _LossCaseSchema()


@dataclass(frozen=True)
class Loss:
    """What a policy makes of a loss.

    Args:
        loan_no: of the loan.
        covered: what is made good.
        shares: who bears it; never the insurer, who paid before. They add up to `covered`.
        second_tier: who bears what is lost for good of one party's share.
        recovery_shares: to whom `recovered_after` goes, all of it.
        refusals: why nothing is made good; empty where something is.
        pay_by: the last day for paying, where the policy sets one.
        return_by: the last day for handing recoveries over, where the policy sets one.
        steps: of the calculation.
        reading: of the policy.
    """

    loan_no: str
    covered: Decimal
    shares: Mapping[str, Decimal]
    second_tier: Mapping[str, Decimal]
    recovery_shares: Mapping[str, Decimal]
    refusals: tuple[Reason, ...]
    pay_by: dt.date | None
    return_by: dt.date | None
    steps: tuple[Mapping[str, Any], ...]
    reading: Reading = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return it for a program, with every rule and every step."""
        return {
            "loan_no": self.loan_no,
            "covered": money.text(self.covered),
            "shares": _texts(self.shares),
            "second_tier": _texts(self.second_tier),
            "recovery_shares": _texts(self.recovery_shares),
            "refused": [reason.code for reason in self.refusals],
            "refusals": [reason.as_json() for reason in self.refusals],
            "pay_by": self.pay_by.isoformat() if self.pay_by else None,
            "return_by": self.return_by.isoformat() if self.return_by else None,
            **self.reading.as_json(),
            "steps": list(self.steps),
        }


def share(policy: Policy, case: LossCase, working_days: WorkingDays) -> Loss:
    """Share a loss by a policy.

    Args:
        policy: whose rules hold.
        case: the loss.
        working_days: for times that count them.

    Raises:
        ValidationError: the policy has no such product.
        MissingFactError: the policy asks for a fact that the case does not give.
        ConfigurationError: HL6007, the policy has no shares for such a loss.
    """
    product = _product(policy, case)
    reading = Reading(policy, product)
    situation = _situation(policy, case)
    refusals = _refusals(reading, case, situation, working_days)
    steps: list[Mapping[str, Any]] = []
    covered, shares, second_tier = money.ZERO, {}, {}
    if not refusals:
        covered = _covered(reading, case, situation, steps)
        shares = money.split(covered, _weights(reading, situation))
    recovered = _recovered(reading, case, situation, covered, shares)
    if not refusals and (party := reading.value("loss.second_tier_of", situation)) is not None:
        # Only what is not recovered of a party's share falls to the second tier.
        lost = max(money.ZERO, shares.get(party, money.ZERO) - recovered.get(party, money.ZERO))
        second_tier = money.split(lost, reading.required("loss.second_tier", situation))
        steps.append({"step": "second_tier", "of": party, "amount": money.text(lost)})
    paid_within = reading.value("loss.paid_within", situation) if case.event and not refusals else None
    returned_within = reading.value("loss.returned_within", situation) if case.recovered_on else None
    return Loss(
        case.loan_no,
        covered,
        shares,
        second_tier,
        recovered,
        tuple(refusals),
        _last_day(case.event, paid_within, working_days),
        _last_day(case.recovered_on, returned_within, working_days),
        tuple(steps),
        reading,
    )


@dataclass(frozen=True)
class FundRoom:
    """What a deposit of the fund still carries.

    Args:
        free: what may still be lent; negative where too much was.
        beyond: "refuse" or "lend_without_cover": what more than that meets.
        clause: of the plan.
        multiple: of the deposit that may be lent.
    """

    free: Decimal
    beyond: str
    clause: str
    multiple: Decimal


def fund_room(
    reading: Reading, *, deposit: Decimal, committed: Decimal, on: dt.date, bank: str | None = None
) -> FundRoom | None:
    """Return what a deposit still carries; None where the plan sets no multiple.

    Args:
        reading: of the policy.
        deposit: what the fund has deposited.
        committed: balances and open reservations together.
        on: the day of the confirmation.
        bank: code of the bank, where the policy tells banks apart.

    Raises:
        MissingFactError: the policy asks for a fact that is not given.
    """
    situation = {"event": on, "bank": bank}
    multiple = reading.row("fund.lending_multiple_maximum", situation)
    if multiple is None or multiple.value is None:
        return None
    beyond = reading.row("fund.beyond", situation) or multiple
    consequence = "refuse" if beyond is multiple else beyond.value
    return FundRoom(multiple.value * deposit - committed, consequence, beyond.source, multiple.value)


def rewards_for_lending(reading: Reading, lent: Decimal, *, borrower: str, on: dt.date) -> dict[str, Decimal]:
    """Return what a bank gets for what it lent: "compensation" whatever its losses, and "reward".

    Args:
        reading: of the policy.
        lent: in the time that is rewarded.
        borrower: "household" or "enterprise".
        on: the day for which the shares are read.
    """
    situation = {"event": on, "borrower": borrower}
    shares = {
        "compensation": reading.value("fund.compensation_for_lending", situation),
        "reward": reading.value("fund.reward_for_lending", situation),
    }
    return {key: money.round_to_fen(lent * percent / _HUNDRED) for key, percent in shares.items() if percent}


def _product(policy: Policy, case: LossCase) -> Product:
    product = policy.product(case.product, borrower=case.kind, signed=case.signed)
    if product is None or case.kind not in product.borrowers:
        raise ValidationError({"product": [_NO_PRODUCT]})
    return product


def _situation(policy: Policy, case: LossCase) -> dict[str, Any]:
    situation = {
        "signed": case.signed,
        "event": case.event,
        "due": case.due,
        "borrower": case.kind,
        "household_kind": case.household_kind,
        "cause": case.cause,
        "guaranteed": None if case.guaranteed is None else "yes" if case.guaranteed else "no",
        "amount": case.amount,
        "term": case.term,
        "bank": case.institution,
        "overdue_days": case.overdue_days,
        "region_list": policy.vocabulary.region_list_of(case.region),
    }
    return situation if case.grade == "" else situation | {"grade": case.grade}


def _refusals(
    reading: Reading, case: LossCase, situation: Mapping[str, Any], working_days: WorkingDays
) -> list[Reason]:
    if reading.product is None or not reading.product.has("loss"):
        return [_reason("no_compensation", "")]
    refusals = {reason.code: reason for reason in _not_covered(reading, situation)}
    if (source := _too_early(reading, case, situation, working_days)) is not None:
        refusals.setdefault("too_early", _reason("too_early", source))
    shares = reading.row("loss.shares", situation)
    if shares is not None and shares.value is not None and _GUARANTORS & shares.value.keys():
        if case.guaranteed is None and not refusals:
            raise MissingFactError(shares.rule, "guaranteed")
        if case.guaranteed is False:
            refusals.setdefault("not_guaranteed", _reason("not_guaranteed", shares.source))
    if case.over_lending_multiple:
        at_lending = {**situation, "event": case.signed}
        row = reading.row("fund.beyond", at_lending) or reading.row("fund.lending_multiple_maximum", at_lending)
        if row is not None:
            refusals["over_lending_multiple"] = _reason("over_lending_multiple", row.source)
    return list(refusals.values())


def _not_covered(reading: Reading, situation: Mapping[str, Any]) -> list[Reason]:
    """Return why a loss is not covered: every fact that, were it another one, would have it covered."""
    row, table = reading.row("loss.covered", situation), reading.table("loss.covered")
    if row is None or table is None or row.value:
        return []
    if row.value is None:
        return [_reason("nothing_said", row.source)]
    covering = [each.when for each in table.rows if each.value]
    others = {fact: [when[fact] for when in covering if _hold(when, situation, but=fact)] for fact in row.when}
    codes = dict.fromkeys(_code(fact, situation, each) for fact, each in others.items() if each) or ["not_covered"]
    malicious = situation["cause"] == "malicious"
    return [_reason("malicious" if malicious and code == "cause_not_covered" else code, row.source) for code in codes]


_CODES: Final = MappingProxyType({"cause": "cause_not_covered", "guaranteed": "not_guaranteed"})
"""Codes by the fact that keeps a loss from being covered."""


def _code(fact: str, situation: Mapping[str, Any], covering: Sequence[facts.Interval | facts.Words]) -> str:
    """Return the code for a fact that keeps a loss from being covered; with one of `covering` it would be."""
    days = situation.get(fact)
    if fact != "overdue_days" or days is None:
        return _CODES.get(fact, "not_covered")
    # A table may end the time for asking, too: then waiting does not help.
    later = any(isinstance(each, Interval) and each.low is not None and (days, 0) < each.low for each in covering)
    return "too_early" if later else "too_late"


def _hold(when: Mapping[str, facts.Interval | facts.Words], situation: Mapping[str, Any], *, but: str) -> bool:
    others = ((condition, situation.get(fact)) for fact, condition in when.items() if fact != but)
    return all(condition.anything or (value is not None and condition.has(value)) for condition, value in others)


def _too_early(reading: Reading, case: LossCase, situation: Mapping[str, Any], working_days: WorkingDays) -> str | None:
    """Return the clause by which a request comes too early."""
    waiting = reading.row("loss.waiting_days", situation)
    if waiting is not None and waiting.value:
        if case.overdue_days is None:
            raise MissingFactError(waiting.rule, "overdue_days")
        if case.overdue_days < waiting.value:
            return waiting.source
    buffer = reading.row("loss.buffer", situation)
    if buffer is None or buffer.value is None:
        return None
    if case.event is None:
        raise MissingFactError(buffer.rule, "event")
    due = case.due
    if due is None:
        if case.overdue_days is None:
            raise MissingFactError(buffer.rule, "due")
        due = case.event - dt.timedelta(days=case.overdue_days)
    return buffer.source if case.event < working_days.after(due, buffer.value) else None


def _covered(reading: Reading, case: LossCase, situation: Mapping[str, Any], steps: list[Mapping[str, Any]]) -> Decimal:
    """Return what is made good: what is left after insurance and recoveries, of it the part that the plan covers."""
    principal, interest = case.principal, case.interest
    steps.append({"step": "lost", "principal": money.text(principal), "interest": money.text(interest)})
    if not reading.value("loss.interest", situation, default=True):
        interest = money.ZERO
        steps.append({"step": "interest_not_covered"})
    for step, paid in (("insurance_paid", case.insurance_paid), ("recovered_before", case.recovered_before)):
        # What is paid goes to the principal first; where all of both is covered, the order does not matter.
        from_principal = min(paid, principal)
        principal -= from_principal
        interest = max(money.ZERO, interest - (paid - from_principal))
        left = money.text(principal + interest)
        steps.append({"step": step, "amount": money.text(paid), "left": left})
    pieces = reading.slices("loss.principal", "amount_slice", situation)
    covered = _part(principal, case.older_balance, pieces, steps)
    if case.principal:
        # Interest fell due on the whole principal that was lost, so it is covered as much as that is.
        share_of_interest = _part(case.principal, case.older_balance, pieces, []) / case.principal
    else:
        share_of_interest = _percent(pieces[0][2].value) / _HUNDRED if pieces else Decimal(1)
    exact = covered + interest * share_of_interest
    rounded = money.round_to_fen(exact)
    steps.append({"step": "covered", "exact": f"{exact:.6f}", "rounded": money.text(rounded)})
    return rounded


def _part(
    principal: Decimal,
    older: Decimal,
    pieces: list[tuple[Decimal, Decimal | None, Row]],
    steps: list[Mapping[str, Any]],
) -> Decimal:
    """Return what of a principal is covered, where older loans take the first slices."""
    if not pieces:
        return principal
    covered = Decimal(0)
    for low, high, row in pieces:
        top = older + principal if high is None else min(high, older + principal)
        inside = max(Decimal(0), top - max(low, older))
        percent = _percent(row.value)
        covered += inside * percent / _HUNDRED
        if inside:
            steps.append({"step": "slice", "principal": money.text(inside), "percent": f"{percent:f}"})
    return covered


def _percent(value: Decimal | None) -> Decimal:
    # The plan says nothing of this part: it is not covered.
    return Decimal(0) if value is None else value


def _weights(reading: Reading, situation: Mapping[str, Any]) -> dict[str, int]:
    """Return who shares a loss, without the insurer, who paid before."""
    found = reading.required("loss.shares", situation)
    weights = {party: weight for party, weight in found.items() if party != _INSURER}
    if not weights:
        date = situation["event"] or situation["signed"]
        raise ConfigurationError("HL6007", policy=reading.policy.name, date=date, parameter="loss.shares")
    return weights


def _recovered(
    reading: Reading,
    case: LossCase,
    situation: Mapping[str, Any],
    covered: Decimal,
    shares: Mapping[str, Decimal],
) -> dict[str, Decimal]:
    """Return to whom later recoveries go: nobody gets more back than all paid, the rest is the bank's."""
    back = min(case.recovered_after, covered)
    recovered = dict.fromkeys(shares, money.ZERO)
    if back:
        if reading.value("loss.recovery", situation, default="in_proportion") == "shares":
            recovered = money.split(back, reading.required("loss.recovery_shares", situation))
        else:
            recovered = money.split(back, {party: money.to_fen(paid) for party, paid in shares.items()})
    if rest := case.recovered_after - back:
        recovered[_BANK] = recovered.get(_BANK, money.ZERO) + rest
    return recovered


def _last_day(day: dt.date | None, time: Duration | None, working_days: WorkingDays) -> dt.date | None:
    return None if day is None or time is None else working_days.after(day, time)


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {party: money.text(amount) for party, amount in amounts.items()}


def _reason(code: str, clause: str) -> Reason:
    return Reason(code, REASONS[code][0], clause)
