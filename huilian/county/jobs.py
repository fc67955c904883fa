"""Jobs: what the county does by the calendar. Each is run once for each day it is due, after a crash too.

A job's work and the note that it was done are one transaction; two processes never run the same one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from huilian.core.errors import HostUnavailable
from huilian.core.logs import where

if TYPE_CHECKING:
    import datetime as dt
    import threading
    from collections.abc import Iterable

    from huilian.county.office import Office
    from huilian.county.schedule import Job

__all__ = ["run_due", "run_until"]


LOOK_EVERY_SECONDS: Final = 60
"""Between two looks at the calendar; also before a job that failed, or a server that is away, is tried again."""

_log = structlog.get_logger(__name__)


def run_due(office: Office, jobs: Iterable[Job]) -> None:
    """Run what is due and was not run yet; a job that fails is logged, and due still.

    Raises:
        HostUnavailable: HL5001, the database is away.
    """
    for job in jobs:
        try:
            while _run_next(office, job):
                pass
        except HostUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the other jobs are run
            _log.error("job_failed", job=job.name, error=type(error).__name__, where=where(error))


def run_until(office: Office, jobs: Iterable[Job], stopping: threading.Event) -> None:
    """Run what is due until told to stop."""
    jobs = tuple(jobs)
    while not stopping.is_set():
        try:
            run_due(office, jobs)
        except HostUnavailable as error:
            _log.warning("database_away", code=error.code, retry_in_seconds=LOOK_EVERY_SECONDS)
        stopping.wait(LOOK_EVERY_SECONDS)


def _run_next(office: Office, job: Job) -> bool:
    """Run a job for the first day that is due; return whether there was one."""
    today = office.clock.today()
    newest = job.calendar.newest(today)
    with office.database.transaction() as transaction:
        transaction.lock(f"huilian.job.{job.name}")
        last: dt.date | None = transaction.value("SELECT max(due) FROM huilian.job_run WHERE job = %s", [job.name])
        due = [newest] if last is None or last < newest else []
        if last is not None and job.every_day_counts:
            due = job.calendar.between(last, today)
        if not due:
            return False
        job.run(office, transaction, due[0])
        transaction.execute(
            "INSERT INTO huilian.job_run (job, due, run_at) VALUES (%s, %s, %s)", [job.name, due[0], office.clock.now()]
        )
    return True
