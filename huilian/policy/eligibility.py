"""Eligibility: whether a borrower may have a loan, and every reason against it at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError, fields, pre_load

from huilian.core import money
from huilian.policy.case_fields import Amount, CaseSchema, Date, Number, Region, Whole, Words
from huilian.policy.facts import FACTS
from huilian.policy.loss import fund_room
from huilian.policy.reading import Reading, Reason
from huilian.policy.structure import CONDITIONS
from huilian.policy.tables import MissingFactError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from huilian.policy.policies import Entry, Policy, Product
    from huilian.policy.reference_rates import ReferenceRates
    from huilian.policy.tables import Row

__all__ = ["CASE", "REASONS", "Eligibility", "EligibilityCase", "ExistingLoan", "judge"]


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
        "over_lending_multiple": ("超过风险补偿金的放大倍数", "The loan exceeds the fund's multiple"),
    }
)
"""Codes of reasons beside conditions and the policy's own grounds, in Chinese and English."""


_BORROWERS: Final = FACTS["borrower"].words or ()
_GUARANTOR: Final = "guarantor"
_GIVEN_TWICE: Final = "出现两次，且不相同 (given twice, differently)"
_NO_CODES: Final = "必须是条件代码的列表 (a list of codes of conditions)"
_TITLES: Final = MappingProxyType({"purpose": "贷款用途", "existing_loans": "已有贷款"})
"""Of keys that are neither facts nor conditions."""
_NO_PRODUCT: Final = "政策没有这个产品；有：{known} (no such product; known: {known})"


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
        shown: conditions by their code, whether they are met; `blacklisted` and `blacklisted_maliciously`, too.
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
    shown = fields.Dict()

    @pre_load
    def flatten(self, raw: Any, **_: object) -> Any:  # noqa: ANN401  # whatever JSON has
        """Bring the facts of `applicant` and `household` together with those of the loan."""
        found = self._flat(raw) if isinstance(raw, dict) else {}
        return {**found, "shown": {key: each for key, each in found.items() if isinstance(each, bool)}}

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


def judge(policy: Policy, case: EligibilityCase, rates: ReferenceRates) -> Eligibility:
    """Judge whether a borrower may have a loan.

    A fact that the policy asks for and the case does not give is the reason `not_shown`, about that fact.

    Args:
        policy: whose rules hold.
        case: the borrower and the loan.
        rates: published rates, for caps that follow them.

    Raises:
        ValidationError: the policy has no such product, or no such ground.
        UnknownRateError: a cap refers to a rate that is not known.
    """
    product = _product(policy, case)
    reading = Reading(policy, product, rates)
    if product is None or case.borrower not in product.borrowers:
        reason = Reason("borrower_not_served", REASONS["borrower_not_served"][0])
        return Eligibility(case.household_no, (reason,), (), (), (), reading)
    judging = _Judging(policy, product, case, reading)
    for check in _CHECKS:
        try:
            check(judging)
        except MissingFactError as error:
            judging.not_shown(error.fact)
    found = judging.reasons, judging.to_be_shown, judging.consequences, judging.steps
    return Eligibility(case.household_no, *found, reading)


def _product(policy: Policy, case: EligibilityCase) -> Product | None:
    product = policy.product(case.product, borrower=case.borrower, signed=case.date)
    if product is None and case.product is not None:
        raise ValidationError({"product": [_NO_PRODUCT.format(known=", ".join(policy.products))]})
    # Where none is open, the first for such a borrower tells the other reasons.
    return product or policy.product(None, borrower=case.borrower)


class _Judging:
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


def _title(fact: str) -> str:
    return FACTS[fact].title if fact in FACTS else _TITLES.get(fact, fact)


def _given(row: Row, fact: str, value: Any) -> Any:  # noqa: ANN401  # any fact
    """Return a fact that a rule asks for, or raise that it is missing."""
    if value is None:
        raise MissingFactError(row.rule, fact)
    return value


def _open(judging: _Judging) -> None:
    opened = judging.product.open
    if opened is not None and not opened.has(judging.case.date):
        judging.against("product_closed", more=f"（{opened}）")


def _bound(rule: str, fact: str, code: str) -> Callable[[_Judging], None]:
    """Return the check of a bound of the loan, both of them included."""

    def check(judging: _Judging) -> None:
        if fact == "rate" and judging.case.annual_rate_percent is None:
            return
        row = judging.reading.row(f"lending.{rule}", judging.situation)
        if row is not None and row.value is None and rule == "amount_maximum":
            judging.against("no_lending", row.source)
        if row is None or row.value is None:
            return
        given = _given(row, fact, judging.situation[fact])
        bound, unit = row.value, ""
        if fact == "rate":
            term, unit = _given(row, "term", judging.case.term), "%"
            bound = judging.reading.percent(bound, on=judging.case.date, term=term, contract=given)
        above = rule.endswith("_maximum")
        more = f"：{given}{unit} {'>' if above else '<'} {bound}{unit}"
        judging.hold(row, given, met=given <= bound if above else given >= bound, code=code, more=more)

    return check


def _age(judging: _Judging) -> None:
    if judging.case.borrower != "enterprise" and (row := judging.limit("age")) is not None:
        age = _given(row, "age", judging.case.age)
        judging.hold(row, age, met=row.value.has(age), code="age", more=f"：{age}，应为 {row.value}")


def _purpose(judging: _Judging) -> None:
    purpose = judging.case.purpose
    for rule, code, wanted in (
        ("purposes_refused", "purpose_refused", False),
        ("purposes_allowed", "purpose_not_allowed", True),
    ):
        if (row := judging.limit(rule)) is not None:
            _given(row, "purpose", purpose)
            judging.hold(row, purpose, met=(purpose in row.value) == wanted, code=code, more=f"：{purpose}")


def _allowed(judging: _Judging) -> None:
    case = judging.case
    for rule, code, given in (
        ("collateral", "collateral_not_allowed", case.collateral),
        ("lenders", "lender_not_allowed", (case.lender,) if case.lender else ()),
        ("ways", "way_not_allowed", (case.way,) if case.way else ()),
    ):
        if given and (row := judging.limit(rule)) is not None:
            met = set(given) <= set(row.value)
            judging.hold(row, ", ".join(given), met=met, code=code, more=f"：{', '.join(given)}")


def _outstanding(judging: _Judging) -> None:
    row = judging.limit("outstanding")
    if row is None or row.value == "several":
        return
    loans = _given(row, "existing_loans", judging.case.existing_loans)
    same = (loan for loan in loans if row.value == "one_in_all" or loan.product in {None, judging.product.name})
    owed = sum((loan.balance for loan in same), money.ZERO)
    judging.hold(row, money.text(owed), met=not owed, code="loan_outstanding", more=f"：{money.text(owed)}")


def _household_total(judging: _Judging) -> None:
    if (row := judging.limit("principal_maximum")) is None:
        return
    loans = _given(row, "existing_loans", judging.case.existing_loans)
    amount = _given(row, "amount", judging.case.amount)
    total = amount + sum((loan.balance for loan in loans), money.ZERO)
    more = f"：{money.text(total)} > {money.text(row.value)}"
    judging.hold(row, money.text(total), met=total <= row.value, code="household_total_above", more=more)


def _fund(judging: _Judging) -> None:
    case = judging.case
    if case.deposit is None or case.committed is None or case.amount is None:
        return
    on_deposit = {"deposit": case.deposit, "committed": case.committed}
    room = fund_room(judging.reading, **on_deposit, on=case.date, bank=case.institution)
    if room is None:
        return
    met = case.amount <= room.free
    step = {"check": "fund", "given": money.text(case.amount), "free": f"{room.free:.2f}"}
    judging.steps.append(step | {"met": met, "source": room.clause})
    if not met and room.beyond == "refuse":
        judging.against("over_lending_multiple", room.clause)
    elif not met:
        text = f"{REASONS['over_lending_multiple'][0]}，不贴息、不补偿"
        judging.consequences.append(Reason("over_lending_multiple", text, room.clause))


def _conditions(judging: _Judging) -> None:
    for entry in _entries(judging, "lending.conditions"):
        code = entry["condition"]
        name = entry["name"] or code
        met = judging.case.shown.get(name)
        if met is None and code in _FOUND:
            met = _FOUND[code](judging, entry)
        judging.steps.append({"check": name, "met": met, "source": entry.source})
        title = entry["title"] or CONDITIONS[code]
        if met is None:
            judging.to_be_shown.append(Reason(name, title, entry.source))
        elif not met:
            judging.reasons.append(Reason(name, f"不满足：{title}", entry.source))


def _exclusions(judging: _Judging) -> None:
    case, situation = judging.case, judging.situation
    found = judging.reading.exclusions("lending.exclusions", case.exclusions, situation)
    for entry in _entries(judging, "lending.exclusions", naming="debt_ratio"):
        # The ratio itself is the ground.
        if entry not in found:
            found.append(entry)
    for entry in found:
        judging.steps.append({"check": entry["ground"], "met": False, "source": entry.source})
        judging.reasons.append(Reason(entry["ground"], entry["title"], entry.source))


def _entries(judging: _Judging, name: str, *, naming: str = "") -> Iterator[Entry]:
    """Yield the entries of a list that hold; one that depends on a fact nobody gives is to be shown."""
    for entry in judging.product.lists.get(name, ()):
        if naming and naming not in entry.when:
            continue
        try:
            holds = entry.holds(judging.situation)
        except MissingFactError as error:
            title = f"{entry['title'] or ''}（{_title(error.fact)}）"
            judging.to_be_shown.append(Reason(entry["ground"] or entry["condition"], title, entry.source, error.fact))
            continue
        if holds:
            judging.reading.use(entry)
            yield entry


_CHECKS: Final = (
    _open,
    _bound("amount_minimum", "amount", "amount_below"), _bound("amount_maximum", "amount", "amount_above"),
    _bound("term_minimum", "term", "term_below"), _bound("term_maximum", "term", "term_above"),
    _bound("rate_minimum", "rate", "rate_below"), _bound("rate_maximum", "rate", "rate_above"),
    _age, _purpose, _allowed, _outstanding, _household_total, _fund, _conditions, _exclusions,
)  # fmt: skip


def _known(fact: Any, met: Callable[[Any], object]) -> bool | None:  # noqa: ANN401  # any fact
    return None if fact is None else bool(met(fact))


def _on_roster(case: EligibilityCase, day: dt.date) -> bool | None:
    if case.roster_since is None:
        return None
    return case.roster_since <= day and (case.roster_until is None or day < case.roster_until)


def _in_region_list(judging: _Judging, entry: Entry) -> bool | None:
    lists = judging.policy.vocabulary.region_lists
    codes = tuple(code for name in lists if entry["list"] in {None, name} for code in lists[name])
    region = judging.case.region
    if region is None or region.startswith(codes):
        return None if region is None else True
    # Of a wide region, a part may be on the list.
    return None if any(code.startswith(region) for code in codes) else False


def _rated(judging: _Judging, _: Entry) -> bool | None:
    case = judging.case
    if case.grade or (case.score is not None and not judging.policy.vocabulary.grades):
        return True
    return False if case.grade is None else None


def _not_blacklisted(judging: _Judging, _: Entry) -> bool | None:
    shown = judging.case.shown
    if shown.get("blacklisted_maliciously"):
        return False
    return None if "blacklisted" not in shown else not shown["blacklisted"]


def _not_blacklisted_maliciously(judging: _Judging, _: Entry) -> bool | None:
    shown = judging.case.shown
    if "blacklisted_maliciously" in shown:
        return not shown["blacklisted_maliciously"]
    return True if shown.get("blacklisted") is False else None


def _no_open_default(judging: _Judging, _: Entry) -> bool | None:
    return _known(judging.case.existing_loans, lambda loans: not any(loan.overdue_days for loan in loans))


# A monitored household may be registered, or not.
_REGISTERED: Final = {"poor": True, "out_of_poverty": True, "marginal": False, "ordinary": False}


def _programme_scale(judging: _Judging, entry: Entry) -> bool | None:
    case = judging.case
    if case.programme_balance is None or case.amount is None or entry["amount"] is None:
        return None
    return bool(case.programme_balance + case.amount <= entry["amount"])


_FOUND: Final[Mapping[str, Callable[[_Judging, Entry], bool | None]]] = MappingProxyType(
    {
        "no_collateral": lambda judging, _: set(judging.case.collateral) <= {_GUARANTOR, "none"},
        "no_guarantor": lambda judging, _: _GUARANTOR not in judging.case.collateral,
        "on_roster": lambda judging, _: _on_roster(judging.case, judging.case.date),
        "on_roster_of_day": lambda judging, entry: _on_roster(judging.case, entry["day"] or judging.case.date),
        "in_region_list": _in_region_list,
        "rated": _rated,
        "not_blacklisted": _not_blacklisted,
        "not_blacklisted_maliciously": _not_blacklisted_maliciously,
        "no_open_default": _no_open_default,
        # Loans of today say nothing of earlier ones.
        "no_default_ever": lambda judging, entry: False if _no_open_default(judging, entry) is False else None,
        "registered_poor": lambda judging, _: _REGISTERED.get(judging.case.household_kind or ""),
        "of_household_kind": lambda judging, entry: _known(judging.case.household_kind, (entry["kinds"] or ()).count),
        "leads_households": lambda judging, _: _known(judging.case.households_led, bool),
        "programme_scale": _programme_scale,
        "programme_end": lambda judging, entry: None if entry["day"] is None else judging.case.date <= entry["day"],
    }
)
"""Conditions that other facts of a case show, where the case does not say itself whether they are met."""
