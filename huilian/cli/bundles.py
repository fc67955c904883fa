"""What becomes of a bundle that is read, at the county and at an institution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.cli import screen, session
from huilian.errors import UsageError

if TYPE_CHECKING:
    from huilian.bundle import Bundle
    from huilian.home import Home

__all__ = ["at_the_county", "at_the_edge"]

_RUNNING = "HL7013"


def at_the_county(home: Home, opened: Bundle) -> dict[str, Any]:
    """Let a bundle in and carry what it brought, as far as this machine's host does that; return what came."""
    from huilian import carrying  # noqa: PLC0415  # see the package

    with session.office(home) as office:
        taken = carrying.let_in(office, opened, actor=session.actor())
        session.settle(office, entirely=True)
    for refusal in taken.refused:
        screen.err().print(f"[yellow]{refusal.code} {refusal.chinese} ({refusal.english})[/yellow]", soft_wrap=True)
    return {
        "messages": {"new": taken.new, "repeated": taken.repeated},
        "submissions": list(taken.submissions),
        "refused": [{"submission": each.facts["submission"], "code": each.code} for each in taken.refused],
    }


def at_the_edge(home: Home, opened: Bundle) -> dict[str, Any]:
    """Keep a bundle's messages and write them out; where an edge is running, that does it. Return what came."""
    from huilian.institution.edge import carrying, open_edge, settings  # noqa: PLC0415  # see the package

    kept = carrying.read(home, settings.load(home).member, opened)
    try:
        with open_edge(home, offline=True) as edge:
            edge.recover()
            edge.write_out()
            unwritten = edge.parts.ledger.messages.unwritten()
    except UsageError as error:
        if error.code != _RUNNING:
            raise
        return {"messages": {"kept": kept}, "written_by": "huilian edge run"}
    return {"messages": {"kept": kept, "not_written": unwritten}}
