"""Form 1: a household or an enterprise applies, for the first time or after its application was sent back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.county.members import directory
from huilian.policy.tables import MissingFactError
from services.registry.applications.book import OWN, Act, Application
from services.registry.applications.steps import check_above_nought, concerns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.county.members.directory import Member
    from huilian.county.procedure.acts import Taken
    from huilian.policy.policies import Policy, Product
    from services.registry.applications.book import Book
    from services.registry.applications.facts import Borrower, Facts

__all__ = ["submit"]

_OF_THE_ACT: Final = frozenset({"line", "sequence"})


def submit(book: Book, facts: Facts, forms: Sequence[Taken]) -> int:
    """Enter applications, in their order; return how many say something new.

    What is wrong with one is noted with it, and it changes nothing. The same record again changes nothing.
    """
    borrowers = {(taken.record["borrower"], taken.record["borrower_no"]) for taken in forms}
    book.read({taken.record["application_no"] for taken in forms}, borrowers)
    facts.read(borrowers)
    members = {member.code: member for member in directory.all_members(book.transaction)}
    candidates = [(taken, _candidate(book, facts, taken, members)) for taken in forms]
    facts.ask([(application, taken.date) for taken, application in candidates if application is not None], book)
    return sum(_enter(book, facts, taken, each) for taken, each in candidates if each is not None)


@dataclass(frozen=True)
class _Asked:
    """What is asked for, as a policy has it."""

    policy: Policy
    product: Product


def _candidate(book: Book, facts: Facts, taken: Taken, members: Mapping[str, Member]) -> Application | None:
    """Return what a record would enter; None where it cannot, or says nothing new.

    Notes HL1052, it lies elsewhere; HL1059, another record has its number; HL1062, the day; HL1078, there is no such
    bank; HL1083, nothing was corrected; and as `_borrower` and `_asked`.
    """
    record = taken.record
    # Nothing is told of what others decide.
    if not concerns(taken, record["region"], record["institution"]):
        return None
    number, known = record["application_no"], book.get(record["application_no"])
    if known is not None:
        said = _said(taken)
        if any(act.snapshot == said for act in book.acts(number) if act.move in {"submit", "resubmit"}):
            if known.state == "returned":
                taken.refuse("HL1083", application_no=number)
            return None
        if known.state != "returned" or known.key != (record["borrower"], record["borrower_no"]):
            taken.refuse("HL1059", number=number)
            return None
        if taken.date < known.stage_since:
            taken.refuse("HL1062", date=taken.date.isoformat())
    check_above_nought(taken)
    bank = members.get(record["institution"])
    if bank is None or bank.kind != "bank" or not bank.takes_part:
        taken.refuse("HL1078", institution=record["institution"])
    borrower, asked = _borrower(facts, taken), _asked(book, taken)
    return None if borrower is None or asked is None else _application(taken, borrower, asked, known)


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
    """Return who applies, where the registry knows her there. Notes HL1069, it does not; HL1076, who signed is not."""
    record = taken.record
    borrower = facts.of((record["borrower"], record["borrower_no"]))
    is_there = borrower is not None and (
        borrower.region.startswith(record["region"]) or record["region"].startswith(borrower.region)
    )
    has_left = borrower is not None and borrower.roster_until is not None and borrower.roster_until <= taken.date
    if borrower is None or not is_there or has_left:
        taken.refuse("HL1069", borrower_no=record["borrower_no"], region=record["region"])
        return None
    if record["borrower"] == "household" and record["applicant"] not in borrower.persons:
        taken.refuse("HL1076", household_no=record["borrower_no"])
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
    policy = book.own_policy
    found = policy.product(None, borrower=record["borrower"], signed=taken.date)
    # Where none is open, the first for such a borrower tells why.
    found = found or policy.product(None, borrower=record["borrower"])
    if found is None:
        taken.refuse("HL1081")
        return None
    return _Asked(policy, found)


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
        state="in_review",
        stage=None,
        stage_since=taken.date,
        shown=dict.fromkeys(record["met"].split(";"), True) if record["met"] else {},
        grounds=record["grounds"].split(";") if record["grounds"] else [],
        reservation=None if known is None else known.reservation,
        attempt=0 if known is None else known.attempt,
    )  # fmt: skip


def _enter(book: Book, facts: Facts, taken: Taken, application: Application) -> bool:
    try:
        path = book.path(application)
    except MissingFactError as error:
        taken.refuse("HL1070", reason="not_shown", what=error.fact, clause="")
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
    act = Act(number, move, taken.date, *taken.who, taken.message, step=request, snapshot=_said(taken))
    book.enter(application, act)
    if not path.asks_at:
        # Nobody reviews: the fund is asked at once.
        asks = Act(number, "approve_to_reserve", taken.date, OWN, step=request)
        asked = {"reservation": "asked", "attempt": application.attempt + 1, "decided": taken.date}
        book.move(application, asks, request, **asked)
    return True
