"""What the sample county does record by record: one township rates its households, one village applies for loans.

Stations collect and review, the county posts; one household is refused, one is objected to and the objection
dismissed. Then the rural commercial bank sets a line. What borrowers do afterwards stands in the banks' files.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adapters.sample_county.acts import Act, by
from adapters.sample_county.applications import VILLAGE, application_acts
from adapters.sample_county.county import HOUSEHOLDS, SEED, county
from adapters.sample_county.files import BANK
from adapters.sample_county.money import (
    FINANCE,
    PaymentAnswer,
    money_acts,
    payment_answers,
    write_subsidy_claims,
)
from adapters.sample_county.population import COUNTY, TOWNSHIPS, VILLAGES, Household
from adapters.sample_county.postal import POSTAL_BANK
from adapters.sample_county.ratings import COLLECTED_ON, PERSON, defaulters, write_village_form

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.sample_county.written import SampleFile

__all__ = ["Act", "Campaign", "Person", "Station", "prepare_campaign"]

_CREDIT_PLATFORM: Final = f"XY_{COUNTY}"
_TOWNSHIP: Final = TOWNSHIPS[0]
_HEAD: Final = "P02"
"""Who decides, at every station."""
_AGES: Final = range(18, 61)
"""Of heads who can be rated by the county's plan, as written in 篇三 二."""
_FEWEST: Final = 3
"""Households that a campaign needs: one is refused, one objected to, one has a line. With fewer none is reviewed."""
_IN_FORCE_ON: Final = dt.date(2024, 4, 24)
"""The day after the posting, on which the ratings come into force."""
_FILED, _REVIEWED, _CHECKED, _APPROVED, _OBJECTED, _ANSWERED = 17, 16, 10, 8, 6, 3
_POSTED: Final = 7, 1
"""Days before the ratings come into force; the posting's first and last."""
_HOTLINE: Final = "000-0000000"
_SHOWN: Final = 4
"""Households whose applications are walked through; with fewer nobody applies."""
_LINE: Final = "30000.00"
_LINE_DAYS: Final = dt.timedelta(days=365)


@dataclass(frozen=True)
class Station:
    """A station that takes part: its member code, kind, region, and the adapter that reads its files."""

    code: str
    kind: str
    region: str
    adapter: str


@dataclass(frozen=True)
class Person:
    """Somebody who acts for a member: nobody bears her name."""

    member: str
    code: str
    name: str
    may: tuple[str, ...]


@dataclass(frozen=True)
class Campaign:
    """All of it.

    Args:
        stations: to be entered first.
        receivers: likewise; they are only sent to.
        people: likewise.
        files: to be pushed.
        acts: to be sent one by one, each on its date.
        answers: what banks say of payments, once they know of them.
    """

    stations: tuple[Station, ...]
    receivers: tuple[Station, ...]
    people: tuple[Person, ...]
    files: tuple[SampleFile, ...]
    acts: tuple[Act, ...]
    answers: tuple[PaymentAnswer, ...] = ()


def prepare_campaign(directory: Path, *, seed: int = SEED, households: int = HOUSEHOLDS) -> Campaign:
    """Write the villages' forms into `directory` and return the campaign.

    Args:
        directory: it must be there.
        seed: as of the sample's other files.
        households: as of the sample's other files.
    """
    sample = county(seed, households)
    villages = {village: f"V{village}" for village in VILLAGES if village.startswith(_TOWNSHIP)}
    township = f"T{_TOWNSHIP}"
    stations = [Station(code, "village", village, "county_forms") for village, code in villages.items()]
    stations.append(Station(township, "township", _TOWNSHIP, "county_forms"))
    files = [write_village_form(directory, sample, village, code) for village, code in villages.items()]
    rateable = {}
    for village in villages:
        barred = defaulters(sample, village)
        rateable[village] = [
            each
            for each in sample.households
            if each.region == village and each.number not in barred and _is_rateable(each, sample.plan.roster_faults)
        ]
    acts = [*_acts({code: (village, rateable[village]) for village, code in villages.items()}, township)]
    if len(known := _all(rateable)) >= _FEWEST:
        acts.append(_line(known[-1]))
    borrowers = {loan.household.number for loan in sample.all_loans}
    free = [each for each in rateable[VILLAGE] if each.number not in borrowers and _has_another(each)]
    if len(free) >= _SHOWN:
        acts += application_acts(sample, free[:_SHOWN])
    acts += money_acts(sample)
    files.append(write_subsidy_claims(directory, sample))
    stations.append(Station(FINANCE, "finance", COUNTY, "county_forms"))
    codes = [station.code for station in stations]
    return Campaign(
        stations=tuple(stations),
        receivers=(Station(_CREDIT_PLATFORM, "credit_bureau", COUNTY, "credit_platform"),),
        people=tuple(_people([*codes, COUNTY, BANK, POSTAL_BANK])),
        files=tuple(files),
        acts=tuple(acts),
        answers=payment_answers(sample),
    )


def _all(rateable: dict[str, list[Household]]) -> list[Household]:
    return [household for households in rateable.values() for household in households]


def _is_rateable(household: Household, faulty: frozenset[str]) -> bool:
    """Return whether a household's head is of an age, and the household gets on the roster: no row of it is faulty."""
    is_enrolled = faulty.isdisjoint(person.identity_number for person in household.members)
    return is_enrolled and household.head.age_on(COLLECTED_ON) in _AGES


def _has_another(household: Household) -> bool:
    """Return whether somebody can stand in for the head."""
    return any(each.age_on(COLLECTED_ON) in _AGES for each in household.members if each is not household.head)


def _people(members: list[str]) -> Iterator[Person]:
    for member in members:
        yield Person(member, PERSON, "采集员", ("enter",))
        yield Person(member, _HEAD, "负责人", ("enter", "approve"))


def _acts(villages: dict[str, tuple[str, list[Household]]], township: str) -> Iterator[Act]:
    """Yield the steps in order; each states how many it is about."""
    filed, reviewed, checked, approved, first, last, objected_on, answered_on = (
        _IN_FORCE_ON - dt.timedelta(days=days)
        for days in (_FILED, _REVIEWED, _CHECKED, _APPROVED, *_POSTED, _OBJECTED, _ANSWERED)
    )
    for code, region in [*((code, village) for code, (village, _) in villages.items()), (township, _TOWNSHIP)]:
        group = {"region": region, "members": 5, "representatives": 2, "plan": f"评级工作方案 {region}"}
        yield Act(code, "rating_group", by(PERSON, filed) | group)
    everybody = _all({code: households for code, (_, households) in villages.items()})
    if len(everybody) < _FEWEST:
        return
    for code, (village, households) in villages.items():
        if households:
            yield Act(code, "rating_step", _step("village_review", village, reviewed, len(households)))
    refused, objected = everybody[0], everybody[1]
    because = {"borrower_no": refused.number, "decision": "refuse", "reason": "常年不在村，情况无法核实"}
    yield Act(township, "rating_step", _step("township_review", _TOWNSHIP, checked, 1) | because)
    left = len(everybody) - 1
    yield Act(township, "rating_step", _step("township_review", _TOWNSHIP, checked, left))
    yield Act(COUNTY, "rating_step", _step("county_review", _TOWNSHIP, approved, left))
    window = {"first_day": first.isoformat(), "last_day": last.isoformat(), "complaint_line": _HOTLINE}
    posting = {"region": _TOWNSHIP, "step": "county_review", "round": 1, "count": left}
    yield Act(COUNTY, "rating_posting", by(PERSON, first) | window | posting)
    station = next(code for code, (_, households) in villages.items() if objected in households)
    number = "YY2024-0001"
    objection = {"objection_no": number, "borrower": "household", "borrower_no": objected.number}
    yield Act(station, "rating_objection", by(PERSON, objected_on) | objection | {"reason": "家庭收入与公示不符"})
    answer = {"objection_no": number, "upheld": "no", "answer": "已入户核实，收入属实"}
    yield Act(township, "rating_answer", by(_HEAD, answered_on) | answer)


def _step(step: str, region: str, day: dt.date, count: int) -> dict[str, Any]:
    return by(_HEAD, day) | {
        "region": region,
        "step": step,
        "borrower": "household",
        "borrower_no": None,
        "count": count,
        "consents": None,
        "decision": "approve",
        "back_to": None,
        "reason": None,
    }


def _line(household: Household) -> Act:
    period = {"from_date": _IN_FORCE_ON.isoformat(), "until_date": (_IN_FORCE_ON + _LINE_DAYS).isoformat()}
    borrower = {"borrower": "household", "borrower_no": household.number, "amount": _LINE}
    return Act(BANK, "credit_line", by(_HEAD, _IN_FORCE_ON) | borrower | period)
