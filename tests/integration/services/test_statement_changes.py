"""What is published of guarantees, policies and claims: in whatever order files come, it adds up to what is known."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.wire import envelope
from schemas.guarantees import GuaranteeState
from schemas.insurance import ClaimState, PolicyState
from tests.support.builders.statements import claim, guarantee, policy
from tests.support.reporting import GUARANTOR, INSURER, ReportingCounty, Submission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huilian.records.record import Record

DAYS = [dt.date(2025, month, 28) for month in (1, 2, 3)]
SMALL = settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def published(county: ReportingCounty, name: str) -> list[dict[str, Any]]:
    """Return all changes that were published under a name."""
    rows = county.rows(f"SELECT seal, payload FROM huilian.message WHERE type = '{name}'")
    bodies = [envelope.read(row["seal"], bytes(row["payload"])).body() for row in rows]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def told(county: ReportingCounty, name: str) -> list[dict[str, Any]]:
    """Return the same as who owns it tells it anew, to whoever was not there when it was published."""
    [tell] = [each.tells[name] for each in county.office.services.values() if name in each.tells]
    with county.transaction() as transaction:
        return [json.loads(line) for draft in tell(transaction) for line in draft.body.splitlines()]


def summed(changes: list[dict[str, Any]], key: tuple[str, ...], day: dt.date) -> dict[tuple[str, ...], int]:
    """Return the states at a day, each with how often it counts."""
    sums: Counter[tuple[str, ...]] = Counter()
    for change in changes:
        if change["as_of"] > day.isoformat() or (change["until"] or "9999") <= day.isoformat():
            continue
        for side, sign in (("after", 1), ("before", -1)):
            if change[side] is not None:
                sums[*(change[name] for name in key), json.dumps(change[side], sort_keys=True)] += sign
    return {state: number for state, number in sums.items() if number}


def shared(row: dict[str, Any], state: type[Record]) -> str:
    """Return what is shared of a record, rates as the database shows them."""
    shown = {name: row[name] for name in state().fields}
    rates = {name: f"{float(value):.6f}" for name, value in shown.items() if name.endswith("_percent")}
    return json.dumps(shown | rates, sort_keys=True)


book = st.tuples(
    st.sampled_from(DAYS),
    st.dictionaries(st.sampled_from(["G1", "G2", "G3"]), st.sampled_from(["50000.00", "40000.00", "0.00"])),
)


@SMALL
@given(st.lists(book, min_size=1, max_size=5))
def test_guarantees_add_up_to_the_newest_book_of_every_day(
    county: ReportingCounty, books: list[tuple[dt.date, dict[str, str]]]
):
    """One that a book no longer has is gone from its day on; a late book counts until the next one."""
    county.empty()
    of_day: dict[dt.date, dict[str, str]] = {}
    for day, amounts in books:
        rows = [guarantee(number, "L1", outstanding_amount=left) for number, left in amounts.items()]
        county.push(Submission(GUARANTOR, day, rows, kind="guarantee_book"))
        of_day[day] = amounts
    changes, anew = published(county, "guarantees_changed"), told(county, "guarantees_changed")
    for day in DAYS:
        known = [amounts for date, amounts in sorted(of_day.items()) if date <= day]
        expected = {
            (number, shared(guarantee(number, "L1", outstanding_amount=left), GuaranteeState)): 1
            for number, left in (known[-1] if known else {}).items()
        }
        assert summed(changes, ("guarantee_no",), day) == expected
        assert summed(anew, ("guarantee_no",), day) == expected


package = st.tuples(
    st.sampled_from(DAYS),
    st.dictionaries(st.sampled_from(["P1", "P2"]), st.sampled_from(["100.00", "200.00"]), min_size=1),
    st.dictionaries(st.sampled_from(["C1", "C2"]), st.sampled_from(["filed", "surveying"])),
)


@SMALL
@given(st.lists(package, min_size=1, max_size=5))
def test_policies_and_claims_add_up_to_the_newest_statements_of_every_day(
    county: ReportingCounty, packages: Sequence[tuple[dt.date, dict[str, str], dict[str, str]]]
):
    """A package is no full list: what it does not have stands."""
    county.empty()
    policies: dict[str, dict[dt.date, str]] = {}
    claims: dict[str, dict[dt.date, str]] = {}
    for day, premiums, stages in packages:
        rows = [policy(number, premium=p, premium_finance=f"{float(p) - 40:.2f}") for number, p in premiums.items()]
        rows += [claim(number, "P1", status=status) for number, status in stages.items()]
        county.push(Submission(INSURER, day, rows, kind="insurance_package"))
        for kept, stated in ((policies, premiums), (claims, stages)):
            for number, value in stated.items():
                kept.setdefault(number, {})[day] = value
    for way, day in itertools.product((published, told), DAYS):
        assert summed(way(county, "policies_changed"), ("policy_no",), day) == {
            (number, shared(policy(number, premium=p, premium_finance=f"{float(p) - 40:.2f}"), PolicyState)): 1
            for number, p in _at(policies, day).items()
        }
        assert summed(way(county, "claims_changed"), ("claim_no",), day) == {
            (number, shared(claim(number, "P1", status=status), ClaimState)): 1
            for number, status in _at(claims, day).items()
        }


def _at(kept: dict[str, dict[dt.date, str]], day: dt.date) -> dict[str, str]:
    """Return of each number the newest value up to a day."""
    found = {number: {date: v for date, v in values.items() if date <= day} for number, values in kept.items()}
    return {number: values[max(values)] for number, values in found.items() if values}


def test_what_only_a_persons_name_changes_is_not_published(county: ReportingCounty):
    """Names are not shared; the receipt counts the record as changed."""
    county.push(Submission(INSURER, DAYS[0], [policy("P1")], kind="insurance_package"))
    again = county.push(Submission(INSURER, DAYS[1], [policy("P1", holder_name="李四")], kind="insurance_package"))
    assert (again["changed"], again["unchanged"]) == (1, 0)
    [change] = published(county, "policies_changed")
    assert change["before"] is None
    assert not {"holder_name", "insured_name", "insured_number"} & set(change["after"])
