"""Ratings: what was collected of households and enterprises, how it was judged, reviewed, posted and put in force."""

from services.rating.service import service

__all__ = ["service"]
