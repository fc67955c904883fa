"""Form 1: a household or an enterprise applies, for the first time or after its application was sent back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity
from huilian.county.members import directory
from huilian.policy.eligibility import REASONS
from huilian.policy.reading import Reason
from huilian.policy.tables import MissingFactError
from services.registry.applications.book import OWN, Act, Application
from services.registry.applications.facts import Borrower, refuse_for
from services.registry.applications.steps import check_above_nought, check_validity, concerns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.county.members.directory import Member
    from huilian.county.procedure.acts import Taken
    from huilian.policy.policies import Policy, Product
    from services.registry.applications.book import Book
    from services.registry.applications.facts import Facts

__all__ = ["submit"]

_GROWN_UP: Final = 18
_OF_THE_ACT: Final = frozenset({"line", "sequence"})


def submit(book: Book, facts: Facts, forms: Sequence[Taken]) -> int:
    """Enter applications, in their order; return how many say something new.

    What is wrong with one is noted with it, and it changes nothing. The same record again changes nothing.
    """
    borrowers = {(taken.record["borrower"], taken.record["borrower_no"]) for taken in forms}
    book.read({taken.record["application_no"] for taken in forms}, borrowers)
    facts.read(borrowers)
    members = {member.code: member for member in directory.all_members(book.transaction)}
    candidates = [each for taken in forms if (each := _candidate(book, facts, taken, members)) is not None]
    facts.ask([(each.application, each.taken) for each in candidates], book)
    return sum(_enter(book, facts, each) for each in candidates)


@dataclass(frozen=True)
class _Candidate:
    """What a record would enter.

    Args:
        taken: the record.
        application: as it would stand.
        borrower: who applies, as far as she is known there.
        among: the reasons against it that can be judged; None: all, where its borrower and its product are known.
    """

    taken: Taken
    application: Application
    borrower: Borrower
    among: frozenset[str] | None = None


_OF_THE_LOAN: Final = frozenset(
    {
        "product_closed", "amount_below", "amount_above", "term_below", "term_above", "rate_below", "rate_above", "age",
        "purpose_refused", "purpose_not_allowed", "collateral_not_allowed", "way_not_allowed", "household_total_above",
        "not_signed",
    }
)  # fmt: skip
"""Reasons that stand whoever applies."""
_OF_WHO_APPLIES: Final = frozenset({"application_open", "consent", "not_signed"})
"""Reasons that stand whatever the product is."""


@dataclass(frozen=True)
class _Asked:
    """What is asked for, as a policy has it."""

    policy: Policy
    product: Product


def _candidate(book: Book, facts: Facts, taken: Taken, members: Mapping[str, Member]) -> _Candidate | None:
    """Return what a record would enter; None where it cannot, or says nothing new.

    Notes HL1052, it lies elsewhere; HL1078, there is no such bank; and as `_may_enter`, `_borrower` and `_asked`.
    """
    record = taken.record
    # Nothing is told of what others decide.
    if not concerns(taken, record["region"], record["institution"]) or not _may_enter(book, taken):
        return None
    check_above_nought(taken)
    bank = members.get(record["institution"])
    if bank is None or bank.kind != "bank" or not bank.takes_part:
        taken.refuse("HL1078", institution=record["institution"])
    borrower, asked = _borrower(facts, taken), _asked(book, taken)
    known, among = book.get(record["application_no"]), None
    if borrower is None:
        borrower, among = Borrower(record["region"]), _OF_THE_LOAN
    if asked is None:
        # The county's own first product says what any would.
        asked = _own_product(book, taken)
        among = _OF_WHO_APPLIES if among is None else among & _OF_WHO_APPLIES
        if asked is None:
            return None
        # Which grounds there are its own product would say.
        taken = replace(taken, record=taken.record | {"grounds": None})
    return _Candidate(taken, _application(taken, borrower, asked, known), borrower, among)


def _may_enter(book: Book, taken: Taken) -> bool:
    """Return whether a record enters an application, or enters one again that was sent back.

    Notes HL1059, another record has its number; HL1062, the day; HL1085, the application lapsed.
    """
    number, borrower = taken.record["application_no"], (taken.record["borrower"], taken.record["borrower_no"])
    known = book.get(number)
    if known is None:
        return True
    if known.state != "returned" and _said_last(book, number) == _said(taken):
        return False
    if known.state != "returned" or known.key != borrower:
        taken.refuse("HL1059", number=number)
        return False
    if taken.date < known.stage_since:
        taken.refuse("HL1062", date=taken.date.isoformat())
    return check_validity(taken, known)


def _said_last(book: Book, number: str) -> dict[str, Any] | None:
    """Return what the record said by which an application was entered last."""
    return next((act.snapshot for act in reversed(book.acts(number)) if act.move in {"submit", "resubmit"}), None)


def _said(taken: Taken) -> dict[str, Any]:
    """Return what a record says, in the form in which it is kept, to know it when it comes again."""
    return {name: _plain(value) for name, value in taken.record.items() if name not in _OF_THE_ACT} | {
        "member": taken.member.code
    }


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, dt.date) else value


def _borrower(facts: Facts, taken: Taken) -> Borrower | None:
    """Return who applies, where the registry knows her there.

    Notes HL1069, it does not; HL1076, who signed is not; HL1086, adults of the family are left out.
    """
    record = taken.record
    borrower = facts.of((record["borrower"], record["borrower_no"]))
    is_there = borrower is not None and (
        borrower.region.startswith(record["region"]) or record["region"].startswith(borrower.region)
    )
    has_left = borrower is not None and borrower.roster_until is not None and borrower.roster_until <= taken.date
    if borrower is None or not is_there or has_left:
        taken.refuse("HL1069", borrower_no=record["borrower_no"], region=record["region"])
        borrower = None
    elif record["borrower"] == "household" and record["applicant"] not in borrower.persons:
        taken.refuse("HL1076", household_no=record["borrower_no"])
    if record["borrower"] == "household":
        persons = () if borrower is None else borrower.persons
        adults = sum(identity.age_on(number, taken.date) >= _GROWN_UP for number in persons)
        if record["family_adults"] < max(adults, 1):
            taken.refuse("HL1086", stated=record["family_adults"], found=adults)
    return borrower


def _asked(book: Book, taken: Taken) -> _Asked | None:
    """Return which policy and product are meant. Notes HL1077, nobody knows; HL1081, the policy has none."""
    record = taken.record
    if record["product"] is not None:
        meant = book.context.policy_product(record["institution"], record["product"])
        if meant is not None:
            policy = book.policy(meant[0])
            if (product := policy.products.get(meant[1])) is not None:
                return _Asked(policy, product)
        taken.refuse("HL1077", institution=record["institution"], product=record["product"])
        return None
    asked = _own_product(book, taken)
    if asked is None:
        taken.refuse("HL1081")
    return asked


def _own_product(book: Book, taken: Taken) -> _Asked | None:
    """Return the first product of the county's policy for such a borrower; where none is open, the first tells why."""
    policy, borrower = book.own_policy, taken.record["borrower"]
    found = policy.product(None, borrower=borrower, signed=taken.date) or policy.product(None, borrower=borrower)
    return None if found is None else _Asked(policy, found)


def _application(taken: Taken, borrower: Borrower, asked: _Asked, known: Application | None) -> Application:
    record = taken.record
    region = max(record["region"], borrower.region, key=len)
    applicant = borrower.persons.get(record["applicant"])
    return Application(
        **{name: record[name] for name in (
            "application_no", "borrower", "borrower_no", "applicant", "institution", "amount", "term",
            "annual_rate_percent", "purpose", "way", "collateral", "other_loans", "signed", "family_adults",
            "family_signed", "document",
        )},
        household_kind=borrower.household_kind,
        applicant_name=borrower.name if applicant is None else applicant.name,
        region=region,
        bank_product=record["product"],
        policy=asked.policy.name,
        product=asked.product.name,
        entered_by=taken.member.code,
        entered_person=record["person"],
        message=taken.message,
        applied=taken.date,
        entered=taken.entered,
        state="in_review",
        stage=None,
        stage_since=taken.date,
        shown=dict.fromkeys(record["met"].split(";"), True) if record["met"] else {},
        grounds=record["grounds"].split(";") if record["grounds"] else [],
        reservation=None if known is None else known.reservation,
        attempt=0 if known is None else known.attempt,
    )  # fmt: skip


def _enter(book: Book, facts: Facts, candidate: _Candidate) -> bool:
    taken, application = candidate.taken, candidate.application
    if candidate.among is not None:
        facts.check(taken, application, book, shown=False, borrower=candidate.borrower, among=candidate.among)
        return False
    try:
        path = book.path(application)
    except MissingFactError as error:
        refuse_for(taken, Reason("not_shown", f"{REASONS['not_shown'][0]}：{error.fact}"))
        return False
    # Where nobody reviews, all must be shown at once.
    facts.check(taken, application, book, shown=not path.asks_at)
    if taken.refusals:
        return False
    first = path.stages[1 if path.asks_at else 0]
    application.stage = first.name
    application.due = book.last_day(taken.date, first) if path.asks_at else None
    number, request = application.application_no, path.stages[0].name
    move = "submit" if book.get(number) is None else "resubmit"
    act = Act(
        number, move, taken.date, *taken.who, taken.message, step=request, snapshot=_said(taken), entered=taken.entered
    )
    book.enter(application, act)
    if not path.asks_at:
        # Nobody reviews: the fund is asked at once.
        asks = Act(number, "approve_to_reserve", taken.date, OWN, step=request)
        asked = {"reservation": "asked", "attempt": application.attempt + 1, "decided": taken.date}
        book.move(application, asks, request, **asked)
    return True
