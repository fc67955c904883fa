"""Submissions at the county: their parts gathered, checked, applied whole by the service that owns the kind, answered."""
