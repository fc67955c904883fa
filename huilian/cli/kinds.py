"""What people call the kinds of submission: as the contract of receipts has it."""

from __future__ import annotations

import functools

__all__ = ["chinese"]


def chinese(kind: str) -> str:
    """Return the Chinese name of a kind of submission, or the kind itself: "贷款台账" of "loan_ledger"."""
    return _labels().get(kind, kind)


@functools.cache
def _labels() -> dict[str, str]:
    from huilian import catalogue  # noqa: PLC0415  # polars

    field = catalogue.installed().latest("receipt").schema().fields["kind"]
    return dict(getattr(field, "labels", {}))
