"""What a claim goes through, as a machine. A step back is shown as a difference: insurers are believed, not refused."""

from __future__ import annotations

from typing import Final

from huilian.county.procedure.state_machine import Machine, Move
from schemas.insurance import CLAIM_STATUS

__all__ = ["CLAIM", "OPEN", "PASSED"]

CLAIM: Final = Machine(
    "claim",
    CLAIM_STATUS,
    (
        Move("survey", ("filed",), "surveying", "insurer", "it looks into the loss"),
        Move("settle", ("filed", "surveying"), "settled", "insurer", "the day of the payout"),
        Move("decline", ("filed", "surveying"), "declined", "insurer", "a reason"),
        Move("reopen", ("declined",), "surveying", "insurer", "the insured objects"),
    ),
)
OPEN: Final = ("filed", "surveying")
"""The states in which the insurer has not decided."""
PASSED: Final = ", ".join(
    f"('{source}', '{move.target}')" for move in CLAIM.moves for source in (*move.sources, move.target)
)
"""SQL: the pairs of states that follow each other, a state stated again included."""
