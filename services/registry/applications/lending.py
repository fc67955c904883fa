"""The ledger against applications: which loan was lent on which confirmation.

A loan is the loan of a confirmed application of its bank where it states the number of the confirmation. Of a loan that
states none, or one that nobody knows, bank, borrower (household and identity number) and product must fit, it must have
begun within the time of the confirmation, and exactly one application that has no other loan must fit. A loan that goes
on from a known one (extension, renewal) needs no confirmation and takes none.

Who has which loan is worked out anew, from all loans and confirmations of the borrowers concerned, whenever one of
them changed: so it comes to the same in whatever order ledgers, corrections and confirmations arrive. Where several
loans fall on one confirmation (draws on a line), the first is its loan. The others are differences as soon as all of
them together are more than was confirmed (`differences`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from services.registry.applications.book import OWN, Act, Book, hold
from services.registry.applications.cover import follow_policies
from services.registry.applications.differences import fitting
from services.registry.applications.states import LOAN

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Iterator

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft
    from services.registry.applications.book import Application

__all__ = ["Confirmed", "Lent", "follow_ledger", "match", "settle"]

_PIECE: Final = 2_000
"""Applications in memory at a time."""
_CONFIRMED: Final = ("confirmed", "lent", "completed", "expired")
"""The states of an application that was confirmed: a loan may have begun before its confirmation lapsed."""
_CONCERNED: Final = """
    WITH changed AS ({changed}), loan AS (
        SELECT loan_no, household_no, identity_type, identity_number, confirmation_no
        FROM registry.loan JOIN changed USING (loan_no) WHERE institution = %(institution)s
      UNION ALL
        -- What goes on from a loan that is known now needs no confirmation any more.
        SELECT l.loan_no, l.household_no, l.identity_type, l.identity_number, l.confirmation_no
        FROM registry.loan l JOIN changed c ON l.original_loan_no = c.loan_no
        WHERE l.institution = %(institution)s AND l.original_loan_no IS NOT NULL
    )
    SELECT application_no FROM (
        SELECT a.application_no, a.state, a.confirmed FROM loan l JOIN registry.application a
          ON a.borrower = 'household' AND a.borrower_no = l.household_no AND a.institution = %(institution)s
      UNION
        SELECT a.application_no, a.state, a.confirmed FROM loan l JOIN registry.application a
          ON l.identity_type = 'unified_social_credit_code' AND a.borrower = 'enterprise'
         AND a.borrower_no = l.identity_number AND a.institution = %(institution)s
      UNION
        SELECT a.application_no, a.state, a.confirmed FROM loan l JOIN registry.application a USING (confirmation_no)
      UNION
        SELECT a.application_no, a.state, a.confirmed FROM changed c JOIN registry.application a
          ON a.loan_no = c.loan_no AND a.institution = %(institution)s
    ) a WHERE state = ANY(%(states)s) AND confirmed IS NOT NULL
"""
"""The applications that the loans which a ledger changed may concern."""
_OF_BORROWERS: Final = """
    SELECT DISTINCT o.application_no, o.borrower, o.borrower_no, o.confirmation_no
    FROM registry.application a JOIN registry.application o
      ON o.institution = a.institution AND o.borrower = a.borrower AND o.borrower_no = a.borrower_no
    WHERE a.application_no = ANY(%(numbers)s) AND o.confirmed IS NOT NULL AND o.state = ANY(%(states)s)
"""
_LOANS: Final = f"""
    WITH application AS MATERIALIZED (
        SELECT * FROM registry.application WHERE application_no = ANY(%(numbers)s)
    ), loan AS MATERIALIZED (
        -- Said by arrays, so that the server sees how many they are: few are looked up, for many all loans are read.
        SELECT * FROM registry.loan WHERE household_no = ANY(%(households)s)
      UNION SELECT * FROM registry.loan WHERE confirmation_no = ANY(%(confirmations)s)
      UNION SELECT * FROM registry.loan
            WHERE identity_number = ANY(%(enterprises)s) AND identity_type = 'unified_social_credit_code'
    )
    SELECT f.application_no, f.is_stated, l.institution, l.loan_no, l.product, l.start_date, p.message,
           l.submission, l.sequence, l.line
    FROM ({fitting("application", "loan")}) f
    JOIN loan l ON l.institution = f.institution AND l.loan_no = f.loan_no
    LEFT JOIN huilian.submission s ON s.number = l.submission
    LEFT JOIN huilian.submission_part p ON p.submission = s.submission AND p.sequence = l.sequence
     AND p.sha256 = s.manifest #>> ARRAY['parts', l.sequence::text, 'sha256']
"""


@dataclass(frozen=True)
class Confirmed:
    """An application as it was confirmed.

    Args:
        number: of the application.
        institution: the bank.
        products: the bank's codes that mean its product.
        confirmed: the day of the confirmation.
        valid_until: the last day on which a loan may begin; None: no end.
    """

    number: str
    institution: str
    products: Callable[[str], bool]
    confirmed: dt.date
    valid_until: dt.date | None


@dataclass(frozen=True)
class Lent:
    """A loan that may be the loan of an application, since it states its number or has its bank and borrower."""

    application_no: str
    is_stated: bool
    institution: str
    loan_no: str
    product: str
    start_date: dt.date
    message: str | None = None
    submission: int | None = None
    sequence: int | None = None
    line: int | None = None


def match(applications: Iterable[Confirmed], loans: Collection[Lent]) -> dict[str, Lent]:
    """Return which loan is the loan of which application, by the application's number.

    Args:
        applications: all that were confirmed for some borrowers.
        loans: each that may be the loan of one of them, once for each of these; none that goes on from another.
    """
    known = {each.number: each for each in applications}
    found: dict[str, Lent] = {}
    ordered = sorted(loans, key=lambda loan: (loan.start_date, loan.loan_no))
    for loan in ordered:
        if loan.is_stated and loan.institution == known[loan.application_no].institution:
            found.setdefault(loan.application_no, loan)
    fitting: dict[str, list[Lent]] = {}
    for loan in ordered:
        if not loan.is_stated and _fits(known[loan.application_no], loan):
            fitting.setdefault(loan.loan_no, []).append(loan)
    for candidates in fitting.values():
        free = [loan for loan in candidates if loan.application_no not in found]
        if len(free) == 1:
            found[free[0].application_no] = free[0]
    return found


def _fits(application: Confirmed, loan: Lent) -> bool:
    within = application.valid_until is None or loan.start_date <= application.valid_until
    is_in_time = application.confirmed <= loan.start_date and within
    return is_in_time and loan.institution == application.institution and application.products(loan.product)


def follow_ledger(
    transaction: Transaction, context: Context, institution: str, changed: Iterable[str]
) -> Iterator[Draft]:
    """Let the applications go on whose loans a ledger has, once it was applied; yield what is told of them.

    Where no application was confirmed nothing is read of the loans.

    Args:
        transaction: in which the ledger was applied.
        context: policies, products and working days.
        institution: the bank.
        changed: the tables with the loans (`loan_no`) that are new, changed or gone by it.
    """
    # Held before anything is looked at: who confirms meanwhile waits, and sees this ledger's loans.
    hold(transaction)
    facts = {"institution": institution, "states": list(_CONFIRMED)}
    if not transaction.value("SELECT true FROM registry.application WHERE state = ANY(%(states)s) LIMIT 1", facts):
        return
    statement = _CONCERNED.format(changed=" UNION ".join(f"SELECT loan_no FROM {table}" for table in changed))
    numbers = [row["application_no"] for row in transaction.rows(statement, facts)]
    book = Book(transaction, context)
    for start in range(0, len(numbers), _PIECE):
        yield from settle(book, numbers[start : start + _PIECE])
        book.forget()


def settle(book: Book, numbers: Collection[str]) -> Iterator[Draft]:
    """Let confirmed applications go on whose loan there is, and back those whose loan is gone; yield what is told.

    To be called, too, when applications were confirmed: their loan may be in the ledgers already.

    Args:
        book: holds what becomes of them. What it changed before is written.
        numbers: of the applications.
    """
    facts: dict[str, Any] = {"numbers": sorted(numbers), "states": list(_CONFIRMED)}
    rows = book.transaction.rows(_OF_BORROWERS, facts)
    facts = {
        "numbers": sorted(row["application_no"] for row in rows),
        "households": sorted({row["borrower_no"] for row in rows if row["borrower"] == "household"}),
        "enterprises": sorted({row["borrower_no"] for row in rows if row["borrower"] == "enterprise"}),
        "confirmations": sorted({row["confirmation_no"] for row in rows}),
    }
    book.read(facts["numbers"])
    applications = [each for number in facts["numbers"] if (each := book.get(number)) is not None]
    loans = [Lent(**row) for row in book.transaction.rows(_LOANS, facts)] if applications else []
    found = match([_confirmed(book.context, each) for each in applications], loans)
    for application in applications:
        _move(book, application, found.get(application.application_no))
    yield from book.write()
    follow_policies(book, applications)
    yield from book.write()


def _confirmed(context: Context, application: Application) -> Confirmed:
    assert application.confirmed is not None  # noqa: S101  # narrows the type: it was confirmed
    meant = (application.policy, application.product)

    def is_meant(code: str) -> bool:
        if code == application.bank_product:
            return True
        by_code = context.policy_product(application.institution, code)
        return by_code == meant or (by_code is None and application.bank_product is None)

    return Confirmed(
        application.application_no, application.institution, is_meant, application.confirmed, application.valid_until
    )


def _move(book: Book, application: Application, loan: Lent | None) -> None:
    """Bring an application to where it is with this loan, or without one."""
    if application.loan_no == (loan and loan.loan_no):
        return
    path = book.path_or_bare(application)
    place = next(place for place, stage in enumerate(path.stages) if stage.takes == LOAN)
    due = path.stages[place].name
    act = Act(application.application_no, "take_back", _day(application, loan), OWN, step=due)
    if loan is None:
        # The fund holds again what it held before the loan was told of. Its bank knows of the confirmation.
        book.move(application, act, due, loan_no=None, reservation="held")
        book.confirmed.remove(application)
        return
    read = {"submission": loan.submission, "sequence": loan.sequence, "line": loan.line}
    act = replace(act, member=application.institution, message=loan.message, snapshot={"read": read})
    held = {"loan_no": loan.loan_no, "reservation": "released"}
    if application.loan_no is not None:
        move = "lend_another" if application.state == "lent" else "lend_another_last"
        book.move(application, replace(act, move=move), application.stage, **held)
        return
    move, following = path.after_loan(place, "lend")
    book.move(application, replace(act, move=move), following, **held)


def _day(application: Application, loan: Lent | None) -> dt.date:
    """Return the day of the move: the loan's first, not before the confirmation, whenever the ledger comes."""
    assert application.confirmed is not None  # noqa: S101  # narrows the type: it was confirmed
    return max(application.confirmed, loan.start_date) if loan else application.confirmed
