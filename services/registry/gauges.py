"""What is watched: how old banks' newest ledgers are, and which of their product codes stand for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from huilian.county.members import directory
from huilian.county.service import Concern, Gauge
from services.registry import selects
from services.registry.applications.book import lacking

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.county.context import Context
    from huilian.county.rules import Rules
    from huilian.database.connection import Transaction
    from huilian.settings import Settings

__all__ = ["examine", "gauges"]

NEVER: Final = float("inf")
"""The age of the last ledger of a bank that has sent none: an alarm on age catches it too."""


def gauges(transaction: Transaction, context: Context) -> Iterator[Gauge]:
    """Yield the age of each bank's newest ledger."""
    newest: dict[str, dt.date] = {}
    for member, as_of in selects.ledger_dates(transaction):
        newest[member] = max(as_of, newest.get(member, as_of))
    today = context.clock.today()
    ages = [
        ([member.code], (today - newest[member.code]).days if member.code in newest else NEVER)
        for member in directory.all_members(transaction)
        if member.kind == "bank" and member.takes_part
    ]
    yield Gauge("huilian_ledger_age_days", "Days since the date of each bank's newest ledger.", ("member",), ages)


_PRODUCTS: Final = "产品代码 (product codes)"
_LACKING: Final = "政策已无其产品或步骤的申请 (open applications of a product or at a step that the policy lacks)"
_SHOWN: Final = 10
"""Codes that a line names."""


def examine(transaction: Transaction, settings: Settings, rules: Rules) -> Iterator[Concern]:
    """Say which product codes of ledgers stand for nothing, and which open applications their policy left behind."""
    yield from _codes(transaction, settings)
    found = lacking(transaction, rules)
    if not found:
        yield Concern(_LACKING, "无 (none)")
    for what, applications in found.items():
        remedy = "在政策文件中恢复，或撤回后重新申请 (restore it in the policy, or withdraw them and apply anew)"
        yield Concern(_LACKING, f"{what}: {applications}", remedy)


def _codes(transaction: Transaction, settings: Settings) -> Iterator[Concern]:
    unmapped = [
        (institution, code)
        for institution, code in selects.product_codes(transaction)
        if settings.policy_product(institution, code) is None
    ]
    if not unmapped:
        yield Concern(
            _PRODUCTS, "台账中的产品代码均已对应政策产品 (every code of the ledgers stands for a policy's product)"
        )
        return
    shown = "、".join(f"{institution} {code}" for institution, code in unmapped[:_SHOWN])
    more = " …" if len(unmapped) > _SHOWN else ""
    institution, code = unmapped[0]
    yield Concern(
        _PRODUCTS,
        f"{len(unmapped)} 个未对应政策产品 (not mapped): {shown}{more}",
        f'在 huilian.toml 中写 (write there): [products.{institution}] "{code}" = "政策/产品 (policy/product)"',
    )
