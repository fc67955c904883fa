"""What banks mean by their product codes, as the county maps them; the doctor says what is missing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from huilian.cli import doctor
from services.registry import service
from tests.support.builders.loans import state
from tests.support.reporting import BANKS, ReportingCounty, Submission

if TYPE_CHECKING:
    from huilian.county.service import Concern

MAP = {
    BANKS[1]: {
        "POOR": "anhui/household",
        "RURAL": "yanchi/household",
    }
}


def concern(county: ReportingCounty, products: dict[str, dict[str, str]]) -> Concern:
    """Return what the registry says of its product codes under a map."""
    with county.transaction() as transaction:
        settings = replace(county.office.settings, products=products)
        found, *_ = service.examine(transaction, settings, county.office.context.rules)
    return found


def test_the_codes_that_nobody_mapped_are_named_with_what_to_write(county: ReportingCounty):
    """By bank: another bank's map is not its own. Codes that no ledger has any more are its history's."""
    for bank, product in ((BANKS[1], "POOR"), (BANKS[1], "RURAL"), (BANKS[0], "POOR")):
        day = dt.date(2025, 1, 31) if product == "POOR" else dt.date(2025, 2, 28)
        county.push(Submission(bank, day, [{"loan_no": f"L-{product}"} | state(product=product)]))
    unmapped = concern(county, {})
    assert unmapped.what == (f"3 个未对应政策产品 (not mapped): {BANKS[0]} POOR、{BANKS[1]} POOR、{BANKS[1]} RURAL")
    others = concern(county, MAP)
    assert others.what == f"1 个未对应政策产品 (not mapped): {BANKS[0]} POOR"
    assert others.remedy == (
        f'在 huilian.toml 中写 (write there): [products.{BANKS[0]}] "POOR" = "政策/产品 (policy/product)"'
    )
    assert concern(county, MAP | {BANKS[0]: MAP[BANKS[1]]}).remedy is None


def test_a_service_asks_for_the_policy_and_product_of_a_code(county: ReportingCounty):
    """By way of the context that every handler has."""
    county.office.settings = replace(county.office.settings, products=MAP)
    try:
        county.office.__dict__.pop("context", None)
        assert county.office.context.policy_product(BANKS[1], "RURAL") == ("yanchi", "household")
        assert county.office.context.policy_product(BANKS[0], "RURAL") is None
    finally:
        county.office.settings = replace(county.office.settings, products={})
        county.office.__dict__.pop("context", None)


def test_the_doctor_finds_a_policy_or_a_product_that_is_not_there(county: ReportingCounty):
    """A code that is mapped to nothing would be found out when money is due."""
    wrong = {
        "RCB01": {
            "A": "anhui/household",
            "B": "anhui/enterprise",
            "C": "nowhere/household",
        }
    }
    found = list(doctor._products(county.office.home, replace(county.office.settings, products=wrong)))
    assert [(each.name, each.status) for each in found] == [
        ("[products.RCB01] B", "fail"),
        ("[products.RCB01] C", "fail"),
    ]
    assert found[0].what == "政策 anhui 没有产品 (has no product) enterprise"
    assert found[1].what.startswith("HL6003 ")
