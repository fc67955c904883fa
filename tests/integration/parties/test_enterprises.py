"""Enterprises, whom they lead one at a time, what each household received, and who may enter it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registry.parties import enterprises
from services.registry.parties.enterprises import Led
from tests.support.parties import ENTERPRISE, OTHER_ENTERPRISE
from tests.support.ratings import BEGIN, CLERK, COUNTY, DAY, OTHER_VILLAGE, TOWNSHIP, VILLAGE

if TYPE_CHECKING:
    from tests.support.parties import PartiesCounty

MARCH, APRIL = dt.date(2024, 3, 1), dt.date(2024, 4, 1)


def led_by(county: PartiesCounty, *asked: tuple[str, str | None, dt.date]) -> list[tuple[str, ...]]:
    """Return whom enterprises lead."""
    with county.transaction() as transaction:
        return enterprises.households_led(transaction, asked)


def leaders(county: PartiesCounty, *asked: tuple[str, dt.date]) -> list[Led | None]:
    """Return who leads households."""
    with county.transaction() as transaction:
        return enterprises.leaders(transaction, asked)


def test_an_enterprise_leads_households_each_in_its_way(county: PartiesCounty):
    """On a day, in all ways or in one; questions are answered in their order."""
    assert county.enterprise() is None
    assert county.lead("H1") is None
    assert county.lead("H2", way="trusteeship", shares=None, shares_amount=None, orders="DD-2") is None
    assert county.lead("K1", from_date="2024-04-01") is None
    asked = [
        (ENTERPRISE, None, MARCH), (ENTERPRISE, "shares", MARCH), (ENTERPRISE, "direct", MARCH),
        (OTHER_ENTERPRISE, None, MARCH), (ENTERPRISE, None, APRIL), (ENTERPRISE, None, MARCH - DAY),
    ]  # fmt: skip
    assert led_by(county, *asked) == [("H1", "H2"), ("H1",), (), (), ("H1", "H2", "K1"), ()]
    assert leaders(county, ("K1", MARCH), ("H2", MARCH), ("H9", MARCH)) == [
        None, Led(ENTERPRISE, "trusteeship", MARCH), None,
    ]  # fmt: skip
    assert [row["households_led"] for row in county.ask("feed/enterprises")] == [2]


def test_a_household_is_led_by_another_only_after_it_was_let_go(county: PartiesCounty):
    """By one at a time, whichever comes first; the day on which one ends may be the other's first."""
    assert county.enterprise() is None
    assert county.enterprise(OTHER_ENTERPRISE, name="示例农业有限公司", kind="leading_enterprise") is None
    assert county.lead("H1") is None
    assert county.lead("H1", OTHER_ENTERPRISE, from_date="2024-04-01") == "HL1094"
    assert county.lead("H1", from_date="2024-02-01", until_date="2024-03-02") == "HL1094"
    assert county.lead("H1", OTHER_ENTERPRISE, from_date="2024-02-01", until_date="2024-03-01") is None
    assert county.lead("H1", until_date="2024-04-01") is None
    assert county.lead("H1", OTHER_ENTERPRISE, from_date="2024-04-01") is None
    asked = [("H1", day) for day in (MARCH - DAY, MARCH, APRIL - DAY, APRIL)]
    found = leaders(county, *asked)
    assert [led and led.enterprise_no for led in found] == [OTHER_ENTERPRISE, ENTERPRISE, ENTERPRISE, OTHER_ENTERPRISE]
    assert county.lead("H1") is None, "the first record once more: it changes nothing"
    assert leaders(county, *asked) == found


def test_who_is_led_by_two_is_told_of_both_and_of_all_else_that_is_wrong(county: PartiesCounty):
    """With code and text."""
    assert county.enterprise() is None
    assert county.enterprise(OTHER_ENTERPRISE) is None
    assert county.lead("H1", until_date="2024-03-10") is None
    assert county.lead("H1", OTHER_ENTERPRISE, from_date="2024-03-10") is None
    assert county.lead("H1", from_date="2024-02-01", person="P9", date="2024-03-02") == "HL1035"
    assert county.reasons == ["HL1031", "HL1062", "HL1094", "HL1094"]
    assert len(county.ask("feed/led_households")) == 2


def test_with_an_enterprise_ends_what_it_leads(county: PartiesCounty):
    """Its households may be led by another from that day on; what would begin later never begins."""
    assert county.enterprise() is None
    assert county.enterprise(OTHER_ENTERPRISE) is None
    assert county.lead("H1") is None
    assert county.lead("H2", from_date="2024-05-01") is None
    assert county.lead("H3", until_date="2024-03-15") is None
    assert county.enterprise(until_date="2024-04-01") is None
    assert led_by(county, (ENTERPRISE, None, APRIL - DAY), (ENTERPRISE, None, dt.date(2024, 5, 1))) == [("H1",), ()]
    ends = {row["household_no"]: (row["from_date"], row["until_date"]) for row in county.ask("feed/led_households")}
    assert ends == {
        "H1": ("2024-03-01", "2024-04-01"),
        "H2": ("2024-05-01", "2024-05-01"),
        "H3": ("2024-03-01", "2024-03-15"),
    }
    assert county.lead("H2", OTHER_ENTERPRISE, from_date="2024-04-01") is None
    assert county.lead("K1", from_date="2024-04-01") == "HL1093"
    assert county.lead("K1", until_date="2024-09-01") is None
    assert led_by(county, (ENTERPRISE, None, APRIL)) == [()]


def test_an_enterprise_is_corrected_by_a_later_record_and_keeps_its_number(county: PartiesCounty):
    """What comes late changes nothing of what is newer."""
    assert county.enterprise() is None
    county.clock.advance(DAY)
    assert county.enterprise(name="示例种植专业合作社", kind="other") is None
    assert county.enterprise(date="2024-03-01") is None
    assert county.enterprise(from_date="2021-01-01") == "HL1059"
    [row] = county.ask("feed/enterprises")
    assert row | {"message": ""} == {
        "enterprise_no": ENTERPRISE, "name": "示例种植专业合作社", "region": VILLAGE, "kind": "other",
        "from_date": "2020-01-01", "until_date": None, "households_led": 0, "member": "TOWN1", "person": CLERK,
        "message": "", "ended_message": None,
    }  # fmt: skip


def test_what_a_household_received_stands_beside_who_leads_it(county: PartiesCounty):
    """From the first day on; what comes again is counted once."""
    assert county.enterprise() is None
    assert county.lead("H1", until_date="2024-03-02") is None
    assert county.lead("H1", from_date="2024-03-03", way="direct") is None
    county.clock.advance(4 * DAY)
    assert county.benefit("F1", received="2024-03-01", kind="wage", amount="800.00") is None
    assert county.benefit("F2", received="2024-03-02") is None
    assert county.benefit("F3") is None
    assert county.benefit("F3") is None
    assert county.benefit("F3", amount="600.01") == "HL1059"
    rows = county.ask("feed/led_households", enterprise=ENTERPRISE)
    got = ("way", "benefits", "dividends", "received", "last")
    assert [tuple(row[name] for name in got) for row in rows] == [
        ("shares", 2, "600.00", "1400.00", "2024-03-02"),
        ("direct", 1, "600.00", "600.00", "2024-03-05"),
    ]
    assert county.ask("feed/led_households", region=OTHER_VILLAGE) == []
    assert county.ask("feed/led_households", enterprise=OTHER_ENTERPRISE) == []


@pytest.mark.parametrize(
    ("send", "member", "fields", "code"),
    [
        ("enterprise", "VILL1", {}, None),
        ("enterprise", COUNTY, {"region": COUNTY}, None),
        ("enterprise", "VILL2", {}, "HL1052"),
        ("enterprise", "VILL1", {"region": TOWNSHIP}, "HL1052"),
        ("enterprise", "TOWN1", {"number": "91110000600037341A"}, "HL1035"),
        ("enterprise", "TOWN1", {"until_date": "2019-12-31"}, "HL1035"),
        ("enterprise", "RCB01", {}, "HL1004"),
        ("lead", "VILL1", {}, None),
        ("lead", "VILL2", {}, "HL1052"),
        ("lead", "TOWN1", {"household": "H9"}, "HL1090"),
        ("lead", "TOWN1", {"enterprise": OTHER_ENTERPRISE}, "HL1093"),
        ("lead", "TOWN1", {"from_date": "2019-12-31"}, "HL1093"),
        ("lead", "TOWN1", {"way": "kindness"}, "HL1035"),
        ("lead", "RCB01", {}, "HL1004"),
        ("benefit", COUNTY, {"household": "H2"}, None),
        ("benefit", "VILL2", {"household": "H2"}, "HL1052"),
        ("benefit", "TOWN1", {"household": "H3"}, "HL1095"),
        ("benefit", "TOWN1", {"household": "H2", "received": "2024-01-31"}, "HL1095"),
        ("benefit", "TOWN1", {"household": "H2", "received": "2024-03-02"}, "HL1035"),
        ("benefit", "RCB01", {"household": "H2"}, "HL1004"),
    ],
)  # fmt: skip
def test_who_may_enter_what_of_enterprises_and_where(
    county: PartiesCounty, send: str, member: str, fields: dict[str, str], code: str | None
):
    """A station in its own region, the county everywhere; nobody else."""
    if send != "enterprise":
        assert county.enterprise() is None
        assert county.lead("H2", from_date="2024-02-01") is None
    fields = {"lead": {"household": "H1"}, "benefit": {"reference": "F1"}}.get(send, {}) | fields
    assert getattr(county, send)(member=member, **fields) == code


DAYS = st.integers(0, 5)
ACTS = st.tuples(st.sampled_from([ENTERPRISE, OTHER_ENTERPRISE]), DAYS, st.none() | DAYS)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTS, max_size=6))
def test_a_household_is_never_led_by_two_whatever_is_sent(
    county: PartiesCounty, sent: list[tuple[str, int, int | None]]
):
    """A model says who leads on each day: the first that came, as long as the earliest of its ends."""
    county.empty()
    county.clock.moment = BEGIN + 10 * DAY
    for number in (ENTERPRISE, OTHER_ENTERPRISE):
        assert county.enterprise(number) is None
    spans: dict[tuple[str, int], int] = {}
    for enterprise, start, until in sent:
        if until is not None and until < start:
            continue
        end = 99 if until is None else until
        others = [(first, last) for (_, first), last in spans.items()]
        known = (enterprise, start) in spans
        free = not any(max(first, start) < min(last, end) for first, last in others)
        day = MARCH + start * DAY
        stop = None if until is None else (MARCH + until * DAY).isoformat()
        code = county.lead("H1", enterprise, from_date=day, until_date=stop)
        assert (code is None) == (known or free)
        assert known or free or set(county.reasons) == {"HL1094"}
        if known or free:
            spans[enterprise, start] = min(end, spans.get((enterprise, start), 99))
    found = leaders(county, *(("H1", MARCH + day * DAY) for day in range(7)))
    expected = [
        next((enterprise for (enterprise, first), last in spans.items() if first <= day < last), None)
        for day in range(7)
    ]
    assert [led and led.enterprise_no for led in found] == expected
