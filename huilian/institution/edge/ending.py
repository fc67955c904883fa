"""How a file's way ends: its original in `done/`, or in `refused/` with the reason beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from huilian.institution.edge.arrivals import OPEN, UNTOLD
from huilian.institution.edge.explaining import explanation
from huilian.institution.edge.folders import EXPLANATION, free_name, move, sync, write_atomically
from huilian.private_files import share

if TYPE_CHECKING:
    from huilian.errors import FileRefused, HuilianError
    from huilian.institution.edge.arrivals import Arrival
    from huilian.institution.edge.parts import Parts

__all__ = ["Ending"]

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"

_log = structlog.get_logger(__name__)


class Ending:
    """Ends arrivals: what is about to happen is noted first, so that it can be done again after a crash."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def accept(self, arrival: Arrival) -> None:
        """Lay the original into `done/`."""
        self._end(arrival, ACCEPTED, None)

    def refuse(self, arrival: Arrival, text: str) -> None:
        """Lay the original into `refused/`, with `text` beside it."""
        self._end(arrival, REFUSED, text)

    def refuse_for(self, arrival: Arrival, error: HuilianError) -> None:
        """Lay the original into `refused/`, with what `error` says beside it."""
        self.refuse(arrival, self._explained(arrival, error))
        _log.warning("file_refused", arrival=arrival.number, submission=arrival.submission, code=error.code)

    def refuse_untold(self, arrival: Arrival, error: FileRefused) -> None:
        """Do the same for a file that was refused here, of which the county is told as soon as it is there."""
        self._end(arrival, UNTOLD, self._explained(arrival, error), submission=error.submission)
        _log.warning("file_refused", arrival=arrival.number, submission=error.submission, code=error.code)

    def _explained(self, arrival: Arrival, error: HuilianError) -> str:
        return explanation(arrival.file_name, error, self._parts.clock.now())

    def recover(self) -> None:
        """Go on with what a crash interrupted."""
        for arrival in self._parts.ledger.arrivals.in_states(*OPEN):
            if arrival.ending is not None:
                self.complete(arrival)

    def _end(self, arrival: Arrival, state: str, text: str | None, **further: str | None) -> None:
        folders = self._parts.folders
        folder = folders.done if state == ACCEPTED else folders.refused
        arrivals = self._parts.ledger.arrivals
        kept_as = free_name(folder, arrival.file_name)
        arrivals.change(arrival.number, ending=state, kept_as=kept_as, explanation=text, **further)
        self.complete(arrivals.get(arrival.number))

    def complete(self, arrival: Arrival) -> None:
        """Do what an arrival says is about to happen, as far as it is not done."""
        folders = self._parts.folders
        folder = folders.done if arrival.ending == ACCEPTED else folders.refused
        kept_as = arrival.kept_as or arrival.file_name
        if arrival.explanation is not None:
            # With a mark at its beginning, by which old editors on Windows know UTF-8.
            file = folder / f"{kept_as}{EXPLANATION}"
            write_atomically(file, arrival.explanation.encode("utf-8-sig"))
            share(file, folder)
        source = folders.taken(arrival.number, arrival.file_name)
        if source.exists():
            move(source, folder / kept_as)
        if source.parent.exists():
            source.parent.rmdir()
            sync(folders.underway)
        self._parts.ledger.arrivals.change(arrival.number, state=arrival.ending, ending=None)
