"""What the bank is sent: the layouts of its records, and which field of which contract stands where in them.

Confirmations keep the layout of a detail: what both have stands at the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.postal_savings_bank.layout import DETAIL, RECORD_BYTES, Place, places
from adapters.postal_savings_bank.ledger import date, fen
from adapters.toolkit.notations import COMPACT_DATE, WHOLE, Notation, codes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONTINUATION", "FORMS", "Entry", "Form"]

_FEN_DIGITS: Final = 13
_TEXT: Final = Notation(lambda value: value, lambda cell: cell)
_FEN: Final = Notation(lambda amount: amount.str.replace(".", "", literal=True, n=1), fen)
_DATE: Final = Notation(COMPACT_DATE.write, date)
_FEN_OR_BLANK: Final = Notation(lambda amount: _FEN.write(amount).str.zfill(_FEN_DIGITS), fen)
"""An amount that may be missing: blanks then, which zeros could not say."""
_NUMERIC: Final = (WHOLE, _FEN, _DATE)

CONTINUATION: Final = places({"字段序号": 2, "分段序号": 2, "字节数": 3, "内容": 232})
"""A record of kind X: a part of a value that its field in the record before is too short for."""


@dataclass(frozen=True)
class Entry:
    """One field of an outgoing record.

    Args:
        field: the contract's.
        place: where it stands.
        notation: how its values are written.
    """

    field: str
    place: Place
    notation: Notation = _TEXT

    @property
    def is_numeric(self) -> bool:
        """Whether it is right-justified and filled up with zeros; else it is left-justified, with blanks."""
        return self.notation in _NUMERIC

    @property
    def type(self) -> pl.DataType:
        """Return its wire type."""
        return pl.Int64() if self.notation is WHOLE else pl.String()


@dataclass(frozen=True)
class Form:
    """The records of one contract.

    Args:
        kinds: their first bytes: one for each record that a row takes, mostly a single one.
        entries: their fields, in the order in which continuations number them, from 1. Those of
            a row's second record are placed as if it followed the first without an LF between.
        zeros: numeric fields of the layout that the contract has not.
        totals: the amounts the trailer adds up, at most two.
    """

    kinds: str
    entries: tuple[Entry, ...]
    zeros: tuple[Place, ...] = ()
    totals: tuple[str, ...] = ()


def _form(*records: tuple[str, Mapping[str, tuple[int, Notation]]], totals: tuple[str, ...] = ()) -> Form:
    """Return a form from the kinds of a row's records, and the widths and notations of their fields."""
    entries: list[Entry] = []
    for number, (_, fields) in enumerate(records):
        where = places({field: width for field, (width, _) in fields.items()}, start=number * RECORD_BYTES + 1)
        entries += [Entry(place.name, place, fields[place.name][1]) for place in where]
    return Form("".join(kind for kind, _ in records), tuple(entries), totals=totals)


_DETAILS: Final = {place.name: place for place in DETAIL}
_LINE, _MONTHS = places({"序号": 5, "期限": 3}, start=DETAIL[-1].start + DETAIL[-1].width)

_CONFIRMATIONS: Final = Form(
    "C",
    (
        Entry("confirmation_no", _DETAILS["借据号"]),
        Entry("household_no", _DETAILS["户编号"]),
        Entry("borrower_name", _DETAILS["借款人姓名"]),
        Entry("identity_number", _DETAILS["证件号码"]),
        Entry("region", _DETAILS["行政区划代码"]),
        Entry("product", _DETAILS["产品代码"]),
        Entry("amount", _DETAILS["借款金额"], _FEN),
        Entry("confirmed_date", _DETAILS["起始日期"], _DATE),
        Entry("valid_until", _DETAILS["到期日期"], _DATE),
        Entry("line", _LINE, WHOLE),
        Entry("months", _MONTHS, WHOLE),
    ),
    zeros=tuple(_DETAILS[name] for name in ("借款余额", "月利率", "结清日期", "逾期天数", "欠本金额", "欠息金额")),
    totals=("amount",),
)

HELPING_WAYS: Final = {"direct": "1", "co_operative": "2", "shares": "3", "trusteeship": "4", "enterprise": "5"}
_ENTERPRISES: Final = _form(
    (
        "E",
        {
            "line": (8, WHOLE),
            "confirmation_no": (40, _TEXT),
            "enterprise_no": (18, _TEXT),
            "enterprise_name": (60, _TEXT),
            "region": (12, _TEXT),
            "product": (20, _TEXT),
            "way": (1, codes(HELPING_WAYS)),
            "households": (8, WHOLE),
            "amount": (_FEN_DIGITS, _FEN),
            "months": (3, WHOLE),
            "confirmed_date": (8, _DATE),
            "valid_until": (8, _DATE),
        },
    ),
    totals=("amount",),
)

SUBMISSION_STATUSES: Final = {"accepted": "A", "refused": "R"}
SUBMISSION_KINDS: Final = {
    "roster": "01",
    "loan_ledger": "02",
    "repayment_journal": "03",
    "guarantee_book": "04",
    "insurance_package": "05",
    "subsidy_claims": "06",
    "payment_results": "07",
    "compensation_claims": "08",
    "recoveries": "09",
}
NOTICE_KINDS: Final = {
    "lending_suspended": "01",
    "lending_resumed": "02",
    "message_refused": "03",
    "file_missing": "04",
    "file_repeated": "05",
    "does_not_match": "06",
    "key_expiring": "07",
    "step_overdue": "08",
    "confirmation_ended": "09",
}
SUBSIDY_STATUSES: Final = {"posted": "G", "paid": "Y", "refused": "N"}
SUBSIDY_STATUSES_OF_VERSION_2: Final = SUBSIDY_STATUSES | {
    "returned": "T",
    "approved": "A",
    "waiting": "W",
    "bounced": "F",
}
COMPENSATION_STATUSES: Final = {"approved": "A", "paid": "Y", "refused": "N"}

_RECEIPTS: Final = _form(
    (
        "A",
        {
            "status": (1, codes(SUBMISSION_STATUSES)),
            "kind": (2, codes(SUBMISSION_KINDS)),
            "as_of": (8, _DATE),
            "rows": (8, WHOLE),
            "accepted": (8, WHOLE),
            "rejected": (8, WHOLE),
            "changed": (8, WHOLE),
            "unchanged": (8, WHOLE),
            "missing": (8, WHOLE),
            "code": (6, _TEXT),
            "file_sha256": (64, _TEXT),
            "submission": (60, _TEXT),
            "message": (50, _TEXT),
        },
    )
)
_NOTICES: Final = _form(
    (
        "N",
        {
            "line": (8, WHOLE),
            "notice_no": (40, _TEXT),
            "kind": (2, codes(NOTICE_KINDS)),
            "date": (8, _DATE),
            "region": (12, _TEXT),
            "reference": (40, _TEXT),
            "code": (6, _TEXT),
            "text": (123, _TEXT),
        },
    )
)
GRADED_BORROWERS: Final = {"household": "1", "enterprise": "2"}
GRADE_STATUSES: Final = {"in_force": "Y", "ended": "N"}

_GRADES: Final = _form(
    (
        "G",
        {
            "line": (8, WHOLE),
            "borrower": (1, codes(GRADED_BORROWERS)),
            "borrower_no": (32, _TEXT),
            "region": (12, _TEXT),
            "status": (1, codes(GRADE_STATUSES)),
            "score": (6, _TEXT),
            "grade": (10, _TEXT),
            "credit_line": (_FEN_DIGITS, _FEN_OR_BLANK),
            "valid_from": (8, _DATE),
            "valid_until": (8, _DATE),
        },
    )
)
SERVED_STATUSES: Final = {"listed": "Y", "ended": "N"}
CATEGORIES: Final = {"poor": "1", "out_of_poverty": "2", "monitored": "3", "marginal": "4", "ordinary": "5"}

_HOUSEHOLDS: Final = _form(
    (
        "V",
        {
            "line": (8, WHOLE),
            "household_no": (32, _TEXT),
            "status": (1, codes(SERVED_STATUSES)),
            "region": (12, _TEXT),
            "head_name": (30, _TEXT),
            "identity_number": (18, _TEXT),
            "category": (1, codes(CATEGORIES)),
            "village_group": (40, _TEXT),
            "labour_skill": (40, _TEXT),
            "as_of": (8, _DATE),
        },
    )
)
_SUBSIDY_RESULT: Final = {
    "loan_no": (20, _TEXT),
    "result_no": (36, _TEXT),
    "household_no": (16, _TEXT),
    "period_start": (8, _DATE),
    "period_end": (8, _DATE),
    "claimed_amount": (13, _FEN),
    "computed_amount": (13, _FEN),
    "granted_amount": (13, _FEN),
    "status": (1, codes(SUBSIDY_STATUSES)),
    "decided_date": (8, _DATE),
    "paid_date": (8, _DATE),
    "line": (8, WHOLE),
    "policy_version": (20, _TEXT),
    "reason": (67, _TEXT),
}
_OF_SUBSIDIES: Final = ("claimed_amount", "granted_amount")
_SUBSIDY_RESULTS: Final = _form(("S", _SUBSIDY_RESULT), totals=_OF_SUBSIDIES)
_SUBSIDY_RESULTS_OF_VERSION_2: Final = _form(
    ("U", _SUBSIDY_RESULT | {"status": (1, codes(SUBSIDY_STATUSES_OF_VERSION_2))}),
    ("Z", {"segments": (RECORD_BYTES - 1, _TEXT)}),
    totals=_OF_SUBSIDIES,
)
_COMPENSATION_RESULTS: Final = _form(
    (
        "P",
        {
            "loan_no": (20, _TEXT),
            "result_no": (37, _TEXT),
            "household_no": (16, _TEXT),
            "application_no": (37, _TEXT),
            "principal": (13, _FEN),
            "interest": (13, _FEN),
            "share_insurer": (13, _FEN),
            "share_fund": (13, _FEN),
            "share_government": (13, _FEN),
            "share_bank": (13, _FEN),
            "share_guarantor": (13, _FEN),
            "share_reguarantor": (13, _FEN),
            "status": (1, codes(COMPENSATION_STATUSES)),
            "decided_date": (8, _DATE),
            "paid_date": (8, _DATE),
            "line": (8, WHOLE),
        },
    ),
    (
        "Q",
        {
            "policy_no": (40, _TEXT),
            "claim_no": (40, _TEXT),
            "policy_version": (20, _TEXT),
            "reason": (139, _TEXT),
        },
    ),
    totals=("principal", "interest"),
)

FORMS: Final[Mapping[str, Form]] = {
    "confirmations/v1": _CONFIRMATIONS,
    "enterprise_confirmations/v1": _ENTERPRISES,
    "receipt/v2": _RECEIPTS,
    "subsidy_results/v1": _SUBSIDY_RESULTS,
    "subsidy_results/v2": _SUBSIDY_RESULTS_OF_VERSION_2,
    "compensation_results/v1": _COMPENSATION_RESULTS,
    "notices/v1": _NOTICES,
    "notices/v2": _NOTICES,
    "household_grades/v1": _GRADES,
    "households_served/v1": _HOUSEHOLDS,
}
"""Contract to the form of the records it is sent as."""
