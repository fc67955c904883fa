"""What hinders an edge, strand by strand, until it is over: what the disk, sending, fetching and following up met last.

They fail apart from each other: a key that is not entered yet stops sending while fetching goes on, and
whoever looks must not be told that all is well because of that.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from huilian.clock import Clock
    from huilian.errors import HuilianError
    from huilian.institution.edge.ledger import Ledger

__all__ = ["DISK", "FETCH", "FOLLOW", "SEND", "Hindrances", "last", "lasting"]

DISK, SEND, FETCH, FOLLOW = "disk", "send", "fetch", "follow"
_LAST: Final = "last_error"
_LASTING: Final = "lasting_errors"


class Hindrances:
    """Notes what fails and when it is over, where `huilian edge status` reads it.

    Args:
        ledger: of the edge; what an earlier run noted stays until its strand succeeds.
        clock: the moment of a failure.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lasting = {error["strand"]: error for error in lasting(ledger)}

    def failed(self, strand: str, error: HuilianError) -> None:
        """Note that a strand failed."""
        told = {"code": error.code, "message": error.chinese, "message_en": error.english}
        self._lasting[strand] = told | {"at": self._clock.now().isoformat(), "strand": strand}
        self._note(_LAST, self._lasting[strand])
        self._note(_LASTING, self._lasting)

    def over(self, strand: str) -> None:
        """Note that a strand succeeded."""
        if strand in self._lasting:
            others = {name: error for name, error in self._lasting.items() if name != strand}
            if self._note(_LASTING, others):
                self._lasting = others

    def _note(self, name: str, value: dict[str, Any]) -> bool:
        with contextlib.suppress(sqlite3.OperationalError):  # the disk it would be noted on may be what is full
            self._ledger.state(name, json.dumps(value, ensure_ascii=False))
            return True
        return False


def last(ledger: Ledger) -> dict[str, Any] | None:
    """Return the newest failure, over or not: code, message, message_en, at, strand; None if there never was one."""
    told = ledger.fact(_LAST)
    return json.loads(told) if told else None


def lasting(ledger: Ledger) -> list[dict[str, Any]]:
    """Return the failures that are not over, one a strand at most."""
    told = ledger.fact(_LASTING)
    return list(json.loads(told).values()) if told else []
