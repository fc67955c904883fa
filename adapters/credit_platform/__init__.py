"""The credit-information platform's delimited text, outbound only: credit records made to be published.

`layouts` says what the files look like, `exchange` writes them and keeps unmasked numbers out.
"""

from __future__ import annotations

from adapters.credit_platform.exchange import CreditPlatform

__all__ = ["adapter"]

adapter = CreditPlatform()
