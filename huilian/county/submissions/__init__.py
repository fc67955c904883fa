"""Submissions at the county: gathered, checked, applied whole by the service that owns the kind, answered."""
