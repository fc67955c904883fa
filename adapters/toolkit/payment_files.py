"""The county's own layout of payments: what a bank is told to pay, and what it answers, the same at every bank.

::

    PAY_341599_20210710_001.csv         what is to be paid
    PAYRESULT_341599_20210710_001.csv   the same rows with what became of each
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adapters.toolkit import file_layouts, writing
from adapters.toolkit.file_layouts import TRAILER_MARK, FileLayout
from adapters.toolkit.file_names import plain
from adapters.toolkit.names import day
from adapters.toolkit.notations import GROUPED_MONEY, WHOLE
from adapters.toolkit.translation import Column, Translation, account, code, date, money, name, number, text, whole
from adapters.toolkit.writing import OutgoingColumn, Table
from huilian.adapters import FileIdentity
from huilian.core.errors import FileRefused
from schemas.subsidies import PaymentResultRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from huilian.adapters import Outgoing, Piece

__all__ = [
    "KIND",
    "ORDERS",
    "ORDERS_NAME",
    "RESULTS",
    "RESULTS_NAME",
    "file_name",
    "read",
    "read_back",
    "recognise",
    "write",
]

KIND: Final = "payment_results"
ORDERS: Final = "payment_orders/v1"
ORDERS_NAME: Final = "PAY_341599_20210710_001.csv"
RESULTS_NAME: Final = "PAYRESULT_341599_20210710_001.csv"
"""Examples."""
_ENCODING: Final = writing.ENCODINGS["GB18030"]
_NAME: Final = re.compile(r"PAYRESULT_(?P<county>[1-9][0-9]{5})_(?P<day>[0-9]{8})_[0-9]{3,4}\.csv", re.IGNORECASE)
_OUTCOMES: Final = {
    **dict.fromkeys(("成功", "支付成功", "入账成功", "已入账"), "paid"),
    **dict.fromkeys(("失败", "支付失败", "入账失败", "退票", "退汇"), "bounced"),
}

_TABLE: Final = Table(
    (
        OutgoingColumn("序号", "line", WHOLE),
        OutgoingColumn("批次号", "batch_no"),
        OutgoingColumn("收款户名", "payee_name"),
        OutgoingColumn("收款账号", "payee_account"),
        OutgoingColumn("开户行", "payee_bank"),
        OutgoingColumn("金额", "amount", GROUPED_MONEY),
        OutgoingColumn("用途", "purpose"),
        OutgoingColumn("借据号", "loan_no"),
    ),
    TRAILER_MARK,
    sums=("amount",),
)
RESULTS: Final = FileLayout(
    word="PAYRESULT",
    contract="payment_results/v1",
    record=PaymentResultRecord,
    translation=Translation(
        (
            Column("序号", "order_line", whole),
            Column("批次号", "batch_no", number),
            Column("收款户名", "payee_name", name),
            Column("收款账号", "payee_account", account),
            Column("开户行", "payee_bank", name),
            Column("金额", "amount", money),
            Column("用途", "purpose", text),
            Column("借据号", "loan_no", number),
            Column("结果", "result", code(_OUTCOMES, "成功、失败")),
            Column("失败原因", "reason", name),
            Column("入账日期", "paid_date", date),
        )
    ),
    totals=("amount",),
    unique=(("order_line", "batch_no"), "HL2092"),
)


def recognise(file_name: str) -> FileIdentity | None:
    """Return what a name like "PAYRESULT_341599_20210710_001.csv" says, or None; whoever paid sends it.

    Its number is no sequence: it is that of the file which it answers.
    """
    found = _NAME.fullmatch(plain(file_name))
    as_of = day(found["day"]) if found else None
    return FileIdentity(None, KIND, as_of) if as_of else None


def read(source: Path, identity: FileIdentity, county: str) -> Iterator[Piece]:
    """Translate a bank's answer.

    Raises:
        FileRefused: HL3008, it is another county's; otherwise as `toolkit.file_layouts.read`.
    """
    found = _NAME.fullmatch(plain(source.name))
    if found is not None and found["county"] != county:
        raise FileRefused("HL3008", file=source.name, found=found["county"], expected=county)
    yield from file_layouts.read(source, RESULTS, identity, county)


def file_name(outgoing: Outgoing) -> str:
    """Return a name like "PAY_341599_20210710_001.csv"; the number counts the day's files to the bank."""
    return f"PAY_{outgoing.county}_{outgoing.day:%Y%m%d}_{outgoing.number:03d}.csv"


def write(outgoing: Outgoing, target: Path) -> None:
    """Write what a bank is told to pay, whole or not at all.

    Raises:
        FileRefused: HL3039, it cannot be written.
    """
    writing.write(outgoing.records, _TABLE, target, _ENCODING)


def read_back(source: Path) -> pl.DataFrame:
    """Return the payments in a file that `write` made.

    Raises:
        FileRefused: as `toolkit.writing.read_back`.
    """
    return writing.read_back(source, _TABLE, _ENCODING)
