"""Makes files such as institutions send, with invented persons, for the tests beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from huilian.adapters import AdapterSettings, Piece

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from huilian.adapters import Adapter

COUNTY: Final = AdapterSettings("341599")

LEDGER: Final = {
    "借据号": "J2024000001",
    "信贷合同号": "HT2024000001",
    "户编号": "341599101200-0001",
    "借款人姓名": "张三",
    "证件类型": "1",
    "证件号码": "341599199001010016",
    "行政区划代码": "341599101200",
    "产品代码": "XE001",
    "借款金额": "50,000.00",
    "借款余额": "30,000.00",
    "年利率(%)": "4.35",
    "利率类型": "固定",
    "起始日期": "20240105",
    "到期日期": "20270105",
    "终止日期": "",
    "还款方式": "按季付息到期还本",
    "贷款用途": "种植",
    "五级分类": "1",
    "逾期天数": "0",
    "欠本金额": "0.00",
    "欠息金额": "0.00",
    "贷款状态": "0",
    "经办机构": "示范农商银行城关支行",
}
"""A row of a loan ledger that nothing is wrong with."""

JOURNAL: Final = {
    "借据号": "J2024000001",
    "交易流水号": "T2024053100001",
    "交易日期": "20240520",
    "归还本金": "1,000.00",
    "归还利息": "36.25",
    "渠道": "柜面",
}

ROSTER: Final = {
    "户编号": "341599101200-0001",
    "户主姓名": "张三",
    "成员姓名": "张三",
    "证件号码": "341599199001010016",
    "与户主关系": "本人",
    "行政区划代码": "341599101200",
    "户类型": "脱贫户",
    "是否户主": "是",
    "健康状况": "健康",
    "劳动技能": "普通劳动力",
    "家庭人口": "2",
    "家庭年收入": "24,000.00",
    "联系电话": "05640000000",
    "开户银行卡号后四位": "0123",
}


def identity_number(person: int) -> str:
    """Return the well-formed identity number of the invented person number `person` (below 10,000 x 28)."""
    day, order = divmod(person, 1000)
    digits = f"3415991990{day // 28 % 12 + 1:02d}{day % 28 + 1:02d}{order:03d}"
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(digits))
    return digits + "10X98765432"[total % 11]


def quoted(cell: str) -> str:
    """Return a cell as a core system prints it: in quotes where it must be."""
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell


@dataclass(frozen=True)
class Delimited:
    """A delimited file in the making; every part of it can be spoilt."""

    header: Sequence[str] = tuple(LEDGER)
    rows: Sequence[str] = ()
    trailer: str | None = None
    encoding: str = "gb18030"
    line_end: str = "\r\n"
    mark: bytes = b""

    def save(self, path: Path) -> Path:
        """Write the file."""
        lines = [",".join(self.header), *self.rows, *([] if self.trailer is None else [self.trailer])]
        path.write_bytes(self.mark + "".join(line + self.line_end for line in lines).encode(self.encoding))
        return path


def row(base: Mapping[str, str], changes: Mapping[str, str] | None = None, order: Sequence[str] | None = None) -> str:
    """Return a row's text: `base` with `changes`, its columns in the order given."""
    cells = dict(base) | dict(changes or {})
    return ",".join(quoted(cells[name]) for name in order or base)


def trailer(rows: int, first: str, second: str, width: int = len(LEDGER)) -> str:
    """Return a row of control totals, padded to `width` cells."""
    return ",".join(["合计", str(rows), quoted(first), quoted(second)] + [""] * (width - 4))


def ledger(*changes: Mapping[str, str]) -> Delimited:
    """Return a ledger with a row for each of `changes`, loan numbers counted up, and a correct trailer.

    The trailer takes every row for one of 50,000.00 and 30,000.00 yuan unless it is replaced.
    """
    rows = [row(LEDGER, {"借据号": f"J{place:010d}"} | dict(change)) for place, change in enumerate(changes, start=1)]
    count = len(rows)
    return Delimited(rows=rows, trailer=trailer(count, f"{50000 * count:,}.00", f"{30000 * count:,}.00"))


def journal(*changes: Mapping[str, str]) -> Delimited:
    """Return a repayment journal with a row for each of `changes`, transaction numbers counted up."""
    rows = [
        row(JOURNAL, {"交易流水号": f"T{place:010d}"} | dict(change)) for place, change in enumerate(changes, start=1)
    ]
    count = len(rows)
    totals = trailer(count, f"{1000 * count:,}.00", f"{3625 * count // 100}.{3625 * count % 100:02d}", len(JOURNAL))
    return Delimited(header=tuple(JOURNAL), rows=rows, trailer=totals)


def roster(*changes: Mapping[str, str]) -> Delimited:
    """Return a roster as delimited text with a row for each of `changes`, identity numbers counted up."""
    rows = [
        row(ROSTER, {"证件号码": identity_number(place)} | dict(change))
        for place, change in enumerate(changes, start=1)
    ]
    return Delimited(header=tuple(ROSTER), rows=rows)


def changed(file: Delimited, **parts: object) -> Delimited:
    """Return `file` with other parts."""
    return replace(file, **parts)  # type: ignore[arg-type]


def read(adapter: Adapter, path: Path) -> list[Piece]:
    """Return all pieces that `adapter` makes of `path`."""
    identity = adapter.recognise(path.name)
    assert identity is not None
    return list(adapter.read(path, identity, COUNTY))


def errors(frame: pl.DataFrame) -> list[tuple[int, str, str]]:
    """Return (line, field, code) of rejections."""
    return frame.select("line", "field", "code").rows()
