"""Workbooks (.xlsx): what adapters of spreadsheets share.

::

    container ─▶ grid ─▶ merged_cells ─▶ heading ─▶ sheets ─▶ blocks ─▶ translation
    parts        cells   values shared   columns    which     data      rejections ─▶ returns
    xml          formats                            is which  and sums  records    ─▶ writer

`container`, `grid`, `cells` and `formats` know only what a workbook is. `heading` and `sheets` find the columns
that were agreed on, and `blocks` tells data from headings, notes and sums. `returns` gives rejected rows back in
the shape they came in; `writer` saves a workbook so that the same cells give the same bytes. What the columns
mean is for each adapter to say.
"""
