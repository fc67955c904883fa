"""Small messages: from `push` of a 100-row ledger to its figures over HTTP, on RabbitMQ.

The pushing program is running already, as an edge or a scheduler is; the time to start an
interpreter is not in the figure.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import TYPE_CHECKING

import httpx

from adapters.sample_county.bulk import write_ledger
from bench.data import COUNTY, MEMBER
from bench.measure import huilian
from huilian import adapters, catalogue, money
from huilian.clock import SystemClock
from huilian.home import Home
from huilian.push import push
from huilian.transports.amqp import AmqpTransport

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 100
PUSHES = 31
PAUSE_SECONDS = 0.002
FIRST_DAY = dt.date(2024, 7, 1)


def measure(home: Path, environment: dict[str, str], folder: Path, listen: str) -> list[float]:
    """Return the seconds of each push, in order; the first ones warm the services up."""
    token = huilian("token", "add", "bench", "--region", COUNTY, "--json", home=home, environment=environment).output
    headers = {"Authorization": f"Bearer {json.loads(token)['token']}"}
    client = httpx.Client(base_url=f"http://{listen}", headers=headers)
    adapter = adapters.find("rural_commercial_bank")
    transport = AmqpTransport(environment["HUILIAN_AMQP_URL"], MEMBER, Home(home))
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
            home=Home(home),
            county=COUNTY,
            catalogue=catalogue.installed(),
            clock=SystemClock(),
            transport=transport,
        )
        question = {"region": COUNTY, "month": f"{day:%Y-%m}"}
        while client.get("/api/v1/statistics", params=question).json()["balance"] != expected:
            time.sleep(PAUSE_SECONDS)
        seconds.append(time.perf_counter() - started)
    return seconds
