"""Backfill: a service forgets what it folded, and is told everything anew by those who own it.

So a service that is added to a running county is brought up to date, and one whose figures are
doubted is made anew. Owners say with `Service.tells` how their whole state is told as events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.core.errors import UsageError
from huilian.county import audit
from huilian.county.messages import store
from huilian.county.submissions import receipts
from huilian.wire import envelope
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from huilian.county.office import Office
    from huilian.database.connection import Transaction

__all__ = ["rebuild"]


def rebuild(transaction: Transaction, office: Office, name: str, *, actor: str) -> dict[str, int]:
    """Have a service forget what it folded and hear the whole state anew; return the messages told by type.

    What the service's handlers return is not sent: it was sent when it happened. Call this last in a
    transaction: it ends with an audit record. Readers see the old state until it commits.

    Args:
        transaction: everything happens in it; owners change nothing until it ends.
        office: the open data directory.
        name: of the service.
        actor: who asks for it, for the log.

    Raises:
        UsageError: HL7001, there is no such service, or it folds nothing.
    """
    folding = [each.name for each in office.services.values() if each.forget is not None]
    service = office.services.get(name)
    if service is None or service.forget is None:
        what = f"{name} 不能重算；可重算 (cannot be rebuilt; what can be): {', '.join(folding)}"
        raise UsageError("HL7001", what=what)
    tells = {"receipt": receipts.tell}
    for owner in office.services.values():
        tells |= owner.tells if owner is not service else {}
    told = {each: tell(transaction) for each, tell in tells.items() if each in service.handlers}
    processor = office.processor
    # What was told so far is part of the whole state: it counts as heard, wherever it still is on its way. Deliveries
    # that are under way are waited for here, before the service forgets them.
    store.take_all(transaction, name, list(told), now=office.clock.now())
    service.forget(transaction)
    counts = dict.fromkeys(told, 0)
    for message_type, drafts in told.items():
        for draft in drafts:
            message = envelope.seal(draft, processor.platform_key, source=PLATFORM, time=office.clock.now())
            for _ in service.handlers[message_type](message, transaction, office.context):
                pass
            counts[message_type] += 1
    audit.append(
        transaction, now=office.clock.now(), actor=actor, action=f"{name}.rebuilt", subject=name, detail=dict(counts)
    )
    return counts
