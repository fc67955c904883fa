"""All that may happen in a simulated county, by name: each act draws what it needs from its own seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.acts import applications, fund, insurance, lending, losses, ratings, subsidies, time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from tests.simulation.county import SimulatedCounty

__all__ = ["ACTS", "CHAPTERS", "WEIGHTS"]

_ALL = {
    **lending.ACTS,
    **insurance.ACTS,
    **applications.ACTS,
    **ratings.ACTS,
    **fund.ACTS,
    **losses.ACTS,
    **subsidies.ACTS,
    **time.ACTS,
}
ACTS: Mapping[str, Callable[[SimulatedCounty, Random], None]] = {name: act for name, (_, act) in _ALL.items()}
WEIGHTS: Mapping[str, int] = {name: weight for name, (weight, _) in _ALL.items() if weight}
"""How often each is drawn beside the chapters; an act of none happens in chapters alone."""
CHAPTERS: tuple[tuple[str, ...], ...] = (
    ("file_groups", "collect", "rate_on", "rate_on", "rate_on", "set_line", "find", "wait"),
    (
        *("file_groups", "consent_all", "deposit_first", "approve_entry", "collect", "rate_on", "rate_on", "apply"),
        *("go_on", "go_on", "lend", "lend", "send_ledgers", "wait", "send_ledger"),
    ),
    (
        *("consent_all", "deposit_first", "approve_entry", "apply", "go_on", "go_on", "apply", "go_on", "go_on"),
        *("lend", "send_ledgers", "send_guarantees", "wait"),
    ),
    ("lend", "lend", "send_ledger", "repay", "wait", "send_ledger", "correct_payment", "send_ledger", "send_journal"),
    (
        *("lend", "lend", "lend", "send_ledgers", "repay", "send_journal", "wait_a_quarter", "send_ledgers"),
        *("run_subsidies", "claim_subsidies", "run_subsidies", "post_subsidies", "dispute_subsidy"),
        *("approve_subsidies", "order_subsidies", "report_payments", "change_card", "order_subsidies"),
        *("report_payments", "correct_payment", "send_ledgers", "wait_a_quarter", "run_subsidies"),
    ),
    (
        *("lend", "lend", "send_ledgers", "claim_subsidies", "run_subsidies", "claim_subsidies", "run_subsidies"),
        *("post_subsidies", "approve_subsidies", "suspect", "order_subsidies", "report_payments", "suspect"),
    ),
    (
        *("deposit_first", "approve_entry", "lend", "lend", "lend", "send_ledgers", "wait", "send_ledgers"),
        *("claim_loss", "go_on_with_loss", "go_on_with_loss", "approve_entry", "go_on_with_loss", "recover_loss"),
        *("go_on_with_loss", "approve_entry", "recover_loss", "go_on_with_loss", "write_off_loss", "approve_entry"),
    ),
    (
        *("lend", "lend", "send_ledgers", "insure", "insure", "send_package", "file_claim", "move_claim"),
        *("send_package", "send_ledgers", "claim_loss", "go_on_with_loss", "move_claim", "send_package"),
    ),
    ("deposit_first", "approve_entry", "move_money", "place_money", "approve_entry", "reverse", "approve_entry"),
)
"""What happens in some order, when it goes as it should."""
