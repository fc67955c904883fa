"""Months as they are asked for."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huilian.core.clock import first_day, following_month, last_day, previous_month
from huilian.core.errors import UsageError


@given(st.dates(max_value=dt.date(9999, 11, 30)))
def test_a_month_has_a_first_and_a_last_day_and_one_that_follows(day: dt.date):
    """The first day of the next month is the day after the last of this one."""
    first = first_day(day.isoformat()[:7])
    assert (first, first.day) == (day.replace(day=1), 1)
    assert following_month(day) - last_day(day) == dt.timedelta(days=1)
    assert last_day(day).month == day.month
    assert following_month(day).day == 1


def test_february_has_its_leap_day():
    """As the calendar has it."""
    assert last_day(dt.date(2024, 2, 3)) == dt.date(2024, 2, 29)
    assert last_day(dt.date(2023, 2, 3)) == dt.date(2023, 2, 28)


@pytest.mark.parametrize(
    ("day", "month"),
    [(dt.date(2024, 6, 1), "2024-05"), (dt.date(2024, 6, 30), "2024-05"), (dt.date(2024, 1, 31), "2023-12")],
)
def test_the_month_before_is_the_last_that_is_over(day: dt.date, month: str):
    """From the first of a month to its last day."""
    assert previous_month(day) == month


@pytest.mark.parametrize(
    "text", ["2024-13", "2024-00", "0000-01", "2024-1", "2024-01-01", " 2024-01", "２０２４-01", ""]
)
def test_what_is_no_month_is_refused(text: str):
    """By its code, repeating no more than a little of it."""
    with pytest.raises(UsageError, match="HL7003"):
        first_day(text)
    with pytest.raises(UsageError) as refused:
        first_day(text + "x" * 500)
    assert len(refused.value.english) < 100


def test_nothing_follows_the_last_month_of_all():
    """There is no date to name it by."""
    with pytest.raises(UsageError, match="HL7003"):
        following_month(dt.date(9999, 12, 1))
