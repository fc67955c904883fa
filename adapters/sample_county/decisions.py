"""What the sample county's office decided, as it hands it to its institutions: canonical records, one file a receiver.

Confirmed lists for the banks, of the loans they went on to lend, and credit records for the
platform that publishes them: the heads' names, which nobody bears, and masked numbers.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adapters.sample_county.county import HOUSEHOLDS, SEED, county
from adapters.sample_county.files import BANK
from adapters.sample_county.lending import MONTH_ENDS, Loan
from adapters.sample_county.population import COUNTY
from adapters.sample_county.postal import POSTAL_BANK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from adapters.sample_county.county import County
    from adapters.sample_county.population import Household

__all__ = ["CREDIT_PLATFORM", "DecidedFile", "write_decisions"]

CREDIT_PLATFORM: Final = f"XY_{COUNTY}"
"""The credit-information platform's member code, with which the files it expects begin."""
_CONFIRMED: Final = 12
"""Households on a confirmed list, at most: the bank's newest loans."""
_RATED: Final = 20
"""Households whose credit records are published, at most."""
_CONFIRMED_BEFORE: Final = dt.timedelta(days=7)
_CONFIRMATION_COUNTS: Final = dt.timedelta(days=90)
_RATED_ON: Final = MONTH_ENDS[-1]
_RATED_YEARS: Final = 3
_POSTED_DAYS: Final = 7
_LINES: Final = {"AAA": 50_000, "AA": 30_000, "A": 10_000}
"""Credit lines in yuan by grade."""
_INCOME_FEN: Final = {"AAA": 40_000_00, "AA": 20_000_00}
"""Yearly income from which a household has the grade; below the last it is A."""


@dataclass(frozen=True)
class DecidedFile:
    """A file of records for one receiver.

    Args:
        path: NDJSON.
        type: the contract of its records, "confirmations".
        member: whom they are for.
        adapter: what writes them in the member's own format.
        records: how many.
    """

    path: Path
    type: str
    member: str
    adapter: str
    records: int


def write_decisions(directory: Path, *, seed: int = SEED, households: int = HOUSEHOLDS) -> list[DecidedFile]:
    """Write what the county decided into `directory` and return the files, the banks' first.

    Args:
        directory: made if it is not there.
        seed: as of the sample's other files.
        households: as of the sample's other files.
    """
    sample = county(seed, households)
    directory.mkdir(parents=True, exist_ok=True)
    banks = ((BANK, "rural_commercial_bank", sample.loans), (POSTAL_BANK, "postal_savings_bank", sample.postal_loans))
    written = [
        _write(directory / f"确认名单_{code}.ndjson", "confirmations", code, adapter, _confirmations(code, loans))
        for code, adapter, loans in banks
    ]
    credit = _credit_records(sample)
    path = directory / f"信用记录_{CREDIT_PLATFORM}.ndjson"
    return [*written, _write(path, "credit_records", CREDIT_PLATFORM, "credit_platform", credit)]


def _write(path: Path, kind: str, member: str, adapter: str, records: Iterable[dict[str, Any]]) -> DecidedFile:
    lines = [
        json.dumps({"line": line} | record, ensure_ascii=False) + "\n" for line, record in enumerate(records, start=1)
    ]
    path.write_text("".join(lines), encoding="utf-8")
    return DecidedFile(path, kind, member, adapter, len(lines))


def _confirmations(bank: str, loans: Sequence[Loan]) -> list[dict[str, Any]]:
    return [_confirmation(bank, loan) for loan in loans[-_CONFIRMED:]]


def _confirmation(bank: str, loan: Loan) -> dict[str, Any]:
    confirmed = loan.start - _CONFIRMED_BEFORE
    return {
        "confirmation_no": f"QR{loan.number}",
        "institution": bank,
        "household_no": loan.household.number,
        "borrower_name": loan.borrower.name,
        "identity_number": loan.borrower.identity_number,
        "region": loan.household.region,
        "product": loan.product,
        "amount": f"{loan.principal // 100}.{loan.principal % 100:02}",
        "months": (loan.due.year - loan.start.year) * 12 + loan.due.month - loan.start.month,
        "confirmed_date": confirmed.isoformat(),
        "valid_until": (confirmed + _CONFIRMATION_COUNTS).isoformat(),
    }


def _repaid_in_time(loan: Loan) -> bool:
    settled = loan.settled(_RATED_ON)
    return settled is not None and settled <= loan.due


def _credit_records(sample: County) -> list[dict[str, Any]]:
    """Return one of each so many households, spread over all villages."""
    step = max(1, len(sample.households) // _RATED)
    kept_faith = {loan.household.number for loan in sample.all_loans if _repaid_in_time(loan)}
    return [_credit(household, kept_faith) for household in sample.households[::step][:_RATED]]


def _credit(household: Household, kept_faith: set[str]) -> dict[str, Any]:
    grade = next((grade for grade, income in _INCOME_FEN.items() if household.income >= income), "A")
    number = household.head.identity_number
    awarded = household.number in kept_faith
    return {
        "subject": "household",
        "name": household.head.name,
        "masked_number": f"{number[:6]}{'*' * 8}{number[-4:]}",
        "grade": grade,
        "credit_line": f"{_LINES[grade]}.00",
        "decided_date": _RATED_ON.isoformat(),
        "valid_until": _RATED_ON.replace(year=_RATED_ON.year + _RATED_YEARS).isoformat(),
        "award": "守信激励" if awarded else None,
        "award_reason": "贷款已按约还清" if awarded else None,
        "posted_days": _POSTED_DAYS,
    }
