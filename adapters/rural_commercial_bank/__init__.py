"""."""

adapter = None
