"""State machines as data: which states there are, who may move what from where to where, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Machine", "Move", "Refusal"]


class Refusal(Exception):  # noqa: N818  # no error of ours yet: the caller says it under a code
    """A move that is not allowed from where something is.

    Args:
        state: where it is.
        move: what was asked for.
    """

    def __init__(self, state: str, move: str) -> None:
        super().__init__(f"{move} is not allowed in the state {state}")
        self.state = state
        self.move = move


@dataclass(frozen=True)
class Move:
    """A change of state.

    Args:
        name: what is done: "suspend".
        sources: the states in which it may be done.
        target: the state after it.
        who: may do it.
        takes: what it needs, in words.
    """

    name: str
    sources: tuple[str, ...]
    target: str
    who: str
    takes: str = ""


@dataclass(frozen=True)
class Machine:
    """The states of one kind of thing; the first one is where it begins.

    Args:
        name: of the kind of thing.
        states: what people call each of them.
        moves: all there are.
    """

    name: str
    states: Mapping[str, str]
    moves: tuple[Move, ...]

    def __post_init__(self) -> None:
        """Refuse a machine that names a state it does not have."""
        named = {state for move in self.moves for state in (*move.sources, move.target)}
        if unknown := named - set(self.states):
            message = f"{self.name} has no state {', '.join(sorted(unknown))}"
            raise ValueError(message)

    def after(self, state: str, move: str) -> str:
        """Return the state after a move.

        Raises:
            Refusal: it is not allowed.
        """
        for each in self.moves:
            if each.name == move and state in each.sources:
                return each.target
        raise Refusal(state, move)

    def mermaid(self) -> str:
        """Return the machine as a Mermaid diagram, for the documentation."""
        lines = ["stateDiagram-v2", *(f"    {name}: {chinese}" for name, chinese in self.states.items())]
        lines.append(f"    [*] --> {next(iter(self.states))}")
        for move in self.moves:
            label = ", ".join(filter(None, (move.who, move.takes)))
            lines += [f"    {source} --> {move.target}: {move.name} ({label})" for source in move.sources]
        final = set(self.states) - {source for move in self.moves for source in move.sources}
        return "\n".join([*lines, *(f"    {state} --> [*]" for state in self.states if state in final)])
