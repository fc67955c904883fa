"""Makes files as the postal savings bank's core system writes them, for the tests beside it."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME: Final = "PSBC1522_20240531_0001.dat"

LOAN: Final = {
    "借据号": "PJ20240000000001",
    "信贷合同号": "PHT2024000001",
    "户编号": "3415991012000001",
    "借款人姓名": "张三",
    "证件号码": "341599199001010016",
    "行政区划代码": "341599101200",
    "产品代码": "XE001",
    "借款金额": "5000000",
    "借款余额": "3000000",
    "月利率": "500",
    "起始日期": "20240105",
    "到期日期": "20250105",
    "结清日期": "0",
    "还款方式": "1",
    "贷款用途": "种植",
    "五级分类": "A",
    "逾期天数": "0",
    "欠本金额": "0",
    "欠息金额": "0",
    "贷款状态": "N",
}
"""A loan that nothing is wrong with, as the bank knows it: amounts in fen, the rate in hundred-thousandths a month."""

WIDTHS: Final = dict(zip(LOAN, (20, 20, 16, 30, 18, 12, 6, 13, 13, 6, 8, 8, 8, 1, 20, 1, 4, 13, 13, 1), strict=True))
"""Bytes of each field, in the order of the record; kind before and spare after them make 240."""
NUMBERS: Final = frozenset(
    ("借款金额", "借款余额", "月利率", "起始日期", "到期日期", "结清日期", "逾期天数", "欠本金额", "欠息金额")
)


def field(name: str, value: str) -> bytes:
    """Return a field as the bank's system fills it: it counts bytes and cuts without looking at characters."""
    data, width = value.encode("gb18030"), WIDTHS[name]
    return data[:width].rjust(width, b"0") if name in NUMBERS else data[:width].ljust(width)


def detail(changes: Mapping[str, str | bytes] | None = None) -> bytes:
    """Return a record of kind D without its LF: `LOAN` with `changes`, those in bytes as they stand."""
    values = dict(LOAN) | dict(changes or {})
    fields = (value if isinstance(value, bytes) else field(name, value) for name, value in values.items())
    return (b"D" + b"".join(fields)).ljust(240)


@dataclass(frozen=True)
class FixedLength:
    """A file in the making; every part of it can be spoilt. What is None is made as the bank makes it."""

    details: tuple[bytes, ...] = ()
    header: bytes = b"H" + b"PSBC1522" + b"20240531" + b"0001" + b" " * 219
    trailer: bytes | None = None
    count: int | None = None
    principal: int | None = None
    balance: int | None = None
    checksum: bytes | None = None
    line_end: bytes = b"\n"
    last_line_end: bytes | None = None

    def body(self) -> bytes:
        """Return what the check sum is over."""
        return b"".join(record + b"\n" for record in self.details)

    def last(self) -> bytes:
        """Return the trailer."""
        if self.trailer is not None:
            return self.trailer
        count = len(self.details) if self.count is None else self.count
        sums = (
            _sum(self.details, 123) if self.principal is None else self.principal,
            _sum(self.details, 136) if self.balance is None else self.balance,
        )
        checksum = b"%08X" % zlib.crc32(self.body()) if self.checksum is None else self.checksum
        return (b"T%08d%015d%015d" % (count, *sums) + checksum).ljust(240)

    def bytes(self) -> bytes:
        """Return the whole file."""
        lines = (self.header, *self.details)
        end = self.line_end if self.last_line_end is None else self.last_line_end
        return b"".join(line + self.line_end for line in lines) + self.last() + end

    def save(self, path: Path) -> Path:
        """Write the file."""
        path.write_bytes(self.bytes())
        return path


def _sum(details: tuple[bytes, ...], start: int) -> int:
    amounts = (record[start : start + 13] for record in details)
    return sum(int(amount) for amount in amounts if re.fullmatch(rb" *-?[0-9]+", amount))


def ledger(*changes: Mapping[str, str | bytes]) -> FixedLength:
    """Return a ledger with a record for each of `changes`, loan numbers counted up."""
    return FixedLength(
        tuple(detail({"借据号": f"PJ{place:014d}"} | dict(change)) for place, change in enumerate(changes, start=1))
    )
