"""The county's roster (花名册), as delimited text or as a workbook.

`layout` says what its columns mean, `households` what holds within a household, `sources`
takes cells out of either kind of file, `exchange` puts them together.
"""

from __future__ import annotations

from adapters.county_roster.exchange import CountyRoster

__all__ = ["adapter"]

adapter = CountyRoster()
