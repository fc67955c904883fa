"""Workbooks (.xlsx): what adapters of spreadsheets share.

::

    container ─▶ grid ─▶ merged_cells ─▶ heading ─▶ sheets
    parts        cells   values shared   columns    which is which
    xml          formats

`container`, `grid`, `cells` and `formats` know only what a workbook is; `heading` and `sheets`
find the columns that were agreed on. `writer` saves a workbook so that the same cells give the same bytes.
What the columns mean is for each adapter to say.
"""
