"""The sample county's campaign: what its stations do one by one keeps the contracts, and adds up."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from adapters import postal_savings_bank
from adapters.sample_county import answer_payments, prepare_campaign
from adapters.sample_county import campaign as module
from adapters.sample_county.money import PaymentAnswer
from huilian.adapters import AdapterSettings, Outgoing
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
ORDER = {
    "batch_no": "ZF1", "payee_name": "张三", "payee_account": "6217990000000001", "payee_bank": "示范银行",
    "amount": "1000.00", "purpose": "贴息",
}  # fmt: skip


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


def test_the_postal_banks_claim_is_read_as_it_asks(campaign: Campaign):
    """A record for each loan with a balance in the quarter; the trailer agrees."""
    [file] = [each for each in campaign.files if each.kind == "subsidy_claims"]
    identity = postal_savings_bank.adapter.recognise(file.path.name)
    assert identity is not None
    (piece,) = postal_savings_bank.adapter.read(file.path, identity, AdapterSettings("341599"))
    assert (piece.accepted.height, piece.rejections.height) == (file.rows, 0)
    assert piece.accepted["period_end"].unique().to_list() == ["2024-10-01"]


def test_a_bank_answers_what_it_was_told_to_pay(tmp_path: Path):
    """Of the first answer one card is closed, and every row is read back by the bank's adapter."""
    orders = pl.DataFrame([ORDER | {"line": line, "loan_no": f"PJ{line}"} for line in (1, 2)])
    told = Outgoing("payment_orders/v1", "PSBC1522", dt.date(2024, 10, 25), 1, orders, county="341599")
    order = tmp_path / postal_savings_bank.adapter.outgoing_name(told)
    postal_savings_bank.adapter.write(told, AdapterSettings("341599"), order)
    answer = PaymentAnswer("PSBC1522", "postal_savings_bank", dt.date(2024, 10, 28), 1)
    file = answer_payments(order, tmp_path, answer)
    assert (file.path.name, file.as_of) == ("PAYRESULT_341599_20241025_001.csv", dt.date(2024, 10, 25))
    identity = postal_savings_bank.adapter.recognise(file.path.name)
    assert identity is not None
    (piece,) = postal_savings_bank.adapter.read(file.path, identity, AdapterSettings("341599"))
    assert piece.accepted.select("order_line", "result", "paid_date").rows() == [
        (1, "bounced", None),
        (2, "paid", "2024-10-28"),
    ]
