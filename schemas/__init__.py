"""The canonical records and messages: what every party's formats are translated to.

`fields` the kinds of value, `records` the bulk records, `messages` the single ones,
`columnar` the same definitions as polars types and checks, `catalogue` all of them by
type and version. `json_schema` and `asyncapi` are their published forms, `publish` the
command that writes these to `contracts/` and freezes them.
"""
