"""State machines as data: what they allow, and how they are drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from huilian.county.members.standing import STANDING
from huilian.county.procedure.state_machine import Machine, Move, Refusal

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_a_move_leads_from_its_sources_to_its_target():
    """From everywhere else it is refused, and the refusal says from where."""
    assert STANDING.after("takes_part", "suspend") == "suspended"
    assert [STANDING.after(state, "leave") for state in ("takes_part", "suspended")] == ["left", "left"]
    with pytest.raises(Refusal) as refused:
        STANDING.after("left", "resume")
    assert (refused.value.state, refused.value.move) == ("left", "resume")
    with pytest.raises(Refusal):
        STANDING.after("takes_part", "nonsense")


def test_a_machine_that_names_a_state_it_does_not_have_is_refused():
    """When it is made, not when somebody comes there."""
    with pytest.raises(ValueError, match="claim has no state paid"):
        Machine("claim", {"open": "受理"}, (Move("pay", ("open",), "paid", "insurer"),))


def test_the_documentation_draws_the_machine_from_its_data():
    """If this fails, put what `STANDING.mermaid()` returns into docs/architecture.md."""
    assert STANDING.mermaid().splitlines() == [
        "stateDiagram-v2",
        "    takes_part: 参与",
        "    suspended: 停用",
        "    left: 退出",
        "    [*] --> takes_part",
        "    takes_part --> suspended: suspend (county, a reason)",
        "    suspended --> takes_part: resume (county, a reason)",
        "    takes_part --> left: leave (county, a reason; keys and tokens end)",
        "    suspended --> left: leave (county, a reason; keys and tokens end)",
        "    left --> [*]",
    ]
    assert f"```mermaid\n{STANDING.mermaid()}\n```" in ARCHITECTURE.read_text("utf-8")
