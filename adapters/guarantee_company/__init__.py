"""The guarantee company's workbook: its guarantees in force, its compensations and its releases.

::

    container ─▶ grid ─▶ heading ─▶ sheets ─▶ blocks ─▶ translating ─▶ records
    parts        cells   columns    which     data      units, banks   rejections ─▶ returning
                 merging unit, date is which  and total totals

    records ─▶ outgoing ─▶ writing ─▶ saving ─▶ workbook ─▶ reading_back ─▶ records

`layouts` says what the columns mean; `container`, `grid`, `cells` and `formats` know only
what a workbook is; `exchange` is the adapter.
"""

from __future__ import annotations

from adapters.guarantee_company.exchange import GuaranteeCompany

__all__ = ["adapter"]

adapter = GuaranteeCompany()
