"""Confirmations: what the bank and the insurers are told of applications whose loan is due (form 3)."""

from __future__ import annotations

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
from services.registry.parties import agreements, consents, enterprises

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from huilian.county.service import FileCheck
    from huilian.database.connection import Transaction
    from huilian.records.record import Record
    from services.registry.applications.book import Application, Book

__all__ = ["CONFIRMATIONS", "ENTERPRISES", "check_file", "settle"]

CONFIRMATIONS: Final = "confirmations"
ENTERPRISES: Final = "enterprise_confirmations"
_ENDED: Final = {"refused": "审核不同意", "withdrawn": "已撤回", "expired": "已过期"}
"""What became of the application; any other state says that it was sent back."""


def check_file(transaction: Transaction, today: dt.date) -> FileCheck:
    """Return the check of a confirmation in a file: where loans rest on applications no file confirms any.

    Finds HL3069, of a region where the county has stated so (`application_start`), whatever day the record states.
    """
    starts = [
        row["region"]
        for row in transaction.rows("SELECT region FROM registry.application_start WHERE from_date <= %s", [today])
    ]

    def check(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        region = record["region"]
        return [("region", "HL3069") for start in starts if region.startswith(start) or start.startswith(region)][:1]

    return check


def settle(book: Book) -> Iterator[Draft]:
    """Write what became of the applications of a book; yield what is told of them, and the confirmations."""
    yield from book.write()
    yield from _ended(book)
    if not book.confirmed:
        return
    # Their loans may be in the ledgers already.
    yield from lending.settle(book, [each.application_no for each in book.confirmed])
    confirmed = [application for application in book.confirmed if application.confirmed is not None]
    book.confirmed.clear()
    members = directory.all_members(book.transaction)
    insurers = [member.code for member in members if member.kind == "insurer" and member.takes_part]
    households = [application for application in confirmed if application.borrower == "household"]
    enterprises_of = [application for application in confirmed if application.borrower == "enterprise"]
    for bank in sorted({application.institution for application in confirmed}):
        mine = ([each for each in those if each.institution == bank] for those in (households, enterprises_of))
        yield from _tell(book, bank, *mine)
    for insurer in insurers:
        yield from _tell(
            book, insurer, _shared_with(book, insurer, households), _agreed_with(book, insurer, enterprises_of)
        )


def _tell(book: Book, member: str, households: list[Application], enterprises_of: list[Application]) -> Iterator[Draft]:
    """Yield the confirmations that a member gets, and note that it got them."""
    book.transaction.execute(
        "INSERT INTO registry.confirmation_told SELECT number, %(member)s FROM unnest(%(numbers)s::text[]) AS number"
        " ON CONFLICT DO NOTHING",
        {"member": member, "numbers": [each.confirmation_no for each in (*households, *enterprises_of)]},
    )
    yield from _drafts(member, CONFIRMATIONS, ConfirmationRecord, map(_record, households))
    yield from _drafts(member, ENTERPRISES, EnterpriseConfirmationRecord, _enterprises(book, enterprises_of))


def _ended(book: Book) -> Iterator[Draft]:
    """Yield the notices of confirmations that ended without a loan, to whom they had been sent."""
    ended = {application.confirmation_no: application for application in book.ended}
    book.ended.clear()
    if not ended:
        return
    told: defaultdict[str, list[Notice]] = defaultdict(list)
    for row in book.transaction.rows(
        "DELETE FROM registry.confirmation_told WHERE confirmation_no = ANY(%s) RETURNING confirmation_no, member",
        [list(ended)],
    ):
        application = ended[row["confirmation_no"]]
        text = f"确认 {row['confirmation_no']} 作废：申请{_ENDED.get(application.state, '已退回')}，不得据此放款、承保"
        notice = Notice("confirmation_ended", text, row["confirmation_no"], region=application.region)
        told[row["member"]].append(notice)
    for member in sorted(told):
        yield notices.draft_of(book.context, member, sorted(told[member], key=lambda each: each.reference or ""))


def _shared_with(book: Book, insurer: str, confirmed: list[Application]) -> list[Application]:
    """Return those whose applicants let an insurer know of them."""
    asked = [
        consents.Asked(each.borrower_no, each.applicant, insurer, each.confirmed)
        for each in confirmed
        if each.confirmed is not None
    ]
    lets = consents.in_force(book.transaction, "share_with_insurer", asked)
    return [each for each, holds in zip(confirmed, lets, strict=True) if holds]


def _agreed_with(book: Book, insurer: str, confirmed: list[Application]) -> list[Application]:
    """Return those of enterprises that a cooperation agreement lets an insurer know of."""
    asked = [(each.borrower_no, each.region, each.confirmed) for each in confirmed if each.confirmed is not None]
    lets = agreements.cooperates(book.transaction, insurer, asked)
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
