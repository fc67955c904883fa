"""Applications of the sample county's spring: one village's borrowers, from the form to the loan in the banks' ledgers.

From May on loans to its households need a confirmation. The rural commercial bank enters its applications itself and
lends, as the one plan says; the postal savings bank's go from the village by way of township, bank and county, as the
other one says. Who is refused is refused by the rules; the bank has lent to some of them all the same.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from adapters.sample_county.acts import Act, by
from adapters.sample_county.files import BANK
from adapters.sample_county.lending import POSTAL_SAVINGS_BANK
from adapters.sample_county.population import COUNTY, TOWNSHIPS, VILLAGES
from adapters.sample_county.postal import POSTAL_BANK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.sample_county.county import County
    from adapters.sample_county.lending import Loan
    from adapters.sample_county.population import Household, Person

__all__ = ["VILLAGE", "application_acts"]

VILLAGE: Final = VILLAGES[6]
"""Where loans need a confirmation."""
_STATION: Final = f"V{VILLAGE}"
_TOWNSHIP: Final = f"T{TOWNSHIPS[0]}"
_FROM: Final = dt.date(2024, 5, 1)
_WALKED_ON: Final = dt.date(2024, 6, 3)
"""The Monday on which the households apply whose way is shown step by step."""
_CLERK: Final = "P01"
_HEAD: Final = "P02"
_APPLIED_BEFORE: Final = 10
"""Days from the application to the loan at the rural commercial bank."""
_REVIEWED_BEFORE: Final = {"apply": 40, "village_recommendation": 38, "township_review": 34, "bank_verification": 25}
_CONFIRMED_BEFORE: Final = 20
"""The same at the postal savings bank, step by step."""
_CONSENT_COUNTS: Final = dt.timedelta(days=365)
_DEPOSIT: Final = "2000000.00"
_AMOUNT: Final = "30000.00"
_TOO_MUCH: Final = "60000.00"
_MONTHS: Final = 12
_TOO_LONG: Final = 24
_RATE: Final = "6.000000"
_SHOWN: Final = "willing;able;source_of_repayment;project;civil_capacity;no_bad_credit"
"""What the bank found of its borrowers."""
_FORGOTTEN: Final = 1
"""The bank's first loan of the village, which it lends without asking."""


def application_acts(sample: County, free: list[Household]) -> Iterator[Act]:
    """Yield what members send, in any order of days.

    Args:
        sample: the county.
        free: households of the village without a loan, whose way is shown.
    """
    yield Act(COUNTY, "application_start", by(_HEAD, _FROM) | {"region": VILLAGE, "from_date": _FROM.isoformat()})
    yield from _deposit(POSTAL_BANK)
    for number, loan in enumerate(_lent(sample.loans)):
        if number != _FORGOTTEN:
            yield from _of_the_rural_bank(loan)
    for loan in _lent(sample.postal_loans):
        yield from _of_the_postal_bank(loan)
    yield from _shown(free)


def _lent(loans: tuple[Loan, ...]) -> list[Loan]:
    """Return the village's loans that need a confirmation: none that renews another."""
    return [loan for loan in loans if loan.household.region == VILLAGE and loan.start >= _FROM and not loan.original]


def _deposit(bank: str) -> Iterator[Act]:
    number = f"CR{bank}"
    paid = {"deposit_no": number, "institution": bank, "amount": _DEPOSIT, "effective_date": _FROM.isoformat()}
    entered = by(_CLERK, _FROM) | paid | {"party": "county", "document": None}
    yield Act(COUNTY, "fund_deposit", entered)
    approved = {"reference": number, "decision": "approve", "reason": None}
    yield Act(COUNTY, "fund_approval", by(_HEAD, _FROM) | approved)


def _of_the_rural_bank(loan: Loan) -> Iterator[Act]:
    """Yield what the bank enters of a loan that it is going to lend."""
    day = loan.start - dt.timedelta(days=_APPLIED_BEFORE)
    yield _consent(BANK, loan.household, loan.borrower, day)
    months = (loan.due.year - loan.start.year) * 12 + loan.due.month - loan.start.month
    terms = {"amount": _yuan(loan.principal), "term": months, "annual_rate_percent": f"{loan.rate / 100:.6f}"}
    asked = _application(f"QR{loan.number}", loan.household, loan.borrower, day) | terms
    yield Act(BANK, "application", asked | {"institution": BANK, "product": loan.product, "met": _SHOWN}, refused=None)


def _of_the_postal_bank(loan: Loan) -> Iterator[Act]:
    number = f"SQ{loan.number}"
    days = {step: loan.start - dt.timedelta(days=before) for step, before in _REVIEWED_BEFORE.items()}
    yield _consent(_STATION, loan.household, loan.borrower, days["apply"])
    asked = _application(number, loan.household, loan.borrower, days["apply"])
    yield Act(_STATION, "application", asked | {"amount": _yuan(loan.principal)})
    for step, member in _BY.items():
        yield Act(member, "application_step", _step(number, step, days[step]))
    confirmed = loan.start - dt.timedelta(days=_CONFIRMED_BEFORE)
    yield Act(COUNTY, "application_step", _step(number, "county_confirmation", confirmed))


_BY: Final = {"village_recommendation": _STATION, "township_review": _TOWNSHIP, "bank_verification": POSTAL_BANK}


def _shown(free: list[Household]) -> Iterator[Act]:
    """Yield the ways of four households: a stand-in, a late step, a withdrawal, a refusal with all its reasons."""
    stand_in, late, withdrawn, refused = free
    day = {after: _WALKED_ON + dt.timedelta(days=after) for after in range(30)}
    numbers = {each.number: f"SQ2024{place:04}" for place, each in enumerate(free, 1)}
    others = (person for person in stand_in.members if person is not stand_in.head)
    other = next(person for person in others if person.age_on(day[0]) in _AGES)
    for household, person in ((stand_in, other), (late, late.head), (withdrawn, withdrawn.head)):
        yield _consent(_STATION, household, person, day[0])
        yield Act(_STATION, "application", _application(numbers[household.number], household, person, day[0]))
        yield Act(_STATION, "application_step", _step(numbers[household.number], "village_recommendation", day[2]))
    asked = _application(numbers[refused.number], refused, refused.head, day[0]) | {"signed": "no", "family_signed": 0}
    asked |= {"amount": _TOO_MUCH, "term": _TOO_LONG, "purpose": "gambling"}
    yield Act(_STATION, "application", asked, refused=True)

    number = numbers[stand_in.number]
    yield Act(_TOWNSHIP, "application_step", _step(number, "township_review", day[4]))
    yield Act(COUNTY, "application_step", _step(number, "county_confirmation", day[7]), refused=True)
    less = {"amount": "20000.00", "opinion": "按还款能力核定"}
    yield Act(POSTAL_BANK, "application_step", _step(number, "bank_verification", day[9]) | less)
    yield Act(COUNTY, "application_step", _step(number, "county_confirmation", day[11]))

    number = numbers[late.number]
    yield Act(_TOWNSHIP, "application_step", _step(number, "township_review", day[17]))
    found = {"decision": "refuse", "reason": "查询征信，有其他银行贷款逾期"}
    yield Act(POSTAL_BANK, "application_step", _step(number, "bank_verification", day[22]) | found)

    number = numbers[withdrawn.number]
    yield Act(_TOWNSHIP, "application_step", _step(number, "township_review", day[4]))
    told = {"application_no": number, "reason": "外出务工，不再需要贷款"}
    yield Act(_STATION, "application_withdrawal", by(_CLERK, day[10]) | told)


_AGES: Final = range(18, 61)


def _consent(member: str, household: Household, person: Person, day: dt.date) -> Act:
    is_the_banks = member == BANK
    consent = {
        "consent_no": f"SX{person.identity_number[-8:]}{day:%m%d}",
        "household_no": household.number,
        "identity_number": person.identity_number,
        "scope": "credit_inquiry;share_with_bank"
        if is_the_banks
        else "credit_inquiry;share_with_bank;share_with_insurer",
        "institution": member if is_the_banks else None,
        "from_date": day.isoformat(),
        "until_date": (day + _CONSENT_COUNTS).isoformat(),
        "document": None,
    }
    return Act(member, "consent", by(_CLERK, day) | consent)


def _application(number: str, household: Household, person: Person, day: dt.date) -> dict[str, Any]:
    """Return an application to the postal savings bank, as its plan has it."""
    adults = sum(each.age_on(day) >= _AGES.start for each in household.members)
    return by(_CLERK, day) | {
        "application_no": number,
        "borrower": "household",
        "borrower_no": household.number,
        "applicant": person.identity_number,
        "region": household.region,
        "institution": POSTAL_BANK,
        "product": POSTAL_SAVINGS_BANK.products[0],
        "amount": _AMOUNT,
        "term": _MONTHS,
        "annual_rate_percent": _RATE,
        "purpose": "farming",
        "way": None,
        "collateral": None,
        "other_loans": "0.00",
        "signed": "yes",
        "family_adults": adults,
        "family_signed": adults,
        "met": None,
        "grounds": None,
        "document": None,
    }


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


def _step(number: str, step: str, day: dt.date) -> dict[str, Any]:
    return by(_HEAD, day) | {
        "application_no": number,
        "step": step,
        "decision": "approve",
        "back_to": None,
        "reason": None,
        "amount": None,
        "term": None,
        "annual_rate_percent": None,
        "met": None,
        "grounds": None,
        "opinion": None,
        "sealed": "yes",
        "document": None,
    }
