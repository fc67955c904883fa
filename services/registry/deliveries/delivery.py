"""How members are told of what changes: what concerns each of them now, held against what it was sent before."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.county import audit
from huilian.county.schedule import Calendar, Job
from huilian.county.sql import differs, names, note_growth
from huilian.wire.batches import Batcher, wire_types
from huilian.wire.envelope import Draft

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from huilian.county.office import Office
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.records.record import Record

__all__ = ["Delivery", "daily", "send", "takes_part"]

_ROWS_A_PIECE: Final = 10_000
_CONCERNED: Final = "CREATE TEMPORARY TABLE concerned ON COMMIT DROP AS {concerned}"
_CHANGED: Final = """
    CREATE TEMPORARY TABLE told ON COMMIT DROP AS
    SELECT *, row_number() OVER (ORDER BY member, {order}) AS place FROM (
    WITH now AS (SELECT * FROM concerned), sent AS (
        SELECT s.* FROM {sent} s JOIN huilian.member m ON m.code = s.member WHERE {takes_part}
    )
    SELECT {now}, false AS ended FROM now LEFT JOIN sent USING (member, {key}) WHERE sent.member IS NULL OR {differs}
  UNION ALL
    SELECT {before}, true FROM sent WHERE {ended}
    ) changed
"""
_PIECE: Final = f"""
    SELECT t.*, {{details}} FROM (
        SELECT * FROM told WHERE member = %(member)s AND place > %(place)s ORDER BY place LIMIT {_ROWS_A_PIECE}
    ) t {{joined}} ORDER BY t.place
"""
_NOTE_ENDED: Final = "DELETE FROM {sent} s USING told t WHERE t.ended AND ({old}) = ({new})"
_NOTE_SENT: Final = """
    INSERT INTO {sent} (member, {key}, {state}) SELECT member, {key}, {state} FROM told WHERE NOT ended
    ON CONFLICT (member, {key}) DO UPDATE SET ({state}) = ROW({excluded})
"""


@dataclass(frozen=True)
class Delivery:
    """What members of a kind are told of something.

    Args:
        kind: of member.
        message_type: of the messages.
        record: their contract's, in its first version.
        sent: the table of what each member was sent: `member`, the key, the state.
        key: what tells one thing from another.
        state: what is told anew when it differs.
        concerned: an SQL query of what concerns each member now: `member`, the key, the state.
        ended: SQL for what of `sent` has ended; `now` is what concerns each member.
        order: columns by which one member is told.
        details: SQL for columns that a record needs besides, of `joined`.
        joined: SQL that joins them to `t`, which has key, state and `ended`.
        as_record: returns a row as a record but for its line; None where there is none to be made. It is given the day.
        facts: returns what `concerned` and `ended` are given, by the policy and the day.
    """

    kind: str
    message_type: str
    record: type[Record]
    sent: str
    key: tuple[str, ...]
    state: tuple[str, ...]
    concerned: str
    ended: str
    order: str
    details: str
    joined: str
    as_record: Callable[[dict[str, Any], str], dict[str, Any] | None]
    facts: Callable[[Policy, dt.date], dict[str, Any]] = field(default=lambda _policy, day: {"day": day})


def takes_part(kind: str) -> str:
    """Return SQL for whether `m` is a member of a kind that is told anything."""
    return f"m.kind = '{kind}' AND m.suspended_at IS NULL AND m.left_at IS NULL"


def send(transaction: Transaction, delivery: Delivery, policy: Policy, day: dt.date) -> Iterator[tuple[Draft, int]]:
    """Yield what members have to be told since they were told last: messages, and how many records each has.

    Args:
        transaction: in which it is noted as sent.
        delivery: of what.
        policy: the county's.
        day: the day of it, for what has ended.
    """
    transaction.lock(delivery.sent)
    for member in _note_changed(transaction, delivery, delivery.facts(policy, day)):
        batcher = Batcher()
        bodies = itertools.chain.from_iterable(map(batcher.add, _records(transaction, delivery, member, day)))
        for lines, body in itertools.chain(bodies, batcher.flush()):
            message_type = delivery.message_type
            yield Draft(message_type, f"{message_type}/v1", member, body, bulk=True), lines
    transaction.execute("DROP TABLE told, concerned")


def _note_changed(transaction: Transaction, delivery: Delivery, facts: dict[str, Any]) -> list[str]:
    """Put what has changed into the temporary table `told`, note it as sent, and return whom it is for."""
    whole = ("member", *delivery.key)
    columns = (*whole, *delivery.state)
    said: dict[str, str] = {
        "concerned": delivery.concerned,
        "sent": delivery.sent,
        "ended": delivery.ended,
        "order": delivery.order,
        "takes_part": takes_part(delivery.kind),
        "key": names(delivery.key),
        "state": names(delivery.state),
        "now": ", ".join(f"now.{name}" for name in columns),
        "before": ", ".join(f"sent.{name}" for name in columns),
        "differs": differs("now", "sent", delivery.state),
        "old": ", ".join(f"s.{name}" for name in whole),
        "new": ", ".join(f"t.{name}" for name in whole),
        "excluded": ", ".join(f"excluded.{name}" for name in delivery.state),
    }
    transaction.execute(_CONCERNED.format(**said), facts)
    transaction.execute("ANALYZE concerned")  # or the planner compares a hundred thousand rows one with the other
    transaction.execute(_CHANGED.format(**said), facts)
    transaction.execute(_NOTE_ENDED.format(**said))
    note_growth(transaction, delivery.sent, whole, transaction.execute(_NOTE_SENT.format(**said)))
    return [row["member"] for row in transaction.rows("SELECT DISTINCT member FROM told ORDER BY 1")]


def _records(transaction: Transaction, delivery: Delivery, member: str, day: dt.date) -> Iterator[pl.DataFrame]:
    """Yield what a member is told, in pieces: of 100,000 rows no more is in memory."""
    types, line, place = wire_types(delivery.record), 0, 0
    piece = _PIECE.format(details=delivery.details, joined=delivery.joined)
    while rows := transaction.rows(piece, {"member": member, "place": place}):
        place = rows[-1]["place"]
        known = [made for row in rows if (made := delivery.as_record(row, day.isoformat())) is not None]
        records = [{"line": line + number} | made for number, made in enumerate(known, start=1)]
        line += len(records)
        yield pl.DataFrame(records, schema=types)


def daily(name: str, *deliveries: Delivery) -> Job:
    """Return the job that sends deliveries once a day, however much has changed since the day before.

    The audit log has how many records went to whom: `records.issued`.
    """

    def run(office: Office, transaction: Transaction, day: dt.date) -> None:
        processor, policy = office.processor, office.context.policy
        signer = processor.service_keys.signer("registry")
        issued: dict[tuple[str, str], list[int]] = {}
        for delivery in deliveries:
            for draft, records in send(transaction, delivery, policy, day):
                processor.send(transaction, draft, signer=signer)
                issued.setdefault((draft.subject, draft.dataschema), []).append(records)
        for (member, dataschema), counts in issued.items():
            detail = {"dataschema": dataschema, "records": sum(counts), "messages": len(counts)}
            now, actor = office.clock.now(), "service:registry"
            audit.append(transaction, now=now, actor=actor, action="records.issued", subject=member, detail=detail)

    return Job(name, Calendar(), run)
