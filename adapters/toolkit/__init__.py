"""What adapters of files in rows and columns share, from bytes to canonical columns and back.

::

    bytes ─ cutting ─ grammar / polars ─ text ─▶ cells ─ translation ─▶ canonical ─ schemas.columnar.split ─▶ records
            encodings       delimited                    control_totals, repeats           rejections, returning

`delimited` reads delimited text in pieces and knows nothing of what its columns mean;
`translation` says what they mean and knows nothing of files. No check of a value stands
here: what is right or wrong is for the schemas to say.
"""
