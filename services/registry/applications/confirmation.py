"""Confirmations: what the bank and the insurers are told of applications whose loan is due (form 3)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core import money
from huilian.county.members import directory
from huilian.county.messages import notices
from huilian.county.messages.notices import Notice
from huilian.wire.batches import Batcher, wire_types
from huilian.wire.envelope import Draft
from schemas.outgoing import ConfirmationRecord, EnterpriseConfirmationRecord
from services.registry.applications import lending
from services.registry.applications.states import APPLICATION
from services.registry.parties import consents, enterprises

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from huilian.county.service import FileCheck
    from huilian.database.connection import Transaction
    from huilian.records.record import Record
    from services.registry.applications.book import Application, Book

__all__ = ["CONFIRMATIONS", "ENTERPRISES", "check_file", "settle"]

CONFIRMATIONS: Final = "confirmations"
ENTERPRISES: Final = "enterprise_confirmations"


def check_file(transaction: Transaction) -> FileCheck:
    """Return the check of a confirmation in a file: where loans rest on applications no file confirms any.

    Finds HL3069, of a region where the county has stated so (`application_start`).
    """
    starts = transaction.rows("SELECT region, from_date FROM registry.application_start")

    def check(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        day = dt.date.fromisoformat(record["confirmed_date"])
        return [
            ("region", "HL3069")
            for start in starts
            if start["from_date"] <= day
            and (record["region"].startswith(start["region"]) or start["region"].startswith(record["region"]))
        ][:1]

    return check


def settle(book: Book) -> Iterator[Draft]:
    """Write what became of the applications of a book; yield what is told of them, and the confirmations."""
    yield from book.write()
    yield from _ended(book)
    # Their loans may be in the ledgers already.
    if book.confirmed:
        yield from lending.settle(book, [each.application_no for each in book.confirmed])
    confirmed, insurers = list(book.confirmed), _insurers(book) if book.confirmed else []
    book.confirmed.clear()
    for bank in sorted({application.institution for application in confirmed}):
        mine = [application for application in confirmed if application.institution == bank]
        households = [each for each in mine if each.borrower == "household"]
        yield from _drafts(bank, CONFIRMATIONS, ConfirmationRecord, map(_record, households))
        enterprises_of_bank = list(_enterprises(book, [each for each in mine if each.borrower == "enterprise"]))
        yield from _drafts(bank, ENTERPRISES, EnterpriseConfirmationRecord, enterprises_of_bank)
        for insurer in insurers:
            shared = _shared_with(book, insurer, households)
            yield from _drafts(insurer, CONFIRMATIONS, ConfirmationRecord, map(_record, shared))
            yield from _drafts(insurer, ENTERPRISES, EnterpriseConfirmationRecord, enterprises_of_bank)


def _insurers(book: Book) -> list[str]:
    members = directory.all_members(book.transaction)
    return [member.code for member in members if member.kind == "insurer" and member.takes_part]


def _ended(book: Book) -> Iterator[Draft]:
    """Yield the notices of confirmations that ended without a loan, to whom they had been sent."""
    told: defaultdict[str, list[Notice]] = defaultdict(list)
    insurers = _insurers(book) if book.ended else []
    for application in book.ended:
        text = f"确认 {application.confirmation_no} 已失效：{APPLICATION.states[application.state]}，不得据此放款、承保"
        notice = Notice("confirmation_ended", text, application.confirmation_no, region=application.region)
        for member in (application.institution, *insurers):
            told[member].append(notice)
    book.ended.clear()
    for member in sorted(told):
        yield notices.draft_of(book.context, member, told[member])


def _shared_with(book: Book, insurer: str, confirmed: list[Application]) -> list[Application]:
    """Return those whose applicants let an insurer know of them."""
    asked = [
        consents.Asked(each.borrower_no, each.applicant, insurer, each.confirmed)
        for each in confirmed
        if each.confirmed is not None
    ]
    lets = consents.in_force(book.transaction, "share_with_insurer", asked)
    return [each for each, holds in zip(confirmed, lets, strict=True) if holds]


def _drafts(member: str, message_type: str, record: type[Record], records: Iterable[dict[str, Any]]) -> Iterator[Draft]:
    lined = [{"line": line} | each for line, each in enumerate(records, start=1)]
    batcher, frame = Batcher(), pl.DataFrame(lined, schema=wire_types(record))
    for _, body in (*batcher.add(frame), *batcher.flush()):
        yield Draft(message_type, f"{message_type}/v1", member, body, bulk=True)


def _record(application: Application) -> dict[str, Any]:
    return _confirmed(application) | {
        "household_no": application.borrower_no,
        "borrower_name": application.applicant_name,
        "identity_number": application.applicant,
    }


def _enterprises(book: Book, confirmed: list[Application]) -> Iterator[dict[str, Any]]:
    """Yield the records of enterprises, with how many households each leads."""
    asked = [(each.borrower_no, each.way, each.confirmed) for each in confirmed if each.confirmed is not None]
    led = enterprises.households_led(book.transaction, asked) if asked else []
    for application, households in zip(confirmed, led, strict=True):
        yield _confirmed(application) | {
            "enterprise_no": application.borrower_no,
            "enterprise_name": application.applicant_name,
            "way": application.way,
            "households": len(households),
        }


def _confirmed(application: Application) -> dict[str, Any]:
    until = application.valid_until
    return {
        "confirmation_no": application.confirmation_no,
        "institution": application.institution,
        "region": application.region,
        # Where the bank's own code was not said, the policy's word stands for it.
        "product": application.bank_product or application.product[:20],
        "amount": money.text(application.amount),
        "months": application.term,
        "confirmed_date": application.confirmed and application.confirmed.isoformat(),
        "valid_until": until and until.isoformat(),
    }
