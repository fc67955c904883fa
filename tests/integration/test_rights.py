"""Rights: each act that a service declares, by each kind of member and each right of a person, in one office."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from huilian.county.members import persons
from huilian.county.members.persons import Person
from huilian.county.service import acts
from huilian.records import fields as f
from huilian.wire import access, catalogue
from huilian.wire.envelope import Draft
from tests.support.carried_county import CLERK, COUNTY, TOWNSHIP, VILLAGE, CarriedCounty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.county.office import Office
    from tests.support.servers.postgresql import PostgreSQLNode

KINDS = {
    "county": COUNTY, "township": "TOWN1", "village": "VILL1", "bank": "RCB01", "guarantor": "GUA01",
    "reguarantor": "REG01", "insurer": "INS01", "finance": "FIN01", "credit_bureau": "CRB01", "auditor": "AUD01",
    "supervisor": "SUP01",
}  # fmt: skip
"""One member of each kind."""
OTHER_TOWNSHIP = "341599102"
REGIONS = {"TOWN1": TOWNSHIP, "VILL1": VILLAGE}
STATIONS = {"county", "township", "village"}
FUND = {"county", "finance"}
ALLOWED = {
    "fund_deposit": FUND,
    "fund_withdrawal": FUND,
    "fund_reversal": FUND,
    "fund_approval": FUND,
    "fund_term_deposit": FUND,
    "fund_term_deposit_end": FUND,
    "fund_receipt": FUND,
    "fund_payment": FUND,
    "fund_reservation": {"county"},
    "fund_release": {"county"},
    "village_fund_movement": {*FUND, "township"},
    "insurance_product": {"county", "insurer"},
    "premium_payment": {*FUND, "insurer"},
    "period_settlement": FUND,
    "consequence_posting": STATIONS,
    "subsidy_claim": {"bank", "township"},
    "subsidy_run": {"county"},
    "subsidy_posting": STATIONS,
    "subsidy_objection": STATIONS,
    "subsidy_answer": STATIONS,
    "subsidy_approval": FUND,
    "subsidy_payment": FUND,
    "payment_results": {"bank", "county"},
    "payee": {*STATIONS, "bank"},
    "false_claim": {*STATIONS, "bank"},
    "false_claim_decision": {"county"},
    "clawback": FUND,
    "compensation_claim": {*STATIONS, "bank"},
    "compensation_step": {*STATIONS, *FUND, "bank", "guarantor", "insurer", "reguarantor"},
    "compensation_payment": {*FUND, "bank", "guarantor", "insurer", "reguarantor"},
    "recovery": {"bank"},
    "recovery_return": {*FUND, "bank"},
    "collection": {*STATIONS, "bank"},
    "write_off": {*FUND, "bank"},
}
"""By type of record, the kinds of member that may send it; what an act sends and is not here, nobody has weighed."""
APPROVING = {
    "fund_approval", "compensation_step", "false_claim_decision", "period_settlement", "subsidy_answer",
    "subsidy_approval", "subsidy_payment",
}  # fmt: skip
"""What takes the right to approve; everything else takes the right to enter."""
ONLY_APPROVES = "P4"
SAMPLES = ("A1", "2024-Q1", "2024", "a", "某事")
OF_TYPE = {f.Money: "1.00", f.RatePercent: "3", f.Whole: 1, f.RegionCode: VILLAGE}
"""Values that fit fields."""


class RightsCounty(CarriedCounty):
    """A county with one member of each kind."""

    members: ClassVar = {code: (kind, REGIONS.get(code)) for kind, code in KINDS.items() if kind != "county"}

    def __init__(self, office: Office, clock: Any) -> None:  # noqa: ANN401  # as its parent's
        super().__init__(office, clock)
        with self.transaction() as transaction:
            for member in self.keys:
                person = Person(member, ONLY_APPROVES, "某人", ("approve",), dt.date(2020, 1, 1))
                persons.add(transaction, person, now=clock.now(), actor="test")

    def take(self, message_type: str, member: str, person: str = CLERK, **fields: str) -> list[str]:
        """Send a record made up to fit its contract; return the codes of all that is said against it."""
        self.reasons = []
        contract = catalogue.installed().latest(message_type)
        record = {name: sample(name, field) for name, field in contract.schema().fields.items()}
        today = {"person": person, "date": str(self.clock.today())}
        record |= {name: value for name, value in today.items() if name in record} | fields
        code = self.deliver(
            self.seal(member, Draft(message_type, contract.dataschema, member, json.dumps(record).encode()))
        )
        return [] if code is None else self.reasons


def sample(name: str, field: Any) -> Any:  # noqa: ANN401  # a field of any kind, and a value of it
    """Return a value that fits a field."""
    if isinstance(field, f.Code):
        return next(iter(field.labels))
    if isinstance(field, f.Date):
        return "2024-03-01" if name.endswith(("_end", "last_day", "until_date", "due_date")) else "2024-02-01"
    if isinstance(field, f.Text):
        return next(each for each in SAMPLES if field.pattern is None or re.search(field.pattern, each))
    return OF_TYPE[type(field)]


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RightsCounty]:
    """The county."""
    with RightsCounty.open(postgresql_node.create_database("rights"), tmp_path_factory.mktemp("rights")) as opened:
        yield opened


def test_every_kind_of_member_is_there():
    """One that is added has its rights weighed."""
    assert set(KINDS) == set(access.KINDS) - {"platform"}


@pytest.mark.parametrize("message_type", sorted({act.message_type for act in acts()}))
def test_only_who_may_takes_an_act(county: RightsCounty, message_type: str):
    """Others are refused, whatever the record says; so are a person without the right, and a station elsewhere."""
    refused = {kind for kind, member in KINDS.items() if county.take(message_type, member) == ["HL1004"]}
    assert refused == set(KINDS) - ALLOWED[message_type]
    fields = catalogue.installed().latest(message_type).schema().fields
    without = CLERK if message_type in APPROVING else ONLY_APPROVES
    for kind in sorted(ALLOWED[message_type]):
        assert "person" not in fields or "HL1033" in county.take(message_type, KINDS[kind], without), kind
        if kind in STATIONS and "region" in fields:
            assert county.take(message_type, KINDS[kind], region="341501101001") != [], kind
            assert kind == "county" or "HL1052" in county.take(message_type, KINDS[kind], region=OTHER_TOWNSHIP), kind
