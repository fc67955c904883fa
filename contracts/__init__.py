"""What the parties agreed on, as data: message schemas, access rules and policies.

`messages/<type>/v<N>.json` and `asyncapi.yaml` are generated from `schemas/` by
`python -m schemas.publication.publish` and frozen with their hashes in `published.toml`.
`access.toml` and `policies/*.toml` are written by people. There is no code here; it is
a package so that an installed Huilian finds its contracts wherever it lies.
"""
