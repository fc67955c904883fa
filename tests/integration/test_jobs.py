"""Jobs by the calendar: each once for each day it is due, whatever happens in between."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING

import pytest
import structlog

from huilian.county.jobs import run_due, run_until
from huilian.county.schedule import Calendar, Job

if TYPE_CHECKING:
    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from tests.support.county import County

DAY = dt.timedelta(days=1)


class Work:
    """A job that notes for which days it was run, and fails when told to."""

    def __init__(self, calendar: Calendar, *, every_day_counts: bool = False) -> None:
        self.failure: Exception | None = None
        self.job = Job("test.work", calendar, self.run, every_day_counts=every_day_counts)

    def run(self, office: Office, transaction: Transaction, due: dt.date) -> None:
        """Write, then fail if told to."""
        del office
        transaction.execute("INSERT INTO public.probe (message) VALUES (%s)", [due.isoformat()])
        if self.failure is not None:
            raise self.failure


def done(county: County) -> list[str]:
    """Return the days for which the job was run, in order."""
    with county.database.transaction() as transaction:
        return [row["message"] for row in transaction.rows("SELECT message FROM public.probe")]


@pytest.mark.parametrize(
    ("calendar", "newest"),
    [
        (Calendar(), "2024-06-01"),
        (Calendar(days=(1,)), "2024-06-01"),
        (Calendar(days=(20,)), "2024-05-20"),
        (Calendar(days=(31,), months=(2,)), "2024-02-29"),
        (Calendar(days=(21,), months=(3, 6, 9, 12)), "2024-03-21"),
    ],
)
def test_a_calendar_knows_the_last_day_that_was_due(calendar: Calendar, newest: str):
    """Every day, days of every month, days of some; the last day stands for one that a month lacks."""
    assert calendar.newest(dt.date(2024, 6, 1)) == dt.date.fromisoformat(newest)


def test_a_job_is_run_once_for_a_day(county: County):
    """Looked at twice a day it is run once; a day on which nobody looked is left out."""
    work = Work(Calendar())
    for pause in (0, 1, 3):
        county.clock.advance(pause * DAY)
        run_due(county.office, [work.job])
        run_due(county.office, [work.job])
    assert done(county) == ["2024-06-01", "2024-06-02", "2024-06-05"]


def test_a_job_of_which_every_day_counts_makes_up_for_those_that_were_missed(county: County):
    """In their order; at first only the newest day is due."""
    work = Work(Calendar(days=(20,)), every_day_counts=True)
    run_due(county.office, [work.job])
    county.clock.advance(100 * DAY)
    run_due(county.office, [work.job])
    assert done(county) == ["2024-05-20", "2024-06-20", "2024-07-20", "2024-08-20"]


def test_a_job_that_fails_leaves_nothing_and_is_due_still(county: County):
    """What broke is logged without its text, and the other jobs are run; a crash in the midst is the same."""
    work, other = Work(Calendar()), Work(Calendar())
    work.failure = RuntimeError("王麦苗")
    jobs = [work.job, Job("test.other", Calendar(), other.run)]
    with structlog.testing.capture_logs() as logged:
        run_due(county.office, jobs)
    assert [(event["event"], event["job"], event["error"]) for event in logged] == [
        ("job_failed", "test.work", "RuntimeError")
    ]
    assert done(county) == ["2024-06-01"]
    work.failure = None
    run_due(county.office, jobs)
    assert done(county) == ["2024-06-01", "2024-06-01"]


def test_two_processes_do_not_run_the_same_job(county: County):
    """The second waits for the first, and finds the job done."""
    work = Work(Calendar())
    threads = [threading.Thread(target=run_due, args=[county.office, [work.job]]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done(county) == ["2024-06-01"]


def test_jobs_go_on_until_told_to_stop(county: County):
    """They begin at once, and end at once."""
    work = Work(Calendar())
    stopping = threading.Event()
    thread = threading.Thread(target=run_until, args=[county.office, [work.job], stopping])
    thread.start()
    deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=20)
    while not done(county) and dt.datetime.now(dt.UTC) < deadline:
        stopping.wait(0.02)
    stopping.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert done(county) == ["2024-06-01"]
