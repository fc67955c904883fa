"""The case that eligibility judges, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError, fields, pre_load

from huilian.policy.case_fields import Amount, CaseSchema, Date, Number, Region, Told, Whole, Words
from huilian.policy.facts import FACTS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from huilian.policy.reading import Reading, Reason

__all__ = ["CASE", "REASONS", "Eligibility", "EligibilityCase", "ExistingLoan"]


REASONS: Final = MappingProxyType(
    {
        "not_shown": ("没有说明", "The case does not show it"),
        "product_closed": ("当日不办理此产品", "The product is not open on that day"),
        "borrower_not_served": ("产品不面向此类借款人", "The product does not serve such a borrower"),
        "no_lending": ("此类借款人不予贷款", "Such a borrower gets no loan"),
        "amount_below": ("金额低于下限", "The amount is under the minimum"),
        "amount_above": ("金额超过上限", "The amount is above the maximum"),
        "term_below": ("期限短于下限", "The term is under the minimum"),
        "term_above": ("期限超过上限", "The term is above the maximum"),
        "rate_below": ("利率低于下限", "The rate is under the minimum"),
        "rate_above": ("利率超过上限", "The rate is above the maximum"),
        "age": ("年龄不在规定范围内", "The age is outside the limits"),
        "purpose_refused": ("用途不准", "The purpose is refused"),
        "purpose_not_allowed": ("用途不在准许之列", "The purpose is not among those allowed"),
        "collateral_not_allowed": ("担保方式不在准许之列", "The security is not among those allowed"),
        "lender_not_allowed": ("放贷机构不在准许之列", "The lender is not among those allowed"),
        "way_not_allowed": ("帮扶方式不在准许之列", "The way of helping is not among those allowed"),
        "loan_outstanding": ("尚有未还清的贷款", "Another loan is outstanding"),
        "household_total_above": ("各笔余额合计超过每户上限", "All loans together are above the household's maximum"),
        "over_line": ("超过授信额度", "The loans together are above the credit line"),
        "suspended_area": ("所在区域或贷款银行已暂停放贷", "Lending is suspended in the area or at the bank"),
        "application_open": ("另有办理中的申请", "Another application is under way"),
        "led_by_another": ("农户已由其他主体带动", "A household is led by another already"),
        "barred": ("因奖惩暂不得贷款或享受扶持", "Reward and punishment bars from loans or support"),
        "not_signed": ("申请人或家庭成员没有签字", "The applicant or a member of the family did not sign"),
        "consent": ("没有签字同意并授权查询征信", "There is no consent to an inquiry"),
        "above_matched_amount": ("超过带动户数对应的额度", "The loan is above what matches the households led"),
        "over_lending_multiple": ("超过风险补偿金的放大倍数", "The loan exceeds the fund's multiple"),
    }
)
"""Codes of reasons beside conditions and the policy's own grounds, in Chinese and English."""

_BORROWERS: Final = FACTS["borrower"].words or ()
_GIVEN_TWICE: Final = "出现两次，且不相同 (given twice, differently)"
_NO_CODES: Final = "必须是条件代码的列表 (a list of codes of conditions)"


@dataclass(frozen=True)
class ExistingLoan:
    """A programme loan that the borrower has, or had.

    Args:
        balance: what is owed.
        product: of the policy; None: not known, and then taken for the same product.
        overdue_days: 0 where it is not overdue.
    """

    balance: Decimal
    product: str | None = None
    overdue_days: int = 0


@dataclass(frozen=True)
class EligibilityCase:
    """A loan that a borrower asks for, or has: a fact that the policy does not ask for may be None.

    Args:
        date: of the application, or of the contract.
        borrower: "household" or "enterprise".
        household_no: of the household.
        product: of the policy; None: the first that is open to such a borrower.
        household_kind: of the household.
        age: of the applicant, that day.
        region: code of the village.
        grade: None: has none; "": not known.
        score: of the rating.
        households_led: by an enterprise.
        debt_ratio_percent: debts to assets.
        amount: of the loan.
        term: in months.
        annual_rate_percent: of the contract.
        purpose: its code.
        institution: code of the bank.
        lender: the kind of bank, as the policy calls it.
        way: of helping, as the policy calls it.
        collateral: forms of security that the bank takes; "guarantor" for a person, "none" says the same as no form.
        existing_loans: programme loans of the household; None: not known.
        exclusions: grounds that were found, as the policy calls them.
        roster_since: the day from which the household is on the roster.
        roster_until: the day from which it is no more.
        programme_balance: all that the programme has lent.
        deposit: what the fund has deposited with the bank.
        committed: balances and open reservations on that deposit.
        line: the credit line in force; None: there is none, or nobody knows.
        suspended: whether lending is suspended in the area or at the bank; a text says where.
        application_open: whether another application of the borrower is under way; a text is its number.
        led_by_another: whether the household is led by another, or one that the enterprise leads is; a text says which.
        barred: whether something that the borrower did bars it from new loans; a text is the clause that says so.
        shown: conditions by their code, whether they are met; also `blacklisted`, `blacklisted_maliciously`,
            `defaulted_ever` (force majeure apart) and `signed` (applicant and family).
    """

    date: dt.date
    borrower: str = "household"
    household_no: str | None = None
    product: str | None = None
    household_kind: str | None = None
    age: int | None = None
    region: str | None = None
    grade: str | None = ""
    score: Decimal | None = None
    households_led: int | None = None
    debt_ratio_percent: Decimal | None = None
    amount: Decimal | None = None
    term: int | None = None
    annual_rate_percent: Decimal | None = None
    purpose: str | None = None
    institution: str | None = None
    lender: str | None = None
    way: str | None = None
    collateral: tuple[str, ...] = ()
    existing_loans: tuple[ExistingLoan, ...] | None = None
    exclusions: tuple[str, ...] = ()
    roster_since: dt.date | None = None
    roster_until: dt.date | None = None
    programme_balance: Decimal | None = None
    deposit: Decimal | None = None
    committed: Decimal | None = None
    line: Decimal | None = None
    suspended: bool | str = False
    application_open: bool | str = False
    led_by_another: bool | str = False
    barred: bool | str = False
    shown: Mapping[str, bool] = field(default_factory=dict)


class _ExistingLoanSchema(CaseSchema):
    of = ExistingLoan

    balance = Amount(required=True)
    product = Words(allow_none=True)
    overdue_days = Whole()


class _EligibilityCaseSchema(CaseSchema):
    of = EligibilityCase

    date = Date(required=True)
    borrower = Words(*_BORROWERS, load_default="household")
    household_no = Words(allow_none=True)
    product = Words(allow_none=True)
    household_kind = Words(*(FACTS["household_kind"].words or ()), allow_none=True)
    age = Whole(allow_none=True)
    region = Region(allow_none=True)
    grade = Words(allow_none=True)
    score = Number(most=100, allow_none=True)
    households_led = Whole(allow_none=True)
    debt_ratio_percent = Number(allow_none=True)
    amount = Amount(allow_none=True)
    term = Whole(allow_none=True)
    annual_rate_percent = Number(most=100, allow_none=True)
    purpose = Words(allow_none=True)
    institution = Words(allow_none=True)
    lender = Words(allow_none=True)
    way = Words(allow_none=True)
    collateral = fields.List(Words())
    existing_loans = fields.List(fields.Nested(_ExistingLoanSchema), allow_none=True)
    exclusions = fields.List(Words())
    roster_since = Date(allow_none=True)
    roster_until = Date(allow_none=True)
    programme_balance = Amount(allow_none=True)
    deposit = Amount(allow_none=True)
    committed = Amount(allow_none=True)
    line = Amount(allow_none=True)
    suspended = Told()
    application_open = Told()
    led_by_another = Told()
    barred = Told()
    shown = fields.Dict()

    @pre_load
    def flatten(self, raw: Any, **_: object) -> Any:  # noqa: ANN401  # whatever JSON has
        """Bring the facts of `applicant` and `household` together with those of the loan."""
        found = self._flat(raw) if isinstance(raw, dict) else {}
        return {
            **found,
            "shown": {key: each for key, each in found.items() if isinstance(each, bool) and key not in _TOLD},
        }

    def ignored(self, raw: dict[str, Any]) -> list[str]:
        """Return the keys that it does not know; whatever is true or false may be a condition of the policy."""
        return super().ignored({key: each for key, each in self._flat(raw).items() if not isinstance(each, bool)})

    def _flat(self, raw: dict[str, Any]) -> dict[str, Any]:
        household, met = raw.get("household"), raw.get("met")
        met = [] if met is None else met
        if not isinstance(met, list) or not all(isinstance(each, str) for each in met):
            raise ValidationError({"met": [_NO_CODES]})
        parts = [
            {key: each for key, each in raw.items() if key not in {"household", "applicant", "met", "shown"}},
            dict.fromkeys(met, True),
            {"household_no": household} if isinstance(household, str) else household,
            raw.get("applicant"),
        ]
        found: dict[str, Any] = {}
        for part in parts:
            for name, each in part.items() if isinstance(part, dict) else ():
                # `kind` is the borrower's beside the loan, the household's in the other two.
                of_borrower = isinstance(each, str) and each in _BORROWERS
                key = name if name != "kind" else "borrower" if of_borrower else "household_kind"
                if found.setdefault(key, each) != each:
                    raise ValidationError({key: [_GIVEN_TWICE]})
        return found


_TOLD: Final = frozenset(name for name, each in _EligibilityCaseSchema().fields.items() if isinstance(each, Told))


CASE: Final = _EligibilityCaseSchema()


@dataclass(frozen=True)
class Eligibility:
    """Whether a borrower may have a loan.

    Args:
        household_no: of the household.
        reasons: against it, all of them; none: eligible.
        to_be_shown: conditions of which the case says nothing: somebody must see them met before she approves.
        consequences: what follows without standing against it, as a loan that has no cover.
        steps: every check that was made.
        reading: of the policy.
    """

    household_no: str | None
    reasons: Sequence[Reason]
    to_be_shown: Sequence[Reason]
    consequences: Sequence[Reason]
    steps: Sequence[Mapping[str, Any]]
    reading: Reading = field(repr=False)

    @property
    def eligible(self) -> bool:
        """Whether nothing stands against it."""
        return not self.reasons

    def as_json(self) -> dict[str, Any]:
        """Return it for a program, with every rule and every check."""
        return {
            "household_no": self.household_no,
            "eligible": self.eligible,
            "reasons": [reason.as_json() for reason in self.reasons],
            "to_be_shown": [reason.as_json() for reason in self.to_be_shown],
            "consequences": [reason.as_json() for reason in self.consequences],
            **self.reading.as_json(),
            "steps": list(self.steps),
        }
