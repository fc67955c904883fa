"""One record that travels alone, as a service takes it: read, and held to its contract with every fault at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from huilian.core import strict_json
from huilian.core.errors import reason, refused_for
from huilian.records.record_files import NO_RECORD, breaches

if TYPE_CHECKING:
    from huilian.county.context import Context, Handler
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["RecordHandler", "handler_of", "read_record"]


RecordHandler = Callable[[Mapping[str, Any], "Message", "Transaction", "Context"], Iterable["Draft"]]
"""Called with the fields of one record, as its contract loads them (`Decimal`, dates), and what a handler is given."""


def handler_of(takes: RecordHandler) -> Handler:
    """Return the handler of messages that hold one record each."""

    def handle(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
        return takes(read_record(message, context), message, transaction, context)

    return handle


def read_record(message: Message, context: Context) -> dict[str, Any]:
    """Return the one record of a message, loaded: one JSON object, or one line of NDJSON.

    Raises:
        MessageRefused: HL1035, with every fault of the record as a reason; HL1006, HL1011, it cannot be expanded.
    """
    schema = context.catalogue.contract(message.type, message.dataschema).schema()
    try:
        record = strict_json.loads(message.body())
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise refused_for([reason(NO_RECORD)])
    if faults := breaches(schema, record, context.county):
        raise refused_for([reason(code, field) for field, code in faults])
    loaded: dict[str, Any] = schema.load(record)
    return loaded
