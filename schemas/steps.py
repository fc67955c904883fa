"""What the records of steps share: the day a step was taken, who took it, and the codes in which all of them speak.

A step names the person who took it by her code at the member that sealed it (`person`).
"""

from __future__ import annotations

from typing import ClassVar, Final

import polars as pl

from huilian.records import fields as f
from huilian.records.record import CrossCheck, Record
from schemas.ratings import CODE

__all__ = ["CODES", "DECISION", "PERIOD_ENDS", "PERSON", "STEP", "PeriodRecord", "StepRecord"]

PERSON: Final = r"^[0-9A-Za-z_]{1,20}$"
"""A person, by her code."""
STEP: Final = r"^[a-z][a-z0-9_]*$"
"""A step, as policies name it."""
CODES: Final = f"^{CODE}(?:;{CODE})*$"
"""Codes of a policy, joined by ";"."""
DECISION: Final = {"approve": "同意", "refuse": "不同意", "send_back": "退回"}

PERIOD_ENDS: Final[CrossCheck] = (
    "until_date",
    "HL2012",
    pl.col("until_date") < pl.col("from_date"),
    lambda r: r["until_date"] < r["from_date"],
)
"""A period does not end before it begins."""


class StepRecord(Record):
    """What every step has: the day it was taken, and who took it."""

    date = f.Date(required=True, metadata={"zh": "办理日期"})
    person = f.Text(20, pattern=PERSON, required=True, metadata={"zh": "经办人代码"})


class PeriodRecord(StepRecord):
    """A step about what holds from a day on; `until_date` is the first day on which it no longer holds."""

    from_date = f.Date(required=True, metadata={"zh": "起始日期"})
    until_date = f.Date(required=True, allow_none=True, metadata={"zh": "终止日期"})

    cross_checks: ClassVar[list[CrossCheck]] = [PERIOD_ENDS]
