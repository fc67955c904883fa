"""Subsidies by small policies that a test writes itself."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from huilian.policy import policies, reference_rates
from huilian.policy.subsidy import CASE, Subsidies

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.policy.subsidy import SubsidyCase

RATES = reference_rates.load()
RATE = 'rate = { value = "contract", source = "一" }'
OVERDUE = 'overdue = { value = "stops_at_due_date", source = "二" }'


def subsidies(folder: Path, *rules: str, head: str = "") -> Subsidies:
    """Return the subsidies of a policy with one product.

    Args:
        folder: where its file is written.
        rules: of `[products.credit.subsidy]`; `RATE` and `OVERDUE` unless they speak of these.
        head: what stands beside the product.
    """
    said = "\n".join(rules)
    defaults = [rule for rule in (RATE, OVERDUE) if rule.partition("=")[0] not in said]
    path = folder / "county.toml"
    path.write_text(
        f"""name = "county"
version = "3"
title = "示例"
plans = ["示例"]
{head}
[products.credit]
title = "小额信贷"
borrowers = ["household", "enterprise"]
open = "2010-01-01.."
[products.credit.lending]
amount_maximum = {{ none = true, source = "一" }}
[products.credit.subsidy]
{chr(10).join((*defaults, *rules))}
""",
        "utf-8",
    )
    return Subsidies(policies.load(path), RATES)


def case(**given: object) -> SubsidyCase:
    """Return a loan of 50,000.00 at 3.85 % for the year 2021, changed by what is given, read from JSON."""
    raw = {
        "loan_no": "A1",
        "household_no": "H1",
        "kind": "household",
        "product": None,
        "signed": None,
        "start": "2021-01-01",
        "due": "2022-01-01",
        "annual_rate_percent": "3.85",
        "principal": "50000.00",
        "balances": [],
        "settled": None,
        "households_led": None,
        "paid_before": "0.00",
    }
    found: SubsidyCase = CASE.load({**raw, **given})
    return found


def assess(plan: Subsidies, since: str | None = None, until: str | None = None, **given: object) -> dict[str, Any]:
    """Return the subsidy of a case as JSON."""
    days = [None if day is None else dt.date.fromisoformat(day) for day in (since, until)]
    return plan.assess(case(**given), *days).as_json()


def cap(more: str = "", source: str = "顶", **fields: str) -> str:
    """Return an entry of `caps` with its fields; more of them as TOML."""
    said = "".join(f'{name} = "{value}", ' for name, value in fields.items())
    return f'{{ {said}{more}source = "{source}" }}'


def codes(found: dict[str, Any]) -> list[str]:
    """Return the codes of its reasons."""
    return [reason["code"] for reason in found["reasons"]]
