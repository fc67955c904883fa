"""Small messages: from `push` of a 100-row ledger to its figures over HTTP, on RabbitMQ.

The pushing program is running already, as an edge or a scheduler is; the time to start an
interpreter is not in the figure.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from adapters.sample_county.bulk import write_ledger
from bench.data import COUNTY, MEMBER
from huilian.adapters import loading
from huilian.core import money
from huilian.core.clock import SystemClock
from huilian.institution.push import push
from huilian.institution.transports.amqp import AmqpTransport
from huilian.settings import Home
from huilian.wire import catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from bench.hosts import Serving

ROWS = 100
PUSHES = 31
PAUSE_SECONDS = 0.002
FIRST_DAY = dt.date(2024, 7, 1)


def measure(office: Serving, folder: Path) -> list[float]:
    """Return the seconds of each push, in order; the first ones warm the services up."""
    adapter = loading.find("rural_commercial_bank")
    transport = AmqpTransport(office.environment["HUILIAN_AMQP_URL"], MEMBER)
    seconds = []
    for number in range(PUSHES):
        day = FIRST_DAY + dt.timedelta(days=number)
        source = folder / f"{MEMBER}_LOAN_{day:%Y%m%d}.csv"
        totals = write_ledger(source, ROWS, day, seed=number)
        expected = money.text(money.from_fen(totals.balance))
        started = time.perf_counter()
        push(
            source,
            adapter=adapter,
            member=MEMBER,
            home=Home(office.home),
            settings=loading.settings_for(adapter, COUNTY, {}),
            catalogue=catalogue.installed(),
            clock=SystemClock(),
            transport=transport,
        )
        while office.balance(f"{day:%Y-%m}") != expected:
            time.sleep(PAUSE_SECONDS)
        seconds.append(time.perf_counter() - started)
    return seconds
