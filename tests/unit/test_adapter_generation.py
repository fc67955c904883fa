"""Records made up for a contract: valid by its schema, the same for the same seed, awkward where they should be."""

from __future__ import annotations

import polars as pl
import pytest

from huilian.conformance import generation
from huilian.core import identity
from huilian.records.columnar import wire_types
from huilian.records.record import Record
from huilian.wire import catalogue

CONTRACTS = catalogue.installed().contracts
NESTED = {name for name, each in CONTRACTS.items() if name.split("/")[0].endswith("_changed")}
"""Records within records: no adapter writes them, and none are made up."""
BULK = sorted(
    name for name, each in CONTRACTS.items() if each.bulk and issubclass(each.schema, Record) and name not in NESTED
)


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("dataschema", [*BULK, "receipt/v2"])
def test_records_keep_their_contract(dataschema: str, plain: bool):  # noqa: FBT001  # a parameter
    """Every one of them, in wire types; lines count from one; twice the same."""
    contract = CONTRACTS[dataschema]
    made = generation.records(contract, 12, seed=7, plain=plain, county="341599")
    assert [contract.schema().validate(row) for row in made.iter_rows(named=True)] == [{}] * 12
    if issubclass(contract.schema, Record):
        assert made.schema == wire_types(contract.schema)
    if "line" in made.columns:
        assert made["line"].to_list() == list(range(1, 13))
    assert made.equals(generation.records(contract, 12, seed=7, plain=plain, county="341599"))
    assert not made.equals(generation.records(contract, 12, seed=8, plain=plain, county="341599"))


def test_records_are_of_the_member_and_the_county():
    """What a bank is sent speaks of that bank and of this county."""
    made = generation.records(CONTRACTS["confirmations/v1"], 30, seed=1, plain=True, county="520626")
    assert made["institution"].unique().to_list() == [generation.MEMBER]
    assert made["region"].str.starts_with("520626").all()
    assert made["identity_number"].str.starts_with("520626").all()


@pytest.mark.parametrize("county", ["341599", "520626", "110101"])
def test_enterprises_have_credit_codes_wherever_they_are(county: str):
    """Of their county, with the check character of each."""
    made = generation.records(CONTRACTS["enterprise_confirmations/v1"], 30, seed=1, plain=True, county=county)
    assert made["enterprise_no"].str.starts_with(f"93{county}").sum() > 20
    assert all(map(identity.is_credit_code, made["enterprise_no"]))


def test_extreme_records_have_what_layouts_stumble_over():
    """Separators, quotes and characters outside GBK among plain ones; plain records have none of them."""
    marks = [",", '"', "<", "𠅤"]
    contract = CONTRACTS["notices/v1"]
    extreme = generation.records(contract, 200, seed=1, plain=False, county="341599")["text"]
    plain = generation.records(contract, 200, seed=1, plain=True, county="341599")["text"]
    assert [extreme.str.contains(mark, literal=True).any() for mark in marks] == [True] * 4
    assert [plain.str.contains(mark, literal=True).any() for mark in marks] == [False] * 4
    assert extreme.str.len_chars().max() == 500
    assert plain.cast(pl.String).str.len_chars().max() == 4


def test_what_cannot_be_made_up_says_so():
    """Of records within records nothing is invented."""
    with pytest.raises(ValueError, match="no record of loans_changed/v1 could be made"):
        generation.records(CONTRACTS["loans_changed/v1"], 1, seed=1, plain=True, county="341599")
