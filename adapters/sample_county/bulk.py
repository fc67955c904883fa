"""A rural commercial bank's ledger as large as wanted, built column by column in bounded memory.

Every cell follows from the row's number and the seed alone, by integer arithmetic, so a
piece of the file needs none of the others and is the same on every machine.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import itertools
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from adapters.sample_county.files import LEDGER_HEADER
from adapters.sample_county.population import CHECK_CHARACTERS, COUNTY, GIVEN, SURNAMES, check_sum
from adapters.sample_county.table import ENCODING, NEWLINE, trailer_line

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BulkTotals", "write_ledger"]

PIECE: Final = 50_000
"""Rows made, encoded and written at a time: about 10 MB of text."""
MOST_ROWS: Final = 10_000_000
"""What the digits of household and identity numbers hold."""
VILLAGES: Final = 200
TOWNSHIPS: Final = 12
HOUSEHOLDS_PER_LOAN: Final = 0.7
SETTLED_SHARE: Final = 0.08
OVERDUE_PER_TEN_THOUSAND: Final = 330
"""Of the rows that are not settled: 3 % of all. Three in five are so for over 90 days, and bad."""
PARTLY_REPAID_IN_TEN: Final = 4
MOST_CHANGED: Final = 0.9
"""More would have to change settled loans, and those stay as they are."""

_FIRST_DUE, _LAST_DUE = -12, 23
"""Months from the ledger's own to the earliest and the latest due month: 36 months in all."""
_PRIME: Final = 2_147_483_647
_FIRST_BIRTH: Final = dt.date(1962, 1, 1)
_BIRTH_DAYS: Final = 14_000
_BASIS: Final = 360 * 10_000
_CLASS_FROM_DAYS: Final = {90: 3, 270: 4, 360: 5}

_NAMES: Final = pl.Series(["".join(parts) for parts in itertools.product(SURNAMES, GIVEN, GIVEN)])
_RATES: Final = (435, 475, 385)
_PRODUCTS: Final = ("XEXD01", "XEXD02", "XEXD03", "XEXD04")
_METHODS: Final = ("按季付息到期还本", "分期还本按季付息")
_PURPOSES: Final = ("养羊", "种植药材", '"购买化肥,农机"', "大棚蔬菜", "养殖肉牛", "光伏电站", "农家乐经营", "茶园改造")


@dataclass(frozen=True)
class BulkTotals:
    """What a ledger's trailer says, amounts in fen, and how many of its rows are changed."""

    rows: int
    principal: int
    balance: int
    changed: int


def write_ledger(
    path: Path,
    rows: int,
    as_of: dt.date,
    *,
    seed: int = 1,
    changed_share: float = 0.0,
    previous_as_of: dt.date | None = None,
) -> BulkTotals:
    """Write a clean ledger of `rows` loans and return its totals.

    Args:
        path: the file to write.
        rows: from 100 to ten million.
        as_of: the ledger's date; the file's name is the caller's business.
        seed: the same seed and rows give the same loans.
        changed_share: of the rows, rounded to a whole number; so many differ in balance or
            overdue state from the ledger written without it.
        previous_as_of: the date of that other ledger, when it is not `as_of`: what has not
            changed is stated as it was then.

    Raises:
        ValueError: a number of rows or a share that cannot be made.
    """
    if not 100 <= rows <= MOST_ROWS or not 0 <= changed_share <= MOST_CHANGED:  # noqa: PLR2004  # as the docstring says
        message = f"{rows} rows, {changed_share} of them changed: from 100 to {MOST_ROWS}, and at most {MOST_CHANGED}"
        raise ValueError(message)
    maker = _Maker(rows, previous_as_of or as_of, seed, round(rows * changed_share))
    principal = balance = 0
    with path.open("wb") as file:
        file.write((",".join(LEDGER_HEADER) + NEWLINE).encode(ENCODING))
        for first in range(0, rows, PIECE):
            piece = maker.piece(first, min(first + PIECE, rows))
            principal += int(piece.get_column("principal").sum())
            balance += int(piece.get_column("balance").sum())
            text = io.BytesIO()
            # Cells are quoted where they need it already; polars is quick at joining them.
            piece.select(LEDGER_HEADER).write_csv(
                text, include_header=False, quote_style="never", line_terminator=NEWLINE
            )
            file.write(text.getvalue().decode().encode(ENCODING))
        file.write((trailer_line(rows, (principal, balance), len(LEDGER_HEADER)) + NEWLINE).encode(ENCODING))
    return BulkTotals(rows, principal, balance, maker.changed)


class _Maker:
    """Makes any piece of one ledger."""

    def __init__(self, rows: int, base: dt.date, seed: int, changed: int) -> None:
        self.rows = rows
        self.households = max(1, int(rows * HOUSEHOLDS_PER_LOAN))
        self.base = base
        self.seed = seed
        self.changed = changed
        self.settled = int(rows * SETTLED_SHARE)
        # Multiplying by a number without a common divisor visits every row once: exact shares, evenly spread.
        self.stride = next(step for step in itertools.count(int(rows * 0.618)) if math.gcd(step, rows) == 1)

    def piece(self, first: int, end: int) -> pl.DataFrame:
        """Return rows `first` up to `end`: printed cells by header, `principal` and `balance` in fen."""
        frame = pl.DataFrame({"row": pl.int_range(first, end, eager=True)})
        return self._cells(self._changed(self._money(self._terms(self._kinds(frame)))))

    def _roll(self, name: str, sides: int, by: str = "row") -> pl.Expr:
        """Return 0 up to `sides`, as good as drawn, by the row or another column."""
        draw = random.Random(f"{self.seed} {name}")  # noqa: S311  # reproducible sample data, nothing secret
        mixed = pl.col(by)
        for _ in range(2):
            mixed = (mixed * draw.randrange(1, _PRIME) + draw.randrange(_PRIME)) % _PRIME
            mixed = mixed ^ (mixed // 32_768)
        return mixed % sides

    def _kinds(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Decide whose loan a row is, and whether it is settled, overdue or changed."""
        place = pl.col("row") * self.stride % self.rows
        settled = place >= self.rows - self.settled
        return frame.with_columns(
            (pl.col("row") % self.households).alias("household"),
            settled.alias("settled"),
            (place < self.changed).alias("changed"),
            (~settled & (self._roll("overdue", 10_000) < OVERDUE_PER_TEN_THOUSAND)).alias("overdue"),
        )

    def _terms(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add amount, rate and dates. Months count from year 0; days stop at 28, which every month has."""
        month = self.base.year * 12 + self.base.month - 1
        # Fifteen sides over twelve months: what has only just fallen overdue is twice as common.
        offset = (
            pl.when("settled")
            .then(self._roll("settled due", _LAST_DUE - _FIRST_DUE + 1) + _FIRST_DUE)
            .when("overdue")
            .then(-1 - self._roll("overdue due", 15) % -_FIRST_DUE)
            .otherwise(self._roll("due", _LAST_DUE) + 1)
        )
        days_so_far = (self.base - dt.date(self.base.year, 1, 1)).days + 1
        settled_on = pl.lit(dt.date(self.base.year, 1, 1)) + pl.duration(days=self._roll("settled on", days_so_far))
        term = 12 * (self._roll("term", 3) + 1)
        return (
            frame.with_columns(
                offset.alias("offset"),
                (self._roll("day", 28) + 1).alias("day"),
                ((self._roll("principal", 46) + 5) * 1_000_00).alias("principal"),
                _pick(_RATES, self._roll("rate", len(_RATES))).alias("rate"),
            )
            .with_columns(
                # Long enough to have begun before the ledger, and for a settled loan before its year.
                pl.when("settled").then(36).when(term <= pl.col("offset")).then(24).otherwise(term).alias("term")
            )
            .with_columns(
                _day(month + pl.col("offset"), pl.col("day")).alias("due"),
                _day(month + pl.col("offset") - pl.col("term"), pl.col("day")).alias("start"),
                pl.when("settled").then(settled_on).alias("settled_on"),
            )
        )

    def _money(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add what the ledger says without changes."""
        # At least one yuan stays: half of it is still something, so a halved balance differs.
        repaid = self._roll("repaid", 1 << 30) % (pl.col("principal") - 1_00)
        untouched = self._roll("partly repaid", 10) >= PARTLY_REPAID_IN_TEN
        days = (pl.lit(self.base) - pl.col("due")).dt.total_days()
        watched = self._roll("watched", 50) == 0
        return frame.with_columns(
            pl.when("settled")
            .then(0)
            .when(untouched)
            .then("principal")
            .otherwise(pl.col("principal") - repaid)
            .alias("balance"),
            pl.when("overdue").then(days).otherwise(0).alias("days"),
            pl.when(watched & ~pl.col("settled")).then(2).otherwise(1).alias("class"),
        )

    def _changed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Halve the balance of the changed rows, or put them behind with their interest."""
        behind = pl.col("changed") & ~pl.col("overdue") & (self._roll("behind", 4) == 0)
        return frame.with_columns(
            pl.when(pl.col("changed") & ~behind).then(pl.col("balance") // 2).otherwise("balance").alias("balance"),
            pl.when(behind).then(self._roll("days behind", 60) + 1).otherwise("days").alias("days"),
        )

    def _cells(self, frame: pl.DataFrame) -> pl.DataFrame:
        late = pl.col("days") > 0
        grade = pl.when(late).then(2).otherwise("class")
        for beyond, worse in _CLASS_FROM_DAYS.items():
            grade = pl.when(pl.col("days") > beyond).then(worse).otherwise(grade)
        village = pl.col("household") % VILLAGES
        region = pl.format("{}{}{}", pl.lit(COUNTY), village % TOWNSHIPS + 101, village // TOWNSHIPS + 201)
        interest = pl.col("balance") * pl.col("rate") * pl.col("days") // _BASIS
        status = pl.when("settled").then(pl.lit("2")).when(late).then(pl.lit("1")).otherwise(pl.lit("0"))
        number = pl.col("row").cast(pl.String).str.zfill(10)
        serial = (pl.col("household") // VILLAGES).cast(pl.String).str.zfill(5)
        return frame.with_columns(
            pl.format("RCB{}", number).alias("借据号"),
            pl.format("HT{}", number).alias("信贷合同号"),
            pl.format("{}{}", region, serial).alias("户编号"),
            _pick(_NAMES, self._roll("name", len(_NAMES), "household")).alias("借款人姓名"),
            pl.lit("居民身份证").alias("证件类型"),
            _identity_numbers(frame.get_column("household")).alias("证件号码"),
            region.alias("行政区划代码"),
            _pick(_PRODUCTS, self._roll("product", len(_PRODUCTS))).alias("产品代码"),
            _money_text(pl.col("principal")).alias("借款金额"),
            _money_text(pl.col("balance")).alias("借款余额"),
            pl.format("{}.{}", pl.col("rate") // 100, pl.col("rate") % 100).alias("年利率(%)"),
            pl.lit("固定利率").alias("利率类型"),
            pl.col("start").dt.strftime("%Y%m%d").alias("起始日期"),
            pl.col("due").dt.strftime("%Y%m%d").alias("到期日期"),
            pl.col("settled_on").dt.strftime("%Y%m%d").fill_null("").alias("终止日期"),
            _pick(_METHODS, self._roll("method", len(_METHODS))).alias("还款方式"),
            _pick(_PURPOSES, self._roll("purpose", len(_PURPOSES))).alias("贷款用途"),
            grade.cast(pl.String).alias("五级分类"),
            pl.col("days").cast(pl.String).alias("逾期天数"),
            _money_text(pl.when("overdue").then("balance").otherwise(0)).alias("欠本金额"),
            _money_text(interest).alias("欠息金额"),
            status.alias("贷款状态"),
            pl.format("示例农商行第{}支行", village % TOWNSHIPS + 1).alias("经办机构"),
        )


def _pick(choices: pl.Series | tuple[str, ...] | tuple[int, ...], place: pl.Expr) -> pl.Expr:
    return pl.lit(pl.Series(choices)).gather(place)


def _day(month: pl.Expr, day: pl.Expr) -> pl.Expr:
    return pl.date(month // 12, month % 12 + 1, day)


def _money_text(fen: pl.Expr) -> pl.Expr:
    """Return amounts below a million yuan as the bank prints them: "50,000.00", quoted for its comma."""
    yuan, rest = fen // 100, (fen % 100).cast(pl.String).str.zfill(2)
    thousands, units = yuan // 1000, (yuan % 1000).cast(pl.String)
    return (
        pl.when(thousands > 0)
        .then(pl.format('"{},{}.{}"', thousands, units.str.zfill(3), rest))
        .otherwise(pl.format("{}.{}", units, rest))
    )


class _Parts(NamedTuple):
    """Pieces of identity numbers and what each adds to the check sum, which is a sum over places."""

    texts: pl.Series
    sums: pl.Series


@functools.cache
def _identity_parts() -> tuple[_Parts, _Parts]:
    """Return the beginnings (county and birth date) and the sequence numbers, looked up instead of reckoned by row."""
    begins = [f"{COUNTY}{_FIRST_BIRTH + dt.timedelta(days=day):%Y%m%d}" for day in range(_BIRTH_DAYS)]
    sequences = [f"{sequence:03}" for sequence in range(1000)]
    return (
        _Parts(pl.Series(begins), pl.Series(map(check_sum, begins))),
        _Parts(pl.Series(sequences), pl.Series(check_sum(text, first_place=len(begins[0])) for text in sequences)),
    )


def _identity_numbers(households: pl.Series) -> pl.Series:
    """Return each household's borrower's identity number: valid, and no two alike."""
    begins, sequences = _identity_parts()
    day, sequence = households % _BIRTH_DAYS, households // _BIRTH_DAYS
    checks = (begins.sums.gather(day) + sequences.sums.gather(sequence)) % len(CHECK_CHARACTERS)
    return (
        begins.texts.gather(day) + sequences.texts.gather(sequence) + pl.Series(list(CHECK_CHARACTERS)).gather(checks)
    )
