"""The published JSON Schemas: valid, labelled in Chinese, and of one mind with the definitions."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import marshmallow as ma
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from huilian.records import fields as f
from huilian.wire import catalogue
from schemas.catalogue import contracts
from schemas.publication import json_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from huilian.wire.catalogue import Contract

ALL = [pytest.param(each, id=each.dataschema) for each in contracts()]
IN_JSON = [parameter for parameter in ALL if not parameter.values[0].xml]
VALIDATOR = jsonschema.Draft202012Validator


@functools.cache
def _published(contract: Contract) -> dict[str, Any]:
    return json.loads(files("contracts").joinpath(f"messages/{contract.dataschema}.json").read_text("utf-8"))


@functools.cache
def _validator(contract: Contract) -> jsonschema.Draft202012Validator:
    return VALIDATOR(_published(contract))


@pytest.mark.parametrize("contract", ALL)
def test_a_published_schema_is_valid_json_schema(contract: Contract):
    """In the dialect it names."""
    schema = _published(contract)
    assert schema["$schema"] == json_schema.DIALECT == VALIDATOR.META_SCHEMA["$id"]
    VALIDATOR.check_schema(schema)


@pytest.mark.parametrize("contract", IN_JSON)
def test_every_field_has_its_chinese_name(contract: Contract):
    """Institutions read these schemas; nested ones too."""
    schema = _published(contract)
    assert schema["x-zh"] == contract.chinese
    for described in [schema, *schema.get("$defs", {}).values()]:
        assert [name for name, field in described["properties"].items() if not field.get("x-zh")] == []
        assert described["additionalProperties"] is False


def test_rules_across_fields_are_named():
    """What JSON Schema cannot say, a sender still has to know."""
    schema = _published(catalogue.installed().named("loan_ledger/v1"))
    assert schema["x-checks"] == [
        {"field": "identity_number", "code": "HL2007"},
        {"field": "balance", "code": "HL2011"},
        {"field": "due_date", "code": "HL2012"},
        {"field": "balance", "code": "HL2013"},
    ]


def test_a_field_without_a_published_form_is_refused():
    """A kind from elsewhere has no checks by column either."""
    contract = dataclasses.replace(contracts()[0], schema=ma.Schema.from_dict({"anything": ma.fields.Raw()}))
    with pytest.raises(TypeError, match="anything: a Raw has no published form"):
        json_schema.document(contract)


def _money(field: f.Money) -> st.SearchStrategy[str]:
    most = 10 ** (field.digits + 2) - 1
    return st.integers(-most if field.may_be_negative else 0, most).map(
        lambda fen: f"{'-' * (fen < 0)}{abs(fen) // 100}.{abs(fen) % 100:02d}"
    )


def _identity(place: int, born: dt.date, order: int) -> str:
    body = f"{place}{born:%Y%m%d}{order:03d}"
    total = sum(int(digit) * 2 ** (17 - position) for position, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


IDENTITIES = st.builds(
    _identity, st.integers(110000, 659999), st.dates(dt.date(1900, 1, 1), dt.date(2024, 1, 1)), st.integers(0, 999)
)


CREDIT_CODES = st.from_regex(f.CREDIT_CODE_PATTERN.replace("{10}", "{9}"), fullmatch=True).map(
    lambda code: code + uscc.calc_check_digit(code)
)


def _text(field: f.Text) -> st.SearchStrategy[str]:
    if field.pattern:
        return st.from_regex(field.pattern, fullmatch=True).filter(lambda text: 0 < len(text) <= field.longest)
    return st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=field.longest)


OURS: dict[type, Callable[[Any], st.SearchStrategy[Any]]] = {
    f.Code: lambda field: st.sampled_from(list(field.labels)),
    f.Money: _money,
    f.RatePercent: lambda _: st.from_regex(f.RATE_PATTERN, fullmatch=True),
    f.Date: lambda _: st.dates(dt.date(1900, 1, 1)).map(dt.date.isoformat),
    f.Whole: lambda _: st.integers(0, f.WHOLE_LIMIT),
    f.RegionCode: lambda _: st.from_regex(f.REGION_PATTERN, fullmatch=True),
    f.IdentityNumber: lambda _: IDENTITIES,
    f.CreditCode: lambda _: CREDIT_CODES,
    f.Text: _text,
    f.Digest: _text,
    ma.fields.Nested: lambda field: _records(type(field.schema)),
    ma.fields.List: lambda field: st.lists(_values(field.inner), max_size=3),
    ma.fields.Dict: lambda field: st.dictionaries(_values(field.key_field), _values(field.value_field), max_size=3),
}
"""By kind of field, the wire values that it accepts."""


def _values(field: ma.fields.Field[Any]) -> st.SearchStrategy[Any]:
    found = OURS[type(field)](field)
    return st.none() | found if field.allow_none else found


@functools.cache  # made once: making a strategy takes as long as drawing from it
def _records(schema: type[ma.Schema]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: _values(field) for name, field in schema().fields.items()}).map(_mended)


def _mended(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record with the rules across its fields kept, which no field can keep alone."""
    if "balance" in record and "borrower_name" in record:
        _order(record, "balance", "principal", key=Decimal)
        _order(record, "start_date", "due_date")
        record["balance"] = "0.00" if record["status"] == "settled" else record["balance"]
        if record["identity_type"] == "resident_identity_card":
            record["identity_number"] = "11010519491231002X"
    _mend_books(record)
    if "share_fund" in record:
        record |= {name: "0.00" for name in record if name.startswith("share_")}
        record |= {"share_fund": record["principal"], "interest": "0.00"}
    if "amount" in record and {"effective_date", "reservation_no", "payment_no"} & record.keys():
        record["amount"] = "20000000.00"
    if "term_deposit_no" in record and "due_date" in record:
        record |= {"effective_date": "2026-03-02", "due_date": "2027-03-02"}
    if "village_group" in record and "head_name" in record and "status" in record:
        record |= {"status": "ended"} | dict.fromkeys(("head_name", "identity_number", "category"))
    record |= _in_order(record)
    if "applicant" in record:
        record["borrower"] = "enterprise" if record["applicant"] is None else "household"
    if "indicators" in record:
        record |= {"village": "341599101200", "applicant_age": 44, "indicators": "integrity=85", "exclusions": "none"}
    if "parts" in record:
        record["accepted"] //= 2
        record["rejected"] //= 2
        record["rows"] = record["accepted"] + record["rejected"]
    return record


def _mend_books(record: dict[str, Any]) -> None:
    """Keep the rules of guarantees and insurance."""
    if "guaranteed_amount" in record:
        _order(record, "outstanding_amount", "guaranteed_amount", key=Decimal)
        _order(record, "start_date", "due_date")
        shares = dict.fromkeys((name for name in record if name.endswith("_share_percent")), "0")
        record |= shares | {"guarantor_share_percent": "70", "bank_share_percent": "30.0"}
    if "recovered" in record:
        record["recovered"] = record["interest"]
    if "premium_finance" in record:
        record |= {"premium": record["premium_household"], "premium_finance": "0.00", "premium_insurer": "0.00"}
        _order(record, "start_date", "end_date")
    if "claimed_amount" in record:
        _order(record, "period_start", "period_end")
    if "principal_days" in record:
        record |= {"period_start": "2021-04-01", "period_end": "2021-07-01"}
    if "batch_no" in record and "result" in record:
        record["paid_date"] = "2021-07-10" if record["result"] == "paid" else None
    if "overdue_since" in record:
        record["principal"] = "20000.00"
    if record.get("paid_date") and "event_date" in record:
        _order(record, "event_date", "paid_date")


def _in_order(record: dict[str, Any]) -> dict[str, Any]:
    """Return the two fields of a step that come in an order, in it."""
    for lower, upper in (
        ("representatives", "members"),
        ("first_day", "last_day"),
        ("from_date", "until_date"),
        ("received", "date"),
        ("family_signed", "family_adults"),
    ):
        if record.get(lower) is not None and record.get(upper) is not None:
            return dict(zip((lower, upper), sorted((record[lower], record[upper])), strict=True))
    return {}


def _order(record: dict[str, Any], lower: str, upper: str, key: Callable[[str], Any] = str) -> None:
    record[lower], record[upper] = sorted((record[lower], record[upper]), key=key)


def test_what_is_no_json_is_described_as_text_of_its_media_type():
    """An insurer's element keeps its own form: the schema says where that is agreed on."""
    [contract] = [contract for contract in contracts() if contract.xml]
    schema = _published(contract)
    assert (schema["type"], schema["contentMediaType"]) == ("string", "application/xml")
    assert "urn:insurer:rural:v1" in schema["description"]
    assert "properties" not in schema


@pytest.mark.parametrize("contract", IN_JSON)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_what_the_definition_accepts_the_schema_accepts(contract: Contract, data: st.DataObject):
    """A sender that follows the definition never fails the published schema."""
    record = data.draw(_records(contract.schema))
    assert contract.schema().validate(record) == {}
    assert [error.message for error in _validator(contract).iter_errors(record)] == []


ROSTER = {
    "line": 2,
    "household_no": "H0001",
    "head_name": "张三",
    "person_name": "张三",
    "identity_number": "11010519491231002X",
    "relation_to_head": "户主",
    "region": "341599101201",
    "category": "out_of_poverty",
    "is_head": "yes",
    "health": None,
    "labour_skill": None,
    "household_size": 3,
    "annual_income": "12000.00",
    "phone": None,
    "account_last_four": "0123",
}


def _verdicts(record: dict[str, Any]) -> tuple[bool, bool]:
    """Return whether the definition takes a roster record, and whether its published schema does."""
    roster = contracts()[0]
    return roster.schema().validate(record) == {}, _validator(roster).is_valid(record)


def test_definition_and_schema_accept_alike():
    """The record that the next test breaks in one place each time."""
    assert _verdicts(ROSTER) == (True, True)


@pytest.mark.parametrize(
    "change",
    [
        {"annual_income": 12000},
        {"annual_income": "12000"},
        {"annual_income": "-1.00"},
        {"region": "3415991"},
        {"category": "rich"},
        {"head_name": ""},
        {"head_name": "张\t三"},
        {"head_name": None},
        {"household_size": "3"},
        {"household_size": -1},
        {"account_last_four": "123"},
        {"village": "x"},
    ],
    ids=repr,
)
def test_definition_and_schema_refuse_alike(change: dict[str, Any]):
    """Form, type, code, length, null and unknown fields: one verdict from both."""
    assert _verdicts(ROSTER | change) == (False, False)


@pytest.mark.parametrize("name", ROSTER)
def test_no_field_may_be_left_out(name: str):
    """An empty value is null; a missing one is a mistake."""
    assert _verdicts({key: value for key, value in ROSTER.items() if key != name}) == (False, False)
