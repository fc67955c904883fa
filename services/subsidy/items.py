"""Items, one a loan and settlement period: how they move, and how others are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import MessageRefused
from huilian.county import changes as county_changes
from huilian.county.changes import Changes, Event
from huilian.county.sql import of
from huilian.wire.access import service_code
from schemas.subsidies import SubsidyChange
from services.subsidy.states import ITEM, REPLACED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft

__all__ = ["EVENT", "OWN", "hold", "move", "new_revision", "note_new", "tell", "told"]

EVENT: Final = Event("subsidies_changed", 1, SubsidyChange)
OWN: Final = service_code("subsidy")
"""Who takes the steps that nobody took."""
_MOVED: Final = """
    WITH before AS MATERIALIZED (
        SELECT number, state, approved, paid FROM subsidy.item WHERE number = ANY(%(numbers)s)
        ORDER BY number FOR UPDATE
    ), after AS (
        UPDATE subsidy.item i SET state = %(target)s, revision = %(revision)s,
               approved = CASE %(move)s WHEN 'approve' THEN i.own WHEN 'forfeit' THEN NULL ELSE i.approved END,
               paid = CASE %(move)s WHEN 'pay' THEN coalesce(i.approved, i.own) WHEN 'bounce' THEN 0 ELSE i.paid END
        FROM before b WHERE i.number = b.number AND b.state = ANY(%(sources)s)
        RETURNING i.number, i.state, i.approved, i.paid
    )
    INSERT INTO subsidy.item_step (item, move, former_state, former_approved, former_paid, state, approved, paid,
                                   date, entered, member, person, message, reason, revision)
    SELECT a.number, %(move)s, b.state, b.approved, b.paid, a.state, a.approved, a.paid,
           %(date)s, %(entered)s, %(member)s, %(person)s, %(message)s, %(reason)s, %(revision)s
    FROM after a JOIN before b USING (number) ORDER BY a.number
"""
_NEW: Final = """
    INSERT INTO subsidy.item_step (item, move, state, approved, paid, date, entered, member, person, message, reason,
                                   revision)
    SELECT number, 'compute', state, approved, paid, %(date)s, %(entered)s, %(member)s, %(person)s, %(message)s,
           %(reason)s, %(revision)s
    FROM subsidy.item WHERE revision = %(revision)s ORDER BY number
"""
_OPTIONAL: Final = {"person": None, "message": None, "reason": None}


def hold(transaction: Transaction) -> None:
    """Let nobody else compute, post, approve or pay until the transaction ends."""
    transaction.lock("subsidy")


def new_revision(transaction: Transaction) -> int:
    """Return the number of what one message does to items."""
    return int(transaction.value("SELECT nextval('subsidy.item_revision')"))


def move(transaction: Transaction, numbers: Collection[int], name: str, facts: dict[str, Any]) -> list[Draft]:
    """Move items as the machine lets them, all or none; write their story, return what others are told.

    An approval approves what was computed; a payment pays what was approved.

    Args:
        transaction: holds the items, see `hold`.
        numbers: of the items; none twice.
        name: of the move.
        facts: `date`, `entered` and `member`; where there are some, `person`, `message` and `reason`.

    Raises:
        MessageRefused: HL1130, one of them is not in a state in which that may be done.
    """
    if not numbers:
        return []
    moves = [each for each in ITEM.moves if each.name == name]
    revision = new_revision(transaction)
    sources = [source for each in moves for source in each.sources]
    moved = {"move": name, "target": moves[0].target, "sources": sources, "numbers": sorted(numbers)}
    done = transaction.execute(_MOVED, _OPTIONAL | facts | moved | {"revision": revision})
    if done != len(moved["numbers"]):
        raise MessageRefused("HL1130", move=name, count=len(moved["numbers"]) - done)
    return told(transaction, revision)


def note_new(transaction: Transaction, revision: int, facts: dict[str, Any]) -> None:
    """Write into the story that a run entered the items with its revision; `facts` as of `move`."""
    transaction.execute(_NEW, _OPTIONAL | facts | {"revision": revision})


def told(transaction: Transaction, revision: int) -> list[Draft]:
    """Return what others are told of the steps with a revision."""
    with Changes(EVENT) as changes:
        changes.take(transaction.copy_out(_CHANGED, {"revision": revision}))
        return list(changes.drafts(OWN, f"subsidy.{revision}"))


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all items that stand as changes; nothing changes until the transaction ends."""
    hold(transaction)
    return county_changes.tell(EVENT, transaction.copy_out(_STANDING), "subsidy")


_STATE: Final = ", ".join(f"i.{name}" for name in EVENT.state if name not in {"approved", "paid", "state"})
_SIDE: Final = f"""
    LEFT JOIN LATERAL (SELECT {_STATE}, {{0}}approved AS approved, {{0}}paid AS paid, {{0}}state AS state
                       WHERE {{0}}state <> '{REPLACED}') {{1}} ON true
"""
_CHANGED: Final = f"""
    SELECT i.institution, i.loan_no, i.run_no, i.period_start, i.period_end, s.date, NULL,
           row_number() OVER (ORDER BY s.number), {EVENT.columns("b", "a")}
    FROM subsidy.item_step s JOIN subsidy.item i ON i.number = s.item
    {_SIDE.format("s.former_", "b")} {_SIDE.format("s.", "a")}
    WHERE s.revision = %(revision)s ORDER BY s.number
"""
_STANDING: Final = f"""
    SELECT i.institution, i.loan_no, i.run_no, i.period_start, i.period_end, s.date, NULL,
           row_number() OVER (ORDER BY i.number), {", ".join("NULL" for _ in EVENT.state)},
           {of("i", EVENT.state)}
    FROM subsidy.item i
    JOIN LATERAL (SELECT max(date) AS date FROM subsidy.item_step WHERE item = i.number) s ON true
    WHERE i.state <> '{REPLACED}' ORDER BY i.number
"""
