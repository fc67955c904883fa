"""Insurance: policies, claims and the results of periods, as insurers state them."""

from services.insurance_claim.service import service

__all__ = ["service"]
