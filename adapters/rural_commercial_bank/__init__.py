"""The rural commercial bank's delimited text: its loan ledger and its repayment journal.

`layouts` says what the files' columns mean, `exchange` reads them and gives rows back.
"""

from __future__ import annotations

from adapters.rural_commercial_bank.exchange import RuralCommercialBank

__all__ = ["adapter"]

adapter = RuralCommercialBank()
