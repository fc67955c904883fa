"""The sample county's campaign: what its stations do one by one keeps the contracts, and adds up."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from adapters.sample_county import campaign as module
from adapters.sample_county import prepare_campaign
from huilian.county.members.persons import APPROVE, ENTER
from huilian.records.record_files import breaches
from huilian.wire import access, catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.sample_county import Campaign

FORMS_OF = dt.date(2024, 3, 31)
IN_FORCE = dt.date(2024, 4, 24)
APPROVED = {
    *("rating_step", "rating_answer", "credit_line", "compensation_step", "fund_approval", "subsidy_approval"),
    "subsidy_payment",
}
"""What somebody decides; the rest is entered."""


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    """Return the campaign of a small county."""
    return prepare_campaign(tmp_path, households=96)


def of(campaign: Campaign, kind: str) -> list[dict[str, Any]]:
    """Return the records of a type."""
    return [act.record for act in campaign.acts if act.type == kind]


def test_every_record_keeps_its_contract_and_is_its_senders_to_send(campaign: Campaign):
    """By a person of the sender who may, and after the rating forms."""
    rules, contracts = access.load(), catalogue.installed()
    banks = {"RCB01": "bank", "PSBC1522": "bank"}
    kinds = {station.code: station.kind for station in campaign.stations} | banks | {"341599": "county"}
    seen = {"count": 1, "amount": "1.00", "loan_no": "PJ1"}
    may = {(person.member, person.code): person.may for person in campaign.people}
    assert {member for member, _ in may} == set(kinds)
    for act in campaign.acts:
        schema = contracts.latest(act.type).schema()
        record = act.record | {name: value for name, value in seen.items() if act.listed and name in schema.fields}
        assert breaches(schema, record, "341599") == []
        rules.check_send(act.member, kinds[act.member], act.type)
        assert act.sent_on > FORMS_OF
        if "person" in act.record:
            assert (APPROVE if act.type in APPROVED else ENTER) in may[act.member, act.record["person"]]
        if act.type.startswith("rating"):
            assert act.sent_on <= IN_FORCE


def test_each_level_is_about_those_whom_the_level_below_has_let_pass(campaign: Campaign):
    """One is refused by the township, one objected to, the others are posted."""
    steps: dict[str, list[int]] = {}
    for record in of(campaign, "rating_step"):
        steps.setdefault(record["step"], []).append(record["count"])
    collected = sum(steps["village_review"])
    assert collected <= sum(file.rows for file in campaign.files if file.kind == "rating_indicators") == 32
    assert steps["township_review"] == [1, collected - 1]
    assert steps["county_review"] == [record["count"] for record in of(campaign, "rating_posting")] == [collected - 1]
    [objection], [answer] = of(campaign, "rating_objection"), of(campaign, "rating_answer")
    assert (objection["objection_no"], answer["upheld"]) == (answer["objection_no"], "no")


def test_the_same_county_has_the_same_campaign(campaign: Campaign, tmp_path: Path):
    """To the byte of each form."""
    before = [file.path.read_bytes() for file in campaign.files]
    again = prepare_campaign(tmp_path, households=96)
    assert again == campaign
    assert [file.path.read_bytes() for file in again.files] == before


def test_a_township_with_too_few_households_files_its_groups_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Nobody can be refused and objected to among two."""
    monkeypatch.setattr(module, "_AGES", range(0))
    found = prepare_campaign(tmp_path, households=24)
    assert [act.type for act in found.acts if act.type.startswith("rating")] == ["rating_group"] * 9
