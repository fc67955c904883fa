"""Days that pass, messages that are carried, repeated or late, and a host that dies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.core.errors import HostUnavailable
from huilian.county.rebuild import rebuild
from huilian.wire.envelope import Draft
from tests.support.carried_county import DAY

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.county import SimulatedCounty


def carry(county: SimulatedCounty, random: Random) -> None:
    """The host carries some of what waits."""
    county.carry_some(random, random.randint(1, 10))


def carry_all(county: SimulatedCounty, random: Random) -> None:
    """The host carries all that waits."""
    county.settle(random)


def arrive(county: SimulatedCounty, random: Random) -> None:
    """Some of what is under way arrives."""
    random.shuffle(county.wire)
    for _ in range(min(len(county.wire), random.randint(1, 6))):
        county.hand_in(county.wire[-1])


def repeat(county: SimulatedCounty, random: Random) -> None:
    """A message comes once more; or its record is sealed anew."""
    if county.sent:
        message = random.choice(county.sent)
        if message.submission is None and random.random() < 0.5:
            draft = Draft(message.type, message.dataschema, message.source, message.body())
            message = county.seal(message.source, draft)
            county.sent.append(message)
        county.tell(f"{message.source} sends {message.type} again")
        county.hand_in(message)


def wait(county: SimulatedCounty, random: Random) -> None:
    """Days pass, and the calendar's work is done, mostly."""
    days = random.choice((1, 5, 10, 31, 92, 200))
    county.clock.advance(days * DAY)
    county.tell(f"{days} days have passed")
    if random.random() < 0.8:
        county.work_by_calendar(random)


def wait_a_quarter(county: SimulatedCounty, random: Random) -> None:
    """A quarter passes, and the calendar's work is done."""
    county.clock.advance(92 * DAY)
    county.tell("a quarter has passed")
    county.work_by_calendar(random)


def crash(county: SimulatedCounty, random: Random) -> None:
    """The host is killed while it carries, or its database goes away; it starts again."""
    is_killed = random.random() < 0.7
    left = random.randint(1, 60)
    county.tell(f"{'the host is killed' if is_killed else 'the database goes away'} after {left} statements")
    county.statements(left, None if is_killed else HostUnavailable("HL5001", what="gone"))
    random.choice((carry_all, county_work))(county, random)


def county_work(county: SimulatedCounty, random: Random) -> None:
    """The calendar's work is done."""
    county.work_by_calendar(random)


def restart(county: SimulatedCounty, random: Random) -> None:  # noqa: ARG001  # acts take both
    """The host is ended and started."""
    county.restart()


def rebuild_one(county: SimulatedCounty, random: Random) -> None:
    """Somebody has a service told everything anew."""
    names = [name for name, service in county.office.services.items() if service.forget is not None]
    name = random.choice(names)
    county.tell(f"{name} is rebuilt")
    with county.transaction() as transaction:
        rebuild(transaction, county.office, name, actor="test")


ACTS = {
    "carry": (12, carry),
    "carry_all": (10, carry_all),
    "arrive": (8, arrive),
    "repeat": (4, repeat),
    "wait": (10, wait),
    "wait_a_quarter": (1, wait_a_quarter),
    "crash": (3, crash),
    "restart": (1, restart),
    "rebuild_one": (1, rebuild_one),
}
