"""What adapters of files in rows and columns share, from bytes to canonical columns and back.

::

    cutting ─▶ header ─▶ reading ─▶ delimited ─▶ translation ─▶ huilian.records.columnar.split ─▶ records
    pieces     encodings  grammar    data rows    canonical      control_totals, repeats   rejections ─▶ returning
               foreign               characters

    records ─▶ notations ─▶ writing ─▶ whole_files
               formulas     quotes, totals

`delimited` reads delimited text in pieces and knows nothing of what its columns mean;
`translation` says what they mean and knows nothing of files. `writing` makes delimited text of
records, as a table of columns and their `notations` says, and reads exactly that back. `workbook` does for
spreadsheets what `delimited` does for text. No check of a value stands here: what is right or wrong is for the
schemas to say.
"""
