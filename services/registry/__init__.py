"""The registry: the one copy of households and loans, with their history.

It owns the kinds of submission that state them, applies each as a whole and publishes what
changed. Nobody else stores them row by row.
"""

from services.registry.service import service

__all__ = ["service"]
