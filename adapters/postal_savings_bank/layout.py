"""Which bytes of a record are which field: all records have 240 bytes, of which the first says the kind."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from adapters.toolkit.characters import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.toolkit.translation import Translation
    from huilian.records.record import Record

__all__ = [
    "DETAIL",
    "DETAIL_WITH_SIGNED",
    "ENCODING",
    "FREE_TEXTS",
    "RECORD_BYTES",
    "Details",
    "Place",
    "fitted",
    "places",
    "spare",
    "whole_characters",
]

RECORD_BYTES: Final = 240
"""Of every record, without its LF."""
ENCODING: Final = "gb18030"
"""Contains GBK. Of no character outside ASCII is any byte a line end, so that lines may be cut before decoding."""


@dataclass(frozen=True)
class Place:
    """Where a field stands in a record.

    Args:
        name: what the bank's description calls it.
        start: bytes before it, the record's kind included.
        width: its bytes.
    """

    name: str
    start: int
    width: int

    def of(self, record: bytes) -> bytes:
        """Return the field's bytes."""
        return record[self.start : self.start + self.width]


@dataclass(frozen=True)
class Details:
    """The records of one kind of file between its header and its trailer.

    Args:
        kind: their first byte; unless it is D, names of files have it.
        contract: the one that they keep.
        record: what they become.
        fields: where their fields stand.
        translation: what these mean.
        totals: the amounts that the trailer adds up, two at most.
        unique: as `toolkit.file_layouts.FileLayout.unique`.
        has_region: whether they state a region, which must lie in the county.
        of_owner: the field that holds the bank itself, if there is one.
    """

    kind: str
    contract: str
    record: type[Record]
    fields: tuple[Place, ...]
    translation: Translation
    totals: tuple[str, ...]
    unique: tuple[tuple[str, ...], str]
    has_region: bool = False
    of_owner: str | None = None


def places(widths: Mapping[str, int], start: int = 1) -> tuple[Place, ...]:
    """Return the places of fields that follow each other, from their widths in bytes."""
    starts = accumulate(widths.values(), initial=start)
    return tuple(Place(name, begin, width) for (name, width), begin in zip(widths.items(), starts, strict=False))


def spare(fields: tuple[Place, ...]) -> int:
    """Return how many bytes of a record are left after `fields`."""
    return RECORD_BYTES - fields[-1].start - fields[-1].width


DETAIL: Final = places(
    {
        "借据号": 20,
        "信贷合同号": 20,
        "户编号": 16,
        "借款人姓名": 30,
        "证件号码": 18,
        "行政区划代码": 12,
        "产品代码": 6,
        "借款金额": 13,
        "借款余额": 13,
        "月利率": 6,
        "起始日期": 8,
        "到期日期": 8,
        "结清日期": 8,
        "还款方式": 1,
        "贷款用途": 20,
        "五级分类": 1,
        "逾期天数": 4,
        "欠本金额": 13,
        "欠息金额": 13,
        "贷款状态": 1,
    }
)
"""The fields of a record of kind D, one loan."""
DETAIL_WITH_SIGNED: Final = (*DETAIL, Place("签订日期", DETAIL[-1].start + DETAIL[-1].width, 8))
"""The same where the bank keeps the day of the contract in what else is spare."""

FREE_TEXTS: Final = frozenset({"借款人姓名", "贷款用途"})
"""What the bank's system cuts where the field ends. Anything else is a number or a code, and whole or wrong."""


def whole_characters(data: bytes) -> str:
    """Return the text of `data` without a character that is cut off at its end.

    Raises:
        UnicodeDecodeError: something else in it cannot be read.
    """
    # An incremental decoder keeps the beginning of a character back for the bytes that might follow.
    return codecs.getincrementaldecoder(ENCODING)().decode(data)


def fitted(text: str, width: int) -> bytes:
    """Return `text` in exactly `width` bytes: padded with blanks, or cut after its last whole character that fits."""
    data = encoded(text, ENCODING)
    if len(data) > width:
        data = whole_characters(data[:width]).encode(ENCODING)
    return data.ljust(width)
