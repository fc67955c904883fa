"""The risk fund: what guarantee companies have in force, what they paid, and what has ended."""

from services.risk_fund.service import service

__all__ = ["service"]
