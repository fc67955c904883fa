"""The postal savings bank's fixed-length records: its loan ledger, and what is given back to it.

`layout` says which bytes are which field, `ends` knows header and trailer, `reading` cuts a file
into records, `cells` makes texts of their bytes, `ledger` says what those mean; `returning` gives
rejected records back, `forms` and `writing` make what else the bank is sent. `exchange` joins them.
"""

from __future__ import annotations

from adapters.postal_savings_bank.exchange import PostalSavingsBank

__all__ = ["adapter"]

adapter = PostalSavingsBank()
"""The adapter: reading the bank's ledger in pieces, and writing in its layout what it is sent."""
