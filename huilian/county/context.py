"""What handlers may know beside a message and its transaction.

A handler is a plain function; both hosts call the same one::

    def handle(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]

It changes its service's own tables through `transaction` and returns the messages to
send. State, inbox and outbox commit together. It may be called again for a message it
has handled only if that commit did not happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huilian.adapters import Piece
    from huilian.core.clock import Clock
    from huilian.county.rules import Rules
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.policy.reference_rates import ReferenceRates
    from huilian.policy.working_days import WorkingDays
    from huilian.wire.catalogue import Catalogue
    from huilian.wire.envelope import Draft, Message

__all__ = ["Context", "Handler", "Translate"]


Translate = Callable[["Transaction", "Message"], "Piece"]
"""Makes the canonical record of a message in a member's own format."""


@dataclass(frozen=True)
class Context:
    """What a handler may know beside its message and its transaction.

    Args:
        clock: what time it is.
        county: its six digits.
        rules: what the county decides by; a handler asks for `policy`, `rates` and `working_days`.
        catalogue: the contracts.
        translate: reads a message in its sender's own format, by way of that member's adapter.
        missing_at_most_percent: by kind of submission, how much of what stood a full list may lack.
        owners: the service that takes each kind of submission, by the name of the kind.
        policy_product: called with a bank and a product code of that bank, returns the policy and the product that
            the bank means by it, or None where nobody has said.
    """

    clock: Clock
    county: str
    rules: Rules
    catalogue: Catalogue
    translate: Translate
    missing_at_most_percent: Mapping[str, int]
    owners: Mapping[str, str] = field(default_factory=dict)
    policy_product: Callable[[str, str], tuple[str, str] | None] = lambda _institution, _code: None

    @property
    def policy(self) -> Policy:
        """Return the county's policy, as its file has it now."""
        return self.rules.policy

    @property
    def rates(self) -> ReferenceRates:
        """Return the published rates, with those that the county entered."""
        return self.rules.rates

    @property
    def working_days(self) -> WorkingDays:
        """Return the working days, with those that the county entered."""
        return self.rules.working_days


Handler = Callable[["Message", "Transaction", Context], Iterable["Draft"]]
