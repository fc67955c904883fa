"""The insurer's monthly package: policies on new loans, claims on lost ones, the month's result."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from adapters.sample_county.written import DirtyRow, SampleFile

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.sample_county.county import County
    from adapters.sample_county.lending import Loan

__all__ = ["INSURER", "paid_on", "write_insurance_package"]

INSURER: Final = "INS_PICC"
_NAMESPACE: Final = "urn:insurer:rural:v1"
_PREMIUM_OF: Final = 200
"""A premium is one part in so many of the sum insured: half a per cent."""
_CLAIM_AFTER: Final = dt.timedelta(days=60)
_PAID_PART: Final = 60, 100
_UNKNOWN_KIND_IN: Final = frozenset({3, 8})
"""Months whose package has a policy of a kind that was not agreed on."""


def write_insurance_package(directory: Path, sample: County, as_of: dt.date) -> SampleFile:
    """Write the package of the month that ends with `as_of` into `directory`."""
    insured = [loan for loan in sample.all_loans if _same_month(loan.start, as_of)]
    faulty = len(insured) // 2 if insured and as_of.month in _UNKNOWN_KIND_IN else None
    policies = [_policy(loan, wrong=place == faulty) for place, loan in enumerate(insured)]
    lost = [loan for loan in sample.all_loans if loan.arrears_from and _same_month(_claimed(loan), as_of)]
    claims = [_claim(loan) for loan in lost]
    premiums = sum(_premium(loan) for loan in insured)
    paid = sum(_paid(loan) for loan in lost)
    result = _element(
        "PeriodResult",
        _texts(Period=f"{as_of:%Y-%m}", Premiums=_yuan(premiums), Claims=_yuan(paid), Expenses=_yuan(premiums // 10)),
    )
    elements = [*policies, *claims, result]
    body = f"<Body>{''.join(elements)}</Body>".encode()
    head = _texts(
        Sender=INSURER,
        MessageId=f"{INSURER}-{as_of:%Y%m%d}-01",
        CreatedAt=f"{as_of:%Y-%m-%d}T17:08:09+08:00",
        Count=str(len(elements)),
        TotalAmount=_yuan(premiums + paid),
    )
    digest = f'<Digest alg="SHA-256">{hashlib.sha256(body).hexdigest()}</Digest>'
    before = f'<?xml version="1.0" encoding="UTF-8"?>\n<Package xmlns="{_NAMESPACE}"><Head>{head}{digest}</Head>'
    path = directory / f"{INSURER}_MIXED_{as_of:%Y%m%d}_01.xml"
    path.write_bytes(before.encode() + body + b"</Package>\n")
    dirt = () if faulty is None else (DirtyRow(faulty + 1, "Policy/Kind", "HL2005"),)
    return SampleFile(path, "insurer", INSURER, "insurance_package", as_of, len(elements), dirt)


def _policy(loan: Loan, *, wrong: bool) -> str:
    premium = _premium(loan)
    finance, insurer = premium // 2, premium // 5
    shares = {"finance": finance, "household": premium - finance - insurer, "insurer": insurer}
    stated = "".join(f'<Share payer="{payer}">{_yuan(share)}</Share>' for payer, share in shares.items())
    insured = f"<Insured name={quoteattr(loan.borrower.name)} idNo={quoteattr(loan.borrower.identity_number)}/>"
    return _element(
        "Policy",
        _texts(PolicyNo=_policy_no(loan), ProductCode="XEBZ01", Kind="theft" if wrong else "loan-guarantee")
        + _texts(Holder=loan.household.head.name)
        + insured
        + _texts(HouseholdNo=loan.household.number, Region=loan.household.region, LoanNo=loan.number)
        + _texts(SumInsured=_yuan(loan.principal))
        + f"<Premium><Amount>{_yuan(premium)}</Amount>{stated}</Premium>"
        + _texts(From=loan.start.isoformat(), To=loan.due.isoformat()),
    )


def _claim(loan: Loan) -> str:
    day = _claimed(loan)
    event = f'<Event kind="因病丧失劳动能力" date="{loan.arrears_from}" forceMajeure="yes"/>'
    return _element(
        "Claim",
        _texts(ClaimNo=f"LP{loan.number}", PolicyNo=_policy_no(loan), LoanNo=loan.number)
        + event
        + _texts(Status="settled", Amount=_yuan(_paid(loan)), PaidOn=f"{day}T10:00:00+08:00")
        + _texts(PayeeAccount=loan.household.account_last_four),
    )


def _policy_no(loan: Loan) -> str:
    return f"BD{loan.number}"


def _claimed(loan: Loan) -> dt.date:
    return (loan.arrears_from or loan.due) + _CLAIM_AFTER


def paid_on(loan: Loan) -> tuple[dt.date, int]:
    """Return when the insurer pays on a loan that is lost, and how many fen."""
    return _claimed(loan), _paid(loan)


def _premium(loan: Loan) -> int:
    return loan.principal // _PREMIUM_OF


def _paid(loan: Loan) -> int:
    part, whole = _PAID_PART
    return loan.unpaid(_claimed(loan)) * part // whole


def _same_month(day: dt.date, as_of: dt.date) -> bool:
    return (day.year, day.month) == (as_of.year, as_of.month)


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


def _texts(**texts: str) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in texts.items())


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"
