"""What the registry knows of who applies, for `huilian.policy.eligibility.judge`: read for many borrowers at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity
from huilian.core.error_texts import Bilingual
from huilian.policy.eligibility import REASONS, EligibilityCase, ExistingLoan, judge
from huilian.policy.reading import Reason
from services.registry import marks
from services.registry.marks import STRUCK
from services.registry.parties import consents, enterprises, service_areas, suspensions

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Product
    from services.registry.applications.book import Application, Book

__all__ = ["Borrower", "Facts", "Person", "refuse_for"]

_HEADS: Final = """
    SELECT DISTINCT ON (household_no) household_no, region, category, missing_since AS until, since
    FROM registry.person JOIN (
        SELECT household_no, min(as_of) AS since FROM (
            SELECT household_no, as_of FROM registry.person WHERE is_head = 'yes' AND household_no = ANY(%(numbers)s)
          UNION ALL
            SELECT household_no, as_of FROM registry.person_history
            WHERE is_head = 'yes' AND household_no = ANY(%(numbers)s)
        ) listed GROUP BY 1
    ) first USING (household_no)
    WHERE is_head = 'yes' AND household_no = ANY(%(numbers)s)
    ORDER BY household_no, missing_since IS NULL DESC, as_of DESC
"""
_PERSONS: Final = """
    SELECT household_no, identity_number, person_name, is_head = 'yes' AS is_head FROM registry.person
    WHERE household_no = ANY(%(numbers)s) AND missing_since IS NULL
"""
_RATINGS: Final = """
    SELECT borrower, borrower_no, score, grade, line, valid_from, valid_until FROM registry.rating
    WHERE borrower_no = ANY(%(numbers)s)
"""
_WHOSE: Final = {
    "household": {"number": "household_no", "whose": "l.household_no = ANY(%(numbers)s)"},
    "enterprise": {"number": "identity_number", "whose": """(l.institution, l.loan_no) IN (
        SELECT institution, loan_no FROM registry.loan
        WHERE identity_type = 'unified_social_credit_code' AND identity_number = ANY(%(numbers)s))"""},
}  # fmt: skip
"""Of whom a loan `l` is: of a household that it names, or of an enterprise by its own number."""
_LOANS: Final = f"""
    SELECT l.{{number}} AS borrower_no, institution, product, balance, overdue_days, confirmation_no,
           {STRUCK} AS is_struck
    FROM registry.loan_once l WHERE {{whose}}
"""
_OVERDUE: Final = "overdue_days > 0 AND continuation IS DISTINCT FROM 'moratorium'"
_DEFAULTED: Final = f"""
    SELECT DISTINCT l.{{number}} AS borrower_no FROM registry.loan l WHERE {{whose}}
       AND NOT {STRUCK} AND ({_OVERDUE} OR EXISTS (
           SELECT FROM registry.loan_history h
           WHERE h.institution = l.institution AND h.loan_no = l.loan_no AND {_OVERDUE}))
"""
_INSURED: Final = {
    "household": """SELECT household_no AS borrower_no, start_date, end_date FROM registry.insured
                    WHERE household_no = ANY(%(numbers)s)""",
    # An insurer names no enterprise: the policy of its loan is its own.
    "enterprise": """SELECT l.identity_number AS borrower_no, p.start_date, p.end_date
                     FROM registry.insured p JOIN registry.loan l USING (loan_no)
                     WHERE l.identity_type = 'unified_social_credit_code' AND l.identity_number = ANY(%(numbers)s)""",
}
_ENTERPRISES: Final = """
    SELECT enterprise_no, name, region, from_date, until_date FROM registry.enterprise
    WHERE enterprise_no = ANY(%(numbers)s)
"""

_PUNCTUATION: Final = str.maketrans({"：": ": ", "，": ", ", "（": " (", "）": ")"})


@dataclass(frozen=True)
class Person:
    """One person of a household."""

    name: str
    is_head: bool


@dataclass(frozen=True)
class _Rating:
    score: Decimal | None
    grade: str | None
    line: Decimal | None
    valid_from: dt.date
    valid_until: dt.date | None

    def holds_on(self, day: dt.date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True)
class _Loan:
    institution: str
    product: str
    balance: Decimal
    overdue_days: int
    confirmation_no: str | None


@dataclass
class Borrower:
    """What the registry knows of one household or enterprise.

    Args:
        region: its village.
        household_kind: of a household.
        roster_since: the day from which the roster has it.
        roster_until: the day from which it does no more.
        persons: by identity number, who is on the roster now.
        has_defaulted: whether a loan was ever overdue, those apart that force majeure struck.
        insured: from which day until which day an insurer covers it, policy by policy.
        name: of an enterprise.
    """

    region: str
    household_kind: str | None = None
    roster_since: dt.date | None = None
    roster_until: dt.date | None = None
    persons: dict[str, Person] = field(default_factory=dict)
    ratings: list[_Rating] = field(default_factory=list)
    loans: list[_Loan] = field(default_factory=list)
    has_defaulted: bool = False
    insured: list[tuple[dt.date, dt.date]] = field(default_factory=list)
    name: str | None = None


class Facts:
    """Facts of borrowers, as the registry has them now.

    Args:
        transaction: in which they are read.
        context: rates, and which product a bank means.
    """

    def __init__(self, transaction: Transaction, context: Context) -> None:
        self._transaction = transaction
        self._context = context
        self._known: dict[tuple[str, str], Borrower | None] = {}
        self._rates = context.rates
        self._lent: Decimal | None = None
        self._consents: dict[consents.Asked, bool] = {}
        self._suspensions: dict[suspensions.Asked, tuple[str, ...]] = {}
        self._lead_banks: dict[tuple[str, dt.date], str | None] = {}
        self._blacklisted: dict[tuple[str, dt.date], dict[tuple[str, str], bool]] = {}
        self._barred: dict[dt.date, dict[tuple[str, str], str]] = {}
        self._led: dict[tuple[str, str | None, dt.date], tuple[str, ...]] = {}

    def read(self, borrowers: Collection[tuple[str, str]]) -> None:
        """Read what is known of borrowers, of all of them at once."""
        unknown = set(borrowers) - self._known.keys()
        if not unknown:
            return
        self._known.update(dict.fromkeys(unknown))
        self._read_households(sorted(number for kind, number in unknown if kind == "household"))
        self._read_enterprises(sorted(number for kind, number in unknown if kind == "enterprise"))
        for row in self._transaction.rows(_RATINGS, {"numbers": sorted(number for _, number in unknown)}):
            borrower = self._known.get((row["borrower"], row["borrower_no"]))
            if borrower is not None:
                borrower.ratings.append(_rating(row))

    def _read_households(self, numbers: list[str]) -> None:
        if not numbers:
            return
        facts = {"numbers": numbers}
        found: dict[str, Borrower] = {}
        for row in self._transaction.rows(_HEADS, facts):
            number = row["household_no"]
            found[number] = Borrower(row["region"], row["category"], row["since"], row["until"])
            self._known["household", number] = found[number]
        for row in self._transaction.rows(_PERSONS, facts):
            if row["household_no"] in found:
                found[row["household_no"]].persons[row["identity_number"]] = Person(row["person_name"], row["is_head"])
        self._read_conduct("household", numbers)

    def _read_enterprises(self, numbers: list[str]) -> None:
        if not numbers:
            return
        for row in self._transaction.rows(_ENTERPRISES, {"numbers": numbers}):
            found = Borrower(row["region"], None, row["from_date"], row["until_date"], name=row["name"])
            self._known["enterprise", row["enterprise_no"]] = found
        self._read_conduct("enterprise", numbers)

    def _read_conduct(self, kind: str, numbers: list[str]) -> None:
        """Read the loans of borrowers, whether one was ever overdue, and what is insured."""
        facts, whose = {"numbers": numbers}, _WHOSE[kind] | {"borrower": kind}
        for row in self._transaction.rows(_LOANS.format(**whose), facts):
            if (borrower := self._known[kind, row["borrower_no"]]) is not None:
                overdue_days = 0 if row["is_struck"] else row["overdue_days"]
                known = row["institution"], row["product"], row["balance"]
                borrower.loans.append(_Loan(*known, overdue_days, row["confirmation_no"]))
        for row in self._transaction.rows(_DEFAULTED.format(**whose), facts):
            if (borrower := self._known[kind, row["borrower_no"]]) is not None:
                borrower.has_defaulted = True
        for row in self._transaction.rows(_INSURED[kind], facts):
            if (borrower := self._known[kind, row["borrower_no"]]) is not None:
                borrower.insured.append((row["start_date"], row["end_date"]))

    def of(self, borrower: tuple[str, str]) -> Borrower | None:
        """Return what is known of a borrower that was read; None where the registry does not have it."""
        return self._known.get(borrower)

    def ask(self, judged: Sequence[tuple[Application, Taken]], book: Book) -> None:
        """Read what is needed to judge applications, each by an act, of all of them at once."""
        asked = [(application, taken.date) for application, taken in judged]
        self.ask_consents(asked)
        for_suspensions = list({each for acted in judged for each in _suspensions(*acted)})
        if for_suspensions:
            suspended = suspensions.in_force(self._transaction, for_suspensions)
            self._suspensions.update(zip(for_suspensions, suspended, strict=True))
        for_areas = list({(application.region, day) for application, day in asked})
        if for_areas:
            lead_banks = service_areas.lead_banks(self._transaction, for_areas)
            self._lead_banks.update(zip(for_areas, lead_banks, strict=True))
        for policy, day in {(application.policy, day) for application, day in asked}:
            borrowers = [each.key for each, on in asked if (each.policy, on) == (policy, day)]
            found_there = marks.blacklisted(self._transaction, borrowers, day, book.policy(policy))
            self._blacklisted.setdefault((policy, day), {}).update(found_there)
            self._barred.setdefault(day, {}).update(marks.barred(self._transaction, borrowers, day))
        for_led = [(each.borrower_no, each.way, day) for each, day in asked if each.borrower == "enterprise"]
        if for_led:
            led = enterprises.households_led(self._transaction, for_led)
            self._led.update(zip(for_led, led, strict=True))

    def ask_consents(self, asked: Sequence[tuple[Application, dt.date]]) -> None:
        """Read whether who applies consents to an inquiry, each on a day, of all of them at once."""
        wanted = {_consent(*each) for each in asked if each[0].borrower == "household"} - self._consents.keys()
        if wanted:
            for_consents = list(wanted)
            found = consents.in_force(self._transaction, "credit_inquiry", for_consents)
            self._consents.update(zip(for_consents, found, strict=True))

    # -- judging -----------------------------------------------------------------------------------------------------

    def case(
        self, application: Application, taken: Taken, book: Book, borrower: Borrower | None = None
    ) -> EligibilityCase:
        """Return the case of an application on the day of an act; its borrower was read, and `ask` was called.

        Args:
            application: as it stands, or would.
            taken: the act by which it is judged.
            book: has its policy.
            borrower: what is known of who applies; None: what was read.
        """
        day, borrower = taken.date, borrower or self._known[application.key]
        assert borrower is not None  # noqa: S101  # narrows the type: who is not known is refused before
        rating = next((each for each in borrower.ratings if each.holds_on(day)), None)
        is_household = application.borrower == "household"
        maliciously = self._blacklisted[application.policy, day].get(application.key)
        lead_bank = self._lead_banks[application.region, day]
        # Where nobody was named the area's lead bank, it is for people to show.
        leads = {} if lead_bank is None else {"lead_bank": lead_bank == application.institution}
        asked = _suspensions(application, taken)
        suspended = dict.fromkeys(number for each in asked for number in self._suspensions[each])
        others = book.open_of(application.key) - {application.application_no}
        return EligibilityCase(
            date=application.applied,
            borrower=application.borrower,
            household_no=application.borrower_no if is_household else None,
            product=application.product,
            household_kind=application.household_kind,
            age=None if application.applicant is None else identity.age_on(application.applicant, application.applied),
            region=application.region,
            grade=None if rating is None else rating.grade,
            score=None if rating is None else rating.score,
            line=None if rating is None else rating.line,
            households_led=(None if is_household else len(self._led[application.borrower_no, application.way, day])),
            amount=application.amount,
            term=application.term,
            annual_rate_percent=application.annual_rate_percent,
            purpose=application.purpose,
            institution=application.institution,
            way=application.way,
            collateral=tuple(application.collateral.split(";")) if application.collateral else (),
            existing_loans=tuple(
                ExistingLoan(loan.balance, self._product(loan, application), loan.overdue_days)
                for loan in borrower.loans
                # What was lent on the application itself, before its last step came, does not stand against it.
                if loan.confirmation_no != application.application_no
            ),
            exclusions=tuple(application.grounds),
            roster_since=borrower.roster_since,
            roster_until=borrower.roster_until,
            programme_balance=self._programme_balance(book.product(application)),
            suspended=", ".join(suspended) or False,
            application_open=min(others, default=False),
            barred=self._barred[day].get(application.key, False),
            shown={
                "signed": application.is_signed,
                "consent": self._consents_to_inquiry(application, day),
                "blacklisted": maliciously is not None,
                "blacklisted_maliciously": bool(maliciously),
                "defaulted_ever": borrower.has_defaulted,
                # Of other insurers nobody tells the registry: who has a policy shows it.
                **({"insured": True} if any(first <= day <= last for first, last in borrower.insured) else {}),
                **leads,
            },
        )

    def check(
        self,
        taken: Taken,
        application: Application,
        book: Book,
        *,
        shown: bool,
        borrower: Borrower | None = None,
        among: Collection[str] | None = None,
    ) -> EligibilityCase:
        """Note what stands against an application on the day of an act; return the case that was judged.

        What people found of it counts where the registry does not know. Notes HL1070, each reason; HL1071, each
        condition that nobody has shown, where all must be `shown`; HL1079, grounds that the policy does not have.

        Args:
            taken: the act.
            application: as it would stand; its borrower was read, and `ask` was called.
            book: has its policy.
            shown: whether all conditions must be shown.
            borrower: what is known of who applies; None: what was read.
            among: the only reasons that can be judged; None: all.
        """
        exclusions = book.product(application).lists.get("lending.exclusions", ())
        known = {entry["ground"]: entry["title"] for entry in exclusions}
        if unknown := [each for each in application.grounds if each not in known]:
            named = Bilingual(
                "、".join(f"{each}（{title}）" for each, title in known.items()) or "无", ", ".join(known)
            )
            taken.refuse("HL1079", what=", ".join(unknown), known=named)
        grounds = [each for each in application.grounds if each in known]
        case = self.case(replace(application, grounds=grounds), taken, book, borrower)
        found = judge(book.policy(application.policy), case, self._rates)
        for reason in found.reasons:
            if among is None or reason.code in among or reason.code in grounds:
                refuse_for(taken, reason)
        for reason in found.to_be_shown if shown and among is None else ():
            if not application.shown.get(reason.code):
                taken.refuse("HL1071", condition=reason.code, what=_called(reason), clause=_clause(reason))
        return case

    def check_consent(self, taken: Taken, application: Application, clause: str) -> None:
        """Note HL1070, there is no consent to an inquiry on the day of an act; `ask_consents` was called."""
        is_told = any(each.facts.get("reason") == "consent" for each in taken.refusals)
        if not is_told and not self._consents_to_inquiry(application, taken.date):
            refuse_for(taken, Reason("consent", REASONS["consent"][0], clause))

    def _consents_to_inquiry(self, application: Application, day: dt.date) -> bool:
        # An enterprise consents by its signature.
        return (
            self._consents[_consent(application, day)] if application.borrower == "household" else application.is_signed
        )

    def _product(self, loan: _Loan, application: Application) -> str | None:
        """Return the product that a loan is of, as the policy of an application calls it; None where nobody knows."""
        meant = self._context.policy_product(loan.institution, loan.product)
        if meant is None:
            return None
        policy, product = meant
        return product if policy == application.policy else f"{policy}/{product}"

    def _programme_balance(self, product: Product) -> Decimal | None:
        """Return what all loans owe, where the plan limits that."""
        if all(entry["condition"] != "programme_scale" for entry in product.lists.get("lending.conditions", ())):
            return None
        if self._lent is None:
            self._lent = self._transaction.value("SELECT coalesce(sum(balance), 0) FROM registry.loan") or Decimal(0)
        return self._lent


def refuse_for(taken: Taken, reason: Reason) -> None:
    """Note HL1070, a reason against an application."""
    taken.refuse("HL1070", reason=reason.code, what=_called(reason), clause=_clause(reason))


def _called(reason: Reason) -> Bilingual:
    """Return what is said of a reason; where the policy says it in Chinese alone, its code says it in English."""
    chinese, english = REASONS.get(reason.code, (reason.chinese, reason.code.replace("_", " ")))
    figures = reason.chinese.removeprefix(chinese).translate(_PUNCTUATION)
    return Bilingual(reason.chinese, english + (figures if figures.isascii() else ""))


def _consent(application: Application, day: dt.date) -> consents.Asked:
    """Return what is asked of the consent of who applies: a member of the family who stands in needs her own."""
    return consents.Asked(application.borrower_no, application.applicant, application.institution, day)


def _suspensions(application: Application, taken: Taken) -> list[suspensions.Asked]:
    """Return what is asked of suspensions: of the day of an act, and of its entry, as nobody dates it before a stop."""
    where = application.region, application.institution, application.product
    return [suspensions.Asked(*where, day) for day in dict.fromkeys((taken.date, taken.entered))]


def _rating(row: dict[str, Any]) -> _Rating:
    score, line, until = row["score"], row["line"], row["valid_until"]
    return _Rating(
        Decimal(score) if score else None,
        row["grade"],
        Decimal(line) if line else None,
        dt.date.fromisoformat(row["valid_from"]),
        dt.date.fromisoformat(until) if until else None,
    )


def _clause(reason: Reason) -> Bilingual:
    return Bilingual(f"；依据：{reason.clause}", f"; clause: {reason.clause}") if reason.clause else Bilingual("", "")
