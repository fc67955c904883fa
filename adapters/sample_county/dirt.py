"""What is wrong with the files, on purpose, and known to the row.

A fault makes a row that must be rejected; a quirk looks odd and must be survived. Which
loan has which in which month is drawn from the seed before any file is written, so that
the expected figures leave faulty rows out without reading a file.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.sample_county.lending import MONTH_ENDS, Loan, journal, ledger
from adapters.sample_county.population import Household, check_character
from adapters.sample_county.table import Row, money_text

if TYPE_CHECKING:
    import datetime as dt

__all__ = [
    "BLANK_LINES_IN",
    "FAULTS",
    "IDENTITY",
    "JOURNAL_FAULT",
    "REPEATED_HEADER_IN",
    "ROSTER_FAULT",
    "ROSTER_FAULT_IN_HOUSEHOLD",
    "WHOLE_FILE_QUIRKS",
    "Change",
    "Fault",
    "Plan",
    "make_plan",
]

IDENTITY: Final = "证件号码"

Change = Callable[[Row], Row]


@dataclass(frozen=True)
class Fault:
    """A reason to reject a row.

    Args:
        column: where the error lies, as the file's header names it.
        code: the error the row is to be rejected with.
        change: makes a clean row faulty.
    """

    column: str
    code: str
    change: Change


def _wrong_check_character(row: Row) -> Row:
    number = row.cells[IDENTITY]
    right = check_character(number[:-1])
    return row.with_cell(IDENTITY, number[:-1] + ("7" if right != "7" else "3"))


def _balance_above_principal(row: Row) -> Row:
    principal, _ = row.amounts
    balance = principal + 1_000_00
    return Row({**row.cells, "借款余额": money_text(balance)}, (principal, balance))


FAULTS: Final = {
    "wrong_check_character": Fault(IDENTITY, "HL2007", _wrong_check_character),
    "balance_above_principal": Fault("借款余额", "HL2011", _balance_above_principal),
    "unreadable_amount": Fault("借款余额", "HL2002", lambda row: row.with_cell("借款余额", "见附表")),
    "unknown_class": Fault("五级分类", "HL2005", lambda row: row.with_cell("五级分类", "9")),
    "impossible_date": Fault("到期日期", "HL2003", lambda row: row.with_cell("到期日期", "20240230")),
    "region_outside_county": Fault("行政区划代码", "HL2009", lambda row: row.with_cell("行政区划代码", "341598101201")),
}
"""What can be wrong with a row of a ledger. The trailer counts what the bank's own books say of it."""
JOURNAL_FAULT: Final = Fault("交易日期", "HL2003", lambda row: row.with_cell("交易日期", "20241301"))
ROSTER_FAULT: Final = FAULTS["wrong_check_character"]
ROSTER_FAULT_IN_HOUSEHOLD: Final = Fault("户编号", "HL2026", lambda row: row)
"""What the faulty person's household suffers: a household is taken whole or not at all."""

_FULL_WIDTH: Final = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(ord("!"), ord("~") + 1)})


def _identity(change: Callable[[str], str]) -> Change:
    return lambda row: row.with_cell(IDENTITY, change(row.cells[IDENTITY]))


_QUIRKS: Final[dict[str, Change]] = {
    "tab": _identity(lambda number: f"{number}\t"),
    "wrapper": _identity(lambda number: f'="{number}"'),
    "quoted_wrapper": _identity(lambda number: f'"=""{number}"""'),
    "full_width": _identity(lambda number: number.translate(_FULL_WIDTH)),
    "lower_case": _identity(str.lower),
    "purpose_in_two_lines": lambda row: row.with_cell("贷款用途", "养羊,扩建圈舍\n“二期”购草料"),
}
"""What looks odd and is meant: every one of these rows is to be accepted."""
_ROSTER_QUIRKS: Final = ("tab", "wrapper", "quoted_wrapper", "full_width")

_FAULTS_IN: Final = {
    2: ("wrong_check_character", "unknown_class"),
    4: ("balance_above_principal", "impossible_date"),
    5: (
        "wrong_check_character",
        "balance_above_principal",
        "unknown_class",
        "impossible_date",
        "region_outside_county",
    ),
    7: ("region_outside_county",),
    9: ("wrong_check_character", "wrong_check_character", "impossible_date"),
    10: ("unreadable_amount",),
    11: ("balance_above_principal", "unknown_class", "region_outside_county"),
}
"""Month of 2024 to the faults in its ledger; the others are clean."""
_QUIRKS_IN: Final = {
    5: tuple(_QUIRKS),
    8: ("purpose_in_two_lines", "purpose_in_two_lines"),
    10: ("full_width", "lower_case", "quoted_wrapper"),
}
WHOLE_FILE_QUIRKS: Final = {3: _QUIRKS["tab"], 6: _QUIRKS["wrapper"]}
"""Month to what its export did to every row of the ledger."""
REPEATED_HEADER_IN: Final = frozenset({5, 9})
"""Months whose ledger was pasted together from two pages."""
BLANK_LINES_IN: Final = {5: 3, 8: 1}
"""Month to the empty lines at the end of its ledger."""
_JOURNAL_FAULTS_IN: Final = frozenset({5, 10})
_ROSTER_FAULTS: Final = 2


@dataclass(frozen=True)
class Plan:
    """Which rows are dirty.

    Args:
        faults: (ledger date, loan number) to its fault.
        quirks: (ledger date, loan number) to its quirk.
        journal_faults: journal date to the position of its faulty payment.
        roster_faults: the identity numbers that the roster is to print wrongly.
        roster_quirks: identity number to its quirk.
    """

    faults: Mapping[tuple[dt.date, str], Fault]
    quirks: Mapping[tuple[dt.date, str], Change]
    journal_faults: Mapping[dt.date, int]
    roster_faults: frozenset[str]
    roster_quirks: Mapping[str, Change]


def make_plan(seed: int, households: Sequence[Household], loans: Sequence[Loan]) -> Plan:
    """Draw the dirty rows; a county too small for all of them gets as many as it has loans."""
    draw = random.Random(f"{seed} dirt")  # noqa: S311  # reproducible sample data, nothing secret
    faults: dict[tuple[dt.date, str], Fault] = {}
    quirks: dict[tuple[dt.date, str], Change] = {}
    journal_faults: dict[dt.date, int] = {}
    for as_of in MONTH_ENDS:
        # Only open loans: that a faulty row keeps its previous good state is to show in the figures.
        open_loans = [loan.number for loan, state in ledger(loans, as_of) if state.balance]
        names = [*_FAULTS_IN.get(as_of.month, ()), *_QUIRKS_IN.get(as_of.month, ())]
        for name, number in zip(names, draw.sample(open_loans, min(len(names), len(open_loans))), strict=False):
            if name in FAULTS:
                faults[as_of, number] = FAULTS[name]
            else:
                quirks[as_of, number] = _QUIRKS[name]
        payments = len(journal(loans, as_of))
        if payments and as_of.month in _JOURNAL_FAULTS_IN:
            journal_faults[as_of] = draw.randrange(payments)
    # Never a head: a household that is rejected for another member's fault is the harder case.
    members = [person.identity_number for household in households for person in household.members[1:]]
    chosen = draw.sample(members, _ROSTER_FAULTS + len(_ROSTER_QUIRKS))
    return Plan(
        faults=faults,
        quirks=quirks,
        journal_faults=journal_faults,
        roster_faults=frozenset(chosen[:_ROSTER_FAULTS]),
        roster_quirks={
            number: _QUIRKS[name] for number, name in zip(chosen[_ROSTER_FAULTS:], _ROSTER_QUIRKS, strict=True)
        },
    )
