"""The guarantee company's workbook: its guarantees in force, its compensations and its releases.

::

    toolkit.workbook ─▶ translating ─▶ records
    sheets, cells       units, banks   rejections ─▶ toolkit.workbook
                        totals

    records ─▶ outgoing ─▶ writing ─▶ workbook ─▶ reading_back ─▶ records

`layouts` says what the columns mean; `exchange` is the adapter.
"""

from __future__ import annotations

from adapters.guarantee_company.exchange import GuaranteeCompany

__all__ = ["adapter"]

adapter = GuaranteeCompany()
