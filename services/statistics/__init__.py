"""Statistics: the county's figures by region, institution, product and month, folded from changes alone."""

from services.statistics.service import service

__all__ = ["service"]
