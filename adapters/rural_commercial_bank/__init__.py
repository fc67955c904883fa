"""The rural commercial bank's delimited text: its loan ledger and repayment journal, and what it is sent.

`layouts` says what the columns of the bank's files mean, `returns` what the files look like
that it is sent; `exchange` reads the ones, gives rows of them back, and writes the others.
"""

from __future__ import annotations

from adapters.rural_commercial_bank.exchange import RuralCommercialBank

__all__ = ["adapter"]

adapter = RuralCommercialBank()
