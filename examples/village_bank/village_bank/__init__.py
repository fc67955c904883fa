"""The adapter village_bank: `layout` says what the files look like, `exchange` reads and writes them."""

from __future__ import annotations

from village_bank.exchange import VillageBank

__all__ = ["adapter"]

adapter = VillageBank()
