"""The canonical records and messages: what every party's formats are translated to.

`fields` the kinds of value, `records` the bulk records, `messages` the single ones,
`columnar` the same definitions as polars types and checks, `catalogue` all of them by
type and version. Published forms stand in `contracts/`.
"""
