"""Clocks: time is handed in, aware, and dated in China."""

from __future__ import annotations

import datetime as dt

from huilian.core.clock import CHINA, Clock, FixedClock, SystemClock

LATE_EVENING = dt.datetime(2024, 5, 31, 16, 30, tzinfo=dt.UTC)


def test_the_date_is_that_of_china():
    """Half past midnight in China is still yesterday in UTC."""
    assert FixedClock(LATE_EVENING).today() == dt.date(2024, 6, 1)


def test_a_fixed_clock_moves_only_when_told():
    """Two readings agree until the clock is advanced."""
    clock: Clock = FixedClock(LATE_EVENING)
    assert clock.now() == clock.now() == LATE_EVENING
    assert isinstance(clock, FixedClock)
    clock.advance(dt.timedelta(days=1))
    assert clock.today() == dt.date(2024, 6, 2)


def test_the_system_clock_is_aware_and_in_utc():
    """A naive moment would mean something else on another machine."""
    clock: Clock = SystemClock()
    before = dt.datetime.now(dt.UTC)
    assert before <= clock.now() <= dt.datetime.now(dt.UTC)
    assert clock.now().tzinfo is dt.UTC
    assert clock.today() in {before.astimezone(CHINA).date(), dt.datetime.now(CHINA).date()}
