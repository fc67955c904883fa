"""What the parts of an edge share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from huilian.adapters import Adapter, AdapterSettings
    from huilian.catalogue import Catalogue
    from huilian.clock import Clock
    from huilian.home import Home
    from huilian.institution.edge.folders import Folders
    from huilian.institution.edge.ledger import Ledger

__all__ = ["Parts"]


@dataclass(frozen=True)
class Parts:
    """One edge's parts.

    Args:
        home: the data directory, with keys, trusted keys and spool.
        folders: its folders.
        ledger: what was done.
        member: whose edge it is.
        adapter: speaks its formats.
        settings: what the adapter may know.
        catalogue: the contracts.
        clock: the time of day, for people.
        monotonic: seconds that only grow, for waits.
    """

    home: Home
    folders: Folders
    ledger: Ledger
    member: str
    adapter: Adapter
    settings: AdapterSettings
    catalogue: Catalogue
    clock: Clock
    monotonic: Callable[[], float]
