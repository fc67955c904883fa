"""What a check of the office finds: one line each, with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from huilian.errors import HuilianError

__all__ = ["FAIL", "OK", "WARN", "Finding", "failed", "worst"]

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"
_ORDER: Final = (OK, WARN, FAIL)


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, what to do."""

    name: str
    status: str
    what: str
    remedy: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """Return the same for programs."""
        return {"name": self.name, "status": self.status, "what": self.what, "remedy": self.remedy}


def worst(findings: list[Finding]) -> str:
    """Return the status of the worst finding."""
    return max((finding.status for finding in findings), key=_ORDER.index, default=OK)


def failed(name: str, error: HuilianError, remedy: str | None = None) -> Finding:
    """Return the finding that an error is."""
    return Finding(name, FAIL, f"{error.code} {error.chinese}", remedy)
