"""Confirmed applications, entered as the county's confirmation leaves them, and what ledgers make of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from services.registry.applications import lending
from services.registry.applications.book import Act, Application, Book
from tests.support.builders.loans import VILLAGES, state
from tests.support.reporting import Submission

if TYPE_CHECKING:
    from tests.support.reporting import ReportingCounty

LENDING = {
    *("loan_without_confirmation", "loan_before_confirmation", "loan_differs_from_confirmation"),
    *("two_loans_on_one_confirmation", "loan_in_suspended_area", "continuation_without_original"),
}
BANK, OTHER_BANK = "RCB01", "PSB01"
APPLICANT = "341599198001010011"
CONFIRMED = dt.date(2024, 5, 10)


def loan(number: str = "L1", **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever a loan has
    """Return a loan as it was confirmed to the applicant of `confirm`, as a ledger states it."""
    same = {"start_date": "2024-05-20", "due_date": "2025-05-20", "identity_number": APPLICANT}
    return {"loan_no": number} | state(**same | {"identity_type": "resident_identity_card"} | changes)


def application(number: str = "A1", **changes: Any) -> Application:  # noqa: ANN401  # whatever it has
    """Return a confirmed application for a year's loan of 50,000."""
    facts: dict[str, Any] = {
        "application_no": number,
        "borrower": "household",
        "borrower_no": "H1",
        "household_kind": "out_of_poverty",
        "applicant": APPLICANT,
        "applicant_name": "张三",
        "region": VILLAGES[0],
        "institution": BANK,
        "bank_product": "POOR",
        "policy": "anhui",
        "product": "household",
        "amount": Decimal("50000.00"),
        "term": 12,
        "annual_rate_percent": Decimal("4.35"),
        "purpose": "farming",
        "way": None,
        "collateral": None,
        "other_loans": Decimal(0),
        "signed": "yes",
        "family_adults": 1,
        "family_signed": 1,
        "document": None,
        "entered_by": "341599",
        "entered_person": "A",
        "message": "m",
        "applied": dt.date(2024, 5, 1),
        "entered": dt.date(2024, 5, 1),
        "state": "confirmed",
        "stage": "lend",
        "stage_since": CONFIRMED,
        "reservation": "held",
        "attempt": 1,
        "decided": CONFIRMED,
        "confirmation_no": number,
        "confirmed": CONFIRMED,
        "valid_until": dt.date(2024, 8, 10),
    }
    return Application(**facts | changes)


def confirm(county: ReportingCounty, *applications: Application) -> None:
    """Enter confirmed applications, and let those go on whose loan is in the ledgers already."""
    with county.transaction() as transaction:
        book = Book(transaction, county.office.context)
        for each in applications:
            until = each.valid_until
            book.enter(each, Act(each.application_no, "approve_last", each.stage_since, "341599"))
            each.valid_until = until
            path = book.path(each)
            place = path.place(each.stage)
            each.due = None if place is None else book.last_day(each.stage_since, path.stages[place])
        county.office.processor.send_all(transaction, book.write(), service="registry")
        settled = lending.settle(book, [each.application_no for each in applications])
        county.office.processor.send_all(transaction, settled, service="registry")
    county.carry(county.sent())


def start(county: ReportingCounty, region: str, day: str) -> None:
    """Say from which day on loans in a region need a confirmation."""
    with county.transaction() as transaction:
        transaction.execute(
            "INSERT INTO registry.application_start VALUES (%s, %s, '341599', 'A', %s, 'm')", [region, day, day]
        )


def suspend(
    county: ReportingCounty,
    number: str,
    region: str,
    since: str,
    until: str | None = None,
    *,
    bank: str | None = None,
    product: str | None = None,
) -> None:
    """Say that lending is suspended in a region, by one bank or all, of one product or all."""
    with county.transaction() as transaction:
        transaction.execute(
            "INSERT INTO registry.lending_suspension (suspension_no, region, institution, product, reason, from_date,"
            " until_date, date, member, message) VALUES (%s, %s, %s, %s, '逾期', %s, %s, %s, '341599', 'm')",
            [number, region, bank, product, since, until, since],
        )


def standing(county: ReportingCounty) -> dict[str, tuple[str, str | None, str | None, str | None]]:
    """Return state, stage, loan and reservation of each application."""
    rows = county.rows("SELECT * FROM registry.application ORDER BY application_no")
    names = ("state", "stage", "loan_no", "reservation")
    return {row["application_no"]: tuple(row[name] for name in names) for row in rows}


def differences(county: ReportingCounty, **scope: str) -> list[tuple[Any, ...]]:
    """Return kind, loan, reference and detail of what does not match between ledgers and confirmations."""
    with county.transaction() as transaction:
        rows = list(county.registry["differences"](transaction, **{"region": "341599"} | scope))
    names = ("kind", "loan_no", "reference", "detail")
    return [tuple(row[name] for name in names) for row in rows if row["kind"] in LENDING]


def push(
    county: ReportingCounty,
    *loans: dict[str, Any],
    as_of: dt.date = dt.date(2024, 5, 31),
    bank: str = BANK,
    **more: Any,  # noqa: ANN401  # whatever a submission has
) -> None:
    """Push a ledger, which is taken."""
    assert county.push(Submission(bank, as_of, list(loans), **more))["status"] == "accepted"
