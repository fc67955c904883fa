"""Subsidies of interest: what is asked, what is owed, and what is paid."""

from services.subsidy.service import service

__all__ = ["service"]
