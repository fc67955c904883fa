"""An insurer's result in a period: who bears its loss, and what of its profit goes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.policy.case_fields import Amount, CaseSchema, Date, Words
from huilian.policy.reading import Reading

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from huilian.policy.policies import Policy

__all__ = ["CASE", "PeriodCase", "PeriodResult", "settle"]


_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True)
class PeriodCase:
    """What an insurer earned and paid in a period; its expenses do not count.

    Args:
        premiums: yuan.
        claims: paid.
        event: the last day of the period, where the policy asks.
        insurer: its code.
    """

    premiums: Decimal
    claims: Decimal
    event: dt.date | None = None
    insurer: str | None = None


class _PeriodCaseSchema(CaseSchema):
    of = PeriodCase

    premiums = Amount(required=True)
    claims = Amount(required=True)
    event = Date(allow_none=True, load_default=None)
    insurer = Words(allow_none=True, load_default=None)


CASE: Final = _PeriodCaseSchema()


@dataclass(frozen=True)
class PeriodResult:
    """What follows from a period.

    Args:
        insurer: its code.
        result: premiums less claims; negative is a loss.
        shares: who bears a loss; empty where there is none.
        returned: of a profit, to the fund.
        reading: of the policy.
    """

    insurer: str | None
    result: Decimal
    shares: Mapping[str, Decimal]
    returned: Decimal
    reading: Reading = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return it for a program, with every rule."""
        return {
            "insurer": self.insurer,
            "result": money.text(self.result),
            "shares": {party: money.text(amount) for party, amount in self.shares.items()},
            "returned": money.text(self.returned),
            **self.reading.as_json(),
        }


def settle(policy: Policy, case: PeriodCase) -> PeriodResult:
    """Settle an insurer's period by a policy; without a rule the insurer bears a loss and keeps a profit.

    Raises:
        MissingFactError: the policy asks for a fact that the case does not give.
    """
    reading = Reading(policy, None)
    situation = {"event": case.event}
    result = case.premiums - case.claims
    shares: Mapping[str, Decimal] = {}
    returned = money.ZERO
    if result < 0:
        weights = reading.value("insurance.loss_sharing", situation) or {"insurer": 1}
        shares = money.split(-result, weights)
    elif result > 0:
        percent = reading.value("insurance.profit_returned", situation) or Decimal(0)
        returned = money.round_to_fen(result * percent / _HUNDRED)
    return PeriodResult(case.insurer, result, shares, returned, reading)
