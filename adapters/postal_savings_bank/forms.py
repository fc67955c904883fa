"""What the bank is sent: the layouts of its records, and which field of which contract stands where in them.

Confirmations keep the layout of a detail: what both have stands at the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.postal_savings_bank.layout import DETAIL, Place, places
from adapters.postal_savings_bank.ledger import date, fen
from adapters.toolkit.notations import COMPACT_DATE, WHOLE, Notation, codes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONTINUATION", "FORMS", "Entry", "Form"]

_TEXT: Final = Notation(lambda value: value, lambda cell: cell)
_FEN: Final = Notation(lambda amount: amount.str.replace(".", "", literal=True, n=1), fen)
_DATE: Final = Notation(COMPACT_DATE.write, date)
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
        kind: their first byte.
        entries: their fields, in the order in which continuations number them, from 1.
        zeros: numeric fields of the layout that the contract has not.
        total: the amount the trailer adds up, if any.
    """

    kind: str
    entries: tuple[Entry, ...]
    zeros: tuple[Place, ...] = ()
    total: str | None = None


def _form(kind: str, fields: Mapping[str, tuple[int, Notation]]) -> Form:
    where = places({field: width for field, (width, _) in fields.items()})
    return Form(kind, tuple(Entry(place.name, place, fields[place.name][1]) for place in where))


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
    total="amount",
)

SUBMISSION_STATUSES: Final = {"accepted": "A", "refused": "R"}
SUBMISSION_KINDS: Final = {
    "roster": "01",
    "loan_ledger": "02",
    "repayment_journal": "03",
    "guarantee_book": "04",
    "insurance_package": "05",
}
NOTICE_KINDS: Final = {
    "lending_suspended": "01",
    "lending_resumed": "02",
    "message_refused": "03",
    "file_missing": "04",
    "file_repeated": "05",
    "does_not_match": "06",
    "key_expiring": "07",
}

_RECEIPTS: Final = _form(
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
_NOTICES: Final = _form(
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

FORMS: Final[Mapping[str, Form]] = {
    "confirmations/v1": _CONFIRMATIONS,
    "receipt/v2": _RECEIPTS,
    "notices/v1": _NOTICES,
}
"""Contract to the form of the records it is sent as."""
