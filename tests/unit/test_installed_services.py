"""Services as they are found: what is wrong with one is said in words, so that the doctor can say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from huilian.core.errors import ConfigurationError
from huilian.county import service
from huilian.county.service import Service
from huilian.database.schema import KERNEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.county.submissions.kinds import Kind


@dataclass(frozen=True)
class Point:
    """An entry point whose module cannot be run."""

    name: str = "broken"
    value: str = "broken:service"

    def load(self) -> Service:
        """Fail as the module does."""
        message = "boom"
        raise RuntimeError(message)


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    remembering = (service.installed, service.kinds)
    for each in remembering:
        each.cache_clear()
    yield
    for each in remembering:
        each.cache_clear()


def test_a_service_that_cannot_be_imported_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch):
    """Whatever its module raises."""
    monkeypatch.setattr(service, "entry_points", lambda group: [Point()])  # noqa: ARG005  # as it is called
    with pytest.raises(ConfigurationError) as refused:
        service.installed()
    assert refused.value.facts == {"file": "broken:service", "what": "cannot be imported: RuntimeError: boom"}


def test_a_kind_of_submission_has_one_owner(monkeypatch: pytest.MonkeyPatch):
    """Or the receipts of two services would answer one file."""

    @dataclass(frozen=True)
    class Named:
        name: str

    def owning(name: str) -> Service:
        found = Service(name, KERNEL)
        object.__setattr__(found, "kinds", (cast("Kind", Named("ledger")),))
        return found

    services: dict[str, Any] = {name: owning(name) for name in ("first", "second")}
    monkeypatch.setattr(service, "installed", lambda: services)
    with pytest.raises(ConfigurationError, match=r"second.*the kind of submission ledger has another owner"):
        service.kinds()
