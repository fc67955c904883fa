"""What is checked of a borrower and a loan, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from marshmallow import ValidationError

from huilian.core import money
from huilian.policy.eligibility import conditions
from huilian.policy.eligibility.case import REASONS, Eligibility
from huilian.policy.eligibility.judgement import Judgement, needed
from huilian.policy.loss import fund_room
from huilian.policy.reading import Reading, Reason
from huilian.policy.tables import MissingFactError

if TYPE_CHECKING:
    from collections.abc import Callable

    from huilian.policy.eligibility.case import EligibilityCase
    from huilian.policy.policies import Entry, Policy, Product
    from huilian.policy.reference_rates import ReferenceRates

__all__ = ["judge"]


_NO_PRODUCT: Final = "政策没有这个产品；有：{known} (no such product; known: {known})"


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
    judgement = Judgement(policy, product, case, reading)
    for check in _CHECKS:
        try:
            check(judgement)
        except MissingFactError as error:
            judgement.not_shown(error.fact)
    found = judgement.reasons, judgement.to_be_shown, judgement.consequences, judgement.steps
    return Eligibility(case.household_no, *found, reading)


def _product(policy: Policy, case: EligibilityCase) -> Product | None:
    product = policy.product(case.product, borrower=case.borrower, signed=case.date)
    if product is None and case.product is not None:
        raise ValidationError({"product": [_NO_PRODUCT.format(known=", ".join(policy.products))]})
    # Where none is open, the first for such a borrower tells the other reasons.
    return product or policy.product(None, borrower=case.borrower)


def _open(judgement: Judgement) -> None:
    opened = judgement.product.open
    if opened is not None and not opened.has(judgement.case.date):
        judgement.against("product_closed", more=f"（{opened}）")


def _bound(rule: str, fact: str, code: str) -> Callable[[Judgement], None]:
    """Return the check of a bound of the loan, both of them included."""

    def check(judgement: Judgement) -> None:
        if fact == "rate" and judgement.case.annual_rate_percent is None:
            return
        row = judgement.reading.row(f"lending.{rule}", judgement.situation)
        if row is not None and row.value is None and rule == "amount_maximum":
            judgement.against("no_lending", row.source)
        if row is None or row.value is None:
            return
        given = needed(row, fact, judgement.situation[fact])
        bound, unit = row.value, ""
        if fact == "rate":
            term, unit = needed(row, "term", judgement.case.term), "%"
            bound = judgement.reading.percent(bound, on=judgement.case.date, term=term, contract=given)
        above = rule.endswith("_maximum")
        more = f"：{given}{unit} {'>' if above else '<'} {bound}{unit}"
        judgement.hold(row, given, met=given <= bound if above else given >= bound, code=code, more=more)

    return check


def _age(judgement: Judgement) -> None:
    if judgement.case.borrower != "enterprise" and (row := judgement.limit("age")) is not None:
        age = needed(row, "age", judgement.case.age)
        judgement.hold(row, age, met=row.value.has(age), code="age", more=f"：{age}，应为 {row.value}")


def _purpose(judgement: Judgement) -> None:
    purpose = judgement.case.purpose
    for rule, code, wanted in (
        ("purposes_refused", "purpose_refused", False),
        ("purposes_allowed", "purpose_not_allowed", True),
    ):
        if (row := judgement.limit(rule)) is not None:
            needed(row, "purpose", purpose)
            judgement.hold(row, purpose, met=(purpose in row.value) == wanted, code=code, more=f"：{purpose}")


def _allowed(judgement: Judgement) -> None:
    case = judgement.case
    for rule, code, given in (
        ("collateral", "collateral_not_allowed", case.collateral),
        ("lenders", "lender_not_allowed", (case.lender,) if case.lender else ()),
        ("ways", "way_not_allowed", (case.way,) if case.way else ()),
    ):
        if given and (row := judgement.limit(rule)) is not None:
            met = set(given) <= set(row.value)
            judgement.hold(row, ", ".join(given), met=met, code=code, more=f"：{', '.join(given)}")


def _outstanding(judgement: Judgement) -> None:
    row = judgement.limit("outstanding")
    if row is None or row.value == "several":
        return
    loans = needed(row, "existing_loans", judgement.case.existing_loans)
    same = (loan for loan in loans if row.value == "one_in_all" or loan.product in {None, judgement.product.name})
    owed = sum((loan.balance for loan in same), money.ZERO)
    judgement.hold(row, money.text(owed), met=not owed, code="loan_outstanding", more=f"：{money.text(owed)}")


def _household_total(judgement: Judgement) -> None:
    if (row := judgement.limit("principal_maximum")) is None:
        return
    loans = needed(row, "existing_loans", judgement.case.existing_loans)
    amount = needed(row, "amount", judgement.case.amount)
    owed = sum((loan.balance for loan in loans), money.ZERO)
    if not owed and any(each.code == "amount_above" for each in judgement.reasons):
        # The same fault, and it was told.
        return
    total = amount + owed
    more = f"：{money.text(total)} > {money.text(row.value)}"
    judgement.hold(row, money.text(total), met=total <= row.value, code="household_total_above", more=more)


def _line(judgement: Judgement) -> None:
    case = judgement.case
    if case.line is None or case.amount is None:
        return
    loans = case.existing_loans
    if loans is None:
        raise MissingFactError("rating.line", "existing_loans")
    owed = sum((loan.balance for loan in loans), money.ZERO)
    met = owed + case.amount <= case.line
    clause = _clause_of_line(judgement)
    given = money.text(owed + case.amount)
    judgement.steps.append({"check": "line", "given": given, "met": met, "source": clause})
    if not met:
        more = f"：{money.text(owed)} + {money.text(case.amount)} > {money.text(case.line)}"
        judgement.against("over_line", clause, more=more)


def _clause_of_line(judgement: Judgement) -> str:
    """Return what a credit line rests on: the row that sets it, or else the condition that asks for a rating."""
    try:
        row = judgement.reading.row("rating.line", judgement.on_the_day)
    except MissingFactError:
        row = None
    if row is not None:
        return row.source
    if (rated := _condition(judgement, "rated")) is not None:
        return rated.source
    validity = judgement.product.rules.get("lending.line_validity")
    rows = () if validity is None else validity.rows_for(judgement.known)
    return rows[0].source if rows else ""


def _matched(judgement: Judgement) -> None:
    """Tell what of an enterprise's loan the households that it leads do not match: that part has no subsidy."""
    case, rule = judgement.case, "subsidy.principal_per_household_led"
    if case.borrower != "enterprise" or case.households_led is None or case.amount is None:
        return
    try:
        row = judgement.reading.row(rule, judgement.on_the_day)
    except MissingFactError:
        # What each household counts is a matter of when the interest accrues.
        return
    if row is None or row.value is None:
        return
    matched = row.value * case.households_led
    met = case.amount <= matched
    judgement.steps.append(
        {
            "check": "matched_amount",
            "given": money.text(case.amount),
            "free": money.text(matched),
            "met": met,
            "source": row.source,
        }
    )
    if not met:
        text = f"{REASONS['above_matched_amount'][0]} {money.text(matched)}，超过部分不贴息"
        judgement.consequences.append(Reason("above_matched_amount", text, row.source))


def _suspended(judgement: Judgement) -> None:
    if not judgement.case.suspended:
        return
    breakers = judgement.policy.general.lists.get("breakers", ())
    clauses = dict.fromkeys(each.source for each in breakers if each.may_hold({"event": judgement.case.date}))
    judgement.found("suspended_area", judgement.case.suspended, "；".join(clauses))


def _application_open(judgement: Judgement) -> None:
    if judgement.case.application_open:
        request = judgement.request
        judgement.found("application_open", judgement.case.application_open, request.source if request else "")


def _barred(judgement: Judgement) -> None:
    if judgement.case.barred:
        judgement.found("barred", judgement.case.barred, "")


def _led_by_another(judgement: Judgement) -> None:
    if not judgement.case.led_by_another:
        return
    asked = _condition(judgement, "leads_households")
    ways = judgement.product.rules.get("lending.ways")
    rows = () if ways is None else ways.rows_for(judgement.known)
    clause = next((each.source for each in (asked, *rows) if each is not None), "")
    judgement.found("led_by_another", judgement.case.led_by_another, clause)


def _condition(judgement: Judgement, code: str) -> Entry | None:
    conditions_of_loan = judgement.product.lists.get("lending.conditions", ())
    return next((each for each in conditions_of_loan if each["condition"] == code), None)


def _signed(judgement: Judgement) -> None:
    """Check what the request needs and the case says to be missing: the signatures, the consent to an inquiry."""
    shown = judgement.case.shown
    if shown.get("signed", True) and shown.get("consent", True):
        return
    request = judgement.request
    needs = () if request is None else request["needs"] or ()
    for need, fact, code in (("signature", "signed", "not_signed"), ("consent", "consent", "consent")):
        if request is not None and need in needs and shown.get(fact) is False:
            judgement.steps.append({"check": fact, "met": False, "source": request.source})
            judgement.against(code, request.source)


def _fund(judgement: Judgement) -> None:
    case = judgement.case
    if case.deposit is None or case.committed is None or case.amount is None:
        return
    on_deposit = {"deposit": case.deposit, "committed": case.committed}
    room = fund_room(judgement.reading, **on_deposit, on=case.date, bank=case.institution)
    if room is None:
        return
    met = case.amount <= room.free
    step = {"check": "fund", "given": money.text(case.amount), "free": f"{room.free:.2f}"}
    judgement.steps.append(step | {"met": met, "source": room.clause})
    if not met and room.beyond == "refuse":
        judgement.against("over_lending_multiple", room.clause)
    elif not met:
        text = f"{REASONS['over_lending_multiple'][0]}，不贴息、不补偿"
        judgement.consequences.append(Reason("over_lending_multiple", text, room.clause))


_CHECKS: Final = (
    _open,
    _bound("amount_minimum", "amount", "amount_below"), _bound("amount_maximum", "amount", "amount_above"),
    _bound("term_minimum", "term", "term_below"), _bound("term_maximum", "term", "term_above"),
    _bound("rate_minimum", "rate", "rate_below"), _bound("rate_maximum", "rate", "rate_above"),
    _age, _purpose, _allowed, _outstanding, _household_total, _line, _matched, _fund,
    _suspended, _application_open, _barred, _led_by_another, conditions.conditions, conditions.exclusions,
    _signed, conditions.barred,
)  # fmt: skip
