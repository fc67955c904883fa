"""What the insurer's elements mean: a layout for each, every item with its canonical field."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from adapters.insurer.dates import china_date
from adapters.toolkit import plausibility
from adapters.toolkit.translation import Column, Translation, code, identity, money, name, number
from schemas.insurance import ClaimRecord, PeriodResultRecord, PolicyRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from adapters.toolkit.plausibility import Check
    from huilian.records.record import Record

__all__ = ["ACCOUNT", "LAYOUTS", "PAYERS", "ElementLayout", "share"]

KINDS: Final = {
    "accident": "accident",
    "illness": "illness",
    "loan-guarantee": "loan_guarantee",
    "yield": "yield",
    "income": "income",
    "price-index": "price_index",
}
CLAIM_STATUSES: Final = {status: status for status in ("filed", "surveying", "settled", "declined")}
YES_OR_NO: Final = {answer: answer for answer in ("yes", "no")}
PAYERS: Final = ("finance", "household", "insurer")
ACCOUNT: Final = "PayeeAccount"
"""The item of a claim that must never hold more than four digits."""
_ZERO: Final = "0.00"


def share(payer: str) -> str:
    """Return the path of a payer's share within a Policy."""
    return f'Premium/Share[@payer="{payer}"]'


@dataclass(frozen=True)
class ElementLayout:
    """One kind of element.

    Args:
        name: of the element, "Policy".
        message_type: that that its records become, "policies".
        record: what it becomes.
        columns: path of an item within the element to what it means.
        number: the field that no two elements may share; rejections name it.
        amount: the field that the package's total adds up, if there is one.
        has_region: whether it states a region, which must lie in the county.
    """

    name: str
    message_type: str
    record: type[Record]
    columns: tuple[Column, ...]
    number: str
    amount: str | None
    has_region: bool = False

    @property
    def paths(self) -> list[str]:
        """Return the paths of all items within the element, in the order of the format."""
        return [column.source for column in self.columns]

    @functools.cached_property
    def translation(self) -> Translation:
        """Return the same with full paths: "Policy/Premium"."""
        return Translation(
            tuple(Column(self.path(column.source), column.target, column.kind, column.empty) for column in self.columns)
        )

    def path(self, item: str) -> str:
        """Return an item's full path, by which rejections name it."""
        return f"{self.name}/{item}"

    def checks(self, county: str, as_of: dt.date | None) -> list[Check]:
        """Return the checks that depend on the county and on the package's day, if it is known."""
        inside = [("region", "HL2009", ~pl.col("region").str.starts_with(county))] if self.has_region else []
        return [*plausibility.checks(self.record, as_of), *inside]


LAYOUTS: Final[Mapping[str, ElementLayout]] = {
    layout.name: layout
    for layout in (
        ElementLayout(
            name="Policy",
            message_type="policies",
            record=PolicyRecord,
            columns=(
                Column("PolicyNo", "policy_no", number),
                Column("ProductCode", "product"),
                Column("Kind", "kind", code(KINDS)),
                Column("Holder", "holder_name", name),
                Column("Insured/name", "insured_name", name),
                Column("Insured/idNo", "insured_number", identity),
                Column("HouseholdNo", "household_no", number),
                Column("Region", "region"),
                Column("LoanNo", "loan_no", number),
                Column("SumInsured", "sum_insured", money),
                Column("Premium", "premium", money),
                *(Column(share(payer), f"premium_{payer}", money, empty=_ZERO) for payer in PAYERS),
                Column("From", "start_date", china_date),
                Column("To", "end_date", china_date),
            ),
            number="policy_no",
            amount="premium",
            has_region=True,
        ),
        ElementLayout(
            name="Claim",
            message_type="claims",
            record=ClaimRecord,
            columns=(
                Column("ClaimNo", "claim_no", number),
                Column("PolicyNo", "policy_no", number),
                Column("LoanNo", "loan_no", number),
                Column("Event/kind", "event"),
                Column("Event/date", "event_date", china_date),
                Column("Event/forceMajeure", "force_majeure", code(YES_OR_NO)),
                Column("Status", "status", code(CLAIM_STATUSES)),
                Column("Amount", "amount", money),
                Column("PaidOn", "paid_date", china_date),
                Column(ACCOUNT, "payee_account_last_four"),
                Column("Reason", "reason"),
            ),
            number="claim_no",
            amount="amount",
        ),
        ElementLayout(
            name="PeriodResult",
            message_type="period_results",
            record=PeriodResultRecord,
            columns=(
                Column("Period", "period"),
                Column("Premiums", "premiums", money),
                Column("Claims", "claims", money),
                Column("Expenses", "expenses", money),
            ),
            number="period",
            amount=None,
        ),
    )
}
"""By the element's name."""
